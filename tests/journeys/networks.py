"""A network on loopback where customers write, and an account of ours there, connected as the pages connect it."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from inbox import accounts, connecting
from inbox.models import Account, Conversation, Envelope, Message
from workers import connections, jobs
from workers.catching_up import settle

_VOUCHES = "mx.tasbora.example"
_SECOND = timedelta(seconds=1)  # a Date knows no fractions: an answer must not seem older than what it answers


@dataclass(frozen=True)
class Posted:
    """What we have said, as the network shows it. `about`: what it answers."""

    id: str
    text: str
    about: str


@dataclass
class Network:
    """`server` keeps connectors.simulators.control.Controllable."""

    kind: str
    server: Any
    account: Account
    people: Sequence[str] = ("ana", "bogdan")

    def say(self, who: str, text: str, **more: Any) -> str:
        """Somebody says something there, and it is read here."""
        found = str(self.server.say(who, text, **more))
        self.fetch()
        return found

    def fetch(self) -> None:
        polled = jobs.poll(self.account.id)
        assert not polled.sentence, polled.sentence
        settle()

    def deliver(self) -> None:
        """As if the undo time were over."""
        Envelope.objects.filter(state="queued").update(due_at=timezone.now())
        jobs.deliver()

    def message(self, words: str) -> Message:
        return Message.objects.exclude(direction="note").get(text__contains=words)

    def conversation(self, words: str) -> Conversation:
        strand = self.message(words).strand_id
        return Conversation.objects.get(strand_links__strand_id=strand, strand_links__ended_at=None)

    def posted(self) -> list[Posted]:
        found = self.server.timeline(100)
        return [Posted(one.id, one.text, one.about) for one in found if one.is_ours and not one.is_deleted]


class MailNetwork(Network):
    """The same by mail."""

    def say(self, who: str, text: str, **more: Any) -> str:
        id = f"{who}-{len(text)}-{Message.objects.count()}@shop.example"
        at, mail = timezone.now() + _SECOND, EmailMessage()
        mail["From"], mail["To"] = f"{who.capitalize()} <{who}@shop.example>", self.account.address
        mail["Subject"], mail["Message-ID"], mail["Date"] = (
            "My order",
            f"<{id}>",
            format_datetime(at),
        )
        mail["Authentication-Results"] = f"{_VOUCHES}; dmarc=pass header.from=shop.example"
        if answers := more.get("answers"):
            mail["In-Reply-To"] = f"<{answers}>"
        mail.set_content(text)
        self.server.deliver(mail.as_bytes(), received_at=at)
        self.fetch()
        return id

    def posted(self) -> list[Posted]:
        return [self._posted(one.content) for one in self.server.sent]

    def _posted(self, content: bytes) -> Posted:
        mail = message_from_bytes(content)
        (text,) = [one for one in mail.walk() if one.get_content_type() == "text/plain"]
        words = (text.get_payload(decode=True) or b"").decode()  # type: ignore[union-attr]
        return Posted(mail["Message-ID"].strip("<> \n"), words, (mail["In-Reply-To"] or "").strip("<> \n"))


@contextlib.contextmanager
def connected(kind: str, spool: Path) -> Iterator[Network]:
    """`kind` "email" too. Closes what the workers keep open."""
    harness = importlib.import_module(f"tests.connectors.contract.of_{kind}").Harness()
    now = timezone.now()
    with harness:
        made = harness.account(spool)
        if connecting.find_introduction(kind) is None:
            settings = {**made.settings, "authserv_id": _VOUCHES}
            account = accounts.connect(
                kind=kind, name="tasbora", address=made.address, settings_=settings, secrets=harness.secrets,
                cut_at=now - timedelta(days=1), now=now,
            )  # fmt: skip
            network: Network = MailNetwork(kind, harness.servers, account)
        else:
            values = {name: value for name, value in made.settings.items() if isinstance(value, str)}
            found = connecting.finish(kind, {**values, **harness.secrets}, {}, "")
            account = connecting.keep(kind, found, actor="cli", cut_at=now - timedelta(days=1), now=now)
            network = Network(kind, harness.server, account, harness.people)
        try:
            yield network
        finally:
            connections.close_all()
