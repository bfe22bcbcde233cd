"""Fetching from a real Dovecot: everything comes once, from any stop, and nothing is changed on the server."""

from __future__ import annotations

import hashlib
import imaplib
import tracemalloc
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from connectors.base import AuthFailed, Refused, RetryLater
from connectors.mail import EmailConnector
from connectors.messages import Known, OutboundMessage, Scope, Wish
from connectors.registry import AccountSettings, SecretText
from tests.connectors.paper_shelf import PaperShelf, QuickConnector, dovecot_connector, mail
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.recording_smtp import running_recording_smtp
from tests.servers.requirement import free_port

pytestmark = pytest.mark.servers
_users = count()


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot(rawlog=True) as server:
        yield server


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    """A mailbox that no other test has seen."""
    return f"user{next(_users)}"


@pytest.fixture
def connector(dovecot: Dovecot, user: str, tmp_path: Path) -> Iterator[EmailConnector]:
    made = dovecot_connector(dovecot, user, tmp_path)
    yield made
    made.close()


def other_client(server: Dovecot, user: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", server.port, timeout=10)
    client.login(user, server.password)
    return client


def said_to_server(server: Dovecot) -> str:
    return "\n".join(path.read_text(errors="replace") for path in (server.base / "rawlog").glob("*.in"))


def test_a_whole_mailbox_comes_newest_first_and_byte_for_byte(
    dovecot: Dovecot, user: str, connector: EmailConnector
) -> None:
    mails = [mail(number) for number in range(450)]
    dovecot.deliver(user, mails)
    dovecot.deliver(user, [mail(9000)], folder="Sent", seen=True)
    pages = list(connector.fetch(Known(), Wish()))
    inbox = [item for page in pages for item in page.items if item.scope.place == "INBOX"]
    assert [int(item.external_id) for item in inbox] == list(range(450, 0, -1))
    assert [item.content for item in inbox] == mails[::-1]
    assert all(item.received_at.tzinfo and item.size == len(item.content or b"") for item in inbox)
    assert not any(item.is_sent for item in inbox)
    sent = [item for page in pages for item in page.items if item.scope.place == "Sent"]
    assert [item.is_sent for item in sent] == [True]
    counts = {count.scope.place: count.on_server for page in pages for count in page.counts}
    assert counts == {"INBOX": 450, "Sent": 1}
    remaining = [page.remaining for page in pages if page.items and page.items[0].scope.place == "INBOX"]
    assert remaining == [250, 50, 0]


@pytest.mark.parametrize("stop_after", range(1, 9))
def test_stopping_after_any_page_and_starting_again_brings_each_mail_once(
    dovecot: Dovecot, user: str, tmp_path: Path, stop_after: int
) -> None:
    dovecot.deliver(user, [mail(number) for number in range(40)])
    dovecot.deliver(user, [mail(number) for number in range(100, 103)], folder="Sent")
    shelf, wish = PaperShelf(), Wish(page_items=7)
    for _ in range(12):
        connector = dovecot_connector(dovecot, user, tmp_path)
        for number, page in enumerate(connector.fetch(shelf.known(), wish), start=1):
            shelf.put(page)
            if number == stop_after:
                break
        connector.close()
    assert shelf.uids() == list(range(1, 41))
    assert shelf.uids("Sent") == [1, 2, 3]
    assert shelf.of("INBOX").ranges == ((1, 40),)


def test_one_connector_survives_being_left_in_the_middle(
    dovecot: Dovecot, user: str, connector: EmailConnector
) -> None:
    dovecot.deliver(user, [mail(number) for number in range(60)])
    shelf = PaperShelf()
    pages = connector.fetch(shelf.known(), Wish(page_items=5))
    shelf.put(next(pages))
    pages.close()  # type: ignore[attr-defined]
    assert shelf.fetch(connector, Wish(page_items=5)) == 55


def test_at_most_the_wished_number_comes_and_the_next_fetch_goes_on(
    dovecot: Dovecot, user: str, connector: EmailConnector
) -> None:
    dovecot.deliver(user, [mail(number) for number in range(25)])
    shelf = PaperShelf()
    assert [shelf.fetch(connector, Wish(max_items=10, page_items=4)) for _ in range(4)] == [10, 10, 5, 0]
    assert shelf.uids() == list(range(1, 26))


def test_f2_another_client_marking_mail_as_read_hides_nothing(
    dovecot: Dovecot, user: str, connector: EmailConnector
) -> None:
    dovecot.deliver(user, [mail(number) for number in range(10)])
    client = other_client(dovecot, user)
    client.select("INBOX")
    client.uid("STORE", "1,4,7:9", "+FLAGS", "(\\Seen)")
    shelf = PaperShelf()
    assert shelf.fetch(connector) == 10
    client.uid("STORE", "1:*", "+FLAGS", "(\\Seen \\Flagged)")
    client.logout()
    assert shelf.fetch(connector) == 0


def test_f6_a_new_uidvalidity_with_mail_in_the_gap_loses_nothing_and_uses_no_old_number(
    dovecot: Dovecot, user: str, tmp_path: Path
) -> None:
    dovecot.deliver(user, [mail(number) for number in range(20)])
    shelf = PaperShelf()
    first = dovecot_connector(dovecot, user, tmp_path)
    assert shelf.fetch(first) == 20
    first.close()
    old = shelf.of("INBOX").scope
    dovecot.deliver(user, [mail(number) for number in range(20, 50)])
    dovecot.new_epoch(user)
    second = dovecot_connector(dovecot, user, tmp_path)
    assert shelf.fetch(second) == 50
    second.close()
    new = shelf.of("INBOX").scope
    assert shelf.retired == [old]
    assert new != old
    assert {item.content for (scope, _), item in shelf.items.items() if scope == new} == {mail(n) for n in range(50)}


def test_f9_numbers_that_never_existed_are_no_holes(dovecot: Dovecot, user: str, connector: EmailConnector) -> None:
    dovecot.deliver(user, [mail(number) for number in range(100)])
    client = other_client(dovecot, user)
    client.select("INBOX")
    client.uid("STORE", "1:30,40:80,95:100", "+FLAGS", "(\\Deleted)")
    client.expunge()
    client.logout()
    shelf = PaperShelf()
    assert shelf.fetch(connector) == 23
    assert shelf.of("INBOX").troubled == ()
    assert shelf.of("INBOX").ranges == ((1, 94),)
    dovecot.deliver(user, [mail(500)])
    assert shelf.fetch(connector) == 1
    assert shelf.of("INBOX").ranges == ((1, 101),)


def test_f10_folders_with_unlike_numbers_do_not_disturb_each_other(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    folders = ["INBOX", "Orders", "Rückfragen", "With space", "Deep/er"]
    for size, folder in enumerate(folders, start=1):
        name = "R&APw-ckfragen" if folder == "Rückfragen" else folder
        dovecot.deliver(user, [mail(size * 1000 + number) for number in range(size * 3)], folder=name)
    connector = dovecot_connector(dovecot, user, tmp_path, folders=folders)
    shelf = PaperShelf()
    assert shelf.fetch(connector) == 3 + 6 + 9 + 12 + 15
    dovecot.deliver(user, [mail(77)], folder="Orders")
    assert shelf.fetch(connector) == 1
    assert [len(shelf.uids(folder)) for folder in folders] == [3, 7, 9, 12, 15]
    connector.close()


def test_f11_a_thousand_idle_polls_bring_nothing(dovecot: Dovecot, user: str, connector: EmailConnector) -> None:
    dovecot.deliver(user, [mail(1)])
    shelf = PaperShelf()
    shelf.fetch(connector)
    assert [shelf.fetch(connector) for _ in range(1000)] == [0] * 1000


def test_f18_the_server_is_only_ever_read(dovecot: Dovecot, user: str, connector: EmailConnector) -> None:
    dovecot.deliver(user, [mail(number) for number in range(5)])
    shelf = PaperShelf()
    shelf.fetch(connector)
    list(connector.list_ids(shelf.of("INBOX").scope).ids)
    connector.find_sent(OutboundMessage("nothing@example.org", "ana@example.org", (), b""))
    connector.close()
    said = said_to_server(dovecot)
    ours = [line for line in said.splitlines() if " W" in f" {line}" or "EXAMINE" in line]
    assert any("BODY.PEEK[]" in line for line in ours)
    words = ("STORE", "EXPUNGE", "MOVE", "COPY", "DELETE ", "SELECT", "CLOSE", "BODY[")
    assert [line for line in ours if any(word in line.upper() for word in words)] == []
    client = other_client(dovecot, user)
    client.select("INBOX", readonly=True)
    assert client.uid("SEARCH", "SEEN")[1] == [b""]
    client.logout()


def test_f19_a_mail_of_60_megabytes_is_streamed_to_disk(dovecot: Dovecot, user: str, connector: EmailConnector) -> None:
    line = b"0123456789" * 7 + b"\r\n"
    big = mail(1) + line * (60 * 1024 * 1024 // len(line))
    dovecot.deliver(user, [mail(0), big, mail(2)])
    wanted = hashlib.sha256(big).hexdigest()
    del big
    tracemalloc.start()
    shelf = PaperShelf()
    assert shelf.fetch(connector) == 3
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    [item] = [item for item in shelf.items.values() if item.path]
    assert item.path and item.content is None
    with item.path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == wanted
    assert item.size == item.path.stat().st_size
    assert peak < 20 * 1024 * 1024


def test_a_mail_of_some_hundred_kilobytes_is_spooled_and_read_whole(
    dovecot: Dovecot, user: str, connector: EmailConnector
) -> None:
    middle = mail(1, "x" * 70 + "\r\n") + (b"y" * 70 + b"\r\n") * 10_000
    dovecot.deliver(user, [mail(0), middle, mail(2)])
    shelf = PaperShelf()
    shelf.fetch(connector)
    assert sorted(shelf.contents()) == sorted([mail(0), middle, mail(2)])
    assert [item.path is not None for item in shelf.items.values()].count(True) == 1


def test_a_mail_over_the_limit_comes_as_its_header(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    huge = mail(1) + (b"z" * 70 + b"\r\n") * 140_000
    dovecot.deliver(user, [mail(0), huge])
    connector = dovecot_connector(dovecot, user, tmp_path, max_mail_bytes=9 * 1024 * 1024)
    shelf = PaperShelf()
    shelf.fetch(connector)
    item = shelf.items[(shelf.of("INBOX").scope, "2")]
    assert item.too_large
    assert item.size == len(huge)
    parsed = connector.parse(item)
    assert (parsed.subject, "too-large" in parsed.flags) == ("Question 1", True)  # type: ignore[union-attr]
    assert shelf.of("INBOX").ranges == ((1, 2),)
    connector.close()


def test_f22_a_known_mailbox_costs_no_body_whatever_its_size(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    dovecot.deliver(user, [mail(number, "word " * 200) for number in range(300)])
    shelf = PaperShelf()
    first = dovecot_connector(dovecot, user, tmp_path)
    shelf.fetch(first)
    first.close()
    again = dovecot_connector(dovecot, user, tmp_path)
    assert shelf.fetch(again) == 0
    assert again._mailbox.open_session().wire.received < 2000
    before = again._mailbox.open_session().wire.received
    assert shelf.fetch(again) == 0
    assert again._mailbox.open_session().wire.received - before <= 256
    again.close()


def test_a_reused_connection_sees_new_mail_in_every_folder(
    dovecot: Dovecot, user: str, connector: EmailConnector
) -> None:
    dovecot.deliver(user, [mail(1)])
    shelf = PaperShelf()
    shelf.fetch(connector)
    for number in range(2, 6):
        dovecot.deliver(user, [mail(number)])
        assert shelf.fetch(connector) == 1
        dovecot.deliver(user, [mail(number * 100)], folder="Sent")
        assert shelf.fetch(connector) == 1
        assert shelf.fetch(connector) == 0
    assert (shelf.uids(), shelf.uids("Sent")) == ([1, 2, 3, 4, 5], [1, 2, 3, 4])


def test_a_page_that_was_never_stored_is_brought_again(dovecot: Dovecot, user: str, connector: EmailConnector) -> None:
    dovecot.deliver(user, [mail(1), mail(2)])
    shelf = PaperShelf()
    list(connector.fetch(shelf.known(), Wish()))  # the process died before it could store
    assert shelf.fetch(connector) == 2


def test_the_server_lists_its_numbers_for_reconciliation(
    dovecot: Dovecot, user: str, connector: EmailConnector
) -> None:
    dovecot.deliver(user, [mail(number) for number in range(12)])
    shelf = PaperShelf()
    shelf.fetch(connector)
    scope = shelf.of("INBOX").scope
    assert list(connector.list_ids(scope).ids) == [str(uid) for uid in range(1, 13)]
    with pytest.raises(RetryLater, match="rebuilt"):
        connector.list_ids(Scope("INBOX", "1"))


def test_a_missing_folder_is_named_after_the_others_came(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    dovecot.deliver(user, [mail(1)])
    connector = dovecot_connector(dovecot, user, tmp_path, folders=["INBOX", "Nowhere"])
    shelf = PaperShelf()
    with pytest.raises(RetryLater, match="The folder Nowhere"):
        shelf.fetch(connector)
    assert shelf.uids() == [1]
    connector.close()


def test_a_wrong_password_is_said_in_one_sentence(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    account = dovecot_connector(dovecot, user, tmp_path)._account
    connector = QuickConnector(account, {"password": SecretText("wrong")})
    with pytest.raises(AuthFailed) as caught:
        list(connector.fetch(Known(), Wish()))
    assert caught.value.sentence.startswith(f"127.0.0.1:{dovecot.port} refused the password for {user}.")
    assert "wrong" not in caught.value.sentence


def test_a_password_beyond_ascii_logs_in(tmp_path: Path) -> None:
    with running_dovecot(password="pässwörd-ș") as server:
        server.deliver("ana", [mail(1)])
        connector = dovecot_connector(server, "ana", tmp_path)
        assert PaperShelf().fetch(connector) == 1
        connector.close()


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls"])
def test_encrypted_connections_are_verified(dovecot: Dovecot, user: str, tmp_path: Path, scheme: str) -> None:
    dovecot.deliver(user, [mail(1)])
    port = dovecot.tls_port if scheme == "imaps" else dovecot.port
    imap = {"scheme": scheme, "host": "localhost", "port": port, "user": user}
    trusted = {"imap": imap, "ca_file": str(dovecot.certificate.ca)}
    secrets = {"password": SecretText(dovecot.password)}
    connector = QuickConnector(AccountSettings("email", "a@example.org", trusted, tmp_path), secrets)
    assert PaperShelf().fetch(connector) == 1
    connector.close()
    stranger = QuickConnector(AccountSettings("email", "a@example.org", {"imap": imap}, tmp_path), secrets)
    with pytest.raises(RetryLater, match=r"certificate of localhost.* is not trusted"):
        PaperShelf().fetch(stranger)


def test_a_plain_port_reached_by_tls_is_said(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    imap = {"scheme": "imaps", "host": "localhost", "port": dovecot.port, "user": user}
    account = AccountSettings("email", "a@example.org", {"imap": imap}, tmp_path)
    with pytest.raises(RetryLater, match="right port"):
        PaperShelf().fetch(QuickConnector(account, {"password": SecretText(dovecot.password)}))


def test_a_missing_certificate_authority_is_said(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    imap = {"scheme": "imaps", "host": "localhost", "port": dovecot.tls_port, "user": user}
    account = AccountSettings("email", "a@example.org", {"imap": imap, "ca_file": "/nowhere.pem"}, tmp_path)
    with pytest.raises(Refused, match=r"/nowhere\.pem cannot be read"):
        PaperShelf().fetch(QuickConnector(account, {}))


def test_checking_names_folders_and_notes_and_exactly_what_failed(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    with running_recording_smtp() as smtp:
        settings = {"scheme": "smtp", "host": "127.0.0.1", "port": smtp.port}
        good = dovecot_connector(dovecot, user, tmp_path, smtp=settings, display_name="Ana")
        party = good.check()
        assert (party.name, party.places, party.sent_place) == ("Ana", ("INBOX", "Sent"), "Sent")
        assert party.notes == (f"127.0.0.1:{smtp.port} takes mail without a log-in.",)
        good.close()
        missing = dovecot_connector(dovecot, user, tmp_path, smtp=settings, folders=["INBOX", "Nowhere"])
        with pytest.raises(Refused, match="The folder Nowhere"):
            missing.check()
        missing.close()
    with pytest.raises(RetryLater, match=f"127.0.0.1:{smtp.port} refuses connections"):
        dovecot_connector(dovecot, user, tmp_path, smtp=settings).check()
    with pytest.raises(Refused, match=r"The SMTP server of .* is not set"):
        dovecot_connector(dovecot, user, tmp_path).check()


def test_a_server_that_is_away_is_said_and_comes_back(tmp_path: Path) -> None:
    imap = {"scheme": "imap", "host": "127.0.0.1", "port": free_port(), "user": "ana"}
    connector = QuickConnector(AccountSettings("email", "a@example.org", {"imap": imap}, tmp_path), {})
    with pytest.raises(RetryLater, match="refuses connections"):
        PaperShelf().fetch(connector)


def test_a_restarted_server_is_found_again_by_the_same_connector(tmp_path: Path) -> None:
    shelf = PaperShelf()
    with running_dovecot() as server:
        server.deliver("ana", [mail(1)])
        connector = dovecot_connector(server, "ana", tmp_path)
        shelf.fetch(connector)
        client = other_client(server, "ana")
        server.process.send_signal(1)  # reload: every session is ended
        client.shutdown()
        server.deliver("ana", [mail(2)])
        assert shelf.fetch(connector) == 1
        connector.close()


def test_a_sent_mail_is_filed_once_and_found_as_evidence(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    connector = dovecot_connector(dovecot, user, tmp_path, file_sent=True)
    message = OutboundMessage("q1@example.net", "ana@example.org", ("b@example.net",), mail(1))
    assert connector.find_sent(message) is None
    connector.file_sent(message)
    connector.file_sent(message)
    receipt = connector.find_sent(message)
    assert receipt is not None and receipt.external_id.startswith("Sent/")
    shelf = PaperShelf()
    shelf.fetch(connector)
    assert [item.is_sent for item in shelf.items.values()] == [True]
    connector.close()
