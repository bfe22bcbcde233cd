"""Which parts are what the writer said, which are attachments, and the text of the former."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from connectors.mail.decode import clean_name, clean_text, decode_text
from connectors.mail.fields import decode_parameter, first
from connectors.mail.markup import strip_tags, to_lines
from connectors.mail.nesting import looks_deeper_than_allowed
from connectors.mail.parts import Part, Tree, parse_tree
from connectors.messages import Flag, ParsedAttachment
from connectors.passages import NEW

MAX_TEXT = 10 * 1024 * 1024  # characters of decoded text over all parts; the rest stays in the raw item
MAX_HTML = 1024 * 1024
MAX_INNER = 2 * MAX_TEXT  # bytes of an embedded message whose words stand for the mail's
SIGNATURE_LINE = "-- "

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset=[\"']?([A-Za-z0-9_:.\-]{1,40})", re.I)
_PLACEHOLDER = re.compile(
    r"html|e-?mail (?:client|program|reader)|in (?:your|a|the) (?:web ?)?browser"
    r"|im browser|navigateur|navegador|peramban",
    re.I,
)
_ENDINGS = {
    "application/pdf": ".pdf",
    "application/pgp-signature": ".asc",
    "application/pkcs7-signature": ".p7s",
    "application/pkcs7-mime": ".p7m",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "message/delivery-status": ".txt",
    "message/feedback-report": ".txt",
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/plain": ".txt",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
}


class Slot:
    """One place in the running text: a plain part, HTML, or both as alternatives of each other.

    Apple Mail cuts one HTML text into several parts around its attachments, hence a list.
    """

    __slots__ = ("html", "plain")

    def __init__(self, plain: Part | None = None, html: Sequence[Part] = ()) -> None:
        self.plain = plain
        self.html = list(html)


class Content:
    """What a tree holds for a reader. `marks`: what markup told of each line of `text`, None for nothing."""

    __slots__ = ("attachments", "flags", "marks", "slots", "text", "texts")

    def __init__(self) -> None:
        self.slots: list[Slot] = []
        self.attachments: list[Part] = []
        self.flags: dict[Flag, None] = {}
        self.text = ""
        self.texts: dict[str, str] = {}  # decoded text by part path, as the stable hash needs it
        self.marks: list[str] | None = None


def collect(tree: Tree) -> Content:
    """Sort the leaves of a tree into slots of text and attachments, in reading order."""
    content = Content()
    _place(tree.root, content)
    if not content.slots:
        _adopt_other_text(content)
    return content


def _place(top: Part, content: Content) -> None:
    waiting = [top]
    while waiting:
        part = waiting.pop()
        if part.content_type == "multipart/alternative" and part.children:
            waiting.extend(reversed(_place_alternatives(part, content)))
        elif part.children:
            waiting.extend(reversed(part.children))
        elif _is_body(part, content):
            slot = Slot(html=[part]) if part.content_type == "text/html" else Slot(plain=part)
            content.slots.append(slot)
        else:
            content.attachments.append(part)


def _place_alternatives(top: Part, content: Content) -> list[Part]:
    """Make one slot of the plain text and the HTML below; what else lies there is walked as usual."""
    plain: Part | None = None
    html: list[Part] = []
    others: list[Part] = []
    waiting = list(reversed(top.children))
    while waiting:
        part = waiting.pop()
        if part.children:
            waiting.extend(reversed(part.children))
        elif part.content_type == "text/plain" and part.disposition != b"attachment" and plain is None:
            plain = part
        elif part.content_type == "text/html" and part.disposition != b"attachment" and not (html and part_name(part)):
            html.append(part)
        else:
            others.append(part)
    if plain or html:
        content.slots.append(Slot(plain, html))
    return others


def _is_body(part: Part, content: Content) -> bool:
    if part.content_type not in ("text/plain", "text/html") or part.disposition == b"attachment":
        return False
    return not content.slots or not part_name(part)


def _adopt_other_text(content: Content) -> None:
    """No body at all: an enriched text, or the body of the one embedded message, is better than nothing."""
    for part in content.attachments:
        if part.disposition == b"attachment":
            continue
        if part.content_type in ("text/enriched", "text/richtext", "text/markdown", "text/x-markdown"):
            content.attachments.remove(part)
            content.slots.append(Slot(plain=part))
            return
        if part.content_type == "message/rfc822":
            inner = parse_tree(part.decode()[0][:MAX_INNER])
            inner_content = Content()
            _place(inner.root, inner_content)
            for slot in inner_content.slots:
                for leaf in (slot.plain, *slot.html):
                    if leaf is not None:
                        leaf.path = f"{part.path}/{leaf.path}"
            content.slots.extend(inner_content.slots)
            return


def read_text(content: Content) -> None:
    """Fill `text`, `marks` and `texts` from the slots, at most MAX_TEXT characters in all."""
    pieces: list[str] = []
    marks: list[str] = []
    has_marks = False
    room = MAX_TEXT
    for slot in content.slots:
        piece, of_piece = _slot_text(slot, content, room)
        piece = piece.rstrip()
        if not piece:
            continue
        room -= len(piece)
        pieces.append(piece)
        if len(content.slots) == 1:
            has_marks = of_piece is not None
            marks = of_piece or []
        else:
            count = piece.count("\n") + 1
            marks.extend((of_piece or [NEW] * count)[:count])
            has_marks |= of_piece is not None
            if pieces[1:]:
                marks.insert(len(marks) - count, NEW)
    content.text = "\n\n".join(pieces)
    content.marks = marks if has_marks else None


def _slot_text(slot: Slot, content: Content, room: int) -> tuple[str, list[str] | None]:
    plain = part_text(slot.plain, content, room) if slot.plain else ""
    if slot.plain and slot.plain.parameters.get("format", "").lower() == "flowed":
        plain = unflow(plain, slot.plain.parameters.get("delsp", "").lower() == "yes")
    elif slot.plain and slot.plain.content_type in ("text/enriched", "text/richtext"):
        plain = strip_tags(plain)
    if not slot.html:
        return plain, None
    if plain.strip() and not (len(plain) < 300 and _PLACEHOLDER.search(plain)):
        return plain, None
    text, marks = _html_text("\n".join(part_text(part, content, room) for part in slot.html), content)
    if len(text.strip() if marks is None else text) <= len(plain.strip()):
        return plain, None
    return text, marks


def _html_text(html: str, content: Content) -> tuple[str, list[str] | None]:
    if len(html) > MAX_HTML or looks_deeper_than_allowed(html):
        content.flags[Flag.TRUNCATED] = None
        return strip_tags(html[:MAX_HTML]), None
    lines, marks = to_lines(html)
    return "\n".join(lines), marks


def adopt(content: Content, letter: str, letter_html: str, event: str) -> None:
    """A mail without words of its own says what was packed into it, or what it invites to."""
    words = letter if letter.strip() or not letter_html else _html_text(letter_html, content)[0]
    content.text = clean_text(words if words.strip() else event).strip()[:MAX_TEXT]
    content.marks = None


def part_text(part: Part, content: Content, room: int = MAX_TEXT) -> str:
    """Decoded, cleaned text of one text part; kept, because the stable hash asks again."""
    if part.path in content.texts:
        return content.texts[part.path]
    raw, clean = part.decode()
    if not clean:
        content.flags[Flag.BROKEN_MIME] = None
    if len(raw) > room * 4 + 4:
        raw = raw[: room * 4]
    label = part.parameters.get("charset", "")
    if not label and part.content_type == "text/html" and not raw.isascii():
        meta = _META_CHARSET.search(raw, 0, 2048)
        label = meta.group(1).decode("ascii") if meta else ""
    text, trusted = decode_text(raw, label)
    if not trusted:
        content.flags[Flag.UNKNOWN_CHARSET] = None
    if len(text) > room:
        text = text[:room]
        content.flags[Flag.TRUNCATED] = None
    text = clean_text(text)
    content.texts[part.path] = text
    return text


def unflow(text: str, delsp: bool) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676), within one quote depth."""
    out: list[str] = []
    open_line: list[str] = []
    open_depth = 0
    for line in text.split("\n"):
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        if bare.startswith(" "):
            bare = bare[1:]
        if open_line and (depth != open_depth or bare == SIGNATURE_LINE):
            out.append("".join(open_line))
            open_line = []
        if not open_line:
            open_line = [">" * depth + " " if depth else ""]
            open_depth = depth
        is_soft = bare.endswith(" ") and bare != SIGNATURE_LINE
        open_line.append(bare[:-1] if is_soft and delsp else bare)
        if not is_soft:
            out.append("".join(open_line))
            open_line = []
    if open_line:
        out.append("".join(open_line))
    return "\n".join(out)


def part_name(part: Part) -> str:
    """The cleaned file name of a part, "" when it has none."""
    name = part.disposition_parameters().get("filename", "") if part.disposition else ""
    name = name or part.parameters.get("name", "")
    return clean_name(decode_parameter(name)) if name else ""


def describe(part: Part, data: bytes) -> ParsedAttachment:
    """An attachment as it is listed: a made-up name where the sender gave none."""
    name = part_name(part) or f"attachment-{part.path}{_ENDINGS.get(part.content_type, '')}"
    content_id = first(part.fields, b"content-id").strip("<> \t")[:250]
    inline = part.disposition == b"inline" or (bool(content_id) and part.disposition != b"attachment")
    return ParsedAttachment(
        part=part.path,
        name=name,
        content_type=part.content_type[:100],
        size=len(data),
        sha256=sha256(data).hexdigest(),
        is_inline=inline,
        content_id=content_id,
    )
