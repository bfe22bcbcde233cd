from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from connectors.messages import Address
from inbox import conversations, counters, drafts, outbox, people, replies, timeline
from inbox.composing import reply_subject
from inbox.models import Conversation, Draft, Envelope, EnvelopeRecipient, Message, ThreadReference, User, WorkRecord
from inbox.replies import Queued
from inbox.rules.gates import GateCode
from search.backend import get_backend
from tests.inbox.ground import NOW, make_account, make_conversation, make_user, to, write
from tests.inbox.recording_sink import RecordingSink

LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def conversation(index: RecordingSink, db: None) -> Conversation:
    made = make_conversation(make_account())
    index.clear()
    return made


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def queue(conversation: Conversation, user: User, **other: Any) -> Any:
    wanted: dict[str, Any] = {
        "conversation_id": conversation.id,
        "user": user,
        "request_id": "page-1",
        "text": "It left us this morning.",
        "to": to(),
        "now": LATER,
        "seen_message": drafts.newest_seen(conversation.id),
        **other,
    }
    return replies.queue_reply(**wanted)


def codes(gates: Any) -> list[GateCode]:
    return [gate.code for gate in gates]


def test_a_reply_is_frozen_with_its_references_and_its_recipients(conversation: Conversation, ana: User) -> None:
    asked = Message.objects.get()

    queued = queue(conversation, ana, cc=(Address("maria@example.org"), Address("maria@example.org")))

    envelope = Envelope.objects.get(id=queued.envelope_id)
    content = bytes(envelope.content)
    answer = Message.objects.get(id=queued.message_id)
    assert (envelope.state, envelope.due_at) == ("queued", LATER + timedelta(seconds=10))
    assert f"Message-ID: <{envelope.idempotency_key}>".encode() in content.replace(b"\r\n ", b" ")
    assert f"In-Reply-To: <{asked.reference}>".encode() in content.replace(b"\r\n ", b" ")
    assert b"Subject: Re: Where is my parcel?" in content
    assert b"> Where is my parcel?" in content
    assert (answer.direction, answer.strand_id, answer.author_user) == ("outbound", asked.strand_id, ana)
    assert list(envelope.recipients.values_list("role", "address")) == [("to", "maria@example.org")]
    assert ThreadReference.objects.get(reference=answer.reference).thread_id == asked.strand.thread_id
    assert WorkRecord.objects.get(user=ana).sent_at == LATER
    kinds = [kind for kind, _length in answer.passages]
    assert kinds[0] == "new" and "quote" in kinds


def test_a_queued_reply_waits_without_stopping_the_clock(conversation: Conversation, ana: User) -> None:
    due = conversation.due_at

    queue(conversation, ana)

    now = Conversation.objects.get(id=conversation.id)
    assert (now.status, now.status_reason, now.due_at) == ("waiting", "answered", due)
    assert (now.messages_count, now.last_direction, now.preview) == (2, "outbound", "It left us this morning.")
    assert counters.kept() == counters.recount()
    shown = timeline.load(conversation.id, None, ana)
    assert shown is not None and shown.entries[1]["state"] == "queued"


def test_a_reply_costs_two_index_writes(conversation: Conversation, ana: User, index: RecordingSink) -> None:
    queued = queue(conversation, ana)

    assert [facts.id for facts in index.messages] == [queued.message_id]
    assert index.conversations == [conversation.id]


def test_without_quote_nothing_of_the_history_goes_out(conversation: Conversation, ana: User) -> None:
    queued = queue(conversation, ana, with_quote=False)

    assert b"> Where" not in bytes(Envelope.objects.get(id=queued.envelope_id).content)


def test_f42_the_same_request_again_is_the_same_reply(conversation: Conversation, ana: User) -> None:
    first = queue(conversation, ana)
    again = queue(conversation, ana)

    assert (again.envelope_id, again.is_repeat) == (first.envelope_id, True)
    assert Envelope.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_f42_ten_parallel_posts_of_one_request_give_one_reply(index: RecordingSink) -> None:
    conversation, ana = make_conversation(make_account()), make_user()
    seen = drafts.newest_seen(conversation.id)
    start, found = threading.Barrier(10), []

    def post() -> None:
        try:
            start.wait(30)
            found.append(queue(conversation, ana, seen_message=seen))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=post) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(found) == 10 and all(isinstance(one, Queued) for one in found)
    assert len({one.envelope_id for one in found}) == 1
    assert Envelope.objects.count() == Message.objects.filter(direction="outbound").count() == 1
    assert Conversation.objects.get(id=conversation.id).messages_count == 2


