"""Working hours: instants in UTC, hours as local wall time of an IANA zone.

A minute counts when its local wall time lies in a window of a day that is no holiday. Where clocks jump forward the
skipped wall time does not exist, so a window's edge inside it moves forward to the jump; where they fall back, the
repeated wall time counts once, at its first pass.

Each calendar keeps, per UTC year, its windows with their running sum; after the first question about a year, an answer
is two binary searches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any, Final
from zoneinfo import ZoneInfo

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES: Final = 24 * 60
MAX_YEARS: Final = 40  # how far add_business looks for time before it gives up

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 local wall time has no zone of its own
_MICRO = timedelta(microseconds=1)
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = 86_400 * _SECOND

Week = tuple[tuple[tuple[int, int], ...], ...]


class NoWorkingTime(ValueError):
    """The calendar holds too few working hours ahead of the date, or the date is absurd."""


@dataclass(frozen=True, slots=True)
class _Year:
    starts: list[int]  # microseconds since the epoch
    ends: list[int]
    before: list[int]  # working time of the year before each window
    through: list[int]  # and including it
    total: int

    def worked(self, at: int) -> int:
        """Working time of this year before `at`."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0
        return self.before[index] + min(at, self.ends[index]) - self.starts[index]


@dataclass(frozen=True)
class CalendarHours:
    """One version of a calendar. `week` holds seven days, Monday first, each with (from, to) in minutes of the day.

    Windows of a day are ascending and disjoint; a night shift is written as 22:00–24:00 and 00:00–06:00.
    Raises ValueError for anything else, and for a week without any window; KeyError (ZoneInfoNotFoundError) for an
    unknown zone.
    """

    zone: str
    week: Week
    holidays: frozenset[date] = frozenset()
    _years: dict[int, _Year] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ZoneInfo(self.zone)
        if len(self.week) != len(WEEKDAYS):
            raise ValueError("a week has seven days")
        if not any(self.week):
            raise ValueError("a calendar needs at least one working window in the week")
        for windows in self.week:
            edges = [edge for window in windows for edge in window]
            if any(start >= end for start, end in windows) or edges != sorted(edges):
                raise ValueError("the windows of a day must be ascending and may not overlap")
            if edges and (edges[0] < 0 or edges[-1] > DAY_MINUTES):
                raise ValueError("a window lies between 00:00 and 24:00")

    @classmethod
    def from_data(
        cls, zone: str, hours: Mapping[str, Iterable[Iterable[str]]], holidays: Iterable[str | date] = ()
    ) -> CalendarHours:
        """From what is stored: {"mon": [["09:00", "12:00"], …], …} and ISO dates. Raises ValueError or KeyError."""
        unknown = set(hours) - set(WEEKDAYS)
        if unknown:
            raise ValueError(f"no such weekday: {min(unknown)}")
        week = tuple(tuple(_window(window) for window in hours.get(day, ())) for day in WEEKDAYS)
        days = (day if isinstance(day, date) else date.fromisoformat(day) for day in holidays)
        return cls(zone, week, frozenset(days))

    def to_data(self) -> dict[str, Any]:
        """The same as plain JSON: {"zone", "hours", "holidays"}."""
        hours = {
            day: [[_clock(start), _clock(end)] for start, end in windows]
            for day, windows in zip(WEEKDAYS, self.week, strict=True)
            if windows
        }
        return {"zone": self.zone, "hours": hours, "holidays": sorted(day.isoformat() for day in self.holidays)}

    def _year(self, year: int) -> _Year:
        found = self._years.get(year)
        if found is None:
            if len(self._years) > 4 * MAX_YEARS:
                self._years.clear()
            found = self._years[year] = _build_year(self, year)
        return found


def _window(window: Iterable[str]) -> tuple[int, int]:
    start, end = window
    return _minutes(start), _minutes(end)


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60):
        raise ValueError(f"not a time of day: {clock}")
    return int(hours) * 60 + int(minutes)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICRO


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


# --- From wall time to instants -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A run of instants with one UTC offset; `counts_from` is the first local time that is no repetition."""

    start: int
    end: int
    offset: int
    counts_from: int


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = _instant(at).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // _MICRO


def _stretches(zone: ZoneInfo, start: int, end: int) -> list[_Stretch]:
    """Cut start..end where the zone's offset changes. Looks once a day, then halves down to the second."""
    found: list[_Stretch] = []
    begin, offset, counts_from = start, _offset(zone, start), start + _offset(zone, start)
    for probe in range(start + _DAY, end + _DAY, _DAY):
        before, after, change = probe - _DAY, probe, _offset(zone, probe)
        if change == offset:
            continue
        while after - before > _SECOND:
            middle = (before + after) // 2 // _SECOND * _SECOND
            if _offset(zone, middle) == offset:
                before = middle
            else:
                after = middle
        found.append(_Stretch(begin, after, offset, counts_from))
        begin, counts_from = after, max(after + change, after + offset)
        offset = change
    found.append(_Stretch(begin, end, offset, counts_from))
    return found


