"""An account on a server that speaks Mastodon's client API, assembled into the connector contract.

Settings of an account:

    base_url           the server, such as https://social.example
    us, instance       who we are there and what the server allows, as last told; asked again where they are missing
    history_days       how far back the first look goes; all there is unless set
    answers_publicly   propose public answers to public posts; unlisted unless set
    insecure           allow plain http to another machine

Secrets: `access_token` (and `client_id`, `client_secret` of the app that got it). A thin client over connectors/wire.py
and not Mastodon.py: that library turns dates, ids and booleans of every answer into objects of its own, so the payload
as the server sent it is lost, it asks for a server's version to decide which calls it allows, and loading it takes
0.3 s and 30 MB of every process.
"""

from __future__ import annotations

import asyncio
import secrets as random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from connectors.base import AuthFailed, ConnectorError, PlacesMissing, Refused, RetryLater
from connectors.mastodon import connecting, frozen, parse, rules, sending
from connectors.mastodon.connecting import MASTODON, ask_who
from connectors.mastodon.instance import Instance, ask_instance, instance_of
from connectors.mastodon.people import Us, us_of
from connectors.mastodon.reading import NOTIFICATIONS, STATUSES, Reader
from connectors.mastodon.streaming import StreamDoorbell, open_stream
from connectors.mastodon.values import part
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
from connectors.metering import PollPlace, Quota
from connectors.registry import AccountSettings, SecretText
from connectors.social import (
    Connected,
    Introduction,
    KindCard,
    Measure,
    Outline,
    Permission,
    Post,
    Price,
    Visibility,
)
from connectors.wire import Wire

# https://docs.joinmastodon.org/api/rate-limits/
_QUOTA = (Quota(300, 300),)


