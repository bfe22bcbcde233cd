"""Our own posts coming back under a name that only the platform could give.

A send whose answer has not said yet how it is called is recognised by what it says: the same account, the same words,
the same parent, within a day, and created after it was queued. Each send is found once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.backends.utils import CursorWrapper

from inbox.ingest.letters import Letter
from inbox.rules.states import SendState
from inbox.sql import moment, read_json, read_moment, select_in

WITHIN = timedelta(days=1)
SKEW = timedelta(minutes=10)  # between our clock and the platform's
_MAY_BE_THERE = (SendState.SENDING, SendState.COMMITTING, SendState.UNKNOWN, SendState.SENT)

_LINK = re.compile(r"https?://\S+")
_LEADING_HANDLES = re.compile(r"^(?:@[\w.@-]+\s+)+")


@dataclass(frozen=True, slots=True)
class Candidate:
    message_id: int
    account_id: int
    words: str
    in_reply_to: str
    references: frozenset[str]
    queued_at: datetime


def same_words(text: str) -> str:
    """In the form that is compared: platforms shorten links, put handles in front and join white space."""
    bare = _LINK.sub(" ", unicodedata.normalize("NFC", text))
    return " ".join(_LEADING_HANDLES.sub("", " ".join(bare.split()) + " ").split())


class Echoes:
    """The sends of some accounts that have no name of the platform's yet."""

    def __init__(self, cursor: CursorWrapper) -> None:
        self._cursor = cursor
        self._candidates: list[Candidate] = []

    def load(self, account_ids: Iterable[int], now: datetime) -> list[int]:
        """The ids of their messages, the oldest first."""
        states = ", ".join(f"'{state.value}'" for state in _MAY_BE_THERE)
        sql = (
            'SELECT m.id, e.account_id, m.text, m.in_reply_to, m."references", e.created_at FROM inbox_envelope e'  # noqa: S608
            " JOIN inbox_message m ON m.id = e.message_id WHERE e.part = 0 AND e.attempts > 0"
            f" AND e.state IN ({states}) AND m.reference = e.idempotency_key AND e.account_id IN ({{in}})"
            " AND e.created_at > %s ORDER BY e.created_at, e.id"
        )
        since = moment(now - WITHIN - SKEW)
        for row in select_in(self._cursor, sql, sorted(set(account_ids)), after=(since,)):
            message_id, account_id, text, parent, references, queued_at = row
            at = read_moment(queued_at)
            assert at is not None
            named = frozenset(read_json(references))
            self._candidates.append(Candidate(message_id, account_id, same_words(text), parent, named, at))
        return [one.message_id for one in self._candidates]

    def take(self, draft: Letter) -> int | None:
        """The message that this is; it is not found again."""
        assert draft.parsed is not None
        words = same_words(draft.parsed.text)
        for one in self._candidates:
            is_near = one.queued_at - SKEW <= draft.written_at <= one.queued_at + WITHIN
            if one.account_id == draft.account_id and one.words == words and is_near and _is_same_parent(one, draft):
                self._candidates.remove(one)
                return one.message_id
        return None


def _is_same_parent(one: Candidate, draft: Letter) -> bool:
    """A private message may name no parent, but the talk that it belongs to."""
    assert draft.parsed is not None
    parent = draft.parsed.in_reply_to
    if parent or not draft.parsed.references:
        return parent == one.in_reply_to
    return not one.references.isdisjoint(draft.parsed.references)