def _build_year(calendar: CalendarHours, year: int) -> _Year:
    try:
        first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        low, high = _micros(first), _micros(last)
        # Local dates run up to a day ahead of or behind UTC.
        windows = _windows(calendar, low - 2 * _DAY, high + 2 * _DAY)
        cut = [(max(start, low), min(end, high)) for start, end in windows if end > low and start < high]
    except (OverflowError, ValueError) as error:
        raise NoWorkingTime(f"no calendar for the year {year}") from error
    through = list(accumulate(end - start for start, end in cut))
    return _Year(
        starts=[start for start, _ in cut],
        ends=[end for _, end in cut],
        before=[0, *through[:-1]] if through else [],
        through=through,
        total=through[-1] if through else 0,
    )


def _windows(calendar: CalendarHours, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Windows as instants, ascending and disjoint, of all local days that touch low..high."""
    for stretch in _stretches(ZoneInfo(calendar.zone), low, high):
        local_start, local_end = stretch.counts_from, stretch.end + stretch.offset
        for day in range(local_start // _DAY, local_end // _DAY + 1):
            today = (_NAIVE_EPOCH + timedelta(days=day)).date()
            if today in calendar.holidays:
                continue
            for start, end in calendar.week[today.weekday()]:
                opens = max(day * _DAY + start * _MINUTE, local_start)
                closes = min(day * _DAY + end * _MINUTE, local_end)
                if opens < closes:
                    yield opens - stretch.offset, closes - stretch.offset


# --- Questions ----------------------------------------------------------------------------------------------------


def business_between(start: datetime, end: datetime, calendar: CalendarHours) -> timedelta:
    """Working time from start to end; zero when end is not after start."""
    low, high = _micros(start), _micros(end)
    if high <= low:
        return timedelta(0)
    first, last = start.astimezone(UTC).year, end.astimezone(UTC).year
    worked = calendar._year(last).worked(high) - calendar._year(first).worked(low)
    for year in range(first, last):
        worked += calendar._year(year).total
    return timedelta(microseconds=worked)


def add_business(start: datetime, amount: timedelta, calendar: CalendarHours) -> datetime:
    """The first instant by which `amount` of working time has passed since start; start itself for none.

    Raises NoWorkingTime when MAX_YEARS years hold less than that, ValueError for a negative amount.
    """
    wanted = amount // _MICRO
    if wanted < 0:
        raise ValueError("working time cannot be taken back")
    if wanted == 0:
        return start
    year = start.astimezone(UTC).year
    wanted += calendar._year(year).worked(_micros(start))
    for _ in range(MAX_YEARS):
        table = calendar._year(year)
        if wanted <= table.total:
            index = bisect_left(table.through, wanted)
            return _instant(table.starts[index] + wanted - table.before[index])
        wanted -= table.total
        year += 1
    raise NoWorkingTime(f"the calendar holds less than {amount} of working time in {MAX_YEARS} years")


def windows_between(
    start: datetime, end: datetime, calendar: CalendarHours, limit: int = 1000
) -> Iterator[tuple[datetime, datetime]]:
    """The working windows between two instants, clipped to them, at most `limit`."""
    low, high, left = _micros(start), _micros(end), limit
    for year in range(start.astimezone(UTC).year, end.astimezone(UTC).year + 1):
        table = calendar._year(year)
        for index in range(bisect_right(table.ends, low), len(table.starts)):
            if table.starts[index] >= high or left <= 0:
                return
            left -= 1
            yield _instant(max(low, table.starts[index])), _instant(min(high, table.ends[index]))


def is_working(at: datetime, calendar: CalendarHours) -> bool:
    return next_working(at, calendar) == at


def next_working(at: datetime, calendar: CalendarHours) -> datetime:
    """`at` itself in working hours, else the next opening. Raises NoWorkingTime."""
    return add_business(at, _MICRO, calendar) - _MICRO


def working_day(calendar: CalendarHours) -> timedelta:
    """One working day: the length that most working days of the week have; of equals, the longer."""
    lengths = Counter(sum(end - start for start, end in windows) for windows in calendar.week if windows)
    return timedelta(minutes=max(lengths, key=lambda length: (lengths[length], length)))


def default_hours(zone: str) -> dict[str, Any]:
    """Version 1 of the default calendar as data: Monday to Friday 9–12 and 13–17."""
    hours = {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in WEEKDAYS[:5]}
    return {"zone": zone, "hours": hours, "holidays": []}
