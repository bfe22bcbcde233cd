"""What FETCH asks for, and the answer (RFC 9051 §6.4.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.simulators.imap_store import Mailbox, StoredMail, split_header
from connectors.simulators.imap_structure import (
    body_structure,
    envelope,
    find_part,
    header_fields,
    mime_header,
    part_bytes,
)
from connectors.simulators.imap_syntax import SyntaxFault, Token, text_of

MACROS = {
    "ALL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"],
    "FAST": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"],
    "FULL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"],
}
SIMPLE = {"UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY", "BODYSTRUCTURE"}
OLD_NAMES = {"RFC822": ("", False), "RFC822.HEADER": ("HEADER", True), "RFC822.TEXT": ("TEXT", False)}
MAX_ITEMS = 50
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_BODY = re.compile(r"BODY(?P<peek>\.PEEK)?\[(?P<section>[^\]]*)\](?:<(?P<first>\d{1,12})\.(?P<count>\d{1,12})>)?", re.I)
_FIELDS = re.compile(r"(?P<kind>HEADER\.FIELDS(?:\.NOT)?)\s*\((?P<names>[^)]*)\)", re.I)
_PART = re.compile(r"(?P<path>\d{1,4}(?:\.\d{1,4}){0,20})(?:\.(?P<tail>MIME|HEADER|TEXT))?", re.I)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing asked for. `label` is what the answer calls it; a body item also says if it marks mail as seen."""

    label: str
    section: str | None = None
    first: int | None = None
    count: int = 0
    marks_seen: bool = False


def parse_items(token: Token) -> list[Item]:
    names = [text_of(part) for part in token] if isinstance(token, list) else [text_of(token)]
    if len(names) == 1 and names[0].upper() in MACROS:
        names = MACROS[names[0].upper()]
    if not 0 < len(names) <= MAX_ITEMS:
        raise SyntaxFault("Ask for between one and fifty items")
    return [_parse_item(name) for name in names]


def _parse_item(name: str) -> Item:
    upper = name.upper()
    if upper in SIMPLE:
        return Item(upper)
    if upper in OLD_NAMES:
        section, peeks = OLD_NAMES[upper]
        return Item(upper, section, marks_seen=not peeks)
    match = _BODY.fullmatch(name)
    if match is None:
        raise SyntaxFault(f"Unknown item {name[:60]}")
    section = match["section"].strip()
    first = None if match["first"] is None else int(match["first"])
    origin = "" if first is None else f"<{first}>"
    return Item(f"BODY[{section}]{origin}", section, first, int(match["count"] or 0), not match["peek"])


def internal_date(moment: datetime) -> str:
    return f'"{moment.day:2d}-{MONTHS[moment.month - 1]}-{moment.year:04d} {moment:%H:%M:%S} +0000"'


def parse_internal_date(text: str) -> datetime:
    """The date-time of APPEND. Raises SyntaxFault."""
    try:
        day, month, rest = text.strip().split("-", 2)
        number = [name.lower() for name in MONTHS].index(month.lower()) + 1
        return datetime.strptime(f"{int(day):02d} {number:02d} {rest}", "%d %m %Y %H:%M:%S %z")
    except ValueError:
        raise SyntaxFault("Not a date-time") from None


def _section(content: bytes, section: str) -> bytes | None:
    upper = section.upper()
    if upper == "":
        return content
    header, body = split_header(content)
    if upper == "HEADER":
        return header
    if upper == "TEXT":
        return body
    fields = _FIELDS.fullmatch(section)
    if fields is not None:
        names = [name.strip('"') for name in fields["names"].split()]
        return header_fields(header, names, fields["kind"].upper().endswith(".NOT"))
    path = _PART.fullmatch(section)
    if path is None:
        raise SyntaxFault(f"Unknown section {section[:60]}")
    part = find_part(content, [int(number) for number in path["path"].split(".")])
    if part is None:
        return None
    return mime_header(part) if (path["tail"] or "").upper() == "MIME" else part_bytes(part)


def _answer(item: Item, mailbox: Mailbox, mail: StoredMail) -> bytes:
    if item.section is not None:
        is_header = item.section.upper().startswith("HEADER")
        content = mailbox.read_header(mail.uid) if is_header else mailbox.read(mail.uid)
        part = _section(content, item.section)
        if part is None:
            return f"{item.label} NIL".encode()
        if item.first is not None:
            part = part[item.first : item.first + item.count]
        return f"{item.label} {{{len(part)}}}\r\n".encode() + part
    if item.label == "UID":
        value = str(mail.uid)
    elif item.label == "FLAGS":
        value = "(" + " ".join(sorted(mail.flags)) + ")"
    elif item.label == "INTERNALDATE":
        value = internal_date(mail.received_at)
    elif item.label == "RFC822.SIZE":
        value = str(mail.size)
    elif item.label == "ENVELOPE":
        value = envelope(mailbox.read_header(mail.uid))
    else:
        value = body_structure(mailbox.read(mail.uid), item.label == "BODYSTRUCTURE")
    return f"{item.label} {value}".encode()


def fetch_line(number: int, items: Sequence[Item], mailbox: Mailbox, mail: StoredMail) -> bytes:
    """The whole untagged answer for one mail, literals inside."""
    return f"* {number} FETCH (".encode() + b" ".join(_answer(item, mailbox, mail) for item in items) + b")\r\n"
