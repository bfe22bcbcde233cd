"""The mail of a case, from its seed: short talks, repeated Message-IDs, redelivered copies, broken mail, one large."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

OURS = "help@tasbora.example"


@dataclass(frozen=True)
class Letter:
    content: bytes
    received_at: datetime
    same_as: int | None = None  # index of the letter that this is a redelivered copy of


def make_letters(seed: int, *, huge: bool = False) -> list[Letter]:
    rnd = random.Random(seed)
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=3)
    letters: list[Letter] = []
    for number in range(rnd.randint(5, 9)):
        at = start + timedelta(hours=4 * number, minutes=rnd.randint(0, 200))
        letters.append(Letter(_talk(rnd, seed, number, at), at))
    first = letters[0]
    letters.append(Letter(b"Received: from elsewhere by here; again\r\n" + first.content, first.received_at, 0))
    reused = letters[1].content.replace(b"marker", b"other")
    letters.append(Letter(reused, letters[1].received_at + timedelta(minutes=3)))
    old = start - timedelta(days=90)
    letters.append(Letter(_talk(rnd, seed, 90, old), old))
    late = start + timedelta(days=2)
    letters += [Letter(one, late + timedelta(minutes=number)) for number, one in enumerate(_odd(rnd, seed))]
    letters.append(Letter(_large(seed, late, 300_000), late + timedelta(hours=1)))
    if huge:
        letters.append(Letter(_large(seed + 1, late, 9_000_000), late + timedelta(hours=2)))
    return letters


def _talk(rnd: random.Random, seed: int, number: int, at: datetime) -> bytes:
    """Every third one answers the one before it."""
    person = number // 3 if number < 90 else number
    mail = EmailMessage()
    mail["From"] = f"Customer {person} <c{person}@example.org>"
    mail["To"] = OURS
    mail["Subject"] = f"Order {person}"
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<s{seed}-{number}@example.org>"
    if number % 3 and number < 90:
        mail["In-Reply-To"] = f"<s{seed}-{number - 1}@example.org>"
        mail["References"] = f"<s{seed}-{number - 1}@example.org>"
    mail.set_content(f"marker{seed}x{number}\n\nWhere is it? {rnd.random()}\n")
    if rnd.random() < 0.4:
        mail.add_alternative(f"<p>marker{seed}x{number}</p><p>Where is <b>it</b>?</p>", subtype="html")
    if rnd.random() < 0.3:
        mail.add_attachment(rnd.randbytes(2000), maintype="image", subtype="png", filename="photo.png")
    return mail.as_bytes().replace(b"\n", b"\r\n")


def _odd(rnd: random.Random, seed: int) -> list[bytes]:
    """Without headers, without a body, with an unknown charset, a list's, and bytes that are no mail at all."""
    return [
        b"Subject: no sender, no date, no id\r\n\r\nmarker-odd\r\n",
        f"From: nobody@example.org\r\nMessage-ID: <e{seed}@example.org>\r\n\r\n".encode(),
        b"From: c0@example.org\r\nContent-Type: text/plain; charset=klingon-7\r\n\r\nmarker odd charset \xe9\xff\r\n",
        b"From: news@example.net\r\nList-Id: <news.example.net>\r\nMessage-ID: <list@example.net>\r\n\r\nNews\r\n",
        rnd.randbytes(400),
    ]


def _large(seed: int, at: datetime, size: int) -> bytes:
    head = f"From: big{size}@example.org\r\nTo: {OURS}\r\nSubject: Large\r\nDate: {format_datetime(at)}\r\n"
    line = b"%060d\r\n"
    body = b"".join(line % number for number in range(seed, seed + size // 62))
    return head.encode() + f"Message-ID: <big{seed}-{size}@example.org>\r\n\r\n".encode() + body
