"""Mailboxes on a small IMAP server that does what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from inbox.models import Account
from tests.builders import make_account, make_mail
from tests.servers.scripted_imap import ScriptedImap, running_scripted_imap
from workers import connections


@pytest.fixture
def imap() -> Iterator[ScriptedImap]:
    with running_scripted_imap() as server:
        yield server
        connections.close_all()


@pytest.fixture
def account(imap: ScriptedImap, transactional_db: None) -> Account:
    return mailbox_at(imap.port)


def mailbox_at(port: int, name: str = "support", **settings: Any) -> Account:
    wire = {"scheme": "imap", "host": "127.0.0.1", "port": port, "user": "u"}
    return make_account(name, f"{name}@balas.example", settings={"imap": wire, **settings})


def put_mail(server: ScriptedImap, *uids: int) -> None:
    for uid in uids:
        server.folders["INBOX"].mails[uid] = make_mail(f"Mail {uid}\n", message_id=f"m{uid}@shop.example")
