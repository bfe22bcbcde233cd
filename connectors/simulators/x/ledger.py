"""What X charges: docs.x.com/x-api/getting-started/pricing, with the changes of 2026-04-20 (owned reads, links).

Reads are charged for each resource in the answer, a resource once per UTC day; writes for each successful request.
A user or a post that comes along by expansion is a resource in the answer; the facts of a picture that belong to a post
are part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

AS_OF = date(2026, 11, 25)
MICROS = {
    "Posts: Read": 5_000,
    "Owned Reads": 1_000,
    "User: Read": 10_000,
    "DM Event: Read": 10_000,
    "Content: Create": 15_000,
    "Content: Create (with URL)": 200_000,
    "DM Interaction: Create": 15_000,
    "Interaction: Delete": 10_000,
    "Content: Manage": 5_000,
    "Media Metadata": 5_000,
}


@dataclass(frozen=True, slots=True)
class Charge:
    at: datetime
    user_id: str
    what: str  # a name of MICROS
    resource: str  # the id read, or the route written to
    micros: int


@dataclass(slots=True)
class Ledger:
    """`balance` in millionths of a US dollar; None: as much as one likes. `charges`, oldest first."""

    now: Callable[[], datetime]
    balance: int | None = None
    charges: list[Charge] = field(default_factory=list)
    _paid: set[tuple[date, str, str]] = field(default_factory=set)

    def read(self, user_id: str, what: str, ids: Iterable[str]) -> None:
        """A post is the same resource whether it was read as our own or not."""
        thing = "post" if what in ("Posts: Read", "Owned Reads") else what
        for id_ in ids:
            key = (self.now().date(), thing, id_)
            if key not in self._paid:
                self._paid.add(key)
                self._charge(user_id, what, id_)

    def write(self, user_id: str, what: str, resource: str) -> None:
        self._charge(user_id, what, resource)

    def _charge(self, user_id: str, what: str, resource: str) -> None:
        micros = MICROS[what]
        self.charges.append(Charge(self.now(), user_id, what, resource, micros))
        if self.balance is not None:
            self.balance -= micros

    @property
    def is_empty(self) -> bool:
        return self.balance is not None and self.balance <= 0

    def micros(self, user_id: str = "", day: date | None = None) -> int:
        """Charged in all, or to one account, or on one UTC day."""
        return sum(
            one.micros
            for one in self.charges
            if (not user_id or one.user_id == user_id) and (day is None or one.at.date() == day)
        )

    def counts(self) -> Counter[str]:
        return Counter(one.what for one in self.charges)
