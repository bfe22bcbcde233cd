"""Builds a reply as exact bytes: a header nobody can inject into, a plain part, an HTML part, CRLF, plain ASCII.

The output needs neither 8BITMIME nor SMTPUTF8 for its content: words outside ASCII are encoded (RFC 2047, RFC 2231),
bodies are quoted-printable or base64, and no line is longer than 998 octets (RFC 5322 §2.1.1).
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

import idna

from connectors.base import Refused
from connectors.messages import Address

MAX_REFERENCES = 40
_MAX_REFERENCES_OCTETS = 4000
_FOLD_AT = 76
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~. -]*")
_ID = re.compile(r"[!-;=?-~]{1,500}")  # printable ASCII without < and >
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_LINK = re.compile(r"https?://[^\s<>\"'()]{1,2000}[^\s<>\"'().,;:!?]")


@dataclass(frozen=True, slots=True)
class OutgoingAttachment:
    """A file as it goes out: its shown name, its media type, its bytes."""

    name: str
    content_type: str
    content: bytes


def new_message_id(domain: str) -> str:
    """A Message-ID without brackets that nobody can guess: 256 random bits at the sender's own domain."""
    return f"{secrets.token_hex(32)}@{_ascii_domain(domain)}"


def compose_reply(
    *,
    message_id: str,
    sender: Address,
    to: Sequence[Address],
    cc: Sequence[Address] = (),
    subject: str,
    text: str,
    quoted: str | None = None,
    html: bool = True,
    in_reply_to: str = "",
    references: Sequence[str] = (),
    date: datetime,
    attachments: Sequence[OutgoingAttachment] = (),
    language: str = "",
) -> bytes:
    """The whole message, ready to be frozen. `quoted` is the history below the answer, or None to leave it out.

    Raises Refused where a header value holds control characters or is no address, id or type.
    """
    fields = [
        ("From", _addresses([sender])),
        ("To", _addresses(to)),
        ("Cc", _addresses(cc)),
        ("Subject", _unstructured("Subject", subject)),
        ("Date", [format_datetime(date)]),
        ("Message-ID", [_bracketed(message_id)]),
        ("In-Reply-To", [_bracketed(in_reply_to)] if in_reply_to else []),
        ("References", [_bracketed(one) for one in trim_references(references, in_reply_to)]),
        ("Content-Language", [_checked_language(language)] if language else []),
        ("MIME-Version", ["1.0"]),
    ]
    header = "".join(_folded(name, words) for name, words in fields if words)
    return header.encode("ascii") + _body(text, quoted, html, attachments)


def trim_references(references: Sequence[str], in_reply_to: str = "") -> list[str]:
    """The chain with its end and its root kept: at most MAX_REFERENCES ids and about 4,000 octets, each id once."""
    chain = list(dict.fromkeys([*references, *([in_reply_to] if in_reply_to else [])]))
    chain = [one for one in chain if _ID.fullmatch(one)]
    if in_reply_to in chain and chain[-1] != in_reply_to:
        chain = [one for one in chain if one != in_reply_to] + [in_reply_to]
    if not chain:
        return []
    root, rest = chain[0], chain[1:]
    kept: list[str] = []
    octets = len(root) + 3
    for one in reversed(rest):
        octets += len(one) + 3
        if octets > _MAX_REFERENCES_OCTETS or len(kept) >= MAX_REFERENCES - 1:
            break
        kept.append(one)
    return [root, *reversed(kept)]


# --- Header ---------------------------------------------------------------------------------------------------------


