"""Mastodon: our connector against the simulated server."""

from __future__ import annotations

from connectors.simulators.mastodon import MastodonServer
from tests.connectors.contract import NetworkHarness


class Harness(NetworkHarness):
    kind = "mastodon"
    read_route = "GET /api/v1/notifications"
    create_route = "POST /api/v1/statuses"

    def make_server(self) -> MastodonServer:
        server = MastodonServer()
        server.join("tideline", "Tideline", is_ours=True)
        for handle in self.people:
            server.join(handle, handle.capitalize(), followers=100)
        return server

    def __enter__(self) -> Harness:
        super().__enter__()
        self.secrets = {"access_token": self.server.grant("tideline")}
        return self
