"""The arithmetic of UIDs: what is unknown, what a page covers, and whether the old numbers are still worth anything.

All pure. UIDs are positive integers below 2**32; ranges are inclusive, ascending and disjoint.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Self

from connectors.messages import KnownScope, Scope

Ranges = tuple[tuple[int, int], ...]
Canary = tuple[int, str, int]  # uid, INTERNALDATE as ISO text, size

MAX_CANARIES = 3
FLAPS = 4
_MAX_REMEMBERED = 1000
GONE_AFTER = timedelta(seconds=60)


def merge(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Ascending, disjoint; ranges that touch become one."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def gaps(ranges: Ranges, high: int) -> list[tuple[int, int]]:
    """What 1..high holds besides `ranges`, highest first."""
    found: list[tuple[int, int]] = []
    upper = high
    for low, top in reversed(ranges):
        if top < upper:
            found.append((top + 1, upper))
        upper = min(upper, low - 1)
    if upper >= 1:
        found.append((1, upper))
    return found


def without(low: int, high: int, excluded: Iterable[int]) -> list[tuple[int, int]]:
    """low..high cut around the excluded numbers, ascending."""
    found: list[tuple[int, int]] = []
    start = low
    for uid in sorted(uid for uid in set(excluded) if low <= uid <= high):
        if uid > start:
            found.append((start, uid - 1))
        start = uid + 1
    if start <= high:
        found.append((start, high))
    return found


def holds(ranges: Ranges, uid: int) -> bool:
    return holds_all(ranges, uid, uid)


def holds_all(ranges: Ranges, low: int, high: int) -> bool:
    """Whether one of the disjoint ascending ranges holds all of low..high."""
    index = bisect_right(ranges, low, key=itemgetter(0)) - 1
    return index >= 0 and high <= ranges[index][1]


def uid_set(uids: Sequence[int]) -> bytes:
    """An IMAP sequence set of exactly these UIDs; runs of neighbours are written as ranges."""
    parts: list[bytes] = []
    for low, high in merge((uid, uid) for uid in uids):
        parts.append(b"%d" % low if low == high else b"%d:%d" % (low, high))
    return b",".join(parts)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the connector keeps per scope besides marks and holes: JSON on the shelf, read back at the next fetch."""

    uid_next: int | None = None
    canaries: tuple[Canary, ...] = ()
    turn: int = 0  # how often this folder's numbers have lost their meaning
    turned_at: tuple[str, ...] = ()  # when, the last few times
    absent: Mapping[str, str] = field(default_factory=dict)  # troubled uid → since when no listing shows it
    suspects: tuple[int, ...] = ()  # asked for when the connection died: to be asked for one at a time
    losses: Mapping[str, tuple[int, str]] = field(default_factory=dict)  # uid → deaths while asked for alone, last

    @classmethod
    def read(cls, known: KnownScope | None) -> Self:
        """From the shelf's JSON; whatever is missing or malformed counts as not remembered."""
        state = known.state if known else {}
        suffix = known.scope.epoch.partition(".")[2] if known else ""
        turn = max(_number(state.get("turn")), _number(suffix))
        uid_next = _number(state.get("uid_next")) or None
        canaries = tuple(
            (int(entry[0]), str(entry[1]), int(entry[2]))
            for entry in state.get("canaries") or ()
            if isinstance(entry, list | tuple) and len(entry) == 3
        )
        suspects = tuple(int(uid) for uid in state.get("suspects") or ())
        losses = {str(uid): (int(pair[0]), str(pair[1])) for uid, pair in (state.get("losses") or {}).items()}
        turned_at = tuple(str(at) for at in state.get("turned_at") or ())
        return cls(uid_next, canaries, turn, turned_at, dict(state.get("absent") or {}), suspects, losses)

    def write(self) -> dict[str, Any]:
        state: dict[str, Any] = {"uid_next": self.uid_next, "turn": self.turn}
        state["canaries"] = [list(canary) for canary in self.canaries]
        if self.turned_at:
            state["turned_at"] = list(self.turned_at)
        if self.absent:
            state["absent"] = dict(self.absent)
        if self.suspects:
            state["suspects"] = list(self.suspects[:_MAX_REMEMBERED])
        if self.losses:
            state["losses"] = {uid: list(pair) for uid, pair in list(self.losses.items())[:_MAX_REMEMBERED]}
        return state

    def with_canary(self, canary: Canary) -> Self:
        """Keeps the highest UIDs: those are the first to be given out again by a server that rewinds."""
        if len(self.canaries) == MAX_CANARIES and canary[0] <= self.canaries[-1][0]:
            return self
        kept = sorted({*self.canaries, canary}, reverse=True)[:MAX_CANARIES]
        return replace(self, canaries=tuple(kept))

    def after_turn(self, at: datetime) -> Self:
        """What is left when an epoch ends: only how often that has happened."""
        return type(self)(turn=self.turn + 1, turned_at=(*self.turned_at, at.isoformat())[-FLAPS:])

    def is_flapping(self, now: datetime) -> bool:
        """Several epochs within an hour: a server that makes up new numbers all the time."""
        return len(self.turned_at) == FLAPS and now - datetime.fromisoformat(self.turned_at[0]) < timedelta(hours=1)

    def with_loss(self, uid: int, at: datetime) -> Self:
        """Remember that the connection died while this mail was asked for alone."""
        count, _ = self.losses.get(str(uid), (0, ""))
        return replace(self, losses={**self.losses, str(uid): (count + 1, at.isoformat())})

    def is_killer(self, uid: int, now: datetime) -> bool:
        """Twice the connection died at this mail, the last time within six hours: leave it alone for now."""
        count, last = self.losses.get(str(uid), (0, ""))
        return count >= 2 and bool(last) and now - datetime.fromisoformat(last) < timedelta(hours=6)


