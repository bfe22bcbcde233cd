from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inbox import sla
from inbox.models import (
    Calendar,
    CalendarVersion,
    Conversation,
    Organisation,
    Policy,
    PolicyVersion,
    SlaEvent,
)
from inbox.rules.states import SlaKind, Target
from inbox.sla import Entry, Standing
from tests.inbox.ground import NOW, make_account, make_conversation, write
from tests.inbox.recording_sink import RecordingSink


@pytest.fixture
def conversation(index: RecordingSink, db: None) -> Conversation:
    return make_conversation(make_account())


def fresh(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(id=conversation.id)


def test_the_defaults_are_made_once_in_the_zone_of_the_organisation(db: None) -> None:
    Organisation.objects.create(id=1, zone="Europe/Bucharest")

    first, again = sla.ensure_defaults(NOW), sla.ensure_defaults(NOW + timedelta(days=1))

    assert first == again
    assert Policy.objects.count() == Calendar.objects.count() == 1
    calendar = sla.load_calendar(first[1])
    assert calendar.zone == "Europe/Bucharest"
    targets = sla.load_targets(*first)
    assert (targets.first, targets.next) == (timedelta(hours=4), timedelta(hours=8))
    assert targets.resolution == 3 * timedelta(hours=7)


def test_an_account_may_have_a_policy_of_its_own(conversation: Conversation) -> None:
    policy = Policy.objects.create(name="Quick")
    PolicyVersion.objects.create(policy=policy, number=1, targets={"first": 60}, created_at=NOW)
    newest = PolicyVersion.objects.create(policy=policy, number=2, targets={"first": 30}, created_at=NOW)
    account = conversation.account
    assert account is not None
    default = sla.versions_for(account, NOW)
    account.policy = policy

    assert sla.versions_for(account, NOW) == (newest.id, default[1])


def test_each_event_says_what_was_due_after_it(conversation: Conversation) -> None:
    first = SlaEvent.objects.get()
    # Tuesday 10:00 in UTC: two hours until noon, two more after one o'clock.
    assert (first.due_at, first.due_for) == (datetime(2026, 11, 24, 15, 0, tzinfo=UTC), "first")
    assert (conversation.due_at, conversation.due_for) == (first.due_at, first.due_for)
    assert first.policy_version_id == conversation.policy_version_id


def test_what_arrives_late_but_was_written_early_moves_the_clock_back(conversation: Conversation) -> None:
    write(conversation, conversation.account, at=NOW - timedelta(hours=1))

    now = fresh(conversation)
    assert now.due_at == datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    assert sla.recompute(conversation.id) == sla.standing_of(now)


def entry(kind: SlaKind, minutes: int, **other: Any) -> Entry:
    at = NOW + timedelta(minutes=minutes)
    return Entry(kind=kind, occurred_at=at, recorded_at=at, **other)


def test_bulk_and_one_by_one_write_the_same_ledger(conversation: Conversation) -> None:
    entries = [
        entry(SlaKind.AGENT_ANSWERED, 30),
        entry(SlaKind.CUSTOMER_WROTE, 60),
        entry(SlaKind.HOLD, 70),
        entry(SlaKind.RESUME, 200),
        entry(SlaKind.CUSTOMER_WROTE, 40),  # came late
        entry(SlaKind.RESOLVED, 300),
    ]
    bulk, rows = sla.extend(sla.standing_of(conversation), entries)
    single = fresh(conversation)
    for one in entries:
        sla.record(single, one.kind, one.occurred_at, one.recorded_at)
    single.save()

    stepwise = SlaEvent.objects.exclude(kind=SlaKind.CUSTOMER_WROTE, occurred_at=NOW).order_by("id")
    assert [(row.kind, row.due_at, row.due_for) for row in rows] == [
        (row.kind, row.due_at, row.due_for) for row in stepwise
    ]
    assert {**bulk.state, "last": 0} == {**sla.standing_of(single).state, "last": 0}
    assert sla.recompute(conversation.id) == sla.standing_of(fresh(conversation))


def test_the_bulk_form_asks_the_database_nothing_while_events_come_in_order(
    conversation: Conversation, django_assert_num_queries: Any
) -> None:
    standing = sla.standing_of(conversation)
    with django_assert_num_queries(0):
        standing, rows = sla.extend(standing, [entry(SlaKind.AGENT_ANSWERED, 5), entry(SlaKind.CUSTOMER_WROTE, 9)])
        fresh_one = Standing(7, standing.policy_version_id, standing.calendar_version_id)
        opened, _ = sla.extend(fresh_one, [entry(SlaKind.CUSTOMER_WROTE, 0)])

    assert [row.conversation_id for row in rows] == [conversation.id] * 2
    assert (opened.due_for, standing.due_for) == ("first", "next")


def test_a_changed_calendar_counts_from_its_event_on_and_replays_the_same(conversation: Conversation) -> None:
    short = CalendarVersion.objects.create(
        calendar=Calendar.objects.get(),
        number=2,
        zone="UTC",
        hours={"tue": [["10:00", "11:00"]], "wed": [["10:00", "11:00"]]},
        created_at=NOW,
    )
    changed = entry(SlaKind.CALENDAR_CHANGED, 5, calendar_version_id=short.id)
    standing, rows = sla.extend(sla.standing_of(conversation), [changed])
    SlaEvent.objects.bulk_create([one.as_model() for one in rows])
    row = fresh(conversation)
    sla.put_standing(row, standing)
    row.save()

    assert row.calendar_version_id == short.id and row.due_at is not None
    assert row.due_at > datetime(2026, 12, 1, tzinfo=UTC)
    assert sla.recompute(conversation.id) == sla.standing_of(fresh(conversation))


def test_an_undone_event_leaves_the_state_before_it(conversation: Conversation) -> None:
    row = fresh(conversation)
    before = sla.standing_of(row)
    held = sla.record(row, SlaKind.HOLD, NOW + timedelta(minutes=1), NOW + timedelta(minutes=1))
    sla.record(row, SlaKind.UNDONE, NOW + timedelta(minutes=2), NOW + timedelta(minutes=2), target=held)

    assert sla.standing_of(row) == before
    assert SlaEvent.objects.get(kind=SlaKind.UNDONE).target_event == held


def test_explain_says_what_was_counted_and_agrees_with_what_is_stored(conversation: Conversation) -> None:
    promises = sla.explain(conversation.id, NOW + timedelta(hours=4))

    response = next(promise for promise in promises if promise.target is Target.FIRST)
    assert response.due_at == conversation.due_at
    assert response.used == timedelta(hours=3)  # the noon hour does not count
    assert sum((piece.length for piece in response.intervals if piece.is_counted), timedelta(0)) == response.used


def test_a_conversation_without_a_ledger_explains_nothing(conversation: Conversation) -> None:
    SlaEvent.objects.all().delete()

    assert sla.explain(conversation.id, NOW) == []
    assert sla.recompute(conversation.id).due_at is None


@pytest.mark.django_db
def test_a_batch_of_old_entries_replays_its_ledger_once_however_many_they_are() -> None:
    policy, calendar = sla.ensure_defaults(NOW)
    standing, rows = sla.extend(
        sla.Standing(1, policy, calendar), [sla.Entry(SlaKind.CUSTOMER_WROTE, NOW, NOW, message_id=1)], list
    )
    asked = 0

    def earlier() -> list[sla.LedgerRow]:
        nonlocal asked
        asked += 1
        return rows

    old = [
        sla.Entry(SlaKind.CUSTOMER_WROTE, NOW - timedelta(hours=hours), NOW, message_id=hours + 1)
        for hours in range(300, 0, -1)
    ]
    after, new = sla.extend(standing, old, earlier)
    assert asked == 1
    one_by_one = standing
    known = list(rows)
    for entry in old[:20]:
        one_by_one, more = sla.extend(one_by_one, [entry], known.copy)
        known = [*known, *more]
    together, _ = sla.extend(standing, old[:20], lambda: rows)
    assert (together.state, together.due_at, together.due_for) == (
        one_by_one.state,
        one_by_one.due_at,
        one_by_one.due_for,
    )
    assert {(row.due_at, row.due_for) for row in new} == {(after.due_at, after.due_for)}
