"""Mail that programs write: bounces (RFC 3464), auto-replies (RFC 3834), list mail (RFC 2919), newsletters, notices."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape

from connectors.simulators.demo.content import DOMAIN, Person, phrases, read
from connectors.simulators.demo.hours import read_zone
from connectors.simulators.demo.letters import Letter
from connectors.simulators.demo.programs import compose, message_id, with_trace
from connectors.simulators.demo.wire import (
    Boundaries,
    Part,
    encode_words,
    header_block,
    mailbox,
    multipart,
    text_part,
)

Make = Callable[[datetime, random.Random], bytes]
OWN_SERVER = f"mail.{DOMAIN}"


def _box(language: str) -> str:
    return f"{phrases(language)['address']}@{DOMAIN}"


def _our_letter(kind: str, prefix: str, language: str, moment: datetime) -> Letter:
    """The mail of ours that a bounce or an auto-reply speaks of. It is made anew with the same seed where needed."""
    words = read("automatic")[kind]
    chance = random.Random(f"{kind}/{words['agent']}")
    author = Person(f"{words['agent']}, Tasbora", _box(language), language, "office")
    to = (words.get("to_name") or words["name"], words.get("to") or words["address"])
    letter = Letter(author, to, words[f"{prefix}subject"], words[f"{prefix}text"].strip("\n"), moment)
    letter.message_id = message_id("office", author.address, chance)
    return letter


def bounced_original(moment: datetime, chance: random.Random) -> bytes:
    return compose(_our_letter("bounce", "", "ro", moment - timedelta(seconds=8)), chance)


def bounce(original: bytes, sender: str, recipient: str, text: str, moment: datetime, chance: random.Random) -> bytes:
    """A report that `original`, sent by `sender`, could not be delivered to `recipient`."""
    status = (
        f"Reporting-MTA: dns; {OWN_SERVER}\r\nArrival-Date: {format_datetime(moment)}\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nOriginal-Recipient: rfc822;{recipient}\r\n"
        f"Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.{recipient.rpartition('@')[2]}\r\n"
        f"Diagnostic-Code: smtp; 550 5.1.1 <{recipient}>: Recipient address rejected: User unknown\r\n"
    )
    header = original.split(b"\r\n\r\n", 1)[0] + b"\r\n"
    boundaries = Boundaries(f"{chance.randbytes(5).hex().upper()}.#/{OWN_SERVER}")
    parts = [
        text_part(text, "plain", "us-ascii"),
        Part(
            (("Content-Description", "Delivery report"), ("Content-Type", "message/delivery-status")), status.encode()
        ),
        Part((("Content-Description", "Undelivered Message Headers"), ("Content-Type", "text/rfc822-headers")), header),
    ]
    body = multipart("report", parts, boundaries, "; report-type=delivery-status", "This is a MIME message.")
    headers = [
        ("From", f"Mail Delivery System <MAILER-DAEMON@{OWN_SERVER}>"),
        ("To", sender),
        ("Subject", read("automatic")["undeliverable"]["subject"]),
        ("Date", format_datetime(moment)),
        ("Message-ID", f"<{moment:%Y%m%d%H%M%S}.{chance.randbytes(5).hex().upper()}@{OWN_SERVER}>"),
        ("Auto-Submitted", "auto-replied"),
        ("MIME-Version", "1.0"),
    ]
    content = header_block([*headers, *body.headers]) + b"\r\n" + body.body
    trace = [("Return-Path", "<>"), ("Delivered-To", sender)]
    received = f"by {OWN_SERVER} (Postfix) id {chance.randbytes(5).hex().upper()}; {format_datetime(moment)}"
    return header_block([*trace, ("Received", received)]) + content


def _opening_bounce(moment: datetime, chance: random.Random) -> bytes:
    letter = _our_letter("bounce", "", "ro", moment - timedelta(seconds=8))
    original = compose(letter, random.Random(0))
    recipient = letter.to[1]
    text = (
        f"This is the mail system at host {OWN_SERVER}.\n\nYour message could not be delivered to one or more "
        f"recipients.\n\n<{recipient}>: host mx.{recipient.rpartition('@')[2]} said: 550 5.1.1\n"
        f"    <{recipient}>: Recipient address rejected: User unknown\n"
    )
    return bounce(original, letter.author.address, recipient, text, moment, chance)


def _original_of_auto_reply(moment: datetime, chance: random.Random) -> bytes:
    return compose(_our_letter("auto_reply", "our_", "en", moment - timedelta(seconds=4)), chance)


def auto_reply(
    person: Person, to: str, subject: str, text: str, parent_id: str, moment: datetime, chance: random.Random
) -> bytes:
    """An absence note, marked as automatic; `parent_id` is the mail that set it off."""
    written_at = moment.astimezone(read_zone(phrases(person.language)["zone"]))
    letter = Letter(person, ("", to), subject, text, written_at, is_quoting=False)
    letter.message_id = message_id(person.client, person.address, chance)
    letter.references = (parent_id,)
    letter.extra = (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All"), ("Precedence", "bulk"))
    return with_trace(compose(letter, chance), person.address, to, format_datetime(moment), chance)


def _opening_auto_reply(moment: datetime, chance: random.Random) -> bytes:
    words = read("automatic")["auto_reply"]
    person = Person(words["name"], words["address"], "en", "outlook")
    ours = _our_letter("auto_reply", "our_", "en", moment)
    text = words["text"].strip("\n")
    return auto_reply(person, ours.author.address, words["subject"], text, ours.message_id, moment, chance)


def _list_mail(moment: datetime, chance: random.Random) -> bytes:
    words = read("automatic")["list"]
    person = Person(words["name"], words["address"], "id", "thunderbird")
    moment_there = moment.astimezone(read_zone(phrases("id")["zone"]))
    to = ("", words["list_address"])
    letter = Letter(person, to, words["subject"], words["text"].strip("\n"), moment_there)
    letter.message_id = message_id("thunderbird", person.address, chance)
    domain = words["list_address"].rpartition("@")[2]
    letter.extra = (
        ("List-Id", words["list_id"]),
        ("List-Post", f"<mailto:{words['list_address']}>"),
        ("List-Unsubscribe", f"<mailto:keluar@{domain}>"),
        ("Precedence", "list"),
    )
    bounces = f"diskusi-bounces@{domain}"
    return with_trace(compose(letter, chance), bounces, _box("id"), format_datetime(moment), chance)


def _newsletter(moment: datetime, chance: random.Random) -> bytes:
    words = read("automatic")["newsletter"]
    domain = words["address"].rpartition("@")[2]
    link = f"https://noutati.{domain}/dezabonare/{chance.randbytes(6).hex()}"
    rows = "".join(f'<tr><td style="padding:12px 32px">{escape(row)}</td></tr>' for row in words["paragraphs"])
    html = (
        '<!doctype html><html><head><meta charset="utf-8"><style>body{background:#efe9dd}</style></head><body>'
        '<table width="600" align="center" cellpadding="0" cellspacing="0" style="background:#ffffff;'
        'font-family:Georgia,serif"><tr><td><img src="https://noutati.'
        f'{domain}/antet.png" width="600" height="180" alt=""></td></tr><tr><td style="padding:24px 32px">'
        f"<h1>{escape(words['title'])}</h1></td></tr>{rows}"
        f'<tr><td style="padding:24px 32px;font-size:11px;color:#777"><a href="{link}">{escape(words["footer"])}</a>'
        f'<img src="https://noutati.{domain}/o.gif?m={chance.randbytes(4).hex()}" width="1" height="1"></td></tr>'
        "</table></body></html>\n"
    )
    plain = "\n\n".join([words["title"], *words["paragraphs"], f"{words['footer']}: {link}"]) + "\n"
    body = multipart(
        "alternative",
        [text_part(plain), text_part(html, "html", encoding="quoted-printable")],
        Boundaries(f"b1_{chance.randbytes(12).hex()}_#"),
    )
    headers = [
        ("From", mailbox(words["name"], words["address"])),
        ("To", _box("ro")),
        ("Subject", encode_words(words["subject"])),
        ("Date", format_datetime(moment)),
        ("Message-ID", f"<{chance.randbytes(12).hex()}@noutati.{domain}>"),
        ("List-Unsubscribe", f"<{link}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Precedence", "bulk"),
        ("MIME-Version", "1.0"),
    ]
    content = header_block([*headers, *body.headers]) + b"\r\n" + body.body
    return with_trace(content, f"retur@noutati.{domain}", _box("ro"), format_datetime(moment), chance)


def notice(moment: datetime, chance: random.Random) -> bytes:
    """A courier's daily figures: from an address that nobody reads."""
    words = read("automatic")["notice"]
    person = Person(words["name"], words["address"], "id", "office")
    letter = Letter(person, ("", _box("id")), words["subject"], words["text"].strip("\n"), moment)
    letter.message_id = message_id("office", person.address, chance)
    letter.extra = (("Auto-Submitted", "auto-generated"),)
    return with_trace(compose(letter, chance), person.address, _box("id"), format_datetime(moment), chance)


def _opening() -> list[tuple[str, str, Make]]:
    ages = {kind: words["age"] for kind, words in read("automatic").items() if "age" in words}
    return [
        ("Sent", ages["bounce"], bounced_original),
        ("INBOX", ages["bounce"], _opening_bounce),
        ("Sent", ages["auto_reply"], _original_of_auto_reply),
        ("INBOX", ages["auto_reply"], _opening_auto_reply),
        ("INBOX", ages["list"], _list_mail),
        ("INBOX", ages["newsletter"], _newsletter),
        ("INBOX", ages["notice"], notice),
    ]


OPENING = _opening()
