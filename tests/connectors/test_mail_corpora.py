"""What real mail, written by nobody here, must come out as."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.mail.excerpts import find_html
from connectors.mail.html import clean_html
from connectors.mail.parse import parse_mail
from connectors.messages import Automatic, Flag, ParsedMessage
from tests.connectors.test_mail_html import faults
from tests.corpora import find_corpus


def read(corpus: str, name: str) -> ParsedMessage:
    (path,) = [path for path in find_corpus(corpus) if path.name == name]
    return parse_mail(path.read_bytes())


@pytest.mark.parametrize(
    "name",
    [
        "gmail.html.eml",
        "hotmail.html.eml",
        "mail_ru.html.eml",
        "ms_outlook_2003.html.eml",
        "ms_outlook_2007.html.eml",
        "ms_outlook_2010.html.eml",
        "thunderbird.html.eml",
        "windows_mail.html.eml",
        "yandex_ru.html.eml",
    ],
)
def test_answers_in_html_show_only_what_is_new(name: str) -> None:
    lines = [line for line in read("talon", name).visible_text.split("\n") if line.strip()]
    assert lines == ["Hi. I am fine.", "Thanks,", "Alex"]


@pytest.mark.parametrize(
    "name",
    [
        "android.eml",
        "aol.eml",
        "apple_mail.eml",
        "apple_mail_2.eml",
        "comcast.eml",
        "gmail.eml",
        "hotmail.eml",
        "iphone.eml",
        "outlook.eml",
        "sparrow.eml",
        "thunderbird.eml",
        "yahoo.eml",
    ],
)
def test_answers_in_text_show_only_what_is_new(name: str) -> None:
    assert read("talon", name).visible_text == "Hello"


def test_a_history_that_begins_on_the_line_of_the_answer_is_folded() -> None:
    message = read("talon", "reply-quotations-share-block.eml")
    assert message.visible_text.startswith("Hi Katharine.")
    assert "booking inquiry" not in message.visible_text


def test_windows_1251_and_gb2312_are_read() -> None:
    russian = read("mail-parser", "mail_test_1")
    assert russian.author.name == "служба ФНС Даниил Суворов"
    assert [attachment.name for attachment in russian.attachments] == ["ФНС_РФ558.zip"]
    chinese = read("mail-parser", "mail_test_12")
    assert (chinese.author.name, chinese.subject) == ("张先生", "代开各地增值税发票")
    assert Flag.UNKNOWN_CHARSET not in chinese.flags


def test_a_name_that_is_an_address_is_only_a_name() -> None:
    author = read("mail-parser", "mail_test_19").author
    assert (author.name, author.address) == ("alice@example.com", "bob@example.com")


def test_a_comma_in_an_encoded_name_does_not_split_the_author() -> None:
    author = read("mail-parser", "mail_test_18").author
    assert (author.name, author.address) == ("LastßlName, FirstName", "comma.name@example.com")


@pytest.mark.parametrize(
    ("corpus", "name", "recipient", "action", "status"),
    [
        ("mail-parser", "mail_malformed_2", "abh@netpar.com.br", "failed", "4.2.2"),
        ("cpython", "msg_16.txt", "jangel1@cougar.noc.ucla.edu", "failed", "5.0.0"),
    ],
)
def test_real_bounces_name_whom_they_failed(corpus: str, name: str, recipient: str, action: str, status: str) -> None:
    message = read(corpus, name)
    assert message.automatic is Automatic.BOUNCE
    (report,) = message.reports
    assert (report.recipient, report.action, report.status) == (recipient, action, status)
    assert "@" in report.message_id


def test_an_outlook_file_is_unreadable_and_still_a_message() -> None:
    message = read("mail-parser", "mail_outlook_1")
    assert message.flags == (Flag.UNREADABLE,)


def test_nearly_every_real_mail_has_author_and_text() -> None:
    mails = [parse_mail(path.read_bytes()) for path in [*find_corpus("mail-parser"), *find_corpus("talon")]]
    assert (
        sum(1 for message in mails if message.author.address) == len(mails) - 2
    )  # the Outlook file, and one empty From
    assert sum(1 for message in mails if message.visible_text) >= len(mails) - 1
    early = datetime(1990, 1, 1, tzinfo=UTC)
    assert all(message.written_at is None or message.written_at > early for message in mails)
    assert all(not message.text or message.passages for message in mails)


def html_mails(corpus: str) -> list[tuple[Path, str]]:
    found = [(path, find_html(path.read_bytes())) for path in find_corpus(corpus)]
    return [(path, html) for path, html in found if html]


@pytest.mark.parametrize("corpus", ["mail-parser", "talon", "cpython"])
def test_f74_real_html_is_clean_and_not_emptied(corpus: str) -> None:
    mails = html_mails(corpus)
    assert mails
    for path, html in mails:
        cleaned = clean_html(html, cid_url=lambda cid: "/mail/inline/" + cid)
        assert faults(cleaned.html) == [], path.name
        assert not cleaned.is_text, path.name
        if parse_mail(path.read_bytes()).text and "<" in html:
            assert len(cleaned.html) > 0, path.name
