"""Mail as a shop gets it, made from a seed: the same bytes on every machine.

Median 3.9 KB, mean 11.5 KB, 45 % with HTML, 5 % with 100 KB attached; encoded words in names and subjects, a DKIM
signature, three to six Received fields, and threads in which customers answer answers that we do not have.
"""

from __future__ import annotations

import base64
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from pathlib import Path
from quopri import encodestring

_LEADS = ("b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr", "pr", "kl", "sh")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou", "ie")
_TAILS = ("", "", "n", "r", "s", "t", "l", "m", "ng", "rt", "st", "nd")
_COMMON_TEXT = """the and to of a in is it you that for on with as are this be have not we order parcel invoice refund
please thanks hello regards yang dan di untuk dengan saya pesanan barang kirim tolong terima kasih belum sudah și de la
nu este pentru comanda factura colet mulțumesc bună ziua aștept răspuns când livrare"""
_COMMON = _COMMON_TEXT.split()
_FIRST = (
    "Ana",
    "Budi",
    "Siti",
    "Ștefan",
    "Ioana",
    "Mihai",
    "Rizky",
    "Dewi",
    "Agus",
    "Lucía",
    "Jürgen",
    "Håkon",
    "Ayşe",
)
_LAST = (
    "Popescu",
    "Santoso",
    "Wijaya",
    "Ionescu",
    "Müller",
    "García",
    "Țurcanu",
    "Brown",
    "Öztürk",
    "Lefèvre",
    "Smith",
)
_AGENTS = ("Mozilla Thunderbird", "iPhone Mail (20F66)", "Apple Mail (2.3731.500.231)", "Outlook 16.0")


@dataclass(frozen=True, slots=True)
class Mail:
    content: bytes
    received_at: datetime


@dataclass(slots=True)
class _Thread:
    subject: str
    customer: int
    ids: list[str]


