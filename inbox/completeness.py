"""Did we miss anything? Per place: on the server = stored + pending + excluded by a named rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection, transaction

from connectors.messages import Scope
from inbox.ids import new_ids
from inbox.models import Account, CursorScope, CursorTrouble
from inbox.rules.ranges import Range, merge
from inbox.sql import execute_in, insert

IMPORT_PLACE = "import"
"""The place of everything that came by import rather than from a provider."""

UNLISTED = "counted-not-listed"
"""The rule under which a server's surplus stands: two kinds of listing, made one after the other, do not show it."""

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
    when it cannot be told, because the server has not been counted yet or a place cannot be opened.
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
    proved_at: datetime | None = None  # when every id was last listed and compared; of a whole account, the oldest
    missing_since: datetime | None = None  # the place cannot be opened
    sentence: str = ""  # about that
    unexplained: int = 0  # pending, and no id is known for it


def _places(account_id: int) -> tuple[Completeness, ...]:
    read: dict[str, dict[str, str]] = Account.objects.values_list("places", flat=True).get(id=account_id)
    # A folder that was taken out of the settings stays in the inbox; the server's count of it is nobody's business.
    scopes = [row for row in current_scopes(account_id) if not read or row.place in read]
    troubles = open_troubles(scopes)
    unreadable = _unreadable(account_id)
    found = [complete_of(row, troubles[row.id], unreadable[row.place]) for row in scopes]
    known = {place.place for place in found}
    found += [Completeness(name, None, 0, 0, 0, {}, 0, None, None) for name in read if name not in known]
    return tuple(_as_opened(place, read.get(place.place) or {}) for place in found)


def _as_opened(place: Completeness, told: dict[str, str]) -> Completeness:
    if "since" not in told:
        return place
    since = datetime.fromisoformat(told["since"])
    complete = None if place.complete else place.complete  # what was whole when it was last seen may be so no more
    return replace(place, complete=complete, missing_since=since, sentence=told.get("sentence", ""))


def open_troubles(scopes: Sequence[CursorScope]) -> Counter[int]:
    """How many ids of each scope are known to exist and did not come."""
    rows = CursorTrouble.objects.filter(scope__in=[row.id for row in scopes], closed_at=None)
    return Counter(rows.values_list("scope_id", flat=True))


def complete_of(row: CursorScope, troubles: int, unreadable: int = 0) -> Completeness:
    """The equation of one place. `troubles`: how many of its ids exist and did not come."""
    excluded = dict(row.excluded)
    proof = row.reconciliation
    gone = int(proof.get("gone", 0))
    there = row.stored - gone
    unexplained = 0
    complete: bool | None = None
    pending = troubles
    if row.on_server is not None:
        more = row.on_server - there - sum(excluded.values()) - troubles
        # A server that counts more than it lists, twice: nothing can be fetched of what has no id.
        unlisted = max(0, min(more, int(proof.get("told") or 0) - int(proof.get("listed", 0))))
        if unlisted:
            excluded[UNLISTED] = unlisted
            more -= unlisted
        if more < 0:  # Mail that people deleted on the server after it was stored is no gap.
            gone, there = gone - more, there + more
        unexplained = max(0, more)
        pending += unexplained
        complete = pending == 0
    return Completeness(
        place=row.place,
        on_server=row.on_server,
        stored=there,
        gone=gone,
        pending=pending,
        excluded=excluded,
        unreadable=unreadable,
        complete=complete,
        counted_at=row.counted_at,
        proved_at=datetime.fromisoformat(proof["at"]) if "at" in proof else None,
        unexplained=unexplained,
    )


def _unreadable(account_id: int) -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT place, COUNT(*) FROM inbox_rawitem WHERE account_id = %s AND state = 'unreadable' GROUP BY place",
            [account_id],
        )
        return Counter(dict(cursor.fetchall()))


def completeness(account_id: int) -> Completeness:
    """The sum over the places that are read; `complete` only when every place is, ages of the oldest."""
    places = _places(account_id)
    excluded: Counter[str] = Counter()
    for place in places:
        excluded.update(place.excluded)
    counted = [place.counted_at for place in places if place.counted_at is not None]
    proved = [place.proved_at for place in places if place.proved_at is not None]
    missing = [place.missing_since for place in places if place.missing_since is not None]
    is_counted = bool(counted) and all(place.counted_at or place.missing_since for place in places)
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
        complete=_is_complete(places) if is_counted else None,
        counted_at=min(counted) if is_counted else None,
        places=places,
        proved_at=min(proved) if proved and len(proved) == len(places) else None,
        missing_since=min(missing) if missing else None,
        sentence=" ".join(place.sentence for place in places if place.sentence),
        unexplained=sum(place.unexplained for place in places),
    )


def _is_complete(places: tuple[Completeness, ...]) -> bool | None:
    """False as soon as one place is not; None when of the others one cannot be told."""
    if any(place.complete is False for place in places):
        return False
    return None if any(place.complete is None for place in places) else True


def exclude(account_id: int, scope: Scope, external_ids: Sequence[str], rule: str, now: datetime) -> int:
    """Settles troubled ids under a named rule and counts them: never fetched, and it is said so. Returns how many."""
    with transaction.atomic():
        row = CursorScope.objects.select_for_update().get(account=account_id, place=scope.place, epoch=scope.epoch)
        open_ones = CursorTrouble.objects.filter(scope=row, external_id__in=external_ids, closed_at=None)
        numbers = [int(one) for one in open_ones.values_list("external_id", flat=True) if one.isdecimal()]
        closed = open_ones.update(closed_at=now, closed_as=f"excluded:{rule}"[:40])
        row.excluded[rule] = row.excluded.get(rule, 0) + closed
        row.save(update_fields=["excluded"])
        change_ranges(row.id, lambda ranges: merge([*ranges, *((number, number) for number in numbers)]))
    return closed


def change_ranges(scope_id: int, change: Callable[[list[Range]], list[Range]]) -> None:
    """Writes what differs between a scope's settled ranges and what `change` makes of them. In a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT low, high FROM inbox_cursorrange WHERE scope_id = %s ORDER BY low", [scope_id])
        before: list[Range] = cursor.fetchall()
        after = change(before)
        gone = [low for low, _ in set(before) - set(after)]
        execute_in(cursor, "DELETE FROM inbox_cursorrange WHERE scope_id = %s AND low IN ({in})", gone, [scope_id])
        new = sorted(set(after) - set(before))
        rows = [(row, scope_id, low, high) for row, (low, high) in zip(new_ids(len(new)), new, strict=True)]
        insert(cursor, "inbox_cursorrange", "id scope_id low high", rows)


def left_the_server(account_id: int, scope: Scope, count: int) -> None:
    """So many stored items were moved away from a place by ourselves: the equation holds before the next count."""
    rows = CursorScope.objects.select_for_update().filter(account=account_id, place=scope.place, epoch=scope.epoch)
    row = rows.first()
    if row is not None:
        row.reconciliation["gone"] = int(row.reconciliation.get("gone", 0)) + count
        row.on_server = None if row.on_server is None else max(0, row.on_server - count)
        row.save(update_fields=["reconciliation", "on_server"])
