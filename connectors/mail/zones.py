"""A time zone that a calendar defines itself (RFC 5545 §3.6.5): its offset at a moment of its own clock.

Only what calendar programs write is understood: a rule per year by month and weekday, or a single change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)(?::?(\d\d))?$")
_START = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)")
_DAY = re.compile(r"([+-]?\d)?(SU|MO|TU|WE|TH|FR|SA)$")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class _Change:
    """Each year at that moment, or once, the offset becomes another."""

    first: datetime
    offset: timedelta
    month: int = 0
    weekday: int = -1
    week: int = 0  # 1 the first, -1 the last

    def before(self, local: datetime) -> datetime | None:
        """The last time that it happened up to a moment of the zone's own clock."""
        if not self.month:
            return self.first if self.first <= local else None
        for year in (local.year, local.year - 1):
            at = self._in(year)
            if at is not None and self.first <= at <= local:
                return at
        return None

    def _in(self, year: int) -> datetime | None:
        try:
            if self.weekday < 0:
                return self.first.replace(year=year, month=self.month)
            if self.week > 0:
                start = self.first.replace(year=year, month=self.month, day=1)
                ahead = (self.weekday - start.weekday()) % 7 + 7 * (self.week - 1)
                return start + timedelta(days=ahead)
            year, month = (year, self.month + 1) if self.month < 12 else (year + 1, 1)
            end = self.first.replace(year=year, month=month, day=1) - timedelta(days=1)
            return end - timedelta(days=(end.weekday() - self.weekday) % 7 + 7 * (-self.week - 1))
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class Zone:
    changes: tuple[_Change, ...] = ()

    def offset(self, local: datetime) -> timedelta | None:
        """What is to be taken off the zone's own time to get UTC; None when the definition does not tell."""
        last = max(((at, one.offset) for one in self.changes if (at := one.before(local)) is not None), default=None)
        if last is not None:
            return last[1]
        return self.changes[0].offset if self.changes else None


def read_zone(parts: Iterable[tuple[str, dict[str, str]]]) -> Zone:
    """From the STANDARD and DAYLIGHT components: (kind, properties)."""
    found = (_change(properties) for kind, properties in parts if kind in ("STANDARD", "DAYLIGHT"))
    return Zone(tuple(change for change in found if change is not None)[:50])


def _change(properties: dict[str, str]) -> _Change | None:
    offset = _OFFSET.match(properties.get("tzoffsetto", "").strip())
    start = _START.match(properties.get("dtstart", "").strip())
    if offset is None or start is None:
        return None
    sign, hours, minutes, seconds = offset.groups()
    length = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
    try:
        first = datetime(*map(int, start.groups()))  # type: ignore[arg-type]  # noqa: DTZ001 - the zone's own clock
    except ValueError:
        return None
    length = -length if sign == "-" else length
    rule = dict(piece.split("=", 1) for piece in properties.get("rrule", "").upper().split(";") if "=" in piece)
    month, day = rule.get("BYMONTH", ""), _DAY.match(rule.get("BYDAY", ""))
    if rule.get("FREQ") != "YEARLY":
        return _Change(first, length)
    if not (month.isdigit() and 1 <= int(month) <= 12):
        return _Change(first, length, first.month)
    if day is None:
        return _Change(first, length, int(month))
    return _Change(first, length, int(month), _DAYS.index(day.group(2)), int(day.group(1) or 1) or 1)
