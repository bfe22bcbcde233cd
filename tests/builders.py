"""What tests put in at the doors: accounts, mails as bytes, pages for the shelf."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from connectors.messages import Page, RawItem, Scope
from inbox import accounts, shelf
from inbox.ingest import Digested, digest_due
from inbox.models import Account

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # a Tuesday
INBOX = Scope("INBOX", "1")
SENT = Scope("Sent", "1")

_numbers = itertools.count(1)


def make_account(
    name: str = "support",
    address: str = "support@balas.example",
    *,
    aliases: Sequence[str] = (),
    cut_at: datetime = NOW - timedelta(days=14),
    settings: dict[str, object] | None = None,
) -> Account:
    endpoint = {"host": "127.0.0.1", "port": 1, "user": "u"}
    wire = {"imap": {"scheme": "imap", **endpoint}, "smtp": {"scheme": "smtp", **endpoint}}
    return accounts.connect(
        kind="email",
        name=name,
        address=address,
        settings_={**wire, "aliases": list(aliases), **(settings or {})},
        secrets={"password": "secret"},
        cut_at=cut_at,
        now=NOW,
    )


def make_mail(
    text: str = "Hello, where is my order?\n",
    *,
    author: str = "Ana Pop <ana@shop.example>",
    to: str = "support@balas.example",
    cc: str = "",
    subject: str = "My order",
    message_id: str | None = None,
    in_reply_to: str = "",
    references: Sequence[str] = (),
    at: datetime | None = NOW,
    headers: dict[str, str] | None = None,
) -> bytes:
    """The bytes of a plain mail. `message_id` None makes a fresh one, "" leaves it out; `at` None leaves Date out."""
    mail = EmailMessage()
    if author:
        mail["From"] = author
    if to:
        mail["To"] = to
    if cc:
        mail["Cc"] = cc
    if subject:
        mail["Subject"] = subject
    if at is not None:
        mail["Date"] = format_datetime(at)
    if message_id is None:
        message_id = f"mail-{next(_numbers)}@shop.example"
    if message_id:
        mail["Message-ID"] = f"<{message_id}>"
    if in_reply_to:
        mail["In-Reply-To"] = f"<{in_reply_to}>"
    if references:
        mail["References"] = " ".join(f"<{one}>" for one in references)
    for name, value in (headers or {}).items():
        mail[name] = value
    mail.set_content(text)
    return mail.as_bytes()


def make_item(
    content: bytes,
    *,
    scope: Scope = INBOX,
    uid: int | str | None = None,
    at: datetime = NOW,
    is_sent: bool = False,
    version: str = "0",
) -> RawItem:
    external_id = str(next(_numbers) if uid is None else uid)
    return RawItem(scope, external_id, at, len(content), content, is_sent=is_sent or scope == SENT, version=version)


def put(account: Account, *items: RawItem, now: datetime = NOW) -> shelf.Stored:
    return shelf.put(account.id, Page(items=items), held=None, now=now)


def digest_all(now: datetime = NOW, limit: int = 10_000) -> Digested:
    return digest_due(limit, now)


def receive(account: Account, *items: RawItem, now: datetime = NOW) -> Digested:
    """Through both doors: shelf and digest."""
    put(account, *items, now=now)
    return digest_all(now)
