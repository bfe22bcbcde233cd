"""What a batch adds to the ledgers of promises, and where that leaves each conversation's clocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, partial

from django.db.backends.utils import CursorWrapper

from inbox import sla
from inbox.ingest.matters import Matter
from inbox.ledger import Entry, LedgerRow, read_ledgers


def extend(cursor: CursorWrapper, matters: Sequence[Matter]) -> list[LedgerRow]:
    """Moves the clocks of these; the rows to write."""
    rows: list[LedgerRow] = []
    late = [one.id for one in matters if one.entries and not (one.is_new or one.is_reset)]
    # History comes newest first, so most entries belong before known ones: all those ledgers in one statement.
    ledgers = cache(lambda: read_ledgers(cursor, late))
    for matter in matters:
        if not matter.entries:
            continue
        is_fresh = matter.is_new or matter.is_reset
        earlier = list if is_fresh else partial(_ledger_of, ledgers, matter.id)
        standing, new = sla.extend(matter.standing(), sorted(matter.entries, key=_known_at), earlier)
        matter.sla, matter.due_at, matter.due_for = dict(standing.state), standing.due_at, standing.due_for
        rows += new
    return rows


def _ledger_of(ledgers: Callable[[], dict[int, list[LedgerRow]]], conversation_id: int) -> list[LedgerRow]:
    return ledgers()[conversation_id]


def _known_at(entry: Entry) -> datetime:
    """When an entry could be known: the order in which the ledger reads them."""
    received: str | None = entry.data.get("received_at")
    return datetime.fromisoformat(received) if received else entry.occurred_at
