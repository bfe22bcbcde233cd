"""Whether a program of ours may answer a mail by itself: the one rule that every automatic answer passes.

RFC 3834, and hard caps that hold whatever the mail says of itself, so that two programs that do not recognise each
other fall silent after one exchange, and nobody can have a stranger flooded in our name.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from connectors.messages import Flag

PER_SENDER: Final = timedelta(hours=24)
PER_HOUR: Final = 60
PER_DAY: Final = 500


class Obstacle(StrEnum):
    NOT_RECEIVED = "not-received"  # our own, a note, or history
    NOBODY = "nobody"  # no address, or one that can be read in two ways
    OURSELVES = "ourselves"
    AUTOMATIC = "automatic"  # sent by a program, to many, or with the wish to get no automatic answer
    UNVERIFIED = "unverified"  # the sender may be somebody else, who would get the answer
    SPAM = "spam"
    SENDER_CAP = "sender-cap"
    HOUR_CAP = "hour-cap"
    DAY_CAP = "day-cap"


@dataclass(frozen=True, slots=True)
class Asked:
    """The mail that would be answered. `key` is its sender's, "" when none could be read."""

    key: str
    is_inbound: bool
    is_history: bool
    is_ours: bool
    is_spam: bool
    automatic: str
    flags: Collection[str]
    verified: bool | None


@dataclass(frozen=True, slots=True)
class Past:
    """What programs of ours have sent. `last_at`: to this sender."""

    last_at: datetime | None
    in_last_hour: int
    in_last_day: int


_UNCLEAR: Final = frozenset({Flag.SEVERAL_FROM, Flag.AMBIGUOUS_FROM, Flag.NO_FROM, Flag.UNREADABLE})


def find_obstacle(asked: Asked, past: Past, now: datetime) -> Obstacle | None:
    """None: it may be answered once. The past must be read under a lock, and the turn be written in the same step."""
    flags = set(asked.flags)
    if not asked.is_inbound or asked.is_history:
        return Obstacle.NOT_RECEIVED
    if not asked.key or flags & _UNCLEAR:
        return Obstacle.NOBODY
    if asked.is_ours or Flag.FROM_OWN_ADDRESS in flags:
        return Obstacle.OURSELVES
    if asked.automatic or flags & {Flag.NO_AUTOMATIC_ANSWER, Flag.NEWSLETTER, Flag.VIA_GROUP}:
        return Obstacle.AUTOMATIC
    if asked.verified is not True or Flag.VIA_RELAY in flags:
        return Obstacle.UNVERIFIED
    if asked.is_spam:
        return Obstacle.SPAM
    if past.last_at is not None and now - past.last_at < PER_SENDER:
        return Obstacle.SENDER_CAP
    if past.in_last_hour >= PER_HOUR:
        return Obstacle.HOUR_CAP
    return Obstacle.DAY_CAP if past.in_last_day >= PER_DAY else None
