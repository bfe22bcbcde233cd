from __future__ import annotations

import pytest

from inbox import templates
from inbox.demo_templates import seed_demo_templates
from inbox.models import Conversation, Organisation, ReplyTemplate, ReplyTemplateVersion, User
from inbox.templates import TemplateProblem
from tests.inbox.ground import NOW, make_account, make_conversation, make_user
from tests.inbox.recording_sink import RecordingSink


@pytest.fixture
def conversation(index: RecordingSink, db: None) -> Conversation:
    made = make_conversation(make_account())
    made.customer.name = "Maria Ionescu"
    made.customer.save()
    Organisation.objects.update_or_create(id=1, defaults={"name": "Our Shop"})
    return made


@pytest.fixture
def ana(db: None) -> User:
    return make_user("Ana")


def make(name: str, ana: User, **texts: str) -> ReplyTemplate:
    template = templates.create(name, ana, NOW)
    for language, body in texts.items():
        templates.write_version(template, ana, NOW, language=language, body=body)
    return template


def test_a_template_is_filled_in_the_language_of_the_conversation(conversation: Conversation, ana: User) -> None:
    template = make("Hello", ana, en="Hello {{ customer.first_name }}", ro="Bună, {{ customer.first_name }}")

    filled = templates.insert(template, conversation, ana, NOW)
    english = templates.insert(template, conversation, ana, NOW, language="de")

    assert (filled.body, filled.language, filled.missing) == ("Bună, Maria", "ro", ())
    assert english.body == "Hello Maria"


def test_a_missing_value_stands_marked_in_the_text(conversation: Conversation, ana: User) -> None:
    conversation.customer.name = "maria@example.org"
    template = make("Hello", ana, en="Hello {{ customer.first_name }}")

    filled = templates.insert(template, conversation, ana, NOW)

    assert filled.missing == ("customer.first_name",)
    assert filled.body == "Hello ⟦customer.first_name⟧"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Maria Ionescu", "Maria"),
        ("Ionescu, Maria", "Maria"),
        ("maria99", ""),
        ("", ""),
        ("Budi", "Budi"),
        ("Acme,", "Acme"),
    ],
)
def test_the_first_name_is_left_open_rather_than_wrong(
    conversation: Conversation, ana: User, name: str, first: str
) -> None:
    conversation.customer.name = name
    assert templates.values_for(conversation, ana, NOW)["customer"]["first_name"] == first


def test_a_version_is_frozen_and_editing_writes_the_next(conversation: Conversation, ana: User) -> None:
    template = make("Hello", ana, en="One")
    same = templates.write_version(template, ana, NOW, language="en", body="One")
    second = templates.write_version(template, ana, NOW, language="en", body="Two")

    assert (same.number, second.number) == (1, 2)
    assert list(ReplyTemplateVersion.objects.order_by("number").values_list("body", flat=True)) == ["One", "Two"]
    assert [one.body for one in templates.list_for("en", "email")] == ["Two"]


def test_a_text_for_another_channel_is_never_offered(conversation: Conversation, ana: User) -> None:
    template = templates.create("Short", ana, NOW)
    templates.write_version(template, ana, NOW, language="en", body="short", channel="x")

    assert templates.list_for("en", "email") == []
    assert [one.body for one in templates.list_for("en", "x")] == ["short"]
    with pytest.raises(TemplateProblem, match="no text for this channel"):
        templates.insert(template, conversation, ana, NOW)


def test_the_best_fit_is_language_first_then_channel(ana: User) -> None:
    template = make("Hello", ana, en="en any", ro="ro any")
    templates.write_version(template, ana, NOW, language="en", body="en email", channel="email")

    assert [one.body for one in templates.list_for("ro", "email")] == ["ro any"]
    assert [one.body for one in templates.list_for("en-GB", "email")] == ["en email"]
    assert [one.body for one in templates.list_for("fr", "email")] == ["en email"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Hello {{ customer.frist_name }}", "customer.first_name"),
        ("Hello {% if %}", "Line 1"),
        ("x" * 9000, "too long"),
        ("  ", "Write the text"),
    ],
)
def test_f82_what_cannot_be_filled_is_refused_when_it_is_written(ana: User, body: str, words: str) -> None:
    template = templates.create("Hello", ana, NOW)

    with pytest.raises(TemplateProblem, match=words):
        templates.write_version(template, ana, NOW, language="en", body=body)
    assert not ReplyTemplateVersion.objects.exists()


def test_an_archived_template_is_not_offered_and_can_come_back(ana: User) -> None:
    template = make("Hello", ana, en="One")
    templates.archive(template, ana, NOW)
    archived = templates.list_for("en", "email")
    templates.restore(template, ana, NOW)

    assert (archived, len(templates.list_for("en", "email"))) == ([], 1)


def test_names_are_unique_in_any_case(ana: User) -> None:
    make("Hello", ana)
    with pytest.raises(TemplateProblem, match="no other template"):
        templates.create(" hello ", ana, NOW)


def test_the_templates_of_the_demo_can_all_be_filled(conversation: Conversation, ana: User) -> None:
    seed_demo_templates(NOW)
    seed_demo_templates(NOW)

    assert ReplyTemplate.objects.count() == 6
    for language in ("en", "id", "ro"):
        for template in ReplyTemplate.objects.all():
            filled = templates.insert(template, conversation, ana, NOW, language=language)
            assert (filled.language, filled.missing) == (language, ())
            assert "Maria" in filled.body and filled.body.endswith("Ana\nOur Shop")
