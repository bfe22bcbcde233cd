"""Stages, widths and durations of time left."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.rules.business_time import add_business, business_between
from inbox.rules.sla import Event, Targets, compute
from inbox.rules.states import Status, Target
from inbox.rules.urgency import Span, Stage, span, urgency, width_of
from tests.rules.test_sla import BUCHAREST, HOUR, TARGETS, at
from tests.rules.test_sla_stepper import DAYS, START, TICK, events_of, targets_of

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("left", "target", "stage"),
    [
        (3 * HOUR + 40 * MINUTE, 4 * HOUR, Stage.CALM),
        (60 * MINUTE, 4 * HOUR, Stage.CALM),
        (59 * MINUTE, 4 * HOUR, Stage.SOON),
        (15 * MINUTE, 4 * HOUR, Stage.SOON),
        (14 * MINUTE, 4 * HOUR, Stage.LAST),
        (14 * MINUTE, 30 * MINUTE, Stage.SOON),  # a third of half an hour is ten minutes
        (9 * MINUTE, 30 * MINUTE, Stage.LAST),
        (0 * MINUTE, 4 * HOUR, Stage.LAST),
        (-1 * MINUTE, 4 * HOUR, Stage.LATE),
    ],
)
def test_the_stage_follows_the_working_time_left(left: timedelta, target: timedelta, stage: Stage) -> None:
    now = at("26 10:00")
    found = urgency(now + left, Target.FIRST, target, now, BUCHAREST, Status.OPEN)
    assert found.stage is stage


@pytest.mark.parametrize(
    ("status", "has_due", "stage"),
    [
        (Status.SNOOZED, True, Stage.PAUSED),
        (Status.SNOOZED, False, Stage.PAUSED),
        (Status.WAITING, False, Stage.KEPT),
        (Status.WAITING, True, Stage.CALM),  # a message crossed our answer
        (Status.RESOLVED, True, Stage.KEPT),
        (Status.RESOLVED, False, Stage.KEPT),
        (Status.SPAM, True, Stage.NONE),
        (Status.OPEN, False, Stage.NONE),
    ],
)
def test_without_a_running_clock_the_status_gives_the_stage(status: Status, has_due: bool, stage: Stage) -> None:
    due_at = at("26 15:00") if has_due else None
    found = urgency(due_at, Target.FIRST if has_due else None, 4 * HOUR, at("26 10:00"), BUCHAREST, status)
    assert found.stage is stage


def test_f54_late_is_said_in_working_time_so_a_weekend_is_not_lateness() -> None:
    found = urgency(at("27 16:50"), "first", 4 * HOUR, at("28 09:00"), BUCHAREST, "open")
    assert (found.stage, found.late_by, found.span, found.width) == (Stage.LATE, 10 * MINUTE, Span(0, 0, 10), 0.0)


def test_time_left_over_the_weekend_is_working_time() -> None:
    found = urgency(at("30 08:30"), "next", 8 * HOUR, at("27 16:50"), BUCHAREST, "open")  # Monday 9:30 summer time
    assert (found.stage, found.left, found.span) == (Stage.SOON, 40 * MINUTE, Span(0, 0, 40))


def test_while_there_is_time_it_never_says_nothing_is_left() -> None:
    found = urgency(at("26 10:00"), "first", 4 * HOUR, at("26 10:00") - timedelta(seconds=1), BUCHAREST, "open")
    assert (found.stage, found.span) == (Stage.LAST, Span(0, 0, 1))


@pytest.mark.parametrize(("minutes", "per_cent"), [(12, 16), (120, 50), (480, 100), (2000, 100), (0, 0)])
def test_the_rule_is_as_wide_as_the_root_of_the_working_day_left(minutes: int, per_cent: int) -> None:
    assert round(100 * width_of(minutes * MINUTE, 8 * HOUR)) == per_cent


@pytest.mark.parametrize(
    ("minutes", "pieces"),
    [
        (12, Span(0, 0, 12)),
        (220, Span(0, 3, 40)),
        (15 * 60, Span(2, 1, 0)),  # of seven hours each
        (15 * 60 + 59, Span(2, 1, 0)),
        (7 * 60, Span(0, 7, 0)),
        (0, Span(0, 0, 0)),
        (-5, Span(0, 0, 0)),
    ],
)
def test_a_duration_is_cut_into_at_most_two_units(minutes: int, pieces: Span) -> None:
    assert span(minutes * MINUTE, 7 * HOUR) == pieces


@given(left=st.integers(1, 60 * 21))
def test_the_order_of_the_queue_is_the_order_of_the_rules(left: int) -> None:
    now = at("26 09:00")
    nearer = urgency(add_business(now, left * MINUTE, DAYS), "first", 4 * HOUR, now, DAYS, "open")
    further = urgency(add_business(now, (left + 30) * MINUTE, DAYS), "first", 4 * HOUR, now, DAYS, "open")
    assert nearer.width <= further.width
    assert nearer.left < further.left


@given(events=events_of(), targets=targets_of, offset=st.integers(-40, 200))
def test_f55_deadline_stage_and_breach_agree_at_any_moment(events: list[Event], targets: Targets, offset: int) -> None:
    found = compute(events, targets, DAYS)
    now = START + (40 + offset) * TICK
    if found.due_at is None or found.due_for is None:
        return
    seen = urgency(found.due_at, found.due_for, TARGETS.first, now, DAYS, Status.OPEN)
    assert (seen.stage is Stage.LATE) is (now > found.due_at)
    if seen.stage is Stage.LATE:
        assert found.due_for in found.breached_at(now)
        assert seen.late_by == business_between(found.due_at, now, DAYS)
    else:
        assert seen.left == business_between(now, found.due_at, DAYS)
