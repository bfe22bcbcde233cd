"""Values of connectors/messages.py, enclosures.py and social.py as bytes between a process and its parsers.

Pickle calls Python for every frozen value with slots, on both sides, which costs as much as a third of the reading.
It also runs what it is told to: a parser that a mail has taken over could have its parent run anything. Here only
text, numbers, bytes, times and the known classes come out. What is not one of them raises TypeError when packed.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from operator import attrgetter
from pathlib import Path, PurePath
from typing import Any

from connectors import enclosures, messages, social

_ATOMS = frozenset((str, int, float, bool, bytes, type(None)))
_TIME, _PATH, _LIST, _DICT = -1, -2, -3, -4

_classes: list[type] = []
_codes: dict[type, tuple[int, Callable[[Any], tuple[Any, ...]]]] = {}


def allow(found: type) -> None:
    """From now on values of this dataclass, enumeration or kind of text may travel. Both sides allow the same, in one
    order."""
    if found in _codes:
        return
    getter: Callable[[Any], tuple[Any, ...]]
    if is_dataclass(found):
        names = [one.name for one in fields(found)]
        take = attrgetter(*names)
        getter = take if len(names) > 1 else lambda value: (take(value),)
    elif issubclass(found, Enum):
        getter = lambda value: (value.value,)  # noqa: E731
    else:
        getter = lambda value: (str(value),)  # noqa: E731
    _codes[found] = (len(_classes), getter)
    _classes.append(found)


for _name, _value in [one for module in (messages, enclosures, social) for one in sorted(vars(module).items())]:
    if isinstance(_value, type) and (is_dataclass(_value) or issubclass(_value, Enum)):
        allow(_value)


def pack(values: Sequence[Any]) -> bytes:
    """Raises TypeError for what may not travel."""
    return marshal.dumps([_plain(value) for value in values], 2)


def unpack(data: bytes) -> list[Any]:
    """Raises ValueError, TypeError, EOFError or IndexError for what `pack` did not make."""
    return [_value_of(one) for one in marshal.loads(data)]


def _plain(value: Any) -> Any:
    """Values are told from tuples by being lists that begin with a number."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is tuple:
        return tuple([one if type(one) in _ATOMS else _plain(one) for one in value])
    known = _codes.get(kind)
    if known is not None:
        code, getter = known
        return [code, *[one if type(one) in _ATOMS else _plain(one) for one in getter(value)]]
    if kind is datetime:
        return [_TIME, value.isoformat()]
    if isinstance(value, PurePath):
        return [_PATH, str(value)]
    if kind is list:
        return [_LIST, *map(_plain, value)]
    if kind is dict:
        return [_DICT, *((key, _plain(one)) for key, one in value.items())]
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{kind.__name__} may not leave its process")


def _value_of(plain: Any) -> Any:
    kind = type(plain)
    if kind is tuple:
        return tuple([one if type(one) in _ATOMS else _value_of(one) for one in plain])
    if kind is not list:
        return plain
    code = plain[0]
    if code >= 0:
        return _classes[code](*[one if type(one) in _ATOMS else _value_of(one) for one in plain[1:]])
    if code == _TIME:
        return datetime.fromisoformat(plain[1])
    if code == _PATH:
        return Path(plain[1])
    if code == _LIST:
        return [_value_of(one) for one in plain[1:]]
    return {key: _value_of(one) for key, one in plain[1:]}
