"""What is indexed of a message and of a conversation, the same for every back end.

A message document holds what never changes, and the accounts of its deliveries; a conversation document holds the
ids of its strands and all that changes. So resolving a conversation of 9,000 messages rewrites one document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from search.fold import Folded, fold
from search.query import FROM, All, Either, Node, Phrase, Word
from search.words import Words, prepare, wholes_of, with_gaps

NO_ACCOUNT = 0  # the account of a note: whoever may read the conversation may find it

_N_BITS = 20
_N_MASK = (1 << _N_BITS) - 1
_SECONDS = (1 << 38) - 1


@dataclass(frozen=True, slots=True)
class MessageDocument:
    """Token lists in the order of reading; `wholes` and `sender_wholes` have no order."""

    id: int
    rowid: int
    strand: int
    sent_at: datetime
    accounts: tuple[int, ...]
    text: list[str]
    people: list[str]
    sender: list[str]
    wholes: list[str]
    sender_wholes: list[str]
    is_truncated: bool
    version: int = 1


@dataclass(frozen=True, slots=True)
class ConversationDocument:
    id: int
    version: int
    strands: tuple[int, ...]
    accounts: tuple[int, ...]
    tags: tuple[int, ...]
    status: str
    owner: int | None
    team: int | None
    customer: int
    due_at: datetime | None
    last_activity_at: datetime


def first_rowid(message_id: int, sent_at: datetime) -> int:
    """Where a message's row would like to stand: its second, then the low bits of its id.

    Two writers at once therefore rarely want the same number. Within one second the order is arbitrary, but fixed.
    Clocks outside 1970 to 10600 are held to the edge.
    """
    seconds = min(max(int(sent_at.timestamp()), 0), _SECONDS)
    return seconds << _N_BITS | (message_id & _N_MASK)


def next_rowid(rowid: int) -> int:
    """The next number of the same second, round and round."""
    return (rowid & ~_N_MASK) | ((rowid + 1) & _N_MASK)


def make_document(
    *,
    id: int,
    rowid: int,
    strand: int,
    sent_at: datetime,
    accounts: Iterable[int],
    subject: str,
    text: str,
    author: Iterable[str],
    people: Iterable[str],
    version: int = 1,
    words: Words | None = None,
) -> MessageDocument:
    """`author` and `people` (author and recipients): names and addresses as written. `words`: of subject and text,
    where they have been worked out already."""
    content, wholes, is_truncated = words or prepare(subject, text)
    sender = [fold_person(part) for part in author if part]
    everybody = [fold_person(part) for part in people if part]
    return MessageDocument(
        id=id,
        rowid=rowid,
        strand=strand,
        sent_at=sent_at,
        accounts=tuple(sorted(set(accounts))) or (NO_ACCOUNT,),
        text=content.split(),
        people=with_gaps(everybody),
        sender=with_gaps(sender),
        wholes=list(dict.fromkeys([*wholes.split(), *wholes_of(everybody)])),
        sender_wholes=wholes_of(sender),
        is_truncated=is_truncated,
        version=version,
    )


def matches(node: Node, document: MessageDocument) -> bool:
    """Whether a document answers a query: the meaning that every back end must have."""
    if isinstance(node, All):
        return all(matches(part, document) for part in node.parts)
    if isinstance(node, Either):
        return any(matches(part, document) for part in node.parts)
    fields = [document.sender] if node.field == FROM else [document.text, document.people]
    if isinstance(node, Phrase):
        return any(_follows(node.tokens, field) for field in fields)
    fields.append(document.sender_wholes if node.field == FROM else document.wholes)
    if isinstance(node, Word):
        return any(node.token in field for field in fields)
    return any(token.startswith(node.token) for field in fields for token in field)


def allows(accounts: set[int] | None, document: MessageDocument) -> bool:
    return accounts is None or any(account in accounts or account == NO_ACCOUNT for account in document.accounts)


@lru_cache(maxsize=4096)
def fold_person(text: str) -> Folded:
    # The same few names and addresses stand on most messages of an inbox.
    return fold(text)


def _follows(tokens: tuple[str, ...], field: list[str]) -> bool:
    first, count = tokens[0], len(tokens)
    at = -1
    while True:
        try:
            at = field.index(first, at + 1)
        except ValueError:
            return False
        if tuple(field[at : at + count]) == tokens:
            return True
