"""How deep would a page nest? Asked before any HTML parser sees it, because theirs is quadratic in depth.

The scan follows the tokeniser and the stack rules of the HTML standard (§13.2.5, §13.2.6) just far enough that its
depth is never smaller than the parser's: wherever the standard is intricate it leaves an element open. Elements that
change the rules altogether (svg, template, select …) switch it to plain counting of start tags.
"""

from __future__ import annotations

import re
from itertools import islice

MAX_DEPTH = 400
MAX_STARTS = 2000  # start tags after which plain counting gives up; that many nested ones still parse in milliseconds
MAX_CLONES = 300_000  # formatting elements that unclosed ones would have the parser create again

_TOKEN = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|<(/?)([A-Za-z][^\s/>]*+)"
    r"((?:[\s/]++|=?[^\s/>=]++(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s>\"'][^\s>]*+)?)?|=)*+)(?:>|\Z)"
    r"|<[!?/][^>]*+",
    re.S,
)
_START = re.compile(r"<[A-Za-z]")
_RAW_TEXT = {
    name: re.compile(rf"</{name}(?=[\s/>])|\Z", re.I)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}
_VOID_NAMES = "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr"
_IGNORED = frozenset(_VOID_NAMES.split()) | {"html", "head", "body"}
_RULE_CHANGER_NAMES = (
    "svg math form template select frameset object applet marquee button noscript plaintext"
    " ruby rb rt rtc rp mi mo mn ms mtext annotation-xml foreignobject desc"
)
_RULE_CHANGERS = frozenset(_RULE_CHANGER_NAMES.split())
_FORMATTING_NAMES = "a b big code em font i nobr s small strike strong tt u"
_FORMATTING = frozenset(_FORMATTING_NAMES.split())
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_P_CLOSING_NAMES = (
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer"
    " header hgroup li listing main menu nav ol p pre search section summary ul"
)
_P_CLOSING = frozenset(_P_CLOSING_NAMES.split()) | _HEADINGS
_TABLE_PARENTS = {
    "td": ("tr",),
    "th": ("tr",),
    "tr": ("tbody", "thead", "tfoot"),
    "tbody": (),
    "thead": (),
    "tfoot": (),
    "caption": (),
    "colgroup": (),
}
_SPECIAL = _P_CLOSING | frozenset(_TABLE_PARENTS) | {"table"}
_BARRIERS = frozenset(("table", "td", "th", "caption"))


_TIDY = re.compile(r"<(/?)([a-z][a-z0-9]*)(?:\s[^<>\"'`]*(?:\"[^\"<>]*\"[^<>\"'`]*)*)?>")
_TIDY_VOID = frozenset(("br", "img", "hr", "wbr"))
_TIDY_FORMATTING = frozenset(("a", "b", "i", "u", "em", "strong", "small", "font"))
_TIDY_BLOCK_NAMES = "html body div p table tbody thead tr td th ul ol li blockquote h1 h2 h3 h4 h5 h6 center"
_TIDY_BLOCKS = frozenset(_TIDY_BLOCK_NAMES.split())


def looks_deeper_than_allowed(html: str, limit: int = MAX_DEPTH) -> bool:
    """Whether a parser would nest deeper than `limit`, or blow the page up. Linear in the length of the page."""
    if html.count("<") <= limit:
        return False
    return not _is_tidy(html, limit) and _Scan(html, limit).is_too_much()


def _is_tidy(html: str, limit: int) -> bool:
    """Whether it is made of plain tags alone, each closed by its own name, and never deep: the usual case, in half the
    time. Where every end tag closes what was opened last, a parser keeps no more elements open than are open here, but
    for those that it puts between a table and its cells; and where no block begins inside formatting, it copies none.
    """
    tags: list[tuple[str, str]] = _TIDY.findall(html)
    if len(tags) != html.count("<"):
        return False
    stack: list[str] = []
    open_tables = open_formatting = 0
    for is_end, name in tags:
        if is_end:
            if not stack or stack.pop() != name:
                return False
            open_formatting -= name in _TIDY_FORMATTING
            open_tables -= name == "table"
            continue
        if name in _TIDY_FORMATTING:
            open_formatting += 1
        elif name in _TIDY_VOID:
            continue
        elif name != "span" and (open_formatting or name not in _TIDY_BLOCKS):
            return False
        stack.append(name)
        open_tables += name == "table"
        if len(stack) + 2 * open_tables > limit:
            return False
    return True


