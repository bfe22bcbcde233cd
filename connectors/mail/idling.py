"""A doorbell: IDLE on one folder over a connection of its own (RFC 2177). It carries no truth; polls run anyway.

IDLE is begun anew at least every four minutes, every read has a deadline, and TCP keepalive notices a peer that went
away without a word within about two minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from connectors.base import Unsupported
from connectors.mail.imap import ImapSession
from connectors.messages import Ring

RENEW_AFTER = 240.0
_NEWS = (b"EXISTS", b"RECENT", b"EXPUNGE")


def ring(open_session: Callable[[], ImapSession], folder: str, renew_after: float = RENEW_AFTER) -> Iterator[Ring]:
    """Ring for each burst of news. Raises Unsupported without IDLE, RetryLater when the connection is lost."""
    session = open_session()
    try:
        if not session.has_idle():
            raise Unsupported(f"{session.endpoint.name} has no doorbell (IDLE); new mail is found by asking.")
        session.examine(folder)
        while True:
            yield from _one_round(session, folder, renew_after)
    finally:
        session.close()


def _one_round(session: ImapSession, folder: str, seconds: float) -> Iterator[Ring]:
    tag = session.begin_idle()
    ends_at = time.monotonic() + seconds
    while (left := ends_at - time.monotonic()) > 0:
        line = session.wait_for_news(left)
        if line is None:
            break
        if any(word in line.upper() for word in _NEWS):
            yield Ring(folder)
    for line in session.end_idle(tag):
        if any(word in line.upper() for word in _NEWS):
            yield Ring(folder)
            break
