from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from inbox import conversations, counters, people, sla, timeline, worklist
from inbox.models import AuditRecord, Conversation, LiveEvent, Message, SlaEvent, User, WorkRecord
from inbox.rules.states import Role, SlaKind, Status
from tests.inbox.ground import NOW, make_account, make_conversation, make_user, write
from tests.inbox.recording_sink import RecordingSink

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=10)
FIELDS = [
    "status",
    "status_reason",
    "owner_id",
    "team_id",
    "snoozed_until",
    "resolved_at",
    "reopened_count",
    "is_unseen",
    "due_at",
    "due_for",
    "sla",
]


@pytest.fixture
def conversation(index: RecordingSink) -> Conversation:
    made = make_conversation(make_account())
    index.clear()
    return made


@pytest.fixture
def ana() -> User:
    return make_user()


def fields(conversation: Conversation) -> dict[str, Any]:
    fresh = Conversation.objects.get(id=conversation.id)
    values = {name: getattr(fresh, name) for name in FIELDS}
    values["tags"] = sorted(fresh.conversationtag_set.values_list("tag__name", flat=True))
    # `last` is where the replay stands in the ledger; it says nothing about a clock.
    values["sla"] = {name: value for name, value in values["sla"].items() if name != "last"}
    return values


ACTS = {
    "resolve": lambda one, user: conversations.resolve(one, user, LATER),
    "no answer needed": lambda one, user: conversations.resolve(one, user, LATER, no_answer_needed=True),
    "snooze": lambda one, user: conversations.snooze(one, user, LATER, until=LATER + timedelta(days=1)),
    "assign": lambda one, user: conversations.assign(one, user, LATER, owner=user),
    "team": lambda one, user: conversations.move_to_team(
        one, user, LATER, team_id=people.create_team("Returns", LATER).id
    ),
    "tag": lambda one, user: conversations.tag(one, user, LATER, name="Parcel"),
    "spam": lambda one, user: conversations.mark_spam(one, user, LATER),
}


@pytest.mark.parametrize("name", ACTS)
def test_every_act_is_undone_exactly(name: str, conversation: Conversation, ana: User) -> None:
    before = fields(conversation)

    act = ACTS[name](conversation.id, ana)
    changed = fields(conversation)
    undone = conversations.undo(act.undo, ana, LATER + timedelta(seconds=5))

    assert changed != before
    assert fields(conversation) == before
    assert undone.version == act.version + 1
    assert counters.kept() == counters.recount()
    assert sla.recompute(conversation.id) == sla.standing_of(Conversation.objects.get(id=conversation.id))


@pytest.mark.parametrize("name", ACTS)
def test_an_act_costs_at_most_two_index_writes_however_long_the_conversation(
    name: str, conversation: Conversation, ana: User, index: RecordingSink
) -> None:
    for minute in range(30):
        write(conversation, conversation.account, at=NOW + timedelta(seconds=minute))
    index.clear()

    ACTS[name](conversation.id, ana)

    assert index.writes <= 2
    assert index.conversations == [conversation.id]
    assert LiveEvent.objects.filter(topic="conversation", subject=conversation.id).exists()


def test_an_act_on_a_short_and_on_a_long_conversation_runs_the_same_statements(
    conversation: Conversation, ana: User, django_assert_max_num_queries: Any
) -> None:
    for minute in range(30):
        write(conversation, conversation.account, at=NOW + timedelta(seconds=minute))

    with django_assert_max_num_queries(16):
        conversations.resolve(conversation.id, ana, LATER)


def test_an_undo_that_comes_too_late_is_refused_in_one_sentence(conversation: Conversation, ana: User) -> None:
    act = conversations.resolve(conversation.id, ana, LATER)
    conversations.reopen(conversation.id, ana, LATER)
    second = conversations.resolve(conversation.id, ana, LATER)

    with pytest.raises(conversations.Refusal, match="no longer be undone"):
        conversations.undo(act.undo, ana, LATER)
    conversations.undo(second.undo, ana, LATER)
    with pytest.raises(conversations.Refusal, match="no longer be undone"):
        conversations.undo(second.undo, ana, LATER)


def test_an_undo_leaves_alone_what_others_did_meanwhile(conversation: Conversation, ana: User) -> None:
    act = conversations.assign(conversation.id, ana, LATER, owner=ana)
    conversations.tag(conversation.id, ana, LATER, name="Parcel")
    conversations.resolve(conversation.id, ana, LATER)

    conversations.undo(act.undo, ana, LATER)

    now = fields(conversation)
    assert (now["owner_id"], now["tags"], now["status"]) == (None, ["Parcel"], "resolved")


def test_an_undo_token_that_we_never_gave_out_is_refused(conversation: Conversation, ana: User) -> None:
    act = conversations.resolve(conversation.id, ana, LATER)
    forged = act.undo.replace(act.undo[-1], "x" if act.undo[-1] != "x" else "y")

    with pytest.raises(conversations.Refusal, match="cannot be undone"):
        conversations.undo(forged, ana, LATER)


def test_what_is_spam_cannot_be_resolved(conversation: Conversation, ana: User) -> None:
    conversations.mark_spam(conversation.id, ana, LATER)

    with pytest.raises(conversations.Refusal, match="spam"):
        conversations.resolve(conversation.id, ana, LATER)


