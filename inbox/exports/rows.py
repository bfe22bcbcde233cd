"""What every kind of exported row is made with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model

Row = dict[str, Any]


def ids_of(chunk: Sequence[Model]) -> list[int]:
    return [row.pk for row in chunk]
