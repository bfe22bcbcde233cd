"""What every route of a simulated X rests on: the network, who calls, limits, money.

Before a route: log-in (401), scopes (403), limits (429), credits (402), a suspended account (403).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from connectors.simulators.web import Answer, Request, SimulatedServer, utc_now
from connectors.simulators.x.access import ALL_SCOPES, Access, App
from connectors.simulators.x.ledger import Ledger
from connectors.simulators.x.limits import RateLimits
from connectors.simulators.x.network import XNetwork
from connectors.simulators.x.problems import forbidden, invalid, no_credits, plain_problem, too_many, unauthorized
from connectors.simulators.x.things import Member

# docs.x.com/fundamentals/authentication/guides/v2-authentication-mapping
_READ = frozenset({"tweet.read", "users.read"})
_DIRECT = _READ | {"dm.read"}
SCOPES = {
    "GET /2/dm_events": _DIRECT,
    "GET /2/dm_events/:id": _DIRECT,
    "GET /2/dm_conversations/:dm_conversation_id/dm_events": _DIRECT,
    "GET /2/dm_conversations/with/:participant_id/dm_events": _DIRECT,
    "POST /2/dm_conversations/with/:participant_id/messages": _DIRECT | {"dm.write"},
    "POST /2/dm_conversations/:dm_conversation_id/messages": _DIRECT | {"dm.write"},
    "POST /2/tweets": _READ | {"tweet.write"},
    "DELETE /2/tweets/:id": _READ | {"tweet.write"},
    "PUT /2/tweets/:tweet_id/hidden": _READ | {"tweet.moderate.write"},
    "POST /2/media/upload": frozenset({"media.write"}),
    "GET /2/media/upload": frozenset({"media.write"}),
    "POST /2/media/upload/initialize": frozenset({"media.write"}),
    "POST /2/media/upload/:id/append": frozenset({"media.write"}),
    "POST /2/media/upload/:id/finalize": frozenset({"media.write"}),
    "POST /2/media/metadata": frozenset({"media.write"}),
}


class XCore(SimulatedServer):
    """`is_enterprise` lifts the reply restriction. `surfaces_after`: how late `say` shows up in timelines."""

    name = "simulated X"
    network = "X"
    posting_route = "POST /2/tweets"

    def __init__(
        self,
        *,
        port: int = 0,
        usual_port: int = 0,
        now: Callable[[], datetime] = utc_now,
        is_enterprise: bool = False,
        surfaces_after: timedelta = timedelta(0),
        app: App | None = None,
    ) -> None:
        super().__init__(port=port, usual_port=usual_port, now=now)
        self.world = XNetwork(now)
        self.limits = RateLimits(now)
        self.ledger = Ledger(now)
        self.app = app or App("simulated-client", "simulated-secret")
        self.access = Access(now, {self.app.client_id: self.app})
        self.is_enterprise = is_enterprise
        self.surfaces_after = surfaces_after
        self.processing = timedelta(seconds=2)  # what a film takes after `finalize`
        self._viewer: Member | None = None
        self._headers: dict[str, str] = {}

    # --- Before and after each route --------------------------------------------------------------------------------

    def prepare(self, request: Request) -> Answer | None:
        self._viewer, self._headers = None, {}
        if not request.route.partition(" ")[2].startswith("/2/") or "/oauth2/" in request.route:
            return None
        caller = self.access.find_caller(request)
        if caller is None:
            return unauthorized()
        user_id, app, scopes = caller
        needed = SCOPES.get(request.route, _READ)
        if scopes is not None and not needed <= scopes:
            return forbidden("Your client app is not configured with the appropriate oauth scopes for this endpoint.")
        self._viewer = self.world.members[user_id]
        allowed, self._headers = self.limits.call(request.route, user_id, app)
        if not allowed:
            return too_many()
        if self.ledger.is_empty:
            return no_credits()
        if self._viewer.is_suspended:
            return plain_problem(403, "Forbidden", "The user used for authentication is suspended")
        return None

    def finish(self, request: Request, answer: Answer) -> Answer:
        answer.headers.update(self._headers)
        return answer

    def missing(self, request: Request) -> Answer:
        return plain_problem(404, "Not Found")

    def malformed(self, request: Request, error: Any) -> Answer:
        return invalid(str(error))

    @property
    def viewer(self) -> Member:
        """Who calls; only within a route that needs a log-in."""
        assert self._viewer is not None
        return self._viewer

    # --- For tests --------------------------------------------------------------------------------------------------

    def join(self, username: str, name: str = "", **facts: object) -> Member:
        with self.lock:
            return self.world.join(username, name, **facts)

    def grant(self, username: str, scopes: str = ALL_SCOPES) -> dict[str, Any]:
        """A token answer as after a consent: access_token, refresh_token, expires_in, scope."""
        with self.lock:
            member = self.world.get_member(username)
            return dict(self.access.issue(self.app, member.id, frozenset(scopes.split())))

    def grant_signed(self, username: str) -> dict[str, str]:
        """OAuth 1.0a: consumer_key, consumer_secret, access_token, access_token_secret."""
        with self.lock:
            member = self.world.get_member(username)
            names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
            given = {name: f"{name}-{member.id}" for name in names}
            self.access.consumers[given["consumer_key"]] = given["consumer_secret"]
            self.access.signers[given["access_token"]] = (given["access_token_secret"], member.id)
            return given
