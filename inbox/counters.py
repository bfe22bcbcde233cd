"""Open work per account, team, status and owner: kept by the transaction that changes it, never counted over rows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.db import connection
from django.db.models import Count

from inbox.models import Conversation, Counter


class Key(NamedTuple):
    """Where one conversation is counted; 0 stands for none."""

    account_id: int
    team_id: int
    status: str
    owner_id: int


def key_of(conversation: Conversation) -> Key:
    return Key(conversation.account_id or 0, conversation.team_id or 0, conversation.status, conversation.owner_id or 0)


def move(before: Key | None, after: Key | None) -> None:
    """One conversation leaves one place and arrives at another; None is outside (new, or gone)."""
    deltas: Tally[Key] = Tally()
    if before is not None:
        deltas[before] -= 1
    if after is not None:
        deltas[after] += 1
    apply(deltas)


def apply(deltas: Mapping[Key, int]) -> None:
    """Adds many differences in one statement. Call inside the transaction that changed the conversations."""
    # One order for everybody: two transactions that touch the same rows wait instead of deadlocking.
    changed = sorted((key, delta) for key, delta in deltas.items() if delta)
    if not changed:
        return
    rows = ", ".join(["(%s, %s, %s, %s, %s)"] * len(changed))
    sql = (
        "INSERT INTO inbox_counter (account_id, team_id, status, owner_id, conversations) VALUES "  # noqa: S608
        + rows
        + " ON CONFLICT (account_id, team_id, status, owner_id)"
        " DO UPDATE SET conversations = inbox_counter.conversations + excluded.conversations"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for key, delta in changed for value in (*key, delta)])


def recount() -> dict[Key, int]:
    """What the counters should hold, counted over all rows: for the audit and for tests."""
    rows: Iterable[tuple[int | None, int | None, str, int | None, int]] = (
        Conversation.objects.order_by()
        .values_list("account_id", "team_id", "status", "owner_id")
        .annotate(conversations=Count("id"))
    )
    return {Key(account or 0, team or 0, status, owner or 0): count for account, team, status, owner, count in rows}


def kept() -> dict[Key, int]:
    """What the counters hold, without zeros."""
    rows = Counter.objects.exclude(conversations=0).values_list(
        "account_id", "team_id", "status", "owner_id", "conversations"
    )
    return {Key(account, team, status, owner): count for account, team, status, owner, count in rows}
