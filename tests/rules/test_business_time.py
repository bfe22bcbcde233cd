"""Working time against a stepper that asks the zone about every single minute."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.rules.business_time import (
    CalendarHours,
    NoWorkingTime,
    add_business,
    business_between,
    default_hours,
    is_working,
    next_working,
    windows_between,
    working_day,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
JAKARTA = CalendarHours.from_data(**default_hours("Asia/Jakarta"))
BUCHAREST = CalendarHours.from_data(**default_hours("Europe/Bucharest"))
ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("posix", "right")))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def always(zone: str) -> CalendarHours:
    return CalendarHours(zone, (((0, 24 * 60),),) * 7)


# --- The stepper --------------------------------------------------------------------------------------------------


def counts(minute: datetime, calendar: CalendarHours) -> bool:
    local = minute.astimezone(ZoneInfo(calendar.zone))
    if local.fold or local.date() in calendar.holidays:
        return False
    of_day = local.hour * 60 + local.minute
    return any(start <= of_day < end for start, end in calendar.week[local.weekday()])


def stepped(start: datetime, end: datetime, calendar: CalendarHours) -> timedelta:
    minutes = int((end - start) / MINUTE)
    return sum(counts(start + index * MINUTE, calendar) for index in range(minutes)) * MINUTE


def step_add(start: datetime, amount: timedelta, calendar: CalendarHours) -> datetime:
    at, left = start, amount
    while left > timedelta(0):
        if counts(at, calendar):
            left -= MINUTE
        at += MINUTE
    return at


@cache
def transitions(zone: str, year: int) -> tuple[datetime, ...]:
    """Instants, to the minute, at which the zone's offset changes in a UTC year."""
    info, found = ZoneInfo(zone), []
    day = datetime(year, 1, 1, tzinfo=UTC)
    for _ in range(366):
        low, high = day, day + timedelta(days=1)
        if low.astimezone(info).utcoffset() != high.astimezone(info).utcoffset():
            while high - low > MINUTE:
                middle = low + (high - low) // 2 // MINUTE * MINUTE
                if middle.astimezone(info).utcoffset() == day.astimezone(info).utcoffset():
                    low = middle
                else:
                    high = middle
            found.append(high)
        day += timedelta(days=1)
    return tuple(found)


# --- Strategies ---------------------------------------------------------------------------------------------------


@st.composite
def days(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    edges = sorted(draw(st.sets(st.integers(0, 96), max_size=6)))
    return tuple((start * 15, end * 15) for start, end in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> CalendarHours:
    week = draw(st.tuples(*[days()] * 7).filter(any))
    holidays = draw(st.frozensets(st.dates(date(2026, 3, 1), date(2026, 4, 30)), max_size=4))
    return CalendarHours(draw(st.sampled_from(ZONES)), week, holidays)


minutes_of_spring = st.integers(0, 50 * 24 * 60).map(lambda minute: datetime(2026, 3, 5, tzinfo=UTC) + minute * MINUTE)


# --- Properties ---------------------------------------------------------------------------------------------------


@given(calendar=calendars(), start=minutes_of_spring, length=st.integers(0, 30 * 60))
def test_f54_working_time_equals_the_minute_stepper(calendar: CalendarHours, start: datetime, length: int) -> None:
    end = start + length * MINUTE
    assert business_between(start, end, calendar) == stepped(start, end, calendar)


@given(calendar=calendars(), start=minutes_of_spring, amount=st.integers(0, 6 * 60))
def test_f54_adding_working_time_equals_the_minute_stepper(
    calendar: CalendarHours, start: datetime, amount: int
) -> None:
    due = add_business(start, amount * MINUTE, calendar)
    if due - start < timedelta(days=2):  # the stepper is slow
        assert due == step_add(start, amount * MINUTE, calendar)
    assert business_between(start, due, calendar) == amount * MINUTE


@given(
    calendar=calendars(),
    start=st.datetimes(datetime(1999, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    parts=st.lists(st.timedeltas(timedelta(0), timedelta(days=500)), min_size=2, max_size=2),
)
def test_working_time_adds_up_over_any_cut_and_across_years(
    calendar: CalendarHours, start: datetime, parts: list[timedelta]
) -> None:
    middle, end = start + parts[0], start + parts[0] + parts[1]
    whole = business_between(start, end, calendar)
    assert whole == business_between(start, middle, calendar) + business_between(middle, end, calendar)
    assert whole == sum((b - a for a, b in windows_between(start, end, calendar, limit=10_000)), timedelta(0))
    due = add_business(start, whole, calendar)
    assert due <= end
    assert business_between(due, end, calendar) == timedelta(0)


@given(zone=st.sampled_from(ZONES), year=st.integers(2000, 2039))
def test_f56_around_every_clock_change_time_equals_the_stepper(zone: str, year: int) -> None:
    check_transitions(zone, year)


def check_transitions(zone: str, year: int) -> None:
    whole = always(zone)
    night = CalendarHours(zone, (((0, 150), (180, 370), (1380, 1440)),) * 7)
    for change in transitions(zone, year):
        start, end = change - timedelta(hours=4), change + timedelta(hours=5)
        for calendar in (whole, night):
            assert business_between(start, end, calendar) == stepped(start, end, calendar), (zone, change)
            assert add_business(start, 2 * HOUR, calendar) == step_add(start, 2 * HOUR, calendar), (zone, change)


@pytest.mark.soak
@pytest.mark.skipif(not os.environ.get("BALAS_SOAK"), reason="takes more than a minute: make soak")
@pytest.mark.timeout(3600)
def test_f56_in_all_zones_at_all_clock_changes_from_2000_to_2040() -> None:
    for zone in ZONES:
        for year in range(2000, 2041):
            check_transitions(zone, year)


# --- Examples -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2026-11-24T02:00", 3 * HOUR, "2026-11-24T05:00"),  # 9:00 in Jakarta to the lunch break's start
        ("2026-11-24T02:00", 4 * HOUR, "2026-11-24T07:00"),  # and over it
        ("2026-11-27T09:00", 2 * HOUR, "2026-11-30T03:00"),  # Friday 16:00 runs into Monday
        ("2026-11-28T09:00", 8 * HOUR, "2026-12-01T03:00"),  # from Saturday on
        ("2026-11-24T00:00", timedelta(0), "2026-11-24T00:00"),
    ],
)
def test_a_deadline_falls_into_working_hours(start: str, amount: timedelta, due: str) -> None:
    assert add_business(utc(start), amount, JAKARTA) == utc(due)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-29T00:00", "2026-03-29T03:00", 3),  # Bucharest 2:00–3:00, 4:00–6:00: the gap is no time at all
        ("2026-10-24T21:00", "2026-10-25T22:00", 24),  # a day of 25 hours counts 24
        ("2026-03-28T22:00", "2026-03-29T21:00", 23),
    ],
)
def test_f56_an_overlap_counts_once_and_a_gap_not_at_all(start: str, end: str, hours: int) -> None:
    assert business_between(utc(start), utc(end), always("Europe/Bucharest")) == hours * HOUR


