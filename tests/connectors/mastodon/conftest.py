"""A simulated Mastodon server with one account of ours, and our connector to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.mastodon import MastodonConnector
from connectors.messages import (
    Known,
    KnownScope,
    OutboundFile,
    Page,
    Parsed,
    ParsedMessage,
    RawItem,
    Reply,
    Scope,
    Wish,
)
from connectors.registry import AccountSettings, SecretText
from connectors.simulators.mastodon import MastodonServer

NOTIFICATIONS = "GET /api/v1/notifications"
CREATE = "POST /api/v1/statuses"


@dataclass
class World:
    """Stores pages as a shelf does: an item once by (scope, external id, version), the state of each page with it."""

    server: MastodonServer
    connector: MastodonConnector
    spool: Path
    stored: dict[tuple[Scope, str, str], RawItem] = field(default_factory=dict)
    state: dict[Scope, Any] = field(default_factory=dict)
    commits: int = 0

    def keep(self, page: Page) -> list[RawItem]:
        fresh = []
        for item in page.items:
            key = (item.scope, item.external_id, item.version)
            if key not in self.stored:
                self.stored[key] = item
                fresh.append(item)
        self.state.update(page.state)
        return fresh

    def read(self, wish: Wish | None = None) -> list[RawItem]:
        known = Known(tuple(KnownScope(scope, state=state) for scope, state in self.state.items()))
        return [item for page in self.connector.fetch(known, wish or Wish()) for item in self.keep(page)]

    def messages(self) -> list[ParsedMessage]:
        found = [self.connector.parse(item) for item in self.stored.values()]
        return [one for one in found if isinstance(one, ParsedMessage)]

    def parsed(self, status_id: str) -> list[Parsed]:
        return [self.connector.parse(one) for one in self.stored.values() if one.external_id.startswith(status_id)]

    def of(self, status_id: str) -> ParsedMessage:
        found = self.parsed(status_id)[-1]
        assert isinstance(found, ParsedMessage)
        return found

    def key(self, status_id: str) -> str:
        return next(key[1] for key in self.stored if key[1].startswith(status_id))

    def reply(self, status_id: str, text: str, **more: Any) -> Reply:
        answered = self.of(status_id)
        values: dict[str, Any] = {
            "idempotency_key": self.connector.new_key(),
            "sender": answered.recipients[0].address,
            "to": (answered.author,),
            "subject": "",
            "text": text,
            "written_at": datetime.now(UTC),
            "in_reply_to": answered.message_id,
            "references": answered.references,
            "answers": answered.post,
        }
        return Reply(**{**values, **more})

    def commit(self) -> None:
        self.commits += 1

    def ours(self) -> list[str]:
        return [one.text for one in self.server.timeline(500) if one.is_ours and not one.is_deleted]


def connect(server: MastodonServer, spool: Path, **settings: Any) -> MastodonConnector:
    found = server.connection()
    account = AccountSettings("mastodon", found.address, {**found.settings, **settings}, spool)
    return MastodonConnector(account, {name: SecretText(value) for name, value in found.secrets.items()})


def picture(size: int = 1000, alt: str = "") -> OutboundFile:
    return OutboundFile("parcel.png", "image/png", b"\x89PNG\r\n" + b"x" * size, alt)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with MastodonServer() as server:
        server.join("tideline", "Tideline", is_ours=True)
        server.join("ana@far.example", "Ana Popescu", followers=320, bio="Potter in Cluj.")
        server.join("bogdan", "Bogdan", followers=12)
        connector = connect(server, tmp_path)
        connector.check()
        server.log.clear()
        yield World(server, connector, tmp_path)
        connector.close()
