"""From EXISTS on the wire to a durable row: the listener, its bell and a poll, against a plain IDLE loop."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.corpus import Corpus
from benchmarks.ground import CHECKOUT, USER, environment, median, new_home, run_inside, settings_of
from benchmarks.wire import Wire, counting_proxy
from tests.servers.dovecot import Dovecot, running_dovecot

_BARE_USER = "bare@example.org"
_SETTLED = 1.2  # seconds between two mails: Dovecot tells half a second late, and nothing is to overlap
_LONGEST = 20.0


def measure(rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds from EXISTS to the row: ours, and a bare client's, one mail each in turn."""
    with running_dovecot() as server, new_home() as home, counting_proxy(server.port) as wire:
        server.deliver(USER, [])
        server.deliver(_BARE_USER, [])
        settings = json.loads(settings_of(server))
        settings["imap"]["port"] = wire.port
        run_inside("connect", home, json.dumps(settings), server.password)
        with _running_jobs(home) as count, _bare_client(wire, server, home / "bare.sqlite3") as bare:
            ours, theirs = [], []
            mails = (one.content for one in Corpus().mails(2 * rounds + 2))
            for _ in range(rounds + 1):
                ours.append(_until_stored(server, wire, next(mails), count))
                theirs.append(_until_taken(server, wire, next(mails), bare))
    return ours[1:], theirs[1:]  # the first ones warm what is used


def _deliver(server: Dovecot, wire: Wire, user: str, mail: bytes) -> None:
    time.sleep(_SETTLED)
    wire.told_at = 0.0
    server.deliver(user, [mail])


def _until_stored(server: Dovecot, wire: Wire, mail: bytes, count: Callable[[], int]) -> float:
    before, ends_at = count(), time.perf_counter() + _LONGEST
    _deliver(server, wire, USER, mail)
    while count() == before:
        if time.perf_counter() > ends_at:
            raise AssertionError("no row came")
        time.sleep(0.0002)
    return 1e3 * (time.perf_counter() - wire.told_at)


def _until_taken(server: Dovecot, wire: Wire, mail: bytes, take: Callable[[], float]) -> float:
    _deliver(server, wire, _BARE_USER, mail)
    return 1e3 * (take() - wire.told_at)


@contextmanager
def _running_jobs(home: Path) -> Iterator[Callable[[], int]]:
    """`balas jobs` with its listener at the doorbell; gives the number of durable raw items."""
    process = subprocess.Popen(
        [sys.executable, "-m", "web.cli", "jobs"], env=environment(home), cwd=CHECKOUT, stdout=subprocess.DEVNULL
    )
    try:
        with closing(sqlite3.connect(home / "balas.sqlite3", isolation_level=None)) as database:

            def count(table: str = "rawitem", where: str = "1") -> int:
                return int(database.execute(f"SELECT count(*) FROM inbox_{table} WHERE {where}").fetchone()[0])

            ends_at = time.monotonic() + 60
            while not count("doorbell", "state = 'live'"):
                if time.monotonic() > ends_at:
                    raise AssertionError("the doorbell did not come to life")
                time.sleep(0.1)
            yield count
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def _bare_client(wire: Wire, server: Dovecot, path: Path) -> Iterator[Callable[[], float]]:
    """IDLE, FETCH and one durable insert on a blocking socket, and nothing else."""
    with (
        socket.create_connection(("127.0.0.1", wire.port), timeout=_LONGEST) as sock,
        closing(sqlite3.connect(path, isolation_level=None)) as database,
        sock.makefile("rb") as lines,
    ):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, content BLOB)")

        def until(start: bytes) -> bytes:
            while not (line := lines.readline()).startswith(start):
                if not line:
                    raise AssertionError("the server closed the connection")
            return line

        lines.readline()
        sock.sendall(b'a LOGIN "%s" "%s"\r\n' % (_BARE_USER.encode(), server.password.encode()))
        until(b"a OK")
        sock.sendall(b"b EXAMINE INBOX\r\n")
        until(b"b OK")
        sock.sendall(b"c IDLE\r\n")
        until(b"+")

        def take() -> float:
            line = until(b"* ")
            while b"EXISTS" not in line:
                line = until(b"* ")
            number = int(line.split()[1])
            sock.sendall(b"DONE\r\n")
            until(b"c OK")
            sock.sendall(b"d FETCH %d (UID INTERNALDATE BODY.PEEK[])\r\n" % number)
            size = int(until(b"* %d FETCH" % number).rsplit(b"{", 1)[1].rstrip(b"}\r\n"))
            content = lines.read(size)
            until(b"d OK")
            database.execute("INSERT INTO raw (content) VALUES (?)", (content,))
            done_at = time.perf_counter()
            sock.sendall(b"c IDLE\r\n")
            until(b"+")
            return done_at

        yield take


if __name__ == "__main__":
    found = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    for one in found:
        print(f"p50 {median(one):.2f} ms", " ".join(f"{value:.1f}" for value in sorted(one)))
