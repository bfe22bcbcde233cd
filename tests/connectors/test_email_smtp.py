"""Sending: what became of each recipient, and never twice. Deliveries are counted at the server."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtplib import SMTP, SMTPException

from connectors.base import AuthFailed, ConnectorError, OutcomeUnknown, RetryLater
from connectors.mail import EmailConnector
from connectors.mail.smtp import Timeouts
from connectors.mail.smtpwire import transparent
from connectors.messages import OutboundMessage, Outcome, Receipt
from connectors.registry import AccountSettings, SecretText
from tests.connectors.paper_shelf import QuickConnector, mail
from tests.servers.faulty_smtp import Fault, Phase, running_faulty_smtp
from tests.servers.recording_smtp import RecordingSmtp, running_recording_smtp
from tests.servers.requirement import free_port
from tests.servers.smtp_sink import running_smtp_sink


class PatientConnector(QuickConnector):
    """Waits a second for each step: longer than a slow server of these tests takes."""

    timeouts = Timeouts(connect=3, greeting=1, mail=1, recipient=1, data=1, block=1, dot=1)


def sender(
    port: int, spool: Path, kind: type[EmailConnector] = QuickConnector, password: str = "", **settings: object
) -> EmailConnector:
    smtp = {"scheme": "smtp", "host": "127.0.0.1", "port": port, "user": "ana", **settings}
    account = AccountSettings("email", "ana@example.org", {"smtp": smtp}, spool)
    return kind(account, {"password": SecretText(password)})


def message(number: int = 1, *recipients: str) -> OutboundMessage:
    to = recipients or ("bob@example.net",)
    return OutboundMessage(f"q{number}@example.net", "ana@example.org", to, mail(number))


def nothing() -> None:
    """A commit that has nothing to store."""


@pytest.fixture
def recording() -> Iterator[RecordingSmtp]:
    with running_recording_smtp() as server:
        yield server


# --- The matrix: seven phases × six faults --------------------------------------------------------------------------

LATER, UNKNOWN, OK = "retry later", "unknown", "sent"
FOR_NOW, NEVER = "refused-for-now", "refused"
MATRIX = {
    Phase.CONNECT: dict.fromkeys(Fault, LATER),
    Phase.EHLO: dict.fromkeys(Fault, LATER),
    Phase.MAIL: {Fault.REFUSE_FOR_NOW: FOR_NOW, Fault.REFUSE: NEVER},
    Phase.RCPT: {Fault.REFUSE_FOR_NOW: FOR_NOW, Fault.REFUSE: NEVER},
    Phase.DATA: {Fault.REFUSE_FOR_NOW: FOR_NOW, Fault.REFUSE: NEVER},
    Phase.BODY: {Fault.REFUSE_FOR_NOW: FOR_NOW, Fault.REFUSE: NEVER, Fault.SILENCE: UNKNOWN},
    Phase.DOT: {
        Fault.REFUSE_FOR_NOW: FOR_NOW,
        Fault.REFUSE: NEVER,
        Fault.DROP: UNKNOWN,
        Fault.SILENCE: UNKNOWN,
        Fault.GARBAGE: UNKNOWN,
    },
}
CELLS = [(phase, fault) for phase in Phase for fault in Fault if fault is not Fault.NONE]


def wanted(phase: Phase, fault: Fault) -> str:
    return OK if fault is Fault.SLOW else MATRIX[phase].get(fault, LATER)


def what_became_of(connector: EmailConnector, outbound: OutboundMessage, commits: list[int]) -> str:
    try:
        receipt = connector.send(outbound, lambda: commits.append(1))
    except OutcomeUnknown:
        return UNKNOWN
    except RetryLater:
        return LATER
    [outcome] = receipt.outcomes
    return str(outcome.outcome)


@pytest.mark.parametrize("run", range(20 if os.environ.get("BALAS_SOAK") else 1))
@pytest.mark.parametrize(("phase", "fault"), CELLS)
def test_f33_each_phase_and_fault_is_classed_and_nothing_goes_out_twice(
    phase: Phase, fault: Fault, run: int, tmp_path: Path
) -> None:
    # A body larger than the kernel's buffers, so that the server can misbehave while it is on its way.
    outbound = OutboundMessage("q1@example.net", "ana@example.org", ("bob@example.net",), mail(1) + b"x" * 70 + b"\r\n")
    if phase is Phase.BODY:
        outbound = OutboundMessage("q1@example.net", "a@example.org", ("bob@example.net",), mail(1) + b"y\r\n" * 9**7)
    with running_faulty_smtp(phase, fault) as server:
        connector = sender(server.port, tmp_path, PatientConnector)
        commits: list[int] = []
        became = what_became_of(connector, outbound, commits)
        assert server.struck >= 1
        if phase is Phase.BODY and fault is Fault.SILENCE:
            assert became in {LATER, UNKNOWN}  # it depends on how much the kernel takes
        else:
            assert became == wanted(phase, fault)
        assert (became == UNKNOWN) <= bool(commits)
        if became == LATER:
            server.fault = Fault.NONE
            assert what_became_of(connector, outbound, commits) == OK
        connector.close()
    assert len(server.delivered) <= 1
    assert (became == UNKNOWN) or len(server.delivered) == (became in {OK, LATER})


def test_t1_the_library_itself_cannot_tell_before_from_after_the_dot() -> None:
    async def fails(port: int) -> str:
        client = SMTP(hostname="127.0.0.1", port=port, start_tls=False, timeout=1)
        try:
            await client.connect()
            await client.sendmail("a@example.org", ["b@example.net"], mail(1))
        except SMTPException as error:
            return type(error).__name__
        return "sent"

    names = set()
    for phase in (Phase.RCPT, Phase.DATA, Phase.DOT):
        with running_faulty_smtp(phase, Fault.DROP) as server:
            names.add(asyncio.run(fails(server.port)))
    assert names == {"SMTPServerDisconnected"}


def test_t2_an_answer_after_the_time_limit_of_the_dot_is_unknown_and_was_delivered(tmp_path: Path) -> None:
    with running_faulty_smtp(Phase.DOT, Fault.SLOW) as server:
        server.slowness = 2
        connector = sender(server.port, tmp_path)
        with pytest.raises(OutcomeUnknown, match="may have been delivered"):
            connector.send(message(), nothing)
        connector.close()


def test_the_committing_step_is_durable_before_the_dot_leaves(tmp_path: Path) -> None:
    with running_faulty_smtp() as server:
        dots: list[int] = []
        connector = sender(server.port, tmp_path)
        connector.send(message(), lambda: dots.append(server.dots))
        connector.close()
    assert (dots, server.dots) == ([0], 1)


def test_f34_a_commit_that_fails_sends_nothing(recording: RecordingSmtp, tmp_path: Path) -> None:
    connector = sender(recording.port, tmp_path)

    def full_disk() -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        connector.send(message(1), full_disk)
    connector.send(message(2), nothing)
    connector.close()
    assert recording.times_delivered() == {"q2@example.net": 1}


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.REFUSE_FOR_NOW, Fault.DROP, Fault.GARBAGE])
def test_f33_what_ends_between_the_commit_and_the_dot_is_known_not_to_be_sent(fault: Fault, tmp_path: Path) -> None:
    with running_faulty_smtp(Phase.BODY, fault) as server:
        connector = sender(server.port, tmp_path, PatientConnector)

        def slow_disk() -> None:
            """The server's word, or its end, comes while the decision is being written down."""
            wait_until = time.monotonic() + 5
            while not server.struck and time.monotonic() < wait_until:
                time.sleep(0.01)
            time.sleep(0.2)

        if fault in {Fault.DROP, Fault.GARBAGE}:
            with pytest.raises(RetryLater):
                connector.send(message(1), slow_disk)
        else:
            wanted = Outcome.REFUSED if fault is Fault.REFUSE else Outcome.REFUSED_FOR_NOW
            assert outcome(connector.send(message(1), slow_disk)) == wanted
        connector.close()
    assert (server.struck, server.dots, server.delivered) == (1, 0, [])


