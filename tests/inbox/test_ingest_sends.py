"""What comes back of what we sent: the echo in Sent, bounces, and answers to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.messages import Address, Outcome, Receipt, RecipientOutcome
from inbox import drafts, outbox, replies
from inbox.models import Conversation, Delivery, Envelope, EnvelopeRecipient, Message, Strand
from inbox.replies import Queued
from tests.builders import INBOX, NOW, SENT, make_account, make_item, make_mail, receive
from tests.inbox.ground import make_user
from tests.inbox.inbox_picture import assert_sums_hold

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(minutes=5)
LATER = NOW + timedelta(minutes=20)


@pytest.fixture
def envelope() -> Envelope:
    """An answer on its way to a customer who had written."""
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    conversation = Conversation.objects.get()
    queued = replies.queue_reply(
        conversation_id=conversation.id,
        user=make_user(),
        request_id="page-1",
        text="It left us this morning.",
        to=[Address("ana@shop.example", "Ana Pop")],
        now=SOON,
        seen_message=drafts.newest_seen(conversation.id),
    )
    assert isinstance(queued, Queued)
    return Envelope.objects.get(id=queued.envelope_id)


def send(envelope: Envelope, outcome: Outcome | None) -> None:
    """Through the outbox as the deliverer does; None: the answer after the final dot never came."""
    at = SOON + timedelta(minutes=1)
    claim = outbox.claim(envelope.id, "test", at)
    assert claim is not None
    outbox.commit(claim, at)
    recipients = [RecipientOutcome("ana@shop.example", outcome)] if outcome else []
    outbox.record(claim, Receipt(tuple(recipients)) if outcome else TimeoutError("no answer"), at)


def test_the_echo_of_our_own_send_is_a_delivery_and_no_second_message(envelope):
    send(envelope, Outcome.SENT)
    account = envelope.account
    copy = bytes(envelope.content).replace(b"MIME-Version", b"X-Provider: rewrote this\r\nMIME-Version")
    receive(account, make_item(copy, scope=SENT, at=LATER), now=LATER)
    assert Message.objects.count() == 2
    assert Delivery.objects.get(raw_item__place="Sent").message_id == envelope.message_id
    assert Conversation.objects.get().messages_count == 2
    assert_sums_hold()


def test_our_own_send_that_comes_back_into_the_inbox_is_not_shown_twice(envelope):
    send(envelope, Outcome.SENT)
    receive(envelope.account, make_item(bytes(envelope.content), scope=INBOX, at=LATER), now=LATER)
    assert Message.objects.count() == 2
    assert Message.objects.get(id=envelope.message_id).direction == "outbound"
    assert Conversation.objects.get().status == "waiting"


def test_the_echo_settles_a_send_of_unknown_outcome(envelope):
    send(envelope, None)
    assert Envelope.objects.get().state == "unknown"
    receive(envelope.account, make_item(bytes(envelope.content), scope=SENT, at=LATER), now=LATER)
    assert Envelope.objects.get().state == "sent"


def test_f16_other_content_under_our_message_id_is_not_taken_for_our_send(envelope):
    send(envelope, Outcome.SENT)
    forged = make_mail("Other words\n", author="eve@evil.example", message_id=envelope.idempotency_key)
    receive(envelope.account, make_item(forged, at=LATER), now=LATER)
    assert Message.objects.count() == 3
    assert Message.objects.get(text="Other words").flags == ["same-id-other-content"]
    assert Message.objects.get(id=envelope.message_id).flags == []


def test_the_answer_to_our_send_joins_its_conversation(envelope):
    send(envelope, Outcome.SENT)
    answer = make_mail("Thanks!\n", in_reply_to=envelope.idempotency_key, at=LATER)
    receive(envelope.account, make_item(answer, at=LATER), now=LATER)
    conversation = Conversation.objects.get()
    assert (conversation.messages_count, conversation.status, conversation.due_for) == (3, "open", "next")
    assert Strand.objects.count() == 1
    assert_sums_hold()


def bounce(envelope: Envelope) -> bytes:
    key = envelope.idempotency_key
    lines = [
        "From: Mail Delivery System <mailer-daemon@mx.example>",
        "To: support@balas.example",
        "Subject: Undelivered Mail Returned to Sender",
        f"Date: {LATER:%a, %d %b %Y %H:%M:%S +0000}",
        "Message-ID: <bounce-1@mx.example>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "I am sorry to say that your message could not be delivered.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example",
        "",
        "Final-Recipient: rfc822; ana@shop.example",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 no such user here",
        "",
        "--b",
        "Content-Type: message/rfc822",
        "",
        f"Message-ID: <{key}>",
        "From: support@balas.example",
        "To: ana@shop.example",
        "Subject: Re: My order",
        "",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


def test_a_bounce_joins_the_conversation_of_that_send_and_notes_the_servers_words(envelope):
    send(envelope, Outcome.SENT)
    receive(envelope.account, make_item(bounce(envelope), at=LATER), now=LATER)
    conversation = Conversation.objects.get()
    assert conversation.messages_count == 3
    assert Message.objects.get(automatic="bounce").strand.links.get().conversation_id == conversation.id
    recipient = EnvelopeRecipient.objects.get()
    assert (recipient.outcome, recipient.code) == ("refused", "5.1.1")
    assert "no such user here" in recipient.sentence
    assert (conversation.status, conversation.status_reason) == ("open", "send-failed")
    assert_sums_hold()


def test_a_bounce_of_somebody_elses_mail_stands_for_itself(envelope):
    send(envelope, Outcome.SENT)
    other = bounce(envelope).replace(envelope.idempotency_key.encode(), b"not-ours@elsewhere.example")
    receive(envelope.account, make_item(other, at=LATER), now=LATER)
    assert Conversation.objects.count() == 2
    assert EnvelopeRecipient.objects.get().outcome == "sent"
