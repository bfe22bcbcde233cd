"""How soon an account is asked for news again: rarely where its provider rings by itself, every minute elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

POLL_SECONDS = 60
SAFETY_POLL_SECONDS = 300  # a doorbell is a hint: polls run all the same


def seconds_between_polls(settings: Mapping[str, Any], is_heard: bool) -> int:
    """`is_heard`: somebody listens at the doorbell, and it covers every place that mail comes to.

    An account whose settings name `poll_seconds` is asked that often in any case.
    """
    own = settings.get("poll_seconds")
    if own is not None:
        return int(own)
    return SAFETY_POLL_SECONDS if is_heard else POLL_SECONDS


def retry_seconds(failures: int, chance: float) -> float:
    """Before the next attempt to open a doorbell after so many in a row failed; `chance` in [0, 1) spreads them.

    1,000 accounts whose server restarts come back within a second; a server that stays away is tried for ever, at
    most five minutes apart.
    """
    longest = min(300.0, 2.0 ** min(failures, 9) - 1)
    return longest * (0.5 + chance / 2) if failures > 1 else chance
