"""A simulated world as plain JSON and back, so that a demo goes on after a restart where it was.

pack(value)              dataclasses, dicts, lists, tuples, sets, times and bytes → JSON
unpack(Member, found)    by the type's own hints; fields that are missing keep their defaults
"""

from __future__ import annotations

import base64
import json
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any


def pack(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: pack(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): pack(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        ordered = sorted(value) if isinstance(value, set | frozenset) else value
        return [pack(one) for one in ordered]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def unpack(kind: Any, value: Any) -> Any:
    """Raises ValueError, TypeError or KeyError for what does not fit."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else unpack(next(one for one in arguments if one is not type(None)), value)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{one.name: unpack(hints[one.name], value[one.name]) for one in fields(kind) if one.name in value})
    if origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(unpack(one, found) for one, found in zip(kinds, value, strict=True))
    if origin in (list, set, frozenset):
        return origin(unpack(arguments[0], one) for one in value)
    if origin is dict:
        return {unpack(arguments[0], name): unpack(arguments[1], one) for name, one in value.items()}
    return _simple(kind, value)


def _simple(kind: Any, value: Any) -> Any:
    if kind in (datetime, date):
        return kind.fromisoformat(value)
    if kind is timedelta:
        return timedelta(seconds=value)
    if kind is bytes:
        return base64.b64decode(value)
    return kind(value) if kind in (int, str, float) else value


def write_state(file: Path, text: str) -> None:
    """Whole or not at all; only the owner may read it, for it holds tokens."""
    beside = file.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
    beside.replace(file)


def find_state(file: Path) -> Any:
    """None where there is none, or none that can be read."""
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return None
