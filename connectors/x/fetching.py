"""Reading what is new: mentions, our own posts, quotes and conversations, direct messages.

https://docs.x.com/x-api/posts/timelines/integrate (mentions and own posts: newest first, `since_id`, `until_id`,
`pagination_token`, the newest 800), …/posts/quote-tweets/introduction, …/posts/search/introduction (seven days),
…/direct-messages/lookup/integrate (newest first, 30 days, no `since_id`), …/fundamentals/pagination (tokens expire).

Entries surface late and out of order: each walk begins below what the last one saw, by an overlap of half an hour.
Nothing is settled before a walk has come down to that mark; until then its place is kept page by page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from connectors.answers import Answer
from connectors.base import Refused
from connectors.messages import KnownScope, Page, RawItem, Scope, Wish
from connectors.x.client import server_time
from connectors.x.entries import Includes, id_of, part_of, text_of
from connectors.x.people import id_at, time_of_id
from connectors.x.refusals import own_trouble

OVERLAP = timedelta(minutes=30)
MOST_PAGES = 200  # of one fetch; X shows no more than 8 or 32 of a timeline anyway
MOST_EMPTY = 5  # pages in a row without an entry, though more are announced


@dataclass(frozen=True, slots=True)
class Walk:
    """Down from the newest entry to `floor`. `token` or `below`: where it goes on; both empty at its beginning."""

    floor: int  # entries up to this id are settled
    began: str  # X's time when it began, RFC 3339
    top: int = 0  # the highest id seen
    token: str = ""
    below: int = 0  # the lowest id seen
    is_lost: bool = False  # its token was of no use: from here on by `below`

    def as_json(self) -> dict[str, Any]:
        return {
            "floor": str(self.floor),
            "began": self.began,
            "top": str(self.top),
            "token": self.token,
            "below": str(self.below),
            "is_lost": self.is_lost,
        }


@dataclass(frozen=True, slots=True)
class Settled:
    """What the walks that came to their end have settled."""

    top: int = 0  # the highest id seen by then
    at: str = ""  # X's time when the last such walk began

    def floor(self) -> int:
        """From where the next walk must look again: what was made later than this may have surfaced since."""
        if not self.at or (self.top and time_of_id(str(self.top)) is None):
            return 0
        mark = id_at(datetime.fromisoformat(self.at) - OVERLAP)
        return min(self.top, mark) if self.top else mark


def with_overlap(top: int) -> int:
    """Below what was seen, by the overlap; 0 when the id tells no time."""
    made = time_of_id(str(top))
    return id_at(made - OVERLAP) if made else 0


def read_state(known: KnownScope | None) -> tuple[Settled, Walk | None]:
    """Whatever cannot be read of a state is as if nothing were known: that costs, and loses nothing."""
    state = known.state if known else {}
    try:
        settled = Settled(int(state.get("top") or 0), str(state.get("at") or ""))
        if settled.at:
            datetime.fromisoformat(settled.at)
        kept = state.get("walk")
        if not isinstance(kept, Mapping):
            return settled, None
        return settled, Walk(
            int(kept["floor"]),
            str(kept["began"]),
            int(kept["top"]),
            str(kept["token"]),
            int(kept["below"]),
            bool(kept["is_lost"]),
        )
    except (KeyError, TypeError, ValueError):
        return Settled(), None


def state_of(settled: Settled, walk: Walk | None) -> dict[str, Any]:
    found: dict[str, Any] = {"top": str(settled.top), "at": settled.at}
    return {**found, "walk": walk.as_json()} if walk else found


@dataclass(frozen=True, slots=True)
class Source:
    """One list of X's, newest first. `ask(most, params)` brings a page; `item` makes a raw item of an entry.

    `sizes`: how many entries the pages of a walk ask for. `takes_marks`: it knows since_id and until_id.
    """

    scope: Scope
    ask: Callable[[int, Mapping[str, Any]], Answer]
    item: Callable[[Mapping[str, Any], Includes, datetime], RawItem | None]
    sizes: tuple[int, ...] = (100,)
    takes_marks: bool = True
    since: datetime | None = None  # how far back the very first walk goes
    # What else the entries of a page need, at the first time that they are seen; may add to what they refer to.
    enrich: Callable[[list[Mapping[str, Any]], Includes, datetime], list[RawItem]] | None = None
    token_name: str = "pagination_token"


class Outcome(StrEnum):
    ON = "on"  # there may be more below
    OVER = "over"  # all the way down: what it saw is settled
    STUCK = "stuck"  # it leads nowhere: settled is what was before, and the next walk begins at the top


def walk_down(source: Source, known: KnownScope | None, wish: Wish) -> Iterator[Page]:
    """Ends an interrupted walk first, then goes down once from the newest. Raises ConnectorError between pages."""
    settled, walk = read_state(known)
    was_interrupted, brought, empty = walk is not None, 0, 0
    for number in range(MOST_PAGES):
        if wish.max_items is not None and brought >= wish.max_items:
            return
        size = min(source.sizes[min(number, len(source.sizes) - 1)], max(5, wish.page_items))
        answer, walk = _asked(source, settled, walk, size)
        entries = rows_of_page(answer)
        items = _items(source, answer, entries, walk, settled.top)
        brought, empty = brought + len(items), 0 if entries else empty + 1
        walk, outcome = _after(source, walk, entries, text_of(part_of(answer.object, "meta"), "next_token"))
        if outcome is Outcome.ON and empty > MOST_EMPTY:
            outcome = Outcome.STUCK
        if outcome is Outcome.OVER:
            settled = Settled(max(settled.top, walk.top), walk.began)
        yield Page(items, state={source.scope: state_of(settled, walk if outcome is Outcome.ON else None)})
        if outcome is Outcome.ON:
            continue
        if outcome is Outcome.STUCK or not was_interrupted:
            return
        walk, was_interrupted = None, False


def _asked(source: Source, settled: Settled, walk: Walk | None, size: int) -> tuple[Answer, Walk]:
    """A page, and the walk that it belongs to. Raises ConnectorError."""
    floor = walk.floor if walk else settled.floor()
    try:
        answer = source.ask(size, _params(source, walk, floor))
    except Refused:
        if walk is None or not walk.token:
            raise
        # Its token is no longer good: on by the lowest id that was seen, where that can be asked for.
        walk = replace(walk, token="", below=walk.below if source.takes_marks else 0, is_lost=True)
        answer = source.ask(size, _params(source, walk, floor))
    if trouble := own_trouble(answer.object):
        raise trouble
    return answer, walk or Walk(floor, server_time(answer).isoformat())


def _items(
    source: Source, answer: Answer, entries: Sequence[Mapping[str, Any]], walk: Walk, seen: int
) -> tuple[RawItem, ...]:
    """Of everything above the floor: what was brought before is known by its id. `seen`: up to this id it was."""
    fresh = [one for one in entries if _number(one) > walk.floor and (walk.floor or _is_since(one, source.since))]
    includes, now = Includes(answer.object), server_time(answer)
    news = [one for one in fresh if _number(one) > seen]
    more = source.enrich(news, includes, now) if source.enrich and news else []
    items = [item for one in fresh if (item := source.item(one, includes, now)) is not None]
    return (*items, *more)


def _after(source: Source, walk: Walk, entries: Sequence[Mapping[str, Any]], token: str) -> tuple[Walk, Outcome]:
    numbers = [_number(one) for one in entries]
    lowest = min(numbers, default=0)
    is_repeated = bool(numbers) and 0 < walk.below <= lowest
    after = replace(
        walk,
        top=max([walk.top, *numbers]),
        token="" if walk.is_lost and source.takes_marks else token,
        below=min([one for one in (walk.below, lowest) if one], default=0),
    )
    if not token:
        return after, Outcome.OVER
    if is_repeated:
        if walk.is_lost or not source.takes_marks:
            return after, Outcome.STUCK
        return replace(after, token="", is_lost=True), Outcome.ON
    is_low_enough = bool(numbers) and (lowest <= walk.floor if walk.floor else not _is_since(entries[-1], source.since))
    return after, Outcome.OVER if is_low_enough else Outcome.ON


def _params(source: Source, walk: Walk | None, floor: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if source.takes_marks and floor:
        found["since_id"] = str(floor)
    elif source.takes_marks and source.since is not None:
        found["start_time"] = source.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if walk and walk.token:
        found[source.token_name] = walk.token
    elif walk and walk.below and source.takes_marks:
        found["until_id"] = str(walk.below)
    return found


def _is_since(entry: Mapping[str, Any], since: datetime | None) -> bool:
    made = time_of_id(id_of(entry))
    return made is None or since is None or made >= since


def _number(entry: Mapping[str, Any]) -> int:
    return int(id_of(entry) or 0)


def rows_of_page(answer: Answer) -> list[Mapping[str, Any]]:
    rows = answer.object.get("data")
    return [one for one in rows if isinstance(one, dict) and id_of(one)] if isinstance(rows, list) else []