def test_leaving_spam_runs_the_clock_as_if_it_had_never_been_there(conversation: Conversation, ana: User) -> None:
    before = fields(conversation)
    conversations.mark_spam(conversation.id, ana, LATER)
    stopped = fields(conversation)

    conversations.not_spam(conversation.id, ana, LATER + timedelta(hours=1))

    after = fields(conversation)
    assert stopped["due_at"] is None
    assert (after["status"], after["due_at"], after["due_for"]) == ("open", before["due_at"], before["due_for"])
    assert SlaEvent.objects.filter(kind=SlaKind.UNDONE).count() == 1
    assert sla.recompute(conversation.id) == sla.standing_of(Conversation.objects.get(id=conversation.id))


def test_a_snooze_ends_by_itself_and_holds_the_clock_until_its_own_time(conversation: Conversation, ana: User) -> None:
    due = conversation.due_at
    until = NOW + timedelta(hours=1)
    conversations.snooze(conversation.id, ana, NOW, until=until)

    asleep = conversations.wake_due(until - timedelta(seconds=1))
    woken = conversations.wake_due(until + timedelta(hours=3))
    again = conversations.wake_due(until + timedelta(hours=3))

    now = Conversation.objects.get(id=conversation.id)
    assert (asleep, woken, again) == (0, 1, 0)
    assert (now.status, now.status_reason, now.snoozed_until) == ("open", "snooze-ended", None)
    assert now.is_unseen
    assert due is not None and now.due_at == due + timedelta(hours=1)


def test_a_snooze_into_the_past_is_refused(conversation: Conversation, ana: User) -> None:
    with pytest.raises(conversations.Refusal, match="future"):
        conversations.snooze(conversation.id, ana, NOW, until=NOW)


def test_an_act_that_changes_nothing_writes_nothing(
    conversation: Conversation, ana: User, index: RecordingSink
) -> None:
    conversations.resolve(conversation.id, ana, LATER)
    index.clear()
    records = AuditRecord.objects.count()

    act = conversations.resolve(conversation.id, ana, LATER)

    assert (act.changed, act.undo, index.writes) == (False, "", 0)
    assert AuditRecord.objects.count() == records


def test_nobody_is_given_what_they_may_not_read(conversation: Conversation, ana: User) -> None:
    team = people.create_team("Sales", NOW)
    people.let_read(team, conversation.account, NOW)

    with pytest.raises(conversations.Refusal, match="cannot read"):
        conversations.assign(conversation.id, "balas", LATER, owner=ana)
    people.add_member(team, ana)
    assert conversations.assign(conversation.id, "balas", LATER, owner=ana).changed
    assert WorkRecord.objects.get(user=ana).claimed_at == LATER


def test_a_note_is_a_message_that_customers_never_see(
    conversation: Conversation, ana: User, index: RecordingSink
) -> None:
    note = conversations.add_note(conversation.id, ana, LATER, text="  She called too. ")

    shown = timeline.load(conversation.id, None, ana)
    assert (note.direction, note.text, note.author) == ("note", "She called too.", None)
    assert [facts.id for facts in index.messages] == [note.id]
    assert shown is not None and [entry.get("direction") for entry in shown.entries if entry["entry"] == "message"] == [
        "inbound",
        "note",
    ]
    with pytest.raises(conversations.Refusal, match="Write the note"):
        conversations.add_note(conversation.id, ana, LATER, text=" ")


def test_looking_at_it_marks_it_seen_once(conversation: Conversation, ana: User, index: RecordingSink) -> None:
    conversations.mark_seen(conversation.id, ana, LATER)
    first = index.writes
    conversations.mark_seen(conversation.id, ana, LATER + timedelta(minutes=1))

    assert (first, index.writes) == (1, 1)
    assert not Conversation.objects.get(id=conversation.id).is_unseen
    assert WorkRecord.objects.get(user=ana).opened_at == LATER


def test_tags_of_the_same_name_in_other_case_are_one_tag(conversation: Conversation, ana: User) -> None:
    conversations.tag(conversation.id, ana, LATER, name=" late  parcel ")
    again = conversations.tag(conversation.id, ana, LATER, name="Late Parcel")

    assert not again.changed
    assert worklist.row(conversation.id, None) is not None
    row = worklist.row(conversation.id, None)
    assert row is not None and row["tags"] == ["late parcel"]
    conversations.untag(conversation.id, ana, LATER, name="LATE PARCEL")
    row = worklist.row(conversation.id, None)
    assert row is not None and row["tags"] == []


def test_statuses_name_their_reason(conversation: Conversation) -> None:
    cleo = make_user("Cleo", Role.MANAGER)
    conversations.resolve(conversation.id, cleo, LATER, no_answer_needed=True)
    resolved = Conversation.objects.get(id=conversation.id)
    conversations.reopen(conversation.id, cleo, LATER)
    reopened = Conversation.objects.get(id=conversation.id)

    assert (resolved.status, resolved.status_reason, resolved.resolved_at) == ("resolved", "no-answer-needed", LATER)
    assert (reopened.status, reopened.status_reason, reopened.reopened_count) == (Status.OPEN, "reopened", 1)
    assert reopened.due_at is not None and reopened.resolved_at is None
    assert Message.objects.count() == 1