def test_a_reply_is_refused_when_somebody_wrote_since_the_agent_looked(conversation: Conversation, ana: User) -> None:
    seen = drafts.newest_seen(conversation.id)
    newer = write(conversation, conversation.account, at=LATER)

    refused = queue(conversation, ana, seen_message=seen)

    assert codes(refused) == [GateCode.STALE]
    assert refused[0].data["newest"] == newer.id
    assert not Envelope.objects.exists()
    assert isinstance(queue(conversation, ana, seen_message=seen, confirmations=["stale"]), Queued)


def test_an_answer_of_a_colleague_makes_a_reply_stale_but_not_an_own_one(conversation: Conversation, ana: User) -> None:
    ben, seen = make_user("Ben"), drafts.newest_seen(conversation.id)
    queue(conversation, ana, seen_message=seen)

    assert codes(queue(conversation, ben, seen_message=seen, request_id="page-2", text="Hi")) == [GateCode.STALE]
    assert isinstance(queue(conversation, ana, seen_message=seen, request_id="page-3", text="And also"), Queued)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"text": "  "}, GateCode.EMPTY),
        ({"text": "Hello ⟦customer.name⟧"}, GateCode.MISSING_VALUES),
        ({"to": ()}, GateCode.NO_RECIPIENT),
        ({"to": to("nobody at all")}, GateCode.BAD_RECIPIENT),
        ({"to": to("stranger@example.net")}, GateCode.NOT_THE_CUSTOMER),
    ],
)
def test_a_gate_stops_a_reply_before_anything_is_written(
    conversation: Conversation, ana: User, other: dict[str, Any], code: GateCode
) -> None:
    assert code in codes(queue(conversation, ana, **other))
    assert not Envelope.objects.exists()
    assert Conversation.objects.get(id=conversation.id).status == "open"


def test_the_same_text_to_the_same_address_within_a_day_needs_a_click(conversation: Conversation, ana: User) -> None:
    queue(conversation, ana)

    again = queue(conversation, ana, request_id="page-2", text="  it left us THIS morning. ")
    tomorrow = queue(conversation, ana, request_id="page-3", now=LATER + timedelta(hours=25))

    assert codes(again) == [GateCode.SENT_BEFORE]
    assert isinstance(tomorrow, Queued)
    assert isinstance(queue(conversation, ana, request_id="page-4", confirmations=["sent-before"]), Queued)


def test_a_conversation_takes_no_more_than_thirty_answers_an_hour(conversation: Conversation, ana: User) -> None:
    for number in range(30):
        assert isinstance(queue(conversation, ana, request_id=f"page-{number}", text=f"Answer {number}"), Queued)

    assert codes(queue(conversation, ana, request_id="page-x", text="One more")) == [GateCode.TOO_MANY_ANSWERS]


def test_undo_send_gives_everything_back_as_it_was(conversation: Conversation, ana: User) -> None:
    drafts.attach(conversation.id, ana, NOW, name="slip.txt", content_type="text/plain", content=b"slip")
    attachment = drafts.find_draft(conversation.id, ana).attachments.get()  # type: ignore[union-attr]
    before = Conversation.objects.get(id=conversation.id)
    queued = queue(conversation, ana, attachments=[attachment.id], cc=())
    gone = not Draft.objects.exists()

    draft = replies.undo_send(queued.envelope_id, ana, LATER + timedelta(seconds=5))

    after = Conversation.objects.get(id=conversation.id)
    for name in ("status", "status_reason", "messages_count", "preview", "last_activity_at", "due_at", "is_unseen"):
        assert getattr(after, name) == getattr(before, name), name
    assert gone and draft.body == "It left us this morning."
    assert draft.fields["to"] == [{"name": "", "address": "maria@example.org"}]
    assert [one.name for one in draft.attachments.all()] == ["slip.txt"]
    assert drafts.read_file(draft.attachments.get().file) == b"slip"
    assert outbox.find_due(LATER + timedelta(days=1)) == []
    assert not drafts.is_stale(draft)
    assert counters.kept() == counters.recount()


def test_after_undo_the_same_request_does_not_send_again(conversation: Conversation, ana: User) -> None:
    queued = queue(conversation, ana)
    replies.undo_send(queued.envelope_id, ana, LATER)

    assert queue(conversation, ana).is_repeat
    assert Envelope.objects.get().state == "cancelled"


