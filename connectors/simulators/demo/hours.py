"""Working time of the made-up shop, walked backwards: when must a mail have come in so that it is due then?

The shop's calendar is the product's default one: Monday to Friday, 9 to 12 and 13 to 17, in the organisation's zone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WINDOWS = ((time(9), time(12)), (time(13), time(17)))
MAX_DAYS = 400
NIGHT_ENDS = 7


def read_zone(name: str) -> tzinfo:
    """The zone of that name, or UTC where the machine has no time zone data or the name is unknown."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def find_local_zone() -> str:
    """The machine's own zone by name, "UTC" when it cannot be told."""
    name = os.environ.get("TZ", "").lstrip(":")
    if not name:
        _, found, name = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")
        name = name if found else ""
    return name if read_zone(name or "UTC") is not UTC else "UTC"


def _windows_before(moment: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    """Working windows that begin before `moment`, latest first, cut at it; in UTC."""
    day: date = moment.astimezone(zone).date()
    for _ in range(MAX_DAYS):
        for opens, closes in reversed(WINDOWS):
            first = datetime.combine(day, opens, zone).astimezone(UTC)
            last = min(datetime.combine(day, closes, zone).astimezone(UTC), moment)
            if day.weekday() < 5 and first < last:
                yield first, last
        day -= timedelta(days=1)


def go_back(moment: datetime, working: timedelta, zone: tzinfo) -> datetime:
    """The latest instant from which `working` time has passed until `moment`."""
    left = working
    for first, last in _windows_before(moment.astimezone(UTC), zone):
        if last - first >= left:
            return last - left
        left -= last - first
    raise ValueError("Too far back")


def at_work(moment: datetime, zone: tzinfo) -> datetime:
    """`moment` itself when the shop is open, else some time within the window that closed last."""
    moment = moment.astimezone(UTC)
    first, last = next(_windows_before(moment, zone))
    if last == moment:
        return moment
    # Spread by the moment itself, or everything would have been answered at the stroke of five.
    return last - (last - first) * ((moment.hour * 3600 + moment.minute * 60 + moment.second) % 997) / 1000


def awake(moment: datetime, zone: tzinfo) -> datetime:
    """`moment` itself, or the evening before when it lies in the night of somebody who sleeps."""
    there = moment.astimezone(zone)
    if there.hour >= NIGHT_ENDS:
        return moment
    evening = datetime.combine(there.date() - timedelta(days=1), time(19), zone)
    return (evening + timedelta(hours=3) * (there.minute + 1) / 61).astimezone(UTC)
