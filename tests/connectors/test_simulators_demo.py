"""The demo's world: what lies in the mailbox at first, what keeps coming, and how the customers answer."""

from __future__ import annotations

import json
import random
import re
import signal
import smtplib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient import IMAPClient

from connectors.simulators.demo import DemoServers
from connectors.simulators.demo.content import ADDRESSES, fill_dates, read_gap
from connectors.simulators.demo.hours import WINDOWS, at_work, awake, go_back
from connectors.simulators.demo.opening import FIRST_TARGET, NEXT_TARGET, Opening, customers, plan_times
from connectors.simulators.demo.pool import further_letter
from connectors.simulators.demo.programs import PROGRAMS, compose
from connectors.simulators.smtp_server import SentMail

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
BUCHAREST = ZoneInfo("Europe/Bucharest")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))
DOMAIN = re.compile(rb"@([\w.-]+)")
REPLY = (
    'From: "Mihai, Tasbora" <ajutor@tasbora.example>\r\nTo: {to}\r\nSubject: Re: Fermoar\r\n'
    "Message-ID: <{id}@tasbora.example>\r\nIn-Reply-To: <two@posta.example>\r\n"
    "References: <one@posta.example> <two@posta.example>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
)


def parse(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain", "html"))
    assert body is not None
    return str(body.get_content())


def working_minutes(start: datetime, end: datetime, zone: ZoneInfo) -> float:
    """Counted forwards day by day: another way than the code under test goes."""
    total, day = timedelta(), start.astimezone(zone).date()
    while day <= end.astimezone(zone).date():
        for opens, closes in WINDOWS if day.weekday() < 5 else ():
            first = max(start, datetime.combine(day, opens, zone).astimezone(UTC))
            last = min(end, datetime.combine(day, closes, zone).astimezone(UTC))
            total += max(timedelta(), last - first)
        day += timedelta(days=1)
    return total.total_seconds() / 60


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoServers]:
    with DemoServers(tmp_path / "demo", quiet=True, empty=True, zone="UTC") as servers:
        yield servers


@pytest.fixture(scope="module")
def opening() -> list[EmailMessage]:
    return [parse(arrival.content) for arrival in Opening(TUESDAY, "Europe/Bucharest", 7).arrivals()]


def send(servers: DemoServers, to: list[str], text: str = "Am trimis eticheta.", number: str = "reply-1") -> None:
    with smtplib.SMTP("127.0.0.1", servers.smtp.port, timeout=20) as smtp:
        smtp.login(servers.address, servers.password)
        smtp.sendmail(ADDRESSES[2], to, REPLY.format(to=to[0], text=text, id=number).encode())


# --- The opening mailbox --------------------------------------------------------------------------------------------


def test_at_least_sixty_customers_write_in_three_languages() -> None:
    people = [person for person, _ in customers()]
    assert len({person.address for person in people}) >= 60
    assert min(Counter(person.language for person in people).values()) >= 20
    assert {person.client for person in people} == set(PROGRAMS) - {"office"}
    names = Counter(person.name for person in people)
    assert [name for name, count in names.items() if count > 1] == ["Edmund Voss"], "one person with two addresses"


def test_every_opening_mail_is_whole_and_readable(opening: list[EmailMessage]) -> None:
    assert len(opening) > 110
    for mail in opening:
        assert not mail.defects, mail["Subject"]
        for name in ("From", "To", "Subject", "Date", "Message-ID"):
            assert mail[name], (mail["Subject"], name)
        for part in mail.walk():
            assert not part.defects, mail["Subject"]
            if part.get_content_maintype() == "text" and part["Content-Type"]:
                assert str(part.get_content()).strip()
                assert "{" not in str(part.get_content()).replace("p.MsoNormal {", "").replace("body{", "")


def test_opening_mails_keep_to_the_line_rules_of_the_wire() -> None:
    for arrival in Opening(TUESDAY, "UTC", 7).arrivals():
        assert b"\n" not in arrival.content.replace(b"\r\n", b"")
        assert max(map(len, arrival.content.split(b"\r\n"))) <= 998
        header = arrival.content.split(b"\r\n\r\n", 1)[0]
        assert header.isascii()


