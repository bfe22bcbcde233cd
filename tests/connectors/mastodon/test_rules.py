"""What the composer is told about a Mastodon server: length, audience, files, permission."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mastodon import rules
from connectors.mastodon.counting import excess_at, length_of, mentions_of
from connectors.mastodon.instance import Instance, instance_of, read_instance
from connectors.social import Outline, OutlinedFile, Post, Profile, Standing, Visibility

HOME = "social.example"
INSTANCE = Instance(domain=HOME)


def post(visibility: Visibility = Visibility.PUBLIC, warning: str = "", **facts: Any) -> Post:
    facts = {"handle": "ana@far.example", "id": "100", "server": HOME, **facts}
    return Post(Standing.MENTION, visibility, profile=Profile("ana@far.example"), warning=warning, facts=facts)


# Of Mastodon's own tests (status_length_validator_spec.rb), its documentation, and twitter-text's rules.
@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("a" * 500, 500),
        ("a" * 476 + " http://" + "b" * 30 + ".com/example", 500),
        ("a" * 493 + " @alice@" + "b" * 30 + ".com", 500),
        ("https://example.com", 23),
        ("https://a.co", 23),
        ("example.com is no address without its scheme", 44),
        ("http://localhost/aaaaaaaaaaaaaaaaaaaaaaaaaaa", 44),
        ("(see https://example.com/wiki/Tea_(drink))", 5 + 23 + 1),
        ("https://example.com/?q=a&b=c#d.", 24),
        ("https://müller.de/straße?ü=1", 23),
        ("https://example.com/a https://example.com/b", 47),
        ("@ana@far.example: hi @bo", 12),
        ("mail ana@far.example", 20),
        ("https://example.com/@ana@far.example", 23),
        ("@ana@far.example@third.example", 30),
        ("👨‍👩‍👧‍👦", 1),
        ("🏴󠁧󠁢󠁷󠁬󠁳󠁿🇮🇩🤷🏽‍♀️", 3),
        ("e\u0301a\u0308", 2),
        ("日本語", 3),
        ("한국어", 3),
        ("नमस्ते", 3),
        ("\r\n", 1),
    ],
)
def test_length_is_counted_as_mastodon_counts_it(text: str, length: int) -> None:
    assert length_of(text) == length


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="ab@. :/hтtps👨\u200d👩é\u0301日", max_size=80), st.integers(0, 60))
def test_what_is_cut_at_the_excess_fits_and_one_more_character_does_not(text: str, limit: int) -> None:
    at = excess_at(text, limit)
    if at is None:
        assert length_of(text) <= limit
    else:
        assert length_of(text) > limit and 0 <= at <= len(text)


def test_no_text_makes_counting_slow() -> None:
    before = time.process_time()
    for text in ("https://" + "a." * 50_000, "https://a.com/" + "(a" * 40_000, "@a" * 80_000, "\u0301" * 100_000):
        length_of(text)
    assert time.process_time() - before < 5


def test_other_servers_give_no_discount() -> None:
    text = "@ana@far.example https://example.com/a/path/that/is/rather/long"
    assert length_of(text) == 28 and length_of(text, is_plain=True) == len(text)
    assert length_of("https://a.co", is_plain=True) == 23


def test_the_mention_and_the_warning_that_will_be_sent_are_counted_while_typing() -> None:
    found = rules.measure("x" * 495, post(warning="Food"), INSTANCE, HOME)
    assert (found.count, found.limit, found.left) == (4 + 5 + 495, 500, -4)
    assert found.excess_at == 491
    assert rules.measure("@ana@far.example hi", post(), INSTANCE, HOME).count == 7
    assert rules.measure("hi", None, INSTANCE, HOME).count == 2


@pytest.mark.parametrize(
    ("text", "handle", "lead"),
    [
        ("hello", "ana@far.example", "@ana@far.example "),
        ("hello @ANA@far.example!", "ana@far.example", ""),
        ("hello @ana", "ana@far.example", "@ana@far.example "),  # that is somebody of our server
        ("hello @bo", f"bo@{HOME}", ""),
        (f"hello @bo@{HOME}", f"bo@{HOME}", ""),
        ("see https://far.example/@ana", "ana@far.example", "@ana@far.example "),
        ("hello", "", ""),
    ],
)
def test_the_author_is_mentioned_unless_the_text_does_so(text: str, handle: str, lead: str) -> None:
    assert rules.lead_of(text, handle, HOME) == lead
    assert handle == "" or handle.split("@")[0] in [one.split("@")[0].lower() for one in mentions_of(lead + text)]


@pytest.mark.parametrize("settings_", [{}, {"answers_publicly": True}])
def test_no_answer_is_ever_offered_wider_than_what_it_answers(settings_: dict[str, Any]) -> None:
    order = list(Visibility)
    for answered in order:
        offered = rules.visibilities(post(answered), settings_)
        assert offered and min(order.index(one) for one in offered) >= order.index(answered)
    assert rules.visibilities(post(), settings_)[0] is (Visibility.PUBLIC if settings_ else Visibility.UNLISTED)
    assert rules.visibilities(post(Visibility.DIRECT), settings_) == (Visibility.DIRECT,)


def test_what_the_server_would_refuse_is_said_beforehand() -> None:
    def said(text: str = "hello", **more: Any) -> str:
        return " ".join(rules.objections(Outline(text, post(), **more), INSTANCE, {}, HOME))

    assert said() == ""
    assert "nothing to send" in said("  ")
    assert "5 characters too long with @ana@far.example" in said("x" * 500)
    picture = OutlinedFile("a.png", "image/png", 1000)
    assert said("", files=(picture,)) == ""
    assert "4 files" in said(files=(picture,) * 5)
    assert "at most" in said(files=(OutlinedFile("big.png", "image/png", 20 * 2**20),))
    assert "no picture" in said(files=(OutlinedFile("offer.pdf", "application/pdf", 10),))
    assert "goes alone" in said(files=(picture, OutlinedFile("film.mp4", "video/mp4", 10)))
    assert "description" in said(files=(OutlinedFile("a.png", "image/png", 10, "x" * 2000),))
    narrow = Outline("hello", post(Visibility.FOLLOWERS), Visibility.PUBLIC)
    assert "more people" in " ".join(rules.objections(narrow, INSTANCE, {}, HOME))


def test_whether_an_answer_is_allowed_is_known_as_far_as_the_server_tells() -> None:
    assert rules.permission(post()).allowed
    assert rules.permission(post(is_suspended=True)).allowed is False
    assert "followers" in rules.permission(post(Visibility.FOLLOWERS)).sentence


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"version": "2.7.2 (compatible; Pleroma 2.5.0)", "max_toot_chars": 5000, "uri": "https://p.example"}, 5000),
        ({"version": "4.5.2", "configuration": {"statuses": {"max_characters": 1000}}, "domain": "p.example"}, 1000),
        ({"version": "3.5.3 (compatible; Pixelfed 0.12.4)", "uri": "p.example"}, 500),
        ({"configuration": [], "version": 5, "uri": "p.example"}, 500),
    ],
)
def test_limits_are_read_from_whatever_document_a_server_has(document: dict[str, Any], expected: int) -> None:
    found = read_instance(document)
    assert found.max_characters == expected and found.domain == "p.example"
    assert found.counts_plainly == ("compatible" in str(document["version"]))
    assert instance_of(found.plain()) == found
