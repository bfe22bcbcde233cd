"""A small IMAP server that misbehaves on purpose, in ways a healthy server never shows.

It knows one account, folders of (uid → mail) and just the commands the connector uses. Faults are plain attributes,
changeable while it runs.
"""

from __future__ import annotations

import base64
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_RANGE = re.compile(r"^(\d+|\*)(?::(\d+|\*))?$")


@dataclass
class ScriptedFolder:
    mails: dict[int, bytes] = field(default_factory=dict)
    uid_validity: int = 1000
    uid_next: int | None = None  # None: the highest plus one

    def next_uid(self) -> int:
        return self.uid_next or max(self.mails, default=0) + 1


@dataclass
class ScriptedImap:
    port: int
    folders: dict[str, ScriptedFolder] = field(default_factory=lambda: {"INBOX": ScriptedFolder()})
    login_answer: str = "OK logged in"
    takes_token: Callable[[str], bool] | None = None  # offers XOAUTH2, and this says which tokens are good
    goodbye: str = "[UNAVAILABLE] server is going down"
    omit: Callable[[int], bool] = lambda uid: False  # bodies left out of a FETCH answer
    omit_sizes: Callable[[int], bool] = lambda uid: False  # left out of an answer without bodies
    hide: Callable[[int], bool] = lambda uid: False  # UIDs left out of a SEARCH answer
    refuse: Callable[[int], bool] = lambda uid: False  # a FETCH that names such a UID is answered with NO
    goodbye_at: int | None = None  # say BYE and close instead of this UID's body
    cut_at: int | None = None  # close in the middle of this UID's body
    lie_at: int | None = None  # announce more bytes than this UID's body has
    silent_on: str = ""  # a command that is never answered
    refuse_search: bool = False
    extra_exists: int = 0  # how many mails more it counts than there are
    capabilities: str = "IMAP4rev1 IDLE"
    after_starttls: str = ""  # words glued to the answer, before any encryption
    say_and_close: str = ""  # while IDLE waits: said, then the connection ends
    hides_uid_next: bool = False
    quoted_bodies: bool = False  # bodies as quoted strings where possible
    uid_last: bool = False  # UID after the body, and flags in between
    dates: dict[int, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    sent_bytes: int = 0
    connections: int = 0
    open_now: int = 0
    most_connections: int | None = None  # at once; whoever logs in beyond is refused
    refused: int = 0
    at_log_in: int = 0  # connections that are not yet past EXAMINE
    most_at_log_in: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def since(self, mark: int) -> list[str]:
        """The commands that came after `mark` = len(commands) at some earlier moment."""
        return self.commands[mark:]


class _Gone(Exception):
    """The server ends the connection."""


class _Conversation:
    def __init__(self, server: ScriptedImap, sock: socket.socket) -> None:
        self.server, self.sock, self.buffer = server, sock, b""
        self.folder: ScriptedFolder | None = None
        self.told = 0
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self, words: str | bytes) -> None:
        data = words if isinstance(words, bytes) else words.encode() + b"\r\n"
        self.server.sent_bytes += len(data)
        self.sock.sendall(data)

    def run(self) -> None:
        self.server.connections += 1
        self.server.at_log_in += 1
        self.server.most_at_log_in = max(self.server.most_at_log_in, self.server.at_log_in)
        self.say(f"* OK [CAPABILITY {self.server.capabilities}] scripted")
        while True:
            tag, _, command = self.line().decode("utf-8", "replace").partition(" ")
            self.server.commands.append(command)
            name, _, rest = command.partition(" ")
            name = name.upper()
            if name == "UID":
                inner, _, rest = rest.partition(" ")
                name = f"UID {inner.upper()}"
            if self.server.silent_on and command.upper().startswith(self.server.silent_on):
                self.server.stopped.wait(30)
                raise _Gone
            self.answer(tag, name, rest)

    def answer(self, tag: str, name: str, rest: str) -> None:
        if name == "LOGIN" and self.server.open_now > (self.server.most_connections or 1000):
            self.server.refused += 1
            self.say(f"{tag} NO [LIMIT] too many connections")
        elif name == "LOGIN" and self.server.login_answer.startswith("* "):
            self.say(self.server.login_answer)
            raise _Gone
        elif name == "LOGIN":
            self.say(f"{tag} {self.server.login_answer}")
        elif name == "AUTHENTICATE":
            self.authenticate(tag)
        elif name == "CAPABILITY":
            self.say(f"* CAPABILITY {self.server.capabilities}{' AUTH=XOAUTH2' if self.server.takes_token else ''}")
            self.say(f"{tag} OK done")
        elif name == "LIST":
            for folder in self.server.folders:
                self.say(f'* LIST () "/" "{folder}"')
            self.say(f"{tag} OK done")
        elif name == "EXAMINE":
            self.examine(tag, rest)
        elif name == "STATUS":
            self.status(tag, rest)
        elif name == "UID SEARCH":
            self.search(tag, rest)
        elif name in {"UID FETCH", "FETCH"}:
            self.fetch(tag, rest)
        elif name == "NOOP":
            if self.folder is not None and len(self.folder.mails) != self.told:
                self.told = len(self.folder.mails)
                self.say(f"* {self.told} EXISTS")
            self.say(f"{tag} OK done")
        elif name == "IDLE":
            self.idle(tag)
        elif name == "STARTTLS":
            self.say(f"{tag} OK begin\r\n{self.server.after_starttls}")
        elif name == "LOGOUT":
            self.say("* BYE bye")
            self.say(f"{tag} OK done")
            raise _Gone
        else:
            self.say(f"{tag} OK done")

    def authenticate(self, tag: str) -> None:
        """XOAUTH2 as Gmail speaks it: a refusal is a challenge with JSON first."""
        self.say("+ ")
        token = base64.b64decode(self.line()).decode().partition("Bearer ")[2].strip("\x01")
        if self.server.takes_token is not None and self.server.takes_token(token):
            self.say(f"{tag} OK logged in")
            return
        self.say("+ " + base64.b64encode(b'{"status":"400","schemes":"Bearer"}').decode())
        assert self.line() == b""
        self.say(f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)")

    def idle(self, tag: str) -> None:
        self.say("+ idling")
        while not self.server.stopped.is_set():
            if self.folder is not None and len(self.folder.mails) != self.told:
                self.told = len(self.folder.mails)
                self.say(f"* {self.told} EXISTS")
            if self.server.say_and_close:
                self.say(self.server.say_and_close)
                raise _Gone
            if b"\n" in self.buffer or select.select([self.sock], [], [], 0.02)[0]:
                self.server.commands.append(self.line().decode())
                self.say(f"{tag} OK done")
                return

    def examine(self, tag: str, rest: str) -> None:
        self.server.at_log_in -= self.folder is None
        self.folder = self.server.folders.get(rest.strip('"'))
        if self.folder is None:
            self.say(f"{tag} NO [NONEXISTENT] no such folder")
            return
        self.told = len(self.folder.mails)
        self.say(f"* {self.told + self.server.extra_exists} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.folder.uid_validity}] valid")
        if not self.server.hides_uid_next:
            self.say(f"* OK [UIDNEXT {self.folder.next_uid()}] next")
        self.say(f"{tag} OK [READ-ONLY] examined")

    def status(self, tag: str, rest: str) -> None:
        name = rest.partition(" (")[0].strip('"')
        if name not in self.server.folders:
            self.say(f"{tag} NO [NONEXISTENT] no such folder")
            return
        folder = self.server.folders[name]
        count = len(folder.mails) + self.server.extra_exists
        told = f"MESSAGES {count} UIDNEXT {folder.next_uid()} UIDVALIDITY {folder.uid_validity}"
        self.say(f'* STATUS "{name}" ({told})')
        self.say(f"{tag} OK done")

    def uids(self, wanted: str) -> list[int]:
        """RFC 3501's set, with its trap: n:* always holds the last message."""
        assert self.folder is not None
        last = max(self.folder.mails, default=0)
        found: set[int] = set()
        for part in wanted.split(","):
            match = _RANGE.match(part)
            assert match, wanted
            low, high = (last if end == "*" else int(end) for end in (match[1], match[2] or match[1]))
            low, high = min(low, high), max(low, high)
            found |= {uid for uid in self.folder.mails if low <= uid <= high}
        return sorted(found)

    def search(self, tag: str, rest: str) -> None:
        assert self.folder is not None
        if self.server.refuse_search:
            self.say(f"{tag} NO [SERVERBUG] not now")
            return
        if rest.upper().startswith("HEADER"):
            needle = rest.rsplit('"', 2)[-2].encode()
            found = [uid for uid, mail in self.folder.mails.items() if needle in mail]
        else:
            found = [uid for uid in self.uids(rest.split()[-1]) if not self.server.hide(uid)]
        self.say("* SEARCH " + " ".join(map(str, found)))
        self.say(f"{tag} OK done")

    def fetch(self, tag: str, rest: str) -> None:
        wanted, _, items = rest.partition(" ")
        uids = self.uids(wanted)
        if "BODY" in items and any(self.server.refuse(uid) for uid in uids):
            self.say(f"{tag} NO [SERVERBUG] internal error on message")
            return
        for uid in uids:
            if "BODY" not in items:
                if not self.server.omit_sizes(uid):
                    self.sizes(uid)
            elif not self.server.omit(uid):
                self.body(uid, items)
        self.say(f"{tag} OK done")

    def sizes(self, uid: int) -> None:
        assert self.folder is not None
        self.say(f"* {uid} FETCH (UID {uid} {self.facts(uid)})")

    def facts(self, uid: int) -> str:
        assert self.folder is not None
        date = self.server.dates.get(uid, f"17-Jul-2026 02:{uid // 60 % 60:02}:{uid % 60:02} +0200")
        return f'INTERNALDATE "{date}" RFC822.SIZE {len(self.folder.mails[uid])}'

    def body(self, uid: int, items: str) -> None:
        assert self.folder is not None
        mail, name = self.folder.mails[uid], "BODY[]"
        if partial := re.search(r"<(\d+)\.(\d+)>", items):
            start, length = int(partial[1]), int(partial[2])
            mail, name = mail[start : start + length], f"BODY[]<{start}>"
        if uid == self.server.goodbye_at:
            self.say(f"* BYE {self.server.goodbye}")
            raise _Gone
        facts = self.facts(uid) + " " if "INTERNALDATE" in items else ""
        if uid == self.server.cut_at:
            self.say(f"* {uid} FETCH (UID {uid} {facts}{name} {{{len(mail)}}}\r\n".encode() + mail[: len(mail) // 2])
            raise _Gone
        if self.server.quoted_bodies and b"\n" not in mail and mail.isascii():
            text = mail.decode().replace("\\", "\\\\").replace('"', '\\"')
            self.say(f'* {uid} FETCH (UID {uid} {facts}{name} "{text}")')
        elif uid == self.server.lie_at:
            head = f"* {uid} FETCH (UID {uid} {facts}{name} {{{len(mail) + 30}}}\r\n".encode()
            self.say(head + mail + b")\r\n")
        elif self.server.uid_last:
            head = f"* {uid} FETCH ({facts}{name} {{{len(mail)}}}\r\n".encode()
            self.say(head + mail + f" FLAGS (\\Seen) UID {uid})\r\n".encode())
        else:
            head = f"* {uid} FETCH (UID {uid} {facts}{name} {{{len(mail)}}}\r\n".encode()
            self.say(head + mail + b")\r\n")

    def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            got = self.sock.recv(65536)
            if not got:
                raise _Gone
            self.buffer += got
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line


@contextmanager
def running_scripted_imap(port: int = 0) -> Iterator[ScriptedImap]:
    """Start it on a loopback port, a free one unless named; its threads end with it."""
    listener = socket.create_server(("127.0.0.1", port))
    listener.settimeout(0.1)
    server = ScriptedImap(listener.getsockname()[1])
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def talk(sock: socket.socket) -> None:
        server.open_now += 1
        with suppress(_Gone, OSError):
            _Conversation(server, sock).run()
        server.open_now -= 1
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    def accept() -> None:
        while not server.stopped.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            sock.settimeout(30)
            sockets.append(sock)
            threads.append(threading.Thread(target=talk, args=(sock,), daemon=True))
            threads[-1].start()
            time.sleep(0)

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        server.stopped.set()
        acceptor.join(5)
        listener.close()
        for sock in sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)
