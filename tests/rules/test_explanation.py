"""The explanation against the calculation that it explains."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given

from inbox.rules.business_time import CalendarHours
from inbox.rules.explanation import Why, explain
from inbox.rules.sla import Event, Targets, compute
from inbox.rules.states import SlaKind, Target
from tests.rules.test_sla import BUCHAREST, HOUR, TARGETS, at, ledger
from tests.rules.test_sla_stepper import START, TICK, calendar_of, events_of, targets_of


@given(events=events_of(), targets=targets_of, calendar=calendar_of)
def test_f57_the_explanation_equals_the_calculation(
    events: list[Event], targets: Targets, calendar: CalendarHours
) -> None:
    now = START + 3000 * TICK
    found, promises = compute(events, targets, calendar), explain(events, targets, calendar, now)
    running = {promise.target: promise for promise in promises if promise.ended_at is None}
    dues = {target: promise.due_at for target, promise in running.items() if promise.due_at is not None}
    expected = {found.response_target: found.response_due_at, Target.RESOLUTION: found.resolution_due_at}
    assert dues == {target: due for target, due in expected.items() if due is not None}
    ended_late = {promise.target for promise in promises if promise.is_breached and promise.ended_at is not None}
    assert ended_late <= set(found.breached)
    for promise in promises:
        assert promise.used == sum((piece.length for piece in promise.intervals if piece.is_counted), timedelta(0))
        assert promise.intervals[0].start == promise.started_at
        assert all(left.end == right.start for left, right in pairwise(promise.intervals))
        assert all(piece.length > timedelta(0) for piece in promise.intervals[1:])


@given(events=events_of(), targets=targets_of, calendar=calendar_of)
def test_f57_a_running_promise_is_used_up_exactly_when_it_is_due(
    events: list[Event], targets: Targets, calendar: CalendarHours
) -> None:
    due_at = compute(events, targets, calendar).due_at
    if due_at is None or due_at <= max(event.order[0] for event in events):  # over already
        return
    due_for = compute(events, targets, calendar).due_for
    promises = explain(events, targets, calendar, due_at)
    running = next(promise for promise in promises if promise.target == due_for and promise.ended_at is None)
    assert running.used == running.budget


def test_every_hour_of_a_weekend_a_hold_and_a_holiday_is_named() -> None:
    calendar = CalendarHours(BUCHAREST.zone, BUCHAREST.week, frozenset({date(2026, 3, 27)}))
    events = ledger(("customer-wrote", "26 16:00"), ("hold", "26 16:30"), ("resume", "28 09:00"))
    response, _ = explain(events, TARGETS, calendar, at("30 09:00"))
    assert [(piece.why, piece.is_counted, piece.end) for piece in response.intervals] == [
        (Why.WORKING_HOURS, True, at("26 16:30")),
        (Why.ON_HOLD, False, at("28 09:00")),
        (Why.OUTSIDE_HOURS, False, at("30 08:00")),  # Monday nine o'clock is summer time
        (Why.WORKING_HOURS, True, at("30 09:00")),
    ]
    assert response.used == 1.5 * HOUR
    without_hold, _ = explain(events[:1], TARGETS, calendar, at("30 09:00"))
    assert [(piece.why, piece.holidays) for piece in without_hold.intervals[1:2]] == [
        (Why.HOLIDAY, (date(2026, 3, 27),))
    ]


def test_ended_promises_say_what_ended_them_and_the_time_we_waited_is_not_counted() -> None:
    events = ledger(
        ("customer-wrote", "26 09:00"),
        ("agent-answered", "26 10:00"),
        ("customer-wrote", "26 11:00"),
        ("resolved", "26 11:30"),
    )
    first, following, resolution = explain(events, TARGETS, BUCHAREST, at("26 12:00"))
    assert (first.target, first.ended_by, first.used) == (Target.FIRST, SlaKind.AGENT_ANSWERED, HOUR)
    assert (following.target, following.ended_by) == (Target.NEXT, SlaKind.RESOLVED)
    assert [piece.why for piece in resolution.intervals] == [
        Why.WORKING_HOURS,
        Why.WAITING_FOR_CUSTOMER,
        Why.WORKING_HOURS,
    ]
    assert resolution.used == compute(events, TARGETS, BUCHAREST).resolution_business == 1.5 * HOUR
