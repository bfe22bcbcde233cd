"""Reading a list of a Mastodon server: what is new by walking up, what is old by walking down, page by page.

`min_id` gives what is next above an id, `since_id` the newest page and so leaves a hole
(https://docs.joinmastodon.org/methods/notifications/#get, https://docs.joinmastodon.org/api/guidelines/#pagination): we
walk up by `min_id` and the Link header's "prev", begin a little below the newest that is known, for entries surface
late, and come down from the newest by `max_id` and "next" only the first time. Some servers read `min_id` as
`since_id` (Pixelfed): when a page does not join what is known, the gap is filled from above.

State of a list: `top` the newest id seen; `recent` [id, time, version] of what is young enough for others to surface
below it; `floor` where to look again from; `back` how far down the first walk is, `done` when it is over; `gap` [low,
high, top] while one is being filled. Each page's state claims no more than what lies in it and before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.mastodon.values import ident, moment, rank
from connectors.messages import KnownScope, Page, RawItem, Scope, Wish
from connectors.wire import Answer, TooMuch, Wire

OVERLAP = timedelta(minutes=15)
_MOST_PAGES = 2000  # of one walk
_MOST_RECENT = 300
_MOST_SKEW = timedelta(days=2)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """One list. `pick` makes raw items of a page's rows, in their order; what concerns nobody is left out.

    `most`: the longest page that the server gives. `since`: how far back the first walk goes, None for all of it.
    """

    scope: Scope
    path: str
    endpoint: str
    params: tuple[tuple[str, str], ...]
    most: int
    pick: Callable[[list[Row]], list[RawItem]]
    version: Callable[[Row], str]
    since: datetime | None = None


@dataclass(slots=True)
class State:
    top: str = ""
    floor: str = ""
    recent: list[list[str]] = field(default_factory=list)
    back: str = ""
    done: bool = False
    gap: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> State:
        recent = [
            [str(part) for part in one] for one in data.get("recent") or () if isinstance(one, list) and len(one) == 3
        ]
        gap = [str(one) for one in data.get("gap") or ()]
        return cls(
            str(data.get("top") or ""),
            str(data.get("floor") or ""),
            recent,
            str(data.get("back") or ""),
            data.get("done") is True,
            gap if len(gap) == 3 else [],
        )

    def plain(self) -> dict[str, Any]:
        return {
            "top": self.top,
            "floor": self.floor,
            "recent": [list(one) for one in self.recent],
            "back": self.back,
            "done": self.done,
            "gap": list(self.gap),
        }

    def settle(self, before: datetime) -> None:
        """What was made before this moment has settled: nothing more surfaces below it."""
        young: list[list[str]] = []
        for one in self.recent:
            if one[1] > before.isoformat():
                young.append(one)
            elif not self.floor or rank(one[0]) > rank(self.floor):
                self.floor = one[0]
        self.recent = sorted(young, key=lambda one: rank(one[0]))[-_MOST_RECENT:]

    def see(self, rows: list[Row], version: Callable[[Row], str]) -> None:
        known = {one[0]: one for one in self.recent}
        for row in rows:
            made = moment(row, "created_at") or datetime.min.replace(tzinfo=UTC)
            known[ident(row)] = [ident(row), made.isoformat(), version(row)]
        self.recent = list(known.values())

    @property
    def low(self) -> str:
        """From where to walk up: below all that may still surface."""
        return self.floor or self.top

    def raise_top(self, identifier: str) -> None:
        if rank(identifier) > rank(self.top):
            self.top = identifier


class Walk:
    """One fetch of one source."""

    def __init__(self, wire: Wire, source: Source, known: KnownScope | None, wish: Wish, now: datetime) -> None:
        self._wire = wire
        self._source = source
        self._now = now
        self._left = wish.max_items
        self._limit = max(1, min(source.most, wish.page_items))
        self._walked: set[str] = set()  # a server that repeats itself brings nothing on
        self._fallen: set[str] = set()
        self.state = State.of(known.state if known else {})

    def pages(self) -> Iterator[Page]:
        self.state.settle(self._now - OVERLAP)
        if self.state.gap:
            yield from self._fill()
        if self.state.top and not self._is_full:
            yield from self._up()
        if not self.state.done and not self._is_full:
            yield from self._down()

    @property
    def _is_full(self) -> bool:
        return self._left is not None and self._left <= 0

    def _ask(self, **where: str) -> tuple[Answer, list[Row]]:
        while True:
            params = [*self._source.params, ("limit", str(self._limit)), *where.items()]
            try:
                answer = self._wire.call("GET", self._source.path, params=params, endpoint=self._source.endpoint)
            except TooMuch:
                if self._limit == 1:
                    raise
                self._limit = max(1, self._limit // 8)
            else:
                return answer, [one for one in answer.rows if ident(one)]

    def _before(self, answer: Answer) -> datetime:
        """Older than this has settled, by whichever clock is behind: the server's or ours."""
        return self._now - OVERLAP + min(skew_of(answer, self._now), timedelta(0))

    def _page(self, answer: Answer, rows: list[Row]) -> Page:
        """The page of these rows; what has not changed since it was seen is not brought again."""
        seen = {one[0]: one[2] for one in self.state.recent}
        version = self._source.version
        news = [one for one in rows if seen.get(ident(one)) != version(one)]
        items = self._source.pick(news)
        self.state.see(rows, version)
        self.state.settle(self._before(answer))
        if self._left is not None:
            self._left -= len(items)
        return self._told(tuple(items))

    def _told(self, items: tuple[RawItem, ...] = ()) -> Page:
        return Page(items, state={self._source.scope: self.state.plain()})

    # --- Up ---------------------------------------------------------------------------------------------------------

    def _up(self) -> Iterator[Page]:
        cursor, is_checked = self.state.low, False
        for _ in range(_MOST_PAGES):
            if self._is_full:
                return
            answer, rows = self._ask(min_id=cursor)
            rows = [one for one in rows if ident(one) not in self._walked]
            if not rows:
                return
            self._walked.update(map(ident, rows))
            newest, oldest = _newest(rows), _oldest(rows)
            if not is_checked:
                is_checked = True
                if self._has_hole(cursor, oldest, len(rows)):
                    self.state.gap = [cursor, oldest, newest]
                    yield self._page(answer, rows)
                    yield from self._fill()
                    return
            following = _linked(answer, "prev", "min_id") or newest
            self.state.raise_top(newest)
            yield self._page(answer, rows)
            if rank(following) <= rank(cursor):
                return
            cursor = max(following, newest, key=rank)

    def _has_hole(self, low: str, oldest: str, length: int) -> bool:
        """Whether more lies between what is known and a page that should begin right above it."""
        if length < min(10, self._limit):
            return False
        _, rows = self._ask(min_id=low, max_id=oldest)
        return any(rank(low) < rank(ident(one)) < rank(oldest) for one in rows)

    def _fill(self) -> Iterator[Page]:
        low, high, top = self.state.gap
        for _ in range(_MOST_PAGES):
            if self._is_full:
                return
            answer, rows = self._ask(max_id=high)
            inside = [one for one in rows if rank(low) < rank(ident(one)) < rank(high)]
            is_over = not inside or len(inside) < len(rows)
            if is_over:
                self.state.gap = []
                self.state.raise_top(top)
            else:
                high = _oldest(inside)
                self.state.gap = [low, high, top]
            yield self._page(answer, inside)
            if is_over:
                return

    # --- Down, the first time ---------------------------------------------------------------------------------------

    def _down(self) -> Iterator[Page]:
        for _ in range(_MOST_PAGES):
            if self._is_full:
                return
            back = self.state.back
            answer, rows = self._ask(max_id=back) if back else self._ask()
            rows = [one for one in rows if ident(one) != back and ident(one) not in self._fallen]
            self._fallen.update(map(ident, rows))
            wanted = [one for one in rows if self._is_wanted(one)]
            if not rows:
                self.state.done = bool(self.state.top)
                if self.state.top:
                    yield self._told()
                return
            if not self.state.top:
                self.state.raise_top(_newest(rows))
                self.state.floor = _oldest(rows)
            self.state.back = min(_linked(answer, "next", "max_id") or _oldest(rows), _oldest(rows), key=rank)
            self.state.done = len(wanted) < len(rows)
            yield self._page(answer, wanted)
            if self.state.done:
                return

    def _is_wanted(self, row: Row) -> bool:
        made = moment(row, "created_at")
        return self._source.since is None or made is None or made >= self._source.since


def skew_of(answer: Answer, now: datetime) -> timedelta:
    """How far the server's clock is ahead of ours, by the Date of an answer; nothing when that is absurd."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", "")[:64])
        skew = (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return timedelta(0)
    return skew if abs(skew) < _MOST_SKEW else timedelta(0)


def _newest(rows: list[Row]) -> str:
    return max((ident(one) for one in rows), key=rank)


def _oldest(rows: list[Row]) -> str:
    return min((ident(one) for one in rows), key=rank)


def _linked(answer: Answer, relation: str, name: str) -> str:
    """An id out of the Link header, "" when there is none. Its address is not followed: only ids are believed."""
    try:
        values = parse_qs(urlsplit(answer.links.get(relation, "")).query, max_num_fields=100)
    except ValueError:
        return ""
    return ident({"id": (values.get(name) or [""])[0]})
