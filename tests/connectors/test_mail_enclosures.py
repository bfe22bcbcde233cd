"""What a mail carries besides words: invitations, Outlook's own wrapping, complaints, signatures."""

from __future__ import annotations

import base64

import pytest

from connectors import sandbox
from connectors.enclosures import Complaint, Guest
from connectors.mail import calendars, rtf, tnef
from connectors.mail.apart import cut_out
from connectors.mail.calendars import read_invitations
from connectors.mail.excerpts import find_part
from connectors.mail.parse import parse_mail
from connectors.messages import Flag
from tests.connectors import outlook
from tests.connectors.test_mail_parse import mail, multipart

VIENNA = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def event(*lines: str, start: str = "DTSTART:20260701T080000Z", method: str = "REQUEST", zones: str = "") -> str:
    body = "\n".join(("UID:1@x.example", "SUMMARY:Visit", start, *lines))
    return f"BEGIN:VCALENDAR\nMETHOD:{method}\n{zones}BEGIN:VEVENT\n{body}\nEND:VEVENT\nEND:VCALENDAR\n"


@pytest.mark.parametrize(
    ("start", "starts", "zone"),
    [
        ("DTSTART:20260701T080000Z", "2026-07-01T08:00:00Z", ""),
        ("DTSTART;TZID=Europe/Berlin:20260701T100000", "2026-07-01T08:00:00Z", "Europe/Berlin"),
        ("DTSTART;TZID=Europe/Berlin:20261201T100000", "2026-12-01T09:00:00Z", "Europe/Berlin"),
        ("DTSTART;TZID=W. Europe Standard Time:20260701T100000", "2026-07-01T08:00:00Z", "Europe/Berlin"),
        ('DTSTART;TZID="SE Asia Standard Time":20260701T100000', "2026-07-01T03:00:00Z", "Asia/Bangkok"),
        ("DTSTART;TZID=/freeassociation.net/Asia/Jakarta:20260701T100000", "2026-07-01T03:00:00Z", "Asia/Jakarta"),
        ("DTSTART;TZID=Customized Time Zone:20260701T100000", "2026-07-01T08:00:00Z", "Customized Time Zone"),
        ("DTSTART;TZID=Customized Time Zone:20261215T100000", "2026-12-15T09:00:00Z", "Customized Time Zone"),
        ("DTSTART;TZID=Customized Time Zone:20260329T015900", "2026-03-29T00:59:00Z", "Customized Time Zone"),
        ("DTSTART;TZID=(UTC+07:00) Bangkok, Hanoi:20260701T100000", "2026-07-01T03:00:00Z", "UTC+07:00"),
        ("DTSTART;TZID=Nowhere:20260701T100000", "2026-07-01T10:00", "Nowhere"),
        ("DTSTART:20260701T100000", "2026-07-01T10:00", ""),
        ("DTSTART;VALUE=DATE:20260701", "2026-07-01", ""),
        ("DTSTART:20260701", "2026-07-01", ""),
        ("DTSTART:20261301T100000Z", "", ""),
        ("DTSTART:soon", "", ""),
        ("dtstart ; tzid=x :20260701T100000Z", "", ""),
    ],
)  # fmt: skip
def test_the_time_of_an_event_is_an_instant_wherever_its_zone_is_known(start: str, starts: str, zone: str) -> None:
    (found,) = read_invitations(event(start=start, zones=VIENNA))
    assert (found.starts, found.zone) == (starts, zone)


@pytest.mark.parametrize(
    ("start", "line", "ends"),
    [
        ("DTSTART:20260701T080000Z", "DTEND:20260701T093000Z", "2026-07-01T09:30:00Z"),
        ("DTSTART:20260701T080000Z", "DURATION:PT1H30M", "2026-07-01T09:30:00Z"),
        ("DTSTART:20260701T080000Z", "DURATION:P1W", "2026-07-08T08:00:00Z"),
        ("DTSTART:20260701", "DURATION:P3D", "2026-07-04"),
        ("DTSTART:20260701", "X-NOTHING:", "2026-07-02"),
        ("DTSTART:20260701T080000Z", "DURATION:-PT5M", ""),
        ("DTSTART:20260701T080000Z", "DURATION:P99999D", "2300-04-15T08:00:00Z"),
        ("DTSTART:20260701T080000Z", "DURATION:for ever", ""),
    ],
)
def test_the_end_of_an_event_is_told_or_counted(start: str, line: str, ends: str) -> None:
    assert read_invitations(event(line, start=start))[0].ends == ends