def test_nobody_in_the_demo_has_a_real_domain() -> None:
    for arrival in Opening(TUESDAY, "UTC", 7).arrivals():
        parts = parse(arrival.content).walk()
        texts = [part.get_content() for part in parts if part.get_content_maintype() == "text"]
        readable = arrival.content.split(b"\r\n\r\n", 1)[0] + "".join(map(str, texts)).encode()
        domains = {domain.rstrip(b".").lower() for domain in DOMAIN.findall(readable)}
        assert all(domain.endswith(b".example") for domain in domains), domains


def test_the_opening_holds_every_kind_of_mail(opening: list[EmailMessage]) -> None:
    kinds = Counter(mail.get_content_type() for mail in opening)
    assert kinds["text/html"] >= 3
    assert kinds["text/plain"] >= 10
    assert kinds["multipart/alternative"] >= 30
    assert kinds["multipart/report"] == 1
    parts = Counter(part.get_content_type() for mail in opening for part in mail.walk())
    assert parts["image/png"] >= 10
    assert parts["application/pdf"] >= 5
    assert parts["multipart/related"] >= 3
    assert parts["message/delivery-status"] == 1
    assert sum(mail["List-Id"] is not None for mail in opening) == 1
    assert sum(mail["List-Unsubscribe-Post"] is not None for mail in opening) == 1
    assert {mail["Auto-Submitted"] for mail in opening} == {None, "auto-replied", "auto-generated"}
    charsets = {part.get_content_charset() for mail in opening for part in mail.walk() if part.get_content_charset()}
    assert charsets >= {"utf-8", "windows-1252"}
    encodings = {str(part["Content-Transfer-Encoding"]) for mail in opening for part in mail.walk()}
    assert encodings >= {"7bit", "8bit", "quoted-printable", "base64"}


def test_files_in_mails_are_what_their_names_say(opening: list[EmailMessage]) -> None:
    beginnings = {"image/png": b"\x89PNG\r\n\x1a\n", "application/pdf": b"%PDF-1.4"}
    for mail in opening:
        for part in mail.walk():
            begins = beginnings.get(part.get_content_type())
            if begins:
                assert part.get_payload(decode=True).startswith(begins)
                assert part.get_filename()


def test_a_picture_in_the_text_is_named_by_the_html(opening: list[EmailMessage]) -> None:
    related = [part for mail in opening for part in mail.walk() if part.get_content_type() == "multipart/related"]
    for part in related:
        html, image = part.iter_parts()
        assert f'src="cid:{image["Content-ID"][1:-1]}"' in html.get_content()


def test_one_mail_came_to_two_of_our_addresses_and_ids_are_otherwise_unique(opening: list[EmailMessage]) -> None:
    ids = Counter(mail["Message-ID"] for mail in opening)
    twice = [message_id for message_id, count in ids.items() if count > 1]
    copies = [mail for mail in opening if mail["Message-ID"] in twice]
    assert [mail["Delivered-To"] for mail in copies] == ["ajutor@tasbora.example", "hello@tasbora.example"]
    assert text_of(copies[0]) == text_of(copies[1])


def test_replies_name_and_quote_what_they_answer(opening: list[EmailMessage]) -> None:
    by_id = {mail["Message-ID"]: mail for mail in opening}
    replies = [mail for mail in opening if mail["In-Reply-To"]]
    assert len(replies) > 40
    for mail in replies:
        answered = by_id[mail["In-Reply-To"]]
        assert mail["References"].split()[-1] == mail["In-Reply-To"]
        assert mail["Date"].datetime > answered["Date"].datetime
    quoting = [mail for mail in replies if ">" in text_of(mail) or "____" in text_of(mail)]
    assert len(quoting) > 25


def test_the_bounce_and_the_absence_note_speak_of_mails_that_we_sent(opening: list[EmailMessage]) -> None:
    arrivals = Opening(TUESDAY, "UTC", 7).arrivals()
    ours = {parse(arrival.content)["Message-ID"] for arrival in arrivals if arrival.mailbox == "Sent"}
    (bounce,) = [mail for mail in opening if mail.get_content_type() == "multipart/report"]
    (headers,) = [part for part in bounce.walk() if part.get_content_type() == "text/rfc822-headers"]
    assert parse(headers.get_content().encode())["Message-ID"] in ours
    (away,) = [mail for mail in opening if mail["X-Auto-Response-Suppress"]]
    assert away["In-Reply-To"] in ours