def test_other_work_is_done_once_while_bodies_are_on_their_way(recording: RecordingSmtp, tmp_path: Path) -> None:
    done: list[tuple[int, bool]] = []
    committed: list[int] = []
    connector = sender(recording.port, tmp_path, PatientConnector)
    here = threading.get_ident()
    connector.send_together(
        [message(number) for number in range(8)],
        committed.extend,
        lambda: done.append((len(committed), threading.get_ident() == here)),
    )
    connector.close()
    assert done == [(0, True)]
    assert len(recording.deliveries) == 8


def test_a_connection_with_half_a_mail_on_it_is_cut(tmp_path: Path) -> None:
    def full_disk() -> None:
        raise OSError("no space left")

    with running_faulty_smtp() as server:
        connector = sender(server.port, tmp_path)
        with pytest.raises(OSError, match="no space left"):
            connector.send(message(1), full_disk)
        assert server.is_left_alone()
        connector.close()


def test_commit_runs_on_the_calling_thread(recording: RecordingSmtp, tmp_path: Path) -> None:
    connector = sender(recording.port, tmp_path)
    threads: list[threading.Thread] = []
    connector.send(message(), lambda: threads.append(threading.current_thread()))
    connector.close()
    assert threads == [threading.current_thread()]


# --- Recipients -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", range(1, 32))
def test_f35_every_mixture_of_refused_recipients_is_told_one_by_one(pattern: int, tmp_path: Path) -> None:
    replies = [b"250 2.1.5 Ok\r\n", b"450 4.2.1 greylisted\r\n", b"550 5.1.1 unknown\r\n"]
    people = [f"r{number}@example.net" for number in range(5)]
    kinds = [0 if pattern >> number & 1 else 1 + (pattern + number) % 2 for number in range(5)]
    with running_faulty_smtp() as server:
        server.recipients = {person: replies[kind] for person, kind in zip(people, kinds, strict=True)}
        connector = sender(server.port, tmp_path)
        receipt = connector.send(message(1, *people), nothing)
        connector.close()
    words = [Outcome.SENT, Outcome.REFUSED_FOR_NOW, Outcome.REFUSED]
    assert [one.recipient for one in receipt.outcomes] == people
    assert [one.outcome for one in receipt.outcomes] == [words[kind] for kind in kinds]
    assert [one.code for one in receipt.outcomes] == [["250 2.0.0", "450 4.2.1", "550 5.1.1"][kind] for kind in kinds]
    assert len(server.delivered) == 1


