"""Python's cyclic collector, held back while a batch is in memory."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_RARELY = (50_000, 20, 50)

_lock = threading.Lock()
_inside = 0
_before = gc.get_threshold()
_is_frozen = False


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """A batch is a hundred thousand living values without a cycle: looking for one again and again costs a tenth of
    the time and finds nothing. What was alive before the first batch (modules, settings) is not looked at any more.
    """
    global _inside, _before, _is_frozen
    with _lock:
        _inside += 1
        if _inside == 1:
            _before = gc.get_threshold()
            gc.set_threshold(*_RARELY)
        if not _is_frozen:
            _is_frozen = True
            gc.freeze()
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                gc.set_threshold(*_before)
