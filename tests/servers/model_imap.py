"""A model of an IMAP server: folders with UIDs as RFC 3501 has them, and everything real servers do wrong.

State and faults are plain attributes. Faults last until `calm()`; those that end a connection strike once. It speaks
over loopback to the real connector, a thread for each connection.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

_PART: Final = re.compile(rb"(\d+|\*)(?::(\d+|\*))?$")
_ORIGIN: Final = re.compile(rb"<(\d+)\.(\d+)>")


@dataclass(frozen=True, slots=True)
class Mail:
    number: int
    content: bytes
    date: bytes  # INTERNALDATE


@dataclass(slots=True)
class Folder:
    validity: int
    next_uid: int = 1
    mails: dict[int, Mail] = field(default_factory=dict)

    def deliver(self, mail: Mail) -> int:
        uid = self.next_uid
        self.mails[uid] = mail
        self.next_uid += 1
        return uid


@dataclass(slots=True)
class Faults:
    """What goes wrong. `strike` ends a connection at that answer: bye | cut | hang, or drags it out: slow."""

    search_omits: float = 0.0  # chance that an answer leaves out a UID
    fetch_omits: float = 0.0
    shows_top_late: bool = False  # SEARCH does not show the newest mail
    exists: int = 0  # added to every count
    star: bool = False  # a range above the top is answered with the last mail, as `n:*` is
    chatter: bool = False  # flags that others set, and counts, between the answers
    races: int = 0  # so many mails are expunged just after a SEARCH showed them
    is_away: bool = False  # every connection is turned away
    strike: str = ""
    strike_in: int = 0  # answers from now


@dataclass(slots=True)
class ModelImap:
    folders: dict[str, Folder] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    random: Random = field(default_factory=lambda: Random(0))
    bodies: int = 0  # handed out
    writes: list[bytes] = field(default_factory=list)  # commands that would change something

    def calm(self) -> None:
        self.faults = Faults()

    def answer(self, session: Session, tag: bytes, command: bytes) -> bytes:
        name, _, rest = command.partition(b" ")
        name = name.upper()
        if name == b"UID":
            inner, _, rest = rest.partition(b" ")
            name = inner.upper()
        act = _ACTS.get(name)
        if act is None:
            self.writes.append(command)
            return tag + b" BAD unknown\r\n"
        return act(self, session, tag, rest)

    # --- Commands -----------------------------------------------------------------------------------------------------

    def ok(self, session: Session, tag: bytes, rest: bytes) -> bytes:
        return tag + b" OK done\r\n"

    def capability(self, session: Session, tag: bytes, rest: bytes) -> bytes:
        return b"* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + b" OK done\r\n"

    def list_folders(self, session: Session, tag: bytes, rest: bytes) -> bytes:
        names = b"".join(b'* LIST () "/" "%s"\r\n' % name.encode() for name in self.folders)
        return names + tag + b" OK done\r\n"

    def examine(self, session: Session, tag: bytes, rest: bytes) -> bytes:
        session.place = rest.strip(b'"').decode()
        folder = self.folders.get(session.place)
        if folder is None:
            session.place = ""
            return tag + b" NO [NONEXISTENT] no such folder\r\n"
        session.told = len(folder.mails)
        count = max(0, len(folder.mails) + self.faults.exists)
        facts = b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] v\r\n* OK [UIDNEXT %d] n\r\n"
        return facts % (count, folder.validity, folder.next_uid) + tag + b" OK [READ-ONLY] done\r\n"

    def status(self, session: Session, tag: bytes, rest: bytes) -> bytes:
        name = rest.partition(b" (")[0].strip(b'"')
        folder = self.folders.get(name.decode())
        if folder is None:
            return tag + b" NO [NONEXISTENT] no such folder\r\n"
        count = max(0, len(folder.mails) + self.faults.exists)
        facts = b'* STATUS "%s" (MESSAGES %d UIDNEXT %d UIDVALIDITY %d)\r\n'
        return facts % (name, count, folder.next_uid, folder.validity) + tag + b" OK done\r\n"

    def noop(self, session: Session, tag: bytes, rest: bytes) -> bytes:
        folder = self.folders.get(session.place)
        news = b""
        if folder is not None and (folder.next_uid, len(folder.mails)) != session.seen:
            session.seen = (folder.next_uid, len(folder.mails))
            news = b"* %d EXISTS\r\n" % len(folder.mails)
        return news + tag + b" OK done\r\n"

    def search(self, session: Session, tag: bytes, rest: bytes) -> bytes:
        folder = self.folders.get(session.place)
        if folder is None:
            return tag + b" NO nothing is selected\r\n"
        faults, top = self.faults, max(folder.mails, default=0)
        found = [uid for uid in self._named(folder, rest.rpartition(b" ")[2]) if not self._omits(faults.search_omits)]
        if faults.shows_top_late:
            found = [uid for uid in found if uid != top]
        shown = b" ".join(b"%d" % uid for uid in found)
        while faults.races and found:
            faults.races -= 1
            folder.mails.pop(found.pop(self.random.randrange(len(found))), None)
        return b"* SEARCH " + shown + b"\r\n" + self._chatter(folder) + tag + b" OK done\r\n"

    def fetch(self, session: Session, tag: bytes, rest: bytes) -> bytes:
        folder = self.folders.get(session.place)
        if folder is None:
            return tag + b" NO nothing is selected\r\n"
        wanted, _, items = rest.partition(b" ")
        out = []
        for uid in self._named(folder, wanted):
            if not self._omits(self.faults.fetch_omits):
                out.append(self._fetched(folder, uid, items))
                out.append(self._chatter(folder))
        return b"".join(out) + tag + b" OK done\r\n"

    def _fetched(self, folder: Folder, uid: int, items: bytes) -> bytes:
        mail = folder.mails[uid]
        facts = b"UID %d" % uid
        if b"INTERNALDATE" in items:
            facts += b' INTERNALDATE "%s"' % mail.date
        if b"RFC822.SIZE" in items:
            facts += b" RFC822.SIZE %d" % len(mail.content)
        if b"BODY" not in items:
            return b"* %d FETCH (%s)\r\n" % (uid, facts)
        self.bodies += 1
        body, name = mail.content, b"BODY[]"
        if piece := _ORIGIN.search(items):
            start, length = int(piece[1]), int(piece[2])
            body, name = body[start : start + length], b"BODY[]<%d>" % start
        return b"* %d FETCH (%s %s {%d}\r\n%s)\r\n" % (uid, facts, name, len(body), body)

    def _named(self, folder: Folder, wanted: bytes) -> list[int]:
        """RFC 3501's set, with its trap: `n:*` always holds the last mail."""
        top = max(folder.mails, default=0)
        found: set[int] = set()
        for part in wanted.split(b","):
            match = _PART.match(part)
            assert match, wanted
            low, high = (top if end == b"*" else int(end) for end in (match[1], match[2] or match[1]))
            low, high = min(low, high), max(low, high)
            if self.faults.star and low > top and folder.mails:
                found.add(top)
            found |= {uid for uid in folder.mails if low <= uid <= high}
        return sorted(found)

    def _omits(self, chance: float) -> bool:
        return chance > 0 and self.random.random() < chance

    def _chatter(self, folder: Folder) -> bytes:
        if not self.faults.chatter:
            return b""
        number = self.random.randrange(4)
        if number == 0:
            return b"* 1 FETCH (FLAGS (\\Seen))\r\n"
        if number == 1 and folder.mails:
            return b"* 2 FETCH (FLAGS (\\Seen) UID %d)\r\n" % self.random.choice(list(folder.mails))
        return b"* %d EXISTS\r\n" % len(folder.mails) if number == 2 else b""


