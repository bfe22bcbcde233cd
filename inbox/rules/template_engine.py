"""python-liquid with every door closed that a reply template does not need. Imported lazily by `templates.py`.

Liquid's own limits cover loops, output, nesting and namespaces, but not filters: joining a range of three hundred
million numbers ran out of memory within them. So every filter refuses large inputs and outputs before it works.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache, wraps
from typing import Any, Final

from liquid import BoundTemplate, Environment, Undefined
from liquid.exceptions import (
    BlockNestingError,
    FilterArgumentError,
    LiquidError,
    ResourceLimitError,
    UnknownFilterError,
)

from inbox.rules.templates import MAX_VALUE, mark

MAX_ITEMS: Final = 1000
MAX_NUMBER: Final = 10**15

FILTERS: Final = frozenset(
    {
        *("append", "capitalize", "ceil", "date", "default", "divided_by", "downcase", "escape", "first", "floor"),
        *("join", "last", "lstrip", "minus", "newline_to_br", "plus", "prepend", "remove", "replace", "round"),
        *("rstrip", "size", "slice", "split", "strip", "times", "truncate", "truncatewords", "upcase"),
    }
)
_TAGS: Final = frozenset(
    {
        *("assign", "break", "capture", "case", "comment", "content", "continue", "cycle", "echo", "for", "if"),
        *("illegal", "output", "unless", "#"),
    }
)
_DATE_FORMAT = re.compile(r"(?:[^%]|%-?[aAbBdmyYHMjeSp%]){0,60}")
_HINT = re.compile(r"'?(.{1,80}?)'? is undefined")


class NotLiquid(ValueError):
    """str() is python-liquid's own English sentence."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class LimitReached(ValueError):
    pass


class Missing(Undefined):
    """False in a condition, empty in a loop, replaced by `default`, and otherwise a mark in the text."""

    __slots__ = ()

    force_liquid_default = True

    @property
    def path(self) -> str:
        found = _HINT.fullmatch(self.hint or "")
        return found[1] if found else str(self.name)

    def __str__(self) -> str:
        return mark(self.path.replace("⟦", "").replace("⟧", "").replace("\n", " ")[:80] or "?")

    def __repr__(self) -> str:
        return str(self)

    def __bool__(self) -> bool:
        return False


class _Environment(Environment):
    loop_iteration_limit = 1000
    output_stream_limit = 100_000
    local_namespace_limit = 200_000
    block_nesting_limit = 20
    context_depth_limit = 20


@cache
def _environment(html: bool) -> Environment:
    environment = _Environment(undefined=Missing, autoescape=html)
    for tag in set(environment.tags) - _TAGS:
        del environment.tags[tag]
    own: dict[str, Callable[..., Any]] = {"date": _date, "replace": _replace, "join": _join}
    environment.filters = {
        name: own.get(name) or _bounded(name, function)
        for name, function in environment.filters.items()
        if name in FILTERS
    }
    return environment


@lru_cache(maxsize=256)
def _parse(source: str, html: bool) -> BoundTemplate:
    try:
        return _environment(html).from_string(source)
    except (LiquidError, RecursionError, ValueError) as error:
        raise NotLiquid(_message(error), _line(error)) from error


def render(source: str, values: Mapping[str, Any], *, html: bool) -> str:
    """Raises NotLiquid or LimitReached."""
    template = _parse(source, html)
    try:
        return template.render(_with_missing(values))
    except (ResourceLimitError, BlockNestingError, _TooMuch, RecursionError, OverflowError) as error:
        raise LimitReached(_message(error)) from error
    except UnknownFilterError as error:
        raise NotLiquid(_message(error), _line(error)) from error
    except (LiquidError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
        # Whatever a template does to a value that it does not suit is its author's mistake, never a crash.
        raise NotLiquid(_message(error), _line(error)) from error


def _with_missing(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found[name] = _with_missing(value, f"{path}{name}.")
        else:
            found[name] = Missing(path + name) if value is None else value
    return found


@dataclass(frozen=True, slots=True)
class Usage:
    """Names and the line of their first use."""

    variables: tuple[tuple[str, int], ...]
    filters: tuple[tuple[str, int], ...]


def analyse(source: str) -> Usage:
    """What a template names from outside. Raises NotLiquid."""
    template = _parse(source, False)
    try:
        found = template.analyze()
    except (LiquidError, RecursionError) as error:
        raise NotLiquid(_message(error), _line(error)) from error
    variables = {str(one): one.span for places in found.globals.values() for one in reversed(places)}
    filters = {name: spans[0] for name, spans in found.filters.items()}
    return Usage(
        tuple((name, _line_at(source, span.index)) for name, span in variables.items()),
        tuple((name, _line_at(source, span.index)) for name, span in filters.items()),
    )


def _line_at(source: str, index: int) -> int:
    return source.count("\n", 0, max(index, 0)) + 1


def _message(error: BaseException) -> str:
    message = getattr(error, "message", None) or str(error) or type(error).__name__
    return str(message).splitlines()[0][:200]


def _line(error: BaseException) -> int:
    token = getattr(error, "token", None)
    source, start = getattr(token, "source", None), getattr(token, "start_index", None)
    return _line_at(source, start) if isinstance(source, str) and isinstance(start, int) else 0


# --- Filters --------------------------------------------------------------------------------------------------------


class _TooMuch(FilterArgumentError):
    pass


def _check(value: object) -> None:
    if isinstance(value, str | list | tuple | dict | range):
        limit = MAX_VALUE if isinstance(value, str) else MAX_ITEMS
        # A slice, because the length of a huge range does not fit into len().
        if (len(value[: limit + 1]) if isinstance(value, range) else len(value)) > limit:
            raise _TooMuch("a filter was given too much", token=None)
    elif isinstance(value, int | float) and not -MAX_NUMBER < value < MAX_NUMBER:
        raise _TooMuch("a number is too large", token=None)


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def bounded(value: object, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, Missing) and name != "default":
            return value
        for given in (value, *args):
            _check(given)
        result = function(value, *args, **kwargs)
        _check(result)
        return result

    return bounded


def _replace(value: object, old: object, new: object = "") -> Any:
    if isinstance(value, Missing):
        return value
    text, before, after = str(value), str(old), str(new)
    for given in (text, before, after):
        _check(given)
    # The product decides, so it is worked out before any of it is built.
    if len(text) + text.count(before) * len(after) > MAX_VALUE:
        raise _TooMuch("replace would write too much", token=None)
    return text.replace(before, after)


def _join(value: object, separator: object = " ") -> Any:
    if isinstance(value, Missing):
        return value
    _check(value)
    items = [str(item) for item in value] if isinstance(value, list | tuple | range) else [str(value)]
    between = str(separator)
    if sum(map(len, items)) + len(items) * len(between) > MAX_VALUE:
        raise _TooMuch("join would write too much", token=None)
    return between.join(items)


def _date(value: object, form: object = "%Y-%m-%d") -> Any:
    """Only real dates and ISO text, only plain directives: the C library pads a date to any width it is asked for."""
    if isinstance(value, Missing):
        return value
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value[:40])
        except ValueError:
            return value
    if not isinstance(value, date) or not _DATE_FORMAT.fullmatch(str(form)):
        raise FilterArgumentError("date: not a date, or not a format that is allowed", token=None)
    return value.strftime(str(form))
