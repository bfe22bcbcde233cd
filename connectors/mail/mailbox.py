"""All folders of one account over one reused connection: fetch, list, look for what was sent, file what was sent.

The connection stays open between fetches with the first folder selected. When nothing is new, a fetch is one round
trip: NOOP for the selected folder and STATUS for the others, written together (≤ 256 bytes for two folders).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.base import LogInExpired, PlacesMissing, RetryLater
from connectors.killpoints import reach
from connectors.mail.credential import Credential
from connectors.mail.endpoint import Endpoint
from connectors.mail.fetching import FolderWalk
from connectors.mail.folders import FolderStatus
from connectors.mail.imap import ConnectionLost, Deadlines, FolderMissing, ImapSession, open_session
from connectors.mail.listing import Memory, Ranges, merge
from connectors.mail.news import AT_ONCE, bring_news
from connectors.mail.stream import Budget
from connectors.mail.tending import tend
from connectors.mail.uids import list_uids
from connectors.messages import Count, Covered, Known, KnownScope, Page, Scope, Tended, Wish

_LATE_LISTING = timedelta(seconds=120)
FIRST_LOOK = 1000  # items per folder before any folder's older history


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """Which folders are read, and what is kept of a very large mail. `sent_folder` "" means: look for it."""

    folders: tuple[str, ...]
    sent_folder: str
    spool: Path
    max_bytes: int


@dataclass(frozen=True, slots=True)
class _Quiet:
    """A folder as it was left when everything in it was known."""

    scope: Scope
    status: FolderStatus
    ranges: Ranges


class Mailbox:
    """Not thread-safe: one thread at a time, as the account's lease ensures."""

    def __init__(
        self, endpoint: Endpoint, credential: Credential, settings: MailboxSettings, deadlines: Deadlines
    ) -> None:
        self.endpoint = endpoint
        self._credential = credential
        self._settings = settings
        self._deadlines = deadlines
        self._session: ImapSession | None = None
        self._sent: str | None = settings.sent_folder or None
        self._looked_for_sent = bool(settings.sent_folder)
        self._quiet: dict[str, _Quiet] = {}
        self._edges: dict[str, tuple[FolderStatus, datetime]] = {}  # since when a folder's top has looked like this

    def open_session(self) -> ImapSession:
        """The open connection, or a new one. Raises the contract's errors."""
        if self._session is None or not self._session.is_open:
            self._session = None
            self._session = open_session(self.endpoint, self._credential, self._settings.spool, self._deadlines)
            reach("imap.connected")
        return self._session

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = None
        self._quiet.clear()

    def __del__(self) -> None:
        self.close()

    def find_sent_folder(self) -> str | None:
        """Where copies of sent mail lie; None when the server has no such folder."""
        if not self._looked_for_sent:
            self._sent = self.open_session().find_sent_folder()
            self._looked_for_sent = True
        return self._sent

    def places(self) -> list[str]:
        """The folders that are read, Sent last."""
        sent = self.find_sent_folder()
        folders = [folder for folder in self._settings.folders if folder != sent]
        return [*folders, sent] if sent else folders

    # --- Fetch ------------------------------------------------------------------------------------------------------

    def fetch(self, known: Known, wish: Wish) -> Iterator[Page]:
        """Pages of every folder, newest first; old history after every folder's newest mail.

        A page that only counts or remembers rides along with the next one, so that every page is progress.
        """
        waiting: Page | None = None
        try:
            for page in self._pages(known, wish):
                page = page if waiting is None else _join(waiting, page)
                waiting = None
                if page.items or page.covered or page.troubles or page.gone:
                    yield page
                else:
                    waiting = page
        except RetryLater as error:
            if waiting is not None:
                yield waiting
            if isinstance(error, LogInExpired) and self._credential.is_token:
                self._credential.renewed()
            raise
        if waiting is not None:
            yield waiting

    def _pages(self, known: Known, wish: Wish) -> Iterator[Page]:
        places = self.places()
        statuses = self._look(places)
        restless = [place for place in places if not self._is_quiet(place, known.of(place), statuses, wish)]
        if counts := tuple(self._quiet_counts(places, restless, statuses)):
            yield Page(counts=counts)
        budget = Budget(wish.max_items)
        found: dict[str, KnownScope | None] = {place: known.of(place) for place in restless}
        yield from self._news(found, budget)
        problems: dict[str, str] = {}
        first_looks = [FIRST_LOOK, None] if len(restless) > 1 else [None]
        for limit in first_looks:
            for place in list(found):
                if budget.is_spent:
                    return
                yield from self._walk(place, found, limit, budget, wish, problems)
        self._return_to(places[0] if places else "")
        if problems:
            raise PlacesMissing(problems)

    def _news(self, found: dict[str, KnownScope | None], budget: Budget) -> Iterator[Page]:
        """What has just come into the selected folder, which was quiet, goes before everything else."""
        session = self._session
        place = (session.selected if session else None) or ""
        quiet, known = self._quiet.get(place), found.get(place)
        if session is None or not session.wire.stirred or quiet is None or quiet.status.uid_next is None:
            return
        if known is None or known.scope != quiet.scope or known.troubled or merge(known.ranges) != quiet.ranges:
            return
        if budget.take(AT_ONCE) < AT_ONCE:
            return
        items = bring_news(session, quiet.scope, quiet.status.uid_next, place == self._sent)
        if items:
            uids = [(int(item.external_id),) * 2 for item in items]
            budget.spend(len(items))
            memory = Memory.read(known)
            for item in items:  # by the newest mails it is seen whether numbers are given out again
                memory = memory.with_canary((int(item.external_id), item.received_at.isoformat(), item.size))
            state = memory.write()
            found[place] = replace(known, ranges=merge([*known.ranges, *uids]), state=state)
            covered = tuple(Covered(quiet.scope, low, high) for low, high in uids)
            yield Page(tuple(items), covered, state={quiet.scope: state})

    def _walk(
        self,
        place: str,
        found: dict[str, KnownScope | None],
        limit: int | None,
        budget: Budget,
        wish: Wish,
        problems: dict[str, str],
    ) -> Iterator[Page]:
        """One pass over one folder; what is finished leaves `found`."""
        self._quiet.pop(place, None)
        own = Budget(limit if budget.left is None else min(limit or budget.left, budget.left))
        before = own.left
        walk = FolderWalk(
            session=self.open_session(),
            place=place,
            is_sent=place == self._sent,
            known=found[place],
            wish=wish,
            max_bytes=self._settings.max_bytes,
            clock=self._deadlines.clock,
        )
        try:
            yield from walk.pages(own)
        except FolderMissing as error:
            problems[place] = error.sentence
            del found[place]
            return
        found[place] = walk.as_known()
        if before is not None and own.left is not None:
            budget.spend(before - own.left)
        if walk.is_complete:
            del found[place]
            if walk.status and walk.is_sure and not walk.troubled and self._is_settled(place, walk.status, walk.ranges):
                self._quiet[place] = _Quiet(walk.scope, walk.status, walk.ranges)

    def _is_settled(self, place: str, status: FolderStatus, ranges: Ranges) -> bool:
        """Whether nothing more can show up without news. Numbers at the top that no listing shows are mail that was
        deleted, or mail that the server lists late: they are asked for again for a while."""
        if status.uid_next is None or (ranges[-1][1] if ranges else 0) >= status.uid_next - 1:
            self._edges.pop(place, None)
            return True
        now = self._deadlines.clock()
        seen, since = self._edges.get(place, (None, now))
        if seen != status:
            since = now
            self._edges[place] = (status, since)
        return now - since > _LATE_LISTING

    def _look(self, places: list[str]) -> dict[str, FolderStatus]:
        """One round trip: what the server says of every folder that was quiet. Empty where the connection is new."""
        session = self.open_session()
        if session.selected is None or not self._quiet:
            return {}
        others = [place for place in places if place != session.selected and place in self._quiet]
        try:
            statuses = session.look(others)
        except ConnectionLost:
            # A connection that idled away is no news; the walk that follows makes a new one.
            return {}
        quiet = self._quiet.get(session.selected)
        if quiet and not session.wire.stirred:
            statuses[session.selected] = quiet.status
        return statuses

    def _is_quiet(self, place: str, known: KnownScope | None, statuses: dict[str, FolderStatus], wish: Wish) -> bool:
        quiet = self._quiet.get(place)
        if quiet is None or known is None or place not in statuses or known.troubled:
            return False
        same = quiet.scope == known.scope and quiet.status == statuses[place]
        return same and quiet.ranges == merge(known.ranges)

    def _quiet_counts(
        self, places: list[str], restless: list[str], statuses: dict[str, FolderStatus]
    ) -> Iterator[Count]:
        for place in places:
            if place not in restless:
                yield Count(self._quiet[place].scope, statuses[place].exists)

    def _return_to(self, place: str) -> None:
        """Leave the first folder selected, so that the next look sees its news without a STATUS."""
        session = self._session
        if session is None or not session.is_open or session.selected == place or place not in self._quiet:
            return
        try:
            status = session.examine(place)
        except (FolderMissing, RetryLater):
            return
        if status != self._quiet[place].status:
            del self._quiet[place]

    def tend(self, scope: Scope, items: Sequence[tuple[str, datetime]], *, mark_seen: bool, move_to: str) -> Tended:
        """The explicit act after storing (connectors.mail.tending); the next look then walks this folder anew."""
        self._quiet.pop(scope.place, None)
        return tend(self.open_session(), scope, items, mark_seen=mark_seen, move_to=move_to)

    # --- Reconciliation and evidence --------------------------------------------------------------------------------

    def list_uids(self, scope: Scope) -> tuple[Sequence[int], int]:
        """The UIDs of a scope, ascending, and how many the server says there are.

        Raises RetryLater when the folder has begun a new epoch since.
        """
        # Opening a folder swallows its news, so the next fetch has to look for itself.
        self._quiet.pop(scope.place, None)
        return list_uids(self.open_session(), scope)

    def find_by_message_id(self, message_id: str) -> str | None:
        """Folder, epoch and UID of a mail in Sent, as `Sent/1700000000/42`; None without one."""
        sent = self.find_sent_folder()
        if sent is None:
            return None
        session = self.open_session()
        try:
            status = session.examine(sent)
        except FolderMissing:
            return None
        finally:
            self._quiet.pop(sent, None)
        uids = session.search_message_id(message_id)
        return f"{sent}/{status.uid_validity}/{uids[-1]}" if uids else None

    def file(self, message_id: str, content: bytes) -> None:
        """Put a copy into Sent unless one is there. Raises RetryLater; doing it again files no second copy."""
        sent = self.find_sent_folder()
        if sent is None:
            raise RetryLater(f"{self.endpoint.user} has no folder for sent mail. Name one in the mailbox settings.")
        if self.find_by_message_id(message_id) is None:
            self.open_session().append(sent, content, datetime.now(UTC))


def _join(first: Page, second: Page) -> Page:
    """The second page with what the first one, which holds no items, had to tell."""
    counts = {count.scope: count for count in (*first.counts, *second.counts)}
    return replace(
        second,
        counts=tuple(counts.values()),
        state={**first.state, **second.state},
        retired=(*first.retired, *second.retired),
    )
