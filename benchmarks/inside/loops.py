"""The references of the ingest benchmark, each a small program: obvious | floor, PORT PASSWORD USER DATABASE.

obvious (L0): imapclient in batches of 200, the standard library's parser, one insert per message.
floor (L1): raw UID FETCH of 200 with four commands in flight, a parser in Rust, bulk inserts in a writer thread.
Both keep the raw bytes, durably (synchronous = FULL), a commit per batch.
"""

from __future__ import annotations

import json
import queue
import re
import resource
import socket
import sqlite3
import sys
import threading
import time
from email import message_from_bytes, policy
from typing import Any

import fast_mail_parser
from imapclient import IMAPClient

BATCH = 200
IN_FLIGHT = 4
_LITERAL = re.compile(rb"UID (\d+) .*\{(\d+)\}\r\n$")
_TABLE = """CREATE TABLE mail (uid INTEGER PRIMARY KEY, message_id TEXT, sender TEXT, subject TEXT, date TEXT,
    text TEXT, raw BLOB)"""
_INSERT = "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?)"


def open_database(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(_TABLE)
    database.execute("CREATE INDEX mail_message_id ON mail (message_id)")
    return database


def obvious(port: int, password: str, user: str, path: str) -> int:
    database = open_database(path)
    with IMAPClient("127.0.0.1", port, ssl=False, timeout=600) as client:
        client.login(user, password)
        client.select_folder("INBOX", readonly=True)
        uids = client.search("ALL")
        for at in range(0, len(uids), BATCH):
            found = client.fetch(uids[at : at + BATCH], ["BODY.PEEK[]"])
            database.execute("BEGIN IMMEDIATE")
            for uid, parts in found.items():
                raw = parts[b"BODY[]"]
                database.execute(_INSERT, (uid, *parse_plainly(raw), raw))
            database.execute("COMMIT")
    return len(uids)


def parse_plainly(raw: bytes) -> tuple[str, str, str, str, str]:
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("plain", "html"))  # type: ignore[attr-defined]
    head = [str(message[name] or "") for name in ("message-id", "from", "subject", "date")]
    for part in message.iter_attachments():  # type: ignore[attr-defined]
        part.get_payload(decode=True)
    return (*head, body.get_content() if body else "")  # type: ignore[return-value]


def floor(port: int, password: str, user: str, path: str) -> int:
    database = open_database(path)
    batches: queue.Queue[list[tuple[Any, ...]] | None] = queue.Queue(8)
    writer = threading.Thread(target=_write, args=(database, batches))
    writer.start()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = sock.makefile("rb", buffering=256 * 1024)
        stream.readline()
        for command in (f'a1 LOGIN "{user}" "{password}"', 'a2 EXAMINE "INBOX"', "a3 UID SEARCH ALL"):
            sock.sendall(command.encode() + b"\r\n")
            uids = _numbers(stream, command.split()[0].encode()) or []
        parts = [uids[at : at + BATCH] for at in range(0, len(uids), BATCH)]
        asked = 0
        for done in range(len(parts)):
            while asked < len(parts) and asked < done + IN_FLIGHT:
                _ask(sock, asked, parts[asked])
                asked += 1
            batches.put(_read_batch(stream))
    batches.put(None)
    writer.join()
    return len(uids)


def _ask(sock: socket.socket, number: int, uids: list[int]) -> None:
    sock.sendall(b"f%d UID FETCH %d:%d (UID BODY.PEEK[])\r\n" % (number, uids[0], uids[-1]))


def _numbers(stream: Any, tag: bytes) -> list[int]:
    found: list[int] = []
    while True:
        line = stream.readline()
        if line.startswith(b"* SEARCH"):
            found = [int(one) for one in line.split()[2:]]
        elif line.startswith(tag):
            return found


def _read_batch(stream: Any) -> list[tuple[Any, ...]]:
    """What came until one command ended; Dovecot may work on several at once."""
    rows: list[tuple[Any, ...]] = []
    while True:
        line = stream.readline()
        literal = _LITERAL.search(line)
        if literal is None:
            if line.startswith(b"f"):
                return rows
            continue
        raw = stream.read(int(literal[2]))
        mail = fast_mail_parser.parse_email(raw)
        head = {name.lower(): value[0] if isinstance(value, list) else value for name, value in mail.headers.items()}
        text = mail.text_plain[0] if mail.text_plain else (mail.text_html[0] if mail.text_html else "")
        names = (head.get("message-id", ""), head.get("from", ""), mail.subject, mail.date)
        rows.append((int(literal[1]), *names, text, raw))


def _write(database: sqlite3.Connection, batches: queue.Queue[list[tuple[Any, ...]] | None]) -> None:
    while (rows := batches.get()) is not None:
        database.execute("BEGIN IMMEDIATE")
        database.executemany(_INSERT, rows)
        database.execute("COMMIT")


def main() -> None:
    name, port, password, user, path = sys.argv[1:]
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    count = {"obvious": obvious, "floor": floor}[name](int(port), password, user, path)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    stored = sqlite3.connect(path).execute("SELECT COUNT(*) FROM mail").fetchone()[0]
    print(json.dumps({"mails": stored, "listed": count, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main()
