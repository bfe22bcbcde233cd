"""The whole schema of an empty SQLite home as one script, so that a new home is there at once.

Running every migration takes two seconds, most of it Django's own book-keeping between them; the result is always the
same. So it is kept beside the code (`schema.sqlite.sql`) and laid into a database that holds nothing yet. Homes that
hold something, and PostgreSQL, are migrated. `make schema` writes the script anew after a new migration; until then
its first line does not fit, and new homes are migrated as well.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader

PLACE = Path(__file__).with_name("schema.sqlite.sql")
_HEAD = "-- After the migrations "
_FILLED = ("django_migrations", "django_content_type", "auth_permission")
_BETWEEN = "\n;\n"


def lay(loader: MigrationLoader) -> bool:
    """Lays the script into an empty SQLite database; False, with nothing done, where it does not fit."""
    if connection.vendor != "sqlite":
        return False
    head, _, script = PLACE.read_text(encoding="utf-8").partition("\n")
    if head != _head_of(loader):
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM sqlite_master")
        if cursor.fetchone()[0]:
            return False
        for statement in script.split(_BETWEEN):
            # Without parameters a per cent sign stands for itself.
            cursor.execute(statement)
    return True


def _head_of(loader: MigrationLoader) -> str:
    names = sorted(f"{app}.{name}" for app, name in loader.disk_migrations)
    return _HEAD + hashlib.sha256("\n".join(names).encode()).hexdigest()


def script_of_this() -> str:
    """What `schema.sqlite.sql` ought to be, told from the database at hand, which has just been migrated."""
    with connection.cursor() as cursor:
        statements = [*_tables(cursor), *_rows(cursor)]
    return _head_of(MigrationLoader(connection)) + "\n" + _BETWEEN.join(statements) + "\n"


def _tables(cursor: CursorWrapper) -> Iterator[str]:
    cursor.execute("SELECT name FROM pragma_table_list WHERE type = 'shadow'")
    shadows = {name for (name,) in cursor.fetchall()}
    cursor.execute(
        "SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'"
        " ORDER BY type != 'table', name"
    )
    for table, sql in cursor.fetchall():
        if table not in shadows:
            yield sql


def _rows(cursor: CursorWrapper) -> Iterator[str]:
    for table in _FILLED:
        cursor.execute(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608  a name from the list above
        for row in cursor.fetchall():
            yield f"INSERT INTO {table} VALUES ({', '.join(map(_literal, row))})"  # noqa: S608  values of our own


def _literal(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    # When each was applied tells nothing here, and would make every script another one.
    text = "2026-01-01 00:00:00" if not isinstance(value, str) else value
    return "'" + text.replace("'", "''") + "'"


def main() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    PLACE.write_text(script_of_this(), encoding="utf-8")
    sys.stdout.write(f"{PLACE.name}: written\n")


if __name__ == "__main__":
    import django

    django.setup()
    main()
