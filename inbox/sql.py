"""SQL by hand for the hot path: bulk rows without an object each, the same on SQLite and PostgreSQL.

Values go in and come out in the forms Django itself stores, so that rows written here and by the ORM are alike.
Table and column names are constants of the code; every value is a bound parameter.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from json import encoder
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

_AT_ONCE = 5_000  # parameters in one IN list; SQLite allows 32,766 in a statement
_VALUES_AT_ONCE = 200  # rows in one INSERT on PostgreSQL, where each statement is a round trip


@cache
def is_sqlite() -> bool:
    """Which dialect; asked once, because asking the connection is slow on a path of microseconds."""
    return connection.vendor == "sqlite"


def moment(value: datetime | None) -> Any:
    """An aware datetime as a parameter, in the form that Django stores."""
    if value is None or not is_sqlite():
        return value
    return _as_stored(value)


@lru_cache(maxsize=4096)  # one message's times stand in many rows
def _as_stored(value: datetime) -> str:
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(" ")[:-6]  # without +00:00


def read_moment(value: Any) -> datetime | None:
    """A datetime column of a raw row, aware in UTC."""
    if value is None:
        return None
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_json(value: Any) -> Any:
    """A JSON column of a raw row."""
    return json.loads(value) if isinstance(value, (str, bytes)) else value


_plainly = json.JSONEncoder(separators=(",", ":"))
# JSONEncoder makes itself this helper for every value, which takes longer than encoding a short one.
_make = getattr(encoder, "c_make_encoder", None)
_pieces = _make and _make(None, _plainly.default, encoder.encode_basestring_ascii, None, ":", ",", False, False, True)
_EMPTY: dict[type, str] = {list: "[]", tuple: "[]", dict: "{}"}


def dump_json(value: Any) -> str:
    """Compact; NUL and lone surrogates cannot be stored by PostgreSQL, so they become U+FFFD."""
    if not value and type(value) in _EMPTY:
        return _EMPTY[type(value)]
    text = "".join(_pieces(value, 0)) if _pieces else _plainly.encode(value)
    return text.replace("\\u0000", "\\ufffd") if "\\u0000" in text else text


def insert(cursor: CursorWrapper, table: str, columns: str, rows: Sequence[Sequence[Any]], conflict: str = "") -> int:
    """Inserts rows and says how many went in. `columns` are names with spaces between, `conflict` is ON CONFLICT …"""
    if not rows:
        return 0
    named = columns.split()
    names = ", ".join(f'"{name}"' for name in named)
    one = f"({', '.join(['%s'] * len(named))})"
    if is_sqlite():
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES {one} {conflict}', rows)  # noqa: S608
        return int(cursor.rowcount)
    count = 0
    for start in range(0, len(rows), _VALUES_AT_ONCE):
        part = rows[start : start + _VALUES_AT_ONCE]
        values = ", ".join([one] * len(part))
        sql = f'INSERT INTO "{table}" ({names}) VALUES {values} {conflict}'  # noqa: S608
        cursor.execute(sql, [value for row in part for value in row])
        count += cursor.rowcount
    return count


def select_in(
    cursor: CursorWrapper, sql: str, values: Collection[Any], before: Sequence[Any] = (), after: Sequence[Any] = ()
) -> Iterator[tuple[Any, ...]]:
    """Rows of a SELECT whose text holds `{in}` where the list belongs; nothing for an empty list."""
    known = list(values)
    for start in range(0, len(known), _AT_ONCE):
        part = known[start : start + _AT_ONCE]
        cursor.execute(sql.replace("{in}", ", ".join(["%s"] * len(part))), [*before, *part, *after])
        yield from cursor.fetchall()


def execute_in(
    cursor: CursorWrapper, sql: str, values: Collection[Any], before: Sequence[Any] = (), after: Sequence[Any] = ()
) -> int:
    """Runs a statement whose text holds `{in}` over a list of values; the number of rows it touched."""
    known = list(values)
    count = 0
    for start in range(0, len(known), _AT_ONCE):
        part = known[start : start + _AT_ONCE]
        cursor.execute(sql.replace("{in}", ", ".join(["%s"] * len(part))), [*before, *part, *after])
        count += cursor.rowcount
    return count


def locking() -> str:
    """The clause that keeps rows for this transaction; SQLite's IMMEDIATE transaction holds everything already."""
    return "" if is_sqlite() else " FOR UPDATE"
