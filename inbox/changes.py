"""The one place that says "this changed": to the search index and to the browsers that look on.

Called inside the transaction that makes the change, and as its last step: on PostgreSQL the numbering of live events
is serialised from here to the commit, so that whoever reads "everything after number n" never misses a late commit.

The module of the back end that `settings.SEARCH_BACKEND` names has a function `sink()`, which gives the ChangeSink. It
may name a function of (subject, text) in `PREPARE`, which parsers then call on what they have read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings
from django.db import connection

from inbox.models import LiveEvent
from inbox.sql import insert, moment

LIVE_EVENTS_AT_ONCE = 100
"""More conversations than this in one transaction are told as one `resync`: pages then read afresh."""

_NUMBERING_LOCK = 0x62616C61  # "bala": transaction-scoped, so a pooler in transaction mode does no harm


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What the index holds of a message: facts that do not change, save a delivery that is added."""

    id: int
    conversation: int
    strand: int
    kind: str
    direction: str  # inbound | outbound | note
    subject: str
    text: str
    people: tuple[str, ...]  # names and addresses of author and recipients
    sent_at: datetime
    accounts: tuple[int, ...]  # of its deliveries
    automatic: str = ""
    author: tuple[str, ...] = ()  # name and address of who wrote it, for `from:`
    words: Any = None  # of subject and text, in the form of the search back end, where its PREPARE has been called


@dataclass(frozen=True, slots=True)
class ConversationChange:
    """A conversation whose row, messages or strands changed, or that is no longer there."""

    id: int
    accounts: tuple[int, ...] = ()  # whose readers may hear of it; () = everyone
    is_news: bool = True  # False: history that nobody needs to be told of


@dataclass(frozen=True, slots=True)
class Live:
    """An event for the browsers: topic conversation | counters | account | outbox | resync."""

    topic: str
    subject: int = 0
    accounts: tuple[int, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


class ChangeSink(Protocol):
    def record(self, messages: Sequence[MessageFacts], conversations: Sequence[int]) -> None:
        """Inside the caller's transaction: index now, or note what is to be indexed.

        `messages` are new, or moved, or seen in another account: each replaces its earlier form. `conversations`
        are ids whose row changed; one that has no row any more is to be forgotten. No network.
        """
        ...


@cache
def _sink(path: str) -> ChangeSink:
    return cast("ChangeSink", import_module(path.rpartition(".")[0]).sink())


def preparer() -> str:
    """ "module:function" for connectors/offload.py; "" when this back end wants nothing prepared."""
    module = import_module(settings.SEARCH_BACKEND.rpartition(".")[0])
    return str(getattr(module, "PREPARE", ""))


def announce(
    *,
    now: datetime,
    messages: Sequence[MessageFacts] = (),
    conversations: Iterable[ConversationChange] = (),
    events: Iterable[Live] = (),
) -> None:
    """Writes index rows and live events. The caller has already raised `version` of what it changed."""
    changes = {change.id: change for change in conversations}
    if messages or changes:
        _sink(settings.SEARCH_BACKEND).record(messages, list(changes))
    news = [change for change in changes.values() if change.is_news]
    if len(news) > LIVE_EVENTS_AT_ONCE:
        told = [Live("resync", accounts=_union(news))]
    else:
        told = [Live("conversation", change.id, change.accounts) for change in news]
    _write([*told, *events], now)


def _union(changes: Sequence[ConversationChange]) -> tuple[int, ...]:
    if any(not change.accounts for change in changes):
        return ()
    return tuple(sorted({account for change in changes for account in change.accounts}))


def _write(events: Sequence[Live], now: datetime) -> None:
    if not events:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NUMBERING_LOCK])
        cursor.execute("SELECT COALESCE(MAX(number), 0) FROM inbox_liveevent")
        first = cursor.fetchone()[0] + 1
        rows = [
            (first + n, moment(now), live.topic, live.subject, json.dumps(live.accounts), json.dumps(dict(live.data)))
            for n, live in enumerate(events)
        ]
        insert(cursor, "inbox_liveevent", "number at topic subject accounts data", rows)


def newest_number() -> int:
    """The number of the newest live event; 0 when there never was one."""
    newest = LiveEvent.objects.order_by("-number").values_list("number", flat=True).first()
    return newest or 0


def prune(before: datetime) -> int:
    """Forgets live events older than `before`; the newest one stays, because the next number counts from it."""
    gone, _ = LiveEvent.objects.filter(at__lt=before, number__lt=newest_number()).delete()
    return gone
