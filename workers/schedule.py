"""When the jobs run: on a bell, when the next row falls due, and every few seconds whatever happens.

Embedded: one thread a lane in the `jobs` process. Servers: `sweep_for_ever` in each worker rings for what is due: a
bell lost with Redis costs seconds. A lane that raises is logged and goes on; the rows say what was not done.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from django.db import connections as database_connections
from django.db.models import Min

from inbox import accounts
from inbox.ingest.arrivals import IS_HARD
from inbox.interpreter import spare_the_loaded
from inbox.languages import is_any_due as is_language_due
from inbox.models import Account, Envelope, RawItem
from search.backend import get_backend
from workers import connections, jobs, languages, polyglot
from workers.bells import Listener, ring, subscribe
from workers.threads import end_pool

log = logging.getLogger(__name__)

LONGEST_PAUSE = 5.0
SWEEP_SECONDS = 5.0
SHORTEST_SWEEP_PAUSE = 1.0
INDEX_SECONDS = 60.0  # also without a waiting change: an index that was deleted is made anew
TIDY_SECONDS = 3600
FETCH_THREADS = 4
_PAUSE_AFTER_FAULT = 2.0


class Lane(threading.Thread):
    """Calls `work` until it finds nothing, then waits for a bell, the next due row, or LONGEST_PAUSE."""

    def __init__(
        self,
        room: str,
        work: Callable[[], int],
        next_due: Callable[[], float],
        stop: threading.Event,
        ears: Listener | None = None,
    ) -> None:
        """`ears` of its own save the lane whose delay people feel the way over another thread."""
        super().__init__(name=room, daemon=True)
        self.room, self.work, self.next_due, self.stop, self.ears = room, work, next_due, stop, ears
        self.rung = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            pause = _PAUSE_AFTER_FAULT
            self.rung.clear()
            try:
                if self.work():
                    continue
                pause = self.next_due()
            except Exception:
                log.exception("the %s lane stumbled; its rows wait", self.room)
                database_connections.close_all()
            self._wait(min(max(pause, 0.02), LONGEST_PAUSE))
        database_connections.close_all()

    def _wait(self, seconds: float) -> None:
        if self.ears is None:
            self.rung.wait(seconds)
            return
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.rung.is_set():
            if self.room in self.ears.wait(left):
                return


def _until(due: datetime | None) -> float:
    return (due - jobs.utc_now()) / timedelta(seconds=1) if due is not None else LONGEST_PAUSE


class FetchLane:
    """Polls several accounts side by side, each on one thread at a time.

    Accounts whose last poll failed have half of the threads: however many servers hang, the others have their turn.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(FETCH_THREADS, thread_name_prefix="fetch")
        self._running: dict[int, Future[jobs.Polled]] = {}

    def work(self) -> int:
        self._running = {account: future for account, future in self._running.items() if not future.done()}
        started = 0
        due = [one for one in jobs.find_due_accounts(jobs.utc_now()) if one not in self._running]
        failing = accounts.find_failing([*due, *self._running]) if due else set()
        failing_now = len(failing & self._running.keys())
        for account_id in due:
            if len(self._running) >= FETCH_THREADS:
                break
            if account_id in failing:
                if failing_now >= FETCH_THREADS // 2:
                    continue
                failing_now += 1
            self._running[account_id] = self._pool.submit(_poll_on_thread, account_id)
            started += 1
        return started

    def begin(self) -> int:
        """Starts what is due. Nothing for the lane to go on with: what it starts runs on other threads."""
        self.work()
        return 0

    def next_due(self) -> float:
        if self._running:
            return 0.2
        return _until(Account.objects.filter(removed_at=None).aggregate(at=Min("next_poll_at"))["at"])

    def close(self) -> None:
        end_pool(self._pool, FETCH_THREADS)


def _poll_on_thread(account_id: int) -> jobs.Polled:
    """The thread keeps its database connection: opening one takes longer than reading one mail."""
    try:
        polled = jobs.poll(account_id)
        if polled.sentence:
            # It may be due again at once, when even its state could not be written down.
            time.sleep(_PAUSE_AFTER_FAULT)
        if jobs.find_due_accounts(jobs.utc_now(), 1):
            ring("fetch")
        return polled
    except Exception:
        log.exception("polling stumbled")
        database_connections.close_all()
        time.sleep(_PAUSE_AFTER_FAULT)
        ring("fetch")
        raise