def test_when_every_recipient_is_refused_nothing_is_committed_and_the_connection_lives(tmp_path: Path) -> None:
    with running_faulty_smtp() as server:
        server.recipients = {"no@example.net": b"550 5.1.1 unknown\r\n"}
        connector = sender(server.port, tmp_path)
        commits: list[int] = []
        receipt = connector.send(message(1, "no@example.net"), lambda: commits.append(1))
        assert (receipt.outcomes[0].outcome, commits, server.dots) == (Outcome.REFUSED, [], 0)
        assert outcome(connector.send(message(2), nothing)) == Outcome.SENT
        connector.close()
    assert len(server.delivered) == 1


def outcome(receipt: Receipt) -> Outcome:
    return receipt.outcomes[0].outcome


def test_a_server_without_pipelining_is_asked_step_by_step(tmp_path: Path) -> None:
    with running_smtp_sink("-p") as sink:
        connector = sender(sink.port, tmp_path)
        receipt = connector.send(message(1, *(f"r{number}@example.net" for number in range(150))), nothing)
        connector.close()
    assert {one.outcome for one in receipt.outcomes} == {Outcome.SENT}


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        (("-r", "RCPT"), Outcome.REFUSED_FOR_NOW),
        (("-f", "RCPT"), Outcome.REFUSED),
        (("-r", "MAIL"), Outcome.REFUSED_FOR_NOW),
        (("-f", "."), Outcome.REFUSED),
        (("-r", "."), Outcome.REFUSED_FOR_NOW),
        (("-e",), Outcome.SENT),
        (("-8", "-E", "-N"), Outcome.SENT),
    ],
)
def test_postfix_sink_refusals(flags: tuple[str, ...], wanted: Outcome, tmp_path: Path) -> None:
    with running_smtp_sink(*flags) as sink:
        connector = sender(sink.port, tmp_path)
        assert outcome(connector.send(message(), nothing)) == wanted
        connector.close()


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_is_closing_gets_it_later(command: str, tmp_path: Path) -> None:
    with running_smtp_sink("-Q", command) as sink:
        connector = sender(sink.port, tmp_path)
        with pytest.raises(RetryLater):
            connector.send(message(), nothing)
        connector.close()


