"""HTML as text: a walker over a parsed page that keeps blocks, lists, links and quotes, and leaves out what is hidden.

The parsers behind are quadratic in nesting, so `nesting.looks_deeper_than_allowed` is asked before any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from connectors.passages import NEW, QUOTE, SIGNATURE

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
# What ids, classes and names of the usual programs say of a part of the page. CUT: from here to the end it is history,
# whatever the nesting says. Programs put their own prefix before the names in what they quote.
CUT = "cut"
_ROLE_NAMES = {
    CUT: "divrplyfwdmsg appendonsend mail-editor-reference-message-container ms-outlook-mobile-reference-message"
    " stopspelling zwchr outlookmessageheader",
    QUOTE: "gmail_quote gmail_quote_container yahoo_quoted moz-cite-prefix protonmail_quote tutanota_quote zmail_extra"
    " olk_src_body_section isforwardcontent orimsghtmlseperator isreplycontent airmail_on airmail_ext_on"
    " mail-quote-collapse ntes-mailmaster-quote ntes-pcmail-quote appleoriginalcontents reply-intro front-blockquote"
    " freshdesk_quote messagereplysection aolmail_extra",
    SIGNATURE: "gmail_signature gmail_signature_prefix moz-signature protonmail_signature_block"
    " protonmail_signature_block-user ms-outlook-mobile-signature signature signature_container applemailsignature"
    " apple-mail-signature zmail_signature bloop_sign messagesignaturesection composer_signature tutanota_signature"
    " ymail_android_signature ymail_ios_signature front-signature sh-signature _rc_sig divneteasemailcard",
}
_ROLES = {name: role for role, names in _ROLE_NAMES.items() for name in names.split()}
_OWN_PREFIX = re.compile(r"(?:x_|yiv\d{5,12}|gmail-m_-?\d{5,24}|m_-?\d{5,24}|ydp[0-9a-f]{7,9})+")
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

    __slots__ = (
        "containers", "cut", "gap", "keeps_space", "lines", "links", "lists", "marks", "pieces", "prefix", "signatures",
    )  # fmt: skip

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.marks: list[str] = []
        self.pieces: list[str] = []  # of the line being written
        self.prefix = ""
        self.gap: str | None = None  # an empty line is due; the quote marks it was asked for under
        self.cut = False  # everything from here on is history
        self.containers: list[bool] = []  # open quote containers; False once their first blockquote has ended
        self.signatures = 0  # open ones
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
        if self.gap is not None and self.lines and line:
            self._put(min(self.gap, self.prefix, key=len).rstrip())  # between two quotes it belongs to neither
        self.gap = None
        self._put(self.prefix + line if line else self.prefix.rstrip())

    def part(self, tag: str) -> None:
        """An empty line parts this block from the next, where a page would show one."""
        if tag in _SPACED and (self.gap is None or len(self.prefix) < len(self.gap)):
            self.gap = self.prefix

    def _put(self, line: str) -> None:
        if not line.strip("> ") and self.lines and not self.lines[-1].strip("> "):
            return
        self.lines.append(line)
        if self.cut or self.is_in_quote:
            self.marks.append(QUOTE)
        else:
            self.marks.append(SIGNATURE if self.signatures else NEW)

    @property
    def is_in_quote(self) -> bool:
        return bool(self.prefix) or True in self.containers


_Leave = tuple[str, str]  # the tag, and what its start tag makes necessary at its end


def to_lines(html: str) -> tuple[list[str], list[str]]:
    """Readable lines of a page, and what the markup says of each: QUOTE, SIGNATURE, or NEW for nothing."""
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
        if tag in _TOLD or (attributes and _role_of(attributes)):
            waiting.append((tag, _enter(writer, tag, attributes)))
        child = node.last_child
        while child is not None:
            waiting.append(child)
            child = child.prev
    writer.end_line()
    while writer.lines and not writer.lines[-1].strip():
        writer.lines.pop()
        writer.marks.pop()
    return writer.lines, writer.marks


def _is_hidden(attributes: Mapping[str, str | None]) -> bool:
    style = attributes.get("style")
    return "hidden" in attributes or (style is not None and _HIDDEN.search(style) is not None)


def _enter(writer: _Writer, tag: str, attributes: Mapping[str, str | None]) -> str:
    if tag in _BLOCKS:
        writer.end_line()
        writer.part(tag)
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
    return _enter_role(writer, attributes)


def _enter_role(writer: _Writer, attributes: Mapping[str, str | None]) -> str:
    """What its end must take back."""
    role = _role_of(attributes) if attributes else ""
    if role == CUT:
        # Within a quote it is the history of what is quoted: an answer may still stand below.
        writer.cut = writer.cut or not writer.is_in_quote
        return ""
    if role == QUOTE:
        writer.containers.append(True)
    elif role == SIGNATURE:
        writer.signatures += 1
    return role


def _enter_block(writer: _Writer, tag: str, attributes: Mapping[str, str | None]) -> str:
    mark = ""
    if tag == "blockquote":
        if not _is_indent(attributes):
            writer.prefix += "> "
            mark = ">"
    else:
        mark = _enter_role(writer, attributes)
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
        return
    if tag in _BLOCKS:
        writer.end_line()
        writer.part(tag)
    if mark == ">":
        writer.prefix = writer.prefix[:-2]
        if not writer.prefix and writer.containers:
            writer.containers[-1] = False
    elif mark == QUOTE:
        writer.containers.pop()
    elif mark == SIGNATURE:
        writer.signatures -= 1
    if tag not in _BLOCKS:
        return
    if tag in ("ul", "ol"):
        writer.lists.pop()
    elif tag == "pre":
        writer.keeps_space -= 1


def _leave_link(writer: _Writer, href: str) -> None:
    line_count, start = writer.links.pop()
    target = href.strip()
    if len(target) > 500 or not target[:8].lower().startswith(("http://", "https://", "mailto:", "tel:")):
        return
    shown = "".join(writer.pieces[start:] if line_count == len(writer.lines) else writer.pieces).strip()
    bare = target.partition(":")[2].lstrip("/").rstrip("/")
    if shown and bare and bare.lower() not in shown.lower():
        writer.pieces[-1] = writer.pieces[-1].rstrip()
        writer.pieces.append(f" <{target}>")


def _role_of(attributes: Mapping[str, str | None]) -> str:
    style = attributes.get("style")
    if style is not None and _OUTLOOK_RULE.search(style) is not None:
        return CUT
    names = (attributes.get("class"), attributes.get("id"), attributes.get("name"))
    return _role_of_names(*(name[:200] if name else "" for name in names)) if any(names) else ""


@lru_cache(maxsize=2048)
def _role_of_names(classes: str, identity: str, name: str) -> str:
    if name == "quote":  # GMX; as a class it is anybody's
        return QUOTE
    for one in (*classes.lower().split(), identity.lower(), name.lower()):
        bare = _OWN_PREFIX.sub("", one, count=1)
        if bare in _ROLES:
            return _ROLES[bare]
        if bare.startswith(("yahoo_quoted_", "zmail_extra_")):
            return QUOTE
    return ""


def _is_indent(attributes: Mapping[str, str | None]) -> bool:
    """Gmail and Outlook indent with a blockquote that has no line on its left."""
    if (attributes.get("type") or "").lower() == "cite" or "gmail_quote" in (attributes.get("class") or ""):
        return False
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return "border:none" in style and "border-left" not in style
