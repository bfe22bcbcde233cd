"""When a post is looked at again, where a platform does not tell of edits and deletions by itself.

Young posts and those that still wait for us are looked at more often; nothing longer than a day apart as long as it is
looked at at all, so what its author deleted is gone here, too, within a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

LOOKED_AT: Final = timedelta(days=7)  # after its writing; longer while its conversation is not resolved
LONGEST_OPEN: Final = timedelta(days=30)
_HOUR: Final = timedelta(hours=1)
_LATEST: Final = timedelta(hours=23)
_OPEN: Final = ((_HOUR, timedelta(minutes=20)), (6 * _HOUR, _HOUR), (48 * _HOUR, 6 * _HOUR))
_DONE: Final = ((6 * _HOUR, 3 * _HOUR), (48 * _HOUR, 12 * _HOUR))


def next_look(written_at: datetime, now: datetime, *, is_open: bool) -> datetime | None:
    """When to look again after a look at `now`; None: not any more."""
    age = now - written_at
    if age > (LONGEST_OPEN if is_open else LOOKED_AT):
        return None
    steps = _OPEN if is_open else _DONE
    return now + next((step for until, step in steps if age < until), _LATEST)
