"""Bounces of what we sent: joined by our Message-ID, marking the one recipient, and nothing without it."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from connectors.messages import Address, DeliveryReport, Outcome, Receipt, RecipientOutcome
from inbox import conversations, drafts, outbox, replies, reports
from inbox.models import AuditRecord, Conversation, Envelope, EnvelopeRecipient, Message
from inbox.replies import Queued
from tests.builders import NOW, SENT, make_account, make_item, make_mail, receive
from tests.inbox.ground import make_user
from tests.inbox.inbox_picture import assert_sums_hold

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(minutes=5)
LATER = NOW + timedelta(minutes=20)


def answer(*to: str, cc: tuple[str, ...] = (), settings: dict[str, object] | None = None) -> Envelope:
    """A customer wrote, we answered, and the server took it for everybody."""
    account = make_account(settings=settings)
    receive(account, make_item(make_mail(message_id="one@shop.example", cc=", ".join((*to[1:], *cc)))))
    conversation = Conversation.objects.get()
    queued = replies.queue_reply(
        conversation_id=conversation.id,
        user=make_user(),
        request_id="page-1",
        text="It left us this morning.",
        to=[Address(one) for one in to],
        cc=[Address(one) for one in cc],
        now=SOON,
        seen_message=drafts.newest_seen(conversation.id),
        confirmations=["not-the-customer"],
    )
    assert isinstance(queued, Queued)
    at = SOON + timedelta(minutes=1)
    claim = outbox.claim(queued.envelope_id, "test", at)
    assert claim is not None
    outbox.commit(claim, at)
    outbox.record(claim, Receipt(tuple(RecipientOutcome(one, Outcome.SENT) for one in (*to, *cc))), at)
    return Envelope.objects.get()


def qmail_bounce(
    envelope: Envelope, address: str, *, names: bool = True, headers: dict[str, str] | None = None
) -> bytes:
    copy = f"\n--- Below this line is a copy of the message.\n\nMessage-ID: <{envelope.idempotency_key}>\n"
    text = f"Hi. This is the qmail-send program.\n\n<{address}>:\nRemote host said: 550 5.1.1 no such user\n"
    return make_mail(
        text + (copy if names else ""),
        author="MAILER-DAEMON@mx.example",
        subject="failure notice",
        at=LATER,
        headers={"Return-Path": "<>", **(headers or {})},
    )


def outcomes() -> dict[str, str]:
    return dict(EnvelopeRecipient.objects.values_list("address", "outcome"))


def test_a_bounce_in_words_joins_the_send_and_brings_the_conversation_back_with_its_clock():
    envelope = answer("ana@shop.example")
    assert (Conversation.objects.get().status, Conversation.objects.get().due_for) == ("waiting", "")
    receive(envelope.account, make_item(qmail_bounce(envelope, "ana@shop.example"), at=LATER), now=LATER)
    conversation = Conversation.objects.get()
    assert outcomes() == {"ana@shop.example": "refused"}
    assert (conversation.status, conversation.status_reason) == ("open", "send-failed")
    assert conversation.due_for == "first"  # nobody has got an answer yet
    assert conversation.is_unseen
    act = AuditRecord.objects.get(act="bounced")
    assert (act.data["recipient"], act.data["why"]) == ("ana@shop.example", "no-such-person")
    assert_sums_hold()


def test_only_the_recipient_that_is_named_has_failed_and_the_answer_still_counts():
    envelope = answer("ana@shop.example", cc=("bob@shop.example",))
    receive(envelope.account, make_item(qmail_bounce(envelope, "bob@shop.example"), at=LATER), now=LATER)
    assert outcomes() == {"ana@shop.example": "sent", "bob@shop.example": "refused"}
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.due_for) == ("open", "")
    assert_sums_hold()


def test_the_same_bounce_again_does_not_bring_back_what_was_settled_since():
    envelope = answer("ana@shop.example")
    receive(envelope.account, make_item(qmail_bounce(envelope, "ana@shop.example"), at=LATER), now=LATER)
    conversations.resolve(envelope.conversation_id, make_user("Bob"), LATER)
    again = LATER + timedelta(hours=1)
    receive(envelope.account, make_item(qmail_bounce(envelope, "ana@shop.example"), at=again), now=again)
    assert Conversation.objects.get().status == "resolved"
    assert Message.objects.filter(automatic="bounce").count() == 2


def test_a_report_of_delay_is_no_failure():
    envelope = answer("ana@shop.example")
    report = DeliveryReport(envelope.idempotency_key, "ana@shop.example", "delayed", "4.4.1", "connection timed out")
    assert outbox.note_report(report, LATER) == envelope.conversation_id
    row = EnvelopeRecipient.objects.get()
    assert (row.outcome, row.code) == ("sent", "4.4.1")
    assert Conversation.objects.get().status == "waiting"
    assert AuditRecord.objects.filter(act="delayed").count() == 1


def test_a_bounce_that_names_none_of_our_ids_changes_nothing():
    envelope = answer("ana@shop.example")
    forged = qmail_bounce(envelope, "ana@shop.example", names=False)
    receive(envelope.account, make_item(forged, at=LATER), now=LATER)
    assert outcomes() == {"ana@shop.example": "sent"}
    assert Conversation.objects.get(id=envelope.conversation_id).status == "waiting"
    assert Conversation.objects.count() == 2


def test_a_bounce_for_somebody_we_did_not_write_to_marks_nobody_else():
    envelope = answer("ana@shop.example", cc=("bob@shop.example",))
    receive(envelope.account, make_item(qmail_bounce(envelope, "eve@evil.example"), at=LATER), now=LATER)
    assert set(outcomes().values()) == {"sent"}


def test_a_forwarded_address_means_the_only_one_we_wrote_to():
    envelope = answer("ana@shop.example")
    receive(envelope.account, make_item(qmail_bounce(envelope, "ana@elsewhere.example"), at=LATER), now=LATER)
    assert outcomes() == {"ana@shop.example": "refused"}


@pytest.mark.parametrize(
    ("results", "is_believed"),
    [
        (None, True),  # the server says nothing of it, as of most bounces
        ("mx.balas.example; spf=none smtp.helo=mx.example", True),
        ("mx.balas.example; dmarc=fail header.from=mx.example", False),
    ],
)
def test_where_senders_are_verified_our_id_is_enough_unless_the_check_failed(results, is_believed):
    envelope = answer("ana@shop.example", settings={"authserv_id": "mx.balas.example"})
    headers = {"Authentication-Results": results} if results else {}
    receive(
        envelope.account, make_item(qmail_bounce(envelope, "ana@shop.example", headers=headers), at=LATER), now=LATER
    )
    assert outcomes() == {"ana@shop.example": "refused" if is_believed else "sent"}
    assert Conversation.objects.count() == (1 if is_believed else 2)


@pytest.mark.parametrize("order", list(permutations(("one", "ours", "bounce"))), ids="-".join)
def test_a_bounce_of_what_left_through_another_program_brings_its_conversation_back_in_any_order(order):
    account = make_account()
    ours = make_mail(
        "From my phone\n",
        author="support@balas.example",
        to="ana@shop.example",
        message_id="phone-1@balas.example",
        in_reply_to="one@shop.example",
        at=SOON,
    )
    copy = (
        "<ana@shop.example>:\nRemote host said: 550 no such user\n\n--- Below this line is a copy of the message.\n\n"
    )
    bounce = make_mail(
        copy + "Message-ID: <phone-1@balas.example>\n",
        author="MAILER-DAEMON@mx.example",
        subject="failure notice",
        at=LATER,
        headers={"Return-Path": "<>"},
    )
    items = {
        "one": make_item(make_mail(message_id="one@shop.example")),
        "ours": make_item(ours, scope=SENT, at=SOON),
        "bounce": make_item(bounce, at=LATER),
    }
    for name in order:
        receive(account, items[name], now=LATER)
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.status_reason) == ("open", "send-failed")
    told = AuditRecord.objects.filter(act="bounced")
    assert {record.data["recipient"] for record in told} == {"ana@shop.example"}
    assert_sums_hold()


def test_a_bounce_without_our_id_suggests_the_newest_send_to_that_address_and_a_person_decides():
    envelope, user = answer("ana@shop.example"), make_user("Bob")
    receive(envelope.account, make_item(qmail_bounce(envelope, "ana@shop.example", names=False), at=LATER), now=LATER)
    message = Message.objects.get(automatic="bounce")
    alone = message.strand.links.get().conversation_id
    send = reports.find_send_of(message.id, alone)
    assert send is not None
    assert send.envelope_id == envelope.id
    assert outcomes() == {"ana@shop.example": "sent"}  # nothing has changed by itself
    reports.take(alone, message.id, user, LATER)
    row = EnvelopeRecipient.objects.get()
    assert (row.outcome, row.code) == ("refused", "5.1.1")
    assert Conversation.objects.get(id=envelope.conversation_id).status_reason == "send-failed"
    assert reports.find_send_of(message.id, alone) is None
    assert_sums_hold()


def test_a_bounce_long_after_or_before_the_send_suggests_nothing():
    envelope = answer("ana@shop.example")
    for number, at in enumerate((SOON - timedelta(hours=1), SOON + timedelta(days=8))):
        item = make_item(qmail_bounce(envelope, "ana@shop.example", names=False), uid=900 + number, at=at)
        receive(envelope.account, item, now=at)
    for message in Message.objects.filter(automatic="bounce"):
        assert reports.find_send_of(message.id, message.strand.links.get().conversation_id) is None
