"""What full-text search inside the database is, whichever database: one table, a row a message, newest first.

The row number of a message is its second and a number within it (search/rows.py), so "newest first" is the table's own
order and a page costs the same at any size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import ClassVar

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from inbox.models import Message
from inbox.sql import execute_in
from search.backend import Drained, Drift, Hits, IndexStatus, chunks, remember, remembered
from search.document import MessageDocument
from search.hits import collect
from search.query import Node, Query, parse_query
from search.rows import every_id, load_documents

TABLE = "search_message"
_AT_ONCE = 200


class TableBackend(ABC):
    name: ClassVar[str]
    condition: ClassVar[str]  # SQL that a found row fulfils; one parameter, what `match_text` gives
    content: ClassVar[str]  # the table that holds a row a message, and its key
    key: ClassVar[str]

    @abstractmethod
    def match_text(self, root: Node, accounts: set[int] | None) -> str: ...

    @abstractmethod
    def replace(self, cursor: CursorWrapper, documents: Sequence[MessageDocument]) -> None:
        """Writes rows, over those that are there."""

    def search(
        self, query: Query | str, *, accounts: set[int] | None, limit: int = 50, cursor: str | None = None
    ) -> Hits:
        asked = parse_query(query) if isinstance(query, str) else query
        match = self.match_text(asked.root, accounts) if asked.root is not None else ""

        def ask(before: int | None, count: int) -> Sequence[int]:
            bound, values = ("AND rowid < %s", [before]) if before is not None else ("", [])
            sql = f"SELECT rowid FROM {TABLE} WHERE {self.condition} {bound} ORDER BY rowid DESC LIMIT %s"  # noqa: S608
            return _column(sql, [match, *values, count])

        return collect(asked, accounts, limit, cursor, ask)

    def index(self, messages: Iterable[int]) -> int:
        count = 0
        for ids in chunks(list(messages), _AT_ONCE):
            with transaction.atomic():
                documents = load_documents(ids)
                with connection.cursor() as cursor:
                    self.replace(cursor, documents)
            count += len(documents)
        return count

    def drain(self, limit: int = 500) -> Drained:
        """Messages without a place came by another way than the sink, such as from another back end's database."""
        ids = list(Message.objects.filter(search_rowid=None).order_by("id").values_list("id", flat=True)[:limit])
        return Drained(indexed=self.index(ids), is_done=len(ids) < limit)

    def check(self) -> list[str]:
        return []

    def status(self, now: datetime) -> IndexStatus:
        return IndexStatus(self.name, Message.objects.filter(search_rowid=None).count(), None, remembered())

    def drift(self) -> Drift:
        drift = Drift(missing=len(self._missing()), extra=len(self._extra()))
        remember(drift)
        return drift

    def repair(self) -> Drift:
        missing, extra = self._missing(), self._extra()
        self.index(missing)
        with transaction.atomic(), connection.cursor() as cursor:
            remove(cursor, extra)
        return Drift(missing=len(missing), extra=len(extra))

    def rebuild(self, progress: Callable[[int], None] = lambda _: None) -> int:
        count = 0
        for ids in every_id(_AT_ONCE):
            count += self.index(ids)
            progress(count)
        self.repair()
        return count

    def _missing(self) -> list[int]:
        return _column(
            f"SELECT m.id FROM inbox_message m LEFT JOIN {self.content} s ON s.{self.key} = m.search_rowid "  # noqa: S608
            f"WHERE s.{self.key} IS NULL"
        )

    def _extra(self) -> list[int]:
        return _column(
            f"SELECT s.{self.key} FROM {self.content} s LEFT JOIN inbox_message m "  # noqa: S608
            f"ON m.search_rowid = s.{self.key} WHERE m.id IS NULL"
        )


def remove(cursor: CursorWrapper, rowids: Sequence[int]) -> None:
    execute_in(cursor, f"DELETE FROM {TABLE} WHERE rowid IN ({{in}})", rowids)  # noqa: S608


def _column(sql: str, values: Sequence[str | int] = ()) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [value for (value,) in cursor.fetchall()]
