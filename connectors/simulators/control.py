"""What every simulated social network offers to the control page, to the demo and to tests: people who do things.

A network is a `SimulatedServer` that also keeps `Controllable`. Everything takes effect at once, or when the network's
own delays let it; ids are the network's own (an X id, a Mastodon status id, an at-uri). Called on any thread: take
`self.lock` of the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from connectors.simulators.faults import Faults


class NoSuchEntry(LookupError):
    """A person or an entry that this network does not have; one sentence."""


@dataclass(frozen=True, slots=True)
class Person:
    handle: str  # as people write it, without the leading @
    name: str
    followers: int = 0
    bio: str = ""
    is_ours: bool = False  # an account that a Balas may be connected to
    is_suspended: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a network's timeline. Deleted ones stay listed, as the network remembers that there was one."""

    id: str
    author: str  # handle
    text: str
    at: datetime
    kind: str = "post"  # post | reply | quote | boost | direct
    about: str = ""  # the id of what it answers, quotes or boosts
    to: str = ""  # direct: the handle it went to
    is_ours: bool = False
    is_edited: bool = False
    is_deleted: bool = False
    notes: tuple[str, ...] = ()  # such as "followers only", "content warning: food", "1 picture"


@runtime_checkable
class Controllable(Protocol):
    """All raise NoSuchEntry for a person or an entry that is not there, ValueError for what the network refuses."""

    network: str  # "X", "Mastodon", "Bluesky"
    base_url: str
    faults: Faults

    @property
    def our_handle(self) -> str:
        """Of the account that the demo connects."""
        ...

    def people(self) -> Sequence[Person]: ...

    def timeline(self, most: int = 50) -> Sequence[Entry]:
        """Newest first, of everybody, ours and direct messages included."""
        ...

    def say(self, who: str, text: str, *, answers: str = "", quotes: str = "", is_direct: bool = False) -> str:
        """`who` writes, and the id comes back. Neither answer nor quote: it mentions us, so the text is given our @
        in front where it lacks it. `is_direct`: to us alone, `answers` may name an earlier one."""
        ...

    def boost(self, who: str, about: str) -> str: ...

    def edit(self, about: str, text: str) -> str:
        """The id of the edited entry: a new one on X, the same elsewhere. ValueError where a network has no edits."""
        ...

    def delete(self, about: str) -> None: ...

    def suspend(self, who: str, is_suspended: bool = True) -> None: ...


@runtime_checkable
class Telling(Protocol):
    """A network with something to say on the control page besides its timeline."""

    def facts(self) -> Sequence[str]:
        """Sentences."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """What an account of ours is connected with, as if its owner had just said yes (`connectors.social.Connected`)."""

    kind: str
    address: str  # our handle
    name: str
    external_id: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)


@runtime_checkable
class Rehearsable(Controllable, Protocol):
    """What the demo needs besides; made with `usual_port` and `now`, started and stopped as a `SimulatedServer`."""

    def welcome(self, person: Person) -> None:
        """A new member; with `is_ours` the account that is going to be connected."""
        ...

    def connection(self) -> Connection:
        """For our account, after `start`. Fresh tokens at each call; those of before stay good."""
        ...


@runtime_checkable
class Kept(Protocol):
    """A network that outlives its process; the demo asks for its state now and then (`keeping.pack` helps)."""

    def remember(self) -> dict[str, Any]:
        """Plain JSON: people, entries, apps and tokens, so that connected accounts go on."""
        ...

    def recall(self, state: Mapping[str, Any]) -> None:
        """Before `start`. Raises ValueError, TypeError or KeyError for what another version left; then it is new."""
        ...
