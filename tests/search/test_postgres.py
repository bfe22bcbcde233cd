"""PostgreSQL's own full text: its text forms, its limits, and the whole search suite on a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from search.document import MessageDocument, make_document
from search.postgres import BYTES, POSITIONS, tsquery_text, tsvector_text
from search.query import parse_query
from tests.search.records import NOW
from tests.servers.postgres import running_postgres


def document(
    text: str, subject: str = "", author: tuple[str, ...] = (), people: tuple[str, ...] = ()
) -> MessageDocument:
    return make_document(
        id=1, rowid=1, strand=1, sent_at=NOW, accounts=(7,), subject=subject, text=text, author=author, people=people
    )


def test_a_document_becomes_lexemes_with_our_positions() -> None:
    found = tsvector_text(document("blue kettle, blue", author=("Budi",), people=("Budi", "b@x.org")))
    assert found.split() == [
        "'=a7'",
        "'=fbudi':2",
        "'budi':4",
        "'b':6",
        "'x':7",
        "'org':8",
        "'blue':10,12",
        "'kettle':11",
        "'bxorg'",
    ]


def test_a_gap_keeps_fields_apart() -> None:
    assert tsvector_text(document("b", subject="a")).split() == ["'=a7'", "'a':4", "'b':6"]


def test_f63_positions_and_bytes_stay_within_what_postgresql_takes() -> None:
    many = tsvector_text(document("same " * 20_000 + "last"))
    assert many.count(",") == 254
    assert many.endswith("'last'")  # found as a word, too far back for a phrase
    assert str(POSITIONS + 1) not in many
    different = tsvector_text(document(" ".join(f"w{n:07}" for n in range(110_000))))
    assert len(different) < 2 * BYTES


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kettle", "'kettle'"),
        ("ket*", "'ket':*"),
        ('"blue kettle" x', "(('blue' <-> 'kettle') & 'x')"),
        ("tb-1", "('tb1' | ('tb' <-> '1'))"),
        ("from:budi", "'=fbudi'"),
        ("' | !x :* \\", "'x'"),
    ],
)
def test_a_query_becomes_quoted_lexemes(query: str, expected: str) -> None:
    root = parse_query(query).root
    assert root is not None
    assert tsquery_text(root, None) == expected
    assert tsquery_text(root, {7}) == f"({expected}) & ('=a0' | '=a7')"


@pytest.mark.servers
@pytest.mark.timeout(300)
def test_the_search_suite_passes_on_a_real_postgresql() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("This run is on PostgreSQL already.")
    files = ["tests/search/test_search.py", "tests/search/test_recording.py"]
    with running_postgres() as server:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not elasticsearch", *files],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"BALAS_TEST_DATABASE_URL": server.url},
            capture_output=True,
            text=True,
            timeout=240,
        )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
