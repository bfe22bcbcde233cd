"""Full-text search inside SQLite: an FTS5 table in the same file, written in the same transaction as the message.

The row number of a message is its second and a number within it (search/rows.py), so "newest first" is the table's
own order and a page costs the same at any size. https://sqlite.org/fts5.html
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from inbox.changes import MessageFacts
from inbox.models import Message
from inbox.sql import execute_in
from search.backend import Drained, Drift, Hits, IndexStatus, chunks, remember, remembered
from search.document import GAP, NO_ACCOUNT, MessageDocument
from search.hits import collect
from search.query import FROM, All, Either, Node, Phrase, Prefix, Query, parse_query
from search.rows import document_of, every_id, load_documents, place

TABLE = "search_message"
COLUMNS = "text, people, wholes, filters"
_INSERT = f"INSERT INTO {TABLE} (rowid, {COLUMNS}) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608
_AT_ONCE = 200


class EmbeddedBackend:
    name = "fts5"

    def search(
        self, query: Query | str, *, accounts: set[int] | None, limit: int = 50, cursor: str | None = None
    ) -> Hits:
        asked = parse_query(query) if isinstance(query, str) else query
        match = match_text(asked.root, accounts) if asked.root is not None else ""

        def ask(before: int | None, count: int) -> Sequence[int]:
            bound, values = ("AND rowid < %s", [before]) if before is not None else ("", [])
            sql = f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s {bound} ORDER BY rowid DESC LIMIT %s"  # noqa: S608
            with connection.cursor() as rows:
                rows.execute(sql, [match, *values, count])
                return [rowid for (rowid,) in rows.fetchall()]

        return collect(asked, accounts, limit, cursor, ask)

    def index(self, messages: Iterable[int]) -> int:
        count = 0
        for ids in chunks(list(messages), _AT_ONCE):
            with transaction.atomic():
                documents = load_documents(ids)
                with connection.cursor() as cursor:
                    write(cursor, documents, replaced={document.rowid for document in documents})
            count += len(documents)
        return count

    def drain(self, limit: int = 500) -> Drained:
        """Messages without a place came by another way than the sink, such as from another back end's database."""
        ids = list(Message.objects.filter(search_rowid=None).order_by("id").values_list("id", flat=True)[:limit])
        return Drained(indexed=self.index(ids), is_done=len(ids) < limit)

    def check(self) -> list[str]:
        if not has_fts5():
            return [_("This Python's SQLite has no FTS5. Install a Python whose SQLite has it; most builds do.")]
        return []

    def status(self, now: datetime) -> IndexStatus:
        missing = Message.objects.filter(search_rowid=None).count()
        return IndexStatus(self.name, missing, None, remembered())

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
        sql = (
            f"SELECT m.id FROM inbox_message m LEFT JOIN {TABLE}_content c ON c.id = m.search_rowid "  # noqa: S608
            "WHERE c.id IS NULL"
        )
        return _column(sql)

    def _extra(self) -> list[int]:
        sql = (
            f"SELECT c.id FROM {TABLE}_content c LEFT JOIN inbox_message m ON m.search_rowid = c.id "  # noqa: S608
            "WHERE m.id IS NULL"
        )
        return _column(sql)


class EmbeddedSink:
    def record(self, messages: Sequence[MessageFacts], conversations: Sequence[int]) -> None:
        """Conversations have no document here: the tables answer for them."""
        if not messages:
            return
        with connection.cursor() as cursor:
            places, new = place(cursor, [(facts.id, facts.sent_at) for facts in messages])
            documents = [document_of(facts, places[facts.id]) for facts in messages if facts.id in places]
            write(cursor, documents, {each.rowid for each in documents if each.id not in new})


def sink() -> EmbeddedSink:
    return EmbeddedSink()


def write(cursor: CursorWrapper, documents: Iterable[MessageDocument], replaced: set[int]) -> None:
    """Writes rows in the table's own order, which is several times faster than any other."""
    remove(cursor, sorted(replaced))
    lines = {document.rowid: _columns(document) for document in documents}
    cursor.executemany(_INSERT, [(rowid, *lines[rowid]) for rowid in sorted(lines)])


def remove(cursor: CursorWrapper, rowids: Sequence[int]) -> None:
    execute_in(cursor, f"DELETE FROM {TABLE} WHERE rowid IN ({{in}})", rowids)  # noqa: S608


def has_fts5() -> bool:
    """Whether the SQLite of this Python can make a full-text table."""
    with sqlite3.connect(":memory:") as database:
        try:
            database.execute("CREATE VIRTUAL TABLE probe USING fts5 (text, tokenize = 'ascii')")
        except sqlite3.OperationalError:
            return False
    return True


def match_text(root: Node, accounts: set[int] | None) -> str:
    """A MATCH expression. Every token is quoted, and none holds a quote: folding leaves letters and digits only."""
    text = _match(root)
    if accounts is None:
        return text
    allowed = " OR ".join(f'"a{account}"' for account in sorted({*accounts, NO_ACCOUNT}))
    return f"({text}) AND filters : ({allowed})"


def _match(node: Node) -> str:
    if isinstance(node, All):
        return "(" + " AND ".join(_match(part) for part in node.parts) + ")"
    if isinstance(node, Either):
        return "(" + " OR ".join(_match(part) for part in node.parts) + ")"
    mark = "f" if node.field == FROM else ""
    if isinstance(node, Phrase):
        columns = "filters" if mark else "{text people}"
        return f'{columns} : "{" ".join(mark + token for token in node.tokens)}"'
    columns = "filters" if mark else "{text people wholes}"
    return f'{columns} : "{mark}{node.token}"{" *" if isinstance(node, Prefix) else ""}'


def _columns(document: MessageDocument) -> tuple[str, str, str, str]:
    sender = [token if token == GAP else f"f{token}" for token in document.sender]
    wholes = [f"f{token}" for token in document.sender_wholes]
    accounts = [f"a{account}" for account in document.accounts]
    return (
        " ".join(document.text),
        " ".join(document.people),
        " ".join(document.wholes),
        " ".join([*sender, GAP, *wholes, GAP, *accounts]),
    )


def _column(sql: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [value for (value,) in cursor.fetchall()]
