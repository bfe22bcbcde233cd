"""The grammar of IMAP commands as far as a server must read it (RFC 9051 §4 and §9): tokens, literals, number sets."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

MAX_LINE = 64 * 1024
MAX_LITERAL = 64 * 1024 * 1024
MAX_LITERAL_BEFORE_LOGIN = 4 * 1024
MAX_LITERALS = 50
MAX_DEPTH = 20
MAX_RANGES = 10_000

Token: TypeAlias = "str | bytes | list[Token]"  # a string, a literal as it came, or a parenthesised list

_LITERAL = re.compile(rb"\{(\d{1,12})(\+?)\}\r?\n\Z")
_PIECE = re.compile(
    r'\s+|(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<atom>(?:[^\s()"\[]|\[[^\]]*\](?:<[\d.]*>)?)+)'
)
_RANGE = re.compile(r"(\d{1,10}|\*)(?::(\d{1,10}|\*))?")


class SyntaxFault(Exception):
    """The command cannot be understood; the sentence goes behind BAD."""


class TooMuch(Exception):
    """The command is larger than this server takes; the connection can go on only if `is_recoverable`."""

    def __init__(self, tag: str, is_recoverable: bool) -> None:
        super().__init__(tag)
        self.tag = tag
        self.is_recoverable = is_recoverable


@dataclass(frozen=True, slots=True)
class Command:
    tag: str
    name: str  # upper case; "UID FETCH" for the UID forms
    args: list[Token] = field(default_factory=list)


async def read_command(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_logged_in: bool
) -> Command | None:
    """Read one whole command with its literals; None when the client has gone.

    Raises SyntaxFault for what cannot be parsed and TooMuch for what is over the bounds.
    """
    parts: list[bytes] = []
    tag = ""
    limit = MAX_LITERAL if is_logged_in else MAX_LITERAL_BEFORE_LOGIN
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return None
        except asyncio.LimitOverrunError:
            raise TooMuch(tag or "*", False) from None
        tag = tag or line.split(b" ", 1)[0].decode("latin-1").strip()
        literal = _LITERAL.search(line)
        if literal is None:
            parts.append(line)
            return _assemble(parts)
        size, waits = int(literal[1]), not literal[2]
        if size > limit or len(parts) > 2 * MAX_LITERALS:
            raise TooMuch(tag, waits)
        if waits:
            writer.write(b"+ Go ahead\r\n")
            await writer.drain()
        parts += [line[: literal.start()], await reader.readexactly(size)]


def _assemble(parts: Sequence[bytes]) -> Command:
    """Even places are text, odd places literals."""
    tokens: list[Token] = []
    stack: list[list[Token]] = [tokens]
    for index, part in enumerate(parts):
        if index % 2:
            stack[-1].append(part)
        else:
            _scan(part.decode("utf-8", "surrogateescape"), stack)
    if len(stack) != 1:
        raise SyntaxFault("A bracket is left open")
    if len(tokens) < 2 or not isinstance(tokens[0], str) or not isinstance(tokens[1], str):
        raise SyntaxFault("A command is a tag, a name and its arguments")
    tag, name, args = tokens[0], tokens[1].upper(), tokens[2:]
    if name == "UID" and args and isinstance(args[0], str):
        name, args = f"UID {args[0].upper()}", args[1:]
    return Command(tag, name, args)


def _scan(text: str, stack: list[list[Token]]) -> None:
    place = 0
    while place < len(text):
        piece = _PIECE.match(text, place)
        if piece is None:
            raise SyntaxFault(f"Cannot read the command at character {place + 1}")
        place = piece.end()
        if piece["open"]:
            inner: list[Token] = []
            stack[-1].append(inner)
            stack.append(inner)
            if len(stack) > MAX_DEPTH:
                raise SyntaxFault("Too many brackets")
        elif piece["close"]:
            if len(stack) == 1:
                raise SyntaxFault("A bracket closes that was never opened")
            stack.pop()
        elif piece["quoted"] is not None:
            stack[-1].append(re.sub(r"\\(.)", r"\1", piece["quoted"]))
        elif piece["atom"]:
            stack[-1].append(piece["atom"])


def text_of(token: Token) -> str:
    """A string or literal as text. Raises SyntaxFault for a list."""
    if isinstance(token, str):
        return token
    if isinstance(token, bytes):
        return token.decode("utf-8", "surrogateescape")
    raise SyntaxFault("A string was expected, not a list")


def is_number_set(text: str) -> bool:
    return bool(text) and all(_RANGE.fullmatch(part) for part in text.split(",", MAX_RANGES)[:3])


def choose(text: str, numbers: Sequence[int]) -> list[int]:
    """Those of `numbers` (ascending) that a set such as `1:4,7,9:*` names; `*` is the highest there is."""
    ranges = text.split(",")
    if len(ranges) > MAX_RANGES:
        raise SyntaxFault("Too many ranges in one set")
    last = numbers[-1] if numbers else 0
    chosen: set[int] = set()
    for part in ranges:
        match = _RANGE.fullmatch(part)
        if match is None:
            raise SyntaxFault("Not a number set")
        first = last if match[1] == "*" else int(match[1])
        second = first if match[2] is None else last if match[2] == "*" else int(match[2])
        low, high = min(first, second), max(first, second)
        chosen.update(numbers[bisect_left(numbers, low) : bisect_right(numbers, high)])
    return sorted(chosen)


def quote(text: str) -> str:
    """A quoted string for an answer; callers pass no line ends."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