def _refuse_controls(what: str, value: str) -> str:
    if _CONTROL.search(value):
        raise Refused(f"The {what} holds a line break or another control character.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(f"The {what} holds half a character.") from None
    return value


def _folded(name: str, words: list[str]) -> str:
    """`name: word word`, folded before a word that would pass 76 columns; words themselves are never cut."""
    lines = [f"{name}:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > _FOLD_AT and lines[-1].strip() and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"


def _unstructured(name: str, value: str) -> list[str]:
    """A free text as words. What is not plain ASCII, or could be taken for an encoded word, is encoded as a whole."""
    value = _refuse_controls(name, value)
    words = value.split(" ")
    is_plain = value.isascii() and "=?" not in value and all(words) and all(len(word) <= _FOLD_AT for word in words)
    return words if is_plain else _encoded_words(value)


def _encoded_words(value: str) -> list[str]:
    """RFC 2047 words of at most 75 characters that never cut a character in two."""
    words: list[str] = []
    piece = ""
    for sign in value:
        if len((piece + sign).encode("utf-8")) > 42:
            words.append(piece)
            piece = ""
        piece += sign
    words.append(piece)
    return [f"=?utf-8?B?{base64.b64encode(word.encode('utf-8')).decode('ascii')}?=" for word in words if word]


def _addresses(people: Sequence[Address]) -> list[str]:
    """An address list as words; the comma belongs to the word before it."""
    words: list[str] = []
    for person in people:
        mine = [*_display_name(person.name), f"<{_address(person.address)}>"]
        if words:
            words[-1] += ","
        words.extend(mine)
    return words


def _display_name(name: str) -> list[str]:
    name = _refuse_controls("name", name).strip()
    if not name:
        return []
    if not name.isascii() or "=?" in name or len(name) > 200:
        return _encoded_words(name)
    if _ATOMS.fullmatch(name) and "." not in name and "  " not in name:
        return name.split(" ")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{escaped}"']


def _address(address: str) -> str:
    local, at, domain = _refuse_controls("address", address).strip().rpartition("@")
    if not at or not local or not domain or len(address) > 320:
        raise Refused(f"“{address[:80]}” is no mail address.")
    if not local.isascii():
        raise Refused(f"“{address[:80]}” holds letters that mail servers do not take before the @.")
    if not _LOCAL.fullmatch(local):
        raise Refused(f"“{address[:80]}” is no mail address.")
    return f"{local}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", domain):
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise Refused(f"“{domain[:80]}” is no domain name.") from None


def _bracketed(message_id: str) -> str:
    if not _ID.fullmatch(message_id):
        raise Refused("A message id holds characters that it must not hold.")
    return f"<{message_id}>"


def _checked_language(language: str) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise Refused(f"“{language[:20]}” is no language tag.")
    return language


# --- Body -----------------------------------------------------------------------------------------------------------


def _body(text: str, quoted: str | None, has_html: bool, attachments: Sequence[OutgoingAttachment]) -> bytes:
    """Everything from the Content-Type on."""
    main = _text_part("plain", plain_body(text, quoted))
    if has_html:
        main = _multipart("alternative", [main, _text_part("html", html_body(text, quoted))])
    if attachments:
        main = _multipart("mixed", [main, *(_attachment(one) for one in attachments)])
    return main


def plain_body(text: str, quoted: str | None) -> str:
    """The answer, and below it the history, each line marked with >."""
    answer = _lines(text)
    if quoted is None:
        return "\n".join(answer) + "\n"
    marked = [f"> {line}" if line and not line.startswith(">") else f">{line}" for line in _lines(quoted)]
    return "\n".join([*answer, "", *marked]) + "\n"


def html_body(text: str, quoted: str | None) -> str:
    """The same as simple HTML: paragraphs, line breaks, links; every character of the writer escaped."""
    history = f'<blockquote type="cite">{_as_html(quoted)}</blockquote>\n' if quoted is not None else ""
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


def _attachment(file: OutgoingAttachment) -> bytes:
    if not _TYPE.fullmatch(file.content_type) or file.content_type.lower().startswith(("multipart/", "message/")):
        raise Refused(f"“{file.content_type[:60]}” is no type for an attachment.")
    name = _refuse_controls("file name", file.name).strip() or "file"
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