@given(MOMENTS, st.sampled_from([ZoneInfo("UTC"), BUCHAREST, ZoneInfo("Asia/Jakarta")]))
def test_the_opening_lies_within_four_weeks_and_never_in_the_future(now: datetime, zone: ZoneInfo) -> None:
    opening = Opening(now, zone.key, 7)
    for _, entry in customers():
        times = plan_times(entry, now, zone, BUCHAREST, random.Random(1))
        assert times == sorted(times)
        assert times[-1] <= now
        assert times[0] > now - timedelta(days=45)
    assert opening.now == now


@given(MOMENTS)
def test_stages_come_out_in_working_time_whenever_the_demo_is_opened(now: datetime) -> None:
    for _, entry in customers():
        word, _, value = entry["stage"].partition(" ")
        if word not in {"due", "late"}:
            continue
        times = plan_times(entry, now, BUCHAREST, BUCHAREST, random.Random(1))
        ours = [index for index, mail in enumerate(entry["mail"]) if "from" in mail]
        waits = times[ours[-1] + 1] if ours else times[0]
        target = (NEXT_TARGET if ours else FIRST_TARGET).total_seconds() / 60
        left = target - working_minutes(waits, now, BUCHAREST)
        assert left == pytest.approx(int(value) if word == "due" else -int(value), abs=0.1)


@given(MOMENTS, st.integers(1, 6000))
def test_going_back_is_the_inverse_of_counting_working_time(now: datetime, minutes: int) -> None:
    start = go_back(now, timedelta(minutes=minutes), BUCHAREST)
    assert working_minutes(start, now, BUCHAREST) == pytest.approx(minutes, abs=0.01)


@given(MOMENTS)
def test_the_shop_answers_in_working_hours_and_customers_sleep_at_night(moment: datetime) -> None:
    worked = at_work(moment, BUCHAREST)
    assert worked <= moment
    assert any(opens <= worked.astimezone(BUCHAREST).time() <= closes for opens, closes in WINDOWS)
    written = awake(moment, BUCHAREST)
    assert written <= moment
    assert written.astimezone(BUCHAREST).hour >= 7


def test_relative_dates_are_said_in_the_language_of_the_writer() -> None:
    assert fill_dates("{wd-1} {d+8}", TUESDAY, "ro") == "luni 2 decembrie"
    assert fill_dates("{wd+1} {d+0}", TUESDAY, "id") == "Rabu 24 November"
    assert fill_dates("{work+4} {wd+4}", TUESDAY, "en") == "Monday Saturday"
    assert read_gap("1d2h30") == timedelta(days=1, hours=2, minutes=30)
    with pytest.raises(ValueError, match="Not a gap"):
        read_gap("soon")


# --- What keeps coming ----------------------------------------------------------------------------------------------


def test_the_pool_does_not_run_dry_and_follows_from_the_seed() -> None:
    letters = [further_letter(number, 5, TUESDAY) for number in range(400)]
    assert len({letter.text for letter in letters}) > 395
    assert len({letter.message_id for letter in letters}) == 400
    assert {letter.author.language for letter in letters} == {"en", "id", "ro"}
    assert [letter.text for letter in letters[:20]] == [further_letter(n, 5, TUESDAY).text for n in range(20)]
    assert letters[0].text != further_letter(0, 6, TUESDAY).text
    for letter in letters:
        assert "{" not in letter.text + letter.subject


@given(st.integers(0, 10**6), st.integers(0, 10**4))
def test_every_further_mail_parses_to_what_was_written(number: int, seed: int) -> None:
    letter = further_letter(number, seed, TUESDAY)
    mail = parse(compose(letter, random.Random(1)))
    assert not mail.defects
    assert mail["Subject"] == letter.subject
    assert mail["From"].addresses[0].addr_spec == letter.author.address
    assert mail["From"].addresses[0].display_name == letter.author.name
    body = mail.get_body(("plain",))
    if body is not None:
        words = re.sub(r"\s+", " ", str(body.get_content()))
        assert re.sub(r"\s+", " ", letter.text) in words


