r"""The one place that changes mail on the server, for owners who switched it on: \Seen, and moving to another folder.

Everything else opens folders read-only. Here a folder is opened for writing, the mails are looked at once more (epoch
and INTERNALDATE must be those that were stored), and only then are they touched. Moving is MOVE (RFC 6851), or COPY and
the removal of exactly these by UID EXPUNGE (RFC 4315); a server that has neither is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from connectors.base import Refused, RetryLater
from connectors.mail.imap import ImapSession
from connectors.mail.listing import uid_set
from connectors.messages import Scope, Tended

AT_ONCE = 200
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]", re.IGNORECASE)


def tend(
    session: ImapSession, scope: Scope, items: Sequence[tuple[str, datetime]], *, mark_seen: bool, move_to: str
) -> Tended:
    """See connectors.base.TendsPlaces. At most AT_ONCE items. Raises RetryLater, Refused."""
    wanted = {int(uid): received_at for uid, received_at in items[:AT_ONCE]}
    everything = frozenset(str(uid) for uid in wanted)
    session.selected = None  # whatever happens, the next reader examines again
    validity = _select(session, scope.place)
    try:
        if validity != scope.epoch.partition(".")[0]:
            return Tended(gone=everything)
        same = _unchanged(session, wanted)
        if same and mark_seen:
            command = b"UID STORE %s +FLAGS.SILENT (\\Seen)" % uid_set(same)
            session.command(command, "marking mail as read")
        if same and move_to:
            _move(session, same, move_to)
    finally:
        if session.is_open:
            session.examine(scope.place)  # read-only again
    done = frozenset(map(str, same))
    return Tended(done=done, moved=done if move_to else frozenset(), gone=everything - done)


def _select(session: ImapSession, place: str) -> str:
    """Open for writing; the UIDVALIDITY."""
    answer = session.command(b"SELECT %s" % session.quoted(place), f"opening {place} for marking")
    if "[READ-ONLY]" in answer.text.upper():
        raise Refused(f"{place} can only be read there: mail in it is neither marked nor moved.")
    found = next((match for line in answer.lines if (match := _VALIDITY.search(line))), None)
    return found[1].decode() if found else ""


def _unchanged(session: ImapSession, wanted: dict[int, datetime]) -> list[int]:
    """Those that still lie there and came when they came: a number may have been given to another mail."""
    command = b"UID FETCH %s (UID INTERNALDATE RFC822.SIZE)" % uid_set(sorted(wanted))
    answer = session.command(command, "looking at mail once more")
    return sorted(
        {mail.uid for mail in answer.fetched if mail.received_at and wanted.get(mail.uid) == mail.received_at}
    )


def _move(session: ImapSession, uids: list[int], folder: str) -> None:
    target, these = session.quoted(folder), uid_set(uids)
    if session.has("MOVE"):
        session.command(b"UID MOVE %s %s" % (these, target), f"moving mail to {folder}")
    elif session.has("UIDPLUS"):
        session.command(b"UID COPY %s %s" % (these, target), f"copying mail to {folder}")
        session.command(b"UID STORE %s +FLAGS.SILENT (\\Deleted)" % these, f"moving mail to {folder}")
        session.command(b"UID EXPUNGE %s" % these, f"moving mail to {folder}")
    else:
        raise RetryLater(f"{session.endpoint.name} cannot move mail safely (it has neither MOVE nor UIDPLUS).")
