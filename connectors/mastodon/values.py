"""What stands in a server's JSON, read as what it should be: anything else is as if it were not there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

MAX_TEXT = 512 * 1024
_EMPTY: Mapping[str, Any] = {}
_HALVES = re.compile("[\ud800-\udfff\0]")


def text(value: Any, name: str, most: int = MAX_TEXT) -> str:
    """ "" for what is no text. NUL and lone halves of characters, which no database keeps, become U+FFFD."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return _HALVES.sub("\ufffd", found[:most]) if isinstance(found, str) else ""


def ident(value: Any, name: str = "id") -> str:
    """An id as text: servers promise no numbers (https://docs.joinmastodon.org/entities/Status/#id), and some send
    numbers all the same."""
    found = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found) if 0 <= found < 2**64 else ""
    return found if isinstance(found, str) and 0 < len(found) <= 120 and re.fullmatch(r"[\w.:-]+", found) else ""


def part(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else _EMPTY


def rows(value: Any, name: str, most: int = 500) -> list[Mapping[str, Any]]:
    """The objects of a list; what is none is left out."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return [one for one in found[:most] if isinstance(one, Mapping)] if isinstance(found, list) else []


def count(value: Any, name: str) -> int | None:
    """Never negative, never above 2⁵³."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**53 else None


def moment(value: Any, name: str) -> datetime | None:
    """https://docs.joinmastodon.org/api/datetime-format/, in UTC; None for what is no time."""
    try:
        found = datetime.fromisoformat(text(value, name, 64).strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def rank(identifier: str) -> tuple[int, str]:
    """Order of ids of one list: numbers by size; ULIDs (GoToSocial) and flake ids (Pleroma) are of equal length."""
    return len(identifier), identifier


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
