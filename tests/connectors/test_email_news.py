"""What has just come into a folder that was quiet is brought by one question, before the folder is walked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.mail import EmailConnector
from connectors.mail.news import AT_ONCE
from connectors.messages import Page, Wish
from connectors.registry import AccountSettings, SecretText
from tests.connectors.paper_shelf import PaperShelf
from tests.servers.scripted_imap import ScriptedImap, running_scripted_imap


@pytest.fixture
def imap() -> Iterator[ScriptedImap]:
    with running_scripted_imap() as server:
        yield server


@pytest.fixture
def connector(imap: ScriptedImap, tmp_path: Path) -> Iterator[EmailConnector]:
    wire = {"scheme": "imap", "host": "127.0.0.1", "port": imap.port, "user": "u"}
    account = AccountSettings("email", "a@example.org", {"imap": wire}, tmp_path)
    found = EmailConnector(account, {"password": SecretText("p")})
    yield found
    found.close()


def mail_of(size: int, number: int = 0) -> bytes:
    head = b"Message-ID: <%d-%d@example.org>\r\n\r\n" % (size, number)
    return head + b"x" * (size - len(head))


def contents(shelf: PaperShelf) -> dict[int, bytes]:
    return {
        int(item.external_id): item.content
        if item.content is not None
        else item.path.read_bytes()
        if item.path
        else b""
        for item in shelf.items.values()
    }


def quiet(imap: ScriptedImap, connector: EmailConnector) -> PaperShelf:
    """A folder with one mail, of which everything is known."""
    imap.folders["INBOX"].mails[1] = mail_of(100)
    shelf = PaperShelf()
    shelf.fetch(connector)
    shelf.fetch(connector)
    return shelf


@pytest.mark.parametrize("size", [100, 16 * 1024, 16 * 1024 + 1, 200_000])
def test_one_question_brings_it_and_no_byte_of_it_comes_twice(
    imap: ScriptedImap, connector: EmailConnector, size: int
) -> None:
    shelf = quiet(imap, connector)
    imap.folders["INBOX"].mails[2] = mail_of(size)
    before, mark = imap.sent_bytes, len(imap.commands)
    assert shelf.fetch(connector) == 1
    assert contents(shelf)[2] == mail_of(size)
    asked = [command for command in imap.since(mark) if "FETCH" in command or "EXAMINE" in command]
    assert "BODY.PEEK[]<0." in asked[0], "before the folder is opened anew"
    assert imap.sent_bytes - before < 1.1 * size + 1500


def test_f22_what_is_too_large_for_it_costs_little_more_than_once(
    imap: ScriptedImap, connector: EmailConnector
) -> None:
    shelf = quiet(imap, connector)
    imap.folders["INBOX"].mails[2] = mail_of(300_000)
    before = imap.sent_bytes
    assert shelf.fetch(connector) == 1
    assert contents(shelf)[2] == mail_of(300_000)
    assert imap.sent_bytes - before < 1.1 * 300_000


def test_more_than_a_few_come_all_and_once(imap: ScriptedImap, connector: EmailConnector) -> None:
    shelf = quiet(imap, connector)
    for uid in range(2, 2 * AT_ONCE + 5):
        imap.folders["INBOX"].mails[uid] = mail_of(300, uid)
    assert shelf.fetch(connector) == 2 * AT_ONCE + 3
    assert sorted(contents(shelf)) == list(range(1, 2 * AT_ONCE + 5))


def test_f08_what_the_server_leaves_out_or_refuses_is_found_by_the_walk(
    imap: ScriptedImap, connector: EmailConnector
) -> None:
    shelf = quiet(imap, connector)
    asked: list[int] = []

    def once(uid: int) -> bool:
        asked.append(uid)
        return asked.count(uid) == 1

    imap.omit = once
    imap.folders["INBOX"].mails[2] = mail_of(300)
    assert shelf.fetch(connector) == 1
    asked.clear()
    imap.omit = lambda uid: False
    imap.refuse = once
    imap.folders["INBOX"].mails[3] = mail_of(400)
    assert shelf.fetch(connector) == 1
    assert sorted(contents(shelf)) == [1, 2, 3]


def test_a_removed_mail_is_no_news(imap: ScriptedImap, connector: EmailConnector) -> None:
    shelf = quiet(imap, connector)
    imap.folders["INBOX"].uid_next = 2
    del imap.folders["INBOX"].mails[1]
    assert shelf.fetch(connector) == 0


def test_a_page_of_news_stands_alone(imap: ScriptedImap, connector: EmailConnector) -> None:
    shelf = quiet(imap, connector)
    imap.folders["INBOX"].mails[2] = mail_of(300)
    page: Page = next(iter(connector.fetch(shelf.known(), Wish())))
    assert [item.external_id for item in page.items] == ["2"]
    assert [(one.low, one.high) for one in page.covered] == [(2, 2)]
