"""What calls use up: limits of a platform and money. A connector asks before each call and says afterwards.

    meter.open("GET /2/users/:id/mentions")      raises RetryLater while that endpoint's window is used up
    most = meter.reserve("post.read", 100)       how many of them the budget still allows; raises BudgetReached for 0
    …the call…
    meter.note(endpoint, windows)                what the answer said about limits
    meter.settle("post.read", reserved=most, used=37, ids=[…37 of them…])

Whoever keeps a meter for an account makes it durable: a crash between `reserve` and `settle` counts the reservation
as spent. No transaction may be open around these calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import ClassVar, Protocol, runtime_checkable

from connectors.base import RetryLater
from connectors.social import Window


class WindowUsedUp(RetryLater):
    """No call is left to an endpoint until its window is renewed. Nobody was asked, so nobody refused."""


class BudgetReached(RetryLater):
    """The owner's own budget for this account is used up; reading or sending goes on when it is renewed."""


class Meter(Protocol):
    def open(self, endpoint: str) -> None:
        """Raises RetryLater(after) while it is known that the platform would refuse this endpoint."""
        ...

    def note(self, endpoint: str, windows: Sequence[Window], refused_for: timedelta | None = None) -> None:
        """`refused_for`: the platform did refuse, and named or implied this wait."""
        ...

    def reserve(self, resource: str, most: int) -> int:
        """At most `most`, at least 1. Raises BudgetReached when not even one is allowed any more."""
        ...

    def settle(self, resource: str, reserved: int, used: int, ids: Sequence[str] = ()) -> None:
        """`ids`: which they were, where the platform charges for each only once a UTC day (`PriceList.once_a_day`);
        what was counted today already is not counted again."""
        ...


class Unmetered:
    """For platforms without prices, and wherever nobody counts."""

    def open(self, endpoint: str) -> None:
        return

    def note(self, endpoint: str, windows: Sequence[Window], refused_for: timedelta | None = None) -> None:
        return

    def reserve(self, resource: str, most: int) -> int:
        return most

    def settle(self, resource: str, reserved: int, used: int, ids: Sequence[str] = ()) -> None:
        return


@dataclass(frozen=True, slots=True)
class PriceList:
    """What a platform charges, as last read by us. The owner may know better: the inbox lets them change it."""

    as_of: date
    source: str  # the page it was read from
    micros: Mapping[str, int]  # resource → millionths of a US dollar for one
    words: Mapping[str, str] = field(default_factory=dict)  # resource → what it is, for people
    once_a_day: frozenset[str] = frozenset()  # the same one again within a UTC day costs nothing
    same_as: Mapping[str, str] = field(default_factory=dict)  # of which another resource tells the same things


@runtime_checkable
class Charges(Protocol):
    """A connector (and its class) whose platform takes money for calls."""

    price_list: ClassVar[PriceList]


# --- How often a kind may be asked ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quota:
    """So many calls in so many seconds, as documented; answers know better. `is_shared`: by the accounts of an app."""

    calls: int
    seconds: int
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class PollPlace:
    """One scope that polls look at: who answers, how often it may be asked, what each new item there costs.

    `weight`: how much it matters that news there is seen soon; 1 for what people wait for, far less for our own posts.
    """

    place: str  # Scope.place
    endpoint: str
    quotas: tuple[Quota, ...] = ()
    resources: tuple[str, ...] = ()  # of which one new item uses one each
    weight: float = 1.0
    soonest: float = 15.0  # seconds: out of politeness never sooner again, whatever the quotas allow


@runtime_checkable
class Paced(Protocol):
    """A connector (and its class) that can look at some of its scopes alone (`Wish.scopes`)."""

    poll_places: ClassVar[tuple[PollPlace, ...]]
