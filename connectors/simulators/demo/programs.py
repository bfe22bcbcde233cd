"""Makes bytes of a letter the way different mail programs do: their headers, their MIME trees, their encodings."""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import format_datetime

from connectors.simulators.demo.letters import Letter, html_text, plain_text
from connectors.simulators.demo.wire import (
    Boundaries,
    Part,
    encode_words,
    file_part,
    header_block,
    mailbox,
    multipart,
    text_part,
)

LATIN = {"en": "windows-1252", "id": "windows-1252", "ro": "iso-8859-2"}


@dataclass(frozen=True, slots=True)
class Program:
    """How a mail program writes. `shape` is both, html or plain; `head` and `tail` stand around its HTML."""

    shape: str
    boundary: str
    head: str = "<div>"
    tail: str = "</div>"
    width: int = 0
    encoding: str = ""
    html_encoding: str = ""
    is_latin: bool = False  # writes in the old charset of its region instead of UTF-8
    plain_extra: str = ""
    headers: tuple[tuple[str, str], ...] = ()


PROGRAMS = {
    "gmail": Program("both", "0000000000000{hex10}#", '<div dir="ltr">', "</div>", width=76),
    "android": Program("both", "0000000000000{hex10}#", '<div dir="auto">', "</div>", width=76, encoding="base64"),
    "outlook": Program(
        "both",
        "_#_{HEX16}{HEX8}_",
        '<html xmlns:o="urn:schemas-microsoft-com:office:office">\r\n<head>\r\n<meta http-equiv="Content-Type" '
        'content="text/html; charset={charset}">\r\n<style><!--\r\np.MsoNormal {margin:0cm; font-size:11.0pt; '
        'font-family:"Aptos",sans-serif;}\r\n--></style>\r\n</head>\r\n<body lang="{lang}" link="#467886">\r\n'
        '<div class="WordSection1">\r\n',
        "</div>\r\n</body>\r\n</html>\r\n",
        encoding="quoted-printable",
        html_encoding="quoted-printable",
        is_latin=True,
        headers=(("X-Mailer", "Microsoft Outlook 16.0"), ("Thread-Index", "{thread}"), ("Content-Language", "{lang}")),
    ),
    "webmail": Program(
        "html",
        "=_{hex10}#",
        '<html><body style="font-size: 10pt; font-family: Verdana,Geneva,sans-serif">\r\n',
        "</body></html>\r\n",
        html_encoding="quoted-printable",
        headers=(("User-Agent", "Roundcube Webmail/1.6.9"),),
    ),
    "apple": Program(
        "both",
        "Apple-Mail=_{UUID}#",
        '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body style="'
        'overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">',
        "</body></html>",
        encoding="quoted-printable",
        html_encoding="quoted-printable",
        headers=(("X-Mailer", "Apple Mail (2.3826.200.121)"),),
    ),
    "iphone": Program(
        "both",
        "Apple-Mail-{UUID}#",
        '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body dir="auto">',
        "</body></html>",
        encoding="quoted-printable",
        html_encoding="quoted-printable",
        headers=(("X-Mailer", "iPhone Mail (22B91)"),),
    ),
    "yahoo": Program(
        "both",
        "----=_Part_#_{num}.{num}",
        '<html><head></head><body><div class="ydpyahoo-style-wrap" style="font-family:Helvetica Neue, Helvetica, '
        'Arial, sans-serif;font-size:13px;"><div dir="ltr" data-setdir="false">',
        "</div></div></body></html>",
        encoding="quoted-printable",
        html_encoding="quoted-printable",
        headers=(("X-Mailer", "WebService/1.1.22876 YMailNovation"),),
    ),
    "samsung": Program(
        "both",
        "--_com.samsung.android.email_#{num}",
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"></head><body dir="auto">',
        "</body></html>",
        encoding="base64",
        html_encoding="base64",
    ),
    "thunderbird": Program(
        "plain",
        "------------{hex10}#",
        width=72,
        encoding="8bit",
        plain_extra="; format=flowed",
        headers=(("User-Agent", "Mozilla Thunderbird"), ("Content-Language", "{lang}")),
    ),
    "office": Program("plain", "=-{hex10}#", encoding="quoted-printable"),
}
FOOTERS = {"iphone": "iphone", "samsung": "samsung"}

IdShape = Callable[[random.Random, str], str]


def _gmail_id(chance: random.Random, domain: str) -> str:
    token = base64.urlsafe_b64encode(chance.randbytes(37)).decode().rstrip("=")
    return f"CA{token}@mail.{domain}"


def _outlook_id(chance: random.Random, domain: str) -> str:
    return f"AS8PR{chance.randrange(10, 99)}MB{chance.randbytes(14).hex().upper()}@mx{chance.randrange(9)}.{domain}"


def _yahoo_id(chance: random.Random, domain: str) -> str:
    return f"{chance.randrange(10**9)}.{chance.randrange(10**7)}.{chance.randrange(10**12)}@mail.{domain}"


