"""Walking down a list that is given newest first, where nothing asks for “newer than”.

    walk = Walk(state, now)
    for step in walk.steps(ask):           ask(cursor) → Listed(entries, cursor)
        … hydrate step.fresh, store them …
        Page(items, state={scope: step.state})

Known ground is remembered as a time (`top`) and as the newest keys. A walk goes down to the known ground
less an overlap, always over the newest page, and once an hour over the last day, because an entry is listed by the
time that its writer's clock said: it may surface far below. An interrupted walk leaves where it was; the next one
walks what is new, then goes on there. A cursor that is refused, repeats itself or is missing though there must be more
is replaced by the time of the last entry, which is what these cursors are made of; when that fails as well, the walk
ends unfinished and the next one begins at the top. Nothing is lost: known ground only grows when a walk has reached it.

A cursor that is a time means “older than this millisecond”: of several entries of one millisecond, those that the page
had no room for would be passed over. So it is asked for one millisecond later; what comes twice is known by its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from connectors.bluesky.values import moment, text, words
from connectors.bluesky.xrpc import BadCursor

OVERLAP = timedelta(minutes=20)
HISTORY = timedelta(days=30)
_DEEP_EVERY, _DEEP_BACK = timedelta(hours=1), timedelta(hours=24)
_MAX_PAGES = 300
_LONG = 30  # entries; servers give fewer than they are asked for
_MAX_KEYS = 1500


@dataclass(frozen=True, slots=True)
class Entry:
    """`at`: by which the list is ordered. `key`: what makes it this one."""

    key: str
    at: datetime
    data: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listed:
    entries: Sequence[Entry]
    cursor: str


@dataclass(frozen=True, slots=True)
class Step:
    fresh: Sequence[Entry]
    state: Mapping[str, Any]
    is_last: bool = False


def short(key: str) -> str:
    """How a key is remembered."""
    return sha256(key.encode("utf-8", "replace")).hexdigest()[:12]


class Walk:
    def __init__(self, state: Mapping[str, Any], now: datetime, history: timedelta = HISTORY) -> None:
        self._now = now
        self._top = moment(state, "top")
        self._known = dict.fromkeys(words(state, "keys", most=_MAX_KEYS))
        self._deep_at = moment(state, "deep_at")
        open_walk = state.get("walk")
        self._left = _Left.read(open_walk) if isinstance(open_walk, Mapping) else None
        self._is_deep = self._deep_at is None or abs(now - self._deep_at) >= _DEEP_EVERY
        self._floor = self._find_floor(history)
        self._seen: set[str] = set()
        self._first: datetime | None = None  # the newest entry of this walk
        self._last: datetime | None = None  # the last one that was listed

    def _find_floor(self, history: timedelta) -> datetime:
        if self._top is None:
            return self._left.floor if self._left else self._now - history
        floor = min(self._top, self._now) - OVERLAP
        if self._is_deep:
            floor = min(floor, self._now - _DEEP_BACK)
        return min(floor, self._left.floor) if self._left else floor

    def steps(self, ask: Callable[[str], Listed]) -> Iterator[Step]:
        """Whoever stops between two steps can go on with the state of the last one."""
        cursor, has_jumped = "", False
        for _ in range(_MAX_PAGES):
            listed = self._ask(ask, cursor)
            if listed is None:
                yield Step((), self._state("", None), is_last=True)
                return
            entries = [one for one in listed.entries if one.key not in self._seen]
            if listed.entries and not entries and cursor:
                following = _time_cursor(listed.entries[-1].at)
                if following == cursor:
                    yield Step((), self._state("", None), is_last=True)  # round and round
                    return
                cursor = following
                continue
            self._seen.update(one.key for one in entries)
            self._first = max([one.at for one in entries] + ([self._first] if self._first else []), default=None)
            last = listed.entries[-1].at if listed.entries else self._floor
            self._last = last
            cursor = _overlapping(self._following(listed, last))
            is_over = last < self._floor or not cursor
            left = self._left
            if not is_over and not has_jumped and left and left.cursor and last < left.top - OVERLAP:
                cursor, has_jumped = left.cursor, True
            fresh = self._fresh(entries)
            yield Step(fresh, self._finished() if is_over else self._state(cursor, last), is_last=is_over)
            if is_over:
                return

    def _ask(self, ask: Callable[[str], Listed], cursor: str) -> Listed | None:
        """None when the list cannot be followed from there, by whatever cursor."""
        try:
            return ask(cursor)
        except BadCursor:
            left = self._left
            at = left.at if left and cursor == left.cursor else self._last
            instead = _overlapping(_time_cursor(at)) if at else ""
            if not cursor or not instead or instead == cursor:
                return None
        try:
            return ask(instead)
        except BadCursor:
            return None

    def _following(self, listed: Listed, last: datetime) -> str:
        """A page without a cursor, long and above known ground: there may be more, and it is asked for by time."""
        if listed.cursor or len(listed.entries) < _LONG or last <= self._floor:
            return listed.cursor
        return _time_cursor(last)

    def _fresh(self, entries: Sequence[Entry]) -> list[Entry]:
        fresh = [one for one in entries if short(one.key) not in self._known]
        if fresh:
            self._known = dict.fromkeys([*(short(one.key) for one in fresh), *self._known])
        return fresh

    def _state(self, cursor: str, at: datetime | None) -> dict[str, Any]:
        """Unfinished: the ground that was known stays what it was."""
        left = self._left
        if at is None and left is not None:
            walk: dict[str, Any] = {"top": _written(left.top), "floor": _written(self._floor)}
        else:
            top = self._first or self._now
            walk = {"top": _written(top), "floor": _written(self._floor), "cursor": cursor}
            walk |= {"at": _written(at)} if at else {}
        return {**self._ground(self._top), "walk": walk}

    def _finished(self) -> dict[str, Any]:
        if self._is_deep:
            self._deep_at = self._now
        reached = [one for one in (self._top, self._first) if one is not None]
        # By the times in the list alone: our clock may be another.
        return self._ground(max(reached, default=None))

    def _ground(self, top: datetime | None) -> dict[str, Any]:
        state: dict[str, Any] = {"keys": list(self._known)[:_MAX_KEYS]}
        if top is not None:
            state["top"] = _written(min(top, self._now))
        if self._deep_at is not None:
            state["deep_at"] = _written(self._deep_at)
        return state


@dataclass(frozen=True, slots=True)
class _Left:
    """A walk that was interrupted: between `top` and `at` all is stored, between `at` and `floor` nothing."""

    top: datetime
    floor: datetime
    at: datetime | None
    cursor: str

    @classmethod
    def read(cls, state: Mapping[str, Any]) -> _Left | None:
        top, floor = moment(state, "top"), moment(state, "floor")
        if top is None or floor is None:
            return None
        return cls(top, floor, moment(state, "at"), text(state, "cursor", most=2000))


def _written(moment_: datetime) -> str:
    return moment_.isoformat().replace("+00:00", "Z")


def _time_cursor(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _overlapping(cursor: str) -> str:
    """Cursors that are no time, such as revisions, are the platform's own business."""
    try:
        at = datetime.fromisoformat(cursor)
        return _time_cursor((at + timedelta(milliseconds=1)).astimezone(UTC)) if at.tzinfo and "T" in cursor else cursor
    except (ValueError, OverflowError):
        return cursor
