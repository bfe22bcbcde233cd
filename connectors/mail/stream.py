"""Brings the bodies of a list of UIDs with several commands in flight, so that distance costs little.

sizes of the next 600 ─▶ bodies, up to a page each ─▶ …      (always up to four bodies and one sizes command ahead)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.mail.imap import ImapSession
from connectors.mail.listing import uid_set
from connectors.mail.literals import Fetched
from connectors.messages import Wish

IN_FLIGHT = 4
PIECES_OVER = 8 * 1024 * 1024
SIZES_AT_ONCE = 600


@dataclass
class Budget:
    """How many items may still be brought; None is no limit."""

    left: int | None

    def take(self, wanted: int) -> int:
        return wanted if self.left is None else min(wanted, self.left)

    def spend(self, items: int) -> None:
        if self.left is not None:
            self.left -= items

    @property
    def is_spent(self) -> bool:
        return self.left is not None and self.left <= 0


@dataclass(slots=True)
class Batch:
    """One step: what came (what was told of it before, the body), or one large mail that is still to be brought."""

    uids: list[int]  # highest first; everything the step was about
    found: list[tuple[Fetched, Fetched]] = field(default_factory=list)
    large: Fetched | None = None


@dataclass(slots=True)
class _Operation:
    tag: bytes
    uids: list[int]
    infos: dict[int, Fetched] | None = None  # None: a question for sizes
    size: int = 0


class Stream:
    """`asked` names the bodies that were being read last: suspects when the connection dies. `unsized` came without
    a size and are to be asked for alone."""

    def __init__(self, session: ImapSession, uids: list[int], wish: Wish, budget: Budget) -> None:
        self._session = session
        self._uids = deque(uids)
        self._wish = wish
        self._budget = budget
        self._infos: deque[Fetched] = deque()
        self._flight: deque[_Operation] = deque()
        self._promised = 0  # bodies asked for and not handed out yet
        # Dovecot works on several commands at once: a later command's mail may come before an earlier one's end.
        self._sizes: dict[int, Fetched] = {}
        self._bodies: dict[int, Fetched] = {}
        self.unsized: list[int] = []
        self.asked: list[int] = []

    @property
    def is_done(self) -> bool:
        return not self._uids and not self._infos and not self._flight

    def batches(self) -> Iterator[Batch]:
        """Highest UIDs first, until all are done or the budget is spent."""
        try:
            while True:
                self._ask_ahead()
                if self._flight:
                    operation = self._flight.popleft()
                    if operation.infos is None:
                        self._read_sizes(operation)
                    else:
                        yield self._read_bodies(operation, operation.infos)
                elif self._infos and not self._budget.is_spent:
                    info = self._infos.popleft()
                    self._budget.spend(1)
                    yield Batch([info.uid], large=info)
                else:
                    return
        finally:
            # Whoever stops in the middle leaves answers on the wire that nobody will read.
            if self._flight and self._session.is_open:
                self._session.close()

    def _ask_ahead(self) -> None:
        asking_sizes = any(operation.infos is None for operation in self._flight)
        ahead = self._promised + len(self._infos)
        is_low = len(self._infos) < 2 * SIZES_AT_ONCE and self._budget.take(ahead + 1) > ahead
        if self._uids and not asking_sizes and is_low:
            uids = [self._uids.popleft() for _ in range(min(SIZES_AT_ONCE, len(self._uids)))]
            command = b"UID FETCH %s (UID INTERNALDATE RFC822.SIZE)" % uid_set(uids)
            self._flight.append(_Operation(self._session.ask([command], "asking for sizes")[0], uids))
            asking_sizes = True
        while sum(operation.infos is not None for operation in self._flight) < IN_FLIGHT:
            batch = self._next_batch(more_to_come=asking_sizes or bool(self._uids))
            if not batch:
                return
            uids = [info.uid for info in batch]
            tag = self._session.ask([b"UID FETCH %s (UID BODY.PEEK[])" % uid_set(uids)], "asking for mail")[0]
            size = sum(info.size or 0 for info in batch)
            self._flight.append(_Operation(tag, uids, {info.uid: info for info in batch}, size))
            self._promised += len(uids)

    def _next_batch(self, more_to_come: bool) -> list[Fetched]:
        """The next mails that fit one page; empty when a large one or nothing is next."""
        limit = self._budget.take(self._promised + self._wish.page_items) - self._promised
        if limit <= 0 or (more_to_come and len(self._infos) < limit):
            return []
        batch: list[Fetched] = []
        total = 0
        while self._infos and len(batch) < limit:
            size = self._infos[0].size or 0
            if size > PIECES_OVER or (batch and total + size > self._wish.page_bytes):
                break
            batch.append(self._infos.popleft())
            total += size
        return batch

    def _answer(self, operation: _Operation, doing: str) -> None:
        for message in self._session.answer(operation.tag, doing, operation.size).fetched:
            if message.content is not None or message.path is not None:
                self._bodies[message.uid] = message
            elif message.received_at:
                self._sizes[message.uid] = message

    def _read_sizes(self, operation: _Operation) -> None:
        self._answer(operation, "reading sizes")
        for uid in operation.uids:
            info = self._sizes.pop(uid, None)
            if info is None:
                self.unsized.append(uid)
            else:
                self._infos.append(info)

    def _read_bodies(self, operation: _Operation, infos: dict[int, Fetched]) -> Batch:
        self.asked = operation.uids
        self._answer(operation, "reading mail")
        self.asked = []
        self._promised -= len(operation.uids)
        self._budget.spend(len(operation.uids))
        bodies = [(infos[uid], self._bodies.pop(uid, None)) for uid in operation.uids]
        return Batch(operation.uids, [(info, body) for info, body in bodies if body is not None])
