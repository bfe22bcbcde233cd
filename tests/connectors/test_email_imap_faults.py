"""Fetching from a server that breaks the rules: holes, lies, BYE in the middle, silence."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from connectors.base import AuthFailed, ConnectorError, RetryLater
from connectors.mail import EmailConnector
from connectors.messages import Known, Wish
from connectors.registry import SecretText
from tests.connectors.paper_shelf import PaperShelf, QuickConnector, imap_account, mail
from tests.servers.scripted_imap import ScriptedFolder, ScriptedImap, running_scripted_imap


@pytest.fixture
def server() -> Iterator[ScriptedImap]:
    with running_scripted_imap() as running:
        yield running


@pytest.fixture
def connector(server: ScriptedImap, tmp_path: Path) -> Iterator[EmailConnector]:
    made = make(server, tmp_path)
    yield made
    made.close()


def make(server: ScriptedImap, spool: Path, **settings: object) -> EmailConnector:
    return QuickConnector(imap_account(server.port, spool, **settings), {"password": SecretText("secret")})


def fill(server: ScriptedImap, uids: range | list[int], folder: str = "INBOX") -> None:
    server.folders[folder].mails.update({uid: mail(uid) for uid in uids})


def fetch_until_it_fails(shelf: PaperShelf, connector: EmailConnector, wish: Wish | None = None) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        shelf.fetch(connector, wish)
    return caught.value


def test_f3_one_mail_missing_from_each_answer_costs_no_other(server: ScriptedImap, connector: EmailConnector) -> None:
    fill(server, range(1, 901))
    server.omit = lambda uid: uid % 300 == 7
    shelf = PaperShelf()
    assert shelf.fetch(connector) == 897
    assert shelf.of("INBOX").troubled == ("307", "607", "7")
    assert shelf.of("INBOX").ranges == ((1, 6), (8, 306), (308, 606), (608, 900))
    server.omit = lambda uid: False
    assert shelf.fetch(connector) == 3
    assert shelf.of("INBOX").ranges == ((1, 900),)


def test_f8_mails_omitted_at_random_all_arrive_in_the_end(server: ScriptedImap, connector: EmailConnector) -> None:
    fill(server, range(1, 301))
    chance = random.Random(8)
    server.omit = lambda uid: chance.random() < 0.3
    server.omit_sizes = lambda uid: chance.random() < 0.1
    shelf = PaperShelf()
    for _ in range(15):
        shelf.fetch(connector, Wish(page_items=20))
    server.omit = server.omit_sizes = lambda uid: False
    shelf.fetch(connector)
    assert shelf.uids() == list(range(1, 301))
    assert shelf.of("INBOX").troubled == ()


def test_f8_a_troubled_mail_is_gone_only_after_two_listings_a_minute_apart(
    server: ScriptedImap, connector: EmailConnector, now: datetime
) -> None:
    fill(server, range(1, 6))
    server.omit = lambda uid: uid == 3
    shelf = PaperShelf()
    with time_machine.travel(now) as clock:
        shelf.fetch(connector)
        assert "lists mail 3 in INBOX but does not hand it over" in next(iter(shelf.reasons.values()))
        del server.folders["INBOX"].mails[3]
        shelf.fetch(connector)
        clock.shift(timedelta(seconds=59))
        shelf.fetch(connector)
        assert (shelf.gone, shelf.of("INBOX").troubled) == ([], ("3",))
        clock.shift(timedelta(seconds=2))
        shelf.fetch(connector)
    assert [uid for _, uid in shelf.gone] == ["3"]
    assert (shelf.of("INBOX").troubled, shelf.of("INBOX").ranges) == ((), ((1, 5),))


def test_f8_a_troubled_mail_that_a_listing_shows_again_is_not_gone(
    server: ScriptedImap, connector: EmailConnector, now: datetime
) -> None:
    fill(server, range(1, 6))
    server.omit = lambda uid: uid == 3
    shelf = PaperShelf()
    with time_machine.travel(now) as clock:
        shelf.fetch(connector)
        server.hide = lambda uid: uid == 3
        shelf.fetch(connector)
        server.hide = lambda uid: False
        clock.shift(timedelta(seconds=90))
        shelf.fetch(connector)
        server.hide = lambda uid: uid == 3
        clock.shift(timedelta(seconds=90))
        shelf.fetch(connector)
    assert shelf.gone == []


def test_the_newest_mail_may_be_listed_late(server: ScriptedImap, connector: EmailConnector) -> None:
    fill(server, range(1, 11))
    server.hide = lambda uid: uid > 8
    shelf = PaperShelf()
    assert shelf.fetch(connector) == 8
    assert shelf.fetch(connector) == 0
    server.hide = lambda uid: False
    assert shelf.fetch(connector) == 2


def test_f11_an_idle_poll_is_one_round_trip_and_never_asks_for_a_star(
    server: ScriptedImap, connector: EmailConnector
) -> None:
    server.folders["Sent"] = ScriptedFolder()
    fill(server, range(1, 51))
    shelf = PaperShelf()
    shelf.fetch(connector)
    for _ in range(20):
        mark, sent = len(server.commands), server.sent_bytes
        assert shelf.fetch(connector) == 0
        assert server.since(mark) == ["NOOP", 'STATUS "Sent" (MESSAGES UIDNEXT UIDVALIDITY)']
        assert server.sent_bytes - sent <= 256
    assert not any("*" in command for command in server.commands if command.startswith("UID"))


def test_f12_a_mail_the_server_cannot_read_blocks_no_other(server: ScriptedImap, connector: EmailConnector) -> None:
    fill(server, range(1, 51))
    server.refuse = lambda uid: uid == 20
    shelf = PaperShelf()
    assert shelf.fetch(connector) == 49
    assert shelf.of("INBOX").troubled == ("20",)
    assert "internal error on message" in next(iter(shelf.reasons.values()))


def test_a_server_that_refuses_everything_is_asked_again_later(server: ScriptedImap, connector: EmailConnector) -> None:
    fill(server, range(1, 51))
    server.refuse = lambda uid: True
    shelf = PaperShelf()
    assert isinstance(fetch_until_it_fails(shelf, connector), RetryLater)
    assert len(shelf.of("INBOX").troubled) < 10
    server.refuse = lambda uid: False
    shelf.fetch(connector)
    assert shelf.uids() == list(range(1, 51))


def test_a_goodbye_in_the_middle_keeps_what_came_and_the_rest_follows(
    server: ScriptedImap, connector: EmailConnector
) -> None:
    fill(server, range(1, 101))
    server.goodbye_at = 55
    shelf = PaperShelf()
    error = fetch_until_it_fails(shelf, connector, Wish(page_items=10))
    assert isinstance(error, RetryLater)
    assert error.sentence == (f"127.0.0.1:{server.port} ended the connection: “[UNAVAILABLE] server is going down”.")
    assert 0 < len(shelf.items) < 100
    server.goodbye_at = None
    shelf.fetch(connector, Wish(page_items=10))
    assert shelf.uids() == list(range(1, 101))


@pytest.mark.parametrize("fault", ["cut_at", "lie_at"])
def test_f12_a_mail_that_kills_the_connection_each_time_is_found_out(
    server: ScriptedImap, tmp_path: Path, now: datetime, fault: str
) -> None:
    fill(server, range(1, 41))
    setattr(server, fault, 17)
    shelf = PaperShelf()
    with time_machine.travel(now) as clock:
        for _ in range(6):
            connector = make(server, tmp_path)
            try:
                shelf.fetch(connector, Wish(page_items=10))
            except RetryLater:
                pass
            finally:
                connector.close()
        assert shelf.uids() == [uid for uid in range(1, 41) if uid != 17]
        assert shelf.of("INBOX").troubled == ("17",)
        setattr(server, fault, None)
        clock.shift(timedelta(hours=7))
        connector = make(server, tmp_path)
        assert shelf.fetch(connector) == 1
        connector.close()


@pytest.mark.parametrize("command", ["LOGIN", "EXAMINE", "UID SEARCH", "UID FETCH"])
def test_f20_silence_is_noticed_and_the_next_fetch_works(
    server: ScriptedImap, connector: EmailConnector, command: str
) -> None:
    fill(server, range(1, 6))
    server.silent_on = command
    shelf = PaperShelf()
    error = fetch_until_it_fails(shelf, connector)
    assert isinstance(error, RetryLater)
    assert "did not answer in time" in error.sentence
    server.silent_on = ""
    assert shelf.fetch(connector) == 5


def test_f20_a_connection_that_died_while_idle_is_replaced_without_a_word(
    server: ScriptedImap, connector: EmailConnector
) -> None:
    fill(server, [1])
    shelf = PaperShelf()
    shelf.fetch(connector)
    connector._mailbox.open_session()._client.socket().shutdown(2)  # type: ignore[attr-defined]
    fill(server, [2])
    assert shelf.fetch(connector) == 1


@pytest.mark.parametrize("shape", ["quoted_bodies", "uid_last"])
def test_answers_of_an_unusual_shape_are_read(server: ScriptedImap, connector: EmailConnector, shape: str) -> None:
    setattr(server, shape, True)
    mails = {1: b'one line with "quotes" and \\ and UID 9', 2: mail(2), 3: b"", 4: b"x" * 300_000}
    server.folders["INBOX"].mails.update(mails)
    shelf = PaperShelf()
    assert shelf.fetch(connector) == 4
    assert sorted(shelf.contents()) == sorted(mails.values())


def test_a_server_that_keeps_uidnext_to_itself_is_read_all_the_same(
    server: ScriptedImap, connector: EmailConnector
) -> None:
    server.hides_uid_next = True
    shelf = PaperShelf()
    assert shelf.fetch(connector) == 0
    fill(server, range(1, 31))
    assert shelf.fetch(connector) == 30
    fill(server, [35])
    assert [shelf.fetch(connector), shelf.fetch(connector)] == [1, 0]


def test_f7_numbers_given_out_again_open_a_new_epoch(server: ScriptedImap, connector: EmailConnector) -> None:
    fill(server, range(1, 21))
    shelf = PaperShelf()
    shelf.fetch(connector)
    server.folders["INBOX"].mails = {uid: mail(uid + 500) for uid in range(1, 11)}
    assert shelf.fetch(connector) == 10  # UIDNEXT went back from 21 to 11
    assert len(shelf.retired) == 1


def test_f7_a_canary_with_another_date_opens_a_new_epoch(server: ScriptedImap, tmp_path: Path) -> None:
    fill(server, range(1, 21))
    shelf = PaperShelf()
    first = make(server, tmp_path)
    shelf.fetch(first)
    first.close()
    server.folders["INBOX"].mails = {uid: mail(uid + 500) for uid in range(1, 21)}
    server.dates = {20: "01-Jan-2026 00:00:00 +0000"}
    second = make(server, tmp_path)
    assert shelf.fetch(second) == 20
    second.close()


def test_f7_a_flapping_uidvalidity_never_brings_an_old_scope_back(server: ScriptedImap, tmp_path: Path) -> None:
    fill(server, range(1, 4))
    shelf = PaperShelf()
    for value in (1000, 2000, 1000, 2000, 1000):
        server.folders["INBOX"].uid_validity = value
        connector = make(server, tmp_path)
        assert shelf.fetch(connector) == 3
        connector.close()
    assert len({scope for scope, _ in shelf.items}) == 5


def test_f7_a_flapping_uidvalidity_does_not_bring_everything_each_time(
    server: ScriptedImap, tmp_path: Path, now: datetime
) -> None:
    fill(server, range(1, 501))
    shelf = PaperShelf()
    with time_machine.travel(now) as clock:
        brought = []
        for value in range(6):
            server.folders["INBOX"].uid_validity = 1000 + value
            connector = make(server, tmp_path)
            brought.append(shelf.fetch(connector))
            connector.close()
            clock.shift(timedelta(minutes=5))
        assert brought == [500, 500, 500, 500, 200, 200]
        clock.shift(timedelta(hours=1))
        connector = make(server, tmp_path)
        assert shelf.fetch(connector) == 300
        connector.close()


def test_f23_one_connection_serves_all_folders_and_fetches(server: ScriptedImap, connector: EmailConnector) -> None:
    server.folders["Sent"] = ScriptedFolder({1: mail(1)})
    fill(server, range(1, 4))
    shelf = PaperShelf()
    for uid in range(4, 8):
        shelf.fetch(connector)
        fill(server, [uid])
    assert server.connections == 1


def test_numbers_spread_over_the_whole_range_are_listed_in_few_steps(
    server: ScriptedImap, connector: EmailConnector
) -> None:
    uids = [1, 2, 3_000_000, 2_000_000_000, 4_294_967_000]
    fill(server, uids)
    shelf = PaperShelf()
    assert shelf.fetch(connector) == 5
    assert shelf.uids() == uids
    assert sum(command.startswith("UID SEARCH") for command in server.commands) < 12


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("NO [AUTHENTICATIONFAILED] Authentication failed.", AuthFailed),
        ("NO [ALERT] Invalid credentials (Failure)", AuthFailed),
        ("NO LOGIN failed.", AuthFailed),
        ("NO [ALERT] Application-specific password required", AuthFailed),
        ("NO [AUTHENTICATIONFAILED] Authentication failed, please try again", AuthFailed),
        ("NO [UNAVAILABLE] Temporary authentication failure.", RetryLater),
        ("NO [LIMIT] Maximum number of connections from user+IP exceeded", RetryLater),
        ("NO Too many simultaneous connections", RetryLater),
        ("NO [INUSE] mailbox busy", RetryLater),
        ("NO Internal error occurred. Refer to server log", RetryLater),
        ("BAD [THROTTLED] slow down", RetryLater),
    ],
)
def test_f5_only_a_refusal_of_the_credentials_parks_an_account(
    server: ScriptedImap, connector: EmailConnector, answer: str, kind: type[ConnectorError]
) -> None:
    server.login_answer = answer
    with pytest.raises(kind):
        list(connector.fetch(Known(), Wish()))


def test_f5_two_hundred_random_faults_never_park_the_account_and_lose_nothing(
    server: ScriptedImap, tmp_path: Path, now: datetime
) -> None:
    fill(server, range(1, 61))
    chance = random.Random(5)
    shelf = PaperShelf()
    with time_machine.travel(now) as clock:
        for _ in range(200):
            fault = chance.choice(["goodbye_at", "cut_at", "login", "none"])
            server.goodbye_at = chance.randrange(1, 61) if fault == "goodbye_at" else None
            server.cut_at = chance.randrange(1, 61) if fault == "cut_at" else None
            server.login_answer = "NO [UNAVAILABLE] later" if fault == "login" else "OK fine"
            connector = make(server, tmp_path)
            try:
                shelf.fetch(connector, Wish(page_items=5))
            except RetryLater:
                pass
            finally:
                connector.close()
            clock.shift(timedelta(minutes=5))
        server.goodbye_at = server.cut_at = None
        server.login_answer = "OK fine"
        clock.shift(timedelta(hours=7))
        connector = make(server, tmp_path)
        shelf.fetch(connector)
        connector.close()
    assert shelf.uids() == list(range(1, 61))
    assert shelf.of("INBOX").troubled == ()
    assert list(tmp_path.rglob("*.eml")) == []
