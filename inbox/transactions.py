"""Trying a transaction again when two of them met."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

Result = TypeVar("Result")
ATTEMPTS = 8

# SQLite has one writer at a time. Threads of one process wait for each other here, where waiting ends at once; at the
# database they would look again after ever longer pauses.
_writing = threading.RLock()


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
