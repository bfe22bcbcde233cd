"""How Python itself runs in a process that works through rows, and while a batch is in memory."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_COLLECT_SELDOM = (20_000, 10, 10)  # objects between two looks; CPython's 700 means a look every few mails
_COLLECT_RARELY = (50_000, 10, 10)
_SWITCH_SECONDS = 0.0005

_lock = threading.Lock()
_inside = 0
_before = (gc.get_threshold(), sys.getswitchinterval())
_is_frozen = False


def spare_the_loaded() -> None:
    """For a worker that has imported everything: what lives as long as it does is never walked, the rest seldom.

    Django and the models are some 300,000 objects; without this a tenth of the time of a busy send goes into
    walking them.
    """
    with _lock:
        _freeze_once()
        gc.set_threshold(*_COLLECT_SELDOM)


def _freeze_once() -> None:
    global _is_frozen
    if not _is_frozen:
        _is_frozen = True
        gc.collect()
        gc.freeze()


@contextmanager
def tuned_for_batches() -> Iterator[None]:
    """The cyclic collector held back: a batch is a hundred thousand living values without a cycle, and looking for one
    again and again costs a tenth of the time. What was alive before the first batch is not looked at any more.

    And threads take turns quickly: the one that feeds the parsers has a few microseconds to do every few milliseconds,
    and the parsers stand still while it waits for the one that digests.
    """
    global _inside, _before
    with _lock:
        _freeze_once()
        _inside += 1
        if _inside == 1:
            _before = (gc.get_threshold(), sys.getswitchinterval())
            gc.set_threshold(*_COLLECT_RARELY)
            sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                gc.set_threshold(*_before[0])
                sys.setswitchinterval(_before[1])
