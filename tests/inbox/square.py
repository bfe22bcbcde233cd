"""Installing the square (square_kind.py, which parsers import and so knows no Django) and connecting to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors import registry
from inbox import accounts
from inbox.ingest import parsing
from inbox.models import Account
from tests.inbox.square_kind import NOW, Square


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """As pip would: a distribution whose entry point names the class. Parsers are started anew, so that they see it."""
    info = folder / "balas_square-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: balas-square\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[balas.connectors]\nsquare = tests.inbox.square_kind:Square\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        registry._factories.cache_clear()
        parsing.close()
        empty()
        try:
            yield
        finally:
            parsing.close()
    registry._factories.cache_clear()


def empty() -> None:
    Square.posted, Square.looked, Square.changed = [], [], []
    Square.trouble, Square.is_late = None, False


def make_square(name: str = "square", handle: str = "shop", cut_at: datetime = NOW - timedelta(days=14)) -> Account:
    external_id = "ours" if handle == "shop" else handle
    return accounts.connect(
        kind="square", name=name, address=handle, settings_={}, secrets={}, cut_at=cut_at, now=NOW, undo_seconds=0,
        external_id=external_id,
    )  # fmt: skip