class Corpus:
    """`mails(count)` gives the first `count` mails, oldest first; a smaller corpus is the beginning of a larger one."""

    def __init__(self, until: datetime | None = None, seed: int = 20418, spacing: timedelta | None = None) -> None:
        self._random = random.Random(seed)
        self._until = (until or datetime.now(UTC)).replace(microsecond=0)
        self._spacing = spacing
        self._words = self._vocabulary()
        self._open: list[_Thread] = []
        self._serial = 0

    def mails(self, count: int) -> Iterator[Mail]:
        spacing = self._spacing or min(timedelta(seconds=60), timedelta(days=9) / max(count, 1))
        start = self._until - spacing * count
        for number in range(count):
            received_at = (start + spacing * number).replace(microsecond=0)
            yield Mail(self._mail(received_at), received_at)

    def _vocabulary(self) -> list[str]:
        pick = self._random.choice
        made = {pick(_LEADS) + pick(_VOWELS) + pick(_TAILS) + pick(_LEADS) + pick(_VOWELS) for _ in range(9000)}
        rare = sorted(made)
        self._random.shuffle(rare)
        return [*_COMMON * 40, *rare[:1500] * 4, *rare]

    def _text(self, size: int) -> str:
        """Paragraphs of about `size` characters."""
        words = self._random.choices(self._words, k=max(8, size // 6))
        lines = [" ".join(words[at : at + 11]) for at in range(0, len(words), 11)]
        for at in range(6, len(lines), 7):
            lines[at] += ".\n"
        return "\n".join(lines)

    # --- one mail

    def _mail(self, at: datetime) -> bytes:
        draw, self._serial = self._random, self._serial + 1
        thread = self._next_thread()
        own = f"{draw.getrandbits(64):x}.{self._serial}@mail{thread.customer % 40}.example"
        is_html, is_heavy = draw.random() < 0.45, draw.random() < 0.05
        head = self._head(thread, own, at)
        thread.ids += [own, f"{draw.getrandbits(64):x}@answers.help.example"]
        # Lognormal: many short mails, a few long ones.
        size = int(min(60_000, draw.lognormvariate(5.75 if is_html else 6.5, 0.9)))
        text = self._text(size)
        if len(thread.ids) > 2:
            text += "\n\nOn Monday somebody wrote:\n> " + self._text(min(size, 700)).replace("\n", "\n> ")
        body_type, body = self._alternatives(text) if is_html else _plain(text)
        if is_heavy:
            body_type, body = self._with_attachment(body_type, body)
        return (head + "MIME-Version: 1.0\n" + body_type + "\n" + body).replace("\n", "\r\n").encode()

    def _next_thread(self) -> _Thread:
        draw = self._random
        if self._open and draw.random() < 0.45:
            thread = draw.choice(self._open[-400:])
            if len(thread.ids) < 40:
                return thread
        subject = " ".join(draw.choices(self._words, k=draw.randint(2, 7))).capitalize()
        thread = _Thread(subject, draw.randrange(max(200, self._serial // 3 + 200)), [])
        self._open.append(thread)
        return thread

    def _head(self, thread: _Thread, own: str, at: datetime) -> str:
        draw, number = self._random, thread.customer
        name = f"{_FIRST[number % len(_FIRST)]} {_LAST[number // len(_FIRST) % len(_LAST)]}"
        address = f"customer{number}@mail{number % 40}.example"
        date = format_datetime(at - timedelta(seconds=draw.randint(1, 40)))
        lines = [f"Return-Path: <{address}>"]
        lines += [self._received(hop, at) for hop in range(draw.randint(3, 6))]
        lines.append(self._signature(address))
        lines.append(f"Received-SPF: pass (example: domain designates 192.0.2.{number % 250} as permitted sender)")
        lines += [f"Date: {date}", f"From: {_encoded(name)} <{address}>"]
        lines.append(
            "To: Help <help@example.org>" if draw.random() < 0.9 else "To: help@example.org, office@example.org"
        )
        if draw.random() < 0.15:
            lines.append(f"Cc: {_encoded(name)} 2 <second{number}@mail{number % 40}.example>")
        subject = f"Re: {thread.subject}" if thread.ids else thread.subject
        lines += [f"Subject: {_encoded(subject)}", f"Message-ID: <{own}>"]
        if thread.ids:
            known = [f"<{one}>" for one in thread.ids[-10:]]
            lines += [f"In-Reply-To: {known[-1]}", "References: " + "\n ".join(known)]
        lines.append(f"X-Mailer: {draw.choice(_AGENTS)}")
        lines.append(f"X-Originating-IP: [192.0.2.{draw.randrange(250)}]")
        return "\n".join(lines) + "\n"

    def _received(self, hop: int, at: datetime) -> str:
        token = f"{self._random.getrandbits(48):012X}"
        return (
            f"Received: from hop{hop}.example (hop{hop}.example [192.0.2.{hop + 10}])\n"
            f"\tby mx{hop}.example.org (Postfix) with ESMTPS id {token}\n"
            f"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n"
            f"\tfor <help@example.org>; {format_datetime(at)}"
        )

    def _signature(self, address: str) -> str:
        signature = base64.b64encode(self._random.randbytes(256)).decode()
        folded = "\n\t ".join(signature[at : at + 68] for at in range(0, len(signature), 68))
        digest = base64.b64encode(self._random.randbytes(32)).decode()
        return (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={address.partition('@')[2]}; s=s1;\n"
            f"\th=from:to:subject:date:message-id:mime-version:content-type;\n\tbh={digest};\n\tb={folded}"
        )

    # --- bodies

    def _alternatives(self, text: str) -> tuple[str, str]:
        mark = f"=_alt_{self._random.getrandbits(64):x}"
        style = "font-family:Helvetica,Arial,sans-serif;font-size:14px"
        paragraphs = "\n".join(
            f'<p style="{style};line-height:20px">{part.replace(">", "&gt;")}</p>' for part in text.split("\n\n")
        )
        page = (
            f"<html><head><style>p {{ margin: 0 0 1em }} .foot {{ {style} }}</style></head><body>\n{paragraphs}\n"
            f'<table width="100%"><tr><td class="foot"><a href="https://shop.example/o/{self._serial}">Order</a>'
            "</td></tr></table></body></html>"
        )
        plain_type, plain = _plain(text)
        body = (
            f"--{mark}\n{plain_type}\n{plain}\n--{mark}\n"
            "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
            f"{encodestring(page.encode()).decode()}\n--{mark}--\n"
        )
        return f'Content-Type: multipart/alternative; boundary="{mark}"\n', body

    def _with_attachment(self, body_type: str, body: str) -> tuple[str, str]:
        mark = f"=_mix_{self._random.getrandbits(64):x}"
        data = base64.encodebytes(self._random.randbytes(100 * 1024)).decode()
        whole = (
            f"--{mark}\n{body_type}\n{body}\n--{mark}\n"
            f'Content-Type: application/pdf; name="order-{self._serial}.pdf"\nContent-Transfer-Encoding: base64\n'
            f'Content-Disposition: attachment; filename="order-{self._serial}.pdf"\n\n{data}\n--{mark}--\n'
        )
        return f'Content-Type: multipart/mixed; boundary="{mark}"\n', whole


def _plain(text: str) -> tuple[str, str]:
    if text.isascii():
        return "Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n", text
    encoded = encodestring(text.encode()).decode()
    return "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n", encoded


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=70).encode()


def write_maildir(folder: Path, mails: Iterator[Mail], owner: tuple[int, int] | None = None, first: int = 0) -> int:
    """Files as Dovecot's own delivery names them, sizes included; returns how many. Folders must exist."""
    count = 0
    for number, mail in enumerate(mails, start=first):
        size, seconds = len(mail.content), int(mail.received_at.timestamp())
        path = folder / "cur" / f"{seconds}.M{number:08d}P1.localhost,S={size},W={size}:2,"
        path.write_bytes(mail.content)
        os.utime(path, (seconds, seconds))
        if owner:
            os.chown(path, *owner)
        count += 1
    return count
