"""The doorbell of a mailbox, against a real Dovecot and a server that misbehaves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from connectors.base import AuthFailed, HasDoorbell, Refused, RetryLater, Unsupported
from connectors.mail import EmailConnector, idling, talk
from connectors.mail.idling import RENEW_AFTER, MailDoorbell
from connectors.registry import AccountSettings, SecretText
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.requirement import free_port
from tests.servers.scripted_imap import ScriptedImap, running_scripted_imap
from tests.servers.stalling_proxy import running_stalling_proxy

T = TypeVar("T")
MAIL = b"Subject: hello\r\n\r\nworld\r\n"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


def connector_at(port: int, tmp_path: Path, password: str = "secret", **settings: Any) -> EmailConnector:
    imap = {"scheme": "imap", "host": "127.0.0.1", "port": port, "user": "ana", **settings.pop("imap", {})}
    account = AccountSettings("email", "ana@example.org", {"imap": imap, **settings}, tmp_path)
    return EmailConnector(account, {"password": SecretText(password)})


def with_bell(connector: EmailConnector, act: Callable[[MailDoorbell], Awaitable[T]]) -> T:
    async def run() -> T:
        bell = await connector.open_doorbell()
        try:
            return await act(bell)
        finally:
            bell.close()

    return asyncio.run(asyncio.wait_for(run(), 30))


@pytest.mark.parametrize("scheme", ["imap", "imap+starttls", "imaps"])
def test_it_rings_when_mail_arrives_whatever_the_encryption(dovecot: Dovecot, tmp_path: Path, scheme: str) -> None:
    user = "bell-" + scheme.replace("+", "-")
    dovecot.deliver(user, [MAIL])
    imap = {"scheme": scheme, "host": "localhost", "user": user}
    port = dovecot.tls_port if scheme == "imaps" else dovecot.port
    connector = connector_at(port, tmp_path, dovecot.password, imap=imap, ca_file=str(dovecot.certificate.ca))

    async def act(bell: MailDoorbell) -> list[bool]:
        quiet = await bell.wait(0.1)
        dovecot.deliver(user, [MAIL])
        return [quiet, await bell.wait(10), await bell.wait(0.1)]

    assert with_bell(connector, act) == [False, True, False], "one burst of words is one ring"


def test_asked_instead_of_waited_for_it_tells_as_well_and_can_wait_again(dovecot: Dovecot, tmp_path: Path) -> None:
    dovecot.deliver("probed", [MAIL])
    connector = connector_at(dovecot.port, tmp_path, dovecot.password, imap={"user": "probed"})

    async def act(bell: MailDoorbell) -> list[bool]:
        before = await bell.look()
        dovecot.deliver("probed", [MAIL])
        found = [before, await bell.look()]
        dovecot.deliver("probed", [MAIL])
        return [*found, await bell.wait(10)]

    assert with_bell(connector, act) == [False, True, True]


def test_marks_are_equal_as_long_as_nothing_came(dovecot: Dovecot, tmp_path: Path) -> None:
    dovecot.deliver("marked", [MAIL])
    connector = connector_at(dovecot.port, tmp_path, dovecot.password, imap={"user": "marked"})

    async def mark(bell: MailDoorbell) -> tuple[int, ...] | None:
        return bell.mark

    first, second = with_bell(connector, mark), with_bell(connector, mark)
    dovecot.deliver("marked", [MAIL])
    third = with_bell(connector, mark)
    assert first is not None and first == second != third


def test_a_folder_with_letters_of_any_kind_is_listened_to_and_several_are_not_all_heard(
    dovecot: Dovecot, tmp_path: Path
) -> None:
    dovecot.deliver("folders", [MAIL], folder="Anfr&AOQ-gen")
    connector = connector_at(
        dovecot.port, tmp_path, dovecot.password, imap={"user": "folders"}, folders=["Anfrägen", "INBOX"]
    )

    async def act(bell: MailDoorbell) -> tuple[bool, bool]:
        dovecot.deliver("folders", [MAIL], folder="Anfr&AOQ-gen")
        return bell.is_whole, await bell.wait(10)

    assert with_bell(connector, act) == (False, True)


def test_the_connection_keeps_itself_alive_and_gives_up_within_two_minutes(dovecot: Dovecot, tmp_path: Path) -> None:
    connector = connector_at(dovecot.port, tmp_path, dovecot.password)

    async def options(bell: MailDoorbell) -> list[int]:
        sock = bell._talk.channel._sock
        level = socket.IPPROTO_TCP
        names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        return [sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), *(sock.getsockopt(level, n) for n in names)]

    assert with_bell(connector, options) == [1, 60, 15, 4]
    assert RENEW_AFTER <= 240
    assert talk.ANSWER_WITHIN <= 30


def test_a_server_without_idle_has_no_doorbell(tmp_path: Path) -> None:
    with running_scripted_imap() as server:
        server.capabilities = "IMAP4rev1"
        with pytest.raises(Unsupported, match="has no doorbell"):
            asyncio.run(connector_at(server.port, tmp_path).open_doorbell())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("NO [AUTHENTICATIONFAILED] Authentication failed.", AuthFailed),
        ("NO [UNAVAILABLE] try again later", RetryLater),
        ("* BYE too many connections", RetryLater),
    ],
)
def test_a_refused_log_in_says_whether_the_password_is_the_reason(
    tmp_path: Path, answer: str, error: type[Exception]
) -> None:
    with running_scripted_imap() as server:
        server.login_answer = answer
        with pytest.raises(error) as told:
            asyncio.run(connector_at(server.port, tmp_path, password="hush-hush").open_doorbell())
    assert "hush-hush" not in str(told.value)


def test_a_line_break_in_a_password_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with running_scripted_imap() as server:
        with pytest.raises(Refused, match="line break"):
            asyncio.run(connector_at(server.port, tmp_path, password="a\r\nb").open_doorbell())
        assert not any("a" in command for command in server.commands)


def test_a_server_that_is_not_there_is_tried_later(tmp_path: Path) -> None:
    with pytest.raises(RetryLater, match="refuses connections"):
        asyncio.run(connector_at(free_port(), tmp_path).open_doorbell())


@pytest.mark.parametrize("words", ["* BYE shutting down", "* BYE", None])
def test_f20_a_goodbye_in_the_middle_ends_the_wait_at_once(tmp_path: Path, words: str | None) -> None:
    with running_scripted_imap() as server:

        async def act(bell: MailDoorbell) -> None:
            server.say_and_close = words or "* OK nothing more"
            await bell.wait(20)

        with pytest.raises(RetryLater):
            with_bell(connector_at(server.port, tmp_path), act)


def test_f20_idle_is_ended_and_begun_again_and_what_is_said_meanwhile_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idling, "RENEW_AFTER", 0.05)
    with running_scripted_imap() as server:

        async def act(bell: MailDoorbell) -> bool:
            assert not await bell.wait(0.3)
            server.folders["INBOX"].mails[1] = MAIL
            return await bell.wait(10)

        assert with_bell(connector_at(server.port, tmp_path), act)
        assert server.commands.count("DONE") > 2
        assert server.commands.count("IDLE") > 2


def test_f20_a_peer_that_acknowledges_and_says_nothing_is_noticed_by_its_unanswered_done(
    dovecot: Dovecot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "ANSWER_WITHIN", 0.3)
    with running_stalling_proxy(dovecot.port) as proxy:

        async def act(bell: MailDoorbell) -> None:
            proxy.is_stalled = True
            assert not await bell.wait(0.1), "while nobody asks, silence is no sign of anything"
            bell.hurry()
            await bell.wait(20)

        with pytest.raises(RetryLater, match="did not answer in time") as told:
            with_bell(connector_at(proxy.port, tmp_path, dovecot.password), act)
        assert isinstance(told.value.__cause__, TimeoutError), "the listener tells silence from an end by this"


def test_words_before_encryption_are_nobodys(tmp_path: Path) -> None:
    """A STARTTLS answer with more words glued to it could be an attacker's (CVE-2021-38371 and its kin)."""
    with running_scripted_imap() as server:
        server.after_starttls = "* OK [CAPABILITY IMAP4rev1 IDLE] injected"
        with pytest.raises(RetryLater, match="words before encryption"):
            asyncio.run(connector_at(server.port, tmp_path, imap={"scheme": "imap+starttls"}).open_doorbell())


def test_an_endless_line_is_no_answer(tmp_path: Path) -> None:
    with running_scripted_imap() as server:

        async def act(bell: MailDoorbell) -> None:
            server.say_and_close = "* " + 100_000 * "x"
            await bell.wait(20)

        with pytest.raises(RetryLater, match="no proper answer"):
            with_bell(connector_at(server.port, tmp_path), act)


def test_a_mail_connector_has_a_doorbell(tmp_path: Path) -> None:
    assert isinstance(connector_at(1, tmp_path), HasDoorbell)


def test_the_scripted_server_is_what_these_tests_take_it_for() -> None:
    assert ScriptedImap(1).capabilities.split() == ["IMAP4rev1", "IDLE"]
