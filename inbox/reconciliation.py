"""The proof: every id that the server lists is stored, pending, or excluded by a named rule.

    prove(account, scope, listing) one full listing against the shelf → Proof; what is missing is owed from now on
    leave_out(account, trouble)  a person waits no longer for an id that the server does not hand over

A listing names each id, so unlike a count it cannot be right by accident.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from connectors.messages import Listing, Scope
from inbox import leases
from inbox.completeness import change_ranges, complete_of, current_scopes, exclude, open_troubles
from inbox.models import Account, CursorScope, CursorTrouble
from inbox.rules.proof import next_proof
from inbox.rules.ranges import Range, holding, without
from inbox.sql import dump_json, moment, select_in
from inbox.transactions import retried

AT_ONCE = 5_000
NAMED_APART = 1_000  # missing ids that get a row each; what is beyond them is fetched in bulk
EARLY_AGAIN = timedelta(minutes=10)
BY_HAND = "left-out-by-hand"
LOST = "The server lists it, and it is not here although it had been taken for settled. It is fetched again."


@dataclass(slots=True)
class Proof:
    """listed = stored + pending + missing + excluded, by id. `missing` had been taken for settled and is owed now."""

    listed: int = 0
    stored: int = 0
    pending: int = 0
    missing: int = 0
    gone: int = 0  # stored and no longer on the server
    told: int | None = None  # what the server says it holds
    excluded: Counter[str] = field(default_factory=Counter)

    @property
    def is_whole(self) -> bool:
        return not self.pending and not self.missing

    def write(self, at: datetime) -> dict[str, Any]:
        numbers = {name: getattr(self, name) for name in ("listed", "stored", "pending", "missing", "gone", "told")}
        return {"at": at.isoformat(), **numbers, "excluded": dict(self.excluded)}


# --- One listing ----------------------------------------------------------------------------------------------------


def prove(account_id: int, scope: Scope, listing: Listing, *, held: leases.Held | None, now: datetime) -> Proof:
    """Compares a full listing with the shelf, in bounded memory. Raises leases.LeaseLost.

    What is missing is no longer covered, so that the next fetch brings it.
    """
    row = _Ledger(account_id, scope)
    proof, missing = Proof(told=listing.told), list[str]()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM inbox_cursorscope WHERE account_id = %s AND place = %s AND epoch = %s", row.key)
        row.id = cursor.fetchone()[0]
        cursor.execute("SELECT low, high FROM inbox_cursorrange WHERE scope_id = %s ORDER BY low", [row.id])
        covered: list[Range] = cursor.fetchall()
        ids = iter(listing.ids)
        while chunk := list(itertools.islice(ids, AT_ONCE)):
            missing += _compare(cursor, row, chunk, covered, proof)
        cursor.execute(
            "SELECT COUNT(DISTINCT external_id) FROM inbox_rawitem WHERE account_id = %s AND place = %s AND epoch = %s",
            row.key,
        )
        proof.gone = max(0, cursor.fetchone()[0] - proof.stored)
    retried(lambda: _write(row, proof, missing, held, now))
    return proof


@dataclass(slots=True)
class _Ledger:
    """One scope's row."""

    account_id: int
    scope: Scope
    id: int = 0

    @property
    def key(self) -> tuple[int, str, str]:
        return (self.account_id, self.scope.place, self.scope.epoch)


def _compare(cursor: CursorWrapper, row: _Ledger, chunk: list[str], covered: list[Range], proof: Proof) -> list[str]:
    """Counts one stretch of the listing; the ids in it that are missing."""
    sql = (
        "SELECT DISTINCT external_id FROM inbox_rawitem"
        " WHERE account_id = %s AND place = %s AND epoch = %s AND external_id IN ({in})"
    )
    stored = {found for (found,) in select_in(cursor, sql, chunk, row.key)}
    rest = [one for one in chunk if one not in stored]
    sql = "SELECT external_id, closed_as FROM inbox_cursortrouble WHERE scope_id = %s AND external_id IN ({in})"
    troubled = dict(select_in(cursor, sql, rest, (row.id,)))
    missing = []
    for one in rest:
        ended = troubled.get(one)
        if ended is not None and ended.startswith("excluded:"):
            proof.excluded[ended.removeprefix("excluded:")] += 1
        elif ended == "" or (ended is None and one.isdecimal() and not holding(covered, int(one))):
            proof.pending += 1
        else:
            missing.append(one)
    proof.listed += len(chunk)
    proof.stored += len(stored)
    proof.missing += len(missing)
    return missing


