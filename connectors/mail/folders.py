"""What a server tells about its folders: how full they are, and which one holds sent mail."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_STATUS = re.compile(rb'STATUS ("(?:[^"\\]|\\.)*"|[^ ]+) (\(.*)', re.IGNORECASE)
_STATUS_ITEM = re.compile(rb"(MESSAGES|UIDNEXT|UIDVALIDITY) (\d+)", re.IGNORECASE)
_SENT_NAMES = (
    "sent", "sent items", "sent messages", "sent mail", "inbox.sent", "inbox/sent", "inbox.sent items",
    "gesendet", "gesendete objekte", "gesendete elemente", "envoyés", "éléments envoyés", "messages envoyés",
    "enviados", "elementos enviados", "inviati", "posta inviata", "itens enviados", "verzonden items", "verzonden",
    "trimise", "elemente trimise", "terkirim", "item terkirim", "skickat", "sendt post", "wysłane", "отправленные",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """What EXAMINE or STATUS says: `uid_next` is None where the server does not tell."""

    uid_validity: int
    uid_next: int | None
    exists: int


def read_examined(told: dict[bytes, Any]) -> FolderStatus:
    uid_next = told.get(b"UIDNEXT")
    return FolderStatus(
        uid_validity=int(told.get(b"UIDVALIDITY") or 0),
        uid_next=int(uid_next) if uid_next else None,
        exists=int(told.get(b"EXISTS") or 0),
    )


def read_statuses(lines: Sequence[bytes], folders: Mapping[bytes, str]) -> dict[str, FolderStatus]:
    """The STATUS answers among untagged lines; `folders` maps the name on the wire, in quotes, to ours."""
    found: dict[str, FolderStatus] = {}
    for line in lines:
        match = _STATUS.match(line)
        folder = folders.get(b'"' + match[1].strip(b'"') + b'"') if match else None
        told = {name.upper(): int(value) for name, value in _STATUS_ITEM.findall(match[2])} if match else {}
        if folder is not None and {b"MESSAGES", b"UIDVALIDITY"} <= told.keys():
            found[folder] = FolderStatus(told[b"UIDVALIDITY"], told.get(b"UIDNEXT"), told[b"MESSAGES"])
    return found


def pick_sent_folder(folders: Sequence[tuple[set[str], str]]) -> str | None:
    """From (lower-case flags, name): the folder marked \\Sent (RFC 6154), else one with a usual name, else None."""
    marked = [name for flags, name in folders if "\\sent" in flags]
    if marked:
        return marked[0]
    usual = {name.lower(): name for flags, name in folders if "\\noselect" not in flags}
    return next((usual[name] for name in _SENT_NAMES if name in usual), None)
