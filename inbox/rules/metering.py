"""What limits and budgets allow: pure, with `now` as an argument.

Platforms err in what they say of their limits: a window that resets in five minutes may last five hours, or have been
reset in the past. So the time they name is a floor; each further refusal in a row waits twice as long as the one
before, and an endpoint that answers again is trusted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from connectors.social import Window

FIRST_WAIT = timedelta(seconds=60)  # where a refusal names no time
LONGEST_WAIT = timedelta(hours=6)  # between two attempts, as long as nothing names a longer one
LONGEST_BELIEVED = timedelta(hours=25)
_SAME = timedelta(seconds=2)
_LEAST_KEPT = (
    0.1  # of a budget: so much reading leaves for answers at the beginning of a day, also where none were sent
)
_MOST_KEPT = 0.5
_MARGIN = 1.25  # over what answers have cost lately


def wait_after(refused_for: timedelta | None, windows: Sequence[Window], waited: timedelta, now: datetime) -> timedelta:
    """How long nobody asks after a refusal; `waited`: what the one before in a row cost, zero for the first."""
    named = [refused_for] if refused_for and refused_for > timedelta(0) else []
    named += [one.resets_at - now for one in windows if one.remaining <= 0 and one.resets_at > now]
    floor = min(max(named, default=FIRST_WAIT), LONGEST_BELIEVED)
    return max(floor, min(2 * waited, LONGEST_WAIT))


def renewed(window: Window, now: datetime) -> datetime:
    """When a window that an answer speaks of is renewed, as far as that can be believed."""
    if window.resets_at <= now:
        # In the past, or by another clock. With calls left that does no harm; without any it is asked a little later.
        return now if window.remaining > 0 else now + min(FIRST_WAIT, timedelta(seconds=window.seconds or 60))
    return min(window.resets_at, now + LONGEST_BELIEVED)


def is_same_window(known: datetime | None, told: datetime) -> bool:
    return known is not None and abs(known - told) <= _SAME


# --- Money ----------------------------------------------------------------------------------------------------------


def is_reading(resource: str) -> bool:
    """Resources that are read end in `.read`; everything else is part of an answer."""
    return resource.endswith(".read")


def day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()


def next_day(now: datetime) -> datetime:
    return datetime.combine(day_of(now) + timedelta(days=1), time(), UTC)


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def next_month(now: datetime) -> datetime:
    first = (first_of_month(day_of(now)) + timedelta(days=32)).replace(day=1)
    return datetime.combine(first, time(), UTC)


def share_left(now: datetime, *, of_month: bool) -> float:
    """How much of the running day or month is still to come, in (0, 1]."""
    if not of_month:
        return (next_day(now) - now) / timedelta(days=1)
    begun = datetime.combine(first_of_month(day_of(now)), time(), UTC)
    return (next_month(now) - now) / (next_month(now) - begun)


def kept_for_answers(limit: int, sends: float, one: int, left: float) -> int:
    """Micros of a budget that reading leaves alone, so that answers can be sent until the end of its day or month.

    `sends`: what answers cost lately in such a time, `one`: what one answer costs, `left`: how much of the time is to
    come. It shrinks with the time; one answer is always kept, as far as half of the budget covers it.
    """
    wanted = max(_LEAST_KEPT * limit, _MARGIN * sends) * left
    return int(min(max(wanted, one), _MOST_KEPT * limit))


def units_within(limit: int | None, spent: int, kept: int, price: int, most: int) -> int:
    """How many units of `price` a limit still allows, 0 to `most`; None is no limit, and what is free has none."""
    if limit is None or price <= 0:
        return most
    return max(0, min(most, (limit - kept - spent) // price))
