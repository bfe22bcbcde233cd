from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors.messages import Outcome, Receipt, RecipientOutcome
from inbox import conversations, drafts, outbox, people, replies, timeline
from inbox.ids import new_id
from inbox.models import Account, Attachment, Conversation, DuplicateLink, Message, User
from inbox.timeline import Timeline
from tests.inbox.ground import NOW, deliver, make_account, make_conversation, make_user, to, write
from tests.inbox.recording_sink import RecordingSink


@pytest.fixture
def account(index: RecordingSink, db: None) -> Account:
    return make_account()


@pytest.fixture
def conversation(account: Account) -> Conversation:
    return make_conversation(account)


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def load(conversation: Conversation, user: User, scope: frozenset[int] | None = None, **other: Any) -> Timeline:
    found = timeline.load(conversation.id, scope, user, **other)
    assert found is not None
    return found


def answer(conversation: Conversation, user: User, minute: int) -> None:
    now = NOW + timedelta(minutes=minute)
    queued = replies.queue_reply(
        conversation_id=conversation.id,
        user=user,
        request_id=f"page-{minute}",
        text=f"Answer {minute}",
        to=to(),
        now=now,
        seen_message=drafts.newest_seen(conversation.id),
    )
    assert isinstance(queued, replies.Queued)
    claimed = outbox.claim(queued.envelope_id, "worker", now + timedelta(seconds=10))
    assert claimed is not None
    outbox.commit(claimed, now)
    outbox.record(claimed, Receipt((RecipientOutcome("maria@example.org", Outcome.SENT, "250"),), "Q7"), now)


def kinds(shown: Timeline) -> list[str]:
    return [entry.get("direction") or entry.get("act") or f"hidden {entry['count']}" for entry in shown.entries]


def test_messages_notes_and_acts_stand_in_one_order(conversation: Conversation, ana: User) -> None:
    conversations.assign(conversation.id, ana, NOW + timedelta(minutes=1), owner=ana)
    conversations.add_note(conversation.id, ana, NOW + timedelta(minutes=2), text="Called.")
    answer(conversation, ana, 3)

    shown = load(conversation, ana)

    assert kinds(shown) == ["inbound", "assign", "note", "note", "outbound", "reply"]
    assign, sent = shown.entries[1], shown.entries[4]
    assert (assign["actor"], assign["actor_name"]) == (f"user:{ana.id}", "Ana")
    assert (sent["state"], sent["author_user_name"]) == ("sent", "Ana")
    assert sent["sends"][0]["recipients"] == [
        {"address": "maria@example.org", "name": "", "role": "to", "outcome": "sent", "code": "250", "sentence": ""}
    ]
    assert sent["passages"][0][0] == "new"
    assert shown.conversation["owner_name"] == "Ana" and shown.conversation["tags"] == []
    assert [one["address"] for one in shown.identities] == ["maria@example.org"]
    assert shown.identities[0]["evidence"] == {"rule": "first-seen"}
    assert shown.identities[0]["linked_at"] == NOW


def test_a_page_takes_five_statements_however_long_the_conversation(conversation: Conversation, ana: User) -> None:
    load(conversation, ana)  # Django asks the database once what it can do
    with CaptureQueriesContext(connection) as short:
        load(conversation, ana)
    for number in range(40):
        write(conversation, conversation.account, at=NOW + timedelta(seconds=number))
    answer(conversation, ana, 5)
    conversations.tag(conversation.id, ana, NOW, name="Parcel")
    drafts.attach(conversation.id, ana, NOW, name="a.txt", content_type="text/plain", content=b"a")
    with CaptureQueriesContext(connection) as long:
        load(conversation, ana)

    assert len(short) <= 5 and len(long) <= 5