_ACTS: Final = {
    b"CAPABILITY": ModelImap.capability,
    b"LOGIN": ModelImap.ok,
    b"LIST": ModelImap.list_folders,
    b"EXAMINE": ModelImap.examine,
    b"STATUS": ModelImap.status,
    b"NOOP": ModelImap.noop,
    b"SEARCH": ModelImap.search,
    b"FETCH": ModelImap.fetch,
    b"LOGOUT": ModelImap.ok,
}


class _Gone(Exception):
    """The server ends the connection."""


@dataclass(slots=True)
class Session:
    model: ModelImap
    sock: socket.socket
    place: str = ""
    told: int = 0
    seen: tuple[int, int] = (0, 0)

    def run(self) -> None:
        if self.model.faults.is_away:
            self.sock.sendall(b"* BYE [UNAVAILABLE] come back later\r\n")
            return
        self.sock.sendall(b"* OK [CAPABILITY IMAP4rev1 IDLE] model\r\n")
        waiting = b""
        while True:
            got = self.sock.recv(65536)
            if not got:
                return
            *lines, waiting = (waiting + got).split(b"\r\n")
            for line in lines:
                tag, _, command = line.partition(b" ")
                answer = self.model.answer(self, tag, command)
                if command.upper().startswith(b"EXAMINE") and (folder := self.model.folders.get(self.place)):
                    self.seen = (folder.next_uid, len(folder.mails))
                self.say(answer)

    def say(self, answer: bytes) -> None:
        faults = self.model.faults
        if not faults.strike or faults.strike_in:
            faults.strike_in = max(0, faults.strike_in - 1)
            self.sock.sendall(answer)
            return
        strike, faults.strike = faults.strike, ""
        if strike == "slow":
            step = max(1, len(answer) // 6)
            for start in range(0, len(answer), step):
                self.sock.sendall(answer[start : start + step])
                time.sleep(0.001)
            return
        if strike == "hang":
            with suppress(OSError):
                while self.sock.recv(65536):
                    pass
        elif strike == "cut":
            self.sock.sendall(answer[: len(answer) // 2])
        else:
            lines = answer.count(b"\r\n") and answer[: answer.rstrip().rfind(b"\r\n") + 2]
            self.sock.sendall((lines or b"") + b"* BYE [UNAVAILABLE] going down\r\n")
        raise _Gone


@contextmanager
def listening() -> Iterator[Standing]:
    """A port where whatever model is put there is served; its threads end with it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    standing = Standing(listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def talk(sock: socket.socket) -> None:
        standing.sockets.add(sock)
        with sock, suppress(_Gone, OSError):
            sock.settimeout(20)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Session(standing.model, sock).run()
        standing.sockets.discard(sock)

    def accept() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                threads[:] = [thread for thread in threads if thread.is_alive()]
                threads.append(threading.Thread(target=talk, args=(sock,), daemon=True))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield standing
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)
        for thread in threads:
            thread.join(5)


@dataclass(slots=True)
class Standing:
    port: int
    model: ModelImap = field(default_factory=ModelImap)
    sockets: set[socket.socket] = field(default_factory=set)

    def hang_up(self) -> None:
        """The server restarts: every connection is at its end."""
        for sock in list(self.sockets):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
