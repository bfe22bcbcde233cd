"""A mail provider on loopback: one account, IMAP to read and SMTP to send, kept in one folder.

    FOLDER/mail/        the mailboxes (`imap_store`)
    FOLDER/accepted/    what came over SMTP, one file a mail, written before it is acknowledged
    FOLDER/password     the account's password, readable by the owner only
    FOLDER/ports.json   so that a restart listens where clients expect it

Both servers run on one event loop in a thread of its own, so that a test or a command line drives them from outside.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import secrets
import threading
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from connectors.simulators.imap_server import ImapServer
from connectors.simulators.imap_store import MailStore
from connectors.simulators.smtp_server import SentMail, SmtpServer

START_LIMIT = 20.0
T = TypeVar("T")


def read_password(folder: Path) -> str:
    """The account's password, made on first use."""
    file = folder / "password"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as opened:
        password = secrets.token_urlsafe(18)
        opened.write(password + "\n")
    return password


class MailServers:
    """`with MailServers(folder, "hello@tasbora.example") as servers:` — real IMAP and SMTP on 127.0.0.1.

    `imap_port`, `smtp_port`: 0 takes the ports of the last run, or free ones. `sent` is what was accepted in this run.
    Raises OSError when a port that was asked for is taken.
    """

    def __init__(self, folder: Path, address: str, *, imap_port: int = 0, smtp_port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.address = address
        self.password = read_password(folder)
        self.store = MailStore(folder / "mail")
        self.imap = ImapServer(self.store, address, self.password)
        self.smtp = SmtpServer(address, self.password, self._accept, hostname="mail." + address.rpartition("@")[2])
        self.sent: list[SentMail] = []
        self._wanted = {"imap": imap_port, "smtp": smtp_port}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail servers", daemon=True)
        self._accepted = folder / "accepted"
        self._accepted.mkdir(exist_ok=True)

    # --- Life -------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()
        try:
            self._call(self._start())
        except BaseException:
            self.stop()
            raise

    async def _start(self) -> None:
        file = self.folder / "ports.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        for kind, server in (("imap", self.imap), ("smtp", self.smtp)):
            wanted = self._wanted[kind]
            try:
                await server.start(wanted or known.get(kind, 0))
            except OSError as error:
                # Only a port that was merely remembered may be given up; clients are told the new one.
                if wanted or error.errno != errno.EADDRINUSE:
                    raise
                await server.start(0)
        file.write_text(json.dumps({"imap": self.imap.port, "smtp": self.smtp.port}))

    def stop(self) -> None:
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            self._call(self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(START_LIMIT)
        self._loop.close()

    async def _stop(self) -> None:
        await self.imap.stop()
        await self.smtp.stop()
        await self._loop.shutdown_asyncgens()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_LIMIT)

    # --- Mail -------------------------------------------------------------------------------------------------------

    def deliver(
        self,
        content: bytes,
        mailbox: str = "INBOX",
        *,
        flags: Iterable[str] = (),
        received_at: datetime | None = None,
    ) -> int:
        """Put a mail into a mailbox as if it had just come in; clients in IDLE hear of it. Returns its UID."""
        return self.store.append(mailbox, content, flags, received_at)

    def read(self, mailbox: str = "INBOX") -> list[bytes]:
        """Every mail of a mailbox in the order of its UIDs."""
        box = self.store.get(mailbox)
        with self.store.lock:
            return [box.read(uid) for uid in box.mails]

    def _accept(self, mail: SentMail) -> None:
        """Called on the servers' loop before SMTP says 250."""
        stamp = f"{mail.accepted_at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{len(self.sent):05d}"
        beside = self._accepted / f"{stamp}.new"
        beside.write_bytes(mail.content)
        kept = self._accepted / f"{stamp}.eml"
        beside.rename(kept)
        self.sent.append(mail)
        self.on_accepted(mail, kept)

    def on_accepted(self, mail: SentMail, kept: Path) -> None:
        """For those who build a world around the servers; `kept` holds the bytes."""
