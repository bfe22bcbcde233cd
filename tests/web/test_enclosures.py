"""Invitations, reports and complaints as the page tells them, in the reader's zone and in words."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from inbox.models import Message
from tests.builders import make_account, make_item, receive
from tests.connectors import outlook
from tests.connectors.test_mail_enclosures import event
from tests.connectors.test_mail_parse import mail, multipart
from tests.web.conftest import House
from web.enclosures import cards
from web.formatting import Clock
from web.recurrence import rule_words

JAKARTA = Clock(ZoneInfo("Asia/Jakarta"), datetime(2026, 11, 25, tzinfo=UTC))


def card(**invitation: object) -> dict[str, object]:
    (found,) = cards({"enclosed": {"invitations": [{"method": "request", **invitation}]}}, JAKARTA)
    return {**found, "facts": dict(found["facts"])}


@pytest.mark.parametrize(
    ("times", "when"),
    [
        ({"starts": "2026-12-03T08:00:00Z", "ends": "2026-12-03T09:30:00Z"}, "Thursday, 3 December 2026, 15:00–16:30"),
        ({"starts": "2026-12-03T16:00:00Z", "ends": "2026-12-03T18:00:00Z"},
         "Thursday, 3 December 2026, 23:00 to Friday, 4 December 2026, 01:00"),
        ({"starts": "2026-12-03T20:00:00Z"}, "Friday, 4 December 2026, 03:00"),
        ({"starts": "2026-12-03", "ends": "2026-12-04"}, "Thursday, 3 December 2026, all day"),
        ({"starts": "2026-12-03", "ends": "2026-12-06"},
         "Thursday, 3 December 2026 to Saturday, 5 December 2026, all day"),
        ({"starts": "2026-12-03T09:00", "zone": "Nowhere"},
         "Thursday, 3 December 2026, 09:00 by Nowhere: not known how late that is here"),
    ],
)  # fmt: skip
def test_when_it_is_is_told_on_the_readers_clock(times: dict[str, str], when: str) -> None:
    assert card(**times)["facts"]["When"] == when  # type: ignore[index]


def test_the_writers_clock_stands_beside_where_it_shows_another_time() -> None:
    berlin = card(starts="2026-12-03T08:00:00Z", zone="Europe/Berlin")
    assert berlin["facts"]["There"] == "09:00 in Europe/Berlin"  # type: ignore[index]
    assert "There" not in card(starts="2026-12-03T08:00:00Z", zone="Asia/Bangkok")["facts"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "Every day."),
        ("FREQ=DAILY;INTERVAL=3;COUNT=5", "Every 3 days 5 times."),
        ("FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261231T235959Z", "Every week on Monday and Wednesday until 1 January 2027."),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every working day, Monday to Friday."),
        ("FREQ=WEEKLY;INTERVAL=2;UNTIL=20261231", "Every 2 weeks until 31 December 2026."),
        ("FREQ=MONTHLY;BYDAY=2TU", "Every month on the second Tuesday."),
        ("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", "Every month on the last Friday."),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "Every month on day 15."),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "Every month on its last day."),
        ("FREQ=YEARLY", "Every year."),
        ("FREQ=SECONDLY", "Repeats by a rule of its own; see the calendar file."),
        ("FREQ=WEEKLY;INTERVAL=99999999999;COUNT=9999999999", "Every 1000 weeks."),
        ("UNTIL=x;FREQ", "Repeats by a rule of its own; see the calendar file."),
    ],
)
def test_how_it_repeats_is_said_in_words(rule: str, words: str) -> None:
    assert rule_words(rule, JAKARTA) == words


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"method": "request"}, "Invitation"),
        ({"method": "request", "sequence": 1}, "Invitation, changed"),
        ({"method": "cancel", "is_cancelled": True}, "Cancelled"),
        ({"method": "reply", "guests": [{"name": "Bo", "answer": "declined"}]}, "Bo declined"),
        ({"method": "reply"}, "Somebody answered"),
        ({"method": "counter"}, "Another time is proposed"),
        ({"method": "publish"}, "Calendar entry"),
    ],
)
def test_what_is_asked_stands_above_it(fields: dict[str, object], title: str) -> None:
    assert card(starts="2026-12-03", **fields)["title"] == title


def test_a_page_shows_an_invitation_and_escapes_what_it_says(house: House) -> None:
    calendar = event(
        "LOCATION:<script>alert(1)</script>", "ORGANIZER;CN=Sari:mailto:sari@shop.example", "URL:https://x.example/j"
    )
    part = "Content-Type: text/calendar; method=REQUEST\r\n\r\n" + calendar
    receive(house.support, make_item(multipart("Content-Type: text/plain\r\n\r\nCome!", part, kind="alternative")))
    message = Message.objects.order_by("-id")[0]
    assert message.enclosed["invitations"][0]["title"] == "Visit"
    page = house.client("own").get(f"/c/{message.strand.links.get().conversation_id}").content.decode()
    assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page
    assert "Visit" in page and "Sari &lt;sari@shop.example&gt;" in page and 'href="https://x.example/j"' in page


def test_files_that_outlook_packed_are_listed_and_downloaded(house: House) -> None:
    winmail = outlook.winmail(
        outlook.letter(outlook.text(0x1000, "from Outlook")), outlook.file("plan.pdf", b"%PDF-1.4")
    )
    part = "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    receive(house.support, make_item(multipart(part + base64.encodebytes(winmail).decode())))
    message = Message.objects.order_by("-id")[0]
    assert message.text == "from Outlook"
    (file,) = message.attachments.all()
    assert (file.name, file.size) == ("plan.pdf", 8)
    response = house.client("own").get(f"/a/{file.id}")
    assert response.status_code == 200 and response.content == b"%PDF-1.4"


def test_a_complaint_names_our_mail(house: House) -> None:
    report = "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nOriginal-Rcpt-To: u@isp.example\r\n"
    content = multipart(report, kind="report", parameters="; report-type=feedback-report")
    receive(make_account(name="fbl"), make_item(content))
    (shown,) = cards({"enclosed": Message.objects.order_by("-id")[0].enclosed}, JAKARTA)
    assert shown["title"] == "Somebody marked our mail as spam" and ("Who", "u@isp.example") in shown["facts"]


def test_a_delivery_report_says_of_each_recipient_what_became_of_it() -> None:
    reports = [
        {"recipient": "gone@x.example", "action": "failed", "status": "5.1.1", "diagnostic": "550 5.1.1 unknown"},
        {"recipient": "slow@x.example", "action": "delayed", "status": "4.4.1"},
    ]
    (shown,) = cards({"enclosed": {"reports": reports}}, JAKARTA)
    assert [name for name, _said in shown["facts"]] == ["gone@x.example", "slow@x.example"]
    assert "550 5.1.1 unknown" in shown["facts"][0][1] and "(4.4.1)" in shown["facts"][1][1]


def test_a_mail_without_any_of_it_keeps_nothing(house: House) -> None:
    receive(house.support, make_item(mail(b"plain")))
    assert Message.objects.order_by("-id")[0].enclosed is None
