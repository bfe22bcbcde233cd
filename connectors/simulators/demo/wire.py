"""Builds mails byte by byte (RFC 5322, 2045–2047): what mail programs really send is not what a library makes."""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.header import Header

CRLF = "\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part as it goes onto the wire: its header lines and its encoded body."""

    headers: tuple[tuple[str, str], ...]
    body: bytes

    def to_bytes(self) -> bytes:
        return header_block(self.headers) + b"\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content_type: str
    content: bytes
    content_id: str = ""  # set for a picture inside the text


@dataclass(slots=True)
class Boundaries:
    """Boundaries in the shape that a program gives them, numbered so that none is used twice in a mail."""

    shape: str
    used: int = field(default=0)

    def next(self) -> str:
        self.used += 1
        return self.shape.replace("#", f"{self.used:03d}")


def fold(name: str, value: str) -> str:
    """A header field folded at spaces so that no line is longer than 78 characters where that can be."""
    first, *words = value.split(" ")
    lines = [f"{name}: {first}"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > 78:
            lines.append("")
        lines[-1] += " " + word
    return CRLF.join(lines)


def header_block(headers: Iterable[tuple[str, str]]) -> bytes:
    return "".join(fold(name, value) + CRLF for name, value in headers).encode("ascii")


def encode_words(text: str, charset: str = "utf-8") -> str:
    """An unstructured value: as it is when plain, else as encoded words."""
    if text.isascii():
        return text
    return re.sub(r"\s*\n\s*", " ", Header(text, charset).encode(linesep="\n"))


def mailbox(name: str, address: str, charset: str = "utf-8", is_quoted: bool = False) -> str:
    if not name:
        return address
    if not name.isascii():
        return f"{encode_words(name, charset)} <{address}>"
    needs_quotes = is_quoted or re.search(r"[^\w \-']", name)
    return f'"{name}" <{address}>' if needs_quotes else f"{name} <{address}>"


def text_part(text: str, subtype: str = "plain", charset: str = "utf-8", encoding: str = "", extra: str = "") -> Part:
    """A text; UTF-8 when `charset` cannot hold it. `encoding`: 7bit, 8bit, quoted-printable or base64."""
    try:
        content = text.encode(charset)
    except UnicodeEncodeError:
        charset, content = "utf-8", text.encode()
    content = re.sub(rb"\r?\n", b"\r\n", content)
    if not encoding:
        is_plain = content.isascii() and max(map(len, content.split(b"\r\n"))) < 900
        encoding = "7bit" if is_plain else "quoted-printable"
    if encoding == "quoted-printable":
        content = re.sub(rb"\r?\n", b"\r\n", quopri.encodestring(content.replace(b"\r\n", b"\n")))
    elif encoding == "base64":
        content = wrapped_base64(content)
    headers = (
        ("Content-Type", f'text/{subtype}; charset="{charset}"{extra}'),
        ("Content-Transfer-Encoding", encoding),
    )
    return Part(headers, content)


def wrapped_base64(content: bytes) -> bytes:
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


def file_part(file: Attachment, charset: str = "utf-8") -> Part:
    name = f'"{encode_words(file.name, charset)}"'
    headers = [
        ("Content-Type", f"{file.content_type}; name={name}"),
        ("Content-Disposition", f"{'inline' if file.content_id else 'attachment'}; filename={name}"),
        ("Content-Transfer-Encoding", "base64"),
    ]
    if file.content_id:
        headers.append(("Content-ID", f"<{file.content_id}>"))
    return Part(tuple(headers), wrapped_base64(file.content))


def multipart(subtype: str, parts: Sequence[Part], boundaries: Boundaries, extra: str = "", preamble: str = "") -> Part:
    boundary = boundaries.next()
    lines = [preamble.encode() + b"\r\n" if preamble else b""]
    for part in parts:
        lines += [b"--" + boundary.encode() + b"\r\n", part.to_bytes(), b"\r\n"]
    lines.append(b"--" + boundary.encode() + b"--\r\n")
    return Part((("Content-Type", f'multipart/{subtype}; boundary="{boundary}"{extra}'),), b"".join(lines))
