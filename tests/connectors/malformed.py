"""Malformed mail by number: 2,000 seeds of a grammar, each damaged in its bytes. The same number, the same mail.

python -m tests.connectors.malformed FIRST COUNT      reads those, prints figures, exits 1 when something is wrong
"""

from __future__ import annotations

import base64
import json
import quopri
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from connectors.mail.parse import parse_mail
from connectors.messages import Flag, ParsedMessage, RawItem, Scope
from connectors.offload import Parsers
from connectors.registry import AccountSettings
from tests.connectors import outlook

SEEDS = 2_000
RECEIVED = datetime(2026, 11, 24, tzinfo=UTC)
SECONDS = 1.0  # that 99 of 100 may take at most

_SENTENCE = "hello parcel délai mulțumesc ありがとう 你好 привет 안녕 😀 = ? -- > From <b> &amp; a@b.example"
_LABELS = (
    "utf-8 us-ascii iso-8859-1 windows-1252 gb2312 gb18030 big5 shift_jis iso-2022-jp euc-kr koi8-r utf-7 utf-16"
    " iso-2022-kr hz x-unknown cp1251 big5-hkscs iso-2022-cn"
)
_FIELDS = (
    "From To Cc Bcc Subject Date Message-ID References In-Reply-To Reply-To Sender List-Id List-Unsubscribe Precedence"
    " Auto-Submitted Return-Path Received Authentication-Results X-Failed-Recipients Content-Language MIME-Version"
)
_WORDS, _CHARSETS, _NAMES = _SENTENCE.split(), _LABELS.split(), _FIELDS.split()
_ENCODINGS = ("7bit", "8bit", "base64", "quoted-printable", "x-uuencode", "binary", "BASE64", "rot13", "")
_VALUES = (
    "a@b.c", "<a@b.c>", "Name <a@b.c>", '"Doe, John" <a@b.c>', "a@b.c, d@e.f", "undisclosed-recipients:;",
    "=?utf-8?B?4pyT?=", "=?x?q?=ff?= =?utf-8?q?=C3?= =?utf-8?q?=A9?=", "<[x]>", "<a@b> <c@d>",
    "Wed, 05 Jun 2024 10:11:00 +0700", "yesterday", "auto-replied", "bulk", "<>", "mx.toko.example; dmarc=pass",
    "(((", '"', "x" * 300, "\x00", "é", "",
)  # fmt: skip
_TYPES = (
    "text/plain", "text/html", "text/plain; format=flowed", "text/plain; format=flowed; delsp=yes",
    "text/calendar; method=REQUEST", "text/enriched", "message/rfc822", "message/delivery-status",
    "message/feedback-report", "application/pdf", "application/ms-tnef; name=winmail.dat", "application/pkcs7-mime",
    "application/pgp-encrypted", "image/png", "application/pgp-signature", "text", "",
    "x/y; name*0*=utf-8''%ff; name*1=z",
)  # fmt: skip
_MULTIPARTS = (
    "mixed",
    "alternative",
    "related",
    "report; report-type=delivery-status",
    "signed",
    "digest",
    "encrypted",
)
_DISPOSITIONS = (
    "", "inline", "attachment; filename=a.pdf", "attachment; filename*=utf-8''%e4%bd%a0",
    'attachment; filename="=?utf-8?q?=C3=A9?="',
)  # fmt: skip
_CALENDAR = (
    "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nSUMMARY:Visit\n"
    "DTSTART;TZID=Europe/Berlin:20260701T100000\nRRULE:FREQ=DAILY\nEND:VEVENT\nEND:VCALENDAR\n"
)
_STATUS = "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.c\nAction: failed\nStatus: 5.1.1\n"
_ARMOUR = (
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1\n\nwords\n"
    "-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n"
)
_QUOTED = "Yes.\n\nOn 5 Jun 2024, a@b.c wrote:\n> old \n> words\n-- \nSari\n"
_WINMAIL = outlook.winmail(
    outlook.letter(outlook.text(0x1000, "hi"), outlook.text(0x37, "s")), outlook.file("a.txt", b"a")
)
_PIECES = (
    b"\r", b"\n", b"\x00", b"=", b"?", b'"', b"<", b"(", b";", b"\xff", b"--", b"\r\n\r\n", b"=?", b"?=", b": ",
    b"charset=", b"boundary=", b"\x1b$B", b"+AOk-", b"\n ", b"BEGIN:VEVENT\n", b"\nFrom: x@y.example\n",
    b"Content-Type: ", b"\xed\xa0\x80",
)  # fmt: skip


def case(number: int) -> bytes:
    """The mail of that number: its seed is the number modulo SEEDS."""
    content = seed(number % SEEDS)
    dice = random.Random(number)
    return content if number < SEEDS and number % 10 == 0 else damaged(content, dice)


@lru_cache(maxsize=SEEDS)
def seed(number: int) -> bytes:
    dice = random.Random(f"seed {number}")
    end = dice.choice((b"\r\n", b"\r\n", b"\n", b"\r"))
    names = dice.sample(_NAMES, dice.randint(2, 12)) + dice.choices(_NAMES, k=dice.choice((0, 0, 1, 3)))
    head = "".join(f"{name}{dice.choice((': ', ':', ' : '))}{dice.choice(_VALUES)}\n" for name in names)
    kind, body = _entity(dice, 0)
    content = (head + kind).encode("utf_8", "replace") + b"\n" + body
    return content.replace(b"\n", end)