def _write(row: _Ledger, proof: Proof, missing: list[str], held: leases.Held | None, now: datetime) -> None:
    with transaction.atomic():
        if held is not None:
            leases.check(held)
        for external_id in missing[:NAMED_APART]:
            CursorTrouble.objects.update_or_create(
                scope_id=row.id,
                external_id=external_id,
                defaults={"reason": LOST, "last_seen_at": now, "closed_at": None, "closed_as": ""},
                create_defaults={"reason": LOST, "attempts": 0, "first_seen_at": now, "last_seen_at": now},
            )
        if numbers := [int(one) for one in missing[NAMED_APART:] if one.isdecimal()]:
            change_ranges(row.id, lambda ranges: without(ranges, numbers))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE inbox_cursorscope SET reconciliation = %s, excluded = %s, on_server = %s, counted_at = %s"
                " WHERE id = %s",
                [
                    dump_json(proof.write(now)),
                    dump_json(dict(proof.excluded)),
                    max(proof.listed, proof.told or 0),
                    moment(now),
                    row.id,
                ],
            )


# --- When -----------------------------------------------------------------------------------------------------------


def is_due(account: Account, now: datetime, *, is_complete: bool) -> bool:
    """Daily, on demand, after the first whole fetch, and soon when a count does not add up."""
    if account.proof_due_at is not None and account.proof_due_at <= now:
        return True
    if not is_complete:
        return False
    return account.proof_due_at is None or _is_unexplained(account, now)


def _is_unexplained(account: Account, now: datetime) -> bool:
    """Whether a place holds more than is known of, and was not listed just now."""
    rows = [row for row in readable_scopes(account) if (row.on_server or 0) > row.stored - _gone(row)]
    troubles = open_troubles(rows) if rows else Counter[int]()
    found = [complete_of(row, troubles[row.id]) for row in rows]
    return any(one.unexplained and (one.proved_at is None or now - one.proved_at >= EARLY_AGAIN) for one in found)


def readable_scopes(account: Account) -> list[CursorScope]:
    """The places that the last whole look could open."""
    return [row for row in current_scopes(account.id) if "since" not in account.places.get(row.place, {"since": ""})]


def _gone(row: CursorScope) -> int:
    return int(row.reconciliation.get("gone", 0))


def ask(account_id: int, now: datetime) -> bool:
    """A person wants the proof now: with the next look, which is made due. False while the account is not read."""
    read = Account.objects.filter(id=account_id, removed_at=None, next_poll_at__isnull=False)
    return bool(read.update(proof_due_at=now, next_poll_at=now))


def postpone(account_id: int, until: datetime) -> None:
    Account.objects.filter(id=account_id).update(proof_due_at=until)


def proved(account_id: int, now: datetime) -> None:
    Account.objects.filter(id=account_id).update(proof_due_at=next_proof(account_id, now))


# --- Exceptions -----------------------------------------------------------------------------------------------------


def leave_out(account_id: int, trouble_id: int, now: datetime) -> bool:
    """A person waits no longer for an id that the server does not hand over; False when it is not open any more."""
    row = CursorTrouble.objects.filter(id=trouble_id, scope__account=account_id, closed_at=None).first()
    if row is None:
        return False
    scope = CursorScope.objects.get(id=row.scope_id)
    return bool(exclude(account_id, Scope(scope.place, scope.epoch), [row.external_id], BY_HAND, now))


def take_back(account_id: int, trouble_id: int, now: datetime) -> bool:
    """What was left out is asked for again."""
    rows = CursorTrouble.objects.filter(id=trouble_id, scope__account=account_id, closed_as__startswith="excluded:")
    row = rows.first()
    if row is None:
        return False
    with transaction.atomic():
        scope = CursorScope.objects.select_for_update().get(id=row.scope_id)
        if not rows.update(closed_at=None, closed_as="", last_seen_at=now):
            return False
        rule = row.closed_as.removeprefix("excluded:")
        scope.excluded = {name: count - (name == rule) for name, count in scope.excluded.items()}
        scope.excluded = {name: count for name, count in scope.excluded.items() if count > 0}
        scope.save(update_fields=["excluded"])
        Account.objects.filter(id=account_id, next_poll_at__isnull=False).update(next_poll_at=now)
    return True