def test_people_place_and_rule_of_an_event_are_read() -> None:
    (found,) = read_invitations(
        event(
            'ORGANIZER;CN="Dewi, Sari":mailto:sari@x.example',
            "ATTENDEE;PARTSTAT=ACCEPTED;CN=Bo:MAILTO:bo@x.example",
            "ATTENDEE;CUTYPE=ROOM;CN=Room 1:invalid:nomail",
            "LOCATION:Jl. Kemang\\, 12",
            "DESCRIPTION:Two\\nlines\\; and a very",
            "  long one",
            "RRULE:FREQ=WEEKLY;BYDAY=MO",
            "X-GOOGLE-CONFERENCE:https://meet.x.example/abc",
            "SEQUENCE:2",
        )
    )
    assert found.organiser == Guest("sari@x.example", "Dewi, Sari")
    assert found.guests == (Guest("bo@x.example", "Bo", "accepted"), Guest("", "Room 1"))
    assert (found.place, found.rule, found.sequence) == ("Jl. Kemang, 12", "FREQ=WEEKLY;BYDAY=MO", 2)
    assert found.note == "Two\nlines; and a very long one"
    assert found.link == "https://meet.x.example/abc"


def test_a_link_that_is_none_and_a_rule_that_is_none_are_left_out() -> None:
    (found,) = read_invitations(event("URL:javascript:alert(1)", "RRULE:<script>FREQ=DAILY"))
    assert (found.link, found.rule) == ("", "")


@pytest.mark.parametrize(
    ("method", "line", "expected", "is_cancelled"),
    [
        ("REQUEST", "STATUS:CONFIRMED", "request", False),
        ("CANCEL", "STATUS:CANCELLED", "cancel", True),
        ("PUBLISH", "STATUS:CANCELLED", "publish", True),
        ("REPLY", "ATTENDEE;PARTSTAT=DECLINED:mailto:bo@x.example", "reply", False),
        ("COUNTER", "COMMENT:later", "counter", False),
    ],
)
def test_what_is_asked_is_told(method: str, line: str, expected: str, is_cancelled: bool) -> None:
    (found,) = read_invitations(event(line, method=method))
    assert (found.method, found.is_cancelled) == (expected, is_cancelled)


def test_a_calendar_broken_off_anywhere_still_tells_its_event() -> None:
    whole = event("LOCATION:Here", "BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM", "STATUS:CONFIRMED")
    for cut in range(whole.index("SUMMARY:Visit") + 13, len(whole)):
        (found,) = read_invitations(whole[:cut])
        assert found.title == "Visit"


CALENDAR = "Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n" + event().replace("\n", "\r\n")


def test_an_invitation_beside_a_text_is_read_and_its_file_kept() -> None:
    plain = "Content-Type: text/plain\r\n\r\nPlease come."
    file = CALENDAR.replace(
        "Content-Type: text/calendar",
        "Content-Disposition: attachment; filename=invite.ics\r\nContent-Type: application/ics",
    )
    message = parse_mail(multipart(plain, CALENDAR, file, kind="alternative"))
    assert [one.title for one in message.invitations] == ["Visit"]  # once, although it came twice
    assert message.text == "Please come."
    assert {"invite.ics"} <= {one.name for one in message.attachments}


def test_a_mail_that_is_nothing_but_an_invitation_says_what_for() -> None:
    content = mail(event("DESCRIPTION:Bring samples").encode(), Content_Type="text/calendar; charset=utf-8")
    message = parse_mail(content)
    assert message.text == "Visit\nBring samples" and message.invitations


def test_f83_calendars_made_to_hurt_are_read_in_bounded_time() -> None:
    for hostile in (
        "BEGIN:VEVENT\n" * 100_000,
        "BEGIN:VCALENDAR\nX:" + "\n a" * 300_000,
        "BEGIN:VEVENT\nDTSTART" + ';A="b"' * 100_000 + ":x",
        "BEGIN:VEVENT\n" + "ATTENDEE:mailto:a@b.c\n" * 100_000,
        "BEGIN:VEVENT\nDTSTART:" + "20260701T" * 100_000,
        "BEGIN:VTIMEZONE\nBEGIN:STANDARD\n" * 50_000,
    ):
        found = read_invitations(hostile)
        assert len(found) <= calendars.MAX_EVENTS and all(len(one.guests) <= calendars.MAX_GUESTS for one in found)


# --- winmail.dat ----------------------------------------------------------------------------------------------------

HELLO = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)
"""The example of MS-OXRTFCP §3.1.1.1."""


