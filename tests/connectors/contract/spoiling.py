"""What a platform may send one day: fields that are new, gone, or of another type."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

_OTHERS = [None, 7, -1, 1e308, True, "", "x", "\ud83d", "a\x00b", [], [None], [[]], {}, {"a": 1}, "2026-13-45T99:99Z"]
_FOREIGN = [
    *(b"", b"{}", b"[]", b"null", b"7", b'"text"', b"{", b"\xff\xfe\x00", b"<html>no</html>", b"[" * 50_000),
    *(b'{"a":' * 20_000 + b"1" + b"}" * 20_000, b" " * 3_000_000 + b"{}", b'{"id": ' + b"9" * 10_000 + b"}"),
]


def spoiled(content: bytes) -> Iterator[bytes]:
    yield from _FOREIGN
    try:
        data = json.loads(content)
    except ValueError:
        yield from _cut(content)
        return
    places = list(_places(data, ()))
    for number, place in enumerate(places):
        for step in range(3):
            yield _dump(_changed(data, place, _OTHERS[(number * 3 + step) % len(_OTHERS)]))
        yield _dump(_without(data, place))


def with_news(content: bytes) -> bytes:
    """The same, with fields nobody knows in every object."""
    return _dump(_widened(json.loads(content)))


def _cut(content: bytes) -> Iterator[bytes]:
    step = max(1, len(content) // 40)
    for at in range(0, len(content), step):
        yield content[:at]
        yield content[:at] + bytes([content[at] ^ 0x80]) + content[at + 1 :]


def _places(data: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in children:
        yield (*path, name)
        yield from _places(value, (*path, name))


def _changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    found = copy.deepcopy(data)
    inner = found
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return found


def _without(data: Any, path: tuple[Any, ...]) -> Any:
    found = copy.deepcopy(data)
    inner = found
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return found


def _widened(data: Any) -> Any:
    if isinstance(data, dict):
        return {**{name: _widened(value) for name, value in data.items()}, "new_in_2031": {"deep": [1, "two"]}}
    return [_widened(one) for one in data] if isinstance(data, list) else data


def _dump(data: Any) -> bytes:
    return json.dumps(data).encode()
