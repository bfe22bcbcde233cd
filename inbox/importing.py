"""Mail from files: .eml, folders, Maildir, mbox (also .gz, .bz2, .xz), through the shelf and digest of live mail.

An item is named by the hash of its canonical bytes, so importing twice adds nothing, whatever the files are called and
whichever line ends they have. What had been polled is recognised as the same message by its content.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from connectors.mail.fields import is_plausible, parse_date
from connectors.messages import Page, RawItem, Scope
from inbox import shelf
from inbox.completeness import IMPORT_EPOCHS, IMPORT_PLACE
from inbox.ingest import digest_due
from inbox.killpoints import reach
from inbox.models import Account, Message

MAX_MAIL_BYTES = 100 * 1024 * 1024
_PAGE_ITEMS, _PAGE_BYTES = 250, 16 * 1024 * 1024
_OPENERS: dict[str, Callable[..., IO[bytes]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}  # type: ignore[dict-item]
_FROM_LINE = re.compile(rb"From \S.*\d{4}\s*$")
_FIELD = r"^%s:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)"
_TIMES = [re.compile((_FIELD % name).encode(), re.I | re.M) for name in ("date", "received")]
_SKIPPED = {".ds_store", "dovecot.index", "dovecot-uidlist", "maildirfolder", "subscriptions"}


class ImportProblem(Exception):
    """One sentence about a path that cannot be imported."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`read` mails so far, of which `new` were not on the shelf; `messages` are new in the inbox."""

    read: int = 0
    new: int = 0
    messages: int = 0
    problems: tuple[str, ...] = ()  # files that could not be read, in words

    @property
    def same(self) -> int:
        return self.read - self.new


@dataclass(frozen=True, slots=True)
class _Mail:
    content: bytes
    received_at: datetime


def import_paths(
    paths: Iterable[Path],
    account: Account,
    *,
    sent: bool,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> Imported:
    """Imports everything below the paths; `sent`: what we wrote. Interrupted, the same call goes on where it stopped.

    `progress` hears the number of mails read so far. Raises ImportProblem when a path does not exist, OSError
    when the disk is full.
    """
    known = [Path(path) for path in paths]
    for path in known:
        if not path.exists():
            raise ImportProblem(f"There is nothing at {path}.")
    read = new = messages = 0
    problems: list[str] = []
    for mails in _pages(known, now, problems):
        reach("import.page-read")
        items = tuple(_item(mail, sent) for mail in mails)
        new += shelf.put(account.id, Page(items=items), held=None, now=now, is_import=True).new
        reach("import.page-stored")
        read += len(items)
        # Digested as it comes: progress then means that it can be seen.
        messages += _digest(now)
        progress(read)
    return Imported(read, new, messages + _digest(now), tuple(problems))


def count_added(account: Account, since: datetime) -> int:
    """Messages that imports into this account added since then; what was known in any way adds none."""
    added = Message.objects.filter(raw_item__account=account, raw_item__place=IMPORT_PLACE, created_at__gte=since)
    return added.count()


def _digest(now: datetime) -> int:
    """Everything that is due, also what an interrupted import left behind."""
    messages = 0
    while (digested := digest_due(1000, now)).taken:
        messages += digested.messages
        if digested.failed == digested.taken:
            break
    return messages


def _item(mail: _Mail, is_sent: bool) -> RawItem:
    return RawItem(
        # Its own epoch, so that mail once imported as received can be imported again as what we sent.
        scope=Scope(IMPORT_PLACE, IMPORT_EPOCHS[is_sent]),
        external_id=canonical_sha256(mail.content),
        received_at=mail.received_at,
        size=len(mail.content),
        content=mail.content,
        is_sent=is_sent,
    )


def canonical_sha256(content: bytes) -> str:
    """Equal whatever line ends, NUL bytes and trailing white space a server or a tool has made of a mail."""
    lines = content.replace(b"\0", b"").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return hashlib.sha256(b"\n".join(line.rstrip(b" \t") for line in lines).rstrip(b"\n")).hexdigest()


def _pages(paths: Iterable[Path], now: datetime, problems: list[str]) -> Iterator[list[_Mail]]:
    page: list[_Mail] = []
    size = 0
    for mail in _mails(paths, now, problems):
        page.append(mail)
        size += len(mail.content)
        if len(page) >= _PAGE_ITEMS or size >= _PAGE_BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page


def _mails(paths: Iterable[Path], now: datetime, problems: list[str]) -> Iterator[_Mail]:
    for path in paths:
        for file in _files(path):
            try:
                yield from (_Mail(content, _received_at(content, file, now)) for content in _read(file))
            except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
                problems.append(f"{file}: {error}")


def _files(path: Path) -> Iterator[Path]:
    """A file itself; below a folder every file that may hold mail, in a fixed order. `tmp` of a Maildir is left out."""
    if path.is_file():
        yield path
        return
    for folder, names, files in os.walk(path):
        names.sort()
        is_maildir = {"cur", "new"} <= set(names)
        if is_maildir and "tmp" in names:
            names.remove("tmp")
        for name in sorted(files):
            if name.lower() not in _SKIPPED and not name.startswith("dovecot") and not name.startswith(".nfs"):
                yield Path(folder) / name


def _read(file: Path) -> Iterator[bytes]:
    opener = _OPENERS.get(file.suffix.lower())
    with opener(file, "rb") if opener else file.open("rb") as stream:
        first = stream.readline(_LINE)
        if _FROM_LINE.match(first):
            yield from _mbox(stream, first)
            return
        content = first + stream.read(MAX_MAIL_BYTES + 1 - len(first))
        if len(content) > MAX_MAIL_BYTES:
            raise ValueError("larger than 100 MiB")
        if content.strip():
            yield content


_LINE = 1024 * 1024


def _mbox(stream: IO[bytes], line: bytes) -> Iterator[bytes]:
    """The mails of an mbox, mboxrd quoting undone. A From line counts only after an empty line."""
    lines: list[bytes] = []
    size, is_after_blank = 0, True
    while line := stream.readline(_LINE):
        if is_after_blank and _FROM_LINE.match(line):
            yield b"".join(lines[:-1] if lines and not lines[-1].strip() else lines)
            lines, size, is_after_blank = [], 0, False
            continue
        is_after_blank = not line.strip(b"\r\n")
        size += len(line)
        if size > MAX_MAIL_BYTES:
            raise ValueError("holds a mail that is larger than 100 MiB")
        lines.append(line[1:] if line.lstrip(b">").startswith(b"From ") and line.startswith(b">") else line)
    if lines:
        yield b"".join(lines[:-1] if not lines[-1].strip() else lines)


def _received_at(content: bytes, file: Path, now: datetime) -> datetime:
    """An import has no INTERNALDATE: the Date stands for it, else the topmost Received, else the file's own time.

    Never the future: a Date of tomorrow says nothing about when the mail came.
    """
    head = re.split(rb"\r?\n\r?\n", content[:65536], maxsplit=1)[0]
    for pattern in _TIMES:
        found = pattern.search(head)
        value = found.group(1).decode("ascii", "replace") if found else ""
        at = parse_date(" ".join(value.rpartition(";")[2].split()))
        if at is not None and is_plausible(at, now):
            return min(at, now)
    return min(datetime.fromtimestamp(file.stat().st_mtime, UTC), now)
