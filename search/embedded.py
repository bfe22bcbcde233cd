"""Full-text search inside SQLite: an FTS5 table in the same file, written in the same transaction as the message.

The row number of a message is its second and a number within it (search/rows.py), so "newest first" is the table's
own order and a page costs the same at any size. https://sqlite.org/fts5.html
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from inbox.changes import MessageFacts
from search.document import NO_ACCOUNT, MessageDocument, fold_person
from search.query import FROM, All, Either, Node, Phrase, Prefix
from search.rows import NOTE, place
from search.table import TABLE, TableBackend, remove
from search.words import GAP, prepare, wholes_of, with_gaps

PREPARE = "search.words:prepare"
COLUMNS = "text, people, wholes, filters"
Line = tuple[str, str, str, str]
_INSERT = f"INSERT INTO {TABLE} (rowid, {COLUMNS}) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608


class EmbeddedBackend(TableBackend):
    name = "fts5"
    condition = f"{TABLE} MATCH %s"
    content, key = f"{TABLE}_content", "id"

    def match_text(self, root: Node, accounts: set[int] | None) -> str:
        return match_text(root, accounts)

    def replace(self, cursor: CursorWrapper, documents: Sequence[MessageDocument]) -> None:
        write(cursor, documents, replaced={document.rowid for document in documents})

    def check(self) -> list[str]:
        if not has_fts5():
            return [_("This Python's SQLite has no FTS5. Install a Python whose SQLite has it; most builds do.")]
        return []


class EmbeddedSink:
    def record(self, messages: Sequence[MessageFacts], conversations: Sequence[int]) -> None:
        """Conversations have no document here: the tables answer for them."""
        if not messages:
            return
        with connection.cursor() as cursor:
            places, new = place(cursor, [(facts.id, facts.sent_at) for facts in messages])
            lines = {places[facts.id]: line_of(facts) for facts in messages if facts.id in places}
            _write_lines(cursor, lines, {rowid for message, rowid in places.items() if message not in new})


def sink() -> EmbeddedSink:
    return EmbeddedSink()


def write(cursor: CursorWrapper, documents: Iterable[MessageDocument], replaced: set[int]) -> None:
    """Writes rows in the table's own order, which is several times faster than any other."""
    _write_lines(cursor, {document.rowid: columns_of(document) for document in documents}, replaced)


def _write_lines(cursor: CursorWrapper, lines: dict[int, Line], replaced: set[int]) -> None:
    remove(cursor, sorted(replaced))
    cursor.executemany(_INSERT, [(rowid, *lines[rowid]) for rowid in sorted(lines)])


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


def line_of(facts: MessageFacts) -> Line:
    """What `columns_of` gives for the document of these facts, without making the document."""
    text, wholes, _ = facts.words or prepare(facts.subject, facts.text)
    people, wholes_of_people, sender = _people_of(facts.author, facts.people)
    accounts = sorted(set(facts.accounts)) if facts.accounts and facts.direction != NOTE else [NO_ACCOUNT]
    named = " ".join([f"a{account}" for account in accounts])
    if wholes_of_people:
        wholes = " ".join(dict.fromkeys([*wholes.split(), *wholes_of_people]))
    return (text, people, wholes, f"{sender} {GAP} {named}")


@lru_cache(maxsize=4096)
def _people_of(author: tuple[str, ...], people: tuple[str, ...]) -> tuple[str, list[str], str]:
    """The column of people, their wholes, and the sender's part of the filters: one customer's mails have the same."""
    everybody, sender = [fold_person(one) for one in people if one], [fold_person(one) for one in author if one]
    marked = [token if token == GAP else f"f{token}" for token in with_gaps(sender)]
    wholes = [f"f{token}" for token in wholes_of(sender)]
    return " ".join(with_gaps(everybody)), wholes_of(everybody), " ".join([*marked, GAP, *wholes])


def columns_of(document: MessageDocument) -> Line:
    sender = [token if token == GAP else f"f{token}" for token in document.sender]
    wholes = [f"f{token}" for token in document.sender_wholes]
    accounts = [f"a{account}" for account in document.accounts]
    return (
        " ".join(document.text),
        " ".join(document.people),
        " ".join(document.wholes),
        " ".join([*sender, GAP, *wholes, GAP, *accounts]),
    )
