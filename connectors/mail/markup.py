"""HTML as text: a walker over a parsed page that keeps blocks, lists, links and quotes, and leaves out what is hidden.

The parsers behind are quadratic in nesting, so `nesting.looks_deeper_than_allowed` is asked before any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_NODES = 100_000

_SKIPPED_NAMES = (
    "head style script title template noscript object svg math iframe audio video textarea select button applet"
)
_SKIPPED = frozenset(_SKIPPED_NAMES.split())
_BLOCK_NAMES = (
    "address article aside blockquote body center dd details dir div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 header hr li main menu nav ol p pre section summary table tbody tfoot thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_SPACED_NAMES = "p h1 h2 h3 h4 h5 h6 ul ol dl table pre blockquote"
_SPACED = frozenset(_SPACED_NAMES.split())
_TOLD = _BLOCKS | {"br", "a", "img", "td", "th"}
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d]*[1-9])"
    r"|max-height\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])",
    re.I,
)
_OUTLOOK_RULE = re.compile(r"border-top\s*:\s*solid\s+#(?:e1e1e1|b5c4df)", re.I)
_SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
_QUOTE_CLASS_NAMES = (
    "gmail_quote gmail_quote_container yahoo_quoted moz-cite-prefix protonmail_quote tutanota_quote zmail_extra"
)
_QUOTE_CLASSES = frozenset(_QUOTE_CLASS_NAMES.split())
_QUOTE_IDS = frozenset(("OLK_SRC_BODY_SECTION", "isForwardContent", "oriMsgHtmlSeperator"))
# From here to the end it is history, whatever the nesting says.
_CUT_IDS = frozenset(("divRplyFwdMsg", "appendonsend", "mail-editor-reference-message-container", "stopSpelling"))
_NO_SCRIPT = re.compile(r"<(script|style|head|title)\b.*?(?:</\1\s*>|\Z)", re.I | re.S)
_ANY_TAG = re.compile(r"<[^<>]{0,2000}>")
_BREAKING = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h[1-6])\b[^<>]{0,500}>", re.I)
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def strip_tags(html: str) -> str:
    """Text of markup that no parser may be given: only tags taken out, entities opened."""
    html = _NO_SCRIPT.sub(" ", html)
    text = unescape(_ANY_TAG.sub("", _BREAKING.sub("\n", html)))
    return _BLANK_LINES.sub("\n\n", text).strip()


class _Writer:
    """Collects lines. A block begins a new line; runs of white space are one space, as on a page."""

    __slots__ = ("containers", "cut", "gap", "keeps_space", "lines", "links", "lists", "pieces", "prefix", "quoted")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.quoted: list[bool] = []
        self.pieces: list[str] = []  # of the line being written
        self.prefix = ""
        self.gap = False
        self.cut = False  # everything from here on is history
        self.containers: list[bool] = []  # open quote containers; False once their first blockquote has ended
        self.lists: list[int] = []
        self.links: list[tuple[int, int]] = []
        self.keeps_space = 0

    def words(self, text: str) -> None:
        if self.keeps_space:
            first, *others = text.split("\n")
            self.pieces.append(first)
            for other in others:
                self.end_line(even_empty=True)
                self.pieces.append(other)
            return
        if "\n" in text or "  " in text or "\xa0" in text or "\t" in text or "\r" in text:
            text = _SPACE.sub(" ", text)
        pieces = self.pieces
        if text[:1] == " " and (not pieces or pieces[-1][-1:] == " "):
            text = text[1:]
        if text:
            pieces.append(text)

    def end_line(self, even_empty: bool = False) -> None:
        line = "".join(self.pieces).rstrip() if self.pieces else ""
        self.pieces.clear()
        if not line and not even_empty:
            return
        if self.gap and self.lines and line:
            self._put(self.prefix.rstrip())
        self.gap = False
        self._put(self.prefix + line if line else self.prefix.rstrip())

    def _put(self, line: str) -> None:
        if not line.strip("> ") and self.lines and not self.lines[-1].strip("> "):
            return
        self.lines.append(line)
        self.quoted.append(self.cut or bool(self.prefix) or True in self.containers)


_Leave = tuple[str, str]  # the tag, and what its start tag makes necessary at its end


def to_lines(html: str) -> tuple[list[str], list[bool]]:
    """Readable lines of a page, and for each whether the markup says that it is quoted history."""
    top = LexborHTMLParser(html).body
    writer = _Writer()
    waiting: list[LexborNode | _Leave] = [top] if top is not None else []
    for _ in range(MAX_NODES):
        if not waiting:
            break
        node = waiting.pop()
        if isinstance(node, tuple):
            _leave(writer, *node)
            continue
        tag = node.tag
        if tag == "-text":
            writer.words(node.text_content or "")
            continue
        if tag is None or tag in _SKIPPED or tag[0] in "-!":
            continue
        attributes = node.attributes
        if attributes and _is_hidden(attributes):
            continue
        if tag in _TOLD:
            waiting.append((tag, _enter(writer, tag, attributes)))
        child = node.last_child
        while child is not None:
            waiting.append(child)
            child = child.prev
    writer.end_line()
    while writer.lines and not writer.lines[-1].strip():
        writer.lines.pop()
        writer.quoted.pop()
    return writer.lines, writer.quoted


def _is_hidden(attributes: Mapping[str, str | None]) -> bool:
    style = attributes.get("style")
    return "hidden" in attributes or (style is not None and _HIDDEN.search(style) is not None)


def _enter(writer: _Writer, tag: str, attributes: Mapping[str, str | None]) -> str:
    if tag in _BLOCKS:
        writer.end_line()
        writer.gap |= tag in _SPACED
        return _enter_block(writer, tag, attributes)
    if tag == "br":
        writer.end_line(even_empty=True)
    elif tag == "a":
        writer.links.append((len(writer.lines), len(writer.pieces)))
        return attributes.get("href") or ""
    elif tag == "img":
        alt = attributes.get("alt")
        if alt and len(alt) < 200:
            writer.words(alt)
    return ""


def _enter_block(writer: _Writer, tag: str, attributes: Mapping[str, str | None]) -> str:
    mark = ""
    if attributes and _begins_history(attributes):
        writer.cut = True
    if tag == "blockquote":
        if not _is_indent(attributes):
            writer.prefix += "> "
            mark = "quote"
    elif attributes and _is_container(attributes):
        writer.containers.append(True)
        mark = "container"
    if tag == "li":
        ordinal = writer.lists[-1] if writer.lists else 0
        writer.pieces.append(f"{ordinal}. " if ordinal else "- ")
        if ordinal:
            writer.lists[-1] += 1
    elif tag in ("ul", "ol"):
        writer.lists.append(1 if tag == "ol" else 0)
    elif tag == "hr":
        writer.pieces.append("_" * 32)
        writer.end_line()
    elif tag == "pre":
        writer.keeps_space += 1
    return mark


def _leave(writer: _Writer, tag: str, mark: str) -> None:
    if tag in ("td", "th"):
        if writer.pieces:
            writer.pieces[-1] = writer.pieces[-1].rstrip(" ") + "  "
    elif tag == "a":
        _leave_link(writer, mark)
    if tag not in _BLOCKS:
        return
    writer.end_line()
    writer.gap |= tag in _SPACED
    if mark == "quote":
        writer.prefix = writer.prefix[:-2]
        if not writer.prefix and writer.containers:
            writer.containers[-1] = False
    elif mark:
        writer.containers.pop()
    if tag in ("ul", "ol"):
        writer.lists.pop()
    elif tag == "pre":
        writer.keeps_space -= 1


def _leave_link(writer: _Writer, href: str) -> None:
    line_count, start = writer.links.pop()
    target = href.strip()
    if len(target) > 500 or not target.lower().startswith(("http://", "https://", "mailto:", "tel:")):
        return
    shown = "".join(writer.pieces[start:] if line_count == len(writer.lines) else writer.pieces).strip()
    bare = target.partition(":")[2].lstrip("/").rstrip("/")
    if shown and bare and bare.lower() not in shown.lower():
        writer.pieces[-1] = writer.pieces[-1].rstrip()
        writer.pieces.append(f" <{target}>")


def _begins_history(attributes: Mapping[str, str | None]) -> bool:
    style = attributes.get("style")
    return attributes.get("id") in _CUT_IDS or (style is not None and _OUTLOOK_RULE.search(style) is not None)


def _is_container(attributes: Mapping[str, str | None]) -> bool:
    names = (attributes.get("class") or "").split()
    return attributes.get("id") in _QUOTE_IDS or any(name in _QUOTE_CLASSES for name in names)


def _is_indent(attributes: Mapping[str, str | None]) -> bool:
    """Gmail and Outlook indent with a blockquote that has no line on its left."""
    if (attributes.get("type") or "").lower() == "cite" or "gmail_quote" in (attributes.get("class") or ""):
        return False
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return "border:none" in style and "border-left" not in style
