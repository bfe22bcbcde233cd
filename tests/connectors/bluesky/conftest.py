"""A simulated Bluesky with one account of ours and a few customers, and our connector to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.bluesky import BlueskyConnector
from connectors.messages import Known, KnownScope, Page, Parsed, ParsedMessage, RawItem, Reply, Scope, Wish
from connectors.registry import AccountSettings, SecretText
from connectors.simulators.bluesky import BlueskyServer

NOTIFICATIONS = "GET /xrpc/app.bsky.notification.listNotifications"
CREATE = BlueskyServer.posting_route


@dataclass
class Tokens:
    """As the inbox keeps them: renewed through the connector's own class."""

    settings: AccountSettings
    kept: dict[str, SecretText]
    renewals: int = 0

    def current(self) -> str:
        return self.kept["access_token"]

    def renewed(self, refused: str) -> str:
        if refused == self.kept["access_token"]:
            grant = BlueskyConnector.renew(self.settings, self.kept)
            self.kept |= {"access_token": grant.access_token, "refresh_token": grant.refresh_token}
            self.renewals += 1
        return self.kept["access_token"]


@dataclass
class World:
    server: BlueskyServer
    spool: Path
    more: dict[str, Any] = field(default_factory=dict)
    known: dict[Scope, Mapping[str, Any]] = field(default_factory=dict)
    items: dict[tuple[Scope, str, str], RawItem] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = self.server.connection()
        self.settings = {**self.connection.settings, **self.more}
        bare = AccountSettings("bluesky", self.connection.address, self.settings, self.spool)
        self.tokens = Tokens(bare, {name: SecretText(one) for name, one in self.connection.secrets.items()})
        self.account = AccountSettings(
            "bluesky", self.connection.address, self.settings, self.spool, tokens=self.tokens
        )
        self.connector = BlueskyConnector(self.account, {})

    def pages(self, wish: Wish | None = None) -> Iterator[Page]:
        """Stores each page before the next is asked for, as the shelf does."""
        known = Known(tuple(KnownScope(scope, state=state) for scope, state in self.known.items()))
        for page in self.connector.fetch(known, wish or Wish()):
            self.known |= dict(page.state)
            for item in page.items:
                self.items.setdefault((item.scope, item.external_id, item.version), item)
            yield page

    def poll(self, wish: Wish | None = None) -> list[Parsed]:
        """What is new."""
        before = set(self.items)
        for _page in self.pages(wish):
            pass
        return [self.connector.parse(item) for key, item in self.items.items() if key not in before]

    def texts(self) -> list[str]:
        parsed = [self.connector.parse(one) for one in self.items.values() if not one.is_sent]
        return [one.text for one in parsed if isinstance(one, ParsedMessage)]

    def hear(self, who: str, text: str, **more: Any) -> ParsedMessage:
        uri = self.server.say(who, text, **more)
        return next(one for one in self.poll() if isinstance(one, ParsedMessage) and uri in one.message_id)

    def reply(self, message: ParsedMessage, text: str, **more: Any) -> Reply:
        assert message.post is not None
        return Reply(
            idempotency_key=self.connector.new_key(),
            sender=message.recipients[0].address,
            to=(message.author,),
            subject="",
            text=text,
            written_at=datetime.now(UTC),
            in_reply_to=message.message_id,
            references=(*message.references, message.message_id),
            **{"answers": message.post, **more},
        )

    def posted(self) -> list[str]:
        return [one.text for one in self.server.timeline(500) if one.is_ours and not one.is_deleted]


def furnished(**options: Any) -> BlueskyServer:
    server = BlueskyServer(**options)
    server.join("tasbora.test", "Tasbora", is_ours=True, followers=2200)
    for handle in ("ana.test", "bogdan.test", "chidi.test"):
        server.join(handle, handle.partition(".")[0].capitalize(), followers=320, bio="Likes bags.")
    return server


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with furnished() as server:
        made = World(server, tmp_path)
        yield made
        made.connector.close()
