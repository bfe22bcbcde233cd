"""When an account's ids are next listed in full: once a day, each account at its own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_DAY: Final = 86_400
_SPREAD: Final = 53_399  # the golden part of a day: neighbours in number lie far apart, and all evenly
LEAST: Final = timedelta(hours=12)
AGAIN_AFTER_FAULT: Final = timedelta(minutes=15)


def next_proof(account_id: int, after: datetime) -> datetime:
    """The account's time of day (UTC), at least twelve and less than 36 hours after `after`."""
    midnight = after.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + timedelta(seconds=account_id * _SPREAD % _DAY)
    while at - after < LEAST:
        at += timedelta(days=1)
    return at
