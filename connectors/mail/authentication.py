"""The grammar of Authentication-Results (RFC 8601 §2.2): who judged, and what each method found.

Nothing is guessed. A statement that is no `method=result` spoils its whole header; one whose rest cannot be read is
left out. Comments say nothing, quotes hide their semicolons, and results with an unknown property are kept without it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_CHARACTERS = 16_384
MAX_STATEMENTS = 100
UNNAMED = "(unnamed)"
"""Stands for a server that writes no name of its own before its results, as Microsoft 365 does."""

_QUOTED = "\x01{}\x01"
_METHOD = re.compile(r"([a-z0-9][a-z0-9-]{0,40})\s*(?:/\s*\d{1,5}\s*)?=\s*([a-z0-9][a-z0-9-]{0,40})(?=\s|\Z)", re.I)
_VALUE = r"\s*=\s*((?:\x01\d+\x01|[^\s;:=()\x01])+)(?=\s|\Z)"
_PROPERTY = re.compile(rf"\s*(?:(smtp|header|body|policy|dns)\s*\.\s*)?([a-z0-9][a-z0-9_-]{{0,60}}){_VALUE}", re.I)
_SERVER = re.compile(r"([^\s;=/]{1,255})(?:\s+\d{1,5})?")
_PIECES = re.compile(r'\\.?|["();]|[^\\"();]+', re.S)
_BY_NUMBER = re.compile(r"\x01(\d+)\x01")
_MAX_PROPERTIES = 40


class Found(NamedTuple):
    """What one method found: properties as (type, name, value), type and name in lower case."""

    method: str
    result: str
    reason: str
    properties: tuple[tuple[str, str, str], ...]

    def value(self, kind: str, name: str) -> str:
        """The first property of this name; "" when there is none."""
        return next((value for found, called, value in self.properties if (found, called) == (kind, name)), "")


class Results(NamedTuple):
    """One header. `server` is its authserv-id in lower case, UNNAMED where it begins with a result."""

    server: str
    found: tuple[Found, ...]


def read_results(text: str) -> Results | None:
    """The value of an Authentication-Results header, unfolded; None when it cannot be read in one way only."""
    statements, quoted = _split(text)
    if len(statements) > MAX_STATEMENTS:
        return None
    first = statements[0].strip()
    if _METHOD.match(first):
        server, rest = UNNAMED, statements
    else:
        named = _SERVER.fullmatch(first)
        if named is None:
            return None
        server, rest = _opened(named.group(1), quoted).lower(), statements[1:]
    found: list[Found] = []
    for statement in map(str.strip, rest):
        if not statement or statement.lower() == "none":
            continue
        head = _METHOD.match(statement)
        if head is None:
            return None
        if (properties := _properties(statement[head.end() :], quoted)) is not None:
            reason = next((value for kind, name, value in properties if (kind, name) == ("", "reason")), "")
            kept = tuple(one for one in properties if one[0])
            found.append(Found(head.group(1).lower(), head.group(2).lower(), reason, kept))
    return Results(server, tuple(found)) if server else None


def _properties(text: str, quoted: list[str]) -> list[tuple[str, str, str]] | None:
    found: list[tuple[str, str, str]] = []
    at = 0
    while (one := _PROPERTY.match(text, at)) is not None:
        if len(found) >= _MAX_PROPERTIES:
            return None
        found.append(((one.group(1) or "").lower(), one.group(2).lower(), _opened(one.group(3), quoted)))
        at = one.end()
    return None if text[at:].strip() else found


def _opened(text: str, quoted: list[str]) -> str:
    if "\x01" not in text:
        return text
    return _BY_NUMBER.sub(lambda found: quoted[int(found.group(1))], text)


def _split(text: str) -> tuple[list[str], list[str]]:
    """Statements between semicolons, comments taken out and quoted strings as numbers into the second list."""
    statements: list[str] = []
    quoted: list[str] = []
    current: list[str] = []
    inside: list[str] | None = None  # of the quoted string being read
    depth = 0
    for piece in _PIECES.findall(text[:MAX_CHARACTERS].replace("\x01", " ")):
        if inside is not None:
            if piece == '"':
                current.append(_QUOTED.format(len(quoted)))
                quoted.append("".join(inside))
                inside = None
            else:
                inside.append(piece[1:] if piece[0] == "\\" else piece)
        elif depth:
            depth += (piece == "(") - (piece == ")")
        elif piece == "(":
            current.append(" ")
            depth = 1
        elif piece == '"':
            inside = []
        elif piece == ";":
            statements.append("".join(current))
            current = []
        elif piece[0] != "\\":
            current.append(piece)
    statements.append("".join(current))  # what an open quote held is dropped with it
    return statements, quoted
