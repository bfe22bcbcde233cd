"""Promises, example by example. `test_sla_stepper.py` walks every clock tick by tick."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from inbox.rules.business_time import CalendarHours, default_hours
from inbox.rules.sla import (
    DEFAULT_POLICY,
    Event,
    SlaResult,
    Targets,
    compute,
    replay,
    result,
    started_at,
    state_to_data,
)
from inbox.rules.states import SlaKind, Target

HOUR = timedelta(hours=1)
BUCHAREST = CalendarHours.from_data(**default_hours("Europe/Bucharest"))
NIGHTS = CalendarHours("Europe/Bucharest", (((0, 330), (1320, 1440)),) * 7, frozenset({date(2026, 3, 27)}))
TARGETS = Targets.from_data(DEFAULT_POLICY, BUCHAREST)
SHORT = Targets(HOUR, 2 * HOUR, 5 * HOUR)


def at(text: str) -> datetime:
    """Bucharest's winter time in March 2026 as an instant: "26 09:00" (a Thursday; clocks change on the 29th)."""
    day, clock = text.split()
    hour, minute = clock.split(":")
    return datetime(2026, 3, int(day), int(hour), int(minute), tzinfo=UTC) - 2 * HOUR


def ledger(*rows: tuple[str, str] | tuple[str, str, dict[str, object]]) -> list[Event]:
    events = []
    for number, (kind, when, *more) in enumerate(rows, 1):
        values = {"recorded_at": at(when), **(more[0] if more else {})}
        events.append(Event(id=number, kind=SlaKind(kind), occurred_at=at(when), **values))  # type: ignore[arg-type]
    return events


def of(*rows: tuple[str, str] | tuple[str, str, dict[str, object]], targets: Targets = TARGETS) -> SlaResult:
    return compute(ledger(*rows), targets, BUCHAREST)


# --- Examples -------------------------------------------------------------------------------------------------------


def test_the_default_promises_are_four_hours_eight_hours_and_three_working_days() -> None:
    assert Targets(4 * HOUR, 8 * HOUR, 21 * HOUR) == TARGETS


@pytest.mark.parametrize("field", ["first", "next", "resolution_days"])
def test_a_promise_of_nothing_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        Targets.from_data({**DEFAULT_POLICY, field: 0}, BUCHAREST)


def test_the_first_answer_is_due_after_four_working_hours() -> None:
    found = of(("customer-wrote", "26 11:00"))
    assert (found.due_at, found.due_for) == (at("26 16:00"), Target.FIRST)
    assert found.resolution_due_at is not None and found.resolution_due_at > found.due_at
    assert found.waiting_since == found.opened_at == at("26 11:00")


def test_a_second_message_does_not_move_the_deadline() -> None:
    assert of(("customer-wrote", "26 11:00"), ("customer-wrote", "26 15:00")).due_at == at("26 16:00")


def test_an_answer_stops_the_clock_and_the_next_message_has_its_own_promise() -> None:
    answered = of(("customer-wrote", "26 11:00"), ("agent-answered", "26 15:00"))
    assert (answered.due_at, answered.due_for, answered.breached) == (None, None, ())
    assert (answered.first_response_wall, answered.first_response_business) == (4 * HOUR, 3 * HOUR)
    again = of(("customer-wrote", "26 11:00"), ("agent-answered", "26 15:00"), ("customer-wrote", "26 16:00"))
    assert (again.due_at, again.due_for) == (at("27 17:00"), Target.NEXT)


def test_a_late_answer_is_a_breach_for_ever() -> None:
    rows = [("customer-wrote", "26 09:00"), ("agent-answered", "26 14:01"), ("customer-wrote", "26 14:10")]
    assert of(*rows).breached == (Target.FIRST,)
    assert of(*rows, ("agent-answered", "26 14:20")).breached == (Target.FIRST,)
    assert of(rows[0], ("agent-answered", "26 14:00")).breached == ()


def test_what_is_late_now_is_told_without_an_event() -> None:
    found = of(("customer-wrote", "26 09:00"))
    assert found.breached_at(at("26 14:00")) == ()
    assert found.breached_at(at("26 14:01")) == (Target.FIRST,)


