"""What can be read: notifications, statuses and their context, accounts, conversations, search.

https://docs.joinmastodon.org/methods/notifications/#get, …/methods/statuses/, …/methods/accounts/,
…/methods/search/#v2, …/methods/conversations/#get. Pages as in
https://docs.joinmastodon.org/api/guidelines/#pagination: `max_id` and `since_id` give the newest below and above an id,
`min_id` the next above it; each page newest first, with a Link header.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from connectors.simulators.control import NoSuchEntry
from connectors.simulators.exchange import Answer, Request, json_answer
from connectors.simulators.mastodon.things import DIRECT, Member, Status
from connectors.simulators.mastodon.views import Views
from connectors.simulators.mastodon.world import Refusal, World
from connectors.simulators.web import Route

T = TypeVar("T")
MOST_AT_ONCE = 20


class ReadingRoutes:
    world: World
    views: Views
    base_url: str
    min_id_is_since_id: bool
    route: Callable[[str, Route], None]
    get_caller: Callable[[Request], Member]

    def route_reading(self) -> None:
        for pattern, answer in (
            ("GET /api/v1/accounts/verify_credentials", self._verify),
            ("GET /api/v1/accounts/:id/statuses", self._statuses_of),
            ("GET /api/v1/accounts/:id", self._account),
            ("GET /api/v1/notifications", self._notifications),
            ("GET /api/v1/conversations", self._conversations),
            ("GET /api/v1/statuses", self._statuses),
            ("GET /api/v1/statuses/:id/context", self._context),
            ("GET /api/v1/statuses/:id/source", self._source),
            ("GET /api/v1/statuses/:id", self._status),
            ("GET /api/v2/search", self._search),
        ):
            self.route(pattern, self.careful(answer))

    def careful(self, answer: Route) -> Route:
        """What the world refuses, as the server says it."""

        def answered(request: Request) -> Answer:
            try:
                return answer(request)
            except Refusal as error:
                return json_answer({"error": str(error)}, error.status)
            except NoSuchEntry:
                return json_answer({"error": "Record not found"}, 404)

        return answered

    def _seen(self, request: Request, status_id: str) -> Status:
        status = self.world.get_status(status_id)
        if not self.world.may_see(self.get_caller(request), status):
            raise NoSuchEntry("hidden")
        return status

    def _verify(self, request: Request) -> Answer:
        us = self.get_caller(request)
        source = {"privacy": "public", "sensitive": False, "language": "", "note": us.bio, "fields": []}
        return json_answer({**self.views.account(us), "source": source})

    def _account(self, request: Request) -> Answer:
        member = self.world.members.get(request.values["id"])
        if member is None:
            raise NoSuchEntry("nobody")
        return json_answer(self.views.account(member))

    def _notifications(self, request: Request) -> Answer:
        us = self.get_caller(request)
        wanted, unwanted = set(request.query.get("types[]", ())), set(request.query.get("exclude_types[]", ()))
        with_filtered = request.first("include_filtered") in {"true", "1"}
        found = [
            one
            for one in self.world.notices_of(us)
            if (not wanted or one.kind in wanted)
            and one.kind not in unwanted
            and (with_filtered or not one.is_filtered)
        ]
        return self._paged(request, found, lambda one: one.id, lambda one: self.views.notice(one, us), 40, 80)

    def _statuses_of(self, request: Request) -> Answer:
        us, owner = self.get_caller(request), request.values["id"]
        if owner not in self.world.members:
            raise NoSuchEntry("nobody")
        without_boosts = request.first("exclude_reblogs") in {"true", "1"}
        without_answers = request.first("exclude_replies") in {"true", "1"}
        found = [
            one
            for one in reversed(list(self.world.statuses.values()))
            if one.author == owner
            and self.world.may_see(us, one)
            and not (without_boosts and one.boosts)
            and not (without_answers and one.answers)
        ]
        return self._paged(request, found, lambda one: one.id, lambda one: self.views.status(one, us), 20, 40)

    def _conversations(self, request: Request) -> Answer:
        us = self.get_caller(request)
        last: dict[str, Status] = {}
        for one in self.world.statuses.values():
            if one.visibility == DIRECT and self.world.may_see(us, one):
                top = (self.world.ancestors(one) or [one])[0]
                last[top.id] = one
        rows = sorted(last.values(), key=lambda one: int(one.id), reverse=True)
        return self._paged(request, rows, lambda one: one.id, lambda one: self._conversation(one, us), 20, 40)

    def _conversation(self, status: Status, us: Member) -> dict[str, Any]:
        others = {status.author, *status.mentions} - {us.id}
        people = [self.views.account(self.world.members[one]) for one in sorted(others) if one in self.world.members]
        last = self.views.status(status, us)
        return {"id": status.id, "unread": False, "accounts": people, "last_status": last}

    def _statuses(self, request: Request) -> Answer:
        us, ids = self.get_caller(request), request.query.get("id[]", ())
        if len(ids) > MOST_AT_ONCE:
            raise Refusal("Validation failed: too many ids", 422)
        found = [one for one in map(self.world.statuses.get, ids) if one is not None and self.world.may_see(us, one)]
        return json_answer([self.views.status(one, us) for one in found])

    def _status(self, request: Request) -> Answer:
        status = self._seen(request, request.values["id"])
        return json_answer(self.views.status(status, self.get_caller(request)))

    def _source(self, request: Request) -> Answer:
        status = self._seen(request, request.values["id"])
        return json_answer({"id": status.id, "text": status.text, "spoiler_text": status.warning})

    def _context(self, request: Request) -> Answer:
        us, status = self.get_caller(request), self._seen(request, request.values["id"])
        above = [one for one in self.world.ancestors(status) if self.world.may_see(us, one)]
        below = [one for one in self.world.descendants(status) if self.world.may_see(us, one)]
        return json_answer(
            {
                "ancestors": [self.views.status(one, us) for one in above],
                "descendants": [self.views.status(one, us) for one in below],
            }
        )

    def _search(self, request: Request) -> Answer:
        us, asked = self.get_caller(request), request.first("q")
        found = [
            one
            for one in self.world.statuses.values()
            if asked and asked in {one.uri, self.views.status(one, us)["url"]} and self.world.may_see(us, one)
        ]
        return json_answer({"accounts": [], "statuses": [self.views.status(one, us) for one in found], "hashtags": []})

    # --- Pages ------------------------------------------------------------------------------------------------------

    def _paged(
        self,
        request: Request,
        newest_first: Sequence[T],
        id_of: Callable[[T], str],
        show: Callable[[T], dict[str, Any]],
        usual: int,
        most: int,
    ) -> Answer:
        def bound(name: str) -> int | None:
            return int(request.first(name)) if request.first(name).isdecimal() else None

        limit = max(0, min(bound("limit") or usual, most))
        high, low, above = bound("max_id"), bound("since_id"), bound("min_id")
        if self.min_id_is_since_id and above is not None:
            low, above = above, None
        found = [one for one in newest_first if high is None or int(id_of(one)) < high]
        if above is not None:
            page = [one for one in found if int(id_of(one)) > above][-limit:] if limit else []
        else:
            page = [one for one in found if low is None or int(id_of(one)) > low][:limit]
        answer = json_answer([show(one) for one in page])
        if page:
            kept = [
                (name, value)
                for name, values in request.query.items()
                if name not in {"max_id", "since_id", "min_id"}
                for value in values
            ]
            path = f"{self.base_url}{request.path}?"
            following = path + urlencode([*kept, ("max_id", id_of(page[-1]))])
            previous = path + urlencode([*kept, ("min_id", id_of(page[0]))])
            answer.headers["Link"] = f'<{following}>; rel="next", <{previous}>; rel="prev"'
        return answer
