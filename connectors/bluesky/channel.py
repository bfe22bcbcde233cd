"""The Bluesky connector: mentions, replies, quotes, direct messages and our own posts of one account on any PDS.

Settings (written when it is connected): `base_url` (the PDS), `did`, `handle`, `name`, `dms` (whether the app password
reads direct messages); `history_days` (of the very first fetch), `chat_service`, `insecure`. Secrets: the session's
tokens, renewed through `account.tokens`, and `password` (the app password) for the day on which both have run out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from connectors.base import AuthFailed, ConnectorError, PlacesMissing, Refused, RetryLater
from connectors.bluesky import connecting, session, speech
from connectors.bluesky.chat import Chat
from connectors.bluesky.compose import COLLECTION, compose, parse_frozen
from connectors.bluesky.fetching import DMS, MENTIONS, OWN, Fetching, raw_item, tombstone
from connectors.bluesky.parse import parse
from connectors.bluesky.sending import Sending, record_exists
from connectors.bluesky.tid import new_tid
from connectors.bluesky.values import moment, text, uri_parts
from connectors.bluesky.xrpc import Absent, Xrpc
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
from connectors.oauth import Grant
from connectors.registry import AccountSettings, SecretText
from connectors.social import Connected, Introduction, KindCard, Measure, Outline, Permission, Post, Price, Visibility

_MAX_LISTED = 100_000
# https://docs.bsky.app/docs/advanced-guides/rate-limits: 3,000 calls in five minutes from one address
_QUOTA = (Quota(3000, 300, is_shared=True),)


class BlueskyConnector:
    kind: ClassVar[str] = "bluesky"
    card: ClassVar[KindCard] = KindCard("Bluesky", letter="B")
    poll_places: ClassVar[tuple[PollPlace, ...]] = (
        PollPlace("mentions", "GET /xrpc/app.bsky.notification.listNotifications", _QUOTA),
        PollPlace("dms", "GET /xrpc/chat.bsky.convo.listConvos", _QUOTA),
        PollPlace("own", "GET /xrpc/app.bsky.feed.getAuthorFeed", _QUOTA, weight=0.2),
    )

    def __init__(self, account: AccountSettings, secrets: Mapping[str, SecretText]) -> None:
        self._account, self._secrets, self._settings = account, secrets, account.settings
        self._made: Xrpc | None = None
        self._did = str(self._settings.get("did") or "")

    @property
    def _xrpc(self) -> Xrpc:
        if self._made is None:
            self._made = Xrpc.of(self._account, self._secrets)
        return self._made

    @property
    def _us(self) -> Address:
        name = str(self._settings.get("name") or "")
        return Address(self._account.address.removeprefix("@"), name, self._did)

    def close(self) -> None:
        if self._made is not None:
            self._made.close()

    # --- Who we are -------------------------------------------------------------------------------------------------

    def check(self) -> Party:
        found = self._xrpc.query("com.atproto.server.getSession")
        did, handle = text(found, "did", most=300), text(found, "handle", most=300)
        if found.get("active") is False:
            raise AuthFailed(f"This Bluesky account is {text(found, 'status') or 'not active'} just now.")
        if not did or (self._did and did != self._did):
            raise AuthFailed(f"This log-in is of another Bluesky account (@{handle}). Connect it again.")
        self._did = did
        notes = []
        try:
            reads_direct = self._chat.is_there()
        except RetryLater:
            reads_direct = False
        if not reads_direct:
            notes.append(
                "Direct messages are not read: the app password does not allow it, or this server does not offer it."
            )
        elif self._settings.get("dms") is False:
            notes.append("Direct messages can be read now. Connect the account again to bring them in.")
        places = ("mentions", "own", *(("dms",) if reads_direct and self._reads_direct else ()))
        return Party(handle, str(self._settings.get("name") or ""), places, "own", tuple(notes))

    def _our_did(self) -> str:
        if not self._did:
            self._did = text(self._xrpc.query("com.atproto.server.getSession"), "did", most=300)
        return self._did

    @property
    def _reads_direct(self) -> bool:
        return self._settings.get("dms") is not False

    @property
    def _chat(self) -> Chat:
        return Chat(self._xrpc, self._did, self._settings)

    def limits(self) -> Limits:
        """Lengths are told by `measure`: a post has 300 characters, whatever they are made of."""
        return Limits(
            max_characters=speech.POST_GRAPHEMES,
            max_attachment_bytes=speech.MAX_PICTURES * speech.MAX_PICTURE_BYTES,
            max_recipients=1,
            max_files=speech.MAX_PICTURES,
            files_sent_itself=True,
        )

    # --- Reading ----------------------------------------------------------------------------------------------------

    def fetch(self, known: Known, wish: Wish) -> Iterator[Page]:
        """Place by place; that direct messages cannot be read just now is said at the end."""
        fetching = Fetching(self._xrpc, self._our_did(), self._settings)
        left = wish.max_items
        wanted = [one.place for one in self.poll_places if wish.scopes is None or one.place in wish.scopes]
        missing: dict[str, str] = {}
        for place in wanted:
            if left is not None and left <= 0:
                break
            limited = Wish(left, wish.page_items, wish.page_bytes, wish.retry_troubled, wish.scopes)
            for page in self._pages(place, fetching, known, limited, missing):
                yield page
                left = None if left is None else left - len(page.items)
        if missing:
            raise PlacesMissing(missing)

    def _pages(
        self, place: str, fetching: Fetching, known: Known, wish: Wish, missing: dict[str, str]
    ) -> Iterator[Page]:
        if place == DMS.place:
            if not self._reads_direct:
                return
            try:
                yield from self._chat.fetch(known, wish)
            except (Absent, Refused):
                return
            except RetryLater as error:
                missing[place] = f"Direct messages cannot be read just now. {error.sentence}"
        elif place == MENTIONS.place:
            yield from fetching.mentions(known, wish)
        else:
            yield from fetching.own(known, wish)

    def list_ids(self, scope: Scope) -> Listing:
        """Of our own posts, by our server. What others sent us is in no list that would be whole."""
        if scope.place != OWN.place:
            raise Refused("Bluesky has no whole list of that.")
        found, cursor = [], ""
        for _ in range(_MAX_LISTED // 100):
            params: list[tuple[str, Any]] = [("repo", self._our_did()), ("collection", COLLECTION), ("limit", 100)]
            data = self._xrpc.query(
                "com.atproto.repo.listRecords", [*params, *([("cursor", cursor)] if cursor else [])]
            )
            records = data.get("records")
            found += [text(one, "uri") for one in records if text(one, "uri")] if isinstance(records, list) else []
            cursor = text(data, "cursor", most=2000)
            if not cursor or not records:
                break
        return Listing(sorted(set(found)))

    def recheck(self, external_ids: Sequence[str]) -> Iterator[Page]:
        """A post that is not shown is gone only when its record is: who has blocked us has deleted nothing."""
        fetching = Fetching(self._xrpc, self._our_did(), self._settings)
        uris = [one for one in external_ids if uri_parts(one)[1] == COLLECTION]
        for start in range(0, len(uris), 25):
            items = list(self._looked_at(fetching, uris[start : start + 25]))
            if items:
                yield Page(tuple(items))

    def _looked_at(self, fetching: Fetching, uris: Sequence[str]) -> Iterator[RawItem]:
        found, now = fetching.posts(uris), datetime.now(UTC)
        for uri in uris:
            is_ours = uri_parts(uri)[0] == self._did
            scope, view = OWN if is_ours else MENTIONS, found.get(uri)
            if view is not None:
                at = moment(view, "indexedAt") or now
                yield raw_item(scope, uri, text(view, "cid"), at, {"post": view}, is_sent=is_ours)
            elif not record_exists(self._xrpc, uri):
                yield tombstone(scope, uri, now)

    def parse(self, item: RawItem) -> Parsed:
        return parse_frozen(item) if item.scope.place == "outbox" else parse(item, self._us)

    def identity_key(self, address: Address) -> str:
        return address.external_id

    # --- Writing ----------------------------------------------------------------------------------------------------

    def new_key(self) -> str:
        """The address that the post will have. Without our DID (an account never connected) it names nobody."""
        return f"at://{self._did or 'did:unknown'}/{COLLECTION}/{new_tid()}"

    def compose(self, reply: Reply) -> OutboundMessage:
        return compose(reply, self._us)

    def send(self, message: OutboundMessage, commit: Callable[[], None]) -> Receipt:
        return Sending(self._xrpc, self._our_did(), self._settings).send(message, commit)

    def find_sent(self, message: OutboundMessage) -> Receipt | None:
        return Sending(self._xrpc, self._our_did(), self._settings).find_sent(message)

    def file_sent(self, message: OutboundMessage) -> None:
        return

    # --- What may be said -------------------------------------------------------------------------------------------

    def measure(self, text: str, answers: Post | None = None) -> Measure:
        return speech.measure(text, speech.is_direct(None, answers))

    def objections(self, outline: Outline) -> tuple[str, ...]:
        return speech.objections(outline)

    def permission(self, answers: Post) -> Permission:
        return speech.permission(answers)

    def price(self, outline: Outline) -> Price | None:
        return None

    def visibilities(self, answers: Post | None) -> tuple[Visibility, ...]:
        return speech.visibilities(answers, self._settings.get("dms") is True)

    # --- Connecting -------------------------------------------------------------------------------------------------

    @classmethod
    def introduction(cls, settings: Mapping[str, Any]) -> Introduction:
        return connecting.introduction(settings)

    @classmethod
    def consent(cls, values: Mapping[str, str], redirect_uri: str) -> tuple[str, Mapping[str, str]]:
        raise ConnectorError("Bluesky needs no consent in a browser: handle and app password are enough.")

    @classmethod
    def connect(cls, values: Mapping[str, str], kept: Mapping[str, str], code: str, spool: Path) -> Connected:
        return connecting.connect(values, spool)

    @classmethod
    def renew(cls, account: AccountSettings, secrets: Mapping[str, SecretText]) -> Grant:
        return session.renew(account, secrets)