def test_f54_a_hold_over_the_weekend_moves_the_deadline_by_its_working_time_only() -> None:
    rows = [("customer-wrote", "27 16:00"), ("hold", "27 16:30")]
    held = of(*rows)
    assert (held.due_at, held.is_held) == (None, True)
    # Monday after the clock change: 9:30 in Bucharest is 6:30 UTC, 8:30 by this test's winter clock.
    resumed = of(*rows, ("resume", "30 08:30"))
    assert resumed.due_at == at("30 08:30") + timedelta(hours=4.5)  # 3.5 working hours and the lunch break


def test_f54_resolved_stops_and_reopened_starts_anew() -> None:
    rows = [("customer-wrote", "26 09:00"), ("agent-answered", "26 10:00"), ("resolved", "26 11:00")]
    done = of(*rows)
    assert (done.due_at, done.resolved_at, done.resolution_business) == (None, at("26 11:00"), HOUR)
    back = of(*rows, ("reopened", "26 12:00"), ("customer-wrote", "26 13:00"))
    assert (back.due_for, back.reopened, back.resolved_at) == (Target.NEXT, 1, None)


def test_a_customers_message_reopens_with_or_without_its_own_event() -> None:
    rows = [("customer-wrote", "26 09:00"), ("agent-answered", "26 10:00"), ("resolved", "26 11:00")]
    bare = of(*rows, ("customer-wrote", "26 13:00"))
    assert (bare.reopened, bare.due_for, bare.resolved_at) == (1, Target.NEXT, None)
    both = of(*rows, ("customer-wrote", "26 13:00"), ("reopened", "26 13:00"))
    assert both == bare


def test_no_answer_needed_ends_the_promise_in_time_without_an_answer() -> None:
    found = of(("customer-wrote", "26 09:00"), ("resolved", "26 10:00"))
    assert (found.breached, found.first_response_at, found.due_at) == ((), None, None)
    assert of(("customer-wrote", "26 09:00"), ("resolved", "26 16:00")).breached == (Target.FIRST,)


def test_an_answer_that_leaves_after_resolve_was_pressed_is_still_the_first_answer() -> None:
    found = of(("customer-wrote", "26 09:00"), ("resolved", "26 10:00"), ("agent-answered", "26 10:01"))
    assert found.first_response_wall == timedelta(minutes=61)
    assert found.resolved_at == at("26 10:00")


def test_reopening_what_nobody_answered_lets_its_customer_wait_since_the_beginning() -> None:
    found = of(("customer-wrote", "26 09:00"), ("resolved", "26 10:00"), ("reopened", "26 11:00"))
    assert (found.due_at, found.due_for) == (at("26 14:00"), Target.FIRST)


def test_a_conversation_we_began_promises_a_first_answer_to_the_first_question() -> None:
    found = of(("agent-answered", "26 09:00"), ("customer-wrote", "26 10:00"))
    assert (found.due_for, found.first_response_at) == (Target.FIRST, None)


def test_automatic_mail_starts_and_stops_nothing() -> None:
    robot = {"is_automatic": True}
    assert of(("customer-wrote", "26 09:00", robot)).due_at is None
    found = of(("customer-wrote", "26 09:00"), ("agent-answered", "26 09:01", robot))
    assert (found.due_at, found.first_response_at) == (at("26 14:00"), None)


def test_an_answer_covers_only_what_its_writer_had_seen() -> None:
    crossed = {"received_at": at("26 09:58"), "recorded_at": at("26 10:01")}
    found = of(
        ("customer-wrote", "26 09:00"),
        ("customer-wrote", "26 09:58", crossed),
        ("agent-answered", "26 10:00", {"seen_at": at("26 09:55")}),
    )
    assert found.first_response_wall == HOUR
    assert (found.waiting_since, found.due_for) == (at("26 09:58"), Target.NEXT)


