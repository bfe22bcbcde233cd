"""A kind of our own that costs money and has limits, installed as strangers install theirs: by an entry point.

Its provider is a list in this process, which charges once a day for each thing it hands out and refuses what is over
its limits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors import registry
from connectors.base import Unsupported
from connectors.messages import (
    Address,
    Known,
    Limits,
    Listing,
    OutboundMessage,
    Page,
    Parsed,
    ParsedMessage,
    Party,
    RawItem,
    Receipt,
    Reply,
    Scope,
    Wish,
)
from connectors.metering import PollPlace, PriceList, Quota, Unmetered
from connectors.social import KindCard, Outline, Price
from inbox import accounts
from inbox.models import Account

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
READ, SEND, LINK = 1_000, 15_000, 200_000


class Tiny:
    kind: ClassVar[str] = "tiny"
    card: ClassVar[KindCard] = KindCard("Tiny", "T")
    price_list: ClassVar[PriceList] = PriceList(
        as_of=date(2026, 11, 1),
        source="https://tiny.example/prices",
        micros={"note.read": READ, "note.own": READ // 10, "note.create": SEND, "note.create-with-link": LINK},
        words={"note.read": "a note read", "note.create": "a note sent", "note.create-with-link": "a note with a link"},
        once_a_day=frozenset({"note.read", "note.own"}),
        same_as={"note.own": "note.read"},
    )
    poll_places: ClassVar[tuple[PollPlace, ...]] = (
        PollPlace("notes", "GET /notes", (Quota(300, 900), Quota(450, 900, is_shared=True)), ("note.read",), soonest=2),
        PollPlace("own", "GET /own", (Quota(15, 900),), ("note.read",), weight=0.1, soonest=2),
    )
    provider: ClassVar[dict[str, list[dict[str, Any]]]] = {"notes": [], "own": []}
    asked: ClassVar[list[str]] = []
    page: ClassVar[int] = 10

    def __init__(self, account: registry.AccountSettings, secrets: Mapping[str, registry.SecretText]) -> None:
        self._meter = account.meter or Unmetered()

    def fetch(self, known: Known, wish: Wish) -> Iterator[Page]:
        """Oldest first, a page at a time, as far as the budget goes."""
        for place in ("notes", "own"):
            if wish.scopes is not None and place not in wish.scopes:
                continue
            before = known.of(place)
            done = int(before.state.get("done", 0)) if before else 0
            yield from self._fetch(place, done)

    def _fetch(self, place: str, done: int) -> Iterator[Page]:
        while True:
            self._meter.open(f"GET /{place}")
            most = self._meter.reserve("note.read", self.page)
            self.asked.append(place)
            found = self.provider[place][done : done + most]
            self._meter.note(f"GET /{place}", ())
            self._meter.settle("note.read", most, len(found), [one["id"] for one in found])
            done += len(found)
            yield Page(
                tuple(self._item(place, one) for one in found), state={Scope(place): {"done": done}}, remaining=0
            )
            if done >= len(self.provider[place]):
                return

    def _item(self, place: str, one: dict[str, Any]) -> RawItem:
        content = json.dumps(one, sort_keys=True).encode()
        return RawItem(Scope(place), one["id"], datetime.fromisoformat(one["at"]), len(content), content)

    def parse(self, item: RawItem) -> Parsed:
        one = json.loads(item.content or b"{}")
        author = Address(one["by"], one["by"], one["by"])
        at = datetime.fromisoformat(one["at"])
        return ParsedMessage(author, (), "", one["text"], one["text"], at, f"tiny:{one['id']}", verified=True)

    def price(self, outline: Outline) -> Price | None:
        resource = "note.create-with-link" if "https://" in outline.text else "note.create"
        return Price(self.price_list.micros[resource], "", resource)

    def measure(self, text: str) -> Any:
        raise Unsupported("Tiny does not measure.")

    objections = permission = visibilities = measure

    def identity_key(self, address: Address) -> str:
        return address.external_id

    def check(self) -> Party:
        return Party("tiny")

    def limits(self) -> Limits:
        return Limits()

    def list_ids(self, scope: Scope) -> Listing:
        return Listing(())

    def new_key(self) -> str:
        return "key"

    def compose(self, reply: Reply) -> OutboundMessage:
        raise Unsupported("Tiny says nothing.")

    def send(self, message: OutboundMessage, commit: Callable[[], None]) -> Receipt:
        raise Unsupported("Tiny says nothing.")

    def find_sent(self, message: OutboundMessage) -> Receipt | None:
        return None

    def file_sent(self, message: OutboundMessage) -> None:
        return

    def close(self) -> None:
        return


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """As pip would: a distribution whose entry point names the class."""
    info = folder / "balas_tiny-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: balas-tiny\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[balas.connectors]\ntiny = tests.inbox.tiny_kind:Tiny\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        registry._factories.cache_clear()
        Tiny.provider, Tiny.asked = {"notes": [], "own": []}, []
        try:
            yield
        finally:
            registry._factories.cache_clear()
    registry._factories.cache_clear()


def make_tiny(name: str = "tiny", now: datetime = NOW, **settings: Any) -> Account:
    return accounts.connect(
        kind="tiny", name=name, address=f"@{name}", settings_=settings, secrets={}, cut_at=NOW, now=now
    )


def post(place: str, number: int, at: datetime = NOW) -> None:
    text = f"Note {number}"
    Tiny.provider[place].append({"id": f"{place}{number}", "by": "ana", "at": at.isoformat(), "text": text})
