"""Trying a transaction again when two of them met."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

Result = TypeVar("Result")
ATTEMPTS = 8

# SQLite has one writer at a time. Threads of one process wait for each other here, where waiting ends at once; at the
# database they would look again after ever longer pauses.
_writing = threading.RLock()


@contextmanager
def unsynced(*, is_one_statement: bool = False) -> Iterator[None]:
    """A transaction that a power cut may take back: for rings and leases, which mean nothing after one.

    On SQLite it saves the wait for the disk. The next ordinary commit makes it durable too, so nothing that was written
    under a lease outlives the lease. Elsewhere the database may restart while its clients live on, so there it is an
    ordinary transaction. With `is_one_statement` every statement stands for itself.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=NORMAL")
        try:
            with nullcontext() if is_one_statement else transaction.atomic():
                yield
        finally:
            cursor.execute("PRAGMA synchronous=FULL")


def retried(run: Callable[[], Result]) -> Result:
    """Runs a whole transaction; again from its beginning when it lost against another one.

    A unique key that somebody else took first, a deadlock and a lock that did not come in time all mean the same:
    read afresh, and the outcome is known. Inside an outer transaction nothing can be tried again.
    """
    if transaction.get_connection().in_atomic_block:
        return run()
    turn = _writing if connection.vendor == "sqlite" else nullcontext()
    for attempt in range(ATTEMPTS - 1):
        try:
            with turn:
                return run()
        except (IntegrityError, OperationalError):
            time.sleep(random.uniform(0.005, 0.03) * (attempt + 1))
    with turn:
        return run()
