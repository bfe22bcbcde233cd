"""What can be read: people, posts, timelines, search and direct messages. Each route names its page at docs.x.com."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from connectors.simulators.exchange import Answer, Malformed, Request, json_answer
from connectors.simulators.x.core import XCore
from connectors.simulators.x.paging import listed, page, since_of, within
from connectors.simulators.x.problems import invalid, not_allowed, not_found, suspended
from connectors.simulators.x.searching import matcher
from connectors.simulators.x.showing import Showing
from connectors.simulators.x.things import Member, XPost
from connectors.simulators.x.wanted import FIELD_PARAMETERS, UnknownField, read_wanted

_PAGING = frozenset({"max_results", "pagination_token"})
_SPAN = frozenset({"since_id", "until_id", "start_time", "end_time"})
_SEARCH = frozenset({"query", "next_token", "sort_order"})
MOST_MENTIONS = 800
MOST_OWN = 3200


class ReadingRoutes(XCore):
    def route_reading(self) -> None:
        for pattern, allowed, answer in (
            ("GET /2/users/me", frozenset(), self.read_me),
            ("GET /2/users/by", frozenset({"usernames"}), self.read_users_by_name),
            ("GET /2/users/by/username/:username", frozenset(), self.read_user_by_name),
            ("GET /2/users", frozenset({"ids"}), self.read_users),
            ("GET /2/users/:id", frozenset(), self.read_user),
            ("GET /2/users/:id/mentions", _PAGING | _SPAN, self.read_mentions),
            ("GET /2/users/:id/tweets", _PAGING | _SPAN | {"exclude"}, self.read_timeline),
            (
                "GET /2/tweets/search/recent",
                _PAGING | _SPAN | {"query", "next_token", "sort_order"},
                self.search_recent,
            ),
            ("GET /2/tweets", frozenset({"ids"}), self.read_tweets),
            ("GET /2/tweets/:id", frozenset(), self.read_tweet),
            ("GET /2/tweets/:id/quote_tweets", _PAGING | {"exclude"}, self.read_quotes),
            ("GET /2/tweets/:id/retweeted_by", _PAGING, self.read_reposters),
            ("GET /2/dm_events", _PAGING | {"event_types"}, self.read_directs),
            ("GET /2/dm_events/:id", frozenset(), self.read_direct),
            (
                "GET /2/dm_conversations/with/:participant_id/dm_events",
                _PAGING | {"event_types"},
                self.read_directs_with,
            ),
            ("GET /2/dm_conversations/:dm_conversation_id/dm_events", _PAGING | {"event_types"}, self.read_directs_of),
        ):
            self.route(pattern, self._reader(answer, allowed | FIELD_PARAMETERS))

    def _reader(
        self, answer: Callable[[Request, Showing], Answer], allowed: frozenset[str]
    ) -> Callable[[Request], Answer]:
        def read(request: Request) -> Answer:
            for name in request.query:
                if name not in allowed:
                    return invalid(f"The query parameter [{name}] is not one of those that exist.", name, [])
            try:
                wanted = read_wanted(request)
            except UnknownField as error:
                return invalid(str(error), error.parameter, [error.value])
            return answer(request, Showing(self.world, self.viewer, wanted, self.base_url))

        return read

    def _charged(self, showing: Showing, what: str, ids: Iterable[str]) -> None:
        """For the resources of an answer, once it is whole."""
        me = self.viewer.id
        self.ledger.read(me, what, ids)
        self.ledger.read(me, "User: Read", showing.people)
        self.ledger.read(me, "Posts: Read", showing.tweets)

    # --- People: docs.x.com/x-api/users/lookup/introduction ---------------------------------------------------------

    def read_me(self, request: Request, showing: Showing) -> Answer:
        data = showing.person(self.viewer)
        self._charged(showing, "User: Read", [self.viewer.id])
        return json_answer(showing.whole(data))

    def _people(self, showing: Showing, asked: list[tuple[str, Member | None]], parameter: str) -> list[Any]:
        found = []
        for value, member in asked:
            if member is None:
                showing.errors.append(not_found("user", parameter, value))
            elif member.is_suspended:
                showing.errors.append(suspended(parameter, value))
            else:
                found.append(showing.person(member))
        self._charged(showing, "User: Read", [one["id"] for one in found])
        return found

    def read_users(self, request: Request, showing: Showing) -> Answer:
        ids = listed(request, "ids")
        asked = [(id_, self.world.members.get(id_)) for id_ in ids]
        return json_answer(showing.whole(self._people(showing, asked, "ids")))

    def read_users_by_name(self, request: Request, showing: Showing) -> Answer:
        asked = [(name, self.world.find_member(name)) for name in listed(request, "usernames")]
        return json_answer(showing.whole(self._people(showing, asked, "usernames")))

    def read_user(self, request: Request, showing: Showing) -> Answer:
        id_ = request.values["id"]
        found = self._people(showing, [(id_, self.world.members.get(id_))], "id")
        return json_answer(showing.whole(found[0] if found else None))

    def read_user_by_name(self, request: Request, showing: Showing) -> Answer:
        name = request.values["username"]
        found = self._people(showing, [(name, self.world.find_member(name))], "username")
        return json_answer(showing.whole(found[0] if found else None))

    # --- Posts: docs.x.com/x-api/posts/lookup/introduction ----------------------------------------------------------

    def _posts(self, showing: Showing, ids: list[str], parameter: str) -> list[Any]:
        found = []
        for id_ in ids:
            post = self.world.posts.get(id_)
            if post is None or post.deleted_at is not None:
                showing.errors.append(not_found("tweet", parameter, id_))
            elif not self.world.is_visible(post, self.viewer):
                showing.errors.append(not_allowed("tweet", parameter, id_))
            else:
                found.append(showing.post(post))
        self._charged(showing, "Posts: Read", [one["id"] for one in found])
        return found

    def read_tweets(self, request: Request, showing: Showing) -> Answer:
        return json_answer(showing.whole(self._posts(showing, listed(request, "ids"), "ids")))

    def read_tweet(self, request: Request, showing: Showing) -> Answer:
        found = self._posts(showing, [request.values["id"]], "id")
        return json_answer(showing.whole(found[0] if found else None))

    # --- Timelines: docs.x.com/x-api/posts/timelines/introduction ---------------------------------------------------

    def read_mentions(self, request: Request, showing: Showing) -> Answer:
        owner = self._owner(request)
        posts = [
            post
            for post in self.world.listed(self.viewer, since_of(request))
            if not post.reposts and any(member.id == owner.id for _, _, member in self.world.mentioned(post))
        ]
        return self._timeline(request, showing, posts[:MOST_MENTIONS], (5, 100, 10), owner)

    def read_timeline(self, request: Request, showing: Showing) -> Answer:
        owner = self._owner(request)
        left_out = {one for text in request.query.get("exclude", ()) for one in text.split(",")}
        posts = [
            post
            for post in self.world.listed(self.viewer, since_of(request))
            if post.author_id == owner.id
            and not (post.answers and "replies" in left_out)
            and not (post.reposts and "retweets" in left_out)
        ]
        return self._timeline(request, showing, posts[:MOST_OWN], (5, 100, 10), owner)

    def _owner(self, request: Request) -> Member:
        owner = self.world.members.get(request.values["id"])
        if owner is None:
            raise Malformed(f"The `id` query parameter value [{request.values['id']}] is not valid")
        return owner

    def _timeline(
        self,
        request: Request,
        showing: Showing,
        posts: list[XPost],
        sizes: tuple[int, int, int],
        owner: Member | None = None,
        tells_ends: bool = True,
    ) -> Answer:
        shown, token = page(request, within(request, posts), sizes)
        data = [showing.post(post) for post in shown]
        is_owned = owner is not None and owner.id == self.viewer.id
        self._charged(showing, "Owned Reads" if is_owned else "Posts: Read", [one["id"] for one in data])
        meta: dict[str, Any] = {"result_count": len(data)}
        if data and tells_ends:
            meta |= {"newest_id": data[0]["id"], "oldest_id": data[-1]["id"]}
        return json_answer(showing.whole(data, meta | token))

    def read_quotes(self, request: Request, showing: Showing) -> Answer:
        """docs.x.com/x-api/posts/quote-tweets/introduction: 10 to 100 a page, newest first."""
        quoted = self.world.posts.get(request.values["id"])
        history = quoted.history if quoted else [request.values["id"]]
        posts = [post for post in self.world.listed(self.viewer) if post.quotes in history]
        return self._timeline(request, showing, posts, (10, 100, 10), tells_ends=False)

    def read_reposters(self, request: Request, showing: Showing) -> Answer:
        """docs.x.com/x-api/posts/retweets/introduction: the people who reposted."""
        people = [
            self.world.members[post.author_id]
            for post in self.world.listed(self.viewer)
            if post.reposts == request.values["id"]
        ][:100]
        data = [showing.person(member) for member in people]
        self._charged(showing, "User: Read", [member.id for member in people])
        return json_answer(showing.whole(data, {"result_count": len(data)}))

    def search_recent(self, request: Request, showing: Showing) -> Answer:
        """docs.x.com/x-api/posts/search/introduction: seven days, 10 to 100 a page, 512 characters of query."""
        query = request.first("query").strip()
        if not query or len(query) > 512:
            return invalid("The `query` query parameter must have 1 to 512 characters.", "query", [query[:600]])
        fits = matcher(query, self.world)
        since = self.world.now() - timedelta(days=7)
        posts = [
            post
            for post in self.world.listed(self.viewer, since_of(request))
            if post.created_at >= since and fits(post)
        ]
        return self._timeline(request, showing, posts, (10, 100, 10))

    # --- Direct messages: docs.x.com/x-api/direct-messages/lookup/introduction --------------------------------------

    def _directs(self, request: Request, showing: Showing, conversation: str = "") -> Answer:
        """Newest first, of the last 30 days, those we take part in; there is no since_id here."""
        me, since = self.viewer.id, self.world.now() - timedelta(days=30)
        events = [
            event
            for event in reversed(self.world.directs.values())
            if me in self.world.participants(event.conversation_id)
            and event.created_at >= since
            and conversation in ("", event.conversation_id)
        ]
        kinds = {one for text in request.query.get("event_types", ()) for one in text.split(",")}
        if kinds and "MessageCreate" not in kinds:
            events = []
        shown, token = page(request, events, (1, 100, 100))
        data = [showing.direct(event) for event in shown]
        self._charged(showing, "DM Event: Read", [one["id"] for one in data])
        return json_answer(showing.whole(data, {"result_count": len(data)} | token))

    def read_directs(self, request: Request, showing: Showing) -> Answer:
        return self._directs(request, showing)

    def read_directs_of(self, request: Request, showing: Showing) -> Answer:
        return self._directs(request, showing, request.values["dm_conversation_id"])

    def read_directs_with(self, request: Request, showing: Showing) -> Answer:
        other = self.world.members.get(request.values["participant_id"])
        if other is None:
            return invalid("No such participant.", "participant_id", [request.values["participant_id"]])
        return self._directs(request, showing, self.world.conversation_of(self.viewer, other))

    def read_direct(self, request: Request, showing: Showing) -> Answer:
        event = self.world.directs.get(request.values["id"])
        if event is None or self.viewer.id not in self.world.participants(event.conversation_id):
            showing.errors.append(not_found("dm_event", "event_id", request.values["id"]))
            return json_answer(showing.whole(None))
        data = showing.direct(event)
        self._charged(showing, "DM Event: Read", [event.id])
        return json_answer(showing.whole(data))
