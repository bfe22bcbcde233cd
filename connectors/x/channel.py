"""The X connector: mentions, replies, quotes, direct messages and our own posts, answered within X's rules and prices.

Each part names the pages of docs.x.com that it was written from; the client is tested against
connectors/simulators/x, which others made from the same pages.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from connectors.base import AuthFailed, ConnectorError, PlacesMissing, Refused, RetryLater
from connectors.messages import (
    Address,
    Known,
    Limits,
    Listing,
    OutboundMessage,
    Page,
    Parsed,
    Party,
    RawItem,
    Receipt,
    Reply,
    Scope,
    Wish,
)
from connectors.metering import BudgetReached, PollPlace, PriceList, Quota, WindowUsedUp
from connectors.oauth import Grant
from connectors.registry import AccountSettings, SecretText
from connectors.social import Connected, Introduction, KindCard, Measure, Outline, Permission, Post, Price, Visibility
from connectors.x import connecting, frozen, parse, rechecking, rules, sending
from connectors.x.client import XClient
from connectors.x.entries import id_of, part_of, text_of
from connectors.x.people import Us
from connectors.x.prices import PRICES
from connectors.x.reading import USER_FIELDS, Reader, history_start
from connectors.x.weights import LONG_POST_LIMIT, POST_LIMIT

_QUARTER, _DAY = 900, 86_400
_HISTORY_DAYS = 7.0  # of the very first reading


class XConnector:
    """Settings: `user_id`, `handle`, `name` (kept when it was connected), `base_url`, `client_id`;
    `is_long` (the account subscribes: posts of 25,000), `plan` ("enterprise": replies to everybody), `owned` (False:
    the app belongs to another account, whose reads are dear), `history_days`, `reads_directs`, `reads_around`,
    `reads_context`, `prices` (resource → micros). Secrets: an access token, or the four keys of OAuth 1.0a."""

    kind: ClassVar[str] = "x"
    card: ClassVar[KindCard] = KindCard("X", letter="X", names_sends=True)
    price_list: ClassVar[PriceList] = PRICES
    # https://docs.x.com/x-api/fundamentals/rate-limits, “Per User”
    poll_places: ClassVar[tuple[PollPlace, ...]] = (
        PollPlace(
            "mentions", "GET /2/users/:id/mentions", (Quota(300, _QUARTER),), ("owned.read", "user.read"), soonest=3
        ),
        PollPlace("dms", "GET /2/dm_events", (Quota(15, _QUARTER),), ("dm.read", "user.read"), weight=1.0),
        PollPlace("own", "GET /2/users/:id/tweets", (Quota(900, _QUARTER),), ("owned.read",), 0.1, soonest=60),
        PollPlace(
            "quotes",
            "GET /2/tweets/:id/quote_tweets",
            (Quota(75, _QUARTER),),
            ("post.read", "user.read"),
            weight=0.2,
            soonest=60,
        ),
    )

    def __init__(self, account: AccountSettings, secrets: Mapping[str, SecretText]) -> None:
        self._account = account
        self._settings = account.settings
        self._secrets = secrets
        self._client_made: XClient | None = None
        self._us_known = Us(
            str(self._settings.get("user_id") or ""),
            str(self._settings.get("handle") or account.address).lstrip("@"),
            str(self._settings.get("name") or ""),
        )

    @property
    def _client(self) -> XClient:
        if self._client_made is None:
            self._client_made = XClient(self._account, self._secrets)
        return self._client_made

    @property
    def _owned(self) -> str:
        return "owned.read" if self._settings.get("owned", True) else "post.read"

    @property
    def _is_long(self) -> bool:
        return bool(self._settings.get("is_long"))

    @property
    def _is_bound(self) -> bool:
        return self._settings.get("plan") != "enterprise"

    def close(self) -> None:
        if self._client_made:
            self._client_made.close()

    # --- Who we are -------------------------------------------------------------------------------------------------

    def check(self) -> Party:
        us = self._ask_who()
        places = [one.place for one in self.poll_places if self._reads(one.place)]
        notes = []
        if self._settings.get("owned", True) is False:
            notes.append("The app belongs to another account, so mentions cost as much as any post.")
        return Party(us.handle, us.name, tuple(places), "own", tuple(notes))

    def _ask_who(self) -> Us:
        """https://docs.x.com/x-api/users/lookup/introduction, GET /2/users/me"""
        answer = self._client.spend("user.read", 1, lambda: self._client.call("get_me", user_fields=USER_FIELDS))
        me = part_of(answer.object, "data")
        if not id_of(me):
            raise AuthFailed("X did not say whose account this is. Connect it again.")
        if self._us_known.id and id_of(me) != self._us_known.id:
            raise AuthFailed(f"The permission is of another account on X (@{text_of(me, 'username')}).")
        self._us_known = Us(id_of(me), text_of(me, "username"), text_of(me, "name"))
        return self._us_known

    def _us(self) -> Us:
        return self._us_known if self._us_known.id else self._ask_who()

    def _reads(self, place: str) -> bool:
        wanted = {"dms": "reads_directs", "quotes": "reads_around"}.get(place)
        return wanted is None or bool(self._settings.get(wanted, True))

    def limits(self) -> Limits:
        most = LONG_POST_LIMIT if self._is_long else POST_LIMIT
        return Limits(max_characters=most, max_recipients=1, max_files=rules.MOST_PICTURES, files_sent_itself=True)

    # --- Reading ----------------------------------------------------------------------------------------------------

    def fetch(self, known: Known, wish: Wish) -> Iterator[Page]:
        """Place by place. What stops one place does not keep the others from being read; it is said at the end."""
        us = self._us()
        days = self._settings.get("history_days", _HISTORY_DAYS)
        since = history_start(float(days) if isinstance(days, int | float) else _HISTORY_DAYS)
        with_context = bool(self._settings.get("reads_context", True))
        reader = Reader(self._client, us, self._owned, since, with_context=with_context)
        readers = {
            "mentions": reader.mentions,
            "dms": reader.directs,
            "own": reader.own,
            "quotes": reader.around,
        }
        troubles: dict[str, ConnectorError] = {}
        is_any_read = False
        left = wish.max_items
        for place, read in readers.items():
            if not self._reads(place) or (wish.scopes is not None and place not in wish.scopes):
                continue
            try:
                for page in read(known.of(place), replace(wish, max_items=left)):
                    left = None if left is None else left - len(page.items)
                    yield page
                is_any_read = True
            except (AuthFailed, BudgetReached):
                raise
            except WindowUsedUp:
                continue  # nobody refused: it is its turn when its window is renewed
            except (RetryLater, Refused) as error:
                troubles[place] = error
            if left is not None and left <= 0:
                break
        _tell(troubles, is_any_read)

    def list_ids(self, scope: Scope) -> Listing:
        """X shows no whole list of anything: what is gone is found by `recheck`."""
        return Listing(())

    def recheck(self, external_ids: Sequence[str]) -> Iterator[Page]:
        yield from rechecking.recheck(self._client, self._us_known, external_ids)

    def parse(self, item: RawItem) -> Parsed:
        if item.scope.place == "outbox":
            return frozen.parse_frozen(item)
        return parse.parse(item, self._us_known)

    def identity_key(self, address: Address) -> str:
        """Handles change hands: only the number names somebody."""
        return address.external_id

    # --- Saying -----------------------------------------------------------------------------------------------------

    def new_key(self) -> str:
        return f"x:draft:{random.token_hex(16)}"

    def compose(self, reply: Reply) -> OutboundMessage:
        return frozen.freeze(reply, self._us_known, self._is_long, self._is_bound)

    def send(self, message: OutboundMessage, commit: Callable[[], None]) -> Receipt:
        us = self._us()
        return sending.send(self._client, us, message, commit, owned=self._owned)

    def find_sent(self, message: OutboundMessage) -> Receipt | None:
        return sending.find_sent(self._client, self._us(), message, owned=self._owned)

    def file_sent(self, message: OutboundMessage) -> None:
        """It stands in our own timeline already."""

    def measure(self, text: str, answers: Post | None = None) -> Measure:
        return rules.measure(text, answers, is_long=self._is_long)

    def objections(self, outline: Outline) -> tuple[str, ...]:
        return rules.objections(outline, is_long=self._is_long, is_bound=self._is_bound)

    def permission(self, answers: Post) -> Permission:
        return rules.permission(answers, is_bound=self._is_bound)

    def price(self, outline: Outline) -> Price | None:
        own = self._settings.get("prices")
        own_prices = (
            {str(name): one for name, one in own.items() if isinstance(one, int)} if isinstance(own, dict) else {}
        )
        return rules.price(outline, own_prices)

    def visibilities(self, answers: Post | None) -> tuple[Visibility, ...]:
        return rules.visibilities(answers)

    # --- Connecting -------------------------------------------------------------------------------------------------

    @classmethod
    def introduction(cls, settings: Mapping[str, Any]) -> Introduction:
        return connecting.introduction(settings)

    @classmethod
    def consent(cls, values: Mapping[str, str], redirect_uri: str) -> tuple[str, Mapping[str, str]]:
        return connecting.consent(values, redirect_uri)

    @classmethod
    def connect(cls, values: Mapping[str, str], kept: Mapping[str, str], code: str, spool: Path) -> Connected:
        return connecting.connect(values, kept, code, spool)

    @classmethod
    def renew(cls, account: AccountSettings, secrets: Mapping[str, SecretText]) -> Grant:
        return connecting.renew(account, secrets)


def _tell(troubles: Mapping[str, ConnectorError], is_any_read: bool) -> None:
    """Raises what stopped places from being read: a wait as a wait, refusals by their places."""
    if not troubles:
        return
    waits = [error for error in troubles.values() if isinstance(error, RetryLater)]
    if waits and len(waits) == len(troubles):
        raise waits[0]
    if not waits and not is_any_read:
        raise next(iter(troubles.values()))
    raise PlacesMissing({place: error.sentence for place, error in troubles.items()})
