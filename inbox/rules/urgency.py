"""How urgent a conversation looks: its stage, what is left in working time, and the width of its rule.

Stages: `late` when the time is over; `last` under 15 minutes, or under a third of the promise if that is less; `soon`
under an hour; else `calm`. `paused` lies on hold, `kept` is answered or done, `none` has no clock. The rule is
√(left ÷ one working day) wide, so that minutes can be told apart as well as days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt
from typing import Final, NamedTuple

from inbox.rules.business_time import CalendarHours, business_between, working_day
from inbox.rules.states import Status, Target

LAST: Final = timedelta(minutes=15)
SOON: Final = timedelta(hours=1)

_ZERO = timedelta(0)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


class Stage(StrEnum):
    LATE = "late"
    LAST = "last"
    SOON = "soon"
    CALM = "calm"
    PAUSED = "paused"
    NONE = "none"
    KEPT = "kept"


class Span(NamedTuple):
    """A duration to be said in at most two units: days and hours, or hours and minutes, or minutes."""

    days: int
    hours: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Urgency:
    stage: Stage
    due_for: Target | None = None
    left: timedelta = _ZERO  # working time; zero when late
    late_by: timedelta = _ZERO  # working time
    width: float = 0.0  # of the rule, 0..1; 0 when late, where the rule stands up
    span: Span | None = None  # of what is left, or of the lateness


def urgency(
    due_at: datetime | None,
    due_for: Target | str | None,
    target: timedelta,
    now: datetime,
    calendar: CalendarHours,
    status: Status | str,
) -> Urgency:
    """`target` is the whole promise that `due_for` names. A stored due_at of a held conversation does not matter."""
    if status == Status.SNOOZED:
        return Urgency(Stage.PAUSED)
    if due_at is None or status in (Status.RESOLVED, Status.SPAM):
        return Urgency(Stage.KEPT if status in (Status.WAITING, Status.RESOLVED) else Stage.NONE)
    named, day = Target(due_for) if due_for else None, working_day(calendar)
    if now > due_at:
        late_by = business_between(due_at, now, calendar)
        return Urgency(Stage.LATE, named, late_by=late_by, span=span(late_by, day))
    left = business_between(now, due_at, calendar)
    # Rounded up: while there is time, it never says "0 min".
    shown = span(-(-left // _MINUTE) * _MINUTE, day)
    return Urgency(stage_of(left, target), named, left, width=width_of(left, day), span=shown)


def stage_of(left: timedelta, target: timedelta) -> Stage:
    if left < min(LAST, target / 3):
        return Stage.LAST
    return Stage.SOON if left < SOON else Stage.CALM


def width_of(left: timedelta, day: timedelta) -> float:
    return min(1.0, sqrt(max(left, _ZERO) / day))


def span(duration: timedelta, day: timedelta = timedelta(days=1)) -> Span:
    """Cut into days (of `day`: pass the working day for working time), hours and minutes, rounded down.

    From one day on the minutes are left out. Up to one day it is said in hours: "7 h" is clearer than "1 d".
    """
    if duration > day:
        days, rest = divmod(duration, day)
        return Span(days, rest // _HOUR, 0)
    hours, rest = divmod(max(duration, _ZERO), _HOUR)
    return Span(0, hours, rest // _MINUTE)
