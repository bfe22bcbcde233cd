"""People at work on a simulated Mastodon server: what the control page, the demo and tests let them do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from connectors.simulators.control import Connection, Entry, Person
from connectors.simulators.mastodon.access import Access
from connectors.simulators.mastodon.things import DIRECT, PUBLIC, UNLISTED, Member, Status
from connectors.simulators.mastodon.views import Views
from connectors.simulators.mastodon.world import World


class PeopleAtWork:
    """Handles are "ann" for members of this server and "ann@far.example" for others."""

    world: World
    views: Views
    access: Access
    base_url: str
    lock: threading.RLock
    max_characters: int
    now: Callable[[], datetime]

    @property
    def our_handle(self) -> str:
        ours = next((one for one in self.world.members.values() if one.is_ours), None)
        return f"{ours.username}@{self.world.domain}" if ours else ""

    def join(self, handle: str, name: str = "", **facts: object) -> Member:
        with self.lock:
            return self.world.join(handle, name, **facts)

    def welcome(self, person: Person) -> None:
        self.join(
            person.handle,
            person.name,
            followers=person.followers,
            bio=person.bio,
            is_ours=person.is_ours,
            is_suspended=person.is_suspended,
        )

    def connection(self) -> Connection:
        with self.lock:
            us = self.world.get_member(self.our_handle)
            host = self.base_url.partition("://")[2]
            settings = {
                "base_url": self.base_url,
                "us": {
                    "id": us.id,
                    "handle": self.our_handle,
                    "name": us.name,
                    "uri": us.actor,
                    "domain": self.world.domain,
                    "server": host,
                },
            }
            token = self.access.grant(us.id)
            return Connection("mastodon", self.our_handle, us.name, us.actor, settings, {"access_token": token})

    def people(self) -> Sequence[Person]:
        with self.lock:
            return [
                Person(one.acct, one.name, one.followers, one.bio, one.is_ours, one.is_suspended)
                for one in self.world.members.values()
            ]

    def timeline(self, most: int = 50) -> Sequence[Entry]:
        with self.lock:
            newest = list(self.world.statuses.values())[::-1][:most]
            return [self._entry(one) for one in newest if one.author in self.world.members]

    def _entry(self, status: Status) -> Entry:
        author = self.world.members[status.author]
        kind = "post"
        for name, says in (
            ("boost", status.boosts),
            ("direct", status.visibility == DIRECT),
            ("quote", status.quotes),
            ("reply", status.answers),
        ):
            if says:
                kind = name
                break
        named = [self.world.members[one].acct for one in status.mentions if one in self.world.members]
        return Entry(
            status.id,
            author.acct,
            status.text,
            status.made_at,
            kind,
            status.boosts or status.quotes or status.answers,
            named[0] if status.visibility == DIRECT and named else "",
            author.is_ours,
            len(status.texts) > 1,
            status.is_deleted,
            tuple(_notes(status)),
        )

    def say(
        self,
        who: str,
        text: str,
        *,
        answers: str = "",
        quotes: str = "",
        is_direct: bool = False,
        visibility: str = "",
        warning: str = "",
        surfaces_after: timedelta | None = None,
    ) -> str:
        with self.lock:
            member = self.world.get_member(who)
            parent = self.world.get_status(answers) if answers else None
            if quotes:
                self.world.get_status(quotes)
            us = self.world.get_member(self.our_handle)
            named = {one.id for one in self.world.mentioned(text)}
            # As the web interface does it: an answer begins with all who take part.
            wanted = [us.id] if parent is None or is_direct else [parent.author, *parent.mentions]
            missing = [one for one in dict.fromkeys(wanted) if one not in {member.id, *named}]
            if not quotes:
                text = "".join(f"@{self.world.members[one].acct} " for one in missing) + text
            if not visibility:
                visibility = DIRECT if is_direct else parent.visibility if parent else PUBLIC
            return self.world.post(
                member,
                text,
                answers=answers,
                quotes=quotes,
                visibility=visibility,
                warning=warning or (parent.warning if parent else ""),
                surfaces_after=surfaces_after,
            ).id

    def boost(self, who: str, about: str) -> str:
        with self.lock:
            return self.world.boost(self.world.get_member(who), self.world.get_status(about)).id

    def favour(self, who: str, about: str) -> None:
        with self.lock:
            self.world.favour(self.world.get_member(who), self.world.get_status(about))

    def edit(self, about: str, text: str) -> str:
        with self.lock:
            status = self.world.get_status(about)
            self.world.edit(status, text)
            return status.id

    def delete(self, about: str) -> None:
        with self.lock:
            self.world.delete(self.world.get_status(about))

    def suspend(self, who: str, is_suspended: bool = True) -> None:
        with self.lock:
            self.world.get_member(who).is_suspended = is_suspended


def _notes(status: Status) -> list[str]:
    found = []
    if status.visibility not in {PUBLIC, DIRECT}:
        found.append("not in public timelines" if status.visibility == UNLISTED else "followers only")
    if status.warning:
        found.append(f"content warning: {status.warning}")
    if status.media:
        found.append("1 file" if len(status.media) == 1 else f"{len(status.media)} files")
    return found
