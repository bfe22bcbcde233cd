"""What an owner wants done at the provider once mail is stored: marked as read, moved to a folder. Off by default.

A row per item is written by the transaction that stores its bytes, so a crash forgets nothing; it goes when the item
has been tended, or is no longer there. Reading never depends on any of it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from connectors.messages import Scope, Tended
from inbox import bodies
from inbox.completeness import left_the_server
from inbox.models import Aftercare
from inbox.sql import insert, moment, select_in

_STEPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=6))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done. `move_to` "" moves nothing."""

    mark_seen: bool = False
    move_to: str = ""

    @property
    def is_any(self) -> bool:
        return self.mark_seen or bool(self.move_to)


@dataclass(frozen=True, slots=True)
class Due:
    item_id: int
    external_id: str
    received_at: datetime


def wanted_of(settings_: Mapping[str, Any]) -> Wanted:
    """From an account's settings: `mark_seen` and `move_to`."""
    return Wanted(bool(settings_.get("mark_seen")), str(settings_.get("move_to") or ""))


def note(cursor: CursorWrapper, account_id: int, item_ids: Sequence[int], now: datetime) -> None:
    """Inside the transaction that stores these items. What we sent, and what is here as its header only, stays."""
    sql = "SELECT id FROM inbox_rawitem WHERE id IN ({in}) AND NOT is_sent AND NOT too_large"
    at = moment(now)
    rows = [(item_id, account_id, at, 0, "") for (item_id,) in select_in(cursor, sql, item_ids)]
    insert(cursor, "inbox_aftercare", "item_id account_id due_at attempts error", rows)


def find_due(account_id: int, now: datetime, limit: int) -> dict[Scope, list[Due]]:
    """The oldest due ones, by scope."""
    rows = Aftercare.objects.filter(account=account_id, due_at__lte=now).order_by("due_at", "item_id")
    found: dict[Scope, list[Due]] = {}
    for row in rows.select_related("item")[:limit]:
        item = row.item
        due = Due(item.id, item.external_id, item.received_at)
        found.setdefault(Scope(item.place, item.epoch), []).append(due)
    return found


def is_kept(item_id: int) -> bool:
    """Reads our own copy once more: nothing is moved at the provider that cannot be had from here."""
    row = Aftercare.objects.select_related("item", "item__rawbody").get(item=item_id).item
    try:
        content = bodies.read(row.sha256, row.rawbody.content)
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == row.sha256


def record(account_id: int, scope: Scope, due: Sequence[Due], tended: Tended) -> None:
    """What was tended, or is no longer there, needs nothing more; what moved away has left the server."""
    by_id = {one.external_id: one.item_id for one in due}
    settled = [by_id[external_id] for external_id in tended.done | tended.gone if external_id in by_id]
    with transaction.atomic():
        count, _ = Aftercare.objects.filter(item__in=settled).delete()
        moved = sum(1 for external_id in tended.moved if external_id in by_id)
        if count and moved:
            left_the_server(account_id, scope, moved)


def postpone(item_ids: Sequence[int], sentence: str, now: datetime) -> None:
    """Tried again ever more rarely, at least every six hours."""
    with transaction.atomic():
        for row in Aftercare.objects.select_for_update().filter(item__in=item_ids):
            row.due_at = now + _STEPS[min(row.attempts, len(_STEPS) - 1)]
            row.attempts, row.error = row.attempts + 1, sentence[:300]
            row.save(update_fields=["due_at", "attempts", "error"])


def drop(account_id: int) -> None:
    """Nothing is wanted any more."""
    Aftercare.objects.filter(account=account_id).delete()


def troubles(account_ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Account → how many items could not be tended so far, and the latest sentence about it."""
    rows = Aftercare.objects.filter(account__in=list(account_ids), attempts__gt=0).order_by("due_at")
    pairs = list(rows.values_list("account_id", "error")[:10_000])
    counts = Counter(account_id for account_id, _ in pairs)
    return {account_id: (counts[account_id], error) for account_id, error in pairs}