class _Scan:
    __slots__ = ("active", "active_count", "clones", "deepest", "html", "limit", "stack")

    def __init__(self, html: str, limit: int) -> None:
        self.html = html
        self.limit = limit
        self.stack: list[str] = []
        self.active: dict[str, int] = {}  # formatting elements without an end tag so far
        self.active_count = 0
        self.clones = 0
        self.deepest = 0

    def is_too_much(self) -> bool:
        position, html, token = 0, self.html, _TOKEN
        while True:
            start = html.find("<", position)
            if start < 0:
                return False
            found = token.match(html, start)
            if found is None:
                position = start + 1
                continue
            position = found.end()
            name = found.group(2)
            if not name:
                continue
            name = name.lower()
            if found.group(1):
                self._close(name)
                continue
            if name in _RAW_TEXT:
                if name == "xmp":
                    self._pop_through(("p",), _BARRIERS)
                end = _RAW_TEXT[name].search(html, position)
                stop = end.start() if end else len(html)
                if name == "script" and "<!--" in html[position:stop]:
                    return self._count_starts(start)  # an escaped script ends elsewhere
                position = stop
            elif name in _RULE_CHANGERS:
                return self._count_starts(start)
            elif name == "hr":
                self._pop_through(("p",), _BARRIERS)
            elif name not in _IGNORED:
                self._open(name)
                # Whatever formatting is active may be nested once more wherever the parser creates it again.
                self.deepest = max(self.deepest, len(self.stack) + self.active_count)
            if self.deepest > self.limit or self.clones > MAX_CLONES:
                return True

    def _count_starts(self, position: int) -> bool:
        """From here on the rules are others: everything that looks like a start tag may be one and stay open."""
        starts = sum(1 for _ in islice(_START.finditer(self.html, position), MAX_STARTS + 1))
        self.deepest += starts
        return starts > MAX_STARTS

    def _open(self, name: str) -> None:
        if name in _FORMATTING:
            self.active[name] = self.active.get(name, 0) + 1
            self.active_count += 1
            if name == "a":
                self._pop_through(("a",), _SPECIAL)
        else:
            self.clones += self.active_count
            if name in _P_CLOSING:
                self._pop_through(("p",), _BARRIERS)
            if name == "li":
                self._pop_item(("li",))
            elif name in ("dd", "dt"):
                self._pop_item(("dd", "dt"))
            elif name in _TABLE_PARENTS and not self._pop_to_row_context(name):
                return
            elif name == "option" and self.stack and self.stack[-1] == "option":
                self.stack.pop()
        self.stack.append(name)

    def _close(self, name: str) -> None:
        if name in _FORMATTING:
            if self.active.get(name):
                self.active[name] -= 1
                self.active_count -= 1
            self._pop_through((name,), _SPECIAL)
        elif name in ("li", "dd", "dt"):
            self._pop_through((name,), _BARRIERS | {"ol", "ul"})
        elif name == "table" or name in _TABLE_PARENTS:
            self._pop_through((name,), ("table",))
        elif name in _SPECIAL:
            self._pop_through((name,), _BARRIERS)
        else:
            self._pop_through((name,), _SPECIAL)
        if name in _SPECIAL:
            self.clones += self.active_count

    def _pop_through(self, names: frozenset[str] | tuple[str, ...], barriers: frozenset[str] | tuple[str, ...]) -> None:
        """Pop up to and with the nearest of `names`, unless a barrier stands before it."""
        stack = self.stack
        for index in range(len(stack) - 1, -1, -1):
            if stack[index] in names:
                del stack[index:]
                return
            if stack[index] in barriers:
                return

    def _pop_item(self, names: tuple[str, ...]) -> None:
        stack = self.stack
        for index in range(len(stack) - 1, -1, -1):
            if stack[index] in names:
                del stack[index:]
                return
            if stack[index] in _SPECIAL and stack[index] not in ("address", "div", "p"):
                return

    def _pop_to_row_context(self, name: str) -> bool:
        """What a cell, row or group closes in its table; outside every table the tag counts for nothing."""
        stack, parents = self.stack, _TABLE_PARENTS[name]
        for index in range(len(stack) - 1, -1, -1):
            if stack[index] == "table" or stack[index] in parents:
                del stack[index + 1 :]
                return True
        return False
