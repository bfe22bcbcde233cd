"""The shelf: what providers handed over, bytes untouched, and the ledger of what is settled.

`put` stores one page (items, ranges, troubles, counts, the connector's own state) in one transaction, so that the
ledger never says more than what is stored. `known` gives the ledger back to the connector; `completeness` answers
whether anything was missed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from connectors.messages import Known, KnownScope, Page, RawItem, Scope
from inbox import aftercare, bodies, leases
from inbox.completeness import IMPORT_EPOCHS, IMPORT_PLACE, change_ranges, completeness
from inbox.ids import new_id, new_ids
from inbox.killpoints import reach
from inbox.models import CursorTrouble
from inbox.rules.ranges import Range, merge
from inbox.rules.states import RawState
from inbox.sql import dump_json, execute_in, insert, locking, moment, read_json, select_in
from inbox.transactions import retried

__all__ = ["IMPORT_PLACE", "Stored", "completeness", "known", "put"]

_ITEM = (
    "id account_id place epoch external_id version is_sent is_import too_large size sha256 received_at"
    " stored_at state attempts due_at error"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a page brought: `new` items, and how many had been there already."""

    new: int = 0
    same: int = 0
    ids: tuple[int, ...] = ()


@dataclass(slots=True)
class _Ledger:
    """One scope's row, as far as a page touches it."""

    id: int
    stored: int = 0
    items: list[tuple[RawItem, bodies.Kept]] = field(default_factory=list)


def put(
    account_id: int,
    page: Page,
    *,
    held: leases.Held | None,
    now: datetime,
    is_import: bool = False,
    is_tended: bool = False,
) -> Stored:
    """Stores a page; with `is_tended` it notes what is to be marked or moved at the provider (inbox.aftercare).

    Raises leases.LeaseLost when `held` has passed to somebody else, OSError when the disk is full.

    Takes over the files that items point to. Storing the same page again changes nothing.
    """
    kept = bodies.keep(page.items)
    stored = retried(lambda: _put(account_id, page, kept, held, now, is_import, is_tended))
    reach("shelf.committed")
    for item in page.items:
        if item.path is not None:
            item.path.unlink(missing_ok=True)
    reach("shelf.spool-cleared")
    return stored


def _put(
    account_id: int,
    page: Page,
    kept: Sequence[bodies.Kept],
    held: leases.Held | None,
    now: datetime,
    is_import: bool,
    is_tended: bool,
) -> Stored:
    with transaction.atomic(), connection.cursor() as cursor:
        reach("shelf.transaction-open")
        if held is not None:
            leases.check(held)
        reach("shelf.lease-checked")
        ledgers = _open_scopes(cursor, account_id, page)
        for item, body in zip(page.items, kept, strict=True):
            ledgers[item.scope].items.append((item, body))
        ids: list[int] = []
        for scope, ledger in ledgers.items():
            ids += _write_items(cursor, account_id, scope, ledger, now, is_import)
        if is_tended:
            aftercare.note(cursor, account_id, ids, now)
        reach("shelf.bodies-written")
        _write_ranges(page, ledgers)
        reach("shelf.ranges-written")
        _write_troubles(page, ledgers, now)
        _write_scopes(cursor, page, ledgers, now)
        reach("shelf.before-commit")
        return Stored(len(ids), len(page.items) - len(ids), tuple(ids))


def _open_scopes(cursor: CursorWrapper, account_id: int, page: Page) -> dict[Scope, _Ledger]:
    named = {item.scope for item in page.items} | {covered.scope for covered in page.covered}
    named |= {trouble.scope for trouble in page.troubles} | {scope for scope, _ in page.gone}
    named |= {count.scope for count in page.counts} | set(page.state) | set(page.retired)
    scopes = sorted(named, key=lambda scope: (scope.place, scope.epoch))
    sql = "SELECT id, stored FROM inbox_cursorscope WHERE account_id = %s AND place = %s AND epoch = %s" + locking()  # noqa: S608
    ledgers: dict[Scope, _Ledger] = {}
    for scope in scopes:
        key = (account_id, scope.place, scope.epoch)
        cursor.execute(sql, key)
        row = cursor.fetchone()
        if row is None:
            columns = "id account_id place epoch state retired_at on_server counted_at stored excluded reconciliation"
            new = (new_id(), *key, "{}", None, None, None, 0, "{}", "{}")
            insert(cursor, "inbox_cursorscope", columns, [new], "ON CONFLICT DO NOTHING")
            cursor.execute(sql, key)
            row = cursor.fetchone()
        ledgers[scope] = _Ledger(*row)
    return ledgers


def _write_items(
    cursor: CursorWrapper, account_id: int, scope: Scope, ledger: _Ledger, now: datetime, is_import: bool
) -> list[int]:
    """Inserts what is new; the ids of it."""
    fresh = _without_known(cursor, account_id, scope, ledger.items)
    ids, at = new_ids(len(fresh)), moment(now)
    rows = [
        (
            *(item_id, account_id, scope.place, scope.epoch, item.external_id, item.version),
            *(item.is_sent, is_import, item.too_large, item.size, body.sha256, moment(item.received_at), at),
            *(RawState.STORED.value, 0, at, ""),
        )
        for item_id, (item, body) in zip(ids, fresh, strict=True)
    ]
    count = insert(cursor, "inbox_rawitem", _ITEM, rows, "ON CONFLICT DO NOTHING")
    reach("shelf.items-written")
    written = set(ids)
    if count != len(rows):  # somebody else stored some of them in between
        written = {row[0] for row in select_in(cursor, "SELECT id FROM inbox_rawitem WHERE id IN ({in})", ids)}
    contents = [(item_id, body.content) for item_id, (_, body) in zip(ids, fresh, strict=True) if item_id in written]
    insert(cursor, "inbox_rawbody", "item_id content", contents)
    ledger.stored += len(contents)
    return [item_id for item_id, _ in contents]


