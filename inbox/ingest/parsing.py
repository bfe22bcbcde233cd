"""Raw items → parsed ones, in confined child processes: some for everything new, one for what has failed before."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from connectors import nursery
from connectors.messages import Address, Flag, Parsed, ParsedMessage, RawItem
from connectors.offload import Parsers, Result, is_possible, read_alone
from connectors.sandbox import FULL
from inbox import changes
from inbox.ingest.accounts import AccountFacts


class Reading:
    """Parses one batch while another is being written."""

    def __init__(self, children: int, is_hard: bool = False) -> None:
        self._parsers = Parsers(children, FULL if is_hard else None, changes.preparer()) if children else None
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


LINGER_SECONDS = 120.0
"""So long children wait for more: starting one takes longer than reading a hundred mails."""


class _Kept:
    """Children that outlive a batch, for one thread at a time; who finds them taken starts some of their own."""

    def __init__(self, children: int, is_hard: bool) -> None:
        self._children, self._is_hard = children, is_hard
        self._begin()

    def _begin(self) -> None:
        self._reading: Reading | None = None
        self._closing: threading.Timer | None = None
        self._using = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        if not self._using.acquire(blocking=False):
            with _only(Reading(1, self._is_hard)) as another:
                yield another
            return
        try:
            if self._closing is not None:
                self._closing.cancel()
            if self._reading is None:
                self._reading = Reading(self._children, self._is_hard)
            yield self._reading
            self._closing = threading.Timer(LINGER_SECONDS, self._close_idle)
            self._closing.daemon = True
            self._closing.start()
        except BaseException:
            self.close()  # whatever state they are in
            raise
        finally:
            self._using.release()

    def _close_idle(self) -> None:
        if self._using.acquire(blocking=False):  # else somebody needs them
            try:
                self.close()
            finally:
                self._using.release()

    def close(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def forget(self) -> None:
        """In a process that was forked: the children, and the thread that waits for them, are another's."""
        self._begin()


@contextmanager
def _only(reading: Reading) -> Iterator[Reading]:
    try:
        yield reading
    finally:
        reading.close()


_kept = {False: _Kept(min(4, max(1, (os.cpu_count() or 1) - 1)), False), True: _Kept(1, True)}


@contextmanager
def reading(*, is_hard: bool) -> Iterator[Reading]:
    """`is_hard`: for what has failed before, each under the full limits and held up by nothing but its like."""
    if not is_possible():
        yield Reading(0)
        return
    with _kept[is_hard].reading() as found:
        yield found


def close() -> None:
    """Ends the children now; the next mail starts new ones."""
    for kept in _kept.values():
        kept.close()
    nursery.close()


def _forget() -> None:
    for kept in _kept.values():
        kept.forget()


if is_possible():
    os.register_at_fork(after_in_child=_forget)
atexit.register(close)


def salvage(account: AccountFacts, item: RawItem) -> ParsedMessage:
    """What stands for an item that no parser could read: who and what about, as far as a rough look tells."""
    found = read_alone((account.settings, item), "salvage") if is_possible() else ""
    return found if isinstance(found, ParsedMessage) else unreadable()


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
