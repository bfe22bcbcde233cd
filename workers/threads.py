"""Where an event loop asks the database and the keyring: never on its own thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DatabaseError
from django.db import connections as database_connections

_OPENERS = 4
_END_SECONDS = 15.0  # for who is still at work

T = TypeVar("T")


def end_pool(pool: ThreadPoolExecutor, count: int) -> None:
    """Ends a pool of so many threads; each closes its own database connections first."""
    everybody = threading.Barrier(count)

    def close_connections() -> None:
        database_connections.close_all()
        # Who has done it waits for the others, and so takes no second turn.
        with contextlib.suppress(threading.BrokenBarrierError):
            everybody.wait(_END_SECONDS)

    for _ in range(count):
        pool.submit(close_connections)
    pool.shutdown(wait=True)


class Threads:
    """Where the database and the keyring are asked: never on the loop's own thread."""

    def __init__(self) -> None:
        self._ringer = ThreadPoolExecutor(1, "ring")  # alone, so that a ring waits for nothing
        self._writer = ThreadPoolExecutor(1, "doorbells")
        self._openers = ThreadPoolExecutor(_OPENERS, "open")

    async def ring(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._ringer, _guarded, act)

    async def write(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, _guarded, act)

    async def open(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._openers, _guarded, act)

    def close(self) -> None:
        for pool, count in ((self._ringer, 1), (self._writer, 1), (self._openers, _OPENERS)):
            end_pool(pool, count)


def _guarded(act: Callable[[], T]) -> T:
    try:
        return act()
    except DatabaseError:
        database_connections.close_all()  # it may have gone away: the next one begins anew
        raise