@pytest.mark.parametrize(
    "address",
    ["bob@example.net> RCPT TO:<eve@example.net", "bob@example.net\r\nRCPT TO:<eve@x.net>", "no-at-sign", "@x.org", ""],
)
def test_an_address_cannot_smuggle_a_command(recording: RecordingSmtp, tmp_path: Path, address: str) -> None:
    connector = sender(recording.port, tmp_path)
    receipt = connector.send(message(1, address, "bob@example.net"), nothing)
    connector.close()
    assert [one.outcome for one in receipt.outcomes] == [Outcome.REFUSED, Outcome.SENT]
    assert [delivery.recipients for delivery in recording.deliveries] == [("bob@example.net",)]


def test_a_domain_beyond_ascii_goes_out_in_its_ascii_form(recording: RecordingSmtp, tmp_path: Path) -> None:
    connector = sender(recording.port, tmp_path)
    connector.send(message(1, "bob@bücher.example"), nothing)
    connector.close()
    assert recording.deliveries[0].recipients == ("bob@xn--bcher-kva.example",)


# --- Connections ----------------------------------------------------------------------------------------------------


def test_several_mails_go_over_one_connection(recording: RecordingSmtp, tmp_path: Path) -> None:
    connector = sender(recording.port, tmp_path)
    receipts = [connector.send(message(number), nothing) for number in range(20)]
    connector.close()
    assert recording.sessions == 1
    assert [receipt.external_id for receipt in receipts] == [f"REC{number:07d}" for number in range(1, 21)]
    assert set(recording.times_delivered().values()) == {1}


