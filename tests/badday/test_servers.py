"""Servers that refuse, are away, break off, forget, or number anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from imapclient import IMAPClient

from tests.badday.day import ADDRESS, Day
from tests.servers.certificate import make_certificate
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.recording_smtp import RecordingSmtp
from tests.servers.requirement import free_port
from tests.servers.scripted_imap import running_scripted_imap


def letter(number: int) -> bytes:
    return (
        f"From: c{number}@example.org\r\nTo: {ADDRESS}\r\nSubject: Order {number}\r\n"
        f"Message-ID: <m{number}@example.org>\r\nDate: Mon, 23 Nov 2026 09:{number % 60:02}:00 +0000\r\n\r\n"
        f"mail {number:03}\r\n"
    ).encode()


def texts(count: int) -> list[str]:
    return [f"mail {number:03}" for number in range(1, count + 1)]


# --- The credentials ------------------------------------------------------------------------------------------------


def test_f05_a_wrong_password_is_refused_in_words_and_nothing_is_saved(
    day: Day, dovecot: Dovecot, smtp: RecordingSmtp, user: str
) -> None:
    done = day.connect(dovecot.port, smtp.port, user=user, password="wrong")

    assert done["code"] == 1
    assert done["err"].startswith(f"balas: 127.0.0.1:{dovecot.port} refused the password for {user}. It said: “")
    assert done["err"].endswith("Nothing was saved.\n")
    assert day.balas("account", "list", "--json")["out"] == ""


def test_f05_a_password_that_was_changed_parks_the_account_and_asks_for_a_new_login(
    day: Day, smtp: RecordingSmtp
) -> None:
    with running_scripted_imap() as imap:
        imap.folders["INBOX"].mails = {1: letter(1)}
        assert day.connect(imap.port, smtp.port)["code"] == 0
        assert day.poll()["new"] == 1
        imap.login_answer = "NO [AUTHENTICATIONFAILED] Invalid credentials"

        polled = day.poll()
        stood = day.act("account")
        listed = day.balas("account", "list")["out"]

    assert polled["code"] == 1
    said = "It said: “[AUTHENTICATIONFAILED] Invalid credentials”."
    assert polled["sentence"] == f"127.0.0.1:{imap.port} refused the password for {ADDRESS}. {said}"
    assert (stood["state"], stood["sentence"], stood["wait"]) == ("needs-login", polled["sentence"], None)
    assert not stood["is_due_within_five_minutes"]
    assert "needs-login" in listed and polled["sentence"] in listed
    assert day.texts() == texts(1)


REFUSALS = (
    "NO [UNAVAILABLE] Temporary authentication failure",
    "NO [INUSE] mailbox is locked",
    "NO Too many connections, try again later",
    "NO [SERVERBUG] Internal error",
    "* BYE going down",
)


@pytest.mark.parametrize("answer", REFUSALS)
def test_f05_only_a_refusal_of_the_credentials_parks(day: Day, smtp: RecordingSmtp, answer: str) -> None:
    with running_scripted_imap() as imap:
        imap.folders["INBOX"].mails = {1: letter(1)}
        assert day.connect(imap.port, smtp.port)["code"] == 0
        imap.login_answer = answer

        [failed] = day.act("poll_again")
        imap.login_answer = "OK logged in"
        [well] = day.act("poll_again")

    assert failed["state"] == "retrying" and failed["sentence"] and failed["is_due_within_five_minutes"]
    assert (well["state"], well["sentence"], well["messages"]) == ("ok", "", 1)


# --- The server -----------------------------------------------------------------------------------------------------


def test_f04_f05_a_server_that_was_away_for_days_is_tried_every_five_minutes_and_catches_up_by_itself(
    day: Day, smtp: RecordingSmtp
) -> None:
    with running_scripted_imap() as imap:
        imap.folders["INBOX"].mails = {1: letter(1)}
        assert day.connect(imap.port, smtp.port)["code"] == 0
        day.poll()
        port = imap.port

    stages = day.act("poll_again", times=12)

    with running_scripted_imap(port) as imap:
        imap.folders["INBOX"].mails = {number: letter(number) for number in range(1, 41)}
        [well] = day.act("poll_again")

    assert {stage["state"] for stage in stages} == {"retrying"}
    assert {stage["sentence"] for stage in stages} == {f"127.0.0.1:{port} refuses connections. The server may be down."}
    assert all(0 < stage["wait"] <= 300 for stage in stages)
    assert [round(stage["wait"], -1) for stage in stages[-3:]] == [300] * 3
    assert (well["state"], well["sentence"]) == ("ok", "")
    assert day.texts() == texts(40)


def test_f05_a_certificate_that_nobody_trusts_is_refused_in_words(
    day: Day, dovecot: Dovecot, smtp: RecordingSmtp, user: str
) -> None:
    done = day.connect(dovecot.tls_port, smtp.port, user=user, password=dovecot.password, scheme="imaps")

    assert done["code"] == 1
    assert done["err"].startswith(f"balas: The certificate of 127.0.0.1:{dovecot.tls_port} is not trusted: ")
    assert "Nothing was sent to it." in done["err"]


def test_f05_a_certificate_that_goes_bad_keeps_the_account_retrying(
    day: Day, dovecot: Dovecot, smtp: RecordingSmtp, user: str, tmp_path: Path
) -> None:
    trusted = tmp_path / "ca.pem"
    shutil.copy(dovecot.certificate.ca, trusted)
    dovecot.deliver(user, [letter(1)])
    given = {"user": user, "password": dovecot.password, "scheme": "imaps"}
    assert day.connect(dovecot.tls_port, smtp.port, "--ca-file", str(trusted), **given)["code"] == 0
    (tmp_path / "other").mkdir()
    shutil.copy(make_certificate(tmp_path / "other").ca, trusted)

    [failed] = day.act("poll_again")
    shutil.copy(dovecot.certificate.ca, trusted)
    [well] = day.act("poll_again")

    assert failed["state"] == "retrying"
    assert failed["sentence"].startswith(f"The certificate of 127.0.0.1:{dovecot.tls_port} is not trusted")
    assert (well["state"], well["messages"]) == ("ok", 1)


def test_f05_an_encrypted_connection_to_a_plain_port_is_said(day: Day, dovecot: Dovecot, smtp: RecordingSmtp) -> None:
    done = day.connect(dovecot.port, smtp.port, scheme="imaps")

    assert done["code"] == 1
    assert done["err"].startswith(f"balas: No secure connection to 127.0.0.1:{dovecot.port} could be made (")
    assert "Is this the right port for this kind of connection?" in done["err"]


def test_nobody_at_the_port_is_said(day: Day, smtp: RecordingSmtp) -> None:
    port = free_port()

    done = day.connect(port, smtp.port)

    assert done["err"] == (f"balas: 127.0.0.1:{port} refuses connections. The server may be down. Nothing was saved.\n")


@pytest.mark.parametrize("fault", ["goodbye_at", "cut_at"])
def test_f05_a_server_that_breaks_off_in_the_middle_loses_nothing(day: Day, smtp: RecordingSmtp, fault: str) -> None:
    with running_scripted_imap() as imap:
        imap.folders["INBOX"].mails = {number: letter(number) for number in range(1, 31)}
        assert day.connect(imap.port, smtp.port)["code"] == 0
        setattr(imap, fault, 12)

        [failed] = day.act("poll_again")
        setattr(imap, fault, None)
        [well] = day.act("poll_again")

    said = "“[UNAVAILABLE] server is going down”" if fault == "goodbye_at" else "was lost while"
    assert failed["state"] == "retrying" and said in failed["sentence"]
    assert well["state"] == "ok"
    assert day.texts() == texts(30)


# --- Numbers --------------------------------------------------------------------------------------------------------


def test_f06_a_new_uidvalidity_with_mail_in_the_gap_loses_nothing_and_shows_nothing_twice(
    day: Day, dovecot: Dovecot, smtp: RecordingSmtp, user: str
) -> None:
    dovecot.deliver(user, [letter(number) for number in range(1, 31)])
    assert day.connect(dovecot.port, smtp.port, user=user, password=dovecot.password)["code"] == 0
    day.poll()
    dovecot.deliver(user, [letter(number) for number in range(31, 51)])
    dovecot.new_epoch(user)

    polled = day.poll()

    assert (polled["sentence"], polled["new"]) == (None, 50)
    assert day.texts() == texts(50)
    assert len(day.act("seen")) == 50
    status = day.status()
    assert (status["on_server"], status["stored"], status["complete"]) == (50, 50, True)


def test_f08_a_mail_that_the_server_omits_is_pending_in_words_and_arrives_later(day: Day, smtp: RecordingSmtp) -> None:
    with running_scripted_imap() as imap:
        imap.folders["INBOX"].mails = {number: letter(number) for number in range(1, 11)}
        assert day.connect(imap.port, smtp.port)["code"] == 0
        imap.omit = lambda uid: uid in {4, 7}

        first = day.poll()
        before, status = day.texts(), day.status()
        troubles = day.act("account")["troubles"]
        imap.omit = lambda uid: False
        day.poll()

    assert first["new"] == 8
    assert before == [one for one in texts(10) if one not in {"mail 004", "mail 007"}]
    assert (status["on_server"], status["stored"], status["pending"], status["complete"]) == (10, 8, 2, False)
    assert sorted(troubles) == [
        [uid, f"127.0.0.1:{imap.port} lists mail {uid} in INBOX but does not hand it over."] for uid in ("4", "7")
    ]
    assert day.texts() == texts(10)
    assert day.status()["complete"] is True


def test_f11_idle_polls_bring_nothing_again(day: Day, smtp: RecordingSmtp) -> None:
    with running_scripted_imap() as imap:
        imap.folders["INBOX"].mails = {5: letter(5)}
        assert day.connect(imap.port, smtp.port)["code"] == 0

        stages = day.act("poll_again", times=20)

    assert [stage["new"] for stage in stages] == [1] + [0] * 19
    assert [stage["fetched"] for stage in stages] == [1] + [0] * 19
    assert (stages[-1]["items"], stages[-1]["messages"]) == (1, 1)


def test_f01_f02_another_client_that_reads_the_mail_first_hides_nothing(
    day: Day, dovecot: Dovecot, smtp: RecordingSmtp, user: str
) -> None:
    dovecot.deliver(user, [letter(number) for number in range(1, 11)])
    assert day.connect(dovecot.port, smtp.port, user=user, password=dovecot.password)["code"] == 0
    with IMAPClient("127.0.0.1", dovecot.port, ssl=False) as other:
        other.login(user, dovecot.password)
        other.select_folder("INBOX")
        other.add_flags([1, 3, 5, 7, 10], [b"\\Seen"])
        day.poll()
        dovecot.deliver(user, [letter(number) for number in range(11, 21)], seen=True)
        other.noop()
        other.add_flags(range(1, 21), [b"\\Seen", b"\\Answered"])
        day.poll()
        untouched = other.fetch([2], ["FLAGS"])[2][b"FLAGS"]

    assert day.texts() == texts(20)
    assert set(untouched) >= {b"\\Seen", b"\\Answered"}


def test_f05_a_server_that_restarts_between_two_polls_is_found_again(day: Day, smtp: RecordingSmtp) -> None:
    with running_dovecot() as server:
        server.deliver(ADDRESS, [letter(1)])
        assert day.connect(server.port, smtp.port, password=server.password)["code"] == 0
        day.poll()
        server.process.terminate()
        server.process.wait(10)

        away = day.poll()

    assert away["code"] == 1
    assert away["sentence"] == f"127.0.0.1:{server.port} refuses connections. The server may be down."
    assert day.texts() == texts(1)
