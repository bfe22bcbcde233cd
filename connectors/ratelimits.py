"""What platforms say about their limits in the headers of an answer, read into `Window`s. Nothing there is believed
beyond reason: a header may be missing, wrong, of another clock, or a lie.

    windows = windows_of(X_HEADERS, headers, now)

`RateHeaders` is one window's row in a platform's table. A reset is read as what it must be by its size: seconds from
now, seconds or milliseconds since 1970, or a written time. It is taken against the server's own clock (`Date`), so
that clocks which differ do no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from connectors.social import Window

LONGEST = timedelta(hours=24)  # no platform's window is longer
SHORTEST = timedelta(seconds=5)  # a refusal that ends at once is none
_UNSAID = timedelta(seconds=60)
_NUMBER = 20  # digits
_SKEW = timedelta(days=2)  # a server's clock further off than this is not taken for one


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """The names of one window's headers, in lower case, and its length in seconds (0: see `policy`)."""

    limit: str
    remaining: str
    reset: str
    seconds: int = 0
    policy: str = ""


# https://docs.x.com/x-api/fundamentals/rate-limits: the window of 15 minutes, and those of 24 hours where there are.
X_HEADERS = (
    RateHeaders("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset", 900),
    RateHeaders("x-app-limit-24hour-limit", "x-app-limit-24hour-remaining", "x-app-limit-24hour-reset", 86400),
    RateHeaders("x-user-limit-24hour-limit", "x-user-limit-24hour-remaining", "x-user-limit-24hour-reset", 86400),
)
# https://docs.joinmastodon.org/api/rate-limits/
MASTODON_HEADERS = (RateHeaders("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),)
# https://docs.bsky.app/docs/advanced-guides/rate-limits, the headers of draft-polli-ratelimit-headers.
BLUESKY_HEADERS = (RateHeaders("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", policy="ratelimit-policy"),)


def windows_of(table: Sequence[RateHeaders], headers: Mapping[str, str], now: datetime) -> tuple[Window, ...]:
    """Every window of the table that is told in full. `headers` by lower-case name."""
    found = []
    for row in table:
        limit, remaining = _count(headers.get(row.limit)), _count(headers.get(row.remaining))
        resets_at = _moment(headers.get(row.reset), headers, now)
        if limit is None or remaining is None or resets_at is None:
            continue
        seconds = row.seconds or _policy_seconds(headers.get(row.policy))
        longest = timedelta(seconds=seconds) if seconds else LONGEST
        # A reset behind us says that the window is new; one further away than the window is long is a lie.
        resets_at = min(max(resets_at, now), now + longest)
        found.append(Window(limit, min(remaining, limit), resets_at, seconds))
    return tuple(found)


def wait_of(headers: Mapping[str, str], windows: Sequence[Window], now: datetime, repeats: int = 0) -> timedelta:
    """How long to leave a platform alone that refused for now (429, or 503 with Retry-After).

    What it says is a floor, for it may be too little; `repeats` refusals in a row before this one double it. Between
    SHORTEST and LONGEST, whatever it says.
    """
    said = _moment(headers.get("retry-after"), headers, now)
    ends = [window.resets_at for window in windows if window.remaining <= 0]
    # Refused with something left in every window that is told: the one that was meant is not among them.
    floor = max([*ends, *([said] if said else [])], default=now + _UNSAID) - now
    return min(max(floor, SHORTEST * int(2 ** min(repeats, 14))), LONGEST)


def _count(text: str | None) -> int | None:
    text = (text or "").partition(",")[0].strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _NUMBER else None


def _policy_seconds(text: str | None) -> int:
    """Of "3000;w=300": 300."""
    for part in (text or "")[:200].split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "w":
            return min(_count(value) or 0, int(LONGEST.total_seconds()))
    return 0


def _moment(text: str | None, headers: Mapping[str, str], now: datetime) -> datetime | None:
    """In our time; None for what is no time."""
    text = (text or "").strip()[:64]
    if not text:
        return None
    try:
        plain = float(text)
    except ValueError:
        written = _written(text)
        return None if written is None else _ours(written, headers, now)
    if not 0 <= plain < 1e14:  # also NaN
        return None
    if plain < 1e8:
        return now + timedelta(seconds=plain)
    since_1970 = plain / 1000 if plain >= 1e11 else plain
    try:
        return _ours(datetime.fromtimestamp(since_1970, UTC), headers, now)
    except (OverflowError, OSError, ValueError):
        return None


def _written(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _ours(moment: datetime, headers: Mapping[str, str], now: datetime) -> datetime:
    theirs = _written(headers.get("date", "")[:64])
    try:
        skew = theirs - now if theirs else timedelta()
        return moment.astimezone(UTC) - (skew if abs(skew) < _SKEW else timedelta())
    except OverflowError:
        return now
