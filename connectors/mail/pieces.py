"""Large mail: in pieces into a file, or only its header when it is over the limit."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

from connectors.killpoints import reach
from connectors.mail.imap import ImapSession

PIECE = 1024 * 1024
_AHEAD = 4
_MAX_HEADER = 1024 * 1024


def fetch_header(session: ImapSession, uid: int) -> bytes | None:
    """The header block of a mail that is too large to keep, at most 1 MiB; None when the server omits it."""
    command = b"UID FETCH %d (UID BODY.PEEK[HEADER]<0.%d>)" % (uid, _MAX_HEADER)
    with session.wire.spooling_over(2 * _MAX_HEADER):
        answer = session.command(command, "reading a header", _MAX_HEADER)
    return next((message.content for message in answer.fetched if message.uid == uid), None)


def fetch_in_pieces(session: ImapSession, uid: int, size: int, limit: int) -> Path | None:
    """A large mail into a spooled file, piece by piece; the end is where the server has no more, whatever size it told.

    None when a piece is omitted. Raises RetryLater; nothing is left behind then.
    """
    folder = session.spool
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="mail-", suffix=".eml", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, session.wire.spooling_over(2 * PIECE):
            is_whole = _pieces(session, uid, size, limit, file.write)
            file.flush()
            os.fsync(file.fileno())
            reach("imap.pieces-spooled")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if not is_whole:
        path.unlink(missing_ok=True)
        return None
    return path


def _pieces(session: ImapSession, uid: int, size: int, limit: int, write: Callable[[bytes], object]) -> bool:
    """Whether every piece up to the end came. Reads each answer that was asked for, so the wire stays usable."""
    flight: deque[tuple[bytes, int]] = deque()
    came: dict[int, bytes] = {}  # by offset: pieces may come within the answer to an earlier command
    asked = done = 0
    has_ended = is_missing = False
    while True:
        while len(flight) < _AHEAD and not has_ended and not is_missing and (asked < size or not flight):
            command = b"UID FETCH %d (UID BODY.PEEK[]<%d.%d>)" % (uid, asked, PIECE)
            flight.append((session.ask([command], "asking for a large mail")[0], asked))
            asked += PIECE
        if not flight:
            return not is_missing
        tag, offset = flight.popleft()
        for message in session.answer(tag, "reading a large mail", PIECE).fetched:
            if message.uid == uid and message.content is not None:
                came[message.origin] = message.content
        piece = came.pop(offset, None)
        if has_ended or is_missing:
            continue
        if piece is None or done > limit + PIECE:
            is_missing = True
        else:
            write(piece)
            done += len(piece)
            has_ended = len(piece) < PIECE
