"""X: our connector against the simulated X."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.registry import AccountSettings
from connectors.simulators.x.server import XServer
from tests.connectors.contract import NetworkHarness


class Harness(NetworkHarness):
    kind = "x"
    read_route = "GET /2/users/:id/mentions"
    create_route = "POST /2/tweets"

    def make_server(self) -> XServer:
        server = XServer()
        us = server.join("tasbora", "Tasbora", is_ours=True)
        for handle in self.people:
            server.join(handle, handle.capitalize(), followers=100)
        self._us = us
        return server

    def __enter__(self) -> Harness:
        super().__enter__()
        self.secrets = {"access_token": self.server.grant("tasbora")["access_token"]}
        return self

    def settings(self) -> Mapping[str, Any]:
        return {"base_url": self.server.base_url, "user_id": self._us.id, "handle": "tasbora", "name": "Tasbora"}

    def account(self, spool: Path) -> AccountSettings:
        return AccountSettings(self.kind, "tasbora", self.settings(), spool)

    def refusal(self, status: int) -> bytes:
        words = {401: "Unauthorized", 429: "Too Many Requests"}.get(status, "You may not post this.")
        return b'{"title": "No", "detail": "%s", "type": "about:blank"}' % words.encode()
