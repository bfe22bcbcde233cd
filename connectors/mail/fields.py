"""The header block of a message or part: reading it off the bytes, and the structured fields that are not addresses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from urllib.parse import unquote_to_bytes

from connectors.mail.decode import decode_header, decode_text, decode_words

MAX_BLOCK = 1024 * 1024
MAX_FIELD = 64 * 1024
MAX_FIELDS = 5000
MAX_GARBAGE_LINES = 50
MAX_REFERENCES = 200
MAX_ID = 998  # RFC 5322 §2.1.1, the longest line

Fields = dict[bytes, list[bytes]]

_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:(.*(?:\n[ \t].*)*)\n?")
# The same over a whole block at once; the last group holds a line that is no field.
_FIELDS = re.compile(rb"([!-9;-~]{1,200})[ \t]*:(.*(?:\n[ \t].*)*)|(.+)")
_BLANK = re.compile(rb"\r*\n")
_LINE = re.compile(rb"[^\n]*\n?")
_WELL_KNOWN = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|content-type|content-transfer-encoding|mime-version|received|reply-to"
    rb"|return-path|references|in-reply-to|x-[a-z-]{1,40})[ \t]*:",
    re.I | re.M,
)
_PARAMETER = re.compile(rb';\s*([^\s=;"]{1,100})[ \t]*=[ \t]*("[^"\\]*(?:\\.[^"\\]*)*"|[^;]*)', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)
_IN_BRACKETS = re.compile(r"<([^<>]*)>")
_ID_NOISE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_DATE = re.compile(
    r"\s*(?:[A-Za-z]{2,9}\.?,?\s+)?(\d{1,2})[ -]([A-Za-z]{3})[a-z]*\.?[ -](\d{4})\s+(\d{1,2}):(\d\d)(?::(\d\d))?"
    r"\s+([+-])(\d\d)(\d\d)\b"
)
_DATE_COMMENT = re.compile(r"\s*\([^()]{0,60}\)")
_DATE_FRACTION = re.compile(r"(:\d\d)\.\d{1,9}")
_DATE_OFFSET = re.compile(r"(?<=[ T:\d])(?:GMT|UTC)?([+-])(\d\d?)(?::(\d\d))?\s*$")
_MORE_ZONES = {"CET": "+0100", "CEST": "+0200", "EET": "+0200", "EEST": "+0300", "WET": "+0000", "WEST": "+0100"} | {
    "BST": "+0100", "MSK": "+0300", "IST": "+0530", "WIB": "+0700", "WITA": "+0800", "WIT": "+0900", "JST": "+0900",
    "KST": "+0900", "SGT": "+0800", "HKT": "+0800", "AEST": "+1000", "AEDT": "+1100", "NZST": "+1200", "NZDT": "+1300",
}  # fmt: skip
_DATE_ZONE = re.compile(rf"\b({'|'.join(_MORE_ZONES)})\s*$", re.I)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}


class Block:
    """A header block: values by lower-case name in order of appearance, and where the body begins."""

    __slots__ = ("body", "broken", "cut", "fields")

    def __init__(self) -> None:
        self.fields: Fields = {}
        self.body = 0
        self.broken = False
        self.cut = False


def read_block(data: bytes, start: int, end: int) -> Block:
    """Read the header block that begins at `start`. A line that is no field ends it, unless fields go on after it."""
    return _read_clean_block(data, start, end) or _read_any_block(data, start, end)


def _read_clean_block(data: bytes, start: int, end: int) -> Block | None:
    """The common case in one sweep: fields only, then a blank line, nothing near a cap. None for anything else."""
    stop = min(end, start + MAX_FIELD)
    blank = data.find(b"\n\r\n", start, stop)
    bare = data.find(b"\n\n", start, blank if blank >= 0 else stop)
    if bare >= 0:
        blank = bare
    if blank < 0 or data[start] in b"\r\n \t":
        return None
    block = Block()
    fields = block.fields
    for name, value, garbage in _FIELDS.findall(data, start, blank):
        if garbage:
            return None
        name = name.lower()
        if name in fields:
            fields[name].append(value)
        else:
            fields[name] = [value]
    block.body = blank + (2 if blank == bare else 3)
    return block


def _read_any_block(data: bytes, start: int, end: int) -> Block:
    block = Block()
    stop = min(end, start + MAX_BLOCK)
    position, garbage, count = start, 0, 0
    match, fields = _FIELD.match, block.fields
    while position < stop:
        found = match(data, position, stop)
        if found is not None:
            name, value = found.groups()
            position = found.end()
            count += 1
            name = name.lower()
            if len(value) > MAX_FIELD or count > MAX_FIELDS:
                block.cut = True
                value = value[:MAX_FIELD]
                if count > MAX_FIELDS and name not in fields and not _WELL_KNOWN.match(name + b":"):
                    continue
            if name in fields:
                fields[name].append(value)
            else:
                fields[name] = [value]
            continue
        blank = _BLANK.match(data, position, stop)
        if blank is not None:
            block.body = blank.end()
            return block
        garbage += 1
        if not _goes_on(data, position, stop, garbage):
            block.body, block.broken = position, True
            return block
        block.broken |= position > start or not data.startswith((b"From ", b">From "), position)
        line = _LINE.match(data, position, stop)
        position = line.end() if line else stop
    block.body = _body_after_cut(data, position, end) if stop < end else end
    block.cut |= stop < end
    return block


def _goes_on(data: bytes, position: int, stop: int, garbage: int) -> bool:
    """Whether real fields follow this line before the blank line: then the line was only an accident."""
    if garbage > MAX_GARBAGE_LINES:
        return False
    near = data[position : min(stop, position + 8192)]
    blank = min((at for at in (near.find(b"\n\n"), near.find(b"\n\r\n")) if at >= 0), default=len(near))
    return _WELL_KNOWN.search(near, 0, blank) is not None


def _body_after_cut(data: bytes, position: int, end: int) -> int:
    found = [at for at in (data.find(b"\n\n", position, end), data.find(b"\n\r\n", position, end)) if at >= 0]
    return min(found) + 2 if found else end


def first(fields: Fields, name: bytes) -> str:
    """The first value of a field as unfolded text, "" when it is absent."""
    values = fields.get(name)
    return decode_header(values[0]) if values else ""


def parse_parameters(raw: bytes) -> tuple[str, dict[str, str]]:
    """Split `type; name=value …` (RFC 2045, with the extensions and continuations of RFC 2231)."""
    head, semicolon, _ = raw.partition(b";")
    main = head.strip().lower().decode("ascii", "replace")
    if not semicolon:
        return main, {}
    plain: dict[str, str] = {}
    extended: dict[str, list[tuple[int, bool, str]]] = {}
    for index, found in enumerate(_PARAMETER.finditer(raw, len(head))):
        if index >= 100:
            break
        name = found.group(1).lower().decode("ascii", "replace")
        value = decode_header(found.group(2))
        if value.startswith('"'):
            value = value[1:-1] if len(value) > 1 and value.endswith('"') else value[1:]
            if "\\" in value:
                value = _ESCAPED.sub(r"\1", value)
        if "*" in name:
            base, number, encoded = _section(name)
            extended.setdefault(base, []).append((number, encoded, value))
        else:
            plain.setdefault(name, value)
    for base, sections in extended.items():
        plain[base] = _join_sections(sections)
    return main, plain


def _section(name: str) -> tuple[str, int, bool]:
    base, _, rest = name.partition("*")
    encoded = rest.endswith("*") or rest == ""
    digits = rest.rstrip("*")
    return base, int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else 0, encoded


def _join_sections(sections: list[tuple[int, bool, str]]) -> str:
    charset, out = "utf-8", bytearray()
    for index, (_, encoded, value) in enumerate(sorted(sections, key=lambda section: section[0])):
        if encoded and index == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        out += unquote_to_bytes(value) if encoded else value.encode("utf_8", "replace")
    return decode_text(bytes(out), charset)[0]


def decode_parameter(value: str) -> str:
    """A parameter that may hold encoded words, against the RFC but everywhere."""
    return decode_words(value) if "=?" in value else value


def parse_message_id(text: str) -> str:
    """The first message id without its brackets, "" when there is none."""
    text = decode_words(text)
    found = _IN_BRACKETS.search(text)
    if found:
        return _clean_id(found.group(1))
    return _clean_id(text.strip("<> \t"))


def parse_message_ids(text: str) -> list[str]:
    """All message ids of References or In-Reply-To, as written, without brackets."""
    text = decode_words(text)  # Python's own e-mail package folds long ids into encoded words
    found = _IN_BRACKETS.findall(text) if "<" in text else [part for part in text.split() if "@" in part]
    return [part for part in map(_clean_id, found) if part]


def _clean_id(text: str) -> str:
    return text[:MAX_ID] if text.isprintable() and " " not in text else _ID_NOISE.sub("", text)[:MAX_ID]


def chain(references: list[str], in_reply_to: list[str], own: str) -> tuple[tuple[str, ...], bool]:
    """The ancestors, oldest first, the answered one last, each once; and whether some were cut from the middle."""
    answered = in_reply_to[0] if in_reply_to else ""
    ordered = dict.fromkeys([*references, *in_reply_to[1:]])
    ordered.pop(own, None)
    if answered and answered != own:
        ordered.pop(answered, None)
        ordered[answered] = None
    ids = tuple(ordered)
    if len(ids) <= MAX_REFERENCES:
        return ids, False
    return ids[:1] + ids[1 - MAX_REFERENCES :], True


def parse_date(text: str) -> datetime | None:
    """An RFC 5322 date in UTC, obsolete forms and ISO 8601 too; None when it cannot be read."""
    text = text[:200]
    found = _DATE.match(text)
    try:
        if found is not None:
            day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
            offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
            if offset >= timedelta(days=1):
                return None
            written = datetime(
                int(year),
                _MONTHS[month.lower()],
                int(day),
                int(hour),
                int(minute),
                min(int(second or 0), 59),
                tzinfo=UTC,
            )
            return written - offset if sign == "+" else written + offset
        return _parse_odd_date(text)
    except (ValueError, KeyError, OverflowError, TypeError, IndexError):
        return None


def _parse_odd_date(text: str) -> datetime | None:
    text = _DATE_COMMENT.sub("", decode_words(text))
    text = _DATE_FRACTION.sub(r"\1", text)
    if found := _DATE_OFFSET.search(text):
        sign, hours, minutes = found.groups()
        text = f"{text[: found.start()]} {sign}{int(hours):02}{minutes or '00'}"
    elif found := _DATE_ZONE.search(text):
        text = text[: found.start()] + _MORE_ZONES[found.group(1).upper()]
    parsed = parsedate_tz(text)
    if parsed is None:
        written = datetime.fromisoformat(text.strip())
        return (written if written.tzinfo else written.replace(tzinfo=UTC)).astimezone(UTC)
    zone = timezone(timedelta(seconds=parsed[9] or 0))
    return datetime(*parsed[:5], min(parsed[5], 59), tzinfo=zone).astimezone(UTC)


def is_plausible(written: datetime, received: datetime | None) -> bool:
    """A mail is not older than 1980 and not written more than a day after it was received (or after 2100)."""
    latest = received + timedelta(days=1) if received else datetime(2100, 1, 1, tzinfo=UTC)
    return datetime(1980, 1, 1, tzinfo=UTC) <= written <= latest
