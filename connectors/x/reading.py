"""Which lists are read, with which fields, and what they cost.

Fields and expansions: https://docs.x.com/x-api/fundamentals/fields and …/expansions. People come along by expansion
(each one charged once a day); a post that a mention answers or quotes is looked up only when it is not ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.answers import Answer
from connectors.base import Refused, RetryLater
from connectors.messages import KnownScope, Page, RawItem, Scope, Wish
from connectors.x import entries
from connectors.x.client import Cost, XClient, server_time
from connectors.x.entries import Includes, count_of, history_of, id_of, part_of, post_item, referenced_id, text_of
from connectors.x.fetching import Source, rows_of_page, walk_down, with_overlap
from connectors.x.people import Us, time_of_id
from connectors.x.wording import mentions

POST_FIELDS = (
    "attachments,author_id,conversation_id,created_at,entities,in_reply_to_user_id,"
    "lang,note_tweet,possibly_sensitive,referenced_tweets,reply_settings,withheld"
)
USER_FIELDS = (
    "created_at,description,entities,name,profile_image_url,protected,public_metrics,url,username,verified,"
    "verified_type,withheld"
)
MEDIA_FIELDS = "alt_text,height,preview_image_url,type,url,variants,width"
POLL_FIELDS = "end_datetime,options,voting_status"
EVENT_FIELDS = "attachments,created_at,dm_conversation_id,entities,event_type,referenced_tweets,sender_id,text"
HANGING = "attachments.media_keys,attachments.poll_ids"
WHOLE = {
    "tweet_fields": POST_FIELDS,
    "user_fields": USER_FIELDS,
    "media_fields": MEDIA_FIELDS,
    "poll_fields": POLL_FIELDS,
    "expansions": f"author_id,{HANGING}",
}
_OF_OURS = {name: value for name, value in WHOLE.items() if name != "user_fields"} | {"expansions": HANGING}
RECENT = timedelta(days=7)  # how long our posts are watched for quotes; recent search knows no more
MOST_WATCHED, MOST_PAGES = 20, 10


class Reader:
    """`owned`: what our own lists cost, "owned.read" where the app belongs to the account."""

    def __init__(self, client: XClient, us: Us, owned: str, since: datetime, *, with_context: bool) -> None:
        self._client, self._us, self._owned, self._since = client, us, owned, since
        self._with_context = with_context

    def mentions(self, known: KnownScope | None, wish: Wish) -> Iterator[Page]:
        cost = Cost(self._owned, ("user.read",))

        def ask(most: int, params: Mapping[str, Any]) -> Answer:
            return self._client.read(
                "get_users_mentions", self._us.id, cost=cost, most=most, least=5, **WHOLE, **params
            )

        enrich = self._bring_context if self._with_context else None
        yield from walk_down(
            Source(entries.MENTIONS, ask, self._others(entries.MENTIONS), since=self._since, enrich=enrich), known, wish
        )

    def own(self, known: KnownScope | None, wish: Wish) -> Iterator[Page]:
        cost = Cost(self._owned)

        def ask(most: int, params: Mapping[str, Any]) -> Answer:
            more = {**_OF_OURS, "exclude": "retweets", **params}
            return self._client.read("get_users_tweets", self._us.id, cost=cost, most=most, least=5, **more)

        yield from walk_down(Source(entries.OWN, ask, self._ours, since=self._since), known, wish)

    def directs(self, known: KnownScope | None, wish: Wish) -> Iterator[Page]:
        cost = Cost("dm.read", ("user.read",))

        def ask(most: int, params: Mapping[str, Any]) -> Answer:
            return self._client.read(
                "get_direct_message_events",
                cost=cost,
                most=most,
                least=1,
                event_types="MessageCreate",
                dm_event_fields=EVENT_FIELDS,
                user_fields=USER_FIELDS,
                media_fields=MEDIA_FIELDS,
                expansions="sender_id,attachments.media_keys",
                **params,
            )

        def item(event: Mapping[str, Any], includes: Includes, now: datetime) -> RawItem | None:
            if text_of(event, "event_type") not in {"MessageCreate", ""}:
                return None
            return entries.direct_item(event, includes, our_id=self._us.id, now=now)

        # There is no since_id, and every event of a page is paid once a day: small pages first.
        source = Source(entries.DIRECTS, ask, item, (5, 20, 100), takes_marks=False, since=self._since)
        yield from walk_down(source, known, wish)

    # --- Raw items --------------------------------------------------------------------------------------------------

    def _others(self, scope: Scope) -> Any:
        def item(post: Mapping[str, Any], includes: Includes, now: datetime) -> RawItem | None:
            if id_of(post, "author_id") == self._us.id:  # it comes with our own posts
                return None
            return post_item(scope, post, includes, is_sent=False, now=now)

        return item

    def _ours(self, post: Mapping[str, Any], includes: Includes, now: datetime) -> RawItem | None:
        whole = {**post, "author_id": id_of(post, "author_id") or self._us.id}
        includes.add("users", [{"id": self._us.id, "username": self._us.handle, "name": self._us.name}])
        return post_item(entries.OWN, whole, includes, is_sent=True, now=now)

    def _bring_context(self, posts: Sequence[Mapping[str, Any]], includes: Includes, now: datetime) -> list[RawItem]:
        """What mentions answer or quote, when others wrote it and the budget allows: the quoted as a part of the
        mention, the answered as a message of its own, so that the thread can be read."""
        answered = [
            referenced_id(post, "replied_to") for post in posts if id_of(post, "in_reply_to_user_id") != self._us.id
        ]
        quoted = [referenced_id(post, "quoted") for post in posts]
        here = {id_of(post) for post in posts}
        wanted = [one for one in (*answered, *quoted) if one and one not in here]
        if not wanted:
            return []
        try:
            answer = self._client.look_up(wanted, with_people=True, **WHOLE)
        except (RetryLater, Refused):
            return []
        found = rows_of_page(answer)
        theirs, item = Includes(answer.object), self._others(entries.CONTEXT)
        includes.add_all(theirs, found)
        # What names us comes, or came, by itself.
        strangers = [post for post in found if not mentions(post, self._us.id, self._us.handle)]
        parents = [post for post in strangers if set(history_of(post)) & set(answered)]
        return [made for post in parents if (made := item(post, theirs, now)) is not None]

    # --- Around our own posts ---------------------------------------------------------------------------------------

    def around(self, known: KnownScope | None, wish: Wish) -> Iterator[Page]:
        """Quotes of our newest posts, and what is said beneath them without naming us: read only where X counts more
        of them than when we last looked. https://docs.x.com/x-api/posts/quote-tweets/introduction,
        https://docs.x.com/x-api/posts/search/integrate/operators (`conversation_id:`)."""
        seen = _counts(known)
        answer = self._client.read(
            "get_users_tweets",
            self._us.id,
            cost=Cost(self._owned),
            most=MOST_WATCHED,
            least=5,
            exclude="retweets",
            tweet_fields="public_metrics,conversation_id,created_at",
        )
        now, brought = server_time(answer), 0
        watched: dict[str, dict[str, int]] = {}
        posts = [one for one in rows_of_page(answer) if (time_of_id(id_of(one)) or now) >= now - RECENT]
        for post in posts:
            watched[id_of(post)] = seen.get(id_of(post), {})
        for post in posts:
            own_id, metrics = id_of(post), part_of(post, "public_metrics")
            for name, scope in (("quote_count", entries.QUOTES), ("reply_count", entries.REPLIES)):
                told, before = count_of(metrics, name) or 0, watched[own_id]
                if told == before.get(name, 0) or (wish.max_items is not None and brought >= wish.max_items):
                    continue
                top = before.get(f"{name}.top", 0)
                for page, highest in self._newer(scope, own_id, top, now):
                    brought += len(page.items)
                    before = {**before, f"{name}.top": max(highest, before.get(f"{name}.top", 0))}
                    yield page
                watched[own_id] = {**before, name: told}
                yield Page(state={entries.QUOTES: {"counts": dict(watched)}})
        yield Page(state={entries.QUOTES: {"counts": watched}})

    def _newer(self, scope: Scope, post_id: str, top: int, now: datetime) -> Iterator[tuple[Page, int]]:
        token, last = "", ""
        floor = with_overlap(top)
        for _ in range(MOST_PAGES):
            answer = self._ask_around(scope, post_id, token)
            rows = rows_of_page(answer)
            fresh = [one for one in rows if int(id_of(one)) > floor]
            includes, item = Includes(answer.object), self._others(scope)
            items = tuple(found for one in fresh if (found := item(one, includes, now)) is not None)
            yield Page(items), max((int(id_of(one)) for one in rows), default=0)
            token, last = text_of(part_of(answer.object, "meta"), "next_token"), token
            if not token or token == last or len(fresh) < len(rows):
                return

    def _ask_around(self, scope: Scope, post_id: str, token: str) -> Answer:
        cost = Cost("post.read", ("user.read",))
        if scope == entries.QUOTES:
            more = {**WHOLE, "pagination_token": token} if token else WHOLE
            return self._client.read("get_quote_tweets", post_id, cost=cost, most=100, least=10, **more)
        more = {**WHOLE, "next_token": token} if token else WHOLE
        # What names us comes with the mentions, for a fifth of the price.
        query = f"conversation_id:{post_id} -from:{self._us.handle} -@{self._us.handle} -is:retweet"
        return self._client.read("search_recent_tweets", query, cost=cost, most=100, least=10, **more)


def _counts(known: KnownScope | None) -> dict[str, dict[str, int]]:
    kept = known.state.get("counts") if known else None
    found: dict[str, dict[str, int]] = {}
    for post_id, counts in kept.items() if isinstance(kept, Mapping) else ():
        if isinstance(counts, Mapping):
            found[str(post_id)] = {str(name): one for name, one in counts.items() if isinstance(one, int)}
    return found


def history_start(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)
