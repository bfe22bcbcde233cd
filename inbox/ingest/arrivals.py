"""What waits on the shelf to be read: due raw items, newest first, with their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Q

from connectors.messages import Parsed, RawItem, Scope
from inbox import bodies
from inbox.sql import moment, read_moment, select_in

LARGE = 1_000_000
"""Bytes from which on a mail is read apart: it may take as long as a hundred others, which need not wait for it."""

IS_HARD = Q(attempts__gt=0) | Q(size__gt=LARGE)


@dataclass(slots=True)
class Arrival:
    """One raw item on its way into the inbox."""

    raw_id: int
    account_id: int
    place: str
    epoch: str
    external_id: str
    version: str
    is_sent: bool
    is_import: bool
    too_large: bool
    size: int
    sha256: str
    received_at: datetime
    attempts: int
    parsed: Parsed | None = None

    @property
    def is_hard(self) -> bool:
        """Whether it is read apart from other mail: it has failed before, or its size alone takes long."""
        return self.attempts > 0 or self.size > LARGE

    @property
    def scope(self) -> tuple[int, str, str]:
        return (self.account_id, self.place, self.epoch)

    def as_item(self, body: bytes | Path) -> RawItem:
        """`body` as `read_bodies` gave it."""
        content = body if isinstance(body, bytes) else None
        return RawItem(
            scope=Scope(self.place, self.epoch),
            external_id=self.external_id,
            received_at=self.received_at,
            size=self.size,
            content=content,
            path=body if isinstance(body, Path) else None,
            version=self.version,
            is_sent=self.is_sent,
            too_large=self.too_large,
            sha256=self.sha256 if body else "",
        )


_COLUMNS = """id, account_id, place, epoch, external_id, version, is_sent, is_import, too_large, size, sha256,
    received_at, attempts"""


def find_due(limit: int, now: datetime, is_hard: bool = False) -> list[Arrival]:
    """`is_hard`: what is to be read apart from other mail, and only that; else all but that."""
    kind = "(attempts > 0 OR size > %s)" if is_hard else "(attempts = 0 AND size <= %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM inbox_rawitem WHERE due_at IS NOT NULL AND due_at <= %s"  # noqa: S608
            f" AND {kind} ORDER BY received_at DESC, id DESC LIMIT %s",
            [moment(now), LARGE, limit],
        )
        return [_arrival(row) for row in cursor.fetchall()]


def _arrival(row: Sequence[Any]) -> Arrival:
    values = list(row)
    values[6:9] = map(bool, row[6:9])
    values[11] = read_moment(row[11])
    return Arrival(*values)


def read_bodies(arrivals: list[Arrival]) -> dict[int, bytes | Path]:
    """raw id → bytes, of a large one its file; what has no bytes (header only, a file that is gone) is left out."""
    shas = {arrival.raw_id: arrival.sha256 for arrival in arrivals}
    large = {arrival.raw_id for arrival in arrivals if arrival.size > LARGE}
    found: dict[int, bytes | Path] = {}
    with connection.cursor() as cursor:
        sql = "SELECT item_id, content FROM inbox_rawbody WHERE item_id IN ({in})"
        for raw_id, content in select_in(cursor, sql, shas):
            place = bodies.place_of(shas[raw_id])
            if raw_id in large and content is None and place.exists():
                found[raw_id] = place
                continue
            try:
                found[raw_id] = bodies.read(shas[raw_id], content)
            except OSError:
                continue
    return found
