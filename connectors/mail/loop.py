"""The one event loop of the process, in a thread of its own, for connections that are reused from any thread.

A connection belongs to the loop it was made on, so a loop per call would mean a connection per mail.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

try:
    import uvloop  # a fifth quicker here; absent on Windows
except ImportError:  # pragma: no cover
    _new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    _new_event_loop = uvloop.new_event_loop

T = TypeVar("T")

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}  # by process id: a forked child must not use its parent's


def _loop() -> asyncio.AbstractEventLoop:
    loop = _loops.get(os.getpid())
    if loop is not None:
        return loop
    with _lock:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = _new_event_loop()
            threading.Thread(target=loop.run_forever, name="smtp", daemon=True).start()
            _loops[os.getpid()] = loop
    return loop


def run(work: Coroutine[Any, Any, T], meanwhile: Callable[[], None] | None = None) -> T:
    """Run a coroutine on the process's loop and wait for it on the calling thread.

    `meanwhile` is called there before the wait; it does not raise.
    """
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        if meanwhile is not None:
            meanwhile()
        return future.result()
    except BaseException:
        future.cancel()
        raise


def call_soon(work: Callable[[], object]) -> None:
    """Have the loop call something; does not wait, and does nothing once the loop is closed."""
    loop = _loops.get(os.getpid())
    if loop is not None and not loop.is_closed():
        loop.call_soon_threadsafe(work)
