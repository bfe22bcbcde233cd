"""Who follows the tail of live events, and the one thread of this process that reads it for all of them.

The thread asks the database once a second, or at once when a bell rings, and only while somebody listens. Followers
get ids, never content: the browser fetches what it shows through the pages, where rights are checked again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import close_old_connections, connections
from django.db.models import Max

from inbox.models import LiveEvent
from inbox.worklist import Scope
from workers import bells

QUEUE_LENGTH = 200  # events a slow browser may lag behind before it is told to look at everything anew
REPLAY_LENGTH = 500
POLL_SECONDS = 1.0
_READ_AT_ONCE = 500
_MARGIN = timedelta(seconds=5)  # clocks of web hosts may differ by this much

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    number: int
    topic: str  # conversation | counters | account | outbox | resync
    subject: int = 0
    accounts: frozenset[int] = frozenset()

    def is_for(self, scope: Scope) -> bool:
        return scope is None or not self.accounts or bool(self.accounts & scope)


RESYNC = Event(0, "resync")


@dataclass(eq=False, slots=True)
class Follower:
    """One open stream. Only its own event loop touches `queue`."""

    scope: Scope
    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[Event] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))

    def put(self, events: Sequence[Event]) -> None:
        for event in events:
            if not event.is_for(self.scope):
                continue
            if self.queue.full():
                while not self.queue.empty():
                    self.queue.get_nowait()
                self.queue.put_nowait(Event(event.number, RESYNC.topic))
                return
            self.queue.put_nowait(event)


class Tail:
    """Hands every new event to every follower."""

    def __init__(self) -> None:
        self._followers: set[Follower] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._last = 0

    def add(self, follower: Follower) -> None:
        with self._lock:
            self._followers.add(follower)
            if self._thread is None or not self._thread.is_alive():
                self._last = newest_number()
                self._thread = threading.Thread(target=self._run, name="live-tail", daemon=True)
                self._thread.start()

    def remove(self, follower: Follower) -> None:
        with self._lock:
            self._followers.discard(follower)

    def _run(self) -> None:
        listener = bells.subscribe()
        try:
            while self._is_wanted():
                listener.wait(POLL_SECONDS)
                try:
                    self._hand_out()
                except Exception:  # the database is away for a moment: the next round reads on from the same number
                    log.exception("The live events could not be read.")
                finally:
                    close_old_connections()
        finally:
            listener.close()
            connections.close_all()  # nobody else would: this thread ends here

    def _is_wanted(self) -> bool:
        with self._lock:
            if not self._followers:
                self._thread = None
            return bool(self._followers)

    def _hand_out(self) -> None:
        while events := read_after(self._last, _READ_AT_ONCE):
            self._last = events[-1].number
            with self._lock:
                followers = list(self._followers)
            for follower in followers:
                try:
                    follower.loop.call_soon_threadsafe(follower.put, events)
                except RuntimeError:  # its loop has ended
                    self._followers.discard(follower)


def newest_number() -> int:
    return LiveEvent.objects.aggregate(newest=Max("number"))["newest"] or 0


def _as_events(rows: Iterable[tuple[int, str, int, list[int]]]) -> list[Event]:
    return [Event(number, topic, subject, frozenset(accounts)) for number, topic, subject, accounts in rows]


_COLUMNS = ("number", "topic", "subject", "accounts")


def read_after(number: int, limit: int) -> list[Event]:
    rows = LiveEvent.objects.filter(number__gt=number).order_by("number")
    return _as_events(rows.values_list(*_COLUMNS)[:limit])


def missed(last_number: int | None, since: datetime | None) -> list[Event]:
    """What a browser missed: after the last number it saw, or since its page was made. One resync when that is much."""
    if last_number is not None:
        events = read_after(last_number, REPLAY_LENGTH + 1)
        if last_number and not LiveEvent.objects.filter(number__lte=last_number).exists():
            return [Event(newest_number(), RESYNC.topic)]  # its place in the tail was cleared away
    elif since is not None:
        rows = LiveEvent.objects.filter(at__gte=since - _MARGIN).order_by("number")
        events = _as_events(rows.values_list(*_COLUMNS)[: REPLAY_LENGTH + 1])
    else:
        return []
    return events if len(events) <= REPLAY_LENGTH else [Event(newest_number(), RESYNC.topic)]
