"""A server that speaks the same API in its own way: ids with letters, only the old instance document, no actor ids.

What GoToSocial (ULIDs), Pleroma and Akkoma (flake ids, `max_toot_chars`, the post itself in `quote`) document.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Unsupported
from connectors.mastodon import MastodonConnector
from connectors.messages import ParsedMessage
from connectors.registry import AccountSettings, SecretText
from connectors.simulators.web import Answer, Request, SimulatedServer, json_answer
from connectors.social import Outline
from tests.connectors.mastodon.conftest import World

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(number: int) -> str:
    digits = ""
    for _ in range(10):
        number, rest = divmod(number, 32)
        digits = ALPHABET[rest] + digits
    return "01HZ" + digits + "000000000000"


class OtherServer(SimulatedServer):
    """Pages newest first, without Link headers, at most 20 long whatever is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.posted: list[dict[str, Any]] = []
        self.route("GET /api/v1/instance", lambda request: json_answer(self.instance()))
        self.route("GET /api/v1/accounts/verify_credentials", lambda request: json_answer(self.account("us", "01US")))
        self.route("GET /api/v1/accounts/:id/statuses", lambda request: json_answer(self.posted))
        self.route("GET /api/v1/notifications", self.notifications)
        self.route("GET /api/v1/statuses/:id/context", self.context)
        self.route("POST /api/v1/statuses", self.create)

    def instance(self) -> dict[str, Any]:
        version = "2.7.2 (compatible; Akkoma 3.10.4)"
        return {"uri": "other.example", "title": "Other", "version": version, "max_toot_chars": 5000}

    def account(self, name: str, id_: str) -> dict[str, Any]:
        return {"id": id_, "username": name, "acct": name, "url": f"https://other.example/@{name}"}

    def status(self, number: int) -> dict[str, Any]:
        at = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(minutes=number)
        return {
            "id": ulid(number),
            "uri": f"https://other.example/objects/{number}",
            "created_at": at.isoformat(),
            "content": f"@us number {number}",
            "visibility": "public",
            "in_reply_to_id": ulid(number - 1) if number % 2 else None,
            "in_reply_to_account_id": "01ANA" if number % 2 else None,
            "account": self.account("ana", "01ANA"),
            "mentions": [{"id": "01US", "acct": "us", "url": "https://other.example/@us"}],
        }

    def notifications(self, request: Request) -> Answer:
        low, high = request.first("min_id"), request.first("max_id") or "~"
        ids = [number for number in range(self.count) if low < ulid(number) < high]
        page = ids[:20] if low else ids[-20:]
        rows = []
        for number in reversed(page):
            status = self.status(number)
            rows.append(
                {
                    "id": ulid(number),
                    "type": "mention",
                    "created_at": status["created_at"],
                    "account": status["account"],
                    "status": status,
                    "pleroma": {"is_seen": False},
                }
            )
        return json_answer(rows)

    def context(self, request: Request) -> Answer:
        number = next(one for one in range(self.count) if ulid(one) == request.values["id"])
        return json_answer({"ancestors": [self.status(number - 1)] if number % 2 else [], "descendants": []})

    def create(self, request: Request) -> Answer:
        asked = request.json_object()
        at = datetime.now(UTC).isoformat()
        self.posted.insert(
            0,
            {
                "id": ulid(10_000 + len(self.posted)),
                "uri": f"https://other.example/objects/own-{len(self.posted)}",
                "created_at": at,
                "content": asked["status"],
                "in_reply_to_id": asked.get("in_reply_to_id"),
                "visibility": asked["visibility"],
                "account": self.account("us", "01US"),
            },
        )
        return json_answer(self.posted[0])


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Any]:
    with OtherServer() as server:
        account = AccountSettings("mastodon", "us@other.example", {"base_url": server.base_url}, tmp_path)
        connector = MastodonConnector(account, {"access_token": SecretText("a-token-of-ours")})
        yield World(server, connector, tmp_path)  # type: ignore[arg-type]
        connector.close()


def test_everything_arrives_from_a_server_whose_ids_have_letters(other: Any) -> None:
    other.server.count = 50
    assert len(other.read()) == 50
    other.server.count = 130
    assert len(other.read()) == 80
    assert other.read() == []
    answer = other.of(ulid(101))
    assert answer.in_reply_to == "https://other.example/objects/100"
    assert answer.author.address == "ana@other.example" and "01ANA" in answer.author.external_id
    assert other.connector.check().address == "us@other.example"


def test_it_is_answered_within_its_own_limits_and_found_again(other: Any) -> None:
    other.server.count = 1
    other.read()
    reply = other.reply(ulid(0), "x" * 4000)
    message = other.connector.compose(reply)
    receipt = other.connector.send(message, other.commit)
    assert receipt.message_id == "https://other.example/objects/own-0"
    assert other.connector.find_sent(message).external_id == receipt.external_id
    assert [one.address for one in other.of(ulid(0)).recipients] and isinstance(other.of(ulid(0)), ParsedMessage)
    with pytest.raises(Unsupported):
        other.connector.compose(other.reply(ulid(0), "x" * 5000))
    assert other.connector.objections(Outline("https://a.example/" + "x" * 4990))


def test_a_server_without_a_stream_is_polled(other: Any) -> None:
    with pytest.raises(Unsupported):
        asyncio.run(other.connector.open_doorbell())
