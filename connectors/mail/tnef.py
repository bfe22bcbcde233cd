"""winmail.dat: the letter that Outlook puts into an attachment of its own (MS-OXTNEF) → its text and its files.

Own reader rather than a library: none is kept up, and this format has killed readers before. It is opened nowhere but
in a confined process, reads each byte once, and never makes more of it than it holds, but for the packed text, which
has a cap of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from connectors import sandbox
from connectors.enclosures import Invitation
from connectors.mail import rtf
from connectors.mail.decode import clean_name, decode_text

TYPES = ("application/ms-tnef", "application/vnd.ms-tnef")
MAX_ATTRIBUTES = 5_000
MAX_PROPERTIES = 5_000
MAX_FILES = 100
MAX_DEPTH = 3
MAX_TEXT = 4 * 1024 * 1024

_SIGNATURE = 0x223E9F78
_CODEPAGE, _BODY, _SUBJECT, _CLASS = 0x9007, 0x800C, 0x8004, 0x8008
_PROPERTIES, _NEW_FILE, _TITLE, _DATA, _FILE_PROPERTIES = 0x9003, 0x9002, 0x8010, 0x800F, 0x9005
_TEXT8, _TEXT16, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x102
_FIXED = {
    0x00: 4,
    0x01: 4,
    0x02: 4,
    0x03: 4,
    0x04: 4,
    0x05: 8,
    0x06: 8,
    0x07: 8,
    0x0A: 4,
    0x0B: 4,
    0x14: 8,
    0x40: 8,
    0x48: 16,
}
_PR_SUBJECT, _PR_BODY, _PR_HTML, _PR_RTF, _PR_CODEPAGE = 0x0037, 0x1000, 0x1013, 0x1009, 0x3FDE
_PR_LONG_NAME, _PR_SHORT_NAME, _PR_DISPLAY, _PR_DATA = 0x3707, 0x3704, 0x3001, 0x3701
_PR_TYPE, _PR_CONTENT_ID = 0x370E, 0x3712
# Of appointments (MS-OXPROPS): named by a set and a number.
_APPOINTMENT = bytes.fromhex("0220060000000000c000000000000046")
_STARTS, _ENDS, _PLACE = 0x820D, 0x820E, 0x8208
# What the class of a meeting's message ends in, in both of its spellings.
_METHODS = {"mtgreq": "request", "meeting.request": "request", "mtgcncl": "cancel", "meeting.canceled": "cancel"} | {
    "mtgresp": "reply", "meeting.resp": "reply"
}  # fmt: skip
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content_type: str
    content_id: str
    data: bytes


@dataclass(slots=True)
class Letter:
    """What was in it. `html` is as unsafe as any mail's."""

    subject: str = ""
    text: str = ""
    html: str = ""
    files: list[File] = field(default_factory=list)
    invitation: Invitation | None = None


@dataclass(slots=True)
class _Attached:
    name: str = ""
    short: str = ""
    content_type: str = ""
    content_id: str = ""
    data: bytes = b""
    inner: Letter | None = None


Key = int | tuple[bytes, int]


def is_tnef(content_type: str, name: str, data: bytes) -> bool:
    looks = content_type in TYPES or name.lower().startswith("winmail") or name.lower().endswith(".tnef")
    return looks and data[:4] == _SIGNATURE.to_bytes(4, "little")


def open_tnef(data: bytes) -> Letter | None:
    """None when it is damaged beyond use, or this process is not one that may be lost."""
    if not sandbox.is_confined():
        return None
    return read_tnef(data)


def read_tnef(data: bytes, depth: int = 0) -> Letter | None:
    """As `open_tnef`, wherever it runs: only for tests and for `open_tnef`."""
    if len(data) < 6 or data[:4] != _SIGNATURE.to_bytes(4, "little"):
        return None
    letter, codepage, kind = Letter(), "cp1252", ""
    attached: list[_Attached] = []
    for level, name, value in _attributes(data):
        if name == _CODEPAGE and len(value) >= 4:
            codepage = f"cp{int.from_bytes(value[:4], 'little')}"
        elif name == _CLASS:
            kind = value.rstrip(b"\0").decode("ascii", "replace").lower()
        elif name == _SUBJECT:
            letter.subject = _string(value, _TEXT8, codepage)
        elif name == _BODY:
            letter.text = _string(value, _TEXT8, codepage)
        elif name == _PROPERTIES and level == 1:
            _read_letter(letter, dict(_properties(value)), codepage, kind)
        elif name == _NEW_FILE:
            if len(attached) >= MAX_FILES:
                break
            attached.append(_Attached())
        elif level == 2 and attached:
            _read_attached(attached[-1], name, value, codepage, depth)
    for one in attached:
        _add(letter, one)
    del letter.files[MAX_FILES:]
    return letter


