"""Which received messages still need their language told, and where it is written.

A message waits while its language is ""; UNKNOWN ("und") says that it was looked at and cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from inbox.rules.languages import UNKNOWN, Guess, new_words, readable
from inbox.sql import read_json, select_in

_READ = 20_000  # characters of a text in which its new part must begin
# Conditions and order as in the index `message_language_due`, else it would not be used.
_DUE = "FROM inbox_message WHERE language = '' AND direction = 'inbound' ORDER BY received_at DESC LIMIT %s"


class Waiting(NamedTuple):
    id: int
    words: str  # of what is new in it; "" for none


def find_due(limit: int) -> list[Waiting]:
    """The newest first: what an agent reads next."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, SUBSTR(text, 1, {_READ}), passages {_DUE}",
            [limit],
        )
        return [Waiting(row[0], readable(new_words(row[1], read_json(row[2])))) for row in cursor.fetchall()]


def is_any_due() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 {_DUE}", [1])
        return cursor.fetchone() is not None


def put(guesses: Mapping[int, Guess]) -> None:
    """Writes what was found, and to each conversation the language of its customer's latest words that have one."""
    rows = [(guess.language, guess.confidence, message_id) for message_id, guess in sorted(guesses.items())]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE inbox_message SET language = %s, language_confidence = %s WHERE id = %s AND language = ''", rows
        )
        _tell_conversations(cursor, {key: guess for key, guess in guesses.items() if guess.language != UNKNOWN})


def _tell_conversations(cursor: CursorWrapper, known: Mapping[int, Guess]) -> None:
    """An automatic message says nothing about the customer's language."""
    sql = """SELECT l.conversation_id, m.id, m.written_at FROM inbox_message m
        JOIN inbox_strandlink l ON l.strand_id = m.strand_id AND l.ended_at IS NULL
        WHERE m.id IN ({in}) AND m.automatic = '' ORDER BY l.conversation_id, m.written_at, m.id"""
    latest = {row[0]: (row[1], row[2]) for row in select_in(cursor, sql, known)}
    cursor.executemany(
        "UPDATE inbox_conversation SET language = %s"
        " WHERE id = %s AND (language = '' OR last_inbound_at <= %s) AND language <> %s",
        [
            (known[message_id].language, conversation_id, written_at, known[message_id].language)
            for conversation_id, (message_id, written_at) in latest.items()
        ],
    )
    # Beside their latest matter, for those whose next words are too few to tell.
    cursor.executemany(
        "UPDATE inbox_customer SET language = %s WHERE language = ''"
        " AND id = (SELECT customer_id FROM inbox_conversation WHERE id = %s)",
        [(known[message_id].language, conversation_id) for conversation_id, (message_id, _at) in latest.items()],
    )
