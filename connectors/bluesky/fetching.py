"""What is new: notifications, our own timeline, direct conversations. Every page stands alone and is resumable.

- `mentions`: app.bsky.notification.listNotifications; posts in full by getPosts, authors with their counts by
  getProfiles, 25 a call each. A post that is deleted or hidden by then comes with what the notification holds.
- `own`: app.bsky.feed.getAuthorFeed of ourselves, replies included.
- `dms`: chat.bsky.convo.* through the PDS, where the log-in allows it (connectors/bluesky/chat.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.bluesky.values import group, moment, rows, text, uri_parts
from connectors.bluesky.walking import HISTORY, Entry, Listed, Walk
from connectors.bluesky.xrpc import Xrpc
from connectors.messages import Known, Page, RawItem, Scope, Wish

MENTIONS, OWN, DMS = Scope("mentions"), Scope("own"), Scope("dms")
_PAGE = 100
_BATCH = 25
_POSTS = frozenset({"mention", "reply", "quote"})
_CARRIED = frozenset({"like", "repost", "like-via-repost", "repost-via-repost"})
_GONE = "gone"


def history_of(settings: Mapping[str, Any]) -> timedelta:
    """How far back the first fetch goes: `history_days`, at most ten years."""
    days = settings.get("history_days")
    is_number = isinstance(days, int | float) and not isinstance(days, bool)
    return timedelta(days=min(max(float(days), 0), 3650)) if is_number and days is not None else HISTORY


def raw_item(
    scope: Scope, external_id: str, version: str, at: datetime, data: Mapping[str, Any], is_sent: bool = False
) -> RawItem:
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return RawItem(scope, external_id, at, len(content), content, version=version or "0", is_sent=is_sent)


def pages_of(
    walk: Walk, scope: Scope, ask: Any, bring: Any, before: Mapping[str, Any], most: int | None
) -> Iterator[Page]:
    """`bring(entries)` makes the items of a step. Stops after `most` items; the state says where."""
    count = 0
    for step in walk.steps(ask):
        items = tuple(bring(step.fresh)) if step.fresh else ()
        # Ground that is known already is walked again without a word.
        if items or (step.is_last and step.state != before):
            yield Page(items, state={scope: step.state})
        count += len(items)
        if most is not None and count >= most:
            return


class Fetching:
    """One fetch; the profiles that it has asked for are asked for once."""

    def __init__(self, xrpc: Xrpc, did: str, settings: Mapping[str, Any]) -> None:
        self._xrpc, self._did = xrpc, did
        self._history = history_of(settings)
        self._profiles: dict[str, Mapping[str, Any]] = {}

    # --- Mentions -----------------------------------------------------------------------------------------------

    def mentions(self, known: Known, wish: Wish) -> Iterator[Page]:
        state = _state_of(known, MENTIONS)
        walk = Walk(state, datetime.now(UTC), self._history)
        limit = min(_PAGE, max(1, wish.page_items))
        return pages_of(walk, MENTIONS, lambda cursor: self._notices(cursor, limit), self._bring, state, wish.max_items)

    def _notices(self, cursor: str, limit: int) -> Listed:
        params: list[tuple[str, Any]] = [("limit", limit)]
        data = self._xrpc.query(
            "app.bsky.notification.listNotifications", [*params, ("cursor", cursor)] if cursor else params
        )
        entries: list[Entry] = []
        for note in rows(data, "notifications", most=_PAGE):
            above = entries[-1].at if entries else datetime.now(UTC)
            at = moment(note, "indexedAt") or moment(note, "record", "createdAt") or above
            entries.append(Entry(f"{text(note, 'uri')} {text(note, 'cid')}", at, note))
        return Listed(entries, text(data, "cursor", most=2000))

    def _bring(self, entries: Sequence[Entry]) -> Iterator[RawItem]:
        """Kinds that nobody needs (follows, new kinds) are passed over."""
        notes = [one.data for one in entries if text(one.data, "reason") in _POSTS | _CARRIED]
        posts = self.posts([text(one, "uri") for one in notes if text(one, "reason") in _POSTS])
        carriers = [one for one in notes if text(one, "reason") in _POSTS or "repost" in text(one, "reason")]
        self.learn(text(one, "author", "did") for one in carriers)
        for note in notes:
            uri, author = text(note, "uri", most=1000), text(note, "author", "did")
            if not uri_parts(uri)[0] or author == self._did:
                continue
            view = posts.get(uri)
            at = moment(view, "indexedAt") or moment(note, "indexedAt") or datetime.now(UTC)
            person = self._profiles.get(author) or group(note, "author")
            if text(note, "reason") in _CARRIED:
                data: dict[str, Any] = {"notification": note, "author": person}
            else:
                data = {"notification": note, "post": view, "author": person}
            yield raw_item(MENTIONS, uri, text(view, "cid") or text(note, "cid"), at, data)

    def posts(self, uris: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Views by uri; what the server does not show is missing."""
        found: dict[str, Mapping[str, Any]] = {}
        for batch in _batches(dict.fromkeys(uri for uri in uris if uri_parts(uri)[0])):
            data = self._xrpc.query("app.bsky.feed.getPosts", [("uris", uri) for uri in batch])
            found |= {text(one, "uri"): one for one in rows(data, "posts", most=_BATCH)}
        return found

    def learn(self, dids: Iterable[str]) -> None:
        wanted = dict.fromkeys(did for did in dids if did and did not in self._profiles)
        for batch in _batches(wanted):
            data = self._xrpc.query("app.bsky.actor.getProfiles", [("actors", did) for did in batch])
            self._profiles |= {text(one, "did"): one for one in rows(data, "profiles", most=_BATCH)}

    # --- Our own timeline ---------------------------------------------------------------------------------------

    def own(self, known: Known, wish: Wish) -> Iterator[Page]:
        state = _state_of(known, OWN)
        walk = Walk(state, datetime.now(UTC), self._history)
        limit = min(_PAGE, max(1, wish.page_items))
        return pages_of(walk, OWN, lambda cursor: self._feed(cursor, limit), self._ours, state, wish.max_items)

    def _feed(self, cursor: str, limit: int) -> Listed:
        params: list[tuple[str, Any]] = [("actor", self._did), ("filter", "posts_with_replies"), ("limit", limit)]
        data = self._xrpc.query("app.bsky.feed.getAuthorFeed", [*params, ("cursor", cursor)] if cursor else params)
        entries = []
        for one in rows(data, "feed", most=_PAGE):
            post = group(one, "post")
            seen, said = moment(post, "indexedAt"), moment(post, "record", "createdAt")
            times = [at for at in (seen, said) if at is not None]
            # Carried posts of others stand between ours, in the order of when we carried them.
            carried_at = moment(one, "reason", "indexedAt")
            if times:
                key = f"{text(post, 'uri')} {text(post, 'cid')} {text(one, 'reason', '$type')}"
                entries.append(Entry(key, carried_at or min(times), one))
        return Listed(entries, text(data, "cursor", most=2000))

    def _ours(self, entries: Sequence[Entry]) -> Iterator[RawItem]:
        for entry in entries:
            post = group(entry.data, "post")
            if "reason" in entry.data or text(post, "author", "did") != self._did:
                continue
            at = moment(post, "indexedAt") or entry.at
            feed = {name: entry.data[name] for name in ("post", "reply") if name in entry.data}
            yield raw_item(OWN, text(post, "uri", most=1000), text(post, "cid"), at, {"feed": feed}, is_sent=True)


def _state_of(known: Known, scope: Scope) -> Mapping[str, Any]:
    found = known.of(scope.place)
    return found.state if found else {}


def _batches(keys: Mapping[str, Any]) -> Iterator[list[str]]:
    ordered = list(keys)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]


def tombstone(scope: Scope, uri: str, now: datetime) -> RawItem:
    return raw_item(scope, uri, _GONE, now, {"gone": uri})
