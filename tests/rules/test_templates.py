"""Reply templates: filled, marked where a value is missing, and closed to everything else."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.rules.templates import (
    MAX_SOURCE_BYTES,
    VARIABLES,
    ProblemCode,
    Rendered,
    TemplateProblem,
    check_source,
    find_missing,
    mark,
    render,
    sample,
)

CONTEXT: dict[str, Any] = {
    "customer": {"name": "Ana Pop", "first_name": "Ana"},
    "agent": {"name": "Budi", "first_name": ""},
    "organisation": {"name": "Teapots & Co"},
    "conversation": {"subject": "Broken lid", "number": 20418},
    "today": date(2026, 1, 31),
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Dear {{ customer.first_name }},", "Dear Ana,"),
        ("{{ conversation.number }}: {{ conversation.subject | upcase }}", "20418: BROKEN LID"),
        ('{{ today | date: "%d.%m.%Y" }}', "31.01.2026"),
        ("{{ today }}", "2026-01-31"),
        ("{% if customer.first_name %}Hi{% else %}Hello{% endif %}", "Hi"),
        ("{% if agent.first_name %}Hi{% else %}Hello{% endif %}", "Hello"),
        ("{{ agent.first_name | default: agent.name }}", "Budi"),
        ("{{ customer.name | split: ' ' | last }}", "Pop"),
        ("{{ customer.name | split: ' ' | join: '-' }}", "Ana-Pop"),
        ("{{ customer.name | replace: 'Pop', 'P.' }}", "Ana P."),
        ("{% for i in (1..3) %}{{ i }}{% endfor %}", "123"),
        ("{% raw %}{{ not filled }}{% endraw %}", "{{ not filled }}"),
        ("Halo, apa kabar? ăîșț 返金", "Halo, apa kabar? ăîșț 返金"),
        ("", ""),
    ],
)
def test_a_template_is_filled(source: str, text: str) -> None:
    assert render(source, CONTEXT) == Rendered(text, ())


@pytest.mark.parametrize(
    ("source", "text", "missing"),
    [
        ("Dear {{ agent.first_name }},", "Dear ⟦agent.first_name⟧,", ("agent.first_name",)),
        ("{{ agent.first_name | upcase | append: '!' }}", "⟦agent.first_name⟧", ("agent.first_name",)),
        ("{{ 'Dear ' | append: agent.first_name }}", "Dear ⟦agent.first_name⟧", ("agent.first_name",)),
        ("{{ customer.shoe }}{{ nothing }}", "⟦customer.shoe⟧⟦nothing⟧", ("customer.shoe", "nothing")),
        ("{% assign a = agent.first_name %}{{ a }}{{ a }}", "⟦agent.first_name⟧" * 2, ("agent.first_name",)),
        ("{{ agent.first_name | date: '%Y' }}", "⟦agent.first_name⟧", ("agent.first_name",)),
    ],
)
def test_a_missing_value_is_marked_where_it_would_stand(source: str, text: str, missing: tuple[str, ...]) -> None:
    assert render(source, CONTEXT) == Rendered(text, missing)


def test_without_any_context_every_variable_is_missing() -> None:
    source = " ".join(f"{{{{ {name} }}}}" for name in VARIABLES)
    assert render(source, {}).missing == VARIABLES


def test_a_value_cannot_pretend_to_be_a_mark() -> None:
    assert render("{{ customer.name }}", {"customer": {"name": mark("agent.name")}}) == Rendered("[agent.name]", ())


def test_marks_are_found_in_any_text_in_order_and_once() -> None:
    assert find_missing("⟦b⟧ and ⟦a⟧ and ⟦b⟧, not ⟦⟧ nor ⟦two\nlines⟧") == ("b", "a")


def test_values_are_escaped_for_html_and_left_alone_for_text() -> None:
    context = {"customer": {"name": "<b>Ana</b>"}}
    assert render("<p>{{ customer.name }}</p>", context, html=True).text == "<p>&lt;b&gt;Ana&lt;/b&gt;</p>"
    assert render("{{ customer.name }}", context).text == "<b>Ana</b>"


CHAINS = [
    *("upcase", "append: '<i>'", "prepend: '<i>'", "replace: 'a', 'b'", "split: 'x' | join: '<hr>'", "strip", "first"),
    *("newline_to_br", "truncate: 12", "truncatewords: 2", "slice: 0, 30", "remove: '-'", "default: 'x'", "escape"),
]


@given(st.lists(st.sampled_from(CHAINS), max_size=4))
def test_f82_no_chain_of_filters_lets_a_value_through_unescaped(chain: list[str]) -> None:
    name = "<script>alert('a')</script>\n<img src=x>"
    source = " | ".join(["{{ customer.name", *chain]) + " }}"
    text = render(source, {"customer": {"name": name}}, html=True).text.lower()
    assert "<script" not in text
    assert "<img" not in text


# --- Closed doors ---------------------------------------------------------------------------------------------------


class Secret:
    token = "S3CRET"

    def __str__(self) -> str:
        return "a name"

    def call(self) -> str:
        return "CALLED"


@pytest.mark.parametrize(
    "source",
    [
        "{{ customer.name.token }}",
        "{{ customer.name.call }}",
        "{{ customer.name['token'] }}",
        "{{ customer.name.__class__.__mro__ }}",
        "{{ customer.__class__ }}",
        "{{ customer['__init__']['__globals__'] }}",
        "{{ settings.SECRET_KEY }}",
        "{{ request }}",
        "{{ self }}",
        "{{ config }}",
        "{% assign x = customer.name %}{{ x.token }}",
        "{% for x in customer.name %}{{ x.token }}{{ x.call }}{% endfor %}",
    ],
)
def test_f82_nothing_but_plain_values_can_be_reached(source: str) -> None:
    text = render(source, {"customer": {"name": Secret()}}).text
    for leak in ("S3CRET", "CALLED", "class '", "built-in", "globals"):
        assert leak not in text.replace(mark("customer.__init__.__globals__"), "")


OTHER_LANGUAGES = [
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{7*7}",
    "@(7*7)",
    "*{7*7}",
    "[[${7*7}]]",
    "<#assign x=7*7>",
    "$class.inspect('java.lang.Runtime')",
    "%(secret)s",
    "{0.__class__}",
    "`id`",
    "$(id)",
]


@given(st.lists(st.sampled_from(OTHER_LANGUAGES) | st.text("aZ{}%$#<>'\"| .()[]*7⟦⟧\n", max_size=8), max_size=6))
def test_f82_payloads_in_values_and_of_other_languages_stay_text(parts: list[str]) -> None:
    payload = "".join(parts)
    shown = payload.replace("⟦", "[").replace("⟧", "]")
    assert render("{{ customer.name | default: '' }}", {"customer": {"name": payload}}).text == (
        shown if payload.strip() else ""
    )


@pytest.mark.parametrize("payload", OTHER_LANGUAGES)
def test_f82_other_languages_mean_nothing_in_a_template(payload: str) -> None:
    assert render(payload, CONTEXT).text == payload


@given(st.text("{}%|:'\",. ()[]abcustomername0123456789=<>-_\n", max_size=60))
def test_f82_any_source_renders_or_is_refused_in_words(source: str) -> None:
    try:
        assert isinstance(render(source, CONTEXT), Rendered)
    except TemplateProblem as error:
        assert error.problem.code in ProblemCode
    for problem in check_source(source):
        assert problem.line >= 0


@pytest.mark.parametrize("tag", ["include 'x'", "render 'x'", "increment x", "decrement x", "tablerow x in y", "doc"])
def test_tags_that_reach_outside_do_not_exist(tag: str) -> None:
    (problem,) = check_source(f"{{% {tag} %}}")
    assert problem.code is ProblemCode.SYNTAX


@pytest.mark.parametrize(
    "source",
    [
        "{{ (1..300000000) | join: ',' }}",
        "{{ (1..99999999999999999999999999) | size }}",
        "{{ (1..99999999999999999999999999) | first }}",
        "{% for i in (1..1000000) %}x{% endfor %}",
        "{% for i in (1..99999999999999999999999999) %}x{% endfor %}",
        "{% for a in (1..90) %}{% for b in (1..90) %}{% for c in (1..90) %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | replace: 'a', 'aaaaaaaaaa' %}" * 12 + "{{ a }}",
        "{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | append: a | append: a %}" * 20 + "{{ a }}",
        "{% assign a = 'aaaaaaaaaa' %}" + "{% capture a %}{{ a }}{{ a }}{{ a }}{% endcapture %}" * 20 + "{{ a }}",
        "{% assign a = 'aa' %}"
        + "{% assign a = a | split: '' | join: 'aaaaaaaaaaaaaaaaaaaaaaaaaa' %}" * 12
        + "{{ a }}",
        "{{ 9999999999 | times: 9999999999 }}",
        "{{ " + "9" * 5000 + " | plus: 1 }}",
        "{{ today | date: '%999999999d' }}",
        "{{ 1 | divided_by: 0 }}",
        "{{ 'a' | slice: 0, 99999999999999999999 }}",
        "{{ 5 | round: 99999999999999999999 }}",
        "{% if true %}" * 200 + "{% endif %}" * 200,
        "{{ " + "a[" * 2600 + "0" + "]" * 2600 + " }}",
    ],
)
def test_what_grows_beyond_a_reply_is_refused_when_rendered_and_when_saved(source: str) -> None:
    with pytest.raises(TemplateProblem):
        render(source, sample())
    assert check_source(source)


# --- Saving ---------------------------------------------------------------------------------------------------------


def test_every_documented_variable_may_be_used() -> None:
    source = " ".join(f"{{{{ {name} }}}}" for name in VARIABLES)
    assert check_source(source) == []
    assert check_source("{{ customer.name.size }}{% for i in (1..2) %}{{ forloop.index }}{{ i }}{% endfor %}") == []


def test_an_unknown_name_is_told_with_its_line_and_the_nearest_known_one() -> None:
    found = check_source("Dear\n{{ customer.frist_name }}\n{{ customer.name | upcsae }}")
    assert [(problem.code, problem.line, dict(problem.data)) for problem in found] == [
        (ProblemCode.UNKNOWN_VARIABLE, 2, {"name": "customer.frist_name", "nearest": "customer.first_name"}),
        (ProblemCode.UNKNOWN_FILTER, 3, {"name": "upcsae", "nearest": "upcase"}),
    ]


@pytest.mark.parametrize("source", ["Dear\n{{ customer.name", "Dear\n{% if %}x{% endif %}", "Dear\n{{ a b }}"])
def test_a_mistake_in_the_language_is_told_with_its_line(source: str) -> None:
    (problem,) = check_source(source)
    assert (problem.code, problem.line) == (ProblemCode.SYNTAX, 2)


def test_the_source_is_bounded_in_bytes() -> None:
    assert check_source("x" * MAX_SOURCE_BYTES) == []
    too_long = "ă" * (MAX_SOURCE_BYTES // 2 + 1)
    (problem,) = check_source(too_long)
    assert (problem.code, problem.data["bytes"]) == (ProblemCode.TOO_LONG, MAX_SOURCE_BYTES + 2)
    with pytest.raises(TemplateProblem):
        render(too_long, CONTEXT)


def test_the_language_is_loaded_only_when_a_template_is_used() -> None:
    code = "import sys, inbox.rules.gates, inbox.rules.templates; sys.exit('liquid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
