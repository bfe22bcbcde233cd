"""Ids are made by us: time-ordered, 63 bits, no database sequence in the hot path.

Layout: 42 bits of milliseconds since 2020-01-01 UTC, 21 bits that count up from a random start in each process.
Two processes that make more than a few hundred ids in the same millisecond may collide with a probability of
about 1 : 5,000; the primary key then refuses the second and the transaction is tried again. In JSON ids are strings.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator

EPOCH_MS = 1_577_836_800_000
_COUNTER_BITS = 21
_MASK = (1 << _COUNTER_BITS) - 1

_lock = threading.Lock()
_last = 0
_pid = 0


def new_id() -> int:
    return new_ids(1)[0]


def id_stream() -> Iterator[int]:
    """Ids one by one, taken in blocks: for loops that cannot tell beforehand how many they need."""
    while True:
        yield from new_ids(256)


def new_ids(count: int) -> list[int]:
    """`count` ascending ids. Within a process every id is greater than every earlier one."""
    global _last, _pid
    with _lock:
        if _pid != os.getpid():
            # A forked child must not go on counting where its parent stood.
            _pid, _last = os.getpid(), 0
        floor = (time.time_ns() // 1_000_000 - EPOCH_MS) << _COUNTER_BITS
        if floor > _last:
            _last = floor | secrets.randbelow(_MASK // 2)
        first = _last + 1
        _last += count
        return list(range(first, first + count))


def read_id(text: object) -> int:
    """An id as somebody sent it; 0 for what cannot be one of ours, such as digits of another script or too many."""
    digits = str(text or "")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 19 else 0
    return number if number < 1 << 63 else 0
