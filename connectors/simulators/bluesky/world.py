"""The state of a simulated Bluesky, and what can be done in it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.simulators.bluesky.things import (
    LIKE,
    POST,
    REPOST,
    Carried,
    Convo,
    Member,
    Message,
    Post,
    cid_of,
    stamp,
)
from connectors.simulators.control import NoSuchEntry

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_SPOKEN_TO = re.compile(r"(?:^|[\s(])@([a-zA-Z0-9.-]+[a-zA-Z0-9])")
_ADDRESS = re.compile(r"https?://[^\s]+[^\s.,;:!?)]")
_NOTIFIED_DEPTH = 5  # so many posts above an answer hear of it


class World:
    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._random = random.Random(7)
        self._last: datetime | None = None
        self.members: dict[str, Member] = {}
        self.posts: dict[str, Post] = {}
        self.carried: dict[str, Carried] = {}
        self.convos: dict[str, Convo] = {}
        self.messages: dict[str, Message] = {}
        self.blobs: dict[str, int] = {}  # CID → size

    def tick(self) -> datetime:
        """The time in whole milliseconds, no two times the same: lists are ordered by it."""
        now = self._now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        if self._last is not None and now <= self._last < now + timedelta(seconds=5):
            now = self._last + timedelta(milliseconds=1)
        self._last = now
        return now

    def tid(self, at: datetime) -> str:
        """https://atproto.com/specs/tid"""
        value = int(at.timestamp() * 1_000_000) << 10 | self._random.randrange(1024)
        return "".join(_ALPHABET[value >> shift & 31] for shift in range(60, -1, -5))

    # --- People -----------------------------------------------------------------------------------------------------

    def join(self, handle: str, name: str, **facts: Any) -> Member:
        if self.find_member(handle):
            raise ValueError(f"@{handle} is taken.")
        letters = "".join(self._random.choice("234567abcdefghijklmnopqrstuvwxyz") for _ in range(24))
        member = Member(f"did:plc:{letters}", handle, name or handle, self._now(), **facts)
        self.members[member.did] = member
        return member

    def find_member(self, who: str) -> Member | None:
        """By handle or DID."""
        who = who.removeprefix("@").lower()
        return next((one for one in self.members.values() if who in (one.handle.lower(), one.did)), None)

    def get_member(self, who: str) -> Member:
        found = self.find_member(who)
        if found is None:
            raise NoSuchEntry(f"Nobody here is called @{who}.")
        return found

    def is_apart(self, one: str, other: str) -> bool:
        """Whether one of two has blocked the other."""
        first, second = self.members.get(one), self.members.get(other)
        return bool(first and second and (other in first.blocks or one in second.blocks))

    # --- Posts ------------------------------------------------------------------------------------------------------

    def get_post(self, uri: str) -> Post:
        found = self.posts.get(uri)
        if found is None:
            raise NoSuchEntry("There is no such post.")
        return found

    def shown(self, uri: str, viewer: str = "") -> Post | None:
        """As long as it is there, its author is, and neither has blocked the other."""
        post = self.posts.get(uri)
        if post is None or post.deleted_at or self.members[post.author].is_suspended:
            return None
        return None if viewer and self.is_apart(viewer, post.author) else post

    def put(self, author: str, rkey: str, record: Mapping[str, Any], late: timedelta = timedelta(0)) -> Post:
        uri, at = f"at://{author}/{POST}/{rkey}", self.tick()
        cid = cid_of(json.dumps(record, sort_keys=True).encode())
        self.posts[uri] = Post(uri, author, dict(record), cid, at, self._now() + late)
        return self.posts[uri]

    def publish(self, author: Member, text: str, *, answers: str = "", quotes: str = "", **more: Any) -> Post:
        """As the platform's own program writes it."""
        late = more.pop("late", timedelta(0))
        at = more.pop("written_at", None) or self.tick()
        record: dict[str, Any] = {"$type": POST, "text": text, "createdAt": stamp(at), **more}
        if facets := self._facets(text):
            record["facets"] = facets
        if answers:
            parent = self.get_post(answers)
            root = (parent.record.get("reply") or {}).get("root") or self._strong(parent)
            record["reply"] = {"root": root, "parent": self._strong(parent)}
        if quotes:
            record["embed"] = {"$type": "app.bsky.embed.record", "record": self._strong(self.get_post(quotes))}
        return self.put(author.did, self.tid(self.tick()), record, late)

    @staticmethod
    def _strong(post: Post) -> dict[str, str]:
        return {"uri": post.uri, "cid": post.cid}

    def _facets(self, text: str) -> list[dict[str, Any]]:
        """app.bsky.richtext.facet: places in bytes of UTF-8."""
        found = []

        def add(start: int, end: int, feature: dict[str, str]) -> None:
            index = {"byteStart": len(text[:start].encode()), "byteEnd": len(text[:end].encode())}
            found.append({"index": index, "features": [feature]})

        for match in _SPOKEN_TO.finditer(text):
            if member := self.find_member(match[1]):
                add(match.start(1) - 1, match.end(1), {"$type": "app.bsky.richtext.facet#mention", "did": member.did})
        for match in _ADDRESS.finditer(text):
            add(match.start(), match.end(), {"$type": "app.bsky.richtext.facet#link", "uri": match[0]})
        return found

    def carry(self, author: Member, uri: str, is_like: bool) -> Carried:
        post, at = self.get_post(uri), self.tick()
        made = f"at://{author.did}/{LIKE if is_like else REPOST}/{self.tid(at)}"
        self.carried[made] = Carried(made, cid_of(made.encode()), author.did, post.uri, at, is_like)
        return self.carried[made]

    def notified(self, did: str) -> Iterator[tuple[str, datetime, Post | Carried, str]]:
        """(reason, by when it is listed, what, about which of theirs): app.bsky.notification.listNotifications"""
        now = self._now()
        for post in self.posts.values():
            if post.author != did and post.surfaces_at <= now and self.shown(post.uri, did):
                reason, about = self._reason(post, did)
                if reason:
                    yield reason, sort_at(post), post, about
        for one in self.carried.values():
            subject = self.shown(one.subject)
            is_theirs = subject is not None and subject.author == did and one.author != did
            if is_theirs and not self.is_apart(did, one.author) and not self.members[one.author].is_suspended:
                yield "like" if one.is_like else "repost", one.at, one, one.subject

    def _reason(self, post: Post, did: str) -> tuple[str, str]:
        for facet in post.record.get("facets") or ():
            if any(one.get("did") == did for one in facet.get("features") or ()):
                return "mention", ""
        if post.quoted in self.posts and self.posts[post.quoted].author == did:
            return "quote", post.quoted
        above = post.parent
        for _ in range(_NOTIFIED_DEPTH):
            found = self.posts.get(above)
            if found is None:
                break
            if found.author == did:
                return "reply", above
            above = found.parent
        return "", ""

    # --- Direct messages --------------------------------------------------------------------------------------------

    def convo_of(self, one: str, other: str, is_request: bool = False) -> Convo:
        wanted = sorted((one, other))
        found = next((convo for convo in self.convos.values() if sorted(convo.members) == wanted), None)
        if found is None:
            at = self.tick()
            found = Convo(self.tid(at), [one, other], self.tid(at), other if is_request else "")
            self.convos[found.id] = found
        return found

    def write(
        self, convo: Convo, sender: str, text: str, facets: list[Any] | None = None, answers: str = ""
    ) -> Message:
        at = self.tick()
        message = Message(self.tid(at), self.tid(at), convo.id, sender, text, at, facets or [], answers)
        self.messages[message.id] = message
        convo.rev = message.rev
        return message


def sort_at(post: Post) -> datetime:
    """Lists are ordered by the author's clock, unless it says a time that has not come."""
    try:
        said = datetime.fromisoformat(str(post.record.get("createdAt")))
        return min(said, post.indexed_at) if said.tzinfo else post.indexed_at
    except ValueError:
        return post.indexed_at
