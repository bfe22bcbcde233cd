"""A doorbell: IDLE on one folder over a connection of its own (RFC 2177). It carries no truth; polls run anyway.

IDLE is begun anew at least every four minutes, every read has a deadline, and TCP keepalive notices a peer that went
away without a word within about two minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from connectors.base import Unsupported
from connectors.mail.imap import ImapSession
from connectors.mail.literals import Goodbye
from connectors.messages import Ring

RENEW_AFTER = 240.0
_DONE_WITHIN = 30.0
_NEWS = (b"EXISTS", b"RECENT", b"EXPUNGE")


def ring(open_session: Callable[[], ImapSession], folder: str, renew_after: float = RENEW_AFTER) -> Iterator[Ring]:
    """Ring for each burst of news. Raises Unsupported without IDLE, RetryLater when the connection is lost."""
    session = open_session()
    try:
        if not session.has("IDLE"):
            raise Unsupported(f"{session.endpoint.name} has no doorbell (IDLE); new mail is found by asking.")
        session.examine(folder)
        while True:
            yield from _one_round(session, folder, renew_after)
    finally:
        session.close()


def _one_round(session: ImapSession, folder: str, seconds: float) -> Iterator[Ring]:
    tag = _begin(session)
    ends_at = time.monotonic() + seconds
    while (left := ends_at - time.monotonic()) > 0:
        line = _wait(session, left)
        if line is None:
            break
        if any(word in line.upper() for word in _NEWS):
            yield Ring(folder)
    for line in _end(session, tag):
        if any(word in line.upper() for word in _NEWS):
            yield Ring(folder)
            break


def _begin(session: ImapSession) -> bytes:
    """Returns the tag that ends it."""
    with session.guard("starting to wait for news"):
        session.allow()
        tag = session.wire.send([b"IDLE"])[0]
        session.wire.await_continuation()
        return tag


def _wait(session: ImapSession, seconds: float) -> bytes | None:
    """The next line the server says by itself, or None after `seconds`."""
    with session.guard("waiting for news"):
        session.wire.allow(seconds + _DONE_WITHIN)
        line = session.wire.wait_line(seconds)
        if line is not None and line[:5].upper() == b"* BYE":
            raise Goodbye(line[6:].decode("utf-8", "replace"))
        return line


def _end(session: ImapSession, tag: bytes) -> list[bytes]:
    """What was still said until the server let go."""
    with session.guard("ending the wait for news"):
        session.wire.allow(_DONE_WITHIN)
        session.wire.send_raw(b"DONE\r\n")
        return session.wire.answer(tag).lines
