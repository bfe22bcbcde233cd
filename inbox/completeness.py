"""Did we miss anything? Per place: on the server = stored + pending + excluded by a named rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from connectors.messages import Scope
from inbox.models import CursorScope, CursorTrouble

IMPORT_PLACE = "import"
"""The place of everything that came by import rather than from a provider."""

IMPORT_EPOCHS = ("", "sent")
"""Of that place. A folder that somebody called so has the epoch of its provider."""


def current_scopes(account_id: int) -> list[CursorScope]:
    rows = CursorScope.objects.filter(account=account_id, retired_at=None).order_by("id")
    rows = rows.exclude(place=IMPORT_PLACE, epoch__in=IMPORT_EPOCHS)
    return list({row.place: row for row in rows}.values())


@dataclass(frozen=True, slots=True)
class Completeness:
    """on_server = stored + pending + excluded, as of `counted_at`.

    `gone` were stored and are no longer on the server. `complete`: nothing is pending and the sum is right; None
    when the server has not been counted yet.
    """

    place: str  # "" for the whole account
    on_server: int | None
    stored: int
    gone: int
    pending: int
    excluded: dict[str, int]
    unreadable: int
    complete: bool | None
    counted_at: datetime | None
    places: tuple[Completeness, ...] = ()  # of a whole account


def _places(account_id: int) -> tuple[Completeness, ...]:
    scopes = current_scopes(account_id)
    troubles = Counter(
        CursorTrouble.objects.filter(scope__in=scopes, closed_at=None).values_list("scope_id", flat=True)
    )
    unreadable = _unreadable(account_id)
    return tuple(_complete(row, troubles[row.id], unreadable[row.place]) for row in scopes)


def _complete(row: CursorScope, troubles: int, unreadable: int) -> Completeness:
    excluded = sum(row.excluded.values())
    gone = int(row.reconciliation.get("gone", 0))
    there = row.stored - gone
    if row.on_server is None:
        pending, complete = troubles, None
    else:
        surplus = there + excluded + troubles - row.on_server
        # Mail that people deleted on the server after it was stored is no gap.
        gone, there = (gone + surplus, there - surplus) if surplus > 0 else (gone, there)
        pending = row.on_server - there - excluded
        complete = pending == 0
    return Completeness(
        row.place, row.on_server, there, gone, pending, dict(row.excluded), unreadable, complete, row.counted_at
    )


def _unreadable(account_id: int) -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT place, COUNT(*) FROM inbox_rawitem WHERE account_id = %s AND state = 'unreadable' GROUP BY place",
            [account_id],
        )
        return Counter(dict(cursor.fetchall()))


def completeness(account_id: int) -> Completeness:
    """The sum over the places; `complete` only when every place is, `counted_at` of the oldest count."""
    places = _places(account_id)
    excluded: Counter[str] = Counter()
    for place in places:
        excluded.update(place.excluded)
    counted = [place.counted_at for place in places if place.counted_at is not None]
    is_counted = bool(places) and len(counted) == len(places)
    is_counted_already = any(place.place == IMPORT_PLACE for place in places)
    imported = 0 if is_counted_already else _unreadable(account_id)[IMPORT_PLACE]
    return Completeness(
        place="",
        on_server=sum(place.on_server or 0 for place in places) if is_counted else None,
        stored=sum(place.stored for place in places),
        gone=sum(place.gone for place in places),
        pending=sum(place.pending for place in places),
        excluded=dict(excluded),
        unreadable=sum(place.unreadable for place in places) + imported,
        complete=all(place.complete for place in places) if is_counted else None,
        counted_at=min(counted) if is_counted else None,
        places=places,
    )


def exclude(account_id: int, scope: Scope, external_ids: Sequence[str], rule: str, now: datetime) -> None:
    """Closes troubled ids under a named rule and counts them: they are never fetched, and it is said so."""
    with transaction.atomic():
        row = CursorScope.objects.select_for_update().get(account=account_id, place=scope.place, epoch=scope.epoch)
        closed = CursorTrouble.objects.filter(scope=row, external_id__in=external_ids, closed_at=None).update(
            closed_at=now, closed_as=f"excluded:{rule}"[:40]
        )
        row.excluded[rule] = row.excluded.get(rule, 0) + closed
        row.save(update_fields=["excluded"])


def reconciled(account_id: int, scope: Scope, listed: Sequence[str], now: datetime) -> tuple[list[str], int]:
    """Compares a full listing with the shelf: (ids that are neither stored nor troubled, how many are gone)."""
    row = CursorScope.objects.get(account=account_id, place=scope.place, epoch=scope.epoch)
    on_server = set(listed)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT external_id FROM inbox_rawitem WHERE account_id = %s AND place = %s AND epoch = %s",
            [account_id, scope.place, scope.epoch],
        )
        stored: set[str] = {found[0] for found in cursor.fetchall()}
    troubled = set(
        CursorTrouble.objects.filter(scope=row).exclude(closed_as="gone").values_list("external_id", flat=True)
    )
    missing = sorted(on_server - stored - troubled, key=lambda text: (len(text), text))
    data: dict[str, Any] = {"at": now.isoformat(), "missing": len(missing), "gone": len(stored - on_server)}
    CursorScope.objects.filter(id=row.id).update(reconciliation=data, on_server=len(on_server), counted_at=now)
    return missing, len(stored - on_server)
