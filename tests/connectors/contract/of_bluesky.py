"""Bluesky: our connector against the simulated Bluesky."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.registry import AccountSettings
from connectors.simulators.bluesky import BlueskyServer
from tests.connectors.contract import NetworkHarness


class Harness(NetworkHarness):
    kind = "bluesky"
    read_route = "GET /xrpc/app.bsky.notification.listNotifications"
    create_route = "POST /xrpc/com.atproto.repo.createRecord"
    people = ("ana.test", "bogdan.test", "chidi.test")

    def make_server(self) -> BlueskyServer:
        server = BlueskyServer()
        server.join("tasbora.test", "Tasbora", is_ours=True)
        for handle in self.people:
            server.join(handle, handle.partition(".")[0].capitalize(), followers=100)
        return server

    def __enter__(self) -> Harness:
        super().__enter__()
        self._connection = self.server.connection()
        self.secrets = {name: self._connection.secrets[name] for name in ("access_token", "refresh_token", "password")}
        return self

    def arrive(self, count: int) -> None:
        """Bluesky tells us of an answer to somebody else only when it speaks to us."""
        for number in range(len(self._arrived), len(self._arrived) + count):
            who, answers = self.people[number % 2], self._arrived[number - 2] if number % 3 == 2 else ""
            text = f"@tasbora.test where is my parcel, asked for the {number}th time?"
            is_direct = number % 4 == 3
            made = self.server.say(who, text, answers="" if is_direct else answers, is_direct=is_direct)
            self._arrived.append(made if not is_direct else self._arrived[number - 2])
            time.sleep(0.002)  # its cursors are milliseconds

    def settings(self) -> Mapping[str, Any]:
        return dict(self._connection.settings)

    def account(self, spool: Path) -> AccountSettings:
        return AccountSettings(self.kind, "tasbora.test", self.settings(), spool)

    def refusal(self, status: int) -> bytes:
        names = {401: "AuthenticationRequired", 429: "RateLimitExceeded"}
        return b'{"error": "%s", "message": "No."}' % names.get(status, "Forbidden").encode()
