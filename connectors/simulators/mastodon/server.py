"""A simulated Mastodon server on loopback, made from the platform's public documentation.

    with MastodonServer() as server:
        server.join("tideline", "Tideline", is_ours=True)
        server.join("ana@far.example", "Ana Popescu", followers=320)
        id_ = server.say("ana@far.example", "where is my order?")
        token = server.grant("tideline")
        …GET server.base_url + "/api/v1/notifications"…

`server.world`, `server.access` and `server.faults` may be changed by tests at any time. `server.bugs` holds bugs that
real servers had with the Idempotency-Key: "forgets-keys" (a repeat posts again), "repeats-fail" (a repeat answers 500).
`min_id_is_since_id` makes it one of the servers that take the one for the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connectors.simulators.exchange import Answer, Malformed, Request, json_answer
from connectors.simulators.keeping import pack, unpack
from connectors.simulators.mastodon.access import Access, holds
from connectors.simulators.mastodon.people import PeopleAtWork
from connectors.simulators.mastodon.posting import PostingRoutes
from connectors.simulators.mastodon.reading import ReadingRoutes
from connectors.simulators.mastodon.streaming import StreamRoutes
from connectors.simulators.mastodon.things import App, Grant, Medium, Member, Notice, Status
from connectors.simulators.mastodon.views import Views
from connectors.simulators.mastodon.world import DOMAIN, Refusal, World
from connectors.simulators.web import SimulatedServer

# https://docs.joinmastodon.org/api/oauth-scopes/ and the page of each endpoint.
SCOPES = {
    "GET /api/v1/accounts/verify_credentials": "read:accounts",
    "GET /api/v1/accounts/:id": "read:accounts",
    "GET /api/v1/accounts/:id/statuses": "read:statuses",
    "GET /api/v1/notifications": "read:notifications",
    "GET /api/v1/conversations": "read:statuses",
    "GET /api/v1/statuses/:id": "read:statuses",
    "GET /api/v1/statuses": "read:statuses",
    "GET /api/v1/statuses/:id/context": "read:statuses",
    "GET /api/v1/statuses/:id/source": "read:statuses",
    "GET /api/v2/search": "read:search",
    "GET /api/v1/streaming/user/notification": "read:notifications",
    "POST /api/v1/statuses": "write:statuses",
    "PUT /api/v1/statuses/:id": "write:statuses",
    "DELETE /api/v1/statuses/:id": "write:statuses",
    "POST /api/v2/media": "write:media",
    "POST /api/v1/media": "write:media",
    "GET /api/v1/media/:id": "write:media",
}


class MastodonServer(PeopleAtWork, ReadingRoutes, PostingRoutes, StreamRoutes, SimulatedServer):
    name = "simulated mastodon"
    network = "Mastodon"
    posting_route = "POST /api/v1/statuses"

    def __init__(self, *, domain: str = DOMAIN, max_characters: int = 500, **options: Any) -> None:
        super().__init__(**options)
        self.world = World(self.now, domain)
        self.views = Views(self.world)
        self.access = Access(self.now)
        self.max_characters = max_characters
        self.media_takes = timedelta(0)
        self.min_id_is_since_id = False
        self.bugs: set[str] = set()
        self._headers: dict[str, str] = {}
        self.route("POST /api/v1/apps", self.access.register)
        self.route("GET /oauth/authorize", self._authorize)
        self.route("POST /oauth/token", self.access.token)
        self.route("POST /oauth/revoke", self.access.revoke)
        self.route("GET /api/v2/instance", lambda request: self._instance(2))
        self.route("GET /api/v1/instance", lambda request: self._instance(1))
        self.route_streams()
        self.route_reading()
        self.route_posting()

    def _instance(self, version: int) -> Answer:
        streaming = self.base_url.replace("http", "ws", 1)
        make = self.views.instance if version == 2 else self.views.instance_v1
        return json_answer(make(streaming, self.max_characters))

    def _authorize(self, request: Request) -> Answer:
        ours = self.world.get_member(self.our_handle)
        return self.access.authorize(request, ours.id, self.our_handle)

    # --- Who calls --------------------------------------------------------------------------------------------------

    def caller(self, request: Request) -> Member | None:
        grant = self.access.tokens.get(request.bearer)
        return self.world.members.get(grant.member) if grant and not grant.is_revoked else None

    def get_caller(self, request: Request) -> Member:
        found = self.caller(request)
        if found is None:
            raise Refusal("The access token is invalid", 401)
        return found

    def prepare(self, request: Request) -> Answer | None:
        self._headers = {}
        if not request.path.startswith("/api/"):
            return None
        grant = self.access.tokens.get(request.bearer)
        if request.bearer and (grant is None or grant.is_revoked or grant.member not in self.world.members):
            return json_answer({"error": "The access token is invalid"}, 401)
        needed = SCOPES.get(request.route)
        if needed and grant is None:
            return json_answer({"error": "The access token is invalid"}, 401)
        if needed and grant and not holds(grant, needed):
            return json_answer({"error": "This action is outside the authorized scopes"}, 403)
        if grant and self.world.members[grant.member].is_suspended:
            return json_answer({"error": "Your login is currently disabled"}, 403)
        who = grant.member if grant else ""
        bucket = self.access.general
        if request.route in {"POST /api/v2/media", "POST /api/v1/media"}:
            bucket = self.access.uploads
        is_allowed, self._headers = bucket.take(who, self.now())
        return None if is_allowed else json_answer({"error": "Too many requests"}, 429)

    def finish(self, request: Request, answer: Answer) -> Answer:
        answer.headers = {**self._headers, **answer.headers}
        return answer

    def missing(self, request: Request) -> Answer:
        return json_answer({"error": "Record not found"}, 404)

    def malformed(self, request: Request, error: Malformed) -> Answer:
        return json_answer({"error": str(error)}, 400)

    def grant(self, handle: str, scopes: str = "read write") -> str:
        with self.lock:
            return self.access.grant(self.world.get_member(handle).id, scopes)

    # --- Beyond its process -----------------------------------------------------------------------------------------

    def remember(self) -> dict[str, Any]:
        with self.lock:
            world, access = self.world, self.access
            return {
                "members": pack(world.members),
                "statuses": pack(world.statuses),
                "notices": pack(world.notices),
                "media": pack(world.media),
                "apps": pack(access.apps),
                "tokens": pack(access.tokens),
            }

    def recall(self, state: Mapping[str, Any]) -> None:
        with self.lock:
            world, access = self.world, self.access
            world.members = unpack(dict[str, Member], state["members"])
            world.statuses = unpack(dict[str, Status], state["statuses"])
            world.notices = unpack(list[Notice], state["notices"])
            world.media = unpack(dict[str, Medium], state["media"])
            access.apps = unpack(dict[str, App], state["apps"])
            access.tokens = unpack(dict[str, Grant], state["tokens"])
            last = max((int(one) for one in (*world.members, *world.statuses, *world.media)), default=0)
            world.start_after(last, max((int(one.id) for one in world.notices), default=0))
