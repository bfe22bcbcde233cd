"""The contract that every channel kind keeps, and the one family of errors that may cross it.

    provider ──fetch──▶ Page(RawItem, Covered, Trouble) ──(shelf stores it)──▶ parse(RawItem) ──▶ Parsed
    provider ◀──send── OutboundMessage + commit()          find_sent() answers "did it arrive after all?"

A connector holds one account's settings and credentials, speaks one protocol, and knows neither Django nor the
database. Every network call has a deadline; every loop over what the provider says has a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, runtime_checkable

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
    Tended,
    Wish,
)
from connectors.social import KindCard, Measure, Outline, Permission, Post, Price, Visibility


class ConnectorError(Exception):
    """Something a person should read in one sentence. Never holds a secret or a message text."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class RetryLater(ConnectorError):
    """It will work later by itself: network, server away, throttled, temporary refusal."""

    def __init__(self, sentence: str, after: timedelta | None = None) -> None:
        super().__init__(sentence)
        self.after = after


class LogInExpired(RetryLater):
    """The provider ended a session because its access token ran out: with a new one it goes on at once."""


class PlacesMissing(RetryLater):
    """Some places cannot be opened now; the others were brought. `places`: name → the sentence about it."""

    def __init__(self, places: Mapping[str, str]) -> None:
        super().__init__(" ".join(places.values()))
        self.places = dict(places)


class AuthFailed(ConnectorError):
    """The provider refused the credentials themselves. Only this parks an account."""


class Refused(ConnectorError):
    """The provider refused for good: trying the same again is pointless."""


class Unsupported(ConnectorError):
    """The channel cannot say this. Never drop content silently: raise this."""


class OutcomeUnknown(ConnectorError):
    """The point of no return was passed and no clear answer came. Never send again on this alone."""


@runtime_checkable
class Connector(Protocol):
    kind: ClassVar[str]
    card: ClassVar[KindCard]

    def check(self) -> Party:
        """Log in everywhere the account needs it and say who we are. Raises a ConnectorError that names what failed."""
        ...

    def limits(self) -> Limits: ...

    def fetch(self, known: Known, wish: Wish) -> Iterator[Page]:
        """Bring what is not known, newest first. Network only; every page stands alone and is resumable."""
        ...

    def list_ids(self, scope: Scope) -> Listing:
        """External ids that the server holds now, ascending: for reconciliation."""
        ...

    def parse(self, item: RawItem) -> Parsed:
        """Pure and bounded: no network, no clock. Raises nothing but MemoryError; what is broken is flagged."""
        ...

    def identity_key(self, address: Address) -> str:
        """Pure: the form in which two addresses of this kind are compared, "" when this names nobody."""
        ...

    def new_key(self) -> str:
        """A fresh, unguessable idempotency key; for mail a Message-ID without brackets."""
        ...

    def compose(self, reply: Reply) -> OutboundMessage:
        """Pure: freeze a reply into the exact bytes that will be sent. Raises Unsupported for what cannot be said."""
        ...

    def send(self, message: OutboundMessage, commit: Callable[[], None]) -> Receipt:
        """Send; call `commit` once, before the point of no return. Raises OutcomeUnknown only after it."""
        ...

    def find_sent(self, message: OutboundMessage) -> Receipt | None:
        """Evidence that a message of unknown outcome left after all, or None when there is none."""
        ...

    def file_sent(self, message: OutboundMessage) -> None:
        """Put a copy into the provider's Sent, where it does not do so itself. Repeating it files no second copy."""
        ...

    def close(self) -> None: ...


class TokenSource(Protocol):
    """Where a connector gets access tokens (OAuth 2). May ask the network and the database; safe on any thread."""

    def current(self) -> str:
        """A token that is still good for a while. Raises AuthFailed, RetryLater."""
        ...

    def renewed(self, refused: str) -> str:
        """Another token, after the provider refused this one or ended a session over it. Raises as `current`."""
        ...


@runtime_checkable
class ListsPlaces(Protocol):
    """A connector that can name the folders from which an account may choose."""

    def list_places(self) -> list[tuple[str, frozenset[str]]]:
        """(name, lower-case marks such as "\\\\sent" or "\\\\all") in the server's order. Raises ConnectorError."""
        ...


@runtime_checkable
class TendsPlaces(Protocol):
    """A connector that can change what lies at the provider, where the owner wants it. Nothing else ever does."""

    def tend(self, scope: Scope, items: Sequence[tuple[str, datetime]], *, mark_seen: bool, move_to: str) -> Tended:
        """Marks these (external id, received at) as read, then moves them ("" moves nothing). Only what is still the
        same is touched. Raises ConnectorError; what was done before is done."""
        ...


@runtime_checkable
class Speaks(Protocol):
    """A connector whose platform has rules for what may be said there. All of it pure, without credentials."""

    def measure(self, text: str, answers: Post | None = None) -> Measure:
        """`answers`: what is answered, for a direct message may be longer than a post."""
        ...

    def objections(self, outline: Outline) -> tuple[str, ...]:
        """What the platform would refuse, one sentence each; nothing means that it would take it."""
        ...

    def permission(self, answers: Post) -> Permission: ...

    def price(self, outline: Outline) -> Price | None: ...

    def visibilities(self, answers: Post | None) -> tuple[Visibility, ...]:
        """What an answer may be, the proposed one first; never wider than what is answered."""
        ...


@runtime_checkable
class Rechecks(Protocol):
    """A connector whose platform does not tell of edits and deletions by itself."""

    def recheck(self, external_ids: Sequence[str]) -> Iterator[Page]:
        """Looks at these again; brings a new version of what was changed and of what is gone, nothing of the rest."""
        ...


class Doorbell(Protocol):
    """A connection that waits for news inside an event loop. It says “look now” and carries no truth.

    One task waits at a time. `host` names where it leads: what befalls one connection to a host may befall them all.
    `mark` tells how the place stood when it was opened: as long as marks are equal nothing has come; None says nothing.
    `is_whole`: it hears every place that the account reads, the one for sent messages aside.
    """

    host: str
    is_whole: bool
    mark: tuple[int, ...] | None

    @property
    def heard_at(self) -> float:
        """When the provider last said anything, in the time of the loop."""
        ...

    async def wait(self, seconds: float | None = None) -> bool:
        """True as soon as something may be new, False after `seconds` without. Raises RetryLater when it is lost."""
        ...

    async def look(self) -> bool:
        """Asks now instead of waiting to be told. Raises RetryLater when it is lost."""
        ...

    def hurry(self) -> None:
        """Has whoever waits make sure now that the provider is still there."""
        ...

    def close(self) -> None:
        """Lets go without a word; never blocks, never raises."""
        ...


@runtime_checkable
class HasDoorbell(Protocol):
    """A connector whose provider can say by itself that something is new."""

    async def open_doorbell(self) -> Doorbell:
        """Logs in and begins to wait; needs the credentials only now. Raises Unsupported where there is no doorbell,
        AuthFailed, RetryLater, Refused."""
        ...


@runtime_checkable
class SendsTogether(Protocol):
    """A connector that can also send several messages side by side, with one commit for each few of them."""

    def send_together(
        self,
        messages: Sequence[OutboundMessage],
        commit: Callable[[list[int]], None],
        meanwhile: Callable[[], None] | None = None,
    ) -> list[Receipt | ConnectorError]:
        """One result per message, in order. `commit` gets positions and is called before their point of no return;
        what it raises ends everything, with nothing of that group sent. `meanwhile` is other work for the calling
        thread, done once while it would only wait, before any `commit`; it does not raise."""
        ...
