"""aiosmtpd on loopback: a real SMTP server that keeps what was delivered, so that deliveries can be counted."""

from __future__ import annotations

import ssl
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.servers.certificate import make_certificate
from tests.servers.requirement import free_port


@dataclass(frozen=True)
class Delivery:
    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message_id(self) -> str:
        return str(message_from_bytes(self.content)["Message-ID"] or "").strip("<> \r\n")


@dataclass
class RecordingSmtp:
    """Refusals are settable while it runs: recipient → the whole reply, such as "550 5.1.1 unknown"."""

    port: int
    password: str = ""
    deliveries: list[Delivery] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    sessions: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def times_delivered(self) -> Counter[str]:
        with self._lock:
            return Counter(delivery.message_id for delivery in self.deliveries)

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any) -> Any:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        with self._lock:
            delivery = Delivery(envelope.mail_from, tuple(envelope.rcpt_tos), bytes(envelope.original_content))
            self.deliveries.append(delivery)
            number = len(self.deliveries)
        return f"250 2.0.0 Ok: queued as REC{number:07d}"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=bytes(data.password).decode() == self.password, handled=False)


class QuietController(Controller):
    """aiosmtpd warns about log-ins without TLS; on loopback that is the point of the test."""

    def factory(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return super().factory()


@contextmanager
def running_recording_smtp(password: str = "", tls_folder: Path | None = None) -> Iterator[RecordingSmtp]:
    """Start it; with `password` it wants a log-in, with `tls_folder` it offers STARTTLS (ca.pem lies there)."""
    server = RecordingSmtp(free_port(), password)
    options: dict[str, Any] = {}
    if tls_folder is not None:
        certificate = make_certificate(tls_folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        options |= {"tls_context": context, "require_starttls": True}
    if password:
        options |= {"authenticator": server.authenticate, "auth_required": True, "auth_require_tls": False}
    controller = QuietController(server, hostname="127.0.0.1", port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