def _entity(dice: random.Random, depth: int) -> tuple[str, bytes]:
    """Header lines and body of a part."""
    if depth < 4 and dice.random() < (0.6, 0.3, 0.15, 0.05)[depth]:
        boundary = f"b{depth}" if dice.random() < 0.8 else "b"
        parts = []
        for _ in range(dice.randint(0, 4)):
            kind, body = _entity(dice, depth + 1)
            parts.append(f"--{boundary}\n{kind}\n".encode() + body)
        tail = f"\n--{boundary}--\n" if dice.random() < 0.8 else ""
        named = f'; boundary="{boundary}"' if dice.random() < 0.9 else ""
        return f"Content-Type: multipart/{dice.choice(_MULTIPARTS)}{named}\n", b"\n".join(parts) + tail.encode()
    kind, encoding, disposition = dice.choice(_TYPES), dice.choice(_ENCODINGS), dice.choice(_DISPOSITIONS)
    charset = dice.choice(_CHARSETS)
    label = f"; charset={charset}" if kind.startswith("text") and dice.random() < 0.8 else ""
    lines = f"Content-Type: {kind}{label}\nContent-Transfer-Encoding: {encoding}\n"
    lines += f"Content-Disposition: {disposition}\n" if disposition else ""
    return lines, _encoded(_content(dice, kind, charset), encoding)


def _content(dice: random.Random, kind: str, charset: str) -> bytes:
    if kind.startswith("application/ms-tnef"):
        return _WINMAIL
    words = " ".join(dice.choices(_WORDS, k=dice.randint(0, 40)))
    fixed = {
        "text/calendar; method=REQUEST": _CALENDAR,
        "message/delivery-status": _STATUS,
        "message/feedback-report": _STATUS,
        "message/rfc822": f"Subject: inner\nMessage-ID: <in@x>\n\n{words}\n",
        "text/html": f"<div><p>{words}<blockquote>old",
    }
    text = fixed.get(kind) or dice.choice((words, _QUOTED, f"{words}\n{_ARMOUR}", f"{words}\n{_CALENDAR}"))
    try:
        return text.encode(charset, "replace")
    except LookupError:
        return text.encode()


def _encoded(data: bytes, encoding: str) -> bytes:
    if encoding.lower() == "base64":
        return base64.encodebytes(data)
    return quopri.encodestring(data) if encoding == "quoted-printable" else data


def damaged(content: bytes, dice: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(dice.randint(1, 10)):
        place, change = dice.randrange(len(data) + 1), dice.randrange(7)
        if change == 0:
            data[place : place + dice.randint(1, 40)] = b""
        elif change == 1:
            data[place:place] = dice.randbytes(dice.randint(1, 8))
        elif change == 2:
            other = dice.randrange(len(data) + 1)
            data[place:place] = data[other : other + dice.randint(1, 200)]
        elif change == 3:
            data[place : place + 1] = dice.choice(_PIECES)
        elif change == 4 and dice.random() < 0.3:
            data = data[:place]
        elif change == 5 and place < len(data):
            data[place] ^= 1 << dice.randrange(8)
        else:
            data[place : place + 4] = dice.choice(_PIECES) * dice.choice((1, 1, 3, 50))
        if not data:
            break
    return bytes(data)


def fault(message: ParsedMessage) -> str:
    """What does not hold of a message, "" when everything does."""
    lines = (message.subject, message.author.name, message.author.address, message.message_id, message.in_reply_to)
    if "".join(passage.text for passage in message.passages) != message.text:
        return "the passages are not the text"
    if any(character.isalnum() for character in message.text) and not message.visible_text:
        return "a text without anything to see"
    if any(character < " " for line in lines for character in line):
        return "a control character in a line"
    if "\x00" in message.text or "\r" in message.text:
        return "a control character in the text"
    if len(message.subject) > 1000 or len(message.attachments) > 300:
        return "more than its cap"
    try:
        "".join((*lines, message.text, *(file.name for file in message.attachments))).encode()
    except UnicodeEncodeError:
        return "a text that is none"
    return ""


def lost(numbers: range) -> Iterator[tuple[int, str]]:
    """(number, why) of those whose reader did not come back with a message, in confined children as they would be."""
    account = AccountSettings("email", "us@toko.example", {}, Path("/nonexistent"))
    parsers = Parsers(1)
    try:
        contents = [case(number) for number in numbers]
        jobs = [(account, RawItem(Scope("INBOX"), "1", RECEIVED, len(one), one)) for one in contents]
        for number, result in zip(numbers, parsers.parse(jobs), strict=True):
            why = fault(result) if isinstance(result, ParsedMessage) else str(result)
            if why:
                yield number, why
    finally:
        parsers.close()


def main() -> int:
    first, count = map(int, sys.argv[1:])
    seconds, unreadable = [], 0
    wrong = list(lost(range(first, first + count)))
    for number in range(first, first + count):
        content = case(number)
        started = time.perf_counter()
        message = parse_mail(content, fallback_date=RECEIVED)
        seconds.append(time.perf_counter() - started)
        unreadable += Flag.UNREADABLE in message.flags
        if why := fault(message):
            wrong.append((number, why))
    seconds.sort()
    p99 = seconds[int(len(seconds) * 0.99)]
    print(json.dumps({"cases": count, "unreadable": unreadable, "p99": round(p99, 4), "worst": round(seconds[-1], 4)}))
    for number, why in wrong[:20]:
        print(f"case {number}: {why}")
    return 1 if wrong or p99 > SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
