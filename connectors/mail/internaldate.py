"""INTERNALDATE: when a server received a mail, in the one form IMAP knows (RFC 3501 §9, date-time)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_WHEN = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$")
_MONTHS = {
    name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)
}


def read_internal_date(text: bytes) -> datetime | None:
    """An INTERNALDATE (`17-Jul-1996 02:44:25 -0700`) in UTC; None when it is none."""
    match = _WHEN.match(text)
    if not match:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    try:
        zone = timezone(-offset if sign == b"-" else offset) if offset else UTC
        clock = (int(hour), int(minute), min(int(second), 59))
        return datetime(int(year), _MONTHS[month.lower()], int(day), *clock, tzinfo=zone).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None
