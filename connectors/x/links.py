"""Which parts of a text X takes for links, with or without a scheme: https://github.com/twitter/twitter-text, “extract
URLs”, and https://docs.x.com/fundamentals/counting-characters. Every link counts as 23 and makes a post dear.

Written anew, as a walk instead of one pattern, so that no text can make it slow.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache

from connectors.hostnames import DIRECTIONS, LATIN, NEVER, NO_HOST, host_ends

LONGEST = 4096
_LONGEST_LABEL, _LONGEST_SLUG = 63, 40
_LONGEST_TEXT = 30_000  # a post of a subscriber has 25,000

_INSIDE = r"a-z0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&\u0400-\u04FF" + LATIN
_LAST = r"[+\-a-z0-9=_#/\u0400-\u04FF" + LATIN + "]"
_BRACKETS = rf"(?:\((?:[{_INSIDE}]+|[{_INSIDE}]*\([{_INSIDE}]+\)[{_INSIDE}]*)\))"
_QUERY = r"\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/]"

_BEGINNING = re.compile(
    rf"(?:[^A-Za-z0-9@＠$#＃{NEVER}]|[{DIRECTIONS}]|\A)(https?://)?(?=[^{NO_HOST}.\-_])", re.IGNORECASE
)
_RUN = re.compile(rf"[^{NO_HOST}]+")
_FOLLOWING = re.compile(
    rf"(?::[0-9]+)?(?P<path>/(?:(?:[{_INSIDE}]|{_BRACKETS})*{_LAST})?{_BRACKETS}*)?(?:{_QUERY})?", re.IGNORECASE
)
_SHORTENED = re.compile(rf"https?://t\.co/([a-z0-9]+)(?:{_QUERY})?", re.IGNORECASE)
_PLAIN_RUN = re.compile(rf"[\-a-z0-9.{LATIN}]+", re.IGNORECASE)
_WORD = re.compile(r"[0-9A-Za-z]+")
_PUNYCODE = re.compile(r"xn--[\-0-9a-z]+", re.IGNORECASE)


@cache
def _ends() -> tuple[frozenset[str], tuple[int, ...]]:
    """(what a host name may end in, the lengths of those in other alphabets, longest first)"""
    ends = host_ends()
    return ends, tuple(sorted({len(end) for end in ends if not end.isascii()}, reverse=True))


def _end_at(text: str, start: int) -> int:
    """Where the last part of a host name that begins at `start` ends, 0 when it is none."""
    ends, lengths = _ends()
    if text[start : start + 4].lower() == "xn--":
        match = _PUNYCODE.match(text, start)
        return match.end() if match else 0
    word = _WORD.match(text, start)
    if word:
        return word.end() if word[0].lower() in ends and text[word.end() : word.end() + 1] not in set("@+-") else 0
    for length in lengths:
        after = text[start + length : start + length + 1]
        if text[start : start + length].lower() in ends and not (
            after.isascii() and (after.isalnum() or (after in "@+-" and after))
        ):
            return start + length
    return 0


@dataclass(frozen=True, slots=True)
class _Run:
    """Characters that a host name may have, in one go: where its dots are and which of them may be the last."""

    end: int
    dots: list[int]
    broken: list[int]  # no host name reaches over these
    last_dots: list[int]
    ends: dict[int, int]  # of a last dot, the end of the name


def _run_at(text: str, start: int) -> _Run:
    match = _RUN.match(text, start)
    end = match.end() if match else start
    dots = [place for place in range(start, end) if text[place] == "."]
    broken = [
        dot for dot in dots if text[dot - 1 : dot] in {"", "-", "_", "."} or text[dot + 1 : dot + 2] in {"-", "_"}
    ]
    ends = {dot: after for dot in dots if (after := _end_at(text, dot + 1))}
    return _Run(end, dots, broken, list(ends), ends)


def _host_end(text: str, start: int, run: _Run) -> int:
    """Where the longest host name that begins at `start` ends, 0 when there is none."""
    barrier = bisect_left(run.broken, start)
    limit = run.broken[barrier] if barrier < len(run.broken) else run.end
    place = bisect_right(run.last_dots, limit)
    while place and (dot := run.last_dots[place - 1]) > start:
        # After a dot that breaks a name only the name's own end may stand, never another part.
        whole = dot < limit or text[dot - 1] not in "-_."
        before = bisect_left(run.dots, dot)
        name_start = max(start, run.dots[before - 1] + 1) if before else start
        if whole and "_" not in text[name_start:dot]:
            return run.ends[dot]
        place -= 1
    return 0


def find_links(text: str) -> list[tuple[int, int]]:
    """(start, end) in code points, ascending."""
    if "." not in text or len(text) > _LONGEST_TEXT:
        return []
    found: list[tuple[int, int]] = []
    place, run = 0, _Run(0, [], [], [], {})
    while match := _BEGINNING.search(text, place):
        host_start = match.end()
        if host_start >= run.end:
            run = _run_at(text, host_start)
        host_end = _host_end(text, host_start, run)
        if not host_end:
            place = max(match.start() + 1, place + 1)
            continue
        following = _FOLLOWING.match(text, host_end)
        end = following.end() if following else host_end
        has_path = bool(following and following["path"])
        place = end
        scheme = match[1] or ""
        start = host_start - len(scheme)
        if _is_host(text[host_start:host_end], end - start, scheme or "https://"):
            found += _of_one(text, start, host_start, host_end, end, has_path)
    return found


def _of_one(text: str, start: int, host_start: int, host_end: int, end: int, has_path: bool) -> list[tuple[int, int]]:
    """The links within one match: without a scheme, only hosts of Latin letters are any."""
    if start < host_start:
        own = _SHORTENED.match(text, start, end)
        if own and len(own[1]) > _LONGEST_SLUG:
            return []
        return [(start, own.end() if own else end)]
    if text[max(0, start - 1) : start] in {"-", "_", ".", "/"}:
        return []
    hosts: list[tuple[int, int]] = []
    for run in _PLAIN_RUN.finditer(text, host_start, host_end):
        first = run.start() + len(run[0]) - len(run[0].lstrip("."))
        dots = [dot for dot in range(first + 1, run.end()) if text[dot] == "." and _end_at(text, dot + 1)]
        if dots and (not hosts or first >= hosts[-1][1]):
            hosts.append((first, _end_at(text, dots[-1] + 1)))
    if hosts and has_path:  # as many characters as follow the whole name belong to the last of them
        hosts[-1] = (hosts[-1][0], hosts[-1][1] + end - host_end)
    return hosts


def has_link(text: str) -> bool:
    return bool(find_links(text))


def _is_host(host: str, length: int, scheme: str) -> bool:
    """RFC 3492 and RFC 1035: no label is longer than 63 in the form that is looked up."""
    if len(host) > LONGEST:
        return False
    labels = [
        one if one.isascii() or len(one) > LONGEST // 4 else "xn--" + one.encode("punycode").decode()
        for one in host.split(".")
    ]
    if any(len(label) > _LONGEST_LABEL for label in labels):
        return False
    return len(scheme) + length + sum(map(len, labels)) + len(labels) - 1 - len(host) <= LONGEST
