"""Calls of the X API v2 by tweepy, through our own door, metered.

tweepy's `Client` knows the routes and their parameters and signs; it sends no timeout, has a fixed host, sleeps when
told to wait for a limit, and follows no rotating token: all of that is `connectors.wire.Wire.session()`'s work.
Answers are taken as they came, because tweepy's models drop what they do not know.

OAuth 2.0 user tokens come from `account.tokens`; OAuth 1.0a signs with four keys
(https://docs.x.com/fundamentals/authentication/oauth-1-0a/authorizing-a-request).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.answers import Answer
from connectors.base import OutcomeUnknown, RetryLater
from connectors.metering import BudgetReached, Meter, Unmetered
from connectors.registry import AccountSettings, SecretText
from connectors.wire import X_HEADERS, Dialect, NotSent, Unanswered, Wire
from connectors.x.refusals import refusal, words_of

API = "https://api.x.com"
OAUTH1 = ("api_key", "api_secret", "access_token", "access_token_secret")
_ROUTES = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"/2/users/\d+/(mentions|tweets)", r"/2/users/:id/\1"),
        (r"/2/tweets/\d+/quote_tweets", "/2/tweets/:id/quote_tweets"),
        (r"/2/dm_conversations/with/\d+/(messages|dm_events)", r"/2/dm_conversations/with/:participant_id/\1"),
        (r"/2/dm_conversations/[\d-]+/(messages|dm_events)", r"/2/dm_conversations/:dm_conversation_id/\1"),
        (r"/2/media/upload/[^/]+/(append|finalize)", r"/2/media/upload/:id/\1"),
    )
]


def endpoint_of(method: str, path: str) -> str:
    """As https://docs.x.com/x-api/fundamentals/rate-limits names it."""
    path = "/2/" + path.rpartition("/2/")[2]
    for pattern, name in _ROUTES:
        if match := pattern.fullmatch(path):
            return f"{method.upper()} {match.expand(name)}"
    return f"{method.upper()} {path}"


