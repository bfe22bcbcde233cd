"""Asks a selected folder for its UIDs, in stretches small enough for every server and client (RFC 3501 §6.4.4)."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence

from connectors.base import RetryLater
from connectors.killpoints import reach
from connectors.mail.folders import FolderStatus
from connectors.mail.imap import ImapSession
from connectors.messages import Scope

WINDOW = 10_000


def search_uids(session: ImapSession, low: int, high: int) -> list[int]:
    """The UIDs that exist within low..high, ascending. Never asks for `n:*`, which always names the last mail."""
    found = session.command(b"UID SEARCH UID %d:%d" % (low, high), "listing mail")
    reach("imap.listed")
    return sorted({uid for uid in found.numbers if low <= uid <= high})


def highest_uid(session: ImapSession, status: FolderStatus) -> int:
    """The highest UID that can exist; asked for where the server keeps UIDNEXT to itself."""
    if status.uid_next is not None:
        return status.uid_next - 1
    if not status.exists:
        return 0
    found = session.command(b"FETCH * (UID)", "asking for the newest mail")
    return max((message.uid for message in found.fetched), default=0)


def list_uids(session: ImapSession, scope: Scope) -> tuple[Sequence[int], int]:
    """Every UID of a folder, ascending, and how many it says there are.

    Raises RetryLater when `scope` is no longer the folder's epoch. A server that counts more mails than its SEARCH
    shows is asked a second time, by FETCH, and both answers count.
    """
    status = session.examine(scope.place)
    if scope.epoch.partition(".")[0] != str(status.uid_validity):
        raise RetryLater(f"The folder {scope.place} was rebuilt on the server; it is being read anew.")
    high = highest_uid(session, status)
    uids = array("I")  # four bytes each: a mailbox may hold millions
    for part in _windows(status.exists, high, lambda low, top: search_uids(session, low, top)):
        uids.extend(part)
    if len(uids) >= status.exists:
        return uids, status.exists
    told = set(uids)
    for part in _windows(status.exists, high, lambda low, top: _fetch_uids(session, low, top)):
        told.update(part)
    return sorted(told), status.exists


def _fetch_uids(session: ImapSession, low: int, high: int) -> list[int]:
    found = session.command(b"UID FETCH %d:%d (UID)" % (low, high), "listing mail")
    return [message.uid for message in found.fetched if low <= message.uid <= high]


def _windows(exists: int, high: int, ask: Callable[[int, int], list[int]]) -> Iterator[list[int]]:
    """1..high in stretches: wider where few UIDs lie, narrower where many do."""
    low, span = 1, (WINDOW if exists > WINDOW else max(high, 1))
    while low <= high:
        uids = ask(low, min(high, low + span - 1))
        yield uids
        low += span
        if len(uids) < WINDOW // 10:
            span *= 8
        elif len(uids) > WINDOW:
            span = max(WINDOW, span // 8)
