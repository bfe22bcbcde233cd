"""Walks one folder: list what is unknown, bring it newest first in pages that each stand alone.

    EXAMINE ─▶ same epoch? ─▶ UID SEARCH a window ─▶ sizes and dates ─▶ bodies, several commands in flight ─▶ Page

A UID that SEARCH shows and FETCH omits is asked for once more alone and then becomes a Trouble; nothing is ever
concluded from a gap in the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from connectors.base import RetryLater
from connectors.killpoints import reach
from connectors.mail.folders import FolderStatus
from connectors.mail.imap import ConnectionLost, ImapSession
from connectors.mail.listing import (
    Memory,
    Ranges,
    absences,
    first_scope,
    gaps,
    has_epoch_ended,
    holds,
    holds_all,
    merge,
    next_scope,
    uid_set,
    without,
)
from connectors.mail.literals import Fetched
from connectors.mail.pieces import fetch_header, fetch_in_pieces
from connectors.mail.stream import PIECES_OVER, SIZES_AT_ONCE, Budget, Stream
from connectors.mail.uids import WINDOW, highest_uid, search_uids
from connectors.messages import Count, Covered, KnownScope, Page, RawItem, Scope, Trouble, Wish

_MAX_REFUSALS = 5
_WHILE_FLAPPING = 200


@dataclass
class FolderWalk:
    """One pass over one folder. `known` is what the shelf holds; `ranges` and `troubled` follow what was handed out."""

    session: ImapSession
    place: str
    is_sent: bool
    known: KnownScope | None
    wish: Wish
    max_bytes: int
    others: int = 0  # items waiting in other folders, for progress
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __post_init__(self) -> None:
        self.scope: Scope = self.known.scope if self.known else Scope(self.place)
        self.ranges: Ranges = merge(self.known.ranges) if self.known else ()
        self.troubled: set[int] = {int(uid) for uid in self.known.troubled} if self.known else set()
        self.memory = Memory.read(self.known)
        self.status: FolderStatus | None = None
        self.is_complete = False
        self.is_sure = True  # that the numbers still mean what they meant
        self._retired: tuple[Scope, ...] = ()
        self._told = False
        self._unlisted = 0

    def as_known(self) -> KnownScope:
        """What the shelf holds once every page so far is stored."""
        troubled = tuple(str(uid) for uid in sorted(self.troubled))
        return KnownScope(self.scope, self.ranges, troubled, self.memory.write())

    def pages(self, budget: Budget) -> Iterator[Page]:
        """Raises RetryLater or FolderMissing; what was yielded before stands."""
        status = self.session.examine(self.place)
        reach("imap.examined")
        high = highest_uid(self.session, status)
        self.status = status
        self._settle_epoch(status)
        if self.memory.is_flapping(self.clock()):
            # Bringing everything anew each time would be a flood; the newest mail still comes.
            budget.left = budget.take(_WHILE_FLAPPING)
        self.memory = replace(self.memory, uid_next=status.uid_next or high + 1)
        before = set(self.troubled)
        yield from self._suspects(budget)
        yield from self._unknown(high, status.exists, budget)
        if budget.is_spent:
            if not self._told:
                yield self._page()
            return
        if self.wish.retry_troubled and before:
            yield from self._retry(sorted(before & self.troubled), budget)
        if not self._told:
            yield self._page()
        self.is_complete = not budget.is_spent

    def _settle_epoch(self, status: FolderStatus) -> None:
        if self.known is None:
            self.scope = first_scope(self.place, status.uid_validity)
            return
        seen = self._canaries()
        if has_epoch_ended(self.known, self.memory, status.uid_validity, status.uid_next, seen):
            self._retired = (self.scope,)
            self.memory = self.memory.after_turn(self.clock())
            self.scope = next_scope(self.place, status.uid_validity, self.memory.turn)
            self.ranges, self.troubled = (), set()

    def _canaries(self) -> dict[int, tuple[str, int]]:
        """What the server now says of the mails by which an ended epoch shows: uid → (INTERNALDATE, size)."""
        uids = [canary[0] for canary in self.memory.canaries]
        seen = self._dates(uids)
        if missing := [uid for uid in uids if uid not in seen]:
            # Deleted, or left out of this one answer: then nothing is known of the epoch yet.
            found = self.session.command(b"UID SEARCH UID " + uid_set(missing), "checking the folder").numbers
            listed = [uid for uid in missing if uid in found]
            seen |= self._dates(listed)
            self.is_sure = all(uid in seen for uid in listed)
        return seen

    def _dates(self, uids: list[int]) -> dict[int, tuple[str, int]]:
        if not uids:
            return {}
        command = b"UID FETCH %s (UID INTERNALDATE RFC822.SIZE)" % uid_set(uids)
        answer = self.session.command(command, "checking the folder")
        return {one.uid: (one.received_at.isoformat(), one.size or 0) for one in answer.fetched if one.received_at}

    # --- What is unknown --------------------------------------------------------------------------------------------

    def _unknown(self, high: int, exists: int, budget: Budget) -> Iterator[Page]:
        span, listed, upper = (WINDOW if exists > WINDOW else high), 0, high
        while not budget.is_spent and upper >= 1:
            open_gaps = [gap for gap in gaps(self.ranges, upper) if without(*gap, self.troubled)]
            if not open_gaps:
                return
            top, bottom = open_gaps[0][1], open_gaps[-1][0]
            low = max(bottom, top - span + 1)
            uids = search_uids(self.session, low, top)
            listed += len(uids)
            self._unlisted = max(0, min(low - bottom, exists - listed))
            if len(uids) < WINDOW // 10:
                span *= 8
            elif len(uids) > WINDOW:
                span = max(WINDOW, span // 8)
            unknown = [uid for uid in reversed(uids) if uid not in self.troubled and not holds(self.ranges, uid)]
            # Above the highest mail that was listed nothing is concluded: a server may show its newest mail late.
            edge = max(uids, default=low - 1) if top == high else top
            yield from self._window(low, edge, unknown, budget)
            upper = low - 1

    def _window(self, low: int, upper: int, uids: list[int], budget: Budget) -> Iterator[Page]:
        """One listed stretch low..upper; `uids` are the unknown ones in it, highest first."""
        stream = Stream(self.session, uids, self.wish, budget)
        missing: list[int] = []
        left = len(uids)
        try:
            for batch in stream.batches():
                reach("imap.bodies-read")
                items = [self._item(info, body.content, body.path) for info, body in batch.found]
                if batch.large is not None and (item := self._one(batch.large.uid, batch.large)):
                    items = [item]
                came = {int(item.external_id) for item in items}
                missing.extend(uid for uid in batch.uids if uid not in came)
                left -= len(batch.uids)
                covered = without(batch.uids[-1], upper, {*self.troubled, *missing, *stream.unsized})
                upper = min(upper, batch.uids[-1] - 1)
                yield self._page(items, covered, remaining=left + self._unlisted + self.others)
        except ConnectionLost:
            self.memory = replace(self.memory, suspects=tuple(stream.asked))
            yield self._page()
            raise
        missing += stream.unsized
        yield from self._one_by_one(missing, budget)
        if stream.is_done:
            rest = without(low, upper, self.troubled | set(missing))
            if any(not holds_all(self.ranges, *part) for part in rest):
                yield self._page(covered=rest)

    # --- One at a time ----------------------------------------------------------------------------------------------

    def _one(self, uid: int, info: Fetched | None = None) -> RawItem | None:
        """One mail on its own, in the way that suits its size; None when the server omits it."""
        info = info or self._size_of(uid)
        size = (info.size or 0) if info else 0
        if info and size > self.max_bytes:
            header = fetch_header(self.session, uid)
            return None if header is None else replace(self._item(info, header, None), size=size, too_large=True)
        if info and size > PIECES_OVER:
            path = fetch_in_pieces(self.session, uid, size, self.max_bytes)
            return None if path is None else self._item(info, None, path)
        found = self.session.fetch_slowly(uid)
        return None if found is None else self._item(found, found.content, found.path)

    def _size_of(self, uid: int) -> Fetched | None:
        answer = self.session.answer(
            self.session.ask([b"UID FETCH %d (UID INTERNALDATE RFC822.SIZE)" % uid], "asking for a size")[0],
            "asking for a size",
        )
        return next((message for message in answer.fetched if message.uid == uid and message.received_at), None)

    def _one_by_one(self, uids: list[int], budget: Budget) -> Iterator[Page]:
        """Ask for each of these alone; what does not come becomes a Trouble."""
        refusals = 0
        for uid in uids:
            if budget.is_spent:
                return
            reason = ""
            item = None
            try:
                item = None if self.memory.is_killer(uid, self.clock()) else self._one(uid)
            except ConnectionLost:
                self.memory = self.memory.with_loss(uid, self.clock())
                yield self._page()
                raise
            except RetryLater as error:
                if not self.session.is_open:
                    raise
                reason, refusals = error.sentence, refusals + 1
                if refusals >= _MAX_REFUSALS:
                    raise
            if item:
                refusals = 0
                budget.spend(1)
                yield self._page([item], [(uid, uid)])
            else:
                yield self._page(troubles=[Trouble(self.scope, str(uid), reason or self._why(uid))])

    def _why(self, uid: int) -> str:
        name = self.session.endpoint.name
        if self.memory.is_killer(uid, self.clock()):
            return f"The connection to {name} breaks each time mail {uid} in {self.place} is asked for."
        return f"{name} lists mail {uid} in {self.place} but does not hand it over."

    def _suspects(self, budget: Budget) -> Iterator[Page]:
        """After the connection died in the middle of a batch, its mails come one at a time."""
        suspects = [uid for uid in self.memory.suspects if not holds(self.ranges, uid) and uid not in self.troubled]
        if suspects:
            low, high = min(suspects), max(suspects)
            listed = set(search_uids(self.session, low, high))
            yield from self._one_by_one([uid for uid in suspects if uid in listed], budget)
        if not budget.is_spent:
            self.memory = replace(self.memory, suspects=())

    def _retry(self, troubled: list[int], budget: Budget) -> Iterator[Page]:
        """Ask again for what could not be had before; what two listings no longer show is gone."""
        if not troubled:
            return
        listed: set[int] = set()
        for start in range(0, len(troubled), SIZES_AT_ONCE):
            chunk = troubled[start : start + SIZES_AT_ONCE]
            listed.update(self.session.command(b"UID SEARCH UID " + uid_set(chunk), "listing troubled mail").numbers)
        gone, absent = absences(troubled, listed, self.memory, self.clock())
        self.memory = replace(self.memory, absent=absent)
        if gone or absent:
            yield self._page(covered=[(uid, uid) for uid in gone], gone=gone)
        yield from self._one_by_one([uid for uid in troubled if uid in listed], budget)

    # --- Pages ------------------------------------------------------------------------------------------------------

    def _item(self, info: Fetched, content: bytes | None, path: Path | None) -> RawItem:
        received_at = info.received_at or self.clock()
        size = len(content) if content is not None else path.stat().st_size if path else info.size or 0
        if info.received_at and info.size is not None:
            self.memory = self.memory.with_canary((info.uid, received_at.isoformat(), info.size))
        if path is not None:
            reach("imap.large-spooled")
            self.session.wire.loose.discard(path)
        return RawItem(self.scope, str(info.uid), received_at, size, content, path, is_sent=self.is_sent)

    def _page(
        self,
        items: list[RawItem] | None = None,
        covered: list[tuple[int, int]] | None = None,
        troubles: list[Trouble] | None = None,
        gone: list[int] | None = None,
        remaining: int | None = None,
    ) -> Page:
        """One page, with what the next fetch must remember; the first one also tells counts and the ended epoch."""
        items, covered, troubles, gone = items or [], covered or [], troubles or [], gone or []
        self.ranges = merge([*self.ranges, *covered])
        self.troubled -= {*gone, *(int(item.external_id) for item in items)}
        self.troubled |= {int(trouble.external_id) for trouble in troubles}
        counts = () if self._told or self.status is None else (Count(self.scope, self.status.exists),)
        retired = () if self._told else self._retired
        self._told = True
        return Page(
            items=tuple(items),
            covered=tuple(Covered(self.scope, low, high) for low, high in covered),
            troubles=tuple(troubles),
            gone=tuple((self.scope, str(uid)) for uid in gone),
            counts=counts,
            state={self.scope: self.memory.write()},
            retired=retired,
            remaining=remaining,
        )