def _uuid_id(chance: random.Random, domain: str) -> str:
    return f"{uuid.UUID(bytes=chance.randbytes(16), version=4)}@{domain}"


ID_SHAPES: dict[str, IdShape] = {
    "gmail": _gmail_id,
    "android": _gmail_id,
    "outlook": _outlook_id,
    "yahoo": _yahoo_id,
}


def message_id(client: str, address: str, chance: random.Random) -> str:
    """A Message-ID without brackets in the shape of that program."""
    made = ID_SHAPES.get(client, _uuid_id)(chance, address.rpartition("@")[2])
    return made.upper().rpartition("@")[0] + "@" + made.rpartition("@")[2] if client in {"apple", "iphone"} else made


def _marked(pattern: str, letter: Letter, charset: str, chance: random.Random) -> str:
    lang = {"en": "en-GB", "id": "id-ID", "ro": "ro-RO"}[letter.author.language]
    values = {
        "{hex10}": chance.randbytes(5).hex(),
        "{HEX16}": chance.randbytes(8).hex().upper(),
        "{HEX8}": chance.randbytes(4).hex().upper(),
        "{UUID}": str(uuid.UUID(bytes=chance.randbytes(16), version=4)).upper(),
        "{num}": str(chance.randrange(10**6, 10**7)),
        "{thread}": base64.b64encode(chance.randbytes(22)).decode(),
        "{lang}": lang,
        "{charset}": charset,
    }
    for mark, value in values.items():
        pattern = pattern.replace(mark, value)
    return pattern


def _body(letter: Letter, program: Program, charset: str, chance: random.Random, boundaries: Boundaries) -> Part:
    plain = text_part(plain_text(letter, program.width) + "\n", "plain", charset, program.encoding, program.plain_extra)
    if program.shape == "plain":
        return plain
    head = _marked(program.head, letter, charset, chance)
    html = text_part(head + html_text(letter) + program.tail, "html", charset, program.html_encoding)
    if letter.inline:
        parts = [html, *(file_part(file, charset) for file in letter.inline)]
        html = multipart("related", parts, boundaries, '; type="text/html"')
    return html if program.shape == "html" else multipart("alternative", [plain, html], boundaries)


def _fitting_charset(letter: Letter, program: Program) -> str:
    if not program.is_latin:
        return "utf-8"
    charset = LATIN[letter.author.language]
    try:
        (plain_text(letter) + html_text(letter) + letter.subject + letter.author.name).encode(charset)
    except UnicodeEncodeError:
        return "utf-8"
    return charset


def compose(letter: Letter, chance: random.Random) -> bytes:
    """The mail as its writer's program hands it to a server: CRLF line ends, no trace headers."""
    program = PROGRAMS[letter.author.client]
    charset = _fitting_charset(letter, program)
    boundaries = Boundaries(_marked(program.boundary, letter, charset, chance))
    body = _body(letter, program, charset, chance, boundaries)
    files = [*letter.attachments, *(letter.inline if program.shape == "plain" else ())]
    if files:
        body = multipart("mixed", [body, *(file_part(file, charset) for file in files)], boundaries)
    headers = [*_headers(letter, charset), *_own(program, letter, charset, chance), ("MIME-Version", "1.0")]
    return header_block([*headers, *body.headers]) + b"\r\n" + body.body


def _own(program: Program, letter: Letter, charset: str, chance: random.Random) -> Sequence[tuple[str, str]]:
    return [(name, _marked(value, letter, charset, chance)) for name, value in program.headers]


def _headers(letter: Letter, charset: str) -> list[tuple[str, str]]:
    author = letter.author
    headers = [
        ("From", mailbox(author.name, author.address, charset, author.client == "outlook")),
        ("To", mailbox(*letter.to, charset)),
        ("Subject", encode_words(letter.subject, charset)),
        ("Date", format_datetime(letter.written_at)),
        ("Message-ID", f"<{letter.message_id}>"),
    ]
    if letter.references:
        headers.append(("In-Reply-To", f"<{letter.references[-1]}>"))
        headers.append(("References", " ".join(f"<{one}>" for one in letter.references)))
    return [*headers, *letter.extra]


def with_trace(content: bytes, sender: str, recipient: str, received: str, chance: random.Random) -> bytes:
    """The mail as it lies in the mailbox: the lines that the receiving server puts on top. `received` is a date."""
    domain = sender.rpartition("@")[2] or "mail.example"
    own = "mail." + recipient.rpartition("@")[2]
    block = f"192.0.2.{chance.randrange(1, 255)}"
    headers = [
        ("Return-Path", f"<{sender}>"),
        ("Delivered-To", recipient),
        (
            "Received",
            f"from out.{domain} (out.{domain} [{block}]) by {own} (Postfix) with ESMTPS "
            f"id {chance.randbytes(5).hex().upper()} for <{recipient}>; {received}",
        ),
        (
            "Authentication-Results",
            f"{own}; spf=pass smtp.mailfrom={domain}; dkim=pass header.d={domain}; dmarc=pass header.from={domain}",
        ),
    ]
    return header_block(headers) + content
