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

from collections.abc import Mapping
from typing import Any

from connectors.simulators.keeping import pack, unpack
from connectors.simulators.x.access import Grant
from connectors.simulators.x.consent import ConsentRoutes
from connectors.simulators.x.people import PeopleAtWork
from connectors.simulators.x.reading import ReadingRoutes
from connectors.simulators.x.things import DirectEvent, Member, Upload, XPost
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

    def remember(self) -> dict[str, Any]:
        with self.lock:
            world, access = self.world, self.access
            return {
                "members": pack(world.members),
                "uploads": pack(world.uploads),
                "posts": pack(world.posts),
                "directs": pack(world.directs),
                "tokens": pack(access.tokens),
                "refreshes": pack(access.refreshes),
                "consumers": dict(access.consumers),
                "signers": pack(access.signers),
            }

    def recall(self, state: Mapping[str, Any]) -> None:
        with self.lock:
            world, access = self.world, self.access
            world.members = unpack(dict[str, Member], state["members"])
            world.uploads = unpack(dict[str, Upload], state["uploads"])
            posts = unpack(dict[str, XPost], state["posts"])
            for post in posts.values():
                post.history = posts[post.history[0]].history if post.history[0] in posts else post.history
                post.uploads = tuple(world.uploads.get(one.id, one) for one in post.uploads)
                world.add(post)
            world.directs = unpack(dict[str, DirectEvent], state["directs"])
            world.start_after(max((int(id_) for id_ in (*world.members, *posts, *world.directs)), default=0))
            access.tokens = unpack(dict[str, Grant], state["tokens"])
            access.refreshes = unpack(dict[str, Grant], state["refreshes"])
            access.consumers = unpack(dict[str, str], state["consumers"])
            access.signers = unpack(dict[str, tuple[str, str]], state["signers"])
