"""Reply templates: text with placeholders that agents write and the composer fills.

The language is Liquid without anything that reaches outside: no includes, no attributes of objects, few filters, every
input and output bounded. A value that is missing does not stop the rendering: it stands in the text as ⟦its name⟧,
where the composer highlights it and `gates.py` blocks the send.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

MAX_SOURCE_BYTES: Final = 8 * 1024
MAX_VALUE: Final = 20_000  # characters of a value, and of a filter's input or output
MAX_MISSING: Final = 50

VARIABLES: Final[tuple[str, ...]] = (
    "customer.name",
    "customer.first_name",
    "agent.name",
    "agent.first_name",
    "organisation.name",
    "conversation.subject",
    "conversation.number",
    "today",
)
"""What a template may name. `today` is a date: {{ today | date: "%d.%m.%Y" }}."""

_MARK = re.compile("⟦([^⟦⟧\n]{1,80})⟧")


class ProblemCode(StrEnum):
    TOO_LONG = "too-long"  # data: bytes, limit
    SYNTAX = "syntax"  # data: message
    UNKNOWN_VARIABLE = "unknown-variable"  # data: name, nearest
    UNKNOWN_FILTER = "unknown-filter"  # data: name, nearest
    LIMIT = "limit"  # data: message; it loops or grows beyond what a reply needs


@dataclass(frozen=True, slots=True)
class Problem:
    code: ProblemCode
    line: int = 0  # 1 is the first; 0 when it concerns the whole
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    text: str
    missing: tuple[str, ...]  # in the order of the text, each once


class TemplateProblem(ValueError):
    """The template cannot be rendered; `problem` says why. Only sources that `check_source` never saw get here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code.value)
        self.problem = problem


def mark(name: str) -> str:
    """How a missing value stands in a text."""
    return f"⟦{name}⟧"


def find_missing(text: str) -> tuple[str, ...]:
    """The names that still stand as marks in a text, at most MAX_MISSING."""
    names: dict[str, None] = {}
    for match in _MARK.finditer(text):
        names[match[1]] = None
        if len(names) == MAX_MISSING:
            break
    return tuple(names)


def render(source: str, context: Mapping[str, Any], *, html: bool = False) -> Rendered:
    """Fill a template. `context` is nested: {"customer": {"name": "Ana"}, …, "today": date}; None and "" are missing.

    With `html` values are escaped; what the template's author wrote is not (it passes the sanitiser later).
    Raises TemplateProblem.
    """
    from inbox.rules import template_engine  # loads python-liquid, which takes 0.2 s

    if len(source.encode()) > MAX_SOURCE_BYTES:
        raise TemplateProblem(_too_long(source))
    try:
        text = template_engine.render(source, _values(context), html=html)
    except template_engine.LimitReached as error:
        raise TemplateProblem(Problem(ProblemCode.LIMIT, data={"message": str(error)})) from error
    except template_engine.NotLiquid as error:
        raise TemplateProblem(Problem(ProblemCode.SYNTAX, error.line, {"message": str(error)})) from error
    return Rendered(text, find_missing(text))


def check_source(source: str, allowed: Collection[str] = VARIABLES) -> list[Problem]:
    """Everything that is wrong with a template, as far as it can be known before it is used."""
    from inbox.rules import template_engine  # loads python-liquid, which takes 0.2 s

    if len(source.encode()) > MAX_SOURCE_BYTES:
        return [_too_long(source)]
    try:
        usage = template_engine.analyse(source)
    except template_engine.NotLiquid as error:
        return [Problem(ProblemCode.SYNTAX, error.line, {"message": str(error)})]
    problems = [
        Problem(code, line, {"name": name, "nearest": nearest(name, known)})
        for code, used, known in (
            (ProblemCode.UNKNOWN_VARIABLE, usage.variables, allowed),
            (ProblemCode.UNKNOWN_FILTER, usage.filters, template_engine.FILTERS),
        )
        for name, line in used
        if name not in known and name.removesuffix(".size") not in known
    ]
    if not problems:
        try:
            render(source, sample(allowed))
        except TemplateProblem as error:
            problems.append(error.problem)
    return sorted(problems, key=lambda problem: problem.line)


def nearest(name: str, known: Collection[str]) -> str:
    """The known name that was probably meant, or ""."""
    return next(iter(get_close_matches(name, list(known), 1, 0.6)), "")


def sample(allowed: Collection[str] = VARIABLES) -> dict[str, Any]:
    """A context in which every variable has a value, for trying a template out."""
    found: dict[str, Any] = {}
    for name in allowed:
        place, *inner = name.split(".")
        value: Any = date(2026, 1, 31) if name == "today" else name
        if inner:
            found.setdefault(place, {})[inner[0]] = value
        else:
            found[place] = value
    return found


def _too_long(source: str) -> Problem:
    return Problem(ProblemCode.TOO_LONG, data={"bytes": len(source.encode()), "limit": MAX_SOURCE_BYTES})


def _values(context: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values only, two levels deep, and nothing that could be taken for a mark."""
    found: dict[str, Any] = {}
    for name in {*VARIABLES, *_paths(context)}:
        place, _, inner = name.partition(".")
        value = context.get(place)
        if inner:
            value = value.get(inner) if isinstance(value, Mapping) else None
            found.setdefault(place, {})[inner] = _plain(value)
        else:
            found[place] = _plain(value)
    return found


def _paths(context: Mapping[str, Any]) -> list[str]:
    found = []
    for place, value in context.items():
        found += [f"{place}.{inner}" for inner in value] if isinstance(value, Mapping) else [place]
    return found


def _plain(value: object) -> str | int | float | date | None:
    if value is None or isinstance(value, bool | int | float | date | datetime):
        return value
    text = str(value)[:MAX_VALUE].replace("⟦", "[").replace("⟧", "]")
    return text if text.strip() else None
