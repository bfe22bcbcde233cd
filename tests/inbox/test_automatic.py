"""What stands aside, what a switch changes, and whose mail through a group still starts a clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inbox import conversations, worklist
from inbox.automatic import classes_aside, needs_answer, set_classes_aside
from inbox.models import AuditRecord, Conversation, Message
from inbox.rules.automatic import ASIDE_BY_DEFAULT, MailClass
from tests.builders import NOW, SENT, make_account, make_item, make_mail, receive
from tests.inbox.ground import make_user
from tests.inbox.inbox_picture import assert_sums_hold

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)

HEADERS = {
    MailClass.BOUNCE: {"Return-Path": "<>", "X-Failed-Recipients": "x@shop.example"},
    MailClass.AUTO_REPLY: {"Auto-Submitted": "auto-replied"},
    MailClass.LIST: {"List-Id": "<talk.lists.example>", "List-Post": "<mailto:talk@lists.example>"},
    MailClass.NEWSLETTER: {"List-Unsubscribe": "<mailto:off@shop.example>"},
    MailClass.REPORT: {},
}


def robot_mail(mail_class: MailClass, **values: object) -> bytes:
    if mail_class is MailClass.REPORT:
        values["subject"] = "Report domain: balas.example Submitter: shop.example Report-ID: 7"
    return make_mail(headers=HEADERS[mail_class], **values)  # type: ignore[arg-type]


def tab(name: str) -> list[int]:
    return [row["id"] for row in worklist.page(None, name, limit=50).rows]


@pytest.mark.parametrize("mail_class", HEADERS)
def test_every_class_stands_aside_and_is_seen_under_its_own_tab(mail_class):
    account = make_account()
    receive(account, make_item(robot_mail(mail_class)))
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.status_reason, conversation.due_at) == ("resolved", "automatic", None)
    assert (tab("open"), tab("automatic"), tab("resolved"), tab("all")) == (
        [],
        [conversation.id],
        [],
        [conversation.id],
    )
    assert_sums_hold()


@pytest.mark.parametrize("mail_class", HEADERS)
def test_a_class_that_is_switched_off_counts_as_a_persons_mail(mail_class):
    account = make_account()
    set_classes_aside(ASIDE_BY_DEFAULT - {mail_class}, "cli", NOW)
    receive(account, make_item(robot_mail(mail_class)))
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.due_for) == ("open", "first")
    assert Message.objects.get().automatic  # the label stays
    assert AuditRecord.objects.filter(act="automatic-mail").count() == 1


def test_the_switches_are_kept_and_unknown_words_are_not():
    assert classes_aside() == ASIDE_BY_DEFAULT
    set_classes_aside(["list", "nonsense"], "cli", NOW)
    assert classes_aside() == {MailClass.LIST}
    set_classes_aside([], "cli", NOW)
    assert classes_aside() == frozenset()


def test_a_person_in_the_same_conversation_brings_it_into_the_queue_without_a_trace_of_closing():
    account = make_account()
    receive(account, make_item(robot_mail(MailClass.AUTO_REPLY, message_id="robot@shop.example")))
    person = make_mail("It is me\n", in_reply_to="robot@shop.example", at=NOW + HOUR)
    receive(account, make_item(person, at=NOW + HOUR), now=NOW + HOUR)
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.status_reason, conversation.due_for) == ("open", "new", "first")
    assert (conversation.reopened_count, conversation.resolved_at) == (0, None)
    assert_sums_hold()


def test_what_needs_an_answer_after_all_gets_its_clock_and_can_be_taken_back():
    account = make_account()
    receive(account, make_item(robot_mail(MailClass.LIST)))
    conversation, user = Conversation.objects.get(), make_user()
    act = needs_answer(conversation.id, user, NOW + HOUR)
    conversation.refresh_from_db()
    assert (conversation.status, conversation.due_for) == ("open", "first")
    assert conversation.due_at == NOW + timedelta(hours=5)  # since it was written, not since it was noticed
    conversations.undo(act.undo, user, NOW + HOUR)
    conversation.refresh_from_db()
    assert (conversation.status, conversation.status_reason, conversation.due_at) == ("resolved", "automatic", None)
    assert_sums_hold()


GOOGLE = {
    "Precedence": "list",
    "List-ID": "<help.balas.example>",
    "List-Post": "<https://groups.example/help/post>, <mailto:help@balas.example>",
    "List-Unsubscribe": "<mailto:googlegroups-manage+1+unsubscribe@balas.example>",
}


def test_a_persons_mail_through_a_group_of_ours_starts_a_clock():
    account = make_account()
    receive(account, make_item(make_mail(to="help@balas.example", headers=GOOGLE)))
    conversation, message = Conversation.objects.get(), Message.objects.get()
    assert (conversation.status, conversation.due_for) == ("open", "first")
    assert (message.automatic, message.flags) == ("", ["no-automatic-answer", "via-group"])


@pytest.mark.parametrize(
    ("author", "headers"),
    [
        ("Ana <ana@shop.example>", {**GOOGLE, "Precedence": "bulk"}),
        ("Ana <ana@shop.example>", {**GOOGLE, "Auto-Submitted": "auto-generated"}),
        ("Shop <no-reply@shop.example>", GOOGLE),
        ("Ana <ana@shop.example>", {**GOOGLE, "List-ID": "<x.y.example>", "List-Post": "<mailto:x@y.example>"}),
        ("Ana <ana@shop.example>", {"List-Id": "<help.balas.example>", "List-Unsubscribe": "<mailto:x@y.example>"}),
    ],
)
def test_what_a_program_or_a_strangers_list_sent_stands_aside(author, headers):
    account = make_account()
    receive(account, make_item(make_mail(author=author, headers=headers)))
    assert Conversation.objects.get().status_reason == "automatic"


def test_list_id_alone_over_the_address_that_was_written_to_is_a_persons_mail():
    account = make_account()
    receive(account, make_item(make_mail(to="team@shop.example", headers={"List-Id": "<team.shop.example>"})))
    assert Conversation.objects.get().due_for == "first"


def test_groups_can_be_made_to_stand_aside():
    account = make_account()
    set_classes_aside([*ASIDE_BY_DEFAULT, "group"], "cli", NOW)
    receive(account, make_item(make_mail(to="help@balas.example", headers=GOOGLE)))
    assert Conversation.objects.get().status_reason == "automatic"


def test_two_people_in_one_group_are_two_conversations():
    account = make_account()
    for number, author in enumerate(("ana@shop.example", "bob@shop.example")):
        mail = make_mail(author=author, to="help@balas.example", headers=GOOGLE, in_reply_to="news@balas.example")
        receive(account, make_item(mail, uid=number + 1))
    assert Conversation.objects.count() == 2


def test_our_own_robot_in_sent_is_no_answer():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    robot = make_mail(
        "We have got it\n",
        author="support@balas.example",
        to="ana@shop.example",
        in_reply_to="one@shop.example",
        at=NOW + HOUR,
        headers={"Auto-Submitted": "auto-replied"},
    )
    receive(account, make_item(robot, scope=SENT, at=NOW + HOUR), now=NOW + HOUR)
    assert Conversation.objects.get().due_for == "first"
