"""Full-text search inside PostgreSQL, where no Elasticsearch is set: the same tokens, order and answers as FTS5.

One tsvector a message, made of our own tokens with our own positions, under a GIN index. PostgreSQL keeps positions
up to 16,383 and at most 255 of one lexeme: phrases are found within that, words everywhere.
https://www.postgresql.org/docs/current/textsearch-limitations.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from inbox.changes import MessageFacts
from inbox.models import Message
from inbox.sql import execute_in, insert
from search.backend import Drained, Drift, Hits, IndexStatus, chunks, remember, remembered
from search.document import GAP, NO_ACCOUNT, MessageDocument
from search.hits import collect
from search.query import FROM, All, Either, Node, Phrase, Prefix, Query, parse_query
from search.rows import document_of, every_id, load_documents, place

TABLE = "search_message"
POSITIONS = 16_383
BYTES = 1_000_000  # of a tsvector; PostgreSQL refuses one of 1 MiB
_POSITIONS_OF_ONE = 255
_AT_ONCE = 200
_CONFLICT = "ON CONFLICT (rowid) DO UPDATE SET terms = EXCLUDED.terms"


class PostgresBackend:
    name = "postgresql"

    def search(
        self, query: Query | str, *, accounts: set[int] | None, limit: int = 50, cursor: str | None = None
    ) -> Hits:
        asked = parse_query(query) if isinstance(query, str) else query
        match = tsquery_text(asked.root, accounts) if asked.root is not None else ""

        def ask(before: int | None, count: int) -> Sequence[int]:
            bound, values = ("AND rowid < %s", [before]) if before is not None else ("", [])
            sql = f"SELECT rowid FROM {TABLE} WHERE terms @@ %s::tsquery {bound} ORDER BY rowid DESC LIMIT %s"  # noqa: S608
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
                    write(cursor, documents)
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
        with connection.cursor() as cursor:
            execute_in(cursor, f"DELETE FROM {TABLE} WHERE rowid IN ({{in}})", extra)  # noqa: S608
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
            f"SELECT m.id FROM inbox_message m LEFT JOIN {TABLE} s ON s.rowid = m.search_rowid "  # noqa: S608
            "WHERE s.rowid IS NULL"
        )
        return _column(sql)

    def _extra(self) -> list[int]:
        sql = (
            f"SELECT s.rowid FROM {TABLE} s LEFT JOIN inbox_message m ON m.search_rowid = s.rowid "  # noqa: S608
            "WHERE m.id IS NULL"
        )
        return _column(sql)


class PostgresSink:
    def record(self, messages: Sequence[MessageFacts], conversations: Sequence[int]) -> None:
        """Conversations have no document here: the tables answer for them."""
        if not messages:
            return
        with connection.cursor() as cursor:
            places, _ = place(cursor, [(facts.id, facts.sent_at) for facts in messages])
            write(cursor, [document_of(facts, places[facts.id]) for facts in messages if facts.id in places])


def sink() -> PostgresSink:
    return PostgresSink()


def write(cursor: CursorWrapper, documents: Iterable[MessageDocument]) -> None:
    rows = {document.rowid: tsvector_text(document) for document in documents}
    insert(cursor, TABLE, "rowid terms", sorted(rows.items()), _CONFLICT)


def tsvector_text(document: MessageDocument) -> str:
    """A tsvector in text form. People come first: the positions left over are the text's."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for account in document.accounts:
        places[f"=a{account}"] = []
    position = 0
    marked = [token if token == GAP else f"=f{token}" for token in document.sender]
    for tokens in (marked, document.people, document.text):
        position += 1
        for token in tokens:
            position += 1
            if token != GAP and (position <= POSITIONS or token not in places):
                places[token].append(position)
    for token in (*document.wholes, *(f"=f{token}" for token in document.sender_wholes)):
        places.setdefault(token, [])
    parts: list[str] = []
    size = 0
    for token, found in places.items():
        kept = [place for place in found if place <= POSITIONS][:_POSITIONS_OF_ONE]
        size += len(token.encode()) + 10 + 2 * len(kept)
        if size > BYTES:
            break
        parts.append(f"'{token}':{','.join(map(str, kept))}" if kept else f"'{token}'")
    return " ".join(parts)


def tsquery_text(root: Node, accounts: set[int] | None) -> str:
    """A tsquery in text form. Every token is quoted, and none holds a quote or a backslash."""
    text = _query(root)
    if accounts is None:
        return text
    allowed = " | ".join(f"'=a{account}'" for account in sorted({*accounts, NO_ACCOUNT}))
    return f"({text}) & ({allowed})"


def _query(node: Node) -> str:
    if isinstance(node, All):
        return "(" + " & ".join(_query(part) for part in node.parts) + ")"
    if isinstance(node, Either):
        return "(" + " | ".join(_query(part) for part in node.parts) + ")"
    mark = "=f" if node.field == FROM else ""
    if isinstance(node, Phrase):
        return "(" + " <-> ".join(f"'{mark}{token}'" for token in node.tokens) + ")"
    return f"'{mark}{node.token}'{':*' if isinstance(node, Prefix) else ''}"


def _column(sql: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [value for (value,) in cursor.fetchall()]