def _next_digest() -> float:
    return _until(RawItem.objects.filter(~IS_HARD, due_at__isnull=False).aggregate(at=Min("due_at"))["at"])


def _next_hard() -> float:
    return _until(RawItem.objects.filter(IS_HARD, due_at__isnull=False).aggregate(at=Min("due_at"))["at"])


def _next_deliver() -> float:
    return _until(Envelope.objects.filter(due_at__isnull=False).aggregate(at=Min("due_at"))["at"])


def run_until_stopped() -> int:
    """The embedded `jobs` process: runs until SIGTERM or SIGINT, then ends what is in hand."""
    spare_the_loaded()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    fetch, ears = FetchLane(), subscribe()
    lanes = {
        "fetch": Lane("fetch", fetch.begin, fetch.next_due, stop, ears),
        "digest": Lane("digest", jobs.digest_new, _next_digest, stop),
        "hard": Lane("hard", jobs.digest_again, _next_hard, stop),
        "deliver": Lane("deliver", jobs.deliver, _next_deliver, stop),
        "index": Lane("index", jobs.index, lambda: LONGEST_PAUSE, stop),
        "language": Lane("language", languages.tell, lambda: LONGEST_PAUSE, stop),
        "care": Lane("care", jobs.care, lambda: 1.0, stop),
        "tidy": Lane("tidy", _tidied, lambda: LONGEST_PAUSE, stop),
    }
    listener = subscribe()
    for lane in lanes.values():
        lane.start()
    while not stop.is_set():
        for room in listener.wait(0.25):
            if room in lanes and lanes[room].ears is None:
                lanes[room].rung.set()
    for lane in lanes.values():
        lane.rung.set()
    ring("fetch")  # the lane with ears of its own
    for lane in lanes.values():
        lane.join(timeout=5)
    fetch.close()
    listener.close()
    ears.close()
    connections.close_all()
    polyglot.close()
    return 0


_last_tidy = 0.0
_last_index = 0.0


def _tidied() -> int:
    global _last_tidy
    now = jobs.utc_now().timestamp()
    if now - _last_tidy >= TIDY_SECONDS:
        jobs.tidy()
        _last_tidy = now
    return 0


def sweep_for_ever(stop: threading.Event) -> None:
    """Beside a Celery worker: rings for whatever is due. Safe in any number of workers at once."""
    pause = SWEEP_SECONDS
    while not stop.wait(pause):
        pause = SWEEP_SECONDS
        try:
            sweep()
            pause = _sweep_pause(jobs.utc_now())
        except Exception:
            log.exception("the sweep stumbled")
            database_connections.close_all()


def _sweep_pause(now: datetime) -> float:
    """Until the next row falls due. What is due already has been rung for: that again only in its turn."""
    soonest = [
        Account.objects.filter(next_poll_at__gt=now, removed_at=None).aggregate(at=Min("next_poll_at"))["at"],
        RawItem.objects.filter(due_at__gt=now).aggregate(at=Min("due_at"))["at"],
        Envelope.objects.filter(due_at__gt=now).aggregate(at=Min("due_at"))["at"],
    ]
    pauses: list[float] = [(at - now).total_seconds() for at in soonest if at is not None]
    return max(SHORTEST_SWEEP_PAUSE, min([SWEEP_SECONDS, *pauses]))


def _is_time_to_index(now: datetime) -> bool:
    global _last_index
    if now.timestamp() - _last_index < INDEX_SECONDS:
        return False
    _last_index = now.timestamp()
    return True


def sweep() -> list[str]:
    """Rings the rooms in which something is due, and does the small care itself; the rooms it rang."""
    now = jobs.utc_now()
    rooms = []
    if jobs.find_due_accounts(now, 1):
        rooms.append("fetch")
    if RawItem.objects.filter(~IS_HARD, due_at__lte=now).exists():
        rooms.append("digest")
    if RawItem.objects.filter(IS_HARD, due_at__lte=now).exists():
        rooms.append("hard")
    if Envelope.objects.filter(due_at__lte=now).exists():
        rooms.append("deliver")
    if get_backend().status(now).pending or _is_time_to_index(now):
        rooms.append("index")
    if is_language_due():
        rooms.append("language")
    jobs.care()
    _tidied()
    if rooms:
        ring(*rooms)
    return rooms
