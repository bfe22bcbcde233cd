"""A simulated Bluesky on loopback: PDS, AppView, chat service and directory under one address.

    with BlueskyServer() as server:
        shop = server.join("tasbora.test", "Tasbora", is_ours=True)
        server.join("ana.test", "Ana Popescu", followers=320)
        uri = server.say("ana.test", "@tasbora.test unde e comanda mea?")
        password = server.app_password("tasbora.test")     for createSession
        tokens = server.grant("tasbora.test")               accessJwt, refreshJwt

Made from the lexicons (https://github.com/bluesky-social/atproto/tree/main/lexicons) and from docs.bsky.app.
`server.sessions`, `server.faults`, `server.most_calls` may be changed by tests, at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.simulators.bluesky.chatting import ChatRoutes
from connectors.simulators.bluesky.checking import MOST_GRAPHEMES, graphemes
from connectors.simulators.bluesky.things import Carried, Convo, Member, Message, Post
from connectors.simulators.control import Connection, Entry, NoSuchEntry, Person
from connectors.simulators.keeping import pack, unpack


class BlueskyServer(ChatRoutes):
    """Keeps `connectors.simulators.control.Controllable`, `Rehearsable` and `Kept`. Takes what `BlueskyCore` takes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.route_writing()
        self.route_chat()
        self.route_reading()  # with the directory's "/:did" last

    # --- Looking ----------------------------------------------------------------------------------------------------

    @property
    def our_handle(self) -> str:
        return next((one.handle for one in self.world.members.values() if one.is_ours), "")

    def people(self) -> Sequence[Person]:
        with self.lock:
            return [
                Person(one.handle, one.name, one.followers, one.bio, one.is_ours, one.is_suspended)
                for one in self.world.members.values()
            ]

    def timeline(self, most: int = 50) -> Sequence[Entry]:
        with self.lock:
            entries = [self._entry(one) for one in self.world.posts.values()]
            entries += [self._direct_entry(one) for one in self.world.messages.values()]
            entries += [self._carried_entry(one) for one in self.world.carried.values() if not one.is_like]
        return sorted(entries, key=lambda one: one.at, reverse=True)[:most]

    def _entry(self, post: Post) -> Entry:
        author = self.world.members[post.author]
        kind = "quote" if post.quoted else "reply" if post.parent else "post"
        pictures = len((post.record.get("embed") or {}).get("images") or ())
        notes = [f"{pictures} picture" + "s" * (pictures > 1)] if pictures else []
        notes += ["nobody may reply"] if post.is_gated else []
        notes += ["author suspended"] if author.is_suspended else []
        return Entry(
            post.uri,
            author.handle,
            post.text,
            post.indexed_at,
            kind,
            post.quoted or post.parent,
            is_ours=author.is_ours,
            is_deleted=post.deleted_at is not None,
            notes=tuple(notes),
        )

    def _direct_entry(self, message: Message) -> Entry:
        sender, convo = self.world.members[message.sender], self.world.convos[message.convo]
        other = next(did for did in convo.members if did != message.sender)
        to = self.world.members[other].handle
        return Entry(
            message.id,
            sender.handle,
            message.text,
            message.at,
            "direct",
            message.answers,
            to=to,
            is_ours=sender.is_ours,
            is_deleted=message.is_deleted,
        )

    def _carried_entry(self, one: Carried) -> Entry:
        author, post = self.world.members[one.author], self.world.posts[one.subject]
        return Entry(one.uri, author.handle, post.text, one.at, "boost", one.subject, is_ours=author.is_ours)

    # --- Doing ------------------------------------------------------------------------------------------------------

    def say(
        self,
        who: str,
        text: str,
        *,
        answers: str = "",
        quotes: str = "",
        is_direct: bool = False,
        surfaces_after: timedelta | None = None,
        written_at: datetime | None = None,
        **record: Any,
    ) -> str:
        """As `Controllable.say`. `record`: further fields of the post's record (langs, embed, labels …)."""
        with self.lock:
            author, ours = self.world.get_member(who), self.our_handle
            if is_direct:
                us = self.world.get_member(ours)
                convo = self.world.convo_of(author.did, us.did, is_request=True)
                return self.world.write(convo, author.did, text, answers=answers).id
            if not answers and not quotes and not author.is_ours and ours and f"@{ours}" not in text.lower():
                text = f"@{ours} {text}"
            if graphemes(text) > MOST_GRAPHEMES:
                raise ValueError("That is longer than a post at Bluesky may be.")
            late = self.surfaces_after if surfaces_after is None else surfaces_after
            facts: dict[str, Any] = {"late": late, "written_at": written_at, **record}
            return self.world.publish(author, text, answers=answers, quotes=quotes, **facts).uri

    def boost(self, who: str, about: str) -> str:
        with self.lock:
            return self.world.carry(self.world.get_member(who), about, is_like=False).uri

    def edit(self, about: str, text: str) -> str:
        raise ValueError("Posts at Bluesky cannot be edited.")

    def delete(self, about: str) -> None:
        with self.lock:
            if about in self.world.messages:
                message = self.world.messages[about]
                message.is_deleted, message.text, message.facets = True, "", []
                self.world.convos[message.convo].rev = self.world.tid(self.world.tick())
            elif about in self.world.carried:
                del self.world.carried[about]
            else:
                post = self.world.get_post(about)
                if post.deleted_at:
                    raise NoSuchEntry("This post is deleted already.")
                post.deleted_at = self.world.tick()

    def suspend(self, who: str, is_suspended: bool = True) -> None:
        with self.lock:
            self.world.get_member(who).is_suspended = is_suspended

    def gate(self, about: str, is_gated: bool = True) -> None:
        """A threadgate that lets nobody reply."""
        with self.lock:
            self.world.get_post(about).is_gated = is_gated

    def welcome(self, person: Person) -> None:
        with self.lock:
            facts = {"bio": person.bio, "followers": person.followers, "is_ours": person.is_ours}
            self.world.join(person.handle, person.name, **facts, is_suspended=person.is_suspended)

    def connection(self) -> Connection:
        """As connected with an app password of its own."""
        password = self.app_password(self.our_handle)
        with self.lock:
            ours, since = self.world.get_member(self.our_handle), self.now()
            tokens = self.sessions.open(ours.did, self.reads_direct)
            until = since + self.sessions.access_life
        settings = {"base_url": self.base_url, "did": ours.did, "handle": ours.handle, "name": ours.name}
        secrets = {
            "password": password,
            "access_token": tokens["accessJwt"],
            "refresh_token": tokens["refreshJwt"],
            "access_since": since.isoformat(),
            "access_until": until.isoformat(),
        }
        return Connection("bluesky", ours.handle, ours.name, ours.did, {**settings, "dms": self.reads_direct}, secrets)

    # --- Lasting ----------------------------------------------------------------------------------------------------

    def remember(self) -> dict[str, Any]:
        with self.lock:
            world, sessions = self.world, self.sessions
            return {
                "members": pack(world.members),
                "posts": pack(world.posts),
                "carried": pack(world.carried),
                "convos": pack(world.convos),
                "messages": pack(world.messages),
                "blobs": dict(world.blobs),
                "key": sessions.key,
                "revoked": dict(sessions.revoked),
            }

    def recall(self, state: Mapping[str, Any]) -> None:
        with self.lock:
            world, sessions = self.world, self.sessions
            world.members = unpack(dict[str, Member], state["members"])
            world.posts = unpack(dict[str, Post], state["posts"])
            world.carried = unpack(dict[str, Carried], state["carried"])
            world.convos = unpack(dict[str, Convo], state["convos"])
            world.messages = unpack(dict[str, Message], state["messages"])
            world.blobs = unpack(dict[str, int], state["blobs"])
            sessions.key, sessions.revoked = str(state["key"]), unpack(dict[str, str], state["revoked"])
