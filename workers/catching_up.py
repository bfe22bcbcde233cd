"""One account brought up to date in the foreground: fetched on a thread while this one digests, so both cores work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from django.db import connections as database_connections

from workers import jobs
from workers.jobs import Polled

OnPage = Callable[[Polled, int | None], None]
_BUSY_PAUSE = 0.5  # the running `jobs` process has the account; then it is our turn


def catch_up(account_id: int, *, until_idle: bool, on_page: OnPage | None = None) -> Polled:
    """Fetches once, or until nothing is left on the server; digests and indexes all that is due meanwhile.

    The sums of all polls; `is_complete` and `sentence` are the last one's. `on_page` is called on another thread.
    """
    stirred = threading.Event()

    def stir(polled: Polled, remaining: int | None) -> None:
        stirred.set()
        if on_page is not None:
            on_page(polled, remaining)

    with ThreadPoolExecutor(1, "catch-up") as pool:
        fetching = pool.submit(_fetch, account_id, until_idle, stir)
        fetching.add_done_callback(lambda _: stirred.set())
        _digest_meanwhile(fetching, stirred)
        polled = fetching.result()
    settle()
    return polled


def settle() -> None:
    """Digests and indexes everything that is due."""
    while jobs.digest():
        pass
    while jobs.index():
        pass


def _digest_meanwhile(fetching: Future[Polled], stirred: threading.Event) -> None:
    while not fetching.done():
        stirred.clear()
        if not jobs.digest():
            stirred.wait(1.0)


def _fetch(account_id: int, until_idle: bool, on_page: OnPage) -> Polled:
    sums = Polled(account_id)
    try:
        while True:
            base = sums

            def on(polled: Polled, remaining: int | None, base: Polled = base) -> None:
                on_page(_sum(base, polled), remaining)

            polled = jobs.poll(account_id, on)
            if polled.is_busy:
                time.sleep(_BUSY_PAUSE)
                continue
            sums = _sum(base, polled)
            if polled.is_complete or polled.sentence or not until_idle:
                return sums
    finally:
        database_connections.close_all()


def _sum(before: Polled, polled: Polled) -> Polled:
    return replace(
        polled,
        fetched=before.fetched + polled.fetched,
        new=before.new + polled.new,
        same=before.same + polled.same,
    )
