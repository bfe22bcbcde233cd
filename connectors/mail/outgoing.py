"""The parts of a mail that goes out: plain text, simple HTML made from it, attachments; ASCII, CRLF, short lines."""

from __future__ import annotations

import base64
import binascii
import html
import re
import secrets
from collections.abc import Sequence
from urllib.parse import quote

from connectors.base import Refused
from connectors.messages import OutboundFile

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_LINK = re.compile(r"https?://[^\s<>\"'()]{1,2000}[^\s<>\"'().,;:!?]")


def refuse_controls(what: str, value: str) -> str:
    """The value, when it can stand in a header. Raises Refused where it holds control or half characters."""
    if CONTROL.search(value):
        raise Refused(f"The {what} holds a line break or another control character.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(f"The {what} holds half a character.") from None
    return value


def body(text: str, quoted: str | None, has_html: bool, attachments: Sequence[OutboundFile], intro: str = "") -> bytes:
    """Everything from the Content-Type on."""
    main = _text_part("plain", plain_body(text, quoted, intro))
    if has_html:
        main = _multipart("alternative", [main, _text_part("html", html_body(text, quoted, intro))])
    if attachments:
        main = _multipart("mixed", [main, *(_attachment(one) for one in attachments)])
    return main


def plain_body(text: str, quoted: str | None, intro: str = "") -> str:
    """The answer, and below it the history, each line marked with >."""
    answer = _lines(text)
    if quoted is None:
        return "\n".join(answer) + "\n"
    marked = [f"> {line}" if line and not line.startswith(">") else f">{line}" for line in _lines(quoted)]
    return "\n".join([*answer, "", *([intro] if intro else []), *marked]) + "\n"


def html_body(text: str, quoted: str | None, intro: str = "") -> str:
    """The same as simple HTML: paragraphs, line breaks, links; every character of the writer escaped."""
    history = (
        f'{_as_html(intro)}\n<blockquote type="cite">{_as_html(quoted)}</blockquote>\n' if quoted is not None else ""
    )
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>\n<body>\n'
        f"{_as_html(text)}\n{history}</body></html>\n"
    )


def _as_html(text: str) -> str:
    blocks = re.split(r"\n{2,}", "\n".join(_lines(text)).strip("\n"))
    return "\n".join("<p>" + "<br>\n".join(_linked(line) for line in block.split("\n")) + "</p>" for block in blocks)


def _linked(line: str) -> str:
    """A line escaped, its web addresses made links; found before escaping, so no markup is ever searched."""
    parts: list[str] = []
    end = 0
    for match in _LINK.finditer(line):
        target = html.escape(match[0])
        parts.append(html.escape(line[end : match.start()]))
        parts.append(f'<a href="{target}">{target}</a>')
        end = match.end()
    return "".join([*parts, html.escape(line[end:])])


def _lines(text: str) -> list[str]:
    """Lines without line ends; other control characters except the tab are left out, half characters replaced."""
    clean = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return [re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", line) for line in clean.rstrip("\n").split("\n")]


def _text_part(subtype: str, text: str) -> bytes:
    content = text.encode("utf-8")
    is_plain = content.isascii() and all(len(line) <= 990 for line in content.split(b"\n"))
    if is_plain:
        encoding, body = "7bit", content.replace(b"\n", b"\r\n")
    else:
        encoded = binascii.b2a_qp(content, istext=True)
        encoding, body = "quoted-printable", encoded.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + body


def _multipart(subtype: str, parts: Sequence[bytes]) -> bytes:
    boundary = f"=-{secrets.token_hex(16)}"  # 128 random bits cannot occur in a part that was written before them
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode("ascii")
    opening, closing = f"--{boundary}\r\n".encode("ascii"), f"--{boundary}--\r\n".encode("ascii")
    ended = [part if part.endswith(b"\r\n") else part + b"\r\n" for part in parts]
    return head + b"".join(opening + part for part in ended) + closing


def _attachment(file: OutboundFile) -> bytes:
    if not _TYPE.fullmatch(file.content_type) or file.content_type.lower().startswith(("multipart/", "message/")):
        raise Refused(f"“{file.content_type[:60]}” is no type for an attachment.")
    name = refuse_controls("file name", file.name).strip() or "file"
    encoded = base64.encodebytes(file.content).replace(b"\n", b"\r\n")
    head = (
        f"Content-Type: {file.content_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;{_file_name(name)}\r\n\r\n"
    )
    return head.encode("ascii") + encoded


def _file_name(name: str) -> str:
    """The filename parameter; RFC 2231 with continuations where the name is not plain."""
    if name.isascii() and len(name) <= 60 and not re.search(r'["\\%\']', name):
        return f'\r\n filename="{name}"'
    encoded = "utf-8''" + quote(name, safe="")
    pieces: list[str] = []
    while encoded:
        cut = 55 if len(encoded) > 55 else len(encoded)
        while cut < len(encoded) and "%" in encoded[cut - 2 : cut]:
            cut -= 1
        pieces.append(encoded[:cut])
        encoded = encoded[cut:]
    if len(pieces) == 1:
        return f"\r\n filename*={pieces[0]}"
    return ";".join(f"\r\n filename*{number}*={piece}" for number, piece in enumerate(pieces))