class MastodonConnector:
    kind: ClassVar[str] = "mastodon"
    card: ClassVar[KindCard] = KindCard("Mastodon", "M", has_warning=True, names_sends=True)
    poll_places: ClassVar[tuple[PollPlace, ...]] = (
        PollPlace("mentions", NOTIFICATIONS, _QUOTA),
        PollPlace("own", STATUSES, _QUOTA, weight=0.1),
    )

    def __init__(self, account: AccountSettings, secrets: Mapping[str, SecretText]) -> None:
        self._account = account
        self._settings = account.settings
        self._secrets = secrets
        self._wire_made: Wire | None = None
        self._us_known = us_of(part(self._settings, "us"))
        self._is_instance_told = bool(self._settings.get("instance"))
        self._instance = instance_of(self._settings.get("instance"))

    @property
    def _wire(self) -> Wire:
        if self._wire_made is None:
            token = str(self._secrets.get("access_token") or "")
            if not token and self._account.tokens is None:
                raise AuthFailed("There is no access token for this account. Connect it again.")
            self._wire_made = Wire.of(self._account, MASTODON, token)
        return self._wire_made

    def close(self) -> None:
        if self._wire_made is not None:
            self._wire_made.close()

    # --- Who we are -------------------------------------------------------------------------------------------------

    def check(self) -> Party:
        self._instance, self._is_instance_told = ask_instance(self._wire), True
        before, us = self._us_known, ask_who(self._wire, self._instance)
        if before.id and before.server == us.server and before.id != us.id:
            raise AuthFailed(f"The permission is of another account there ({us.handle}).")
        self._us_known = us
        return Party(us.handle, us.name, ("mentions", "own"), "own", (connecting.note_of(self._instance),))

    def _us(self) -> Us:
        known = self._us_known
        if not known.id or not known.uri or known.server != self._wire.host:
            self._us_known = ask_who(self._wire, self._told_instance())
        return self._us_known

    def _told_instance(self) -> Instance:
        """A server without such a document is read all the same, by the usual limits."""
        if not self._is_instance_told:
            try:
                self._instance = ask_instance(self._wire)
            except Refused:
                self._instance = Instance()
            except RetryLater:
                return self._instance  # asked again the next time
            self._is_instance_told = True
        return self._instance

    def limits(self) -> Limits:
        known = self._instance
        return Limits(
            max_characters=known.max_characters,
            max_recipients=1,
            max_files=known.max_files,
            max_attachment_bytes=max(known.max_image_bytes * known.max_files, known.max_video_bytes),
            files_sent_itself=True,
        )

    # --- Reading ----------------------------------------------------------------------------------------------------

    def fetch(self, known: Known, wish: Wish) -> Iterator[Page]:
        """Notifications, then our own posts. What stops one of them does not keep the other from being read."""
        us, now = self._us(), datetime.now(UTC)
        days = self._settings.get("history_days")
        since = now - timedelta(days=min(float(days), 36_500)) if isinstance(days, int | float) and days > 0 else None
        reader = Reader(self._wire, us, self._told_instance(), since)
        readers = {"mentions": reader.mentions, "own": reader.own}
        troubles: dict[str, ConnectorError] = {}
        left = wish.max_items
        for place, read in readers.items():
            if wish.scopes is not None and place not in wish.scopes:
                continue
            if left is not None and left <= 0:
                break
            try:
                for page in read(known.of(place), replace(wish, max_items=left), now):
                    left = None if left is None else left - len(page.items)
                    yield page
            except AuthFailed:
                raise
            except (RetryLater, Refused) as error:
                troubles[place] = error
        _tell(troubles)

    def list_ids(self, scope: Scope) -> Listing:
        """No server shows a whole list: what is gone is found by `recheck`."""
        return Listing(())

    def recheck(self, external_ids: Sequence[str]) -> Iterator[Page]:
        reader = Reader(self._wire, self._us(), self._told_instance())
        yield from reader.recheck(external_ids)

    def parse(self, item: RawItem) -> Parsed:
        return frozen.parse_frozen(item) if item.scope.place == "outbox" else parse.parse_item(item)

    def identity_key(self, address: Address) -> str:
        """Handles change hands: only the platform's own id names somebody."""
        return address.external_id

    async def open_doorbell(self) -> StreamDoorbell:
        """The stream of our notifications, over a connection of its own."""
        instance = self._instance if self._is_instance_told else await asyncio.to_thread(self._told_instance)
        token = str(self._secrets.get("access_token") or "")
        if self._account.tokens is not None:
            token = await asyncio.to_thread(self._account.tokens.current)
        if not token:
            raise AuthFailed("There is no access token for this account. Connect it again.")
        return await open_stream(self._wire.base_url, instance.streaming, token)

    # --- Saying -----------------------------------------------------------------------------------------------------

    def new_key(self) -> str:
        return f"mastodon:draft:{random.token_hex(16)}"

    def compose(self, reply: Reply) -> OutboundMessage:
        return frozen.freeze(reply, self._us_known, self._instance, dict(self._settings))

    def send(self, message: OutboundMessage, commit: Callable[[], None]) -> Receipt:
        return sending.send(self._wire, self._us(), message, commit)

    def find_sent(self, message: OutboundMessage) -> Receipt | None:
        return sending.find_sent(self._wire, self._us(), message)

    def file_sent(self, message: OutboundMessage) -> None:
        """It stands among our own posts already."""

    def measure(self, text: str, answers: Post | None = None) -> Measure:
        return rules.measure(text, answers, self._instance, self._us_known.domain)

    def objections(self, outline: Outline) -> tuple[str, ...]:
        return rules.objections(outline, self._instance, self._settings, self._us_known.domain)

    def permission(self, answers: Post) -> Permission:
        return rules.permission(answers)

    def price(self, outline: Outline) -> Price | None:
        return None

    def visibilities(self, answers: Post | None) -> tuple[Visibility, ...]:
        return rules.visibilities(answers, self._settings)

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


def _tell(troubles: Mapping[str, ConnectorError]) -> None:
    """Raises what stopped places from being read: a wait as a wait, refusals by their place."""
    if not troubles:
        return
    waits = [error for error in troubles.values() if isinstance(error, RetryLater)]
    if len(waits) == len(troubles):
        raise waits[0]
    raise PlacesMissing({place: error.sentence for place, error in troubles.items()})