def test_mail_arrives_on_demand_and_an_open_client_hears_of_it(demo: DemoServers) -> None:
    client = IMAPClient("127.0.0.1", port=demo.imap.port, ssl=False, timeout=20)
    try:
        client.login(demo.address, demo.password)
        assert client.select_folder("INBOX", readonly=True)[b"EXISTS"] == 0
        client.idle()
        demo.arrive(3)
        heard: list[object] = []
        while (3, b"EXISTS") not in heard:
            heard += client.idle_check(timeout=20)
        client.idle_done()
    finally:
        client.shutdown()


def test_a_demo_that_nobody_answers_slows_down_until_somebody_does(demo: DemoServers) -> None:
    def pause() -> float:
        return demo.world.pause_before_next((10.0, 10.0))

    assert pause() == 10.0
    demo.arrive(30)
    assert pause() == 40.0
    send(demo, ["ilinca.bratu@posta.example"])
    assert pause() == 10.0


def test_new_mail_and_answers_come_by_themselves_when_not_quiet(tmp_path: Path) -> None:
    with DemoServers(tmp_path, empty=True, pace=(0.05, 0.05), answer_delay=(0.05, 0.05)) as servers:
        client = IMAPClient("127.0.0.1", port=servers.imap.port, ssl=False, timeout=20)
        try:
            client.login(servers.address, servers.password)
            client.select_folder("INBOX", readonly=True)
            send(servers, ["ilinca.bratu@posta.example"])
            while not client.search(["HEADER", "In-Reply-To", "reply-1@tasbora.example"]):
                client.idle()
                client.idle_check(timeout=5)
                client.idle_done()
            assert len(client.search("ALL")) > 1
        finally:
            client.shutdown()


# --- Answers --------------------------------------------------------------------------------------------------------


def test_a_customer_answers_with_a_proper_reply_that_quotes_us(demo: DemoServers) -> None:
    send(demo, ["ilinca.bratu@posta.example"])
    assert demo.read() == []
    assert demo.answer_all() == 1
    (mail,) = map(parse, demo.read())
    assert mail["From"].addresses[0].addr_spec == "ilinca.bratu@posta.example"
    assert mail["To"].addresses[0].addr_spec == "ajutor@tasbora.example"
    assert mail["In-Reply-To"] == "<reply-1@tasbora.example>"
    assert mail["References"] == "<one@posta.example> <two@posta.example> <reply-1@tasbora.example>"
    assert mail["Subject"] == "Re: Fermoar"
    assert "> Am trimis eticheta." in text_of(mail)
    assert "a scris:" in re.sub(r"\s+", " ", text_of(mail))
    assert demo.answer_all() == 0


def test_one_mail_sent_twice_is_kept_twice_and_answered_once(demo: DemoServers) -> None:
    for _ in range(2):
        send(demo, ["ilinca.bratu@posta.example"])
    assert len(demo.sent) == 2
    assert demo.answer_all() == 1


def test_a_conversation_ends_with_thanks_unless_we_ask(demo: DemoServers) -> None:
    answered = []
    for number in range(12):
        send(demo, ["ilinca.bratu@posta.example"], number=f"reply-{number}")
        answered.append(demo.answer_all())
    assert answered[0] == 1
    assert answered[-1] == 0
    send(demo, ["ilinca.bratu@posta.example"], "Care este numărul comenzii?", number="question")
    assert demo.answer_all() == 1


def test_every_recipient_answers_for_themselves(demo: DemoServers) -> None:
    send(demo, ["ilinca.bratu@posta.example", "maya@fairholt.example", "bagus.prasetyo@posel.example"])
    assert demo.answer_all() == 3
    assert len({parse(content)["From"] for content in demo.read()}) == 3


def test_somebody_of_the_pool_answers_too_even_after_a_restart(tmp_path: Path) -> None:
    with DemoServers(tmp_path, quiet=True, empty=True) as servers:
        servers.arrive()
        (mail,) = map(parse, servers.read())
    with DemoServers(tmp_path, quiet=True) as servers:
        send(servers, [mail["From"].addresses[0].addr_spec])
        assert servers.answer_all() == 1
        assert parse(servers.read()[-1])["From"] == mail["From"]


