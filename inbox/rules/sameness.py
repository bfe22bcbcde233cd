"""Whether a sighting is a message that we already hold: ring (b).

Ring (a), the same item fetched twice, is a unique constraint. Nothing here drops anything: what is the same becomes
one more delivery, what only claims to be the same becomes a message of its own with a flag.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

MAX_FOOTER: Final = 2000  # characters that a mailing list may add below
_MAX_PREFIX: Final = 80
_PREFIX = re.compile(r"\[[^\[\]]{1,60}\]|(?:re|fwd?|aw|wg|sv|bls|r[ăa]sp)\s*:", re.IGNORECASE)


class Sameness(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    OTHER_CONTENT = "other-content"  # its Message-ID is taken by another content: two messages and a flag


@dataclass(frozen=True, slots=True)
class Content:
    """What a list copy is compared by."""

    author: str  # normalised address
    written_at: datetime | None
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A new item, or a message that we hold (then `id` is its id). `scopes` are (account, place, epoch)."""

    reference: str  # Message-ID without brackets; "" when absent or useless
    stable_sha256: str
    scopes: frozenset[Hashable] = field(default_factory=frozenset)
    content: Content | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    sameness: Sameness
    message: int | None = None  # which it is the same as
    others: tuple[int, ...] = ()  # messages of the same Message-ID with other content


def fold(existing: Iterable[Sighting], new: Sighting) -> Verdict:
    """Compare with the messages that share its Message-ID, or, when it has none, its stable hash.

    Without a Message-ID equal content is the same message only when that message has not yet been seen in this
    very scope: a form that twice sends the same words has asked twice.
    """
    candidates = sorted(existing, key=lambda sighting: sighting.id)
    if not new.reference:
        alike = (one for one in candidates if not one.reference and one.stable_sha256 == new.stable_sha256)
        found = next((one for one in alike if not one.scopes & new.scopes), None)
        return Verdict(Sameness.DIFFERENT) if found is None else Verdict(Sameness.SAME, found.id)
    named = [one for one in candidates if one.reference == new.reference]
    if not named:
        return Verdict(Sameness.DIFFERENT)
    same = next((one for one in named if one.stable_sha256 == new.stable_sha256), None)
    if same is None:
        same = next((one for one in named if is_list_copy(one.content, new.content)), None)
    if same is not None:
        return Verdict(Sameness.SAME, same.id)
    return Verdict(Sameness.OTHER_CONTENT, None, tuple(one.id for one in named))


def is_list_copy(one: Content | None, other: Content | None) -> bool:
    """Whether two texts under one Message-ID differ only by a list's subject prefix and footer."""
    if one is None or other is None or not one.author or one.author != other.author:
        return False
    if one.written_at is None or one.written_at != other.written_at:
        return False
    if bare_subject(one.subject) != bare_subject(other.subject):
        return False
    shorter, longer = sorted((_squeezed(one.text), _squeezed(other.text)), key=len)
    return bool(shorter) and longer.startswith(shorter) and len(longer) - len(shorter) <= MAX_FOOTER


def bare_subject(subject: str) -> str:
    """Without list tags and reply marks in front, for comparing only."""
    rest = " ".join(subject[:1000].split())
    for _ in range(10):
        match = _PREFIX.match(rest, 0, _MAX_PREFIX)
        if match is None:
            break
        rest = rest[match.end() :].lstrip()
    return rest.casefold()


def _squeezed(text: str) -> str:
    return " ".join(text.split())
