"""An SMTP server that goes wrong on purpose: one of seven phases × one of six faults, and everything else right.

It counts what it would have delivered: a mail is delivered when its final dot arrived and was answered with 250, or
when the server swallowed the dot and then went silent or away (the case that nobody can know from outside).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    CONNECT = "connect"
    EHLO = "ehlo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


class Fault(StrEnum):
    NONE = "none"
    DROP = "drop"
    REFUSE_FOR_NOW = "4xx"
    REFUSE = "5xx"
    SILENCE = "silence"
    GARBAGE = "garbage"
    SLOW = "slow"


_REPLIES = {
    Fault.REFUSE_FOR_NOW: b"451 4.3.0 come back later\r\n",
    Fault.REFUSE: b"554 5.7.1 never\r\n",
    Fault.GARBAGE: b"\xff\xfe what is this\r\n",
}


@dataclass
class FaultySmtp:
    """`phase` and `fault` may be changed between connections; `times` limits how often the fault strikes."""

    port: int
    phase: Phase = Phase.CONNECT
    fault: Fault = Fault.NONE
    times: int = 1_000_000
    slowness: float = 0.3
    recipients: dict[str, bytes] = field(default_factory=dict)  # address → reply, instead of 250
    delivered: list[bytes] = field(default_factory=list)
    dots: int = 0  # final dots that arrived
    connections: int = 0
    open_now: int = 0
    struck: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    def is_left_alone(self, seconds: float = 3) -> bool:
        """Whether every connection ends within so many seconds."""
        ends_at = time.monotonic() + seconds
        while self.open_now and time.monotonic() < ends_at:
            time.sleep(0.01)
        return not self.open_now

    def strikes(self, phase: Phase) -> bool:
        if phase != self.phase or self.fault is Fault.NONE or self.times <= 0:
            return False
        self.times -= 1
        self.struck += 1
        return True


class _Gone(Exception):
    """The server ends the connection."""


class _Conversation:
    def __init__(self, server: FaultySmtp, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.buffer = bytearray()
        self.searched = 0
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self) -> None:
        self.server.connections += 1
        self.reply(Phase.CONNECT, b"220 faulty.test ESMTP\r\n")
        while True:
            line = self.line()
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.reply(Phase.EHLO, b"250-faulty.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif verb == b"MAIL":
                self.reply(Phase.MAIL, b"250 2.1.0 Ok\r\n")
            elif verb == b"RCPT":
                self.reply(Phase.RCPT, self.server.recipients.get(_address(line), b"250 2.1.5 Ok\r\n"))
            elif verb == b"DATA":
                if self.reply(Phase.DATA, b"354 go ahead\r\n"):
                    self.body()
            elif verb == b"QUIT":
                self.sock.sendall(b"221 bye\r\n")
                raise _Gone
            else:
                self.sock.sendall(b"250 2.0.0 Ok\r\n")

    def body(self) -> None:
        if self.server.phase is Phase.BODY:
            self.read_some()
            if self.server.strikes(Phase.BODY):
                self.strike(b"")
        while not (end := self.end_of_body()):
            self.read_some()
        content = bytes(self.buffer[: end - 5])
        del self.buffer[:end]
        self.server.dots += 1
        if self.server.phase is Phase.DOT and self.server.fault in {Fault.DROP, Fault.SILENCE, Fault.GARBAGE}:
            self.server.delivered.append(content)
            self.reply(Phase.DOT, b"250 2.0.0 Ok: queued as FAULTY01\r\n")
        elif self.reply(Phase.DOT, b"250 2.0.0 Ok: queued as FAULTY01\r\n"):
            self.server.delivered.append(content)

    def end_of_body(self) -> int:
        if self.buffer.startswith(b".\r\n"):
            return 3
        found = self.buffer.find(b"\r\n.\r\n", self.searched)
        self.searched = 0 if found >= 0 else max(0, len(self.buffer) - 5)
        return found + 5 if found >= 0 else 0

    def reply(self, phase: Phase, words: bytes) -> bool:
        """Say it, or strike instead; whether it was said."""
        if self.server.strikes(phase):
            return self.strike(words)
        self.sock.sendall(words)
        return True

    def strike(self, words: bytes) -> bool:
        fault = self.server.fault
        if fault is Fault.DROP:
            raise _Gone
        if fault is Fault.SILENCE:
            self.server._stopped.wait(30)
            raise _Gone
        if fault is Fault.SLOW:
            for position in range(len(words)):
                time.sleep(self.server.slowness / len(words))
                self.sock.sendall(words[position : position + 1])
            return True
        self.sock.sendall(_REPLIES[fault])
        return False

    def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self.read_some()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return bytes(line)

    def read_some(self) -> None:
        got = self.sock.recv(65536)
        if not got:
            raise _Gone
        self.buffer += got


def _address(line: bytes) -> str:
    return line.partition(b"<")[2].partition(b">")[0].decode("utf-8", "replace")


@contextmanager
def running_faulty_smtp(phase: Phase = Phase.CONNECT, fault: Fault = Fault.NONE) -> Iterator[FaultySmtp]:
    """Start it on a free loopback port; its threads end with it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    server = FaultySmtp(listener.getsockname()[1], phase, fault)
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = []

    def talk(sock: socket.socket) -> None:
        server.open_now += 1
        with suppress(_Gone, OSError):
            _Conversation(server, sock).run()
        server.open_now -= 1
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    def accept() -> None:
        while not server._stopped.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            sock.settimeout(30)
            sockets.append(sock)
            threads.append(threading.Thread(target=talk, args=(sock,), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        server._stopped.set()
        acceptor.join(5)
        listener.close()
        for sock in sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)
