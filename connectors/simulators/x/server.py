"""A simulated X on loopback: the API v2 endpoints that a customer inbox uses, from the public documentation.

    with XServer() as server:
        shop = server.join("tasbora", "Tasbora", is_ours=True)
        server.join("ana_p", "Ana Popescu", followers=320)
        id_ = server.say("ana_p", "@tasbora unde e comanda mea?")
        tokens = server.grant("tasbora")           # access_token, refresh_token
        …GET server.base_url + "/2/users/:id/mentions"…

Everything is under one address: api.x.com (/2/…), the consent page of x.com (/i/oauth2/authorize) and pictures.
`server.limits`, `server.ledger`, `server.access` and `server.faults` may be changed by tests, at any time.
"""

from __future__ import annotations

from typing import Any

from connectors.simulators.x.consent import ConsentRoutes
from connectors.simulators.x.people import PeopleAtWork
from connectors.simulators.x.reading import ReadingRoutes
from connectors.simulators.x.uploading import UploadRoutes
from connectors.simulators.x.writing import WritingRoutes


class XServer(PeopleAtWork, ReadingRoutes, WritingRoutes, UploadRoutes, ConsentRoutes):
    """Takes what `XCore` takes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.route_reading()
        self.route_writing()
        self.route_uploads()
        self.route_consent()
        self.route_people()
