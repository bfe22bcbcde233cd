"""Mail: the simulated provider, IMAP to read and SMTP to send."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from connectors.registry import AccountSettings
from connectors.simulators.mailserver import MailServers
from connectors.simulators.smtp_server import SentMail
from tests.builders import make_mail
from tests.connectors.contract import Break

US = "hello@tasbora.example"


class Harness:
    kind: ClassVar[str] = "email"
    lacks = frozenset({Break.THROTTLED, Break.PAGE, Break.HUGE})
    our_id = ""
    people = ("ana@shop.example", "bogdan@shop.example")

    def __init__(self) -> None:
        self._open = ExitStack()
        self._arrived: list[str] = []

    def __enter__(self) -> Self:
        folder = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        self.servers = self._open.enter_context(MailServers(folder, US))
        self._accept = self.servers.smtp.accept
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    @property
    def secrets(self) -> Mapping[str, str]:
        return {"password": self.servers.password}

    def account(self, spool: Path) -> AccountSettings:
        ports = {"imap": self.servers.imap.port, "smtp": self.servers.smtp.port}
        wire = {name: {"scheme": name, "host": "127.0.0.1", "port": port, "user": US} for name, port in ports.items()}
        return AccountSettings("email", US, {**wire, "file_sent": True, "sent_folder": "Sent"}, spool)

    def arrive(self, count: int) -> None:
        for number in range(len(self._arrived), len(self._arrived) + count):
            at = datetime(2026, 11, 24, 10, 0, tzinfo=UTC) + timedelta(minutes=number)
            id_ = f"{number}@shop.example"
            mail = make_mail(
                f"Where is my parcel, asked for the {number}th time?\n",
                author=self.people[number % 2],
                to=US,
                message_id=id_,
                in_reply_to=self._arrived[number - 2] if number % 3 == 2 else "",
                at=at,
            )
            self.servers.deliver(mail, received_at=at)
            self._arrived.append(id_)

    def posted(self) -> Sequence[str]:
        found = []
        for mail in self.servers.sent:
            (text,) = [one for one in message_from_bytes(mail.content).walk() if one.get_content_type() == "text/plain"]
            found.append(str(text.get_payload()))
        return found

    def break_(self, how: Break) -> None:
        imap, smtp = self.servers.imap, self.servers.smtp
        match how:
            case Break.AWAY:
                self.servers.stop()
            case Break.LOG_IN:
                imap.password = smtp.password = "another one"
            case Break.TROUBLE:
                imap.fault = lambda command: b"* BYE maintenance\r\n" if command.name in {"SELECT", "EXAMINE"} else None
            case Break.CUT:
                imap.fault = lambda command: b"* 1 FETCH (UID 1 BODY[] {100" if "FETCH" in str(command) else None
            case Break.REFUSES:
                smtp.fault = lambda phase, argument: "554 5.7.1 Not this" if phase == "DATA" else None
            case Break.LOST:
                smtp.accept = self._accept_and_break_off
            case Break.DROPPED:
                smtp.fault = self._break_off

    def _accept_and_break_off(self, mail: SentMail) -> None:
        self._accept(mail)
        self.servers.deliver(mail.content, "Sent")
        self._hang_up()

    def _break_off(self, phase: str, argument: str) -> str | None:
        if phase == "DATA":
            self._hang_up()
        return None

    def _hang_up(self) -> None:
        for protocol in self.servers.smtp._protocols:
            if protocol.transport is not None:
                protocol.transport.abort()  # type: ignore[attr-defined]
        raise ConnectionResetError

    def mend(self) -> None:
        self.servers.imap.fault = self.servers.smtp.fault = None
        self.servers.smtp.accept = self._accept