def test_undo_send_is_too_late_once_the_answer_is_on_its_way(conversation: Conversation, ana: User) -> None:
    queued = queue(conversation, ana)
    outbox.claim(queued.envelope_id, "worker", LATER + timedelta(seconds=10))

    with pytest.raises(replies.SendProblem, match="too late"):
        replies.undo_send(queued.envelope_id, ana, LATER + timedelta(seconds=11))


def test_undo_send_leaves_alone_what_a_colleague_did_meanwhile(conversation: Conversation, ana: User) -> None:
    queued = queue(conversation, ana)
    conversations.resolve(conversation.id, "balas", LATER)

    replies.undo_send(queued.envelope_id, ana, LATER)

    assert Conversation.objects.get(id=conversation.id).status == "resolved"
    assert Envelope.objects.get().state == "cancelled"


def test_a_file_goes_out_with_the_reply(conversation: Conversation, ana: User) -> None:
    one = drafts.attach(
        conversation.id, ana, NOW, name="../../slip.pdf", content_type="application/pdf", content=b"%PDF" * 100_000
    )
    queued = queue(conversation, ana, attachments=[one.id])

    attached = Message.objects.get(id=queued.message_id).attachments.get()
    assert (attached.name, attached.size) == ("slip.pdf", 400_000)


def test_the_proposal_answers_who_wrote_and_leaves_us_out(conversation: Conversation, ana: User) -> None:
    message = write(conversation, conversation.account, at=LATER)
    message.recipients = [
        {"role": "to", "name": "", "address": "SHOP@shop.example"},
        {"role": "cc", "name": "Jo", "address": "jo@example.org"},
    ]
    message.save()

    proposal = replies.propose(conversation.id, ana)

    assert [one.address for one in proposal.to] == ["maria@example.org"]
    assert [one.address for one in proposal.cc] == ["jo@example.org"]
    assert proposal.subject == "Re: Where is my parcel?"
    assert proposal.seen_message == message.id


def test_f29_a_mail_to_two_of_our_mailboxes_is_answered_to_the_customer_alone(
    conversation: Conversation, ana: User
) -> None:
    make_account("sales")
    message = write(conversation, conversation.account, at=LATER)
    message.recipients = [
        {"role": "to", "name": "", "address": "shop@shop.example"},
        {"role": "to", "name": "", "address": "sales@shop.example"},
        {"role": "reply-to", "name": "", "address": "Sales@shop.example"},
    ]
    message.save()

    proposal = replies.propose(conversation.id, ana)

    assert [one.address for one in proposal.to] == ["maria@example.org"]
    assert proposal.cc == ()
    assert isinstance(queue(conversation, ana, to=proposal.to, cc=proposal.cc), replies.Queued)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Parcel", "Re: Parcel"),
        ("RE: Parcel", "Re: Parcel"),
        ("Re: AW: Antw: SV: Parcel", "Re: Parcel"),
        ("Re[4]: Bls: Parcel", "Re: Parcel"),
        ("RE : Răsp: Colet", "Re: Colet"),
        ("Reparation of my chair", "Re: Reparation of my chair"),
        ("", "Re:"),
        ("Fwd: Re: Parcel", "Re: Fwd: Re: Parcel"),
    ],
)
def test_prefixes_of_answers_are_not_multiplied(subject: str, expected: str) -> None:
    assert reply_subject(subject) == expected


def test_a_mailbox_that_one_may_not_read_is_not_answered_from(conversation: Conversation, ana: User) -> None:
    other = make_account("board")
    people.let_read(people.create_team("Board", NOW), other, NOW)

    with pytest.raises(replies.SendProblem, match="cannot answer"):
        queue(conversation, ana, account_id=other.id)
    assert EnvelopeRecipient.objects.count() == 0


def test_an_answer_is_found_once_it_is_queued_and_not_when_it_was_taken_back(db: None) -> None:
    conversation, ana = make_conversation(make_account()), make_user()
    queued = queue(conversation, ana, text="Your zephyranthes left us.")
    found = [hit.message for hit in get_backend().search("zephyranthes", accounts=None).hits]

    replies.undo_send(queued.envelope_id, ana, LATER)

    assert found == [queued.message_id]
    assert get_backend().search("zephyranthes", accounts=None).hits == []