def test_earlier_messages_come_by_cursor_and_none_twice(conversation: Conversation, ana: User) -> None:
    for number in range(24):
        write(conversation, conversation.account, at=NOW + timedelta(minutes=number // 5))
    conversations.tag(conversation.id, ana, NOW + timedelta(minutes=1, seconds=30), name="Parcel")
    every = load(conversation, ana)
    pages, earlier = [], ""
    for _ in range(10):
        shown = load(conversation, ana, earlier=earlier, limit=6)
        pages.append(shown.entries)
        earlier = shown.earlier
        if not earlier:
            break

    ids = [entry["id"] for page in reversed(pages) for entry in page if entry["entry"] == "message"]
    assert ids == [entry["id"] for entry in every.entries if entry["entry"] == "message"]
    assert len(ids) == 25 and every.earlier == ""
    acts = [entry["act"] for page in pages for entry in page if entry["entry"] == "act"]
    assert acts.count("tag") == 1


def test_f79_of_what_one_may_not_read_a_placeholder_stays(conversation: Conversation, ana: User) -> None:
    board = make_account("board")
    people.let_read(people.create_team("Board", NOW), board, NOW)
    for minute in (1, 2):
        write(conversation, board, at=NOW + timedelta(minutes=minute), text="For the board only")
    both = write(conversation, board, at=NOW + timedelta(minutes=3), text="To both of you")
    deliver(both, conversation.account)
    scope = people.readable_accounts(ana)

    shown, whole = load(conversation, ana, scope), load(conversation, ana)

    assert kinds(shown) == ["inbound", "hidden 2", "inbound"]
    assert "For the board only" not in str(shown)
    assert kinds(whole) == ["inbound"] * 4
    assert timeline.load(conversation.id, frozenset({7}), ana) is None


def test_a_note_is_seen_by_whoever_may_see_the_conversation(conversation: Conversation, ana: User) -> None:
    conversations.add_note(conversation.id, ana, NOW, text="Called.")
    here, elsewhere = frozenset({conversation.account_id or 0}), frozenset({7})

    assert "note" in kinds(load(conversation, ana, here))
    assert timeline.load(conversation.id, elsewhere, ana) is None


def test_deliveries_attachments_and_copies_hang_on_their_message(conversation: Conversation, ana: User) -> None:
    first = Message.objects.get()
    copy = write(conversation, conversation.account, at=NOW + timedelta(minutes=1))
    DuplicateLink.objects.create(message=copy, original=first, linked_at=NOW)
    Attachment.objects.create(
        id=new_id(), message=first, name="größe.pdf", content_type="application/pdf", size=7, sha256="", part="2"
    )

    one, two = [entry for entry in load(conversation, ana).entries if entry["entry"] == "message"]

    assert one["deliveries"] == [
        {"account_id": conversation.account_id, "account_name": "shop", "received_at": first.received_at}
    ]
    assert [(file["name"], file["size"], file["is_inline"]) for file in one["attachments"]] == [("größe.pdf", 7, False)]
    assert (one["copy_of"], two["copy_of"], two["attachments"]) == (None, first.id, [])


def test_the_draft_and_whether_it_is_stale_come_with_the_page(conversation: Conversation, ana: User) -> None:
    seen = load(conversation, ana).newest_message
    drafts.save_draft(conversation.id, ana, NOW, body="Dear Maria", fields={"cc": []}, seen_message=seen)
    drafts.attach(conversation.id, ana, NOW, name="a.txt", content_type="text/plain", content=b"abc")
    current = load(conversation, ana).draft
    write(conversation, conversation.account, at=NOW + timedelta(minutes=1))
    stale = load(conversation, ana).draft

    assert current is not None and stale is not None
    assert (current["body"], current["fields"], current["is_stale"]) == ("Dear Maria", {"cc": []}, False)
    assert [(file["name"], file["size"]) for file in current["attachments"]] == [("a.txt", 3)]
    assert current["updated_at"] == NOW and stale["is_stale"]
    assert load(conversation, make_user("Ben")).draft is None


def test_other_matters_of_the_same_customer_are_named(account: Account, conversation: Conversation, ana: User) -> None:
    other = make_conversation(account, "b@example.org")
    Conversation.objects.filter(id=other.id).update(customer=conversation.customer)

    assert [one["id"] for one in load(conversation, ana).others] == [other.id]
    assert load(conversation, ana).others[0]["last_activity_at"] == NOW


def test_an_answer_that_was_taken_back_is_not_shown(conversation: Conversation, ana: User) -> None:
    seen = drafts.newest_seen(conversation.id)
    queued = replies.queue_reply(
        conversation_id=conversation.id, user=ana, request_id="p", text="Oops", to=to(), now=NOW, seen_message=seen
    )
    assert isinstance(queued, replies.Queued)
    replies.undo_send(queued.envelope_id, ana, NOW)

    shown = load(conversation, ana)
    assert "outbound" not in kinds(shown) and shown.newest_message == seen
