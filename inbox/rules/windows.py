"""What is left of a platform's limits: pure, over rows of `EndpointWindow` or anything with the same columns.

Platforms err in what they say: a window that resets in five minutes may last five hours, or have been reset in the
past. So the time they name is a floor; each further refusal in a row waits twice as long as the one before, and an
endpoint that answers again is trusted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from connectors.social import Window

FIRST_WAIT = timedelta(seconds=60)  # where a refusal names no time
LONGEST_WAIT = timedelta(hours=6)  # between two attempts, as long as nothing names a longer one
LONGEST_BELIEVED = timedelta(hours=25)
_SAME = timedelta(seconds=2)


class Stand(Protocol):
    """One window of one endpoint, as last known (inbox.models.EndpointWindow has the meanings)."""

    seconds: int
    calls: int
    remaining: int
    resets_at: datetime | None
    refused_until: datetime | None
    refusals: int
    waited: int


def closed_until(stands: Iterable[Stand], now: datetime) -> datetime | None:
    """Until when a call would be refused, as far as we know; None: it may be made now."""
    ends = [one.refused_until for one in stands if one.refused_until and one.refused_until > now]
    ends += [one.resets_at for one in stands if one.resets_at and one.resets_at > now and one.remaining <= 0]
    return max(ends, default=None)


def count(stand: Stand, now: datetime) -> bool:
    """One call is about to be made; whether that changed anything."""
    if stand.resets_at is None:
        return False
    if stand.resets_at > now:
        stand.remaining -= 1
    elif stand.seconds:
        # Renewed, as far as we know; the answer will say exactly.
        stand.remaining, stand.resets_at = stand.calls - 1, now + timedelta(seconds=stand.seconds)
    else:
        return False
    return True


def learn(stand: Stand, window: Window, now: datetime) -> None:
    """What an answer said. Answers may overtake each other: within one window nothing is given back."""
    until = _renewed(window, now)
    remaining = max(0, window.remaining)
    if stand.resets_at is not None and abs(stand.resets_at - until) <= _SAME:
        remaining = min(remaining, stand.remaining)
    stand.calls, stand.remaining, stand.resets_at = max(0, window.limit), remaining, until


def _renewed(window: Window, now: datetime) -> datetime:
    if window.resets_at <= now:
        # In the past, or by another clock. With calls left that does no harm; without any it is asked a little later.
        return now if window.remaining > 0 else now + min(FIRST_WAIT, timedelta(seconds=window.seconds or 60))
    return min(window.resets_at, now + LONGEST_BELIEVED)


def refuse(stand: Stand, refused_for: timedelta, windows: Sequence[Window], now: datetime) -> None:
    """The platform refused. Several refusals of calls that were under way together are one."""
    waited = timedelta(seconds=stand.waited)
    if stand.refused_until is not None and stand.refused_until > now:
        waited /= 2
    wait = _wait_after(refused_for, windows, waited, now)
    stand.refused_until, stand.waited = now + wait, int(wait.total_seconds())
    stand.refusals = min(stand.refusals + 1, 30_000)


def _wait_after(refused_for: timedelta, windows: Sequence[Window], waited: timedelta, now: datetime) -> timedelta:
    named = [refused_for] if refused_for > timedelta(0) else []
    named += [one.resets_at - now for one in windows if one.remaining <= 0 and one.resets_at > now]
    floor = min(max(named, default=FIRST_WAIT), LONGEST_BELIEVED)
    return max(floor, min(2 * waited, LONGEST_WAIT))


def forgive(stand: Stand, now: datetime) -> bool:
    """The endpoint answered again; whether there was anything to forget."""
    if not stand.refusals or (stand.refused_until is not None and stand.refused_until > now):
        return False
    stand.refusals, stand.waited, stand.refused_until = 0, 0, None
    return True
