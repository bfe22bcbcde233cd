"""The network behind a simulated Mastodon server: who says what to whom, and who is told. No HTTP here.

Ids are made as Mastodon makes them, milliseconds since 1970 above 16 bits, so they grow with time; notifications are
numbered on their own. Visibility: https://docs.joinmastodon.org/user/posting/#privacy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from connectors.simulators.control import NoSuchEntry
from connectors.simulators.mastodon.things import DIRECT, PRIVATE, PUBLIC, Medium, Member, Notice, Status

DOMAIN = "social.example"
_MENTION = re.compile(r"(?<![=/\w])@(\w+(?:[.-]+\w+)*)(?:@([\w.-]+\w))?")


class Refusal(ValueError):
    """What the server does not allow, in its own words."""

    def __init__(self, words: str, status: int = 422) -> None:
        super().__init__(words)
        self.status = status


class World:
    """Not safe on several threads by itself: its server holds the lock."""

    def __init__(self, now: Callable[[], datetime], domain: str = DOMAIN) -> None:
        self.now = now
        self.domain = domain
        self.members: dict[str, Member] = {}
        self.statuses: dict[str, Status] = {}  # in the order they were made
        self.notices: list[Notice] = []
        self.media: dict[str, Medium] = {}
        self.on_notice: Callable[[Notice], None] = lambda notice: None
        self._last_id = 0
        self._last_notice = 34_000_000

    def new_id(self, at: datetime | None = None) -> str:
        wanted = int((at or self.now()).timestamp() * 1000) << 16
        self._last_id = max(wanted, self._last_id + 1)
        return str(self._last_id)

    def start_after(self, last: int, last_notice: int) -> None:
        self._last_id, self._last_notice = max(self._last_id, last), max(self._last_notice, last_notice)

    # --- People -----------------------------------------------------------------------------------------------------

    def join(self, handle: str, name: str = "", **facts: object) -> Member:
        """ "ann" lives here, "ann@far.example" elsewhere; `facts` are fields of Member."""
        username, _, domain = handle.lstrip("@").partition("@")
        if domain == self.domain:
            domain = ""
        at = self.now() - timedelta(days=700)
        own = str((int(at.timestamp() * 1000) << 16) + len(self.members))
        member = Member(own, username, name or username, at, domain)
        member.actor = f"https://{domain or self.domain}/ap/users/{own}"
        for fact, value in facts.items():
            setattr(member, fact, value)
        self.members[member.id] = member
        return member

    def leave(self, member: Member) -> None:
        """The account is deleted with all it said; its handle is free for another."""
        for one in self.statuses.values():
            if one.author == member.id:
                one.is_deleted = True
        self.notices = [one for one in self.notices if one.actor != member.id]
        del self.members[member.id]

    def find_member(self, handle: str) -> Member | None:
        username, _, domain = handle.lstrip("@").lower().partition("@")
        domain = "" if domain == self.domain else domain
        return next(
            (one for one in self.members.values() if one.username.lower() == username and one.domain == domain), None
        )

    def get_member(self, handle: str) -> Member:
        found = self.find_member(handle)
        if found is None:
            raise NoSuchEntry(f"There is no @{handle} on this server.")
        return found

    def get_status(self, status_id: str) -> Status:
        found = self.statuses.get(status_id)
        if found is None or found.is_deleted:
            raise NoSuchEntry("This post is not there, or not any more.")
        return found

    def mentioned(self, text: str) -> list[Member]:
        found = [self.find_member("@".join(part for part in match if part)) for match in _MENTION.findall(text)]
        return list({one.id: one for one in found if one is not None}.values())

    # --- What is said -----------------------------------------------------------------------------------------------

    def post(
        self,
        author: Member,
        text: str,
        *,
        answers: str = "",
        quotes: str = "",
        visibility: str = PUBLIC,
        warning: str = "",
        language: str = "en",
        media: Iterable[Medium] = (),
        surfaces_after: timedelta | None = None,
    ) -> Status:
        """`surfaces_after`: whoever is told of it sees that only so much later."""
        if answers and (answers not in self.statuses or self.statuses[answers].is_deleted):
            raise Refusal("The post you are trying to reply to does not appear to exist.", 404)
        own, at = self.new_id(), self.now()
        status = Status(own, author.id, [text], [at], visibility, answers, quotes, "", warning, language)
        status.uri = f"https://{author.domain or self.domain}/users/{author.username}/statuses/{own}"
        status.media = list(media)
        status.mentions = [one.id for one in self.mentioned(text)]
        self.statuses[own] = status
        for one in status.mentions:
            self._notify(one, "mention", author, status, surfaces_after)
        if quotes and (quoted := self.statuses.get(quotes)) and quoted.author not in status.mentions:
            self._notify(quoted.author, "quote", author, status, surfaces_after)
        return status

    def _notify(
        self, to: str, kind: str, actor: Member, status: Status, surfaces_after: timedelta | None = None
    ) -> None:
        if to == actor.id or to not in self.members or self.members[to].domain:
            return
        self._last_notice += 1
        at = self.now()
        notice = Notice(str(self._last_notice), to, kind, actor.id, status.id, at)
        if surfaces_after is not None:
            notice.seen_at = at + surfaces_after
        self.notices.append(notice)
        self.on_notice(notice)

    def boost(self, who: Member, about: Status) -> Status:
        if about.visibility in {PRIVATE, DIRECT}:
            raise Refusal("This action is not allowed", 403)
        own = self.new_id()
        status = Status(own, who.id, [""], [self.now()], boosts=about.id)
        status.uri = f"https://{who.domain or self.domain}/users/{who.username}/statuses/{own}/activity"
        self.statuses[own] = status
        self._notify(about.author, "reblog", who, about)
        return status

    def favour(self, who: Member, about: Status) -> None:
        self._notify(about.author, "favourite", who, about)

    def edit(self, status: Status, text: str, warning: str | None = None) -> None:
        status.texts.append(text)
        status.times.append(self.now())
        if warning is not None:
            status.warning = warning
        for one in self.mentioned(text):
            if one.id not in status.mentions:
                status.mentions.append(one.id)
                self._notify(one.id, "mention", self.members[status.author], status)
        for boost in [one for one in self.statuses.values() if one.boosts == status.id and not one.is_deleted]:
            self._notify(boost.author, "update", self.members[status.author], status)

    def delete(self, status: Status) -> None:
        """What answered it loses its parent, and whoever was told of it is told no longer."""
        status.is_deleted = True
        self.notices = [one for one in self.notices if one.status != status.id]
        for one in self.statuses.values():
            if one.answers == status.id:
                one.answers = ""

    # --- Who sees what ----------------------------------------------------------------------------------------------

    def may_see(self, viewer: Member | None, status: Status) -> bool:
        author = self.members.get(status.author)
        if status.is_deleted or author is None or author.is_suspended:
            return False
        if viewer is None:
            return status.visibility not in {PRIVATE, DIRECT}
        if viewer.id == status.author or viewer.id in status.mentions:
            return True
        if viewer.id in author.blocks or status.visibility == DIRECT:
            return False
        return status.visibility != PRIVATE or status.author in viewer.follows

    def ancestors(self, status: Status) -> list[Status]:
        found: list[Status] = []
        above = self.statuses.get(status.answers)
        while above is not None and len(found) < 1000:
            found.append(above)
            above = self.statuses.get(above.answers)
        return found[::-1]

    def descendants(self, status: Status) -> list[Status]:
        wanted, found = {status.id}, []
        for one in self.statuses.values():
            if one.answers in wanted:
                wanted.add(one.id)
                found.append(one)
        return found

    def notices_of(self, member: Member) -> list[Notice]:
        """Newest first, as far as they have surfaced and may be shown."""
        now = self.now()
        found = []
        for one in self.notices:
            actor, status = self.members.get(one.actor), self.statuses.get(one.status)
            if one.to != member.id or actor is None or actor.is_suspended or one.actor in member.blocks:
                continue
            if status is None or status.is_deleted or (one.seen_at is not None and one.seen_at > now):
                continue
            found.append(one)
        return sorted(found, key=lambda one: int(one.id), reverse=True)