def _attributes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(level, name, value) of each; what is cut off at the end is given as far as it goes."""
    position, count = 6, 0
    while position + 9 <= len(data) and count < MAX_ATTRIBUTES:
        level, whole, size = struct.unpack_from("<BII", data, position)
        if level not in (1, 2):
            return
        yield level, whole & 0xFFFF, data[position + 9 : position + 9 + size]
        position += 9 + size + 2
        count += 1


def _properties(data: bytes) -> Iterator[tuple[Key, tuple[int, bytes]]]:
    """(number, or set and number) → (type, value) of a list of MAPI properties; the first of several values."""
    if len(data) < 4:
        return
    count, position = int.from_bytes(data[:4], "little"), 4
    for _ in range(min(count, MAX_PROPERTIES)):
        if position + 4 > len(data):
            return
        kind, number = struct.unpack_from("<HH", data, position)
        position += 4
        key: Key = number
        if number >= 0x8000:
            if position + 24 > len(data):
                return
            group, is_named, named = data[position : position + 16], *struct.unpack_from("<II", data, position + 16)
            position += 24 + ((named + 3) & ~3 if is_named else 0)
            key = (group, 0 if is_named else named)
        is_many, kind = kind & 0x1000, kind & 0xEFFF
        values = 1
        if is_many or kind not in _FIXED:
            values = int.from_bytes(data[position : position + 4], "little")
            position += 4
        value = b""
        for at in range(min(values, MAX_PROPERTIES)):
            size = _FIXED.get(kind)
            if size is None:
                size = int.from_bytes(data[position : position + 4], "little")
                position += 4
            if position + size > len(data) + 3:
                return
            if at == 0:
                value = data[position : position + size]
            position += (size + 3) & ~3
        yield key, (kind, value)


def _string(value: bytes, kind: int, codepage: str) -> str:
    text = value.decode("utf_16_le", "replace") if kind == _TEXT16 else decode_text(value.rstrip(b"\0"), codepage)[0]
    return text.rstrip("\0")[:MAX_TEXT]


def _read_letter(letter: Letter, found: dict[Key, tuple[int, bytes]], codepage: str, kind: str) -> None:
    def text(key: Key) -> str:
        return _string(found[key][1], found[key][0], codepage) if key in found else ""

    letter.subject = text(_PR_SUBJECT) or letter.subject
    letter.text = text(_PR_BODY) or letter.text
    if _PR_HTML in found:
        named = int.from_bytes(found[_PR_CODEPAGE][1][:4], "little") if _PR_CODEPAGE in found else 0
        charset = {65001: "utf-8", 0: codepage}.get(named, f"cp{named}")
        kind_of, value = found[_PR_HTML]
        letter.html = _string(value, kind_of if kind_of == _TEXT16 else _TEXT8, charset)
    if not (letter.text or letter.html) and _PR_RTF in found:
        letter.text = rtf.to_text(rtf.unpack(found[_PR_RTF][1]))[:MAX_TEXT]
    starts = _moment(found.get((_APPOINTMENT, _STARTS)))
    method = next((method for word, method in _METHODS.items() if f"schedule.{word}" in kind), "")
    if starts and method:
        ends = _moment(found.get((_APPOINTMENT, _ENDS)))
        place = text((_APPOINTMENT, _PLACE))[:500]
        letter.invitation = Invitation(
            method, "", letter.subject[:500], starts, ends, place=place, is_cancelled=method == "cancel"
        )


def _moment(found: tuple[int, bytes] | None) -> str:
    if found is None or len(found[1]) != 8:
        return ""
    try:
        moment = _EPOCH + timedelta(microseconds=int.from_bytes(found[1], "little") // 10)
    except OverflowError:
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_attached(one: _Attached, name: int, value: bytes, codepage: str, depth: int) -> None:
    if name == _TITLE:
        one.short = _string(value, _TEXT8, codepage)
    elif name == _DATA:
        one.data = value
    elif name == _FILE_PROPERTIES:
        found = dict(_properties(value))

        def text(key: Key) -> str:
            return _string(found[key][1], found[key][0], codepage)[:300] if key in found else ""

        one.name = text(_PR_LONG_NAME) or text(_PR_DISPLAY) or text(_PR_SHORT_NAME)
        one.content_type = text(_PR_TYPE).lower()
        one.content_id = text(_PR_CONTENT_ID).strip("<> \t")[:250]
        kind, data = found.get(_PR_DATA, (0, b""))
        if kind == _OBJECT:
            inner = data[16:]  # after the name of its interface
            one.inner = read_tnef(inner, depth + 1) if depth < MAX_DEPTH else None
            one.data = one.data or inner
        elif kind == _BINARY:
            one.data = one.data or data


def _add(letter: Letter, one: _Attached) -> None:
    """A file; of a letter within the letter its text and its files."""
    name = clean_name(one.name or one.short)
    if one.inner is None:
        if one.data or name:
            letter.files.append(File(name, one.content_type, one.content_id, one.data))
        return
    words = one.inner.html or one.inner.text
    if words:
        ending, kind = (".html", "text/html") if one.inner.html else (".txt", "text/plain")
        named = clean_name((one.name or one.inner.subject or "message")[:150]) + ending
        letter.files.append(File(named, kind, "", words.encode("utf_8", "replace")))
    letter.files.extend(replace(file, content_id="") for file in one.inner.files)