def test_an_answer_found_in_sent_covers_what_had_been_received_however_late_we_stored_it() -> None:
    late = {"received_at": at("26 09:00"), "recorded_at": at("28 09:00")}
    found = of(("customer-wrote", "26 09:00", late), ("agent-answered", "26 10:00", {"recorded_at": at("28 09:00")}))
    assert (found.waiting_since, found.first_response_wall) == (None, HOUR)


def test_an_answer_of_unknown_outcome_is_provisional_until_it_is_settled() -> None:
    rows = [("customer-wrote", "26 09:00"), ("provisional-answer", "26 10:00")]
    doubtful = of(*rows)
    assert (doubtful.is_provisional, doubtful.due_at, doubtful.first_response_at) == (True, at("26 14:00"), None)
    proven = of(*rows, ("agent-answered", "26 10:00"))
    assert (proven.is_provisional, proven.due_at, proven.first_response_wall) == (False, None, HOUR)
    absent = of(*rows, ("undone", "26 11:00", {"undoes": 2}))
    assert absent == of(rows[0])


def test_undo_restores_the_deadline_and_undo_of_undo_removes_it_again() -> None:
    rows = [("customer-wrote", "26 09:00"), ("resolved", "26 10:00"), ("undone", "26 10:05", {"undoes": 2})]
    assert of(*rows) == of(rows[0])
    assert of(*rows, ("undone", "26 10:06", {"undoes": 3})) == of(*rows[:2])


def test_spam_has_no_promise_and_the_way_back_counts_as_if_it_had_never_been() -> None:
    rows = [("customer-wrote", "26 09:00"), ("stopped", "26 09:30")]
    assert of(*rows, ("customer-wrote", "26 09:40")).due_at is None
    assert of(*rows, ("undone", "26 10:00", {"undoes": 2})) == of(rows[0])


def test_a_changed_policy_or_calendar_applies_to_what_still_runs() -> None:
    rows = [("customer-wrote", "26 09:00"), ("policy-changed", "26 09:30", {"targets": SHORT})]
    assert of(*rows).due_at == at("26 10:00")
    ended = of(rows[0], ("agent-answered", "26 11:30"), ("policy-changed", "26 12:00", {"targets": SHORT}))
    assert ended.breached == ()
    night = of(rows[0], ("calendar-changed", "26 09:30", {"calendar": NIGHTS}))
    assert night.due_at == at("28 02:00")  # 22–24 on the 26th, nothing on the holiday, 0–2 on the 28th


def test_resolution_stands_while_we_wait_for_the_customer() -> None:
    rows = [("customer-wrote", "26 09:00"), ("agent-answered", "26 10:00"), ("customer-wrote", "27 09:00")]
    found = of(*rows, targets=Targets(HOUR, 20 * HOUR, 2 * HOUR))
    assert (found.due_at, found.due_for) == (at("27 10:00"), Target.RESOLUTION)


@pytest.mark.parametrize(
    ("written", "received", "is_import", "start"),
    [
        ("26 09:00", "26 09:05", False, "26 09:00"),
        ("26 09:10", "26 09:05", False, "26 09:05"),  # a clock that runs fast gains nothing
        ("20 09:00", "26 09:05", False, "25 09:05"),  # nor does an old date make us late by a week
        ("20 09:00", "26 09:05", True, "20 09:00"),
        (None, "26 09:05", True, "26 09:05"),
        (None, "26 09:05", False, "26 09:05"),
    ],
)
def test_the_clock_starts_when_the_customer_wrote(
    written: str | None, received: str, is_import: bool, start: str
) -> None:
    assert started_at(at(written) if written else None, at(received), is_import) == at(start)


def test_a_flood_of_messages_stays_small_and_keeps_its_first_deadline() -> None:
    events = ledger(*[("customer-wrote", f"26 09:{number % 60:02}") for number in range(400)])
    state = replay(events, TARGETS, BUCHAREST)
    assert len(state_to_data(state)["unanswered"]) == 50
    assert result(state).due_at == at("26 14:00")
    assert compute([*events, *ledger(("agent-answered", "26 10:00"))], TARGETS, BUCHAREST).waiting_since is None