def test_f56_a_deadline_in_the_skipped_hour_moves_forward() -> None:
    night = CalendarHours("Europe/Bucharest", (((3 * 60 + 30, 6 * 60),),) * 7)
    # 3:30 does not exist on this night: the window opens at the jump, 4:00 summer time.
    assert next_working(utc("2026-03-29T00:00"), night) == utc("2026-03-29T01:00")


def test_f56_a_whole_skipped_day_holds_no_time() -> None:
    apia = always("Pacific/Apia")
    assert business_between(utc("2011-12-30T09:00"), utc("2011-12-30T11:00"), apia) == 2 * HOUR
    friday_off = CalendarHours("Pacific/Apia", apia.week, frozenset({date(2011, 12, 30)}))
    assert business_between(utc("2011-12-29T10:00"), utc("2011-12-31T10:00"), friday_off) == 48 * HOUR


def test_f57_only_the_holidays_of_the_calendar_are_days_off() -> None:
    christmas = CalendarHours(BUCHAREST.zone, BUCHAREST.week, frozenset({date(2026, 12, 25)}))
    start, end = utc("2026-12-24T00:00"), utc("2026-12-27T00:00")
    assert business_between(start, end, BUCHAREST) == 14 * HOUR
    assert business_between(start, end, christmas) == 7 * HOUR


def test_an_end_before_the_start_is_no_time() -> None:
    assert business_between(utc("2026-11-24T09:00"), utc("2026-11-24T08:00"), BUCHAREST) == timedelta(0)


def test_microseconds_are_kept() -> None:
    start = datetime.combine(date(2026, 11, 24), time(8, 0, 0, 1), UTC)
    assert add_business(start, HOUR, BUCHAREST) == start + HOUR


def test_opening_and_open_agree() -> None:
    assert is_working(utc("2026-11-24T07:00"), BUCHAREST)
    assert not is_working(utc("2026-11-24T10:00"), BUCHAREST)  # lunch begins
    assert not is_working(utc("2026-11-24T15:00"), BUCHAREST)  # and the day ends
    assert next_working(utc("2026-11-24T15:00"), BUCHAREST) == utc("2026-11-25T07:00")


@pytest.mark.parametrize(
    ("week", "hours"),
    [
        ([480] * 5 + [0, 0], 8),
        ([480] * 5 + [240, 0], 8),
        ([240] * 3 + [480] * 3 + [0], 8),
        ([1440] * 7, 24),
    ],
)
def test_a_working_day_is_the_usual_one(week: list[int], hours: int) -> None:
    calendar = CalendarHours("UTC", tuple(((0, length),) if length else () for length in week))
    assert working_day(calendar) == hours * HOUR


def test_the_default_calendar_has_a_lunch_break_and_survives_its_data_form() -> None:
    assert working_day(BUCHAREST) == 7 * HOUR
    holidays = CalendarHours(BUCHAREST.zone, BUCHAREST.week, frozenset({date(2026, 12, 25)}))
    assert CalendarHours.from_data(**holidays.to_data()) == holidays


@pytest.mark.parametrize(
    "hours",
    [
        {},
        {"mon": []},
        {"mon": [["12:00", "09:00"]]},
        {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]},
        {"mon": [["09:00", "24:01"]]},
        {"monday": [["09:00", "12:00"]]},
        {"mon": [["9 o'clock", "12:00"]]},
        {"mon": [["09:75", "12:00"]]},
    ],
)
def test_hours_that_make_no_sense_are_refused(hours: dict[str, list[list[str]]]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        CalendarHours.from_data("UTC", hours)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(KeyError):
        CalendarHours.from_data(**default_hours("Europe/Atlantis"))


def test_a_calendar_without_time_ahead_ends_the_search() -> None:
    with pytest.raises(NoWorkingTime):
        add_business(datetime(9998, 6, 1, tzinfo=UTC), timedelta(days=2000), always("UTC"))
    empty = frozenset(date(2026, 1, 5) + timedelta(weeks=week) for week in range(52 * 45))
    mondays = CalendarHours("UTC", (((0, 60),), (), (), (), (), (), ()), empty)
    with pytest.raises(NoWorkingTime):
        add_business(utc("2026-01-01T00:00"), HOUR, mondays)


def test_working_time_is_never_taken_back() -> None:
    with pytest.raises(ValueError, match="taken back"):
        add_business(utc("2026-01-01T00:00"), -HOUR, BUCHAREST)
