"""The script that new homes begin with is what the migrations make."""

from __future__ import annotations

import sqlite3

import pytest
from django.db import connection

from web import schema

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite homes begin with the script")
def test_the_kept_schema_is_that_of_the_migrations_so_make_schema_was_not_forgotten() -> None:
    assert schema.PLACE.read_text(encoding="utf-8") == schema.script_of_this()


def test_the_script_makes_a_whole_database_by_itself() -> None:
    script = schema.PLACE.read_text(encoding="utf-8")
    with sqlite3.connect(":memory:") as made:
        made.executescript(script)
        tables = {name for (name,) in made.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        known = set(connection.introspection.table_names())
    assert known <= tables
