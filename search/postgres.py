"""Full-text search inside PostgreSQL, where no Elasticsearch is set: the same tokens, order and answers as FTS5.

One tsvector a message, made of our own tokens with our own positions, under a GIN index. PostgreSQL keeps positions
up to 16,383 and at most 255 of one lexeme: phrases are found within that, words everywhere.
https://www.postgresql.org/docs/current/textsearch-limitations.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper

from inbox.changes import MessageFacts
from inbox.sql import insert
from search.document import NO_ACCOUNT, MessageDocument
from search.query import FROM, All, Either, Node, Phrase, Prefix
from search.rows import document_of, place
from search.table import TABLE, TableBackend
from search.words import GAP

PREPARE = "search.words:prepare"
POSITIONS = 16_383
BYTES = 1_000_000  # of a tsvector; PostgreSQL refuses one of 1 MiB
_POSITIONS_OF_ONE = 255
_CONFLICT = "ON CONFLICT (rowid) DO UPDATE SET terms = EXCLUDED.terms"


class PostgresBackend(TableBackend):
    name = "postgresql"
    condition = "terms @@ %s::tsquery"
    content, key = TABLE, "rowid"

    def match_text(self, root: Node, accounts: set[int] | None) -> str:
        return tsquery_text(root, accounts)

    def replace(self, cursor: CursorWrapper, documents: Sequence[MessageDocument]) -> None:
        write(cursor, documents)


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
