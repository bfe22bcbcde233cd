"""An SMTP submission server on loopback (RFC 6409), on aiosmtpd: AUTH needed, no TLS, everything accepted is handed on.

A mail is answered with 250 only after `accept` has returned, so whatever keeps the mail decides what "accepted" means.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

# aiosmtpd 1.4.6 warns at each log-in of an attribute that it sets itself.
logging.getLogger("mail.log").addFilter(lambda record: "login_data" not in str(record.msg))

LOOPBACK = "127.0.0.1"
SIZE_LIMIT = 36 * 1024 * 1024
RECIPIENT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class SentMail:
    """One accepted transaction: the envelope and the bytes as they came over the wire, CRLF line ends."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    accepted_at: datetime


Accept = Callable[[SentMail], None]
# (phase, argument) -> the status line to answer instead, or None to behave. Phases: MAIL, RCPT, DATA.
Fault = Callable[[str, str], str | None]


class SmtpServer:
    def __init__(self, name: str, password: str, accept: Accept, hostname: str = "localhost") -> None:
        self.name = name
        self.password = password
        self.accept = accept
        self.hostname = hostname
        self.fault: Fault | None = None
        self.port = 0
        self._server: asyncio.Server | None = None
        self._protocols: list[SMTP] = []

    async def start(self, port: int = 0) -> int:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self._meet(loop), LOOPBACK, port)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    def _meet(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        protocol = SMTP(
            self,
            loop=loop,
            hostname=self.hostname,
            ident="Tasbora rehearsal mail server",
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=self._admit,
        )
        self._protocols = [known for known in self._protocols if known.transport is not None] + [protocol]
        return protocol

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for protocol in self._protocols:
            if protocol.transport is not None:
                protocol.transport.close()
        self._server = None
        await asyncio.sleep(0)

    def _admit(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        is_admitted = (
            isinstance(data, LoginPassword)
            and hmac.compare_digest(data.login.lower(), self.name.lower().encode())
            and hmac.compare_digest(data.password, self.password.encode())
        )
        return AuthResult(success=is_admitted, handled=False, message=None if is_admitted else "535 5.7.8 Wrong login")

    def _faulty(self, phase: str, argument: str) -> str | None:
        return self.fault(phase, argument) if self.fault else None

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return "530 5.7.0 Log in first"
        faulty = self._faulty("MAIL", address)
        if faulty:
            return faulty
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender accepted"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENT_LIMIT:
            return "452 4.5.3 Too many recipients"
        faulty = self._faulty("RCPT", address)
        if faulty:
            return faulty
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient accepted"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        faulty = self._faulty("DATA", envelope.mail_from or "")
        if faulty:
            return faulty
        content = envelope.original_content or b""
        self.accept(SentMail(envelope.mail_from or "", tuple(envelope.rcpt_tos), content, datetime.now(UTC)))
        return "250 2.0.0 Accepted for delivery"
