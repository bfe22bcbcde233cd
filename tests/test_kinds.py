"""Kinds are known in one place: nothing but the registry and the connectors themselves tells one from another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import registry

ROOT = Path(__file__).resolve().parent.parent
KINDS = frozenset(registry._BUILT_IN)
# A word that is also something else (a letter, a field of people) counts only where it is compared.
DISTINCT = KINDS - {"x", "email"}
OWN = tuple(f"connectors/{name}/" for name in ("mail", *KINDS, "simulators"))
SOURCES = sorted(
    path
    for layer in ("connectors", "inbox", "search", "workers", "web")
    for path in (ROOT / layer).rglob("*.py")
    if not str(path.relative_to(ROOT)).startswith(OWN)
    and path != ROOT / "connectors" / "registry.py"
    and "migrations" not in path.parts
)


def named(node: ast.AST) -> set[str]:
    """The kinds among the constants of an expression, those in a tuple, list or set included."""
    inner = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return {str(one.value) for one in inner if isinstance(one, ast.Constant)} & KINDS


def comparisons(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        found: set[str] = set()
        if isinstance(node, ast.Compare):
            found = set().union(*map(named, (node.left, *node.comparators)))
        elif isinstance(node, ast.MatchValue):
            found = named(node.value)
        elif isinstance(node, ast.Dict):
            found = set().union(*(named(key) for key in node.keys if key is not None)) & DISTINCT
        yield from ((getattr(node, "lineno", 0), name) for name in sorted(found))


def test_nothing_compares_kinds() -> None:
    assert len(SOURCES) > 200
    found = {str(path.relative_to(ROOT)): list(comparisons(path.read_text())) for path in SOURCES}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_no_page_compares_kinds() -> None:
    words = "|".join(sorted(KINDS))
    compared = re.compile(rf"""(==|!=|\bin\s*[\[(])\s*["']({words})["']|["']({words})["']\s*(==|!=|\bin\b)""")
    found = [
        (path.name, one.group())
        for path in sorted((ROOT / "web" / "templates").rglob("*.html"))
        for one in compared.finditer(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "kind == 'email'",
        "'x' != account.kind",
        "kind in ('mastodon', 'toot')",
        "not kind in {'bluesky'}",
        "words = {'mastodon': 'toot'}",
        "match kind:\n    case 'x':\n        pass",
    ],
)
def test_a_comparison_would_be_noticed(source: str) -> None:
    assert list(comparisons(source))
