"""Where an event loop asks the database and the keyring: never on its own thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DatabaseError
from django.db import connections as database_connections

_OPENERS = 4

T = TypeVar("T")


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
        for pool in (self._ringer, self._writer, self._openers):
            pool.submit(database_connections.close_all)
            pool.shutdown(wait=True, cancel_futures=False)


def _guarded(act: Callable[[], T]) -> T:
    try:
        return act()
    except DatabaseError:
        database_connections.close_all()  # it may have gone away: the next one begins anew
        raise
