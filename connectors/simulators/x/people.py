"""What people do on a simulated X, from outside of the API: for tests, the demo and the control page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from html import escape
from typing import Any

from connectors.simulators.control import Connection, Entry, Person
from connectors.simulators.exchange import Answer, Request
from connectors.simulators.x.access import ALL_SCOPES
from connectors.simulators.x.core import XCore
from connectors.simulators.x.things import DirectEvent, Member, Upload, XPost
from connectors.simulators.x.wording import MOST_WEIGHT, weigh

_COLOURS = ("#5b7db1", "#7a8f4f", "#a8705a", "#7d6aa6", "#4f8f8a", "#a65f7c")


class PeopleAtWork(XCore):
    """Keeps `connectors.simulators.control.Controllable`."""

    def route_people(self) -> None:
        self.route("GET /profile_images/:file", self.show_face)

    @property
    def our_handle(self) -> str:
        return next((one.username for one in self.world.members.values() if one.is_ours), "")

    def people(self) -> Sequence[Person]:
        with self.lock:
            return [
                Person(one.username, one.name, one.followers, one.description, one.is_ours, one.is_suspended)
                for one in self.world.members.values()
            ]

    def timeline(self, most: int = 50) -> Sequence[Entry]:
        with self.lock:
            posts = [self._entry(one) for one in self.world.posts.values() if one.history[-1] == one.id]
            entries = posts + [self._direct_entry(one) for one in self.world.directs.values()]
        return sorted(entries, key=lambda one: int(one.id), reverse=True)[:most]

    def _entry(self, post: XPost) -> Entry:
        author = self.world.members[post.author_id]
        kind = "boost" if post.reposts else "quote" if post.quotes else "reply" if post.answers else "post"
        text = post.text
        for link in reversed(post.links):
            text = text[: link.start] + link.long + text[link.end :]
        notes = [f"{len(post.uploads)} picture" + "s" * (len(post.uploads) > 1)] if post.uploads else []
        notes += ["a poll"] if post.poll else []
        notes += ["hidden reply"] if post.is_hidden else []
        notes += ["author suspended"] if author.is_suspended else []
        return Entry(
            post.id,
            author.username,
            text,
            post.created_at,
            kind,
            post.reposts or post.quotes or post.answers,
            is_ours=author.is_ours,
            is_edited=len(post.history) > 1,
            is_deleted=post.deleted_at is not None,
            notes=tuple(notes),
        )

    def _direct_entry(self, event: DirectEvent) -> Entry:
        sender = self.world.members[event.sender_id]
        other = next(id_ for id_ in self.world.participants(event.conversation_id) if id_ != sender.id)
        return Entry(
            event.id,
            sender.username,
            event.text,
            event.created_at,
            "direct",
            to=self.world.members[other].username,
            is_ours=sender.is_ours,
        )

    def say(
        self,
        who: str,
        text: str,
        *,
        answers: str = "",
        quotes: str = "",
        is_direct: bool = False,
        lang: str = "und",
        surfaces_after: timedelta | None = None,
        uploads: tuple[Upload, ...] = (),
        reply_settings: str = "everyone",
    ) -> str:
        """As `Controllable.say`. `surfaces_after`: how late timelines and search show it, when not as usual."""
        with self.lock:
            author = self.world.get_member(who)
            ours = self.our_handle
            if is_direct:
                return self.world.write(author, self.world.get_member(ours), text, uploads).id
            if not answers and not quotes and not author.is_ours and ours and f"@{ours}".lower() not in text.lower():
                text = f"@{ours} {text}"
            if (
                answers
                and not author.is_ours
                and self._goes_on(author, answers)
                and f"@{ours}".lower() not in text.lower()
            ):
                text = f"@{ours} {text}"  # whom one's own post names stands in what one adds to it
            if weigh(text) > MOST_WEIGHT:
                raise ValueError("That is longer than a post on X may be.")
            if quotes:
                self.world.get_post(quotes)
            late = self.surfaces_after if surfaces_after is None else surfaces_after
            facts: dict[str, Any] = {"answers": answers, "quotes": quotes, "lang": lang, "uploads": uploads}
            return self.world.publish(author, text, late, reply_settings=reply_settings, **facts).id

    def _goes_on(self, author: Member, about: str) -> bool:
        """Whether this adds to a post of one's own that names us."""
        post = self.world.get_post(about)
        return post.author_id == author.id and any(one.is_ours for _, _, one in self.world.mentioned(post))

    def facts(self) -> list[str]:
        """What the control page says of the network besides: what X would have charged, and what it refused."""
        with self.lock:
            micros, refused = self.ledger.micros(), len(self.limits.refused)
        told = [f"X would have charged ${micros / 1_000_000:.3f} so far."]
        return told + [f"{refused} calls were refused as too many."] * (refused > 0)

    def boost(self, who: str, about: str) -> str:
        with self.lock:
            post = self.world.newest(self.world.get_post(about))
            writer = self.world.members[post.author_id]
            text = f"RT @{writer.username}: {post.text}"
            return self.world.publish(self.world.get_member(who), text[:280], reposts=post.id).id

    def like(self, about: str, times: int = 1) -> None:
        with self.lock:
            self.world.newest(self.world.get_post(about)).likes += times

    def edit(self, about: str, text: str) -> str:
        with self.lock:
            return self.world.edit(about, text).id

    def delete(self, about: str) -> None:
        """A post with all its versions; of a direct message, both copies."""
        with self.lock:
            if about in self.world.directs:
                del self.world.directs[about]
            else:
                self.world.delete(about)

    def suspend(self, who: str, is_suspended: bool = True) -> None:
        with self.lock:
            self.world.get_member(who).is_suspended = is_suspended

    def protect(self, who: str, is_protected: bool = True) -> None:
        with self.lock:
            self.world.get_member(who).is_protected = is_protected

    def rename(self, who: str, username: str) -> None:
        """The old name is free for somebody else."""
        with self.lock:
            if self.world.find_member(username):
                raise ValueError(f"@{username} is taken.")
            self.world.get_member(who).username = username

    def welcome(self, person: Person) -> None:
        with self.lock:
            facts = {"description": person.bio, "followers": person.followers, "is_ours": person.is_ours}
            self.world.join(person.handle, person.name, **facts, is_suspended=person.is_suspended)

    def connection(self) -> Connection:
        """OAuth 2.0, as connected through the consent page with the simulator's own app."""
        with self.lock:
            ours = self.world.get_member(self.our_handle)
            granted = self.access.issue(self.app, ours.id, frozenset(ALL_SCOPES.split()))
            since = self.now()
        settings = {"base_url": self.base_url, "client_id": self.app.client_id}
        settings |= {"user_id": ours.id, "handle": ours.username, "name": ours.name}
        secrets = {
            "client_secret": self.app.secret,
            "refresh_token": str(granted["refresh_token"]),
            "access_token": str(granted["access_token"]),
            "access_since": since.isoformat(),
            "access_until": (since + self.access.token_life).isoformat(),
        }
        return Connection("x", ours.username, ours.name, ours.id, settings, secrets)

    def show_face(self, request: Request) -> Answer:
        """A picture of a member: their first letter."""
        member = self.world.members.get(request.values["file"].removesuffix(".svg"))
        if member is None:
            return self.missing(request)
        colour = _COLOURS[int(member.id) % len(_COLOURS)]
        drawn = (
            '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96">'
            f'<rect width="96" height="96" fill="{colour}"/><text x="48" y="62" font-family="sans-serif" '
            f'font-size="40" fill="#fff" text-anchor="middle">{escape(member.name[:1].upper())}</text></svg>'
        )
        return Answer(200, drawn.encode(), "image/svg+xml")
