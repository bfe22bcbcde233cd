"""The toy: a feed of comments on loopback."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from connectors.registry import AccountSettings
from connectors.simulators.web import Answer, Request, SimulatedServer, json_answer
from tests.connectors.contract import NetworkHarness

KEY = "a-key-for-the-feed"


class FeedServer(SimulatedServer):
    def __init__(self) -> None:
        super().__init__()
        self.comments: list[dict[str, Any]] = []
        self.route("GET /me", lambda request: json_answer({"name": "shop"}))
        self.route("GET /feed", self.feed)
        self.route("POST /comments", self.post)

    def feed(self, request: Request) -> Answer:
        start, most = int(request.first("from")), int(request.first("most"))
        return json_answer(self.comments[::-1][start : start + most])

    def post(self, request: Request) -> Answer:
        return json_answer(self.say(**{"by": "shop", **request.json()}))

    def say(self, by: str, text: str, answers: str = "", **more: Any) -> dict[str, Any]:
        at = datetime(2026, 11, 24, 10, tzinfo=UTC) + timedelta(minutes=len(self.comments))
        said = {**more, "id": str(len(self.comments)), "by": by, "text": text, "answers": answers, "at": at.isoformat()}
        self.comments.append(said)
        return said


class Harness(NetworkHarness):
    kind: ClassVar[str] = "feed"
    secrets = {"key": KEY}
    read_route = "GET /feed"
    create_route = "POST /comments"
    our_id = "shop"

    def make_server(self) -> FeedServer:
        return FeedServer()

    def account(self, spool: Path) -> AccountSettings:
        return AccountSettings(self.kind, "shop", self.settings(), spool)

    def arrive(self, count: int) -> None:
        for _ in range(count):
            number = len([one for one in self.server.comments if one["by"] != "shop"])
            answers = str(number - 2) if number % 3 == 2 else ""
            text = f"Where is my parcel, asked for the {number}th time?"
            self.server.say(self.people[number % 2], text, answers)

    def posted(self) -> Sequence[str]:
        return [one["text"] for one in self.server.comments if one["by"] == "shop"]
