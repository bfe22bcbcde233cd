"""What every route of a simulated Bluesky rests on: log-in, limits, errors as XRPC has them.

https://atproto.com/specs/xrpc (errors: {"error": name, "message": words}), and
https://docs.bsky.app/docs/advanced-guides/rate-limits (3,000 calls in five minutes; 5,000 points an hour, 3 for each
record that is made), told in RateLimit-* headers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from connectors.simulators.bluesky.sessions import Caller, Denied, Sessions
from connectors.simulators.bluesky.things import Member
from connectors.simulators.bluesky.views import Views
from connectors.simulators.bluesky.world import World
from connectors.simulators.web import Answer, Request, SimulatedServer, json_answer, utc_now

CALLS, CALL_SPAN = 3000, timedelta(minutes=5)
POINTS, POINT_SPAN, CREATE_POINTS = 5000, timedelta(hours=1), 3
_OPEN = frozenset(
    {
        "GET /xrpc/_health",
        "GET /xrpc/com.atproto.identity.resolveHandle",
        "POST /xrpc/com.atproto.server.createSession",
        "POST /xrpc/com.atproto.server.refreshSession",
        "GET /xrpc/com.atproto.repo.getRecord",
        "GET /:did",
    }
)


def problem(name: str, words: str, status: int = 400) -> Answer:
    return json_answer({"error": name, "message": words}, status)


class BlueskyCore(SimulatedServer):
    """`reads_direct`: whether the app password that `connection` and `grant` use may read direct messages."""

    name = "simulated Bluesky"
    network = "Bluesky"
    posting_route = "POST /xrpc/com.atproto.repo.createRecord"

    def __init__(
        self,
        *,
        port: int = 0,
        usual_port: int = 0,
        now: Callable[[], datetime] = utc_now,
        surfaces_after: timedelta = timedelta(0),
        reads_direct: bool = True,
    ) -> None:
        super().__init__(port=port, usual_port=usual_port, now=now)
        self.world = World(now)
        self.views = Views(self.world)
        self.sessions = Sessions(now)
        self.surfaces_after = surfaces_after
        self.reads_direct = reads_direct
        self.most_calls, self.most_points = CALLS, POINTS
        self._calls: dict[str, list[datetime]] = {}
        self._points: dict[str, list[datetime]] = {}
        self._caller: Caller | None = None
        self._headers: dict[str, str] = {}

    # --- Before and after each route --------------------------------------------------------------------------------

    def prepare(self, request: Request) -> Answer | None:
        self._caller, self._headers = None, {}
        if not request.route:
            return None
        try:
            has_own = "refreshSession" in request.route or "createSession" in request.route
            if request.route not in _OPEN or (request.bearer and not has_own):
                self._caller = self.sessions.caller(request.bearer)
        except Denied as denied:
            return problem(denied.name, str(denied), denied.status)
        if self._caller and self.world.members[self._caller.did].is_suspended:
            return problem("AccountTakedown", "Account has been taken down", 401)
        return self._limited(request)

    def _limited(self, request: Request) -> Answer | None:
        did = self._caller.did if self._caller else ""
        left = self._count(self._calls, did, self.most_calls, CALL_SPAN)
        if request.route == self.posting_route:
            points = self.most_points // CREATE_POINTS
            left = min(left, self._count(self._points, did, points, POINT_SPAN))
        return None if left >= 0 else problem("RateLimitExceeded", "Rate Limit Exceeded", 429)

    def _count(self, kept: dict[str, list[datetime]], did: str, most: int, span: timedelta) -> int:
        """How many are left, -1 for one too many; told in the headers."""
        now = self.now()
        calls = [at for at in kept.get(did, []) if now - at < span]
        left = most - len(calls) - 1
        if left >= 0:
            calls.append(now)
        kept[did] = calls
        resets = (calls[0] if calls else now) + span
        self._headers = {
            "RateLimit-Limit": str(most),
            "RateLimit-Remaining": str(max(left, 0)),
            "RateLimit-Reset": str(int(resets.timestamp())),
            "RateLimit-Policy": f"{most};w={int(span.total_seconds())}",
        }
        return left

    def finish(self, request: Request, answer: Answer) -> Answer:
        answer.headers.update(self._headers)
        return answer

    def missing(self, request: Request) -> Answer:
        if "atproto-proxy" in request.headers:
            return problem("XRPCNotSupported", "XRPCNotSupported", 404)
        return problem("MethodNotImplemented", "Method Not Implemented", 501)

    def malformed(self, request: Request, error: Any) -> Answer:
        return problem("InvalidRequest", str(error))

    @property
    def viewer(self) -> str:
        """The DID of who calls, "" for nobody."""
        return self._caller.did if self._caller else ""

    @property
    def scope(self) -> str:
        return self._caller.scope if self._caller else ""

    # --- For tests --------------------------------------------------------------------------------------------------

    def join(self, handle: str, name: str = "", **facts: Any) -> Member:
        with self.lock:
            return self.world.join(handle, name, **facts)

    def app_password(self, handle: str, reads_direct: bool | None = None) -> str:
        """A new one: four groups of four letters."""
        with self.lock:
            member = self.world.get_member(handle)
            number = len(member.app_passwords)
            word = "-".join(f"{chr(97 + number % 26)}{part}" for part in ("bcd", "fgh", "jkl", "nop"))
            member.app_passwords[word] = self.reads_direct if reads_direct is None else reads_direct
            return word

    def grant(self, handle: str) -> dict[str, str]:
        """accessJwt and refreshJwt, as after a log-in."""
        with self.lock:
            return self.sessions.open(self.world.get_member(handle).did, self.reads_direct)

    def like(self, who: str, about: str) -> str:
        with self.lock:
            return self.world.carry(self.world.get_member(who), about, is_like=True).uri

    def block(self, who: str, whom: str, is_blocked: bool = True) -> None:
        with self.lock:
            one, other = self.world.get_member(who), self.world.get_member(whom)
            one.blocks = [did for did in one.blocks if did != other.did] + [other.did] * is_blocked

    def rename(self, who: str, handle: str) -> None:
        """The old handle is free for somebody else."""
        with self.lock:
            if self.world.find_member(handle):
                raise ValueError(f"@{handle} is taken.")
            self.world.get_member(who).handle = handle
