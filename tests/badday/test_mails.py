"""Mail that breaks readers: each is a row that an agent sees, and holds up no other."""

from __future__ import annotations

import itertools
from email.message import EmailMessage
from typing import Any

import pytest

from tests.badday.day import ADDRESS, Day, first_lines
from tests.badday.test_servers import letter, texts
from tests.servers.dovecot import Dovecot
from tests.servers.recording_smtp import RecordingSmtp
from tests.servers.scripted_imap import running_scripted_imap

MEBIBYTE = 1024 * 1024


def receive(day: Day, smtp: RecordingSmtp, mails: list[bytes]) -> list[dict[str, Any]]:
    """Over IMAP with healthy mail around them; the rows of the queue."""
    with running_scripted_imap() as imap:
        imap.folders["INBOX"].mails = dict(enumerate([letter(1), *mails, letter(2)], 1))
        assert day.connect(imap.port, smtp.port)["code"] == 0
        polled = day.poll()
    assert (polled["code"], polled["new"]) == (0, len(mails) + 2)
    rows: list[dict[str, Any]] = day.act("seen")
    assert set(texts(2)) <= set(first_lines(rows))
    return rows


def test_f14_every_combination_of_missing_headers_is_a_message(day: Day, smtp: RecordingSmtp) -> None:
    headers = (
        "From: Ana <ana@example.org>",
        f"To: {ADDRESS}",
        "Subject: Hello",
        "Date: Mon, 23 Nov 2026 09:00:00 +0000",
        "Message-ID: <{}@example.org>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Reply-To: other@example.org",
    )
    mails = []
    for number, present in enumerate(itertools.product((True, False), repeat=8)):
        lines = [line.format(number) for line, is_there in zip(headers, present, strict=True) if is_there]
        mails.append("\r\n".join([*lines, "", f"combination {number:03}", ""]).encode())

    rows = receive(day, smtp, mails)

    assert first_lines(rows) == [*(f"combination {number:03}" for number in range(256)), *texts(2)]
    assert day.act("account")["messages"] == 258


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"\r\n", id="an empty line"),
        pytest.param(b"From: ana@example.org\r\n", id="no end of the headers"),
        pytest.param(b"From: ana@example.org\r\nSubject: empty\r\n\r\n", id="no body"),
        pytest.param(b"\x00\xff" * 500, id="no mail"),
        pytest.param(
            b"From: <<>>@@\r\nTo: \r\nDate: yesterday\r\nMessage-ID: <>\r\n\r\nbad headers\r\n", id="bad headers"
        ),
        pytest.param(b"From: a@b\r\nContent-Type: multipart/mixed\r\n\r\nno boundary\r\n", id="no boundary"),
    ],
)
def test_f13_f14_what_is_hardly_a_mail_is_a_row_all_the_same(day: Day, smtp: RecordingSmtp, mail: bytes) -> None:
    rows = receive(day, smtp, [mail])

    assert len(rows) == 3
    account = day.act("account")
    assert (account["items"], account["messages"], account["troubles"]) == (3, 3, [])


def test_f12_an_unknown_charset_is_read_as_well_as_possible(day: Day, smtp: RecordingSmtp) -> None:
    mail = (
        b"From: ana@example.org\r\nSubject: =?klingon-7?Q?Hello?=\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=klingon-7\r\nMessage-ID: <k@example.org>\r\n\r\nGrand caf\xe9 at noon\r\n"
    )

    receive(day, smtp, [mail])

    [text] = [one for one in day.texts() if one.startswith("Grand")]
    assert text.startswith("Grand caf") and text.endswith(" at noon")


def test_f12_three_thousand_nested_parts_are_one_row_and_cost_nothing_else(day: Day, smtp: RecordingSmtp) -> None:
    depth = 3000
    opening = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number) for number in range(depth)
    )
    head = b"From: deep@example.org\r\nSubject: Deep\r\nMessage-ID: <deep@example.org>\r\nMIME-Version: 1.0\r\n"
    closing = b"".join(b"\r\n--b%d--" % number for number in reversed(range(depth)))

    rows = receive(day, smtp, [head + opening + b"Content-Type: text/plain\r\n\r\nat the bottom\r\n" + closing])

    [deep] = [row for row in rows if row["subject"] == "Deep"]
    assert len(deep["messages"]) == 1


def test_f16_a_message_id_that_comes_again_with_other_words_is_a_second_message(day: Day, smtp: RecordingSmtp) -> None:
    first = b"From: ana@example.org\r\nSubject: One\r\nMessage-ID: <same@example.org>\r\n\r\nfirst words\r\n"

    receive(day, smtp, [first, first.replace(b"first", b"other")])

    assert {"first words", "other words"} <= set(day.texts())


def test_f19_a_mail_of_60_megabytes_comes_in_without_filling_the_memory(
    day: Day, dovecot: Dovecot, smtp: RecordingSmtp, user: str
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ana@example.org", user, "A film"
    mail["Message-ID"] = "<film@example.org>"
    mail.set_content("Here is the film.\n")
    mail.add_attachment(bytes(44 * MEBIBYTE), maintype="video", subtype="mp4", filename="film.mp4")
    content = mail.as_bytes()
    assert len(content) > 59 * MEBIBYTE
    assert day.connect(dovecot.port, smtp.port, user=user, password=dovecot.password)["code"] == 0
    dovecot.deliver(user, [letter(1)])
    day.poll()
    usual = day.peak
    dovecot.deliver(user, [content, letter(2)])

    polled = day.poll()
    more = (day.peak - usual) // 1024

    assert (polled["code"], polled["new"]) == (0, 2)
    assert day.texts() == ["Here is the film.", *texts(2)]
    assert more <= 256, f"{more} MiB more than for a usual mail"
