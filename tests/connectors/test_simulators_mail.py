"""The loopback mail provider, spoken to with the clients that the product uses."""

from __future__ import annotations

import imaplib
import smtplib
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from connectors.simulators.imap_syntax import choose
from connectors.simulators.mailserver import MailServers

ADDRESS = "hello@tasbora.example"
MAIL = (
    b"From: Ana <ana@posta.example>\r\nTo: hello@tasbora.example\r\nMessage-ID: <one@posta.example>\r\n"
    b"Subject: =?utf-8?q?Geant=C4=83_rupt=C4=83?=\r\nDate: Mon, 23 Nov 2026 10:00:00 +0200\r\n\r\n"
    b"raw \xff bytes\nand a bare line feed\r\n.dot\r\n"
)
RECEIVED = datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC)


@contextmanager
def client_of(servers: MailServers, mailbox: str = "", readonly: bool = True) -> Iterator[IMAPClient]:
    client = IMAPClient("127.0.0.1", port=servers.imap.port, ssl=False, timeout=20)
    try:
        client.login(servers.address, servers.password)
        if mailbox:
            client.select_folder(mailbox, readonly=readonly)
        yield client
    finally:
        client.shutdown()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[MailServers]:
    with MailServers(tmp_path / "provider", ADDRESS) as running:
        yield running


def test_a_restart_keeps_uids_epochs_flags_ports_and_the_password(tmp_path: Path) -> None:
    with MailServers(tmp_path, ADDRESS) as servers:
        for number in range(4):
            servers.deliver(MAIL + b"%d" % number, received_at=RECEIVED)
        with client_of(servers, "INBOX", readonly=False) as client:
            client.delete_messages([2, 4])
            client.expunge()
            client.add_flags([3], [b"\\Answered"])
            before = client.folder_status("INBOX", ["UIDVALIDITY", "UIDNEXT", "MESSAGES"])
        ports, password = (servers.imap.port, servers.smtp.port), servers.password
    with MailServers(tmp_path, ADDRESS) as servers:
        assert (servers.imap.port, servers.smtp.port) == ports
        assert servers.password == password
        with client_of(servers, "INBOX") as client:
            assert client.folder_status("INBOX", ["UIDVALIDITY", "UIDNEXT", "MESSAGES"]) == before
            assert client.search("ALL") == [1, 3]
            answer = client.fetch([1, 3], ["FLAGS", "BODY.PEEK[]", "INTERNALDATE"])
        assert answer[3][b"FLAGS"] == (b"\\Answered",)
        assert answer[3][b"BODY[]"] == MAIL + b"2"
        assert servers.deliver(MAIL) == 5, "the UID of an expunged mail is never given again"


def test_the_password_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    with MailServers(tmp_path, ADDRESS):
        assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600


