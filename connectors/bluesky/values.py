"""What stands in a server's JSON, read as what it should be: anything else is as if it were not there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

MAX_TEXT = 100_000
_EMPTY: Mapping[str, Any] = {}


def at(value: Any, *names: str) -> Any:
    """What lies under these names, None where one is missing."""
    for name in names:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def text(value: Any, *names: str, most: int = MAX_TEXT) -> str:
    found = at(value, *names)
    return found[:most] if isinstance(found, str) else ""


def group(value: Any, *names: str) -> Mapping[str, Any]:
    found = at(value, *names)
    return found if isinstance(found, Mapping) else _EMPTY


def rows(value: Any, *names: str, most: int = 1000) -> list[Mapping[str, Any]]:
    """The objects of a list; what is none is left out."""
    found = at(value, *names)
    return [one for one in found[:most] if isinstance(one, Mapping)] if isinstance(found, list) else []


def words(value: Any, *names: str, most: int = 50) -> tuple[str, ...]:
    found = at(value, *names)
    return tuple(one[:300] for one in found[:most] if isinstance(one, str)) if isinstance(found, list) else ()


def whole(value: Any, *names: str) -> int | None:
    """A count: never negative, never above 2⁵³."""
    found = at(value, *names)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**53 else None


def moment(value: Any, *names: str) -> datetime | None:
    """RFC 3339, in UTC (https://atproto.com/specs/lexicon#datetime); None for what is no time or has no zone."""
    found = text(value, *names, most=64)
    try:
        read = datetime.fromisoformat(found)
        return read.astimezone(UTC) if read.tzinfo else None
    except (ValueError, OverflowError):
        return None


def uri_parts(uri: str) -> tuple[str, str, str]:
    """(authority, collection, record key) of an at-uri, three times "" for anything else."""
    parts = uri.removeprefix("at://").split("/")
    if not uri.startswith("at://") or len(parts) != 3 or not all(parts) or not uri.isprintable() or len(uri) > 1000:
        return "", "", ""
    return parts[0], parts[1], parts[2]