DIALECT = Dialect(
    "X",
    API,
    windows=X_HEADERS,
    words=words_of,
    endpoint_of=endpoint_of,
    hosts=frozenset({"api.twitter.com", "api.x.com"}),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a read will use up: `resource` once for each entry, and each of `also` at most once for each."""

    resource: str
    also: tuple[str, ...] = ()


class XClient:
    """For one thread at a time."""

    def __init__(self, account: AccountSettings, secrets: Mapping[str, SecretText]) -> None:
        self._keys = [str(secrets.get(name) or "") for name in OAUTH1]
        self._is_signed = all(self._keys) and account.tokens is None
        self._bearer = "" if self._is_signed else str(secrets.get("access_token") or "")
        self.wire = Wire.of(account, DIALECT, bearer=self._bearer)
        self.wire.hide(*(str(value) for value in secrets.values()))
        self.meter: Meter = account.meter or Unmetered()
        self._tokens = account.tokens
        self._made: Any = None
        self.refused: Answer | None = None  # the last call's answer, when it was a refusal

    @property
    def library(self) -> Any:
        """Typed Any: requests and tweepy are loaded only here."""
        if self._made is None:
            from connectors.x.library import Library  # loads requests and tweepy, which are slow

            keys = (self._keys[0], self._keys[1], self._keys[2], self._keys[3]) if self._is_signed else None
            self._made = Library(self.wire.session(), self.wire.base_url, self._bearer or "-", keys)
        return self._made

    def close(self) -> None:
        self.wire.close()

    # --- Asking -----------------------------------------------------------------------------------------------------

    def call(self, name: str, *values: Any, **params: Any) -> Answer:
        """A method of tweepy's client, by name: the answer when it is one of success. Raises ConnectorError."""
        self.refused = None
        return self._answer(getattr(self.library, name)(*values, **params))

    def request(
        self, method: str, route: str, *, params: Any = None, json: Any = None, form: Any = None, files: Any = None
    ) -> Answer:
        """A route that tweepy does not know, signed as the others and through the same session."""
        self.refused = None
        return self._answer(self.library.request(method, route, params, json, form=form, files=files))

    def _answer(self, response: Any) -> Answer:
        answer = self.wire.answer_of(response)
        if not 200 <= answer.status < 300:
            self.refused = answer
            raise refusal(answer) or self.wire.failure(answer)
        if answer.content.strip() and not isinstance(answer.data, dict):
            raise Unanswered(f"{self.wire.name} answered with something else than data.")
        return answer

    # --- Reading within the budget ----------------------------------------------------------------------------------

    def read(self, name: str, *values: Any, cost: Cost, most: int, least: int, **params: Any) -> Answer:
        """A page of at most `most` entries, and never more than the budget allows; X gives no page of fewer than
        `least`. Raises BudgetReached, and as `call`."""
        granted = self._reserve((cost.resource, *cost.also), most, least)
        return self._settled(
            granted, cost, lambda: self.call(name, *values, max_results=min(granted.values()), **params)
        )

    def _settled(self, granted: Mapping[str, int], cost: Cost, ask: Callable[[], Answer]) -> Answer:
        used: dict[str, list[str]] | None = None
        try:
            answer = ask()
            used = charged(answer.object, cost)
            return answer
        except NotSent:
            used = {}
            raise
        finally:
            if used is None and self.refused is not None:
                used = {}  # only what is in an answer is charged
            for resource in {**granted, **(used or {})}:
                ids = (used or {}).get(resource, [])
                reserved = granted.get(resource, 0)
                # Without an answer nobody knows: what was reserved stays counted.
                self.meter.settle(resource, reserved, reserved if used is None else len(ids), ids)

    def look_up(self, ids: Sequence[str], *, with_people: bool = False, **params: Any) -> Answer:
        """Posts by id, at most 100: as many as the budget allows. `with_people`: their authors come along. Raises
        BudgetReached, and as `call`."""
        wanted = list(dict.fromkeys(ids))[:100]
        cost = Cost("post.read", ("user.read",) if with_people else ())
        granted = self._reserve((cost.resource, *cost.also), len(wanted), 1)
        return self._settled(
            granted, cost, lambda: self.call("get_tweets", ids=wanted[: min(granted.values())], **params)
        )

    def _reserve(self, resources: Sequence[str], most: int, least: int) -> dict[str, int]:
        granted: dict[str, int] = {}
        size = most
        try:
            for resource in resources:
                granted[resource] = self.meter.reserve(resource, size)
                size = min(size, granted[resource])
                if size < least:
                    raise BudgetReached(
                        "What is left of the budget is less than the smallest page that X gives. Reading goes on "
                        "when the budget is renewed.",
                        until_midnight(datetime.now(UTC)),
                    )
        except RetryLater:
            for resource, reserved in granted.items():
                self.meter.settle(resource, reserved, 0)
            raise
        return granted

    def spend(self, resource: str, count: int, ask: Callable[[], Answer]) -> Answer:
        """A call that costs `count` of a resource when it succeeds. Raises BudgetReached, and as `ask`."""
        granted = self.meter.reserve(resource, count)
        used = 0
        try:
            if granted < count:
                raise BudgetReached("The budget of this account is used up.", until_midnight(datetime.now(UTC)))
            answer = ask()
            used = count
            return answer
        except (Unanswered, OutcomeUnknown):
            used = count  # it may have been done
            raise
        finally:
            self.meter.settle(resource, granted, used)

    # --- Creating ---------------------------------------------------------------------------------------------------

    def create(self, commit: Callable[[], None], resource: str, endpoint: str, ask: Callable[[], Answer]) -> Answer:
        """The one call that others can see: `commit` once, then ask once. Raises OutcomeUnknown without a clear
        answer; before `commit` RetryLater and AuthFailed."""
        self.wire.open_ahead(endpoint)
        if self._tokens is not None:
            self._tokens.current()  # a token that must be renewed first is no reason for doubt
        self.wire.close()  # no kept connection, which may be dead

        def committed() -> Answer:
            commit()
            try:
                return ask()
            except NotSent:
                raise
            except Unanswered as error:
                raise OutcomeUnknown(f"{error.sentence} Whether it was posted is being found out.") from None

        return self.spend(resource, 1, committed)


def charged(data: Mapping[str, Any], cost: Cost) -> dict[str, list[str]]:
    """The ids that an answer is charged for, by resource: its entries, and whole people and posts beside them."""
    entries = data.get("data")
    included = data.get("includes")
    included = included if isinstance(included, dict) else {}
    found = {cost.resource: _ids(entries if isinstance(entries, list) else [entries])}
    for resource, names in (("user.read", ("users",)), ("post.read", ("tweets", "posts"))):
        ids = [one for name in names for one in _ids(included.get(name))]
        if ids and resource != cost.resource:
            found[resource] = ids
    return found


def _ids(entries: Any) -> list[str]:
    rows = entries if isinstance(entries, list) else []
    return [one["id"] for one in rows if isinstance(one, dict) and isinstance(one.get("id"), str)]


def server_time(answer: Answer) -> datetime:
    """X's own clock, which its posts are dated by; ours when the answer does not tell."""
    try:
        told = parsedate_to_datetime(answer.headers.get("date", "")[:64])
    except (ValueError, TypeError, IndexError):
        return datetime.now(UTC)
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def until_midnight(now: datetime) -> timedelta:
    """Prices and budgets of a day count by UTC."""
    return datetime.combine(now.date() + timedelta(days=1), time(), UTC) - now
