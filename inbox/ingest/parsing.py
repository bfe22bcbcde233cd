"""Raw items → parsed ones: here for a few, in child processes for many."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from connectors.messages import Address, Flag, Parsed, ParsedMessage, RawItem
from connectors.offload import Parsers, Result, is_possible
from inbox.ingest.accounts import AccountFacts

MANY = 64
"""From this many on, starting child processes is worth it."""


class Reading:
    """Parses one batch while another is being written."""

    def __init__(self, children: int) -> None:
        self._parsers = Parsers(children) if children else None
        # The one thread only waits for the children, so the writer goes on meanwhile.
        self._thread = ThreadPoolExecutor(1, "parsing") if children else None

    @property
    def is_inline(self) -> bool:
        """Whether a parser that dies takes this process with it."""
        return self._parsers is None

    def begin(self, jobs: Sequence[tuple[AccountFacts, RawItem]]) -> Future[list[Result]]:
        if self._parsers is not None and self._thread is not None:
            return self._thread.submit(self._parsers.parse, [(account.settings, item) for account, item in jobs])
        done: Future[list[Result]] = Future()
        done.set_result([_parse(account, item) for account, item in jobs])
        return done

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=True)
        if self._parsers is not None:
            self._parsers.close()


LINGER_SECONDS = 5.0
"""So long children outlive a backlog: while mail is being fetched, the digest again and again catches up with it."""

_kept: Reading | None = None  # children that stay while there is a backlog
_using = threading.Lock()
_closing: threading.Timer | None = None


@contextmanager
def reading(expected: int, *, is_risky: bool) -> Iterator[Reading]:
    """Here for a few; in children for many, and for what has failed before. They outlive the backlog for a while."""
    global _kept, _closing
    cores = os.cpu_count() or 1
    use_children = is_possible() and (is_risky or (cores > 1 and expected >= MANY))
    # What is risky waits for the children; the rest goes on without when another thread has them.
    if not use_children or not _using.acquire(blocking=is_risky):
        yield Reading(0)
        return
    try:
        if _closing is not None:
            _closing.cancel()
        if _kept is None:
            _kept = Reading(min(4, max(1, cores - 1)))
        yield _kept
        _closing = threading.Timer(LINGER_SECONDS, _close_idle)
        _closing.daemon = True
        _closing.start()
    except BaseException:
        close()  # whatever state they are in
        raise
    finally:
        _using.release()


def _close_idle() -> None:
    if _using.acquire(blocking=False):  # else somebody needs them
        try:
            close()
        finally:
            _using.release()


def close() -> None:
    """Ends the children now; the next many start new ones."""
    global _kept
    if _kept is not None:
        _kept.close()
        _kept = None


def _parse(account: AccountFacts, item: RawItem) -> Parsed | str:
    try:
        return account.connector.parse(item)
    except Exception as error:  # a connector of somebody else's may break its promise
        return f"{type(error).__name__}: {error}"


def unreadable() -> ParsedMessage:
    """What stands for an item that no parser could read: visible, with its source to download."""
    return ParsedMessage(
        author=Address(""),
        recipients=(),
        subject="",
        text="",
        visible_text="",
        written_at=None,
        message_id="",
        flags=(Flag.UNREADABLE,),
    )
