"""Trying a transaction again when two of them met."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction

Result = TypeVar("Result")
ATTEMPTS = 8


def retried(run: Callable[[], Result]) -> Result:
    """Runs a whole transaction; again from its beginning when it lost against another one.

    A unique key that somebody else took first, a deadlock and a lock that did not come in time all mean the same:
    read afresh, and the outcome is known. Inside an outer transaction nothing can be tried again.
    """
    if transaction.get_connection().in_atomic_block:
        return run()
    for attempt in range(ATTEMPTS - 1):
        try:
            return run()
        except (IntegrityError, OperationalError):
            time.sleep(random.uniform(0.005, 0.03) * (attempt + 1))
    return run()