def test_packed_rich_text_is_unpacked_and_read() -> None:
    assert rtf.unpack(HELLO) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    repeated = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")  # §3.1.2.1
    assert rtf.unpack(repeated) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (rb"{\rtf1\ansi\ansicpg1252 Gr\'fc\'dfe\par aus {\b K\'f6ln}}", "Grüße\naus Köln"),
        (rb"{\rtf1\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2}", "Привет"),
        (rb"{\rtf1\uc1 \u8364? \u-10179?\u-8704?}", "€ 😀"),
        (rb"{\rtf1{\fonttbl{\f0 Arial;}}{\*\generator x;}{\info{\author y}}text}", "text"),
        (rb"{\rtf1\fromhtml1{\*\htmltag19 <p>}\htmlrtf {\htmlrtf0 Hi\htmlrtf\par}\htmlrtf0{\*\htmltag27 </p>}}", "Hi"),
        (rb"}}}{{{ \{x\} \\", "{x} \\"),
    ],
)
def test_rich_text_is_read_as_plain_text(source: bytes, text: str) -> None:
    assert rtf.to_text(source) == text


def test_winmail_gives_its_text_and_its_files() -> None:
    inner = outlook.winmail(outlook.letter(outlook.text(0x37, "Inner"), outlook.text(0x1000, "inside")))
    letter = tnef.read_tnef(
        outlook.winmail(
            outlook.letter(outlook.text(0x37, "Figures"), outlook.binary(0x1009, HELLO)),
            outlook.file("Angebot für Sie.pdf", b"%PDF", short="ANGEBO~1.PDF"),
            outlook.file("../../etc/passwd\u202e", b"x"),
            outlook.file("", b"", outlook.binary(0x3701, b"\0" * 16 + inner, 0x0D)),
        )
    )
    assert letter is not None
    assert (letter.subject, letter.text) == ("Figures", "hello world")
    assert [(one.name, one.data) for one in letter.files] == [
        ("Angebot für Sie.pdf", b"%PDF"), (".._.._etc_passwd".strip(" ."), b"x"), ("Inner.txt", b"inside"),
    ]  # fmt: skip


def test_winmail_tells_of_a_meeting() -> None:
    ticks = 134_277_912_000_000_000
    letter = tnef.read_tnef(
        outlook.winmail(
            outlook.letter(
                outlook.text(0x37, "Review"), outlook.moment(0x820D, ticks),
                outlook.moment(0x820E, ticks + 36_000_000_000), outlook.named_text(0x8208, "Room 1"),
                kind="IPM.Microsoft Schedule.MtgReq",
            )
        )
    )  # fmt: skip
    assert letter is not None and letter.invitation is not None
    assert (letter.invitation.method, letter.invitation.place) == ("request", "Room 1")
    assert (letter.invitation.starts, letter.invitation.ends) == ("2026-07-06T06:00:00Z", "2026-07-06T07:00:00Z")


WINMAIL = outlook.winmail(
    outlook.letter(outlook.text(0x1000, "from Outlook")),
    outlook.file("plan.pdf", b"%PDF-1.4"),
    outlook.file("a.txt", b"a"),
)


def wrapped(data: bytes) -> bytes:
    part = "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return multipart(part + base64.encodebytes(data).decode())


def test_f83_winmail_is_opened_in_a_confined_process_and_nowhere_else() -> None:
    """Here, where a lost process would be the test's own, it stays a file; apart from here it is opened."""
    assert not sandbox.is_confined()
    assert tnef.open_tnef(WINMAIL) is None
    message = parse_mail(wrapped(WINMAIL))
    assert [one.name for one in message.attachments] == ["winmail.dat"]
    assert find_part(wrapped(WINMAIL), "1/1") is None
    assert cut_out(wrapped(WINMAIL), "1/1") == b"%PDF-1.4"
    assert cut_out(wrapped(WINMAIL), "1/3") is None


def test_f83_winmail_cut_off_or_damaged_anywhere_is_read_or_refused() -> None:
    for cut in range(len(WINMAIL)):
        tnef.read_tnef(WINMAIL[:cut])
    for at in range(0, len(WINMAIL), 3):
        for byte in (0, 0x7F, 0xFF):
            found = tnef.read_tnef(WINMAIL[:at] + bytes([byte]) + WINMAIL[at + 1 :])
            if found is not None:
                assert sum(len(one.data) for one in found.files) <= 4 * len(WINMAIL)


PACKED_HEAD = b"\0\0\0\1" * 2 + b"LZFu" + b"\0" * 4


