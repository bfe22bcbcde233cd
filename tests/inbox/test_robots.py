"""The loop guard: what no program of ours answers, and caps that hold whatever a mail says of itself."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes

import pytest

from connectors.mail.parse import parse_mail
from connectors.messages import Flag, OutboundMessage
from inbox.models import Account, AutomaticTurn, Message
from inbox.robots import answer_automatically
from inbox.rules.robots import PER_DAY, PER_HOUR, Asked, Obstacle, Past, find_obstacle
from tests.builders import NOW, make_account, make_item, make_mail, receive

FIRST = Past(None, 0, 0)
PERSON = Asked("ana@shop.example", True, False, False, False, "", (), True)
AUTH = {"Authentication-Results": "mx.balas.example; dmarc=pass header.from=shop.example"}

# What programs write in their heads, one mark each, in the spellings that are about.
MARKS = [
    {"Auto-Submitted": "auto-replied"},
    {"Auto-Submitted": "auto-generated; owner-email=x@y.example"},
    {"Auto-Submitted": "Auto-Notified"},
    {"Precedence": "bulk"},
    {"Precedence": "Junk"},
    {"Precedence": "list"},
    {"Precedence": "auto_reply"},
    {"List-Id": "<talk.lists.example>"},
    {"List-Unsubscribe": "<mailto:off@shop.example>"},
    {"List-Post": "NO"},
    {"List-Help": "<mailto:help@shop.example>"},
    {"Return-Path": "<>"},
    {"X-Auto-Response-Suppress": "OOF, AutoReply"},
    {"X-Auto-Response-Suppress": "All"},
    {"X-Autoreply": "yes"},
    {"X-Autorespond": "Away"},
    {"X-Loop": "support@shop.example"},
    {"X-Balas-Loop": "1"},
    {"Feedback-ID": "1:2:3:esp"},
]


@pytest.mark.parametrize("headers", MARKS, ids=lambda one: "-".join(next(iter(one.items()))))
def test_f44_every_mark_of_a_program_forbids_an_answer(headers):
    parsed = parse_mail(make_mail(headers=headers))
    asked = Asked("ana@shop.example", True, False, False, False, parsed.automatic or "", parsed.flags, True)
    assert find_obstacle(asked, FIRST, NOW) is Obstacle.AUTOMATIC


@pytest.mark.parametrize(
    "author",
    ["MAILER-DAEMON@shop.example", "postmaster@shop.example", "no-reply@shop.example", "NoReply+7@shop.example",
     "do-not-reply@shop.example", "notifications@shop.example"],
)  # fmt: skip
def test_f44_addresses_that_nobody_reads_get_no_answer(author):
    assert Flag.NO_AUTOMATIC_ANSWER in parse_mail(make_mail(author=author)).flags


def test_f44_a_person_is_no_program():
    parsed = parse_mail(make_mail(headers={"Auto-Submitted": "no", "Return-Path": "<ana@shop.example>"}))
    assert (parsed.automatic, parsed.flags) == (None, ())


@pytest.mark.parametrize(
    ("changes", "past", "obstacle"),
    [
        ({}, FIRST, None),
        ({"is_inbound": False}, FIRST, Obstacle.NOT_RECEIVED),
        ({"is_history": True}, FIRST, Obstacle.NOT_RECEIVED),
        ({"key": ""}, FIRST, Obstacle.NOBODY),
        ({"flags": (Flag.SEVERAL_FROM,)}, FIRST, Obstacle.NOBODY),
        ({"is_ours": True}, FIRST, Obstacle.OURSELVES),
        ({"flags": (Flag.FROM_OWN_ADDRESS,)}, FIRST, Obstacle.OURSELVES),
        ({"automatic": "bounce"}, FIRST, Obstacle.AUTOMATIC),
        ({"flags": (Flag.VIA_GROUP,)}, FIRST, Obstacle.AUTOMATIC),
        ({"verified": None}, FIRST, Obstacle.UNVERIFIED),
        ({"verified": False}, FIRST, Obstacle.UNVERIFIED),
        ({"flags": (Flag.VIA_RELAY,)}, FIRST, Obstacle.UNVERIFIED),
        ({"is_spam": True}, FIRST, Obstacle.SPAM),
        ({}, Past(NOW - timedelta(hours=23, minutes=59), 0, 0), Obstacle.SENDER_CAP),
        ({}, Past(NOW - timedelta(hours=24), 0, 0), None),
        ({}, Past(None, PER_HOUR, PER_HOUR), Obstacle.HOUR_CAP),
        ({}, Past(None, 0, PER_DAY), Obstacle.DAY_CAP),
    ],
)
def test_f44_the_rule_as_a_table(changes, past, obstacle):
    values = {name: getattr(PERSON, name) for name in PERSON.__slots__} | changes
    assert find_obstacle(Asked(**values), past, NOW) is obstacle


def account(**values: object) -> Account:
    return make_account(settings={"authserv_id": "mx.balas.example"}, **values)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_f44_f45_what_we_send_says_that_it_is_automatic_and_holds_no_word_of_the_sender():
    receive(account(), make_item(make_mail(message_id="one@shop.example", headers=AUTH)))
    sent = answer_automatically(Message.objects.get().id, "Thank you", "We have got it.", NOW)
    assert isinstance(sent, OutboundMessage)
    mail = message_from_bytes(sent.content)
    assert (sent.sender, sent.recipients) == ("", ("ana@shop.example",))
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"], mail["X-Balas-Loop"]) == (
        "auto-replied",
        "All",
        "1",
    )
    assert mail["In-Reply-To"] == "<one@shop.example>"
    read = parse_mail(sent.content)
    assert Flag.NO_AUTOMATIC_ANSWER in read.flags
    assert "Hello" not in read.text  # nothing of what the sender wrote, its subject neither
    assert read.subject == "Thank you"


@pytest.mark.django_db
def test_f44_twenty_pairs_of_robots_that_hide_it_exchange_one_mail_a_day_each():
    """The worst case: programs without a single mark, each of which answers whatever it gets at once."""
    box, sent = account(), 0
    for pair in range(20):
        at = NOW
        for turn in range(10):
            mail = make_mail(
                author=f"robot{pair}@shop.example", at=at, message_id=f"{pair}-{turn}@shop.example", headers=AUTH
            )
            receive(box, make_item(mail, uid=pair * 100 + turn + 1, at=at), now=at)
            newest = Message.objects.get(reference=f"{pair}-{turn}@shop.example")
            sent += isinstance(answer_automatically(newest.id, "Thank you", "We have got it.", at), OutboundMessage)
            at += timedelta(minutes=1)
    assert sent == 20
    assert set(AutomaticTurn.objects.values_list("times", flat=True)) == {1}


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, AUTH])
def test_f45_forged_requests_bring_the_victim_one_mail_at_most(headers):
    box = account()
    mails = [
        make_mail(f"Buy {n}\n", author="victim@shop.example", message_id=f"f{n}@x.example", headers=headers)
        for n in range(100)
    ]
    receive(box, *(make_item(mail, uid=n + 1) for n, mail in enumerate(mails)))
    answers = [
        answer_automatically(id, "Thank you", "We have got it.", NOW)
        for id in Message.objects.values_list("id", flat=True)
    ]
    assert sum(isinstance(one, OutboundMessage) for one in answers) == (1 if headers else 0)


def test_f45_ten_thousand_requests_are_one_turn():
    last, sent = None, 0
    for second in range(10_000):
        now = NOW + timedelta(seconds=second)
        if find_obstacle(PERSON, Past(last, 0, 0), now) is None:
            last, sent = now, sent + 1
    assert sent == 1


@pytest.mark.django_db
def test_f45_many_strangers_do_not_make_us_a_mail_bomb():
    box = account()
    mails = [
        make_mail(author=f"p{n}@shop.example", message_id=f"m{n}@x.example", headers=AUTH) for n in range(PER_HOUR + 10)
    ]
    receive(box, *(make_item(mail, uid=n + 1) for n, mail in enumerate(mails)))
    answers = [
        answer_automatically(id, "Thank you", "We have got it.", NOW)
        for id in Message.objects.values_list("id", flat=True)
    ]
    assert answers.count(Obstacle.HOUR_CAP) == 10
