"""How everything stands, for `balas status`, the health page and monitoring: one dict in the form of docs/cli.md."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min

from inbox import doorbells, outbox, shelf, spending
from inbox.models import Account, Envelope, RawItem
from search.backend import get_backend

OLD_AFTER = timedelta(minutes=15)  # three times the longest pause between two looks


def collect(now: datetime, account_ids: frozenset[int] | None = None) -> dict[str, Any]:
    """`account_ids` limits the accounts to those the asker may read; None shows all."""
    rows = Account.objects.filter(removed_at=None).order_by("name")
    if account_ids is not None:
        rows = rows.filter(id__in=account_ids)
    return {
        "accounts": _accounts(list(rows), now),
        "outbox": outbox.counts(),
        "index": asdict(get_backend().status(now)),
        "jobs": {"oldest_due_seconds": oldest_due_seconds(now)},
    }


def _accounts(rows: list[Account], now: datetime) -> list[dict[str, Any]]:
    stands = doorbells.find_stands(rows)
    spent = spending.summary([row.id for row in rows], now)
    return [
        {
            **_account(row, now),
            "doorbell": asdict(stands[row.id]) if row.id in stands else None,
            "spend": spent.get(row.id),
        }
        for row in rows
    ]


def _account(row: Account, now: datetime) -> dict[str, Any]:
    sums = shelf.completeness(row.id)
    is_stale = is_old(sums.counted_at, row, now)
    return {
        "id": str(row.id),
        "name": row.name,
        "kind": row.kind,
        "address": row.address,
        "state": row.state,
        "sentence": row.sentence,
        "state_since": row.state_since,
        "on_server": sums.on_server,
        "stored": sums.stored,
        "pending": sums.pending,
        "excluded": sums.excluded,
        "unexplained": sums.unexplained,
        "gone": sums.gone,
        "unreadable": sums.unreadable,
        # What was true when it was counted may be so no more.
        "complete": None if is_stale and sums.complete else sums.complete,
        "stale": is_stale,
        "counted_at": sums.counted_at,
        "proved_at": sums.proved_at,
        "missing": [
            {"place": place.place, "since": place.missing_since, "sentence": place.sentence}
            for place in sums.places
            if place.missing_since is not None
        ],
        "last_success_at": row.last_success_at,
        "next_poll_at": row.next_poll_at,
        "remaining": row.remaining,
        "places": [vars_of(place) for place in sums.places],
    }


def is_old(counted_at: datetime | None, row: Account, now: datetime) -> bool:
    """Whether a count is older than a few looks in a row would let it become."""
    if counted_at is None:
        return False
    pause = timedelta(seconds=int(row.settings.get("poll_seconds") or 0))
    return now - counted_at > max(OLD_AFTER, 3 * pause)


def vars_of(place: Any) -> dict[str, Any]:
    return {name: getattr(place, name) for name in place.__slots__}


def oldest_due_seconds(now: datetime) -> float:
    """How long the oldest due row has been waiting for a job; 0 when nothing is late."""
    raw = RawItem.objects.filter(due_at__lte=now).aggregate(at=Min("due_at"))["at"]
    send = Envelope.objects.filter(due_at__lte=now).aggregate(at=Min("due_at"))["at"]
    poll = Account.objects.filter(next_poll_at__lte=now, removed_at=None).aggregate(at=Min("next_poll_at"))["at"]
    waits = [(now - at).total_seconds() for at in (raw, send, poll) if at is not None]
    return round(max(waits, default=0.0), 3)