def test_nobody_in_the_demo_means_a_delivery_report(demo: DemoServers) -> None:
    send(demo, ["somebody@elsewhere.example"])
    assert demo.answer_all() == 1
    (report,) = map(parse, demo.read())
    assert report.get_content_type() == "multipart/report"
    (status,) = [part for part in report.walk() if part.get_content_type() == "message/delivery-status"]
    assert status.get_payload(1)["Final-Recipient"] == "rfc822; somebody@elsewhere.example"
    assert b"Message-ID: <reply-1@tasbora.example>" in demo.read()[0]


def test_mail_to_our_own_address_comes_in_as_it_was_sent(demo: DemoServers) -> None:
    send(demo, ["hello@tasbora.example"])
    assert demo.answer_all() == 1
    assert demo.read()[0].endswith(demo.sent[0].content)


def test_who_is_away_says_so_once(demo: DemoServers) -> None:
    for number in range(2):
        send(demo, ["desmond.akande@brightwater.example"], number=f"r{number}")
        assert demo.answer_all() == 1
    first, second = map(parse, demo.read())
    assert (first["Auto-Submitted"], second["Auto-Submitted"]) == ("auto-replied", None)


def test_an_answer_that_was_planned_survives_a_restart(tmp_path: Path) -> None:
    with DemoServers(tmp_path, quiet=True, empty=True) as servers:
        send(servers, ["ilinca.bratu@posta.example"])
    with DemoServers(tmp_path, quiet=True) as servers:
        assert servers.read() == []
        assert servers.answer_all() == 1


def test_a_mail_that_cannot_be_parsed_is_accepted_all_the_same(demo: DemoServers) -> None:
    content = b"From: \xff\xfe<<>>\r\nContent-Type: text/plain; charset=nonsense\r\nMessage-ID: <<\r\n\r\n\xff\xff"
    with smtplib.SMTP("127.0.0.1", demo.smtp.port, timeout=20) as smtp:
        smtp.login(demo.address, demo.password)
        smtp.sendmail(ADDRESSES[0], ["ilinca.bratu@posta.example"], content)
    assert isinstance(demo.sent[0], SentMail)
    assert demo.sent[0].content.startswith(b"From: \xff\xfe")
    demo.answer_all()


# --- Life -----------------------------------------------------------------------------------------------------------


def test_a_second_start_adds_nothing_and_changes_nothing(tmp_path: Path) -> None:
    with DemoServers(tmp_path, quiet=True) as servers:
        before = {name: dict(box.mails) for name, box in servers.store.mailboxes.items()}
        epochs = {name: box.uidvalidity for name, box in servers.store.mailboxes.items()}
    with DemoServers(tmp_path, quiet=True, seed=99) as servers:
        assert {name: dict(box.mails) for name, box in servers.store.mailboxes.items()} == before
        assert {name: box.uidvalidity for name, box in servers.store.mailboxes.items()} == epochs
    assert len(before["INBOX"]) > 80
    assert len(before["Sent"]) > 35


def test_a_first_start_that_was_killed_begins_anew(tmp_path: Path) -> None:
    with DemoServers(tmp_path, quiet=True) as servers:
        whole = len(servers.read())
    (tmp_path / "world.json").unlink()
    with DemoServers(tmp_path, quiet=True) as servers:
        assert len(servers.read()) == whole


def test_uids_grow_with_time(tmp_path: Path) -> None:
    with DemoServers(tmp_path, quiet=True) as servers:
        received = [mail.received_at for mail in servers.store.get("INBOX").mails.values()]
    assert received == sorted(received)


def test_it_runs_as_a_program_until_sigterm_and_keeps_its_ports(tmp_path: Path) -> None:
    told = []
    for _ in range(2):
        command = [sys.executable, "-m", "connectors.simulators.demo", str(tmp_path / "demo"), "--quiet", "--empty"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                told.append(json.loads(process.stdout.readline()))
                client = IMAPClient("127.0.0.1", port=told[-1]["imap"], ssl=False, timeout=20)
                client.login(told[-1]["address"], told[-1]["password"])
                client.logout()
            finally:
                process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
    tokens = [[network.pop("secrets") for network in one["social"]] for one in told]
    assert told[0] == told[1]
    assert tokens[0] != tokens[1]
    assert told[0]["addresses"] == list(ADDRESSES)