def _number(value: Any) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else 0


def has_epoch_ended(
    known: KnownScope, memory: Memory, uid_validity: int, uid_next: int | None, seen: Mapping[int, tuple[str, int]]
) -> bool:
    """Whether the folder's UIDs no longer mean what they meant (RFC 3501 §2.3.1.1, and servers that break it).

    `seen` is what the server now says of the canaries: uid → (INTERNALDATE, size). A canary that is missing was
    deleted by somebody, which proves nothing. Sizes alone count only when every canary's size differs, because some
    servers estimate them.
    """
    if known.scope.epoch.partition(".")[0] != str(uid_validity):
        return True
    if uid_next is not None and memory.uid_next is not None and uid_next < memory.uid_next:
        return True
    present = [(canary, seen[canary[0]]) for canary in memory.canaries if canary[0] in seen]
    if any(canary[1] != now[0] for canary, now in present):
        return True
    return bool(present) and all(canary[2] != now[1] for canary, now in present)


def first_scope(place: str, uid_validity: int) -> Scope:
    return Scope(place, str(uid_validity))


def next_scope(place: str, uid_validity: int, turn: int) -> Scope:
    """The scope after an epoch has ended. The turn keeps it apart from every earlier one, even if values come back."""
    return Scope(place, f"{uid_validity}.{turn}")


def absences(
    troubled: Iterable[int], listed: set[int], memory: Memory, now: datetime
) -> tuple[list[int], dict[str, str]]:
    """Which troubled UIDs are gone for good, and since when the others have not been listed.

    Gone means: two listings, at least a minute apart, both without it.
    """
    gone: list[int] = []
    absent: dict[str, str] = {}
    for uid in troubled:
        if uid in listed:
            continue
        since = memory.absent.get(str(uid))
        if since is None:
            absent[str(uid)] = now.isoformat()
        elif now - datetime.fromisoformat(since) >= GONE_AFTER:
            gone.append(uid)
        else:
            absent[str(uid)] = since
    return gone, absent
