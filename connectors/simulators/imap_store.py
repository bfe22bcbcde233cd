"""A mail store on disk that keeps its UIDs and UIDVALIDITY over restarts (RFC 9051 §2.3.1.1).

    FOLDER/<mailbox>/mailbox.json            name, special use, UIDVALIDITY and the lowest UID not yet given
    FOLDER/<mailbox>/cur/<uid>-<received>-<size>-<flags>.eml

One file is one mail, written beside and renamed into place, so a killed process leaves whole mails only. What a file
is called says everything the index needs; flags are changed by renaming. Nothing is synced to the platter: this store
outlives its process, not a power cut, which is right for a rehearsal and wrong for anybody's real mail.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

STANDARD_MAILBOXES = {
    "INBOX": "",
    "Sent": "\\Sent",
    "Drafts": "\\Drafts",
    "Junk": "\\Junk",
    "Trash": "\\Trash",
}
FLAG_LETTERS = {"\\Answered": "R", "\\Deleted": "T", "\\Draft": "D", "\\Flagged": "F", "\\Seen": "S"}
HEADER_CAP = 256 * 1024
HEADER_CACHE = 5_000
_FILE_NAME = re.compile(r"(\d{10})-(\d{1,12})-(\d{1,12})-([A-Z]*)\.eml")
_HEADER_END = re.compile(rb"\r?\n\r?\n")


@dataclass(slots=True)
class StoredMail:
    uid: int
    received_at: datetime
    size: int
    flags: frozenset[str]
    path: Path


@dataclass(slots=True)
class Mailbox:
    """One folder of the account. Not safe by itself: `MailStore` holds the lock around every change."""

    folder: Path
    name: str
    special_use: str = ""
    uidvalidity: int = 0
    uidnext: int = 1
    mails: dict[int, StoredMail] = field(default_factory=dict)
    _headers: dict[int, bytes] = field(default_factory=dict)

    def load(self) -> None:
        state = self.folder / "mailbox.json"
        if state.exists():
            known = json.loads(state.read_text())
            self.name, self.special_use = known["name"], known["special_use"]
            self.uidvalidity, self.uidnext = known["uidvalidity"], known["uidnext"]
        else:
            (self.folder / "cur").mkdir(parents=True)
            self.uidvalidity = int(time.time())
            self.save()
        found = (_FILE_NAME.fullmatch(entry.name) for entry in os.scandir(self.folder / "cur"))
        for match in sorted((match for match in found if match), key=lambda match: match[1]):
            self._index(match)

    def _index(self, match: re.Match[str]) -> None:
        uid, received, size, letters = match.groups()
        flags = frozenset(flag for flag, letter in FLAG_LETTERS.items() if letter in letters)
        moment = datetime.fromtimestamp(int(received), UTC)
        self.mails[int(uid)] = StoredMail(int(uid), moment, int(size), flags, self.folder / "cur" / match[0])
        self.uidnext = max(self.uidnext, int(uid) + 1)

    def save(self) -> None:
        known = {
            "name": self.name,
            "special_use": self.special_use,
            "uidvalidity": self.uidvalidity,
            "uidnext": self.uidnext,
        }
        beside = self.folder / "mailbox.json.new"
        beside.write_text(json.dumps(known))
        beside.replace(self.folder / "mailbox.json")

    def _path(self, uid: int, received_at: datetime, size: int, flags: Iterable[str]) -> Path:
        letters = "".join(sorted(FLAG_LETTERS[flag] for flag in flags if flag in FLAG_LETTERS))
        return self.folder / "cur" / f"{uid:010d}-{int(received_at.timestamp())}-{size}-{letters}.eml"

    def append(self, content: bytes, flags: Iterable[str], received_at: datetime) -> int:
        uid = self.uidnext
        kept = frozenset(flag for flag in flags if flag in FLAG_LETTERS)
        path = self._path(uid, received_at, len(content), kept)
        beside = self.folder / f"{uid}.new"
        beside.write_bytes(content)
        beside.rename(path)
        whole_second = received_at.astimezone(UTC).replace(microsecond=0)
        self.mails[uid] = StoredMail(uid, whole_second, len(content), kept, path)
        self.uidnext = uid + 1
        return uid

    def set_flags(self, uid: int, flags: Iterable[str]) -> None:
        mail = self.mails[uid]
        mail.flags = frozenset(flag for flag in flags if flag in FLAG_LETTERS)
        path = self._path(uid, mail.received_at, mail.size, mail.flags)
        mail.path.rename(path)
        mail.path = path

    def expunge(self, uids: Iterable[int]) -> list[int]:
        gone = [uid for uid in uids if uid in self.mails]
        self.save()  # before the highest file goes, or its UID would be given twice after a restart
        for uid in gone:
            self.mails.pop(uid).path.unlink()
            self._headers.pop(uid, None)
        return gone

    def renew(self) -> None:
        """Start a new epoch: another UIDVALIDITY, and the same mails numbered from 1 without gaps."""
        self.uidvalidity = max(self.uidvalidity + 1, int(time.time()))
        mails, self.mails = list(self.mails.values()), {}
        self.uidnext = 1
        self._headers.clear()
        for mail in mails:
            path = self._path(self.uidnext, mail.received_at, mail.size, mail.flags)
            mail.path.rename(path)
            mail.uid, mail.path = self.uidnext, path
            self.mails[mail.uid] = mail
            self.uidnext += 1
        self.save()

    def read(self, uid: int) -> bytes:
        return self.mails[uid].path.read_bytes()

    def read_header(self, uid: int) -> bytes:
        """The header block with its closing empty line, at most `HEADER_CAP` bytes."""
        known = self._headers.get(uid)
        if known is None:
            with self.mails[uid].path.open("rb") as file:
                known = split_header(file.read(HEADER_CAP))[0]
            if len(self._headers) < HEADER_CACHE:
                self._headers[uid] = known
        return known


def split_header(content: bytes) -> tuple[bytes, bytes]:
    """Header block with its closing empty line, and the body after it."""
    end = _HEADER_END.search(content)
    return (content[: end.end()], content[end.end() :]) if end else (content, b"")


class MailStore:
    """All mailboxes of one account. Every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.mailboxes: dict[str, Mailbox] = {}
        self._listeners: list[Callable[[], None]] = []
        for name, special_use in STANDARD_MAILBOXES.items():
            self.create(name, special_use)
        for state in sorted(folder.glob("*/mailbox.json")):
            name = json.loads(state.read_text())["name"]
            if name not in self.mailboxes:
                self.create(name)

    def create(self, name: str, special_use: str = "") -> Mailbox:
        with self.lock:
            mailbox = Mailbox(self.folder / quote(name, safe="")[:200], name, special_use)
            mailbox.load()
            self.mailboxes[mailbox.name] = mailbox
            return mailbox

    def find(self, name: str) -> Mailbox | None:
        return self.mailboxes.get("INBOX" if name.upper() == "INBOX" else name)

    def get(self, name: str) -> Mailbox:
        return self.mailboxes["INBOX" if name.upper() == "INBOX" else name]

    def append(self, name: str, content: bytes, flags: Iterable[str] = (), received_at: datetime | None = None) -> int:
        """Store a mail and ring every listener. Returns its UID; raises KeyError for an unknown mailbox."""
        with self.lock:
            uid = self.get(name).append(content, flags, received_at or datetime.now(UTC))
        self.ring()
        return uid

    def expunge(self, name: str, uids: Iterable[int]) -> list[int]:
        with self.lock:
            gone = self.get(name).expunge(list(uids))
        self.ring()
        return gone

    def set_flags(self, name: str, uid: int, flags: Iterable[str]) -> None:
        with self.lock:
            self.get(name).set_flags(uid, flags)
        self.ring()

    def renew(self, name: str) -> None:
        with self.lock:
            self.get(name).renew()
        self.ring()

    def listen(self, callback: Callable[[], None]) -> None:
        with self.lock:
            self._listeners.append(callback)

    def unlisten(self, callback: Callable[[], None]) -> None:
        with self.lock:
            self._listeners.remove(callback)

    def ring(self) -> None:
        with self.lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()