@pytest.mark.parametrize(
    "hostile",
    [
        outlook.SIGNATURE + b"\1" + b"\0" * 8 + b"\0" * 2_000_000,
        outlook.winmail(*[outlook.attribute(2, 0x9002, 6, b"")] * 50_000),
        outlook.winmail(outlook.letter(*[outlook.text(0x37, "x")] * 50_000)),
        outlook.winmail(outlook.letter(outlook.binary(0x1009, PACKED_HEAD + b"\xff\x00\x1f" * 300_000))),
        outlook.winmail(outlook.attribute(1, 0x9003, 6, b"\xff" * 4 + b"\x1f\x10\x37\x00\xff\xff\xff\x7f" * 10_000)),
    ],
    ids=["empty attributes", "files", "properties", "packed text", "endless values"],
)  # fmt: skip
def test_f83_winmail_made_to_hurt_is_read_in_bounded_time(hostile: bytes) -> None:
    found = tnef.read_tnef(hostile)
    assert found is None or len(found.files) <= tnef.MAX_FILES


def test_letters_within_letters_end_somewhere() -> None:
    inner = outlook.winmail(outlook.file("core.txt", b"core"))
    for _ in range(10):
        inner = outlook.winmail(outlook.file("", b"", outlook.binary(0x3701, b"\0" * 16 + inner, 0x0D)))
    assert tnef.read_tnef(inner) is not None


# --- Complaints -----------------------------------------------------------------------------------------------------

FEEDBACK = "\r\n".join(
    [
        "Content-Type: message/feedback-report\r\n", "Feedback-Type: abuse", "User-Agent: SomeGenerator/1.0",
        "Version: 1", "Original-Mail-From: <us@toko.example>", "Original-Rcpt-To: <user@isp.example>",
        "Source-IP: 192.0.2.1",
        "Arrival-Date: Thu, 8 Mar 2026 14:00:00 EDT", "Reporting-MTA: dns; mail.isp.example", "Incidents: 3",
    ]
)  # fmt: skip
ORIGINAL = (
    "Content-Type: message/rfc822\r\n\r\n"
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <our-1@toko.example>\r\n\r\nHi"
)


def test_an_abuse_report_says_which_of_our_mails_and_who_complained() -> None:
    text = "Content-Type: text/plain\r\n\r\nThis is a report."
    message = parse_mail(multipart(text, FEEDBACK, ORIGINAL, kind="report", parameters="; report-type=feedback-report"))
    assert message.complaint == Complaint(
        kind="abuse", message_id="our-1@toko.example", recipient="user@isp.example", subject="Grüße",
        sender="us@toko.example", source="192.0.2.1", arrived="Thu, 8 Mar 2026 14:00:00 EDT", count=3,
        reporter="mail.isp.example",
    )  # fmt: skip


def test_an_abuse_report_without_anything_is_one_all_the_same() -> None:
    message = parse_mail(multipart("Content-Type: message/feedback-report\r\n\r\n", kind="report"))
    assert message.complaint == Complaint(kind="other")


# --- Signed and encrypted -------------------------------------------------------------------------------------------

CLEAR = """Before.

-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

Hello,
- -- not a signature
- From here on it is said.
-----BEGIN PGP SIGNATURE-----

iQEzBAEBCgAdFiEE
=abcd
-----END PGP SIGNATURE-----

After.
"""


def test_a_clear_signed_text_is_readable_and_marked() -> None:
    message = parse_mail(mail(CLEAR.encode()))
    words = "Before. Hello, -- not a signature From here on it is said. After."
    assert " ".join(message.text.split()) == words
    assert Flag.SIGNED in message.flags


@pytest.mark.parametrize(
    ("fields", "body", "flag"),
    [
        ({"Content_Type": "application/pkcs7-mime; smime-type=enveloped-data"}, b"MIIB", Flag.ENCRYPTED),
        ({"Content_Type": "application/pkcs7-mime; smime-type=signed-data"}, b"MIIB", Flag.SIGNED),
        ({"Content_Type": "application/x-pkcs7-mime; name=smime.p7m", "Content_Transfer_Encoding": "base64"},
         base64.b64encode(bytes.fromhex("30820101" + "06092a864886f70d010702")), Flag.SIGNED),
        ({"Content_Type": "application/octet-stream; name=smime.p7m"}, b"\x30\x82", Flag.ENCRYPTED),
        ({"Content_Type": "text/plain"}, b"Hi\n\n-----BEGIN PGP MESSAGE-----\n\nhQEM\n", Flag.ENCRYPTED),
    ],
)  # fmt: skip
def test_seals_are_recognised(fields: dict[str, str], body: bytes, flag: Flag) -> None:
    message = parse_mail(mail(body, **fields))
    assert [one for one in message.flags if one in (Flag.SIGNED, Flag.ENCRYPTED)] == [flag]


def test_a_quoted_armour_is_no_seal() -> None:
    flags = parse_mail(mail(b"Look:\n> -----BEGIN PGP MESSAGE-----\n> x\n")).flags
    assert Flag.ENCRYPTED not in flags and Flag.SIGNED not in flags
