"""Reads IMAP answers straight from the socket: bulk FETCH costs a few microseconds a message instead of a hundred.

imapclient lexes every answer byte by byte, which is right for small answers and the wall for bulk ones. `Wire` lends
imaplib its `read` and `readline`, so both share one buffer and either can take the next answer (RFC 3501 §7, §9).
"""

from __future__ import annotations

import io
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectors.mail.internaldate import read_internal_date

_MAX_LINE = 16 * 1024 * 1024
_MAX_LITERAL = 2 * 1024 * 1024 * 1024
_MAX_NEWS = 1000
_CHUNK = 256 * 1024
_BUFFER = 256 * 1024
_LITERAL = re.compile(rb"~?\{(\d+)\+?\}$")
_FETCH = re.compile(rb"\* \d+ FETCH \(", re.IGNORECASE)
_UID = re.compile(rb"[( ]UID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"[( ]RFC822\.SIZE (\d+)", re.IGNORECASE)
_DATE = re.compile(rb'[( ]INTERNALDATE "([^"]{1,40})"', re.IGNORECASE)
_BODY = re.compile(rb"[( ](?:BODY\[[^\]]*\](?:<\d+>)?|RFC822) $", re.IGNORECASE)
_SHORT_BODY = re.compile(rb'[( ](?:BODY\[[^\]]*\](?:<\d+>)?|RFC822) (NIL|"(?:[^"\\]|\\.)*")', re.IGNORECASE)
_ORIGIN = re.compile(rb"BODY\[\]<(\d+)>", re.IGNORECASE)


class Garbled(Exception):
    """What came is no IMAP answer; the connection cannot be used any further."""


class Goodbye(Exception):
    """The server ended the session with BYE; holds its words."""


@dataclass(slots=True)
class Fetched:
    """What one FETCH answer said of one message. `content` or `path` holds the body when it was asked for and came."""

    uid: int
    received_at: datetime | None = None
    size: int | None = None
    content: bytes | None = None
    path: Path | None = None
    origin: int = 0  # where a piece of a body begins


@dataclass(slots=True)
class Answer:
    """Everything up to the tagged line. `numbers` are the results of a SEARCH; `lines` other untagged answers."""

    status: str = ""
    text: str = ""
    fetched: list[Fetched] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)


class _Raw(io.RawIOBase):
    """A socket as a raw stream that stays usable after a timeout and keeps a deadline for the whole answer."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket = sock
        self.ends_at = float("inf")
        self.received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if time.monotonic() > self.ends_at:
            raise TimeoutError("the answer took too long")
        got = self._socket.recv_into(buffer)
        self.received += got
        return got


class Wire:
    """The reading half of one IMAP connection, and the folder where large literals are spooled."""

    def __init__(self, sock: socket.socket, spool: Path, spool_over: int) -> None:
        self._raw = _Raw(sock)
        self._buffered = io.BufferedReader(self._raw, _BUFFER)
        self._socket = sock
        self._spool = spool
        self._spool_over = spool_over
        self._serial = 0
        self._open_tags: set[bytes] = set()
        self._early: dict[bytes, bytes] = {}  # tagged lines of later commands that came first, as RFC 3501 §5.5 allows
        self.loose: set[Path] = set()  # spooled files that nobody has taken over yet
        self.stirred = False  # the server said that the selected folder has changed since it was examined

    @property
    def received(self) -> int:
        """Bytes taken from the server so far."""
        return self._raw.received

    def allow(self, seconds: float) -> None:
        """From now on the current answers must be complete within so many seconds, whatever trickles in."""
        self._raw.ends_at = time.monotonic() + seconds

    def read(self, size: int) -> bytes:
        return self._buffered.read(size) or b""

    def readline(self) -> bytes:
        line = self._buffered.readline(_MAX_LINE)
        if len(line) >= _MAX_LINE:
            raise Garbled(f"a line of more than {_MAX_LINE} bytes")
        return line

    def send(self, commands: list[bytes]) -> list[bytes]:
        """Write commands in one go, each with a tag of its own; returns the tags."""
        tags = []
        for _ in commands:
            self._serial += 1
            tags.append(b"W%d" % self._serial)
        self._open_tags.update(tags)
        try:
            self._socket.sendall(b"".join(b"%s %s\r\n" % pair for pair in zip(tags, commands, strict=True)))
        except (BrokenPipeError, ConnectionResetError):
            pass  # What the server said before it left still waits to be read, its reason included.
        return tags

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def await_continuation(self) -> None:
        """Read until the server says `+`; news before it only stirs."""
        for _ in range(_MAX_NEWS):
            line = self._line()
            if line.startswith(b"+"):
                return
            if not line.startswith(b"* "):
                raise Garbled(line[:60].decode("ascii", "replace"))
            self._untagged(line, Answer())
        raise Garbled("it said much and never went on")

    def answer(self, tag: bytes) -> Answer:
        """Read up to the tagged line of `tag`. Raises Goodbye, Garbled, EOFError or OSError.

        What was said meanwhile for another command in flight is in this answer too: look by UID or name, not by tag.
        """
        found = Answer()
        while tag not in self._early:
            line = self._line()
            if line.startswith(b"* "):
                self._untagged(line, found)
                continue
            said, _, rest = line.partition(b" ")
            if said not in self._open_tags:
                raise Garbled(line[:60].decode("ascii", "replace"))
            self._early[said] = rest
        self._open_tags.discard(tag)
        status, _, text = self._early.pop(tag).partition(b" ")
        found.status, found.text = status.decode("ascii", "replace").upper(), text.decode("utf-8", "replace")
        return found

    def _line(self) -> bytes:
        line = self.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the connection was closed")
        return line.rstrip(b"\r\n")

    def _untagged(self, line: bytes, found: Answer) -> None:
        if _FETCH.match(line):
            message = self._fetch(line)
            if message is not None:
                found.fetched.append(message)
            return
        words = line[2:].split(b" ", 2)
        first = words[0].upper()
        if first == b"BYE":
            raise Goodbye(line[6:].decode("utf-8", "replace"))
        if first == b"SEARCH":
            found.numbers.extend(int(word) for word in line[9:].split() if word.isdigit())
            return
        if len(words) > 1 and words[1].upper() in {b"EXISTS", b"EXPUNGE"}:
            self.stirred = True
        if first not in {b"OK", b"NO", b"BAD"}:  # free text may end like a literal without being one
            while match := _LITERAL.search(line):
                self._content(int(match[1]))
                line = self._line()
        found.lines.append(b" ".join(words))

    def _fetch(self, line: bytes) -> Fetched | None:
        """One FETCH answer, its literals included; None when it names no UID (a change of flags)."""
        content: bytes | None = None
        path: Path | None = None
        heads: list[bytes] = []
        while match := _LITERAL.search(line):
            heads.append(line[: match.start()])
            taken, spooled = self._literal(int(match[1]))
            if _BODY.search(heads[-1]):
                content, path = taken, spooled
            line = self._line()
        text = b"".join(heads) + line if heads else line
        if content is None and path is None and (short := _SHORT_BODY.search(text)):
            content = b"" if short[1] == b"NIL" else re.sub(rb"\\(.)", rb"\1", short[1][1:-1])
            text = text[: short.start()] + text[short.end() :]
        uid = _UID.search(text)
        if uid is None:
            return None
        size, when, origin = _SIZE.search(text), _DATE.search(text), _ORIGIN.search(text)
        return Fetched(
            uid=int(uid[1]),
            received_at=read_internal_date(when[1]) if when else None,
            size=int(size[1]) if size else None,
            content=content,
            path=path,
            origin=int(origin[1]) if origin else 0,
        )

    def _literal(self, size: int) -> tuple[bytes | None, Path | None]:
        if size > self._spool_over:
            return None, self._to_file(size)
        return self._content(size), None

    def _content(self, size: int) -> bytes:
        if size > _MAX_LINE:
            raise Garbled(f"a literal of {size} bytes where none belongs")
        content = self._buffered.read(size) or b""
        if len(content) < size:
            raise EOFError("the connection was closed in the middle of a message")
        return content

    def _to_file(self, size: int) -> Path:
        if size > _MAX_LITERAL:
            raise Garbled(f"a mail of {size} bytes")
        self._spool.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="mail-", suffix=".eml", dir=self._spool)
        path = Path(name)
        self.loose.add(path)
        try:
            with os.fdopen(handle, "wb") as file:
                left = size
                while left:
                    piece = self._content(min(left, _CHUNK))
                    file.write(piece)
                    left -= len(piece)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            self.drop(path)
            raise
        return path

    def drop(self, path: Path) -> None:
        """Delete a spooled file that nobody took."""
        self.loose.discard(path)
        path.unlink(missing_ok=True)

    def drop_loose(self) -> None:
        for path in list(self.loose):
            self.drop(path)

    @contextmanager
    def spooling_over(self, size: int) -> Iterator[None]:
        """Within, literals up to `size` come into memory although they would otherwise be spooled."""
        before, self._spool_over = self._spool_over, size
        try:
            yield
        finally:
            self._spool_over = before

    def wait_line(self, seconds: float) -> bytes | None:
        """The next line, or None when none began within `seconds`."""
        before = self._socket.gettimeout()
        self._socket.settimeout(max(seconds, 0.01))
        try:
            return self._line()
        except TimeoutError:
            return None
        finally:
            self._socket.settimeout(before)
