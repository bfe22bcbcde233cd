"""A small IMAP4rev1 server for the demo, rehearsals and tests.

Why not pymap 0.36: tried for this job, it starts fast (0.1 s) and runs on Python 3.11, but it does not know
SPECIAL-USE (so a client cannot tell which folder is Sent), brings three more packages, keeps users in passwd and shadow
files of its own, and offers no way to put a mail in from the same process with IDLE clients told at once, nor a place
to make a server misbehave. What a rehearsal needs of RFC 9051 is small enough to own: see `imap_session`.

It never speaks TLS and binds 127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from connectors.simulators.imap_session import ImapSession
from connectors.simulators.imap_store import MailStore
from connectors.simulators.imap_syntax import MAX_LINE, Command

LOOPBACK = "127.0.0.1"
MAX_CONNECTIONS = 100

# What to answer instead of the truth, or None to behave. Bytes without a closing line end also hang up.
Fault = Callable[[Command], bytes | None]


class ImapServer:
    """Serves one store to everyone who knows the name and the password.

    `commands` holds the names of the last 10,000 commands, so that a test can say what a client did not ask for.
    """

    def __init__(self, store: MailStore, name: str, password: str) -> None:
        self.store = store
        self.name = name
        self.password = password
        self.fault: Fault | None = None
        self.commands: deque[str] = deque(maxlen=10_000)
        self.port = 0
        self.loop: asyncio.AbstractEventLoop
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    def admits(self, name: str, password: str) -> bool:
        is_name = hmac.compare_digest(name.lower().encode(), self.name.lower().encode())
        return hmac.compare_digest(password.encode(), self.password.encode()) and is_name

    async def start(self, port: int = 0) -> int:
        self.loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._meet, LOOPBACK, port, limit=MAX_LINE)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for session in list(self._sessions):
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        self._server = None

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._sessions) >= MAX_CONNECTIONS:
            writer.write(b"* BYE Too many connections\r\n")
            writer.close()
            return
        self._sessions.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError, asyncio.CancelledError):
                await ImapSession(self, reader, writer).run()
        finally:
            self._sessions.discard(task)
            writer.close()