def _without_known(
    cursor: CursorWrapper, account_id: int, scope: Scope, items: Sequence[tuple[RawItem, bodies.Kept]]
) -> list[tuple[RawItem, bodies.Kept]]:
    sql = (
        "SELECT external_id, version FROM inbox_rawitem"
        " WHERE account_id = %s AND place = %s AND epoch = %s AND external_id IN ({in})"
    )
    known = set(select_in(cursor, sql, {item.external_id for item, _ in items}, (account_id, scope.place, scope.epoch)))
    fresh = []
    for item, body in items:
        key = (item.external_id, item.version)
        if key not in known:
            known.add(key)
            fresh.append((item, body))
    return fresh


def _write_ranges(page: Page, ledgers: dict[Scope, _Ledger]) -> None:
    news: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for covered in page.covered:
        news[ledgers[covered.scope].id].append((covered.low, covered.high))
    for scope_id, ranges in news.items():
        change_ranges(scope_id, partial(_merged, ranges))


def _merged(news: Sequence[Range], ranges: Sequence[Range]) -> list[Range]:
    return merge([*ranges, *news])


def _write_troubles(page: Page, ledgers: dict[Scope, _Ledger], now: datetime) -> None:
    for trouble in page.troubles:
        row, is_new = CursorTrouble.objects.get_or_create(
            scope_id=ledgers[trouble.scope].id,
            external_id=trouble.external_id,
            defaults={"reason": trouble.reason[:300], "first_seen_at": now, "last_seen_at": now},
        )
        if not is_new:
            row.reason, row.last_seen_at, row.attempts = trouble.reason[:300], now, row.attempts + 1
            row.closed_at, row.closed_as = None, ""
            row.save()
    for ledger in ledgers.values():
        stored = [item.external_id for item, _ in ledger.items]
        _close(ledger.id, stored, "stored", now)
    gone: dict[int, list[str]] = defaultdict(list)
    for scope, external_id in page.gone:
        gone[ledgers[scope].id].append(external_id)
    for scope_id, external_ids in gone.items():
        _close(scope_id, external_ids, "gone", now)


def _close(scope_id: int, external_ids: Sequence[str], how: str, now: datetime) -> None:
    sql = (
        "UPDATE inbox_cursortrouble SET closed_at = %s, closed_as = %s"
        " WHERE scope_id = %s AND closed_at IS NULL AND external_id IN ({in})"
    )
    with connection.cursor() as cursor:
        execute_in(cursor, sql, external_ids, [moment(now), how, scope_id])


def _write_scopes(cursor: CursorWrapper, page: Page, ledgers: dict[Scope, _Ledger], now: datetime) -> None:
    for ledger in ledgers.values():
        cursor.execute("UPDATE inbox_cursorscope SET stored = %s WHERE id = %s", [ledger.stored, ledger.id])
    for scope, state in page.state.items():
        text = dump_json(dict(state))
        cursor.execute("UPDATE inbox_cursorscope SET state = %s WHERE id = %s", [text, ledgers[scope].id])
    for count in page.counts:
        cursor.execute(
            "UPDATE inbox_cursorscope SET on_server = %s, counted_at = %s WHERE id = %s",
            [count.on_server, moment(now), ledgers[count.scope].id],
        )
    retired = [ledgers[scope].id for scope in page.retired]
    sql = "UPDATE inbox_cursorscope SET retired_at = %s WHERE id IN ({in}) AND retired_at IS NULL"
    execute_in(cursor, sql, retired, [moment(now)])


# --- What is on it --------------------------------------------------------------------------------------------------


def known(account_id: int) -> Known:
    """The ledger of the newest living epoch of each place, in the connector's own terms."""
    with connection.cursor() as cursor:
        # Of each place the newest one; what came by import is no place to read.
        cursor.execute(
            "SELECT id, place, epoch, state FROM inbox_cursorscope WHERE account_id = %s AND retired_at IS NULL"
            " AND NOT (place = %s AND epoch IN (%s, %s)) ORDER BY id",
            [account_id, IMPORT_PLACE, *IMPORT_EPOCHS],
        )
        scopes = {place: (scope_id, epoch, state) for scope_id, place, epoch, state in cursor.fetchall()}
        ids = [scope_id for scope_id, _, _ in scopes.values()]
        ranges: dict[int, list[tuple[int, int]]] = defaultdict(list)
        sql = "SELECT scope_id, low, high FROM inbox_cursorrange WHERE scope_id IN ({in}) ORDER BY low"
        for scope_id, low, high in select_in(cursor, sql, ids):
            ranges[scope_id].append((low, high))
        troubled: dict[int, list[str]] = defaultdict(list)
        sql = (
            "SELECT scope_id, external_id FROM inbox_cursortrouble"
            " WHERE scope_id IN ({in}) AND closed_at IS NULL ORDER BY id"
        )
        for scope_id, external_id in select_in(cursor, sql, ids):
            troubled[scope_id].append(external_id)
    return Known(
        tuple(
            KnownScope(Scope(place, epoch), tuple(ranges[scope_id]), tuple(troubled[scope_id]), read_json(state))
            for place, (scope_id, epoch, state) in scopes.items()
        )
    )