def test_a_port_that_was_asked_for_and_is_taken_raises(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        MailServers(tmp_path, ADDRESS, imap_port=taken.getsockname()[1]).start()


def test_a_remembered_port_that_is_taken_meanwhile_is_given_up(tmp_path: Path) -> None:
    with MailServers(tmp_path, ADDRESS) as servers:
        port = servers.imap.port
    with socket.create_server(("127.0.0.1", port)), MailServers(tmp_path, ADDRESS) as servers:
        assert servers.imap.port != port
        with client_of(servers):
            pass


def test_the_bytes_come_back_exactly_whole_and_in_parts(servers: MailServers) -> None:
    uid = servers.deliver(MAIL, received_at=RECEIVED)
    with client_of(servers, "INBOX") as client:
        whole = client.fetch([uid], ["BODY.PEEK[]", "RFC822.SIZE", "INTERNALDATE", "FLAGS"])[uid]
        assert whole[b"BODY[]"] == MAIL
        assert whole[b"RFC822.SIZE"] == len(MAIL)
        assert whole[b"INTERNALDATE"].timestamp() == RECEIVED.timestamp()
        parts = [
            client.fetch([uid], [f"BODY.PEEK[]<{start}.50>"])[uid][b"BODY[]<%d>" % start]
            for start in range(0, len(MAIL) + 50, 50)
        ]
        assert b"".join(parts) == MAIL
        header = client.fetch([uid], ["BODY.PEEK[HEADER]"])[uid][b"BODY[HEADER]"]
        text = client.fetch([uid], ["BODY.PEEK[TEXT]"])[uid][b"BODY[TEXT]"]
        assert header + text == MAIL
        fields = client.fetch([uid], ["BODY.PEEK[HEADER.FIELDS (MESSAGE-ID X-NONE)]"])[uid]
        assert b"Message-ID: <one@posta.example>\r\n\r\n" in fields.values()


def test_peeking_and_examining_never_mark_a_mail_as_seen(servers: MailServers) -> None:
    uid = servers.deliver(MAIL)
    with client_of(servers, "INBOX", readonly=True) as client:
        client.fetch([uid], ["BODY[]"])
        assert client.get_flags([uid])[uid] == ()
        with pytest.raises(IMAPClientError, match="reading only"):
            client.add_flags([uid], [b"\\Seen"])
    with client_of(servers, "INBOX", readonly=False) as client:
        client.fetch([uid], ["BODY.PEEK[]"])
        assert client.get_flags([uid])[uid] == ()
        client.fetch([uid], ["BODY[]"])
        assert client.get_flags([uid])[uid] == (b"\\Seen",)


def test_envelope_and_structure_are_told(servers: MailServers) -> None:
    mail = (
        b'Message-ID: <two@x.example>\r\nFrom: "Ana" <ana@posta.example>\r\nSubject: Hi\r\nMIME-Version: 1.0\r\n'
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset="utf-8"\r\n'
        b'\r\nSalut\r\n--b\r\nContent-Type: image/png; name="a.png"\r\nContent-Transfer-Encoding: base64\r\n'
        b'Content-Disposition: attachment; filename="a.png"\r\n\r\nAAAA\r\n--b--\r\n'
    )
    uid = servers.deliver(mail)
    with client_of(servers, "INBOX") as client:
        answer = client.fetch([uid], ["ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[1]", "BODY.PEEK[2]", "BODY.PEEK[3]"])[uid]
    assert answer[b"ENVELOPE"].message_id == b"<two@x.example>"
    assert answer[b"ENVELOPE"].from_[0].mailbox == b"ana"
    assert answer[b"BODYSTRUCTURE"].is_multipart
    assert answer[b"BODYSTRUCTURE"][0][1][:2] == (b"image", b"png")
    assert (answer[b"BODY[1]"], answer[b"BODY[2]"], answer[b"BODY[3]"]) == (b"Salut", b"AAAA", None)


def test_search_finds_by_uid_header_date_and_flag(servers: MailServers) -> None:
    servers.deliver(MAIL, received_at=RECEIVED)
    servers.deliver(MAIL.replace(b"one@", b"two@"), received_at=RECEIVED.replace(day=24), flags=["\\Seen"])
    with client_of(servers, "INBOX") as client:
        assert client.search(["HEADER", "Message-ID", "<two@posta.example>"]) == [2]
        assert client.search(["HEADER", "Message-ID", "<none@posta.example>"]) == []
        assert client.search(["SINCE", RECEIVED.replace(day=24).date()]) == [2]
        assert client.search(["UID", "1:1"]) == [1]
        assert client.search(["UID", "99:*"]) == [2], "n:* always names the last mail (RFC 9051 §9, seq-range)"
        assert client.search(["NOT", "SEEN"]) == [1]
        assert client.search(["OR", ["UID", "1"], ["UID", "2"]]) == [1, 2]
        assert client.search(["SUBJECT", "Geantă"], charset="UTF-8") == [1, 2]
        with pytest.raises(IMAPClientError, match="Unknown search key"):
            client.search(["NONSENSE", "x"])


def test_append_stores_what_was_given_and_says_where(servers: MailServers) -> None:
    mail = MAIL.replace(b"bytes\nand", b"bytes and")  # imaplib would mend the bare line feed before sending it
    with client_of(servers) as client:
        sent = client.find_special_folder(b"\\Sent")
        said = client.append(sent, mail, [b"\\Seen"], RECEIVED)
        assert b"APPENDUID" in said
        client.select_folder(sent, readonly=True)
        answer = client.fetch([1], ["BODY.PEEK[]", "FLAGS", "INTERNALDATE"])[1]
        assert (answer[b"BODY[]"], answer[b"FLAGS"]) == (mail, (b"\\Seen",))
        assert answer[b"INTERNALDATE"].timestamp() == RECEIVED.timestamp()
        with pytest.raises(IMAPClientError, match="TRYCREATE"):
            client.append("Nowhere", MAIL)


def test_idle_hears_of_a_mail_delivered_meanwhile_and_before(servers: MailServers) -> None:
    with client_of(servers, "INBOX") as client:
        client.idle()
        servers.deliver(MAIL)
        assert (1, b"EXISTS") in client.idle_check(timeout=20)
        client.idle_done()
        assert client.search("ALL") == [1]


def test_pipelined_commands_are_answered_in_order(servers: MailServers) -> None:
    servers.deliver(MAIL)
    with socket.create_connection(("127.0.0.1", servers.imap.port), timeout=20) as wire:
        wire.sendall(
            f'a LOGIN "{ADDRESS}" {{{len(servers.password)}+}}\r\n{servers.password}\r\nb EXAMINE INBOX\r\n'
            "c UID FETCH 1 (UID BODY.PEEK[HEADER])\r\nd NOOP\r\ne LOGOUT\r\n".encode()
        )
        heard = b"".join(iter(lambda: wire.recv(65536), b""))
    tagged = [line[:4] for line in heard.split(b"\r\n") if line[:1] in (b"a", b"b", b"c", b"d", b"e")]
    assert tagged == [b"a OK", b"b OK", b"c OK", b"d OK", b"e OK"]


def test_nobody_gets_in_with_a_wrong_password(servers: MailServers) -> None:
    client = IMAPClient("127.0.0.1", port=servers.imap.port, ssl=False, timeout=20)
    try:
        with pytest.raises(LoginError, match="AUTHENTICATIONFAILED"):
            client.login(ADDRESS, "wrong")
        client.plain_login(ADDRESS, servers.password)
        assert client.list_folders()
    finally:
        client.shutdown()


@pytest.mark.parametrize(
    "line",
    [b"x FETCH 1 (FLAGS", b"x FETCH 1 FLAGS)", b"x", b"x NONSENSE", b"x " + b"(" * 50, b'x LOGIN "open', b"x UID"],
)
def test_a_broken_command_is_refused_and_the_connection_goes_on(servers: MailServers, line: bytes) -> None:
    with socket.create_connection(("127.0.0.1", servers.imap.port), timeout=20) as wire:
        wire.sendall(line + b"\r\ny NOOP\r\nz LOGOUT\r\n")
        heard = b"".join(iter(lambda: wire.recv(65536), b""))
    assert b" BAD " in heard
    assert b"y OK" in heard


def test_nothing_of_the_mailbox_is_told_before_a_log_in(servers: MailServers) -> None:
    with socket.create_connection(("127.0.0.1", servers.imap.port), timeout=20) as wire:
        wire.sendall(b'a LIST "" "*"\r\nb EXAMINE INBOX\r\nc LOGOUT\r\n')
        heard = b"".join(iter(lambda: wire.recv(65536), b""))
    assert b"a NO Log in first" in heard
    assert b"b NO Log in first" in heard


def test_more_than_the_server_takes_ends_the_connection(servers: MailServers) -> None:
    for line in (b"x LOGIN {99999999+}\r\n", b"x NOOP " + b"a" * 300_000):
        with socket.create_connection(("127.0.0.1", servers.imap.port), timeout=20) as wire:
            wire.sendall(line)
            heard = b""
            try:
                heard = b"".join(iter(lambda: wire.recv(65536), b""))
            except ConnectionResetError:
                continue
        assert b"TOOBIG" in heard


def test_a_new_epoch_says_bye_to_open_connections_and_numbers_from_one(servers: MailServers) -> None:
    for _ in range(3):
        servers.deliver(MAIL)
    servers.store.expunge("INBOX", [1])
    with client_of(servers, "INBOX") as client:
        before = client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"]
        servers.store.renew("INBOX")
        with pytest.raises((imaplib.IMAP4.abort, ConnectionError)):  # told by BYE, or by the closed wire after it
            client.noop()
            client.noop()
    with client_of(servers, "INBOX") as client:
        assert client.search("ALL") == [1, 2]
        assert client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"] > before


def test_a_test_can_make_the_server_misbehave(servers: MailServers) -> None:
    servers.imap.fault = lambda command: b"* BYE Maintenance\r\n*" if command.name == "EXAMINE" else None
    with client_of(servers) as client, pytest.raises(imaplib.IMAP4.abort):
        client.select_folder("INBOX", readonly=True)
    servers.imap.fault = None
    with client_of(servers, "INBOX"):
        assert "EXAMINE" in servers.imap.commands


def test_smtp_takes_mail_only_after_a_log_in_and_keeps_the_exact_bytes(servers: MailServers) -> None:
    with smtplib.SMTP("127.0.0.1", servers.smtp.port, timeout=20) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused, match="530"):
            smtp.sendmail(ADDRESS, ["ana@posta.example"], b"Subject: x\r\n\r\nx\r\n")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login(ADDRESS, "wrong")
        smtp.login(ADDRESS, servers.password)
        smtp.sendmail(ADDRESS, ["ana@posta.example", "b@posta.example"], b"Subject: x\r\n\r\n.dot\r\n")
    (mail,) = servers.sent
    assert (mail.sender, mail.recipients) == (ADDRESS, ("ana@posta.example", "b@posta.example"))
    assert mail.content == b"Subject: x\r\n\r\n.dot\r\n"
    (kept,) = (servers.folder / "accepted").glob("*.eml")
    assert kept.read_bytes() == mail.content


def test_smtp_refuses_a_recipient_when_told_to(servers: MailServers) -> None:
    servers.smtp.fault = lambda phase, argument: "550 5.1.1 Nobody" if argument == "no@posta.example" else None
    with smtplib.SMTP("127.0.0.1", servers.smtp.port, timeout=20) as smtp:
        smtp.login(ADDRESS, servers.password)
        refused = smtp.sendmail(ADDRESS, ["no@posta.example", "yes@posta.example"], b"Subject: x\r\n\r\nx\r\n")
    assert list(refused) == ["no@posta.example"]
    assert [mail.recipients for mail in servers.sent] == [("yes@posta.example",)]


@given(st.sets(st.integers(1, 60)), st.lists(st.tuples(st.integers(1, 70), st.integers(1, 70)), min_size=1, max_size=6))
def test_a_number_set_names_exactly_its_members(numbers: set[int], ranges: list[tuple[int, int]]) -> None:
    text = ",".join(f"{first}:{last}" for first, last in ranges)
    expected = {n for n in numbers for first, last in ranges if min(first, last) <= n <= max(first, last)}
    assert choose(text, sorted(numbers)) == sorted(expected)
