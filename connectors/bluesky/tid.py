"""Record keys made of the time: https://atproto.com/specs/tid

13 characters that sort as they were made: 53 bits of microseconds since 1970 and 10 bits by chance.
"""

from __future__ import annotations

import re
import secrets
import threading
import time

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_lock = threading.Lock()
_last = 0


def new_tid() -> str:
    """Unguessable only in its last ten bits; never the same twice in one process."""
    global _last
    with _lock:
        _last = max(time.time_ns() // 1000, _last + 1)
        micros = _last
    value = (micros & (2**53 - 1)) << 10 | secrets.randbelow(1024)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(60, -1, -5))


def is_tid(text: str) -> bool:
    return bool(_FORM.fullmatch(text))


def seconds_of(tid: str) -> float | None:
    """When it was made, by the clock of its maker; None for what is no TID."""
    if not is_tid(tid):
        return None
    value = 0
    for character in tid:
        value = value << 5 | _ALPHABET.index(character)
    return (value >> 10) / 1_000_000
