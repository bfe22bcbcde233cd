"""A simulated X with one account of ours, and our connector to it, whose meter counts and can hold back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.messages import Address, Known, KnownScope, OutboundFile, Page, ParsedMessage, RawItem, Reply, Wish
from connectors.metering import BudgetReached
from connectors.registry import AccountSettings
from connectors.simulators.web import VirtualClock
from connectors.simulators.x.server import XServer
from connectors.social import Visibility, Window
from connectors.x import XConnector
from connectors.x.prices import PRICES


@dataclass
class CountingMeter:
    """Allows `left` of each resource (everything, where none is named) and remembers what was said to it."""

    left: dict[str, int] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)
    opened: list[str] = field(default_factory=list)
    noted: list[tuple[str, tuple[Window, ...]]] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def open(self, endpoint: str) -> None:
        self.opened.append(endpoint)

    def note(self, endpoint: str, windows: Sequence[Window], refused_for: timedelta | None = None) -> None:
        self.noted.append((endpoint, tuple(windows)))

    def reserve(self, resource: str, most: int) -> int:
        left = self.left.get(resource, most)
        if left <= 0:
            raise BudgetReached("The budget of today is used up.", timedelta(hours=1))
        granted = min(most, left)
        if resource in self.left:
            self.left[resource] -= granted
        return granted

    def settle(self, resource: str, reserved: int, used: int, ids: Sequence[str] = ()) -> None:
        thing = PRICES.same_as.get(resource, resource)
        fresh = {(thing, one) for one in ids} - self.seen
        count = len(fresh) if ids else used
        self.seen |= fresh
        self.used[resource] += count
        if resource in self.left:
            self.left[resource] += reserved - count


@dataclass
class Tokens:
    """A source of tokens that the server renews."""

    server: XServer
    token: str
    renewals: int = 0

    def current(self) -> str:
        return self.token

    def renewed(self, refused: str) -> str:
        self.renewals += 1
        self.token = self.server.grant("tasbora")["access_token"]
        return self.token


class World:
    def __init__(self, server: XServer, clock: VirtualClock, spool: Path) -> None:
        self.server, self.clock = server, clock
        self.us = server.join("tasbora", "Tasbora", is_ours=True)
        for handle in ("ana", "bogdan"):
            server.join(handle, handle.capitalize(), followers=100)
        self.meter = CountingMeter()
        self.spool = spool
        self.state: dict[str, dict[str, Any]] = {}
        self.store: dict[tuple[str, str, str], RawItem] = {}
        self.tokens = Tokens(server, server.grant("tasbora")["access_token"])
        self.x = self.connect()

    def connect(self, **more: Any) -> XConnector:
        settings = {"base_url": self.server.base_url, "user_id": self.us.id, "handle": "tasbora", "name": "Tasbora"}
        account = AccountSettings("x", "tasbora", {**settings, **more}, self.spool, self.tokens, self.meter)
        return XConnector(account, {})

    def known(self) -> Known:
        from connectors.messages import Scope

        return Known(tuple(KnownScope(Scope(place), state=state) for place, state in self.state.items()))

    def keep(self, page: Page) -> int:
        """As the shelf does: unique by scope, id and version. How many were new."""
        before = len(self.store)
        for item in page.items:
            self.store.setdefault((item.scope.place, item.external_id, item.version), item)
        for scope, state in page.state.items():
            self.state[scope.place] = dict(state)
        return len(self.store) - before

    def read(self, *places: str, **wish: Any) -> int:
        scopes = frozenset(places) or None
        return sum(self.keep(page) for page in self.x.fetch(self.known(), Wish(scopes=scopes, **wish)))

    def messages(self, place: str = "") -> list[ParsedMessage]:
        parsed = [self.x.parse(item) for key, item in self.store.items() if place in ("", key[0])]
        return [one for one in parsed if isinstance(one, ParsedMessage)]

    def texts(self, place: str = "") -> set[str]:
        return {one.visible_text for one in self.messages(place)}

    def of(self, post_id: str) -> ParsedMessage:
        return next(one for one in self.messages() if one.message_id in {f"x:{post_id}", f"x:dm:{post_id}"})

    def reply(self, answers: ParsedMessage | None, text: str, *files: OutboundFile, **more: Any) -> Reply:
        parent = answers.message_id if answers else ""
        visibility: Visibility | None = more.pop("visibility", None)
        return Reply(
            self.x.new_key(),
            Address("tasbora"),
            (answers.author,) if answers else (),
            "",
            text,
            datetime.now(UTC),
            in_reply_to=parent,
            references=(*answers.references, parent) if answers else (),
            files=files,
            answers=answers.post if answers else None,
            visibility=visibility,
            **more,
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = VirtualClock(datetime.now(UTC).replace(microsecond=0))
    with XServer(now=clock.now) as server:
        yield World(server, clock, tmp_path)
