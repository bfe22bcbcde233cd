"""Named points at which a test may kill this process, to prove that nothing is lost or doubled wherever it dies.

`reach("shelf.before-commit")` does nothing unless that point is armed: by BALAS_KILL_POINT=NAME or NAME:COUNT for a
whole process, or by `arm()` in a forked child. Armed, the COUNTth time it is reached the process gets SIGKILL.
A new point is a new name in one of the tuples below; a test proves that each is reached.
"""

from __future__ import annotations

import os
import signal

FETCH = (
    "fetch.lease-taken",
    "imap.connected",
    "imap.examined",
    "imap.listed",
    "imap.bodies-read",
    "imap.large-spooled",
    "imap.pieces-spooled",
    "fetch.page-brought",
    "fetch.page-stored",
    "fetch.finished",
)
SHELF = (
    "shelf.before-file",
    "shelf.file-written",
    "shelf.file-in-place",
    "shelf.files-durable",
    "shelf.transaction-open",
    "shelf.lease-checked",
    "shelf.items-written",
    "shelf.bodies-written",
    "shelf.ranges-written",
    "shelf.before-commit",
    "shelf.committed",
    "shelf.spool-cleared",
)
DIGEST = (
    "digest.found",
    "digest.bodies-read",
    "digest.parsed",
    "digest.transaction-open",
    "digest.claimed",
    "digest.loaded",
    "digest.people-made",
    "digest.conversations-made",
    "digest.threads-made",
    "digest.messages-written",
    "digest.ledger-written",
    "digest.counters-written",
    "digest.items-settled",
    "digest.announced",
    "digest.committed",
)
IMPORT = (
    "import.page-read",
    "import.page-stored",
)
QUEUE = (
    "queue.composed",
    "queue.transaction-open",
    "queue.gates-passed",
    "queue.message-written",
    "queue.envelope-written",
    "queue.status-written",
    "queue.announced",
    "queue.committed",
)
SEND = (
    "send.claim-open",
    "send.claim-written",
    "send.claimed",
    "smtp.connected",
    "smtp.before-envelope",
    "smtp.envelope-taken",
    "smtp.body-written",
    "send.before-commit",
    "send.commit-written",
    "send.committed",
    "smtp.before-dot",
    "smtp.dot-written",
    "smtp.answered",
    "send.answered",
    "send.record-open",
    "send.recipients-written",
    "send.state-written",
    "send.ledger-written",
    "send.announced",
    "send.recorded",
)
SETTLE = (
    "settle.swept",
    "settle.evidence-found",
    "settle.written",
)
FILE = (
    "file.before-append",
    "file.appended",
    "file.before-filed",
    "file.filed",
)
TOKENS = (  # reached only by accounts that sign in by OAuth 2
    "oauth.answered",
    "oauth.committed",
)
ALL = FETCH + SHELF + DIGEST + IMPORT + QUEUE + SEND + SETTLE + FILE

_armed: str | None = None  # None: the environment has not been asked yet; "": nothing is armed
_left = 0


def arm(text: str) -> None:
    """Arms NAME or NAME:COUNT in this process; "" disarms. Raises ValueError for an unknown name."""
    global _armed, _left
    name, _, count = text.partition(":")
    if name and name not in ALL + TOKENS:
        raise ValueError(f"There is no kill point “{name}”.")
    _armed, _left = name, int(count or 1)


def reach(name: str) -> None:
    global _left
    if _armed is None:
        arm(os.environ.get("BALAS_KILL_POINT", ""))
    if _armed != name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