def test_four_threads_share_a_connector(recording: RecordingSmtp, tmp_path: Path) -> None:
    connector = sender(recording.port, tmp_path, PatientConnector)

    def send_some(first: int) -> None:
        for number in range(first, first + 25):
            connector.send(message(number), nothing)

    threads = [threading.Thread(target=send_some, args=(start,)) for start in range(0, 200, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connector.close()
    assert recording.times_delivered() == {f"q{number}@example.net": 1 for number in range(200)}
    assert recording.sessions <= 4


def test_messages_sent_together_share_one_commit_for_each_four(recording: RecordingSmtp, tmp_path: Path) -> None:
    recording.refused["no@example.net"] = "550 5.1.1 unknown"
    people = ["bob@example.net"] * 10
    people[1], people[6] = "no@example.net", "nobody"
    connector = sender(recording.port, tmp_path, PatientConnector)
    commits: list[tuple[list[int], int]] = []

    def commit(positions: list[int]) -> None:
        commits.append((positions, len(recording.deliveries)))

    results = connector.send_together([message(n, person) for n, person in enumerate(people)], commit)
    connector.close()
    assert [one for one, _ in commits] == [[0, 2, 3], [4, 5, 7], [8, 9]]
    assert [before for _, before in commits] == [0, 3, 6]
    assert [outcome(result) == Outcome.SENT for result in results if isinstance(result, Receipt)] == [
        number not in {1, 6} for number in range(10)
    ]
    assert recording.times_delivered() == {f"q{n}@example.net": 1 for n in range(10) if n not in {1, 6}}


def test_a_failing_commit_of_several_sends_none_of_them(recording: RecordingSmtp, tmp_path: Path) -> None:
    def full_disk(positions: list[int]) -> None:
        raise OSError("no space left")

    connector = sender(recording.port, tmp_path, PatientConnector)
    with pytest.raises(OSError, match="no space left"):
        connector.send_together([message(number) for number in range(3)], full_disk)
    assert outcome(connector.send(message(9), nothing)) == Outcome.SENT
    connector.close()
    assert recording.times_delivered() == {"q9@example.net": 1}


def test_of_several_messages_one_unknown_leaves_the_others_alone(tmp_path: Path) -> None:
    with running_faulty_smtp(Phase.DOT, Fault.DROP) as server:
        server.times = 1
        connector = sender(server.port, tmp_path, PatientConnector)
        results = connector.send_together([message(number) for number in range(4)], lambda positions: None)
        connector.close()
    assert sorted(type(result).__name__ for result in results) == ["OutcomeUnknown", "Receipt", "Receipt", "Receipt"]


def test_a_connection_that_died_while_idle_is_replaced(tmp_path: Path) -> None:
    with running_faulty_smtp() as server:
        connector = sender(server.port, tmp_path)
        connector.send(message(1), nothing)
        server.phase, server.fault, server.times = Phase.MAIL, Fault.DROP, 1
        assert outcome(connector.send(message(2), nothing)) == Outcome.SENT
        connector.close()
    assert (server.struck, server.connections, len(server.delivered)) == (1, 2, 2)


def test_a_dot_lost_on_a_reused_connection_is_never_tried_again(tmp_path: Path) -> None:
    with running_faulty_smtp() as server:
        connector = sender(server.port, tmp_path)
        connector.send(message(1), nothing)
        server.phase, server.fault = Phase.DOT, Fault.DROP
        with pytest.raises(OutcomeUnknown):
            connector.send(message(2), nothing)
        connector.close()
    assert len(server.delivered) == 2


def test_an_answer_nobody_asked_for_does_not_shift_the_others(tmp_path: Path) -> None:
    with running_faulty_smtp() as server:
        connector = sender(server.port, tmp_path)
        connector.send(message(1), nothing)
        [(session, _)] = connector._submission._idle
        session._protocol.data_received(b"250 2.0.0 Ok: queued as FORGED\r\n")
        receipt = connector.send(message(2), nothing)
        connector.close()
    assert (receipt.external_id, server.connections) == ("FAULTY01", 2)


def test_a_server_that_is_away_is_said(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(RetryLater, match=f"127.0.0.1:{port} refuses connections"):
        sender(port, tmp_path).send(message(), nothing)


def test_a_wrong_password_parks_and_a_right_one_sends(tmp_path: Path) -> None:
    with running_recording_smtp(password="right") as server:
        wrong = sender(server.port, tmp_path, password="wrong")
        with pytest.raises(AuthFailed, match="refused the password for ana") as caught:
            wrong.send(message(), nothing)
        assert "wrong" not in caught.value.sentence
        right = sender(server.port, tmp_path, password="right")
        assert outcome(right.send(message(), nothing)) == Outcome.SENT
        right.close()
        with pytest.raises(AuthFailed, match="wants a log-in"):
            sender(server.port, tmp_path).send(message(), nothing)


def test_starttls_is_used_and_the_certificate_verified(tmp_path: Path) -> None:
    with running_recording_smtp(password="right", tls_folder=tmp_path) as server:
        smtp = {"scheme": "smtp+starttls", "host": "localhost", "port": server.port, "user": "ana"}
        secrets = {"password": SecretText("right")}
        settings = {"smtp": smtp, "ca_file": str(tmp_path / "ca.pem")}
        trusted = QuickConnector(AccountSettings("email", "ana@example.org", settings, tmp_path), secrets)
        assert outcome(trusted.send(message(), nothing)) == Outcome.SENT
        trusted.close()
        stranger = QuickConnector(AccountSettings("email", "ana@example.org", {"smtp": smtp}, tmp_path), secrets)
        with pytest.raises(RetryLater, match=r"certificate of localhost:\d+ is not trusted"):
            stranger.send(message(), nothing)


def test_no_encryption_offered_is_said(tmp_path: Path) -> None:
    with running_smtp_sink() as sink, pytest.raises(ConnectorError, match="offers no encryption"):
        sender(sink.port, tmp_path, scheme="smtp+starttls").send(message(), nothing)


def test_a_plain_connection_to_another_machine_needs_permission(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match="unencrypted"):
        sender(25, tmp_path, host="mail.example.org").send(message(), nothing)


def test_dots_and_line_ends_arrive_as_they_were_written(recording: RecordingSmtp, tmp_path: Path) -> None:
    text = b"Message-ID: <q1@example.net>\r\n\r\n.\r\n..two\r\n.one\r\nplain\r\n.\r\n"
    connector = sender(recording.port, tmp_path)
    connector.send(OutboundMessage("q1@example.net", "a@example.org", ("b@example.net",), text), nothing)
    connector.close()
    assert recording.deliveries[0].content == text


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"a", b"a\r\n"),
        (b"a\nb\r\n", b"a\r\nb\r\n"),
        (b".a\r\n.b\r\n", b"..a\r\n..b\r\n"),
        (b"a\r\n.\r\nb", b"a\r\n..\r\nb\r\n"),
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n"),
        (b"a\r.\rb", b"a\r\n..\r\nb\r\n"),
    ],
)
def test_no_content_can_end_the_mail_early(content: bytes, wire: bytes) -> None:
    assert transparent(content) == wire
