"""Why something is due when it is: every promise of a conversation with every interval that was counted.

It walks the same states as the calculation, so that what it shows cannot differ from what is stored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from inbox.rules.business_time import CalendarHours, windows_between
from inbox.rules.ledger import Event, SlaState, Targets, in_effect, step
from inbox.rules.states import SlaKind, Target

MAX_WINDOWS: Final = 5000  # ten years of two windows a day

_DAY = timedelta(days=1)
_ENDS_RESPONSE = {SlaKind.AGENT_ANSWERED, SlaKind.RESOLVED, SlaKind.STOPPED}


class Why(StrEnum):
    WORKING_HOURS = "working-hours"
    OUTSIDE_HOURS = "outside-hours"
    HOLIDAY = "holiday"
    ON_HOLD = "on-hold"
    WAITING_FOR_CUSTOMER = "waiting-for-customer"


@dataclass(frozen=True, slots=True)
class Interval:
    start: datetime
    end: datetime
    is_counted: bool
    why: Why
    holidays: tuple[date, ...] = ()

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Promise:
    """One run of one clock. The intervals lie end to end from started_at on; the counted ones add up to `used`."""

    target: Target
    started_at: datetime
    ended_at: datetime | None  # None: still running
    ended_by: SlaKind | None
    budget: timedelta
    used: timedelta
    due_at: datetime | None
    is_breached: bool
    calendar: CalendarHours
    intervals: tuple[Interval, ...]


def explain(events: Iterable[Event], targets: Targets, calendar: CalendarHours, now: datetime) -> list[Promise]:
    """Every promise in the order of its end, those still running last."""
    state = SlaState(targets, calendar)
    counted: list[Interval] = []  # by the resolution clock, up to where it last stood still
    found: list[Promise] = []
    for event in in_effect(events):
        before, state = state, step(state, event)
        found += _response_ended(before, state, event)
        if before.working_since is not None and state.working_since is None:
            counted = _joined(counted, _intervals(before, before.working_since, event.occurred_at))
        if counted and event.kind in (SlaKind.RESOLVED, SlaKind.STOPPED):
            found.append(_promise(before, Target.RESOLUTION, before.working_since, counted, event))
            counted = []
    if (since := state.waiting_since) is not None:
        found.append(_promise(state, state.response_target, since, _intervals(state, since, now), None))
    if (since := state.working_since) is not None:
        found.append(_promise(state, Target.RESOLUTION, since, _joined(counted, _intervals(state, since, now)), None))
    return found


def _response_ended(before: SlaState, after: SlaState, event: Event) -> Iterator[Promise]:
    start = before.waiting_since
    if start is not None and start != after.waiting_since and event.kind in _ENDS_RESPONSE:
        intervals = _intervals(before, start, event.occurred_at)
        yield _promise(before, before.response_target, start, intervals, event)


def _joined(earlier: list[Interval], later: list[Interval]) -> list[Interval]:
    if earlier:  # a first piece may be of no length, to say when it began; a later one would say nothing
        later = [piece for piece in later if piece.length]
    if earlier and later and earlier[-1].end < later[0].start:
        earlier = [*earlier, Interval(earlier[-1].end, later[0].start, False, Why.WAITING_FOR_CUSTOMER)]
    return [*earlier, *later]


def _promise(
    state: SlaState, target: Target, since: datetime | None, intervals: list[Interval], end: Event | None
) -> Promise:
    """`since` is when its clock last began to run; None when it stood still, and nothing was due."""
    used = sum((piece.length for piece in intervals if piece.is_counted), timedelta(0))
    budget = state.budget(target)
    left = budget - state.worked if target is Target.RESOLUTION else budget
    return Promise(
        target=target,
        started_at=intervals[0].start,
        ended_at=None if end is None else end.occurred_at,
        ended_by=None if end is None else end.kind,
        budget=budget,
        used=used,
        due_at=None if since is None or state.held_since is not None else state.due(since, left),
        is_breached=used > budget and (end is None or end.kind != SlaKind.STOPPED),
        calendar=state.calendar,
        intervals=tuple(intervals),
    )


def _intervals(state: SlaState, start: datetime, end: datetime) -> list[Interval]:
    """Cut start..end at every edge of a window and of a hold, name each piece, and join what has one name."""
    windows = list(windows_between(start, end, state.calendar, MAX_WINDOWS))
    holds = list(state.holds)
    if state.held_since is not None and state.held_since < end:
        holds.append((state.held_since, end))
    inner = {edge for pair in (*windows, *holds) for edge in pair if start < edge < end}
    edges = [start, *sorted(inner), max(start, end)]
    opens = [window[0] for window in windows]
    found: list[Interval] = []
    for left, right in pairwise(edges):
        index = bisect_right(opens, left) - 1
        is_open = index >= 0 and left < windows[index][1]
        is_held = any(hold[0] <= left < hold[1] for hold in holds)
        why = Why.ON_HOLD if is_held else Why.WORKING_HOURS if is_open else Why.OUTSIDE_HOURS
        begin = found.pop().start if found and found[-1].why is why else left
        found.append(Interval(begin, right, why is Why.WORKING_HOURS, why))
    return [_with_holidays(piece, state.calendar) for piece in found]


def _with_holidays(piece: Interval, calendar: CalendarHours) -> Interval:
    if piece.why is not Why.OUTSIDE_HOURS or not (days := _holidays(calendar, piece.start, piece.end)):
        return piece
    return replace(piece, why=Why.HOLIDAY, holidays=days)


def _holidays(calendar: CalendarHours, start: datetime, end: datetime) -> tuple[date, ...]:
    """Holidays within a closed time that would have been working days; a year of them at most."""
    zone = ZoneInfo(calendar.zone)
    first, last = start.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()
    days = (first + number * _DAY for number in range(min((last - first).days, 366) + 1))
    return tuple(day for day in days if day in calendar.holidays and calendar.week[day.weekday()])
