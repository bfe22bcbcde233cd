"""Where a message belongs: in which reference graph, in whose strand of it, and whether it may come back to old work.

A thread is a graph of references and knows no persons. A strand is one counterparty's part of it: five hundred
answers to one newsletter are one thread and five hundred strands. Subjects and ticket numbers never join anything.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final, Generic, TypeVar

from connectors.messages import ParsedMessage
from inbox.rules.states import Status

MAX_KEYS: Final = 50  # the root and the nearest parents
MAX_KEY_LENGTH: Final = 500
MIN_KEY_LENGTH: Final = 6
DEFAULT_REOPEN: Final = timedelta(days=30)

# What broken software writes where an id should be. Joining by these would join strangers' matters.
_NO_IDS = frozenset({"null", "none", "nil", "undefined", "unknown", "message-id", "messageid", "id", "nan", "noreply"})

Key = TypeVar("Key", bound=Hashable)


# --- Threads --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class References:
    own: str | None  # of the message itself; None when it has no usable id
    parents: tuple[str, ...]  # nearest first, without `own`


@lru_cache(maxsize=4096)  # a thread's messages name each other again and again
def reference_key(message_id: str) -> str | None:
    """How a Message-ID is compared and stored: as written, long ones by hash; None when it identifies nothing."""
    key = message_id.strip().strip("<>").strip()
    local, _, domain = key.partition("@")
    if len(key) < MIN_KEY_LENGTH or not key.isprintable() or " " in key:
        return None
    if local.casefold() in _NO_IDS or not local or (not domain and (len(key) < 12 or "@" in key)):
        return None
    if len(set(key)) < 4:
        return None
    return key if len(key) <= MAX_KEY_LENGTH else "sha256:" + sha256(key.encode()).hexdigest()


def reference_keys(parsed: ParsedMessage) -> References:
    """The keys of a message and its parents: In-Reply-To, then References from the newest to the oldest."""
    own = reference_key(parsed.message_id)
    named = [parsed.in_reply_to, *reversed(parsed.references)]
    keys = [key for key in map(reference_key, named) if key is not None and key != own]
    parents = list(dict.fromkeys(keys))
    if len(parents) > MAX_KEYS:
        parents = [*parents[: MAX_KEYS - 1], parents[-1]]
    return References(own, tuple(parents))


@dataclass(frozen=True, slots=True)
class ThreadChoice:
    thread: int | None  # None: a new one
    merged: tuple[int, ...]  # threads that turn out to be parts of it
    new_keys: tuple[str, ...]  # to be remembered as lying in it


def choose_thread(references: References, known: Mapping[str, int], *, is_trusted: bool = True) -> ThreadChoice:
    """The graph that a message belongs to, given the root thread of each key that is known.

    The oldest (smallest) thread absorbs the others, so the outcome does not depend on the order of arrival.
    What is not trusted joins nothing and connects nothing: it gets a thread of its own.
    """
    if not is_trusted:
        own = references.own
        return ThreadChoice(None, (), (own,) if own is not None and own not in known else ())
    keys = [key for key in (references.own, *references.parents) if key is not None]
    found = sorted({known[key] for key in keys if key in known})
    new_keys = tuple(key for key in keys if key not in known)
    return ThreadChoice(found[0] if found else None, tuple(found[1:]), new_keys)


# --- Strands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StrandView(Generic[Key]):
    """A strand of the chosen thread. `is_referred`: the message names at least one message that lies in it."""

    id: int
    counterparty: Key
    sequence: int
    participants: Collection[Key]  # the counterparty may be among them
    is_referred: bool

    def has(self, person: Key) -> bool:
        return person == self.counterparty or person in self.participants


@dataclass(frozen=True, slots=True)
class Placement(Generic[Key]):
    strand: int | None  # None: open a new strand
    counterparty: Key | None  # of the new strand; None when nobody can be told
    sequence: int = 0


def may_join(verified: bool | None, participates: bool, refers: bool) -> bool:
    """Whether mail from outside may enter a strand and wake it.

    A failed check never may. Otherwise the writer must take part in it and name a message of it; where no server
    verifies senders (None) the same holds, because our Message-IDs cannot be guessed, and the message is badged.
    """
    return verified is not False and participates and refers


def may_add_people(verified: bool | None) -> bool:
    """Whether the To and Cc of inbound mail bring people into its strand."""
    return verified is not False


def place_inbound(author: Key | None, verified: bool | None, strands: Sequence[StrandView[Key]]) -> Placement[Key]:
    """The strand of a message from outside. `strands` are those of its thread, `author` its From, if it has one."""
    if author is None:
        return Placement(None, None)
    joinable = [strand for strand in strands if may_join(verified, strand.has(author), strand.is_referred)]
    # A verified writer's own strand is theirs even when they answer another message of the thread.
    if not joinable and verified:
        joinable = [strand for strand in strands if strand.counterparty == author]
    if joinable:
        best = max(joinable, key=lambda strand: (strand.counterparty == author, strand.sequence, strand.id))
        return Placement(best.id, best.counterparty, best.sequence)
    return Placement(None, author, _next_sequence(author, strands))


def place_outbound(
    recipients: Iterable[Key], own: Collection[Key], strands: Sequence[StrandView[Key]]
) -> Placement[Key]:
    """The strand of what we sent. `recipients` in the order To, Cc, Bcc; `own` are our addresses."""
    people = list(recipients)
    outside = [person for person in people if person not in own]
    named = set(outside)
    known = [strand for strand in strands if strand.counterparty in named or named & set(strand.participants)]
    if known:
        best = max(
            known,
            key=lambda strand: (strand.is_referred, strand.counterparty in named, strand.sequence, strand.id),
        )
        return Placement(best.id, best.counterparty, best.sequence)
    counterparty = next(iter(outside or people), None)
    if counterparty is None:
        return Placement(None, None)
    return Placement(None, counterparty, _next_sequence(counterparty, strands))


def _next_sequence(counterparty: Key, strands: Iterable[StrandView[Key]]) -> int:
    return max((strand.sequence + 1 for strand in strands if strand.counterparty == counterparty), default=0)


# --- Coming back ----------------------------------------------------------------------------------------------------


class Return(StrEnum):
    CONTINUE = "continue"  # the conversation is alive
    REOPEN = "reopen"
    FOLLOW_UP = "follow-up"  # next strand of the pair, new conversation, linked to the old one
    KEEP = "keep"  # spam: it joins, and nothing changes


def on_return(
    status: Status | str,
    resolved_at: datetime | None,
    received_at: datetime,
    window: timedelta = DEFAULT_REOPEN,
) -> Return:
    """What a customer's message does to the conversation whose strand it joins."""
    if status == Status.SPAM:
        return Return.KEEP
    if status != Status.RESOLVED:
        return Return.CONTINUE
    if resolved_at is None or received_at - resolved_at <= window:
        return Return.REOPEN
    return Return.FOLLOW_UP


def is_history(written_at: datetime, cut_at: datetime) -> bool:
    """Older than the cut chosen when its account was connected: it arrives resolved, without clock or notice."""
    return written_at < cut_at
