"""What is to be indexed: noted by the transaction that makes the change, with a version that only grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Min
from django.utils import timezone

from inbox.models import IndexChange
from inbox.sql import insert, moment, select_in
from search.backend import chunks
from search.cluster import CONVERSATION, MESSAGE
from search.models import IndexGeneration

GONE = 1 << 62  # the version of a document whose row is gone: nothing comes after it
REFUSED = 1_000  # attempts of a document that the index refused for what it is
ACTIVE = (IndexGeneration.LIVE, IndexGeneration.BUILDING)
_AT_ONCE = 500

_COLUMNS = "target kind document_id version changed_at attempts error"
_CONFLICT = (
    "ON CONFLICT (target, kind, document_id) DO UPDATE SET attempts = 0, error = '', version = CASE"
    " WHEN EXCLUDED.version > inbox_indexchange.version THEN EXCLUDED.version ELSE inbox_indexchange.version END"
)


def targets(cursor: CursorWrapper) -> list[str]:
    """The generations that changes go to. Inside the transaction that changes something; makes the first one."""
    if connection.vendor == "postgresql":
        # Waits for a rebuild that is just adding a generation, and holds the next one off until we commit.
        cursor.execute("SELECT name FROM search_indexgeneration WHERE state = %s FOR SHARE", [IndexGeneration.LIVE])
        cursor.fetchall()
    cursor.execute("SELECT name FROM search_indexgeneration WHERE state IN (%s, %s) ORDER BY name", ACTIVE)
    names = [name for (name,) in cursor.fetchall()]
    return names or [first_generation()]


def first_generation() -> str:
    row, _ = IndexGeneration.objects.get_or_create(
        name="g1", defaults={"state": IndexGeneration.LIVE, "created_at": timezone.now()}
    )
    return row.name


def raise_versions(cursor: CursorWrapper, ids: Sequence[int]) -> dict[int, int]:
    """Counts a change of messages that were indexed before; returns their new versions."""
    conflict = "ON CONFLICT (message_id) DO UPDATE SET version = search_messageversion.version + 1"
    insert(cursor, "search_messageversion", "message_id version", [(id, 2) for id in ids], conflict)
    return current_versions(cursor, MESSAGE, ids)


def current_versions(cursor: CursorWrapper, kind: str, ids: Sequence[int]) -> dict[int, int]:
    """The version of each document by its row; GONE where there is none."""
    if kind == CONVERSATION:
        sql = "SELECT id, version FROM inbox_conversation WHERE id IN ({in})"
    else:
        sql = (
            "SELECT m.id, COALESCE(v.version, 1) FROM inbox_message m"
            " LEFT JOIN search_messageversion v ON v.message_id = m.id WHERE m.id IN ({in})"
        )
    return dict.fromkeys(ids, GONE) | dict(select_in(cursor, sql, ids))


def note(cursor: CursorWrapper, names: Iterable[str], kind: str, versions: Mapping[int, int]) -> None:
    """Notes that documents are to be indexed. Sorted, so that two writers never wait for each other in a ring."""
    at = moment(timezone.now())
    rows = [(name, kind, id, versions[id], at, 0, "") for name in names for id in sorted(versions)]
    insert(cursor, "inbox_indexchange", _COLUMNS, rows, _CONFLICT)


def mark(kind: str, ids: Sequence[int], names: Sequence[str] | None = None) -> None:
    """Notes documents to be indexed again as they are."""
    for part in chunks(ids, _AT_ONCE):
        with transaction.atomic(), connection.cursor() as cursor:
            note(cursor, names or targets(cursor), kind, current_versions(cursor, kind, part))


def waiting(kind: str, limit: int) -> list[int]:
    """Ids of the newest documents that wait for the live index."""
    live = IndexGeneration.objects.filter(state=IndexGeneration.LIVE).values_list("name")
    rows = IndexChange.objects.filter(target__in=live, kind=kind).order_by("-document_id")
    return list(rows.values_list("document_id", flat=True)[:limit])


def pending() -> tuple[int, datetime | None]:
    """How many changes wait, and since when the oldest does."""
    rows = IndexChange.objects.all()
    return rows.count(), rows.aggregate(oldest=Min("changed_at"))["oldest"]


def refused() -> list[tuple[str, int, str]]:
    """(kind, id, error) of the documents that the index refused for what they are."""
    rows = IndexChange.objects.filter(attempts__gte=REFUSED).order_by("-changed_at")
    return list(rows.values_list("kind", "document_id", "error")[:100])
