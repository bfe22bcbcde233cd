"""What bounces say of whom, in every shape that the common mail servers give them."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from connectors.mail.bounces import read_words
from connectors.mail.parse import parse_mail
from connectors.messages import Automatic
from inbox.rules.delivery import Failure, is_temporary, why_failed

ORIGINAL = "ours-7f3a@balas.example"


class Shape(NamedTuple):
    sender: str
    subject: str
    text: str
    action: str
    why: Failure
    names_original: bool = True


COPY = f"""Return-Path: <support@balas.example>
Received: from [10.0.0.7] by out.balas.example
From: Support <support@balas.example>
To: Other <other@shop.example>
Subject: Re: My order
Message-ID: <{ORIGINAL}>

Hello, other@shop.example:
no@shop.example
"""

SHAPES = {
    "qmail": Shape(
        "MAILER-DAEMON@mx.shop.example",
        "failure notice",
        "Hi. This is the qmail-send program at mx.shop.example.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<ana@shop.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no such user\n"
        "Giving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\n" + COPY,
        "failed",
        Failure.NO_SUCH_PERSON,
    ),
    "exim": Shape(
        "Mailer-Daemon@mx.balas.example",
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. "
        "The following address(es) failed:\n\n  ana@shop.example\n    host mx.shop.example [192.0.2.7]\n"
        "    SMTP error from remote mail server after RCPT TO:<ana@shop.example>:\n    550 Unrouteable address\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n" + COPY,
        "failed",
        Failure.NO_SUCH_PERSON,
    ),
    "exim-warning": Shape(
        "Mailer-Daemon@mx.balas.example",
        "Warning: message 1rXyZ-0001 delayed 24 hours",
        "This message was created automatically by mail delivery software.\n"
        "A message that you sent has not yet been delivered to one or more of its\n"
        "recipients after more than 24 hours on the queue on mx.balas.example.\n\n"
        f"The message identifier is:     1rXyZ-0001\nMessage-ID: <{ORIGINAL}>\n\n"
        "The address to which the message has not yet been delivered is:\n\n  ana@shop.example\n"
        "    host mx.shop.example [192.0.2.7]: Connection timed out\n\n"
        "No action is required on your part. Delivery attempts will continue for\nsome time. Eventually the mail "
        "delivery software will give up,\nand when that happens, the message will be returned to you.\n",
        "delayed",
        Failure.UNREACHABLE,
    ),
    "postfix": Shape(
        "MAILER-DAEMON@out.balas.example",
        "Undelivered Mail Returned to Sender",
        "This is the mail system at host out.balas.example.\n\nI'm sorry to have to inform you that your message could "
        "not\nbe delivered to one or more recipients. It's attached below.\n\n                   The mail system\n\n"
        "<ana@shop.example>: host mx.shop.example[192.0.2.7] said: 552 5.2.2\n    <ana@shop.example>: mailbox full (in "
        "reply to RCPT TO command)\n",
        "failed",
        Failure.FULL,
        names_original=False,
    ),
    "sendmail": Shape(
        "MAILER-DAEMON@mx.shop.example",
        "Returned mail: see transcript for details",
        "The original message was received at Tue, 24 Nov 2026 10:00:00 GMT\nfrom localhost [127.0.0.1]\n\n"
        "   ----- The following addresses had permanent fatal errors -----\n<ana@shop.example>\n"
        "    (reason: 550 5.1.1 <ana@shop.example>... User unknown)\n\n   ----- Transcript of session follows -----\n"
        "... while talking to mx.shop.example.:\n>>> DATA\n<<< 550 5.1.1 User unknown\n",
        "failed",
        Failure.NO_SUCH_PERSON,
        names_original=False,
    ),
    "microsoft-365": Shape(
        "postmaster@shop.onmicrosoft.example",
        "Undeliverable: Re: My order",
        "Delivery has failed to these recipients or groups:\n\nAna Pop (ana@shop.example)<mailto:ana@shop.example>\n"
        "The email address you entered couldn't be found. Please check the recipient's email address.\n\n"
        "Diagnostic information for administrators:\n\nGenerating server: X1.prod.outlook.com\n\nana@shop.example\n"
        "Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address "
        "lookup'\n\nOriginal message headers:\n\n" + COPY,
        "failed",
        Failure.NO_SUCH_PERSON,
    ),
    "exchange-2003": Shape(
        "postmaster@shop.example",
        "Undeliverable: Re: My order",
        "Your message did not reach some or all of the intended recipients.\n\n      Subject:\tRe: My order\n"
        "      Sent:\t11/24/2026 10:00 AM\n\nThe following recipient(s) cannot be reached:\n\n"
        "      ana@shop.example on 11/24/2026 10:01 AM\n            The e-mail account does not exist at the "
        "organization this message was sent to.\n            <mx.shop.example #5.1.1 smtp;550 5.1.1 User unknown>\n",
        "failed",
        Failure.NO_SUCH_PERSON,
        names_original=False,
    ),
    "gmail": Shape(
        "mailer-daemon@googlemail.com",
        "Delivery Status Notification (Failure)",
        "** Address not found **\n\nYour message wasn't delivered to ana@shop.example because the address couldn't be "
        "found, or is unable to receive mail.\n\nThe response from the remote server was:\n550 5.1.1 "
        "<ana@shop.example>: Recipient address rejected\n",
        "failed",
        Failure.NO_SUCH_PERSON,
        names_original=False,
    ),
    "gmail-of-old": Shape(
        "mailer-daemon@googlemail.com",
        "Delivery Status Notification (Failure)",
        "Delivery to the following recipient failed permanently:\n\n     ana@shop.example\n\nTechnical details of "
        "permanent failure:\nGoogle tried to deliver your message, but it was rejected by the server for the "
        "recipient domain shop.example by mx.shop.example. [192.0.2.1].\n\nThe error that the other server returned "
        "was:\n550 5.7.1 Message rejected as spam\n\n----- Original message -----\n\n" + COPY,
        "failed",
        Failure.SPAM,
    ),
    "gmail-delay": Shape(
        "mailer-daemon@googlemail.com",
        "Delivery Status Notification (Delay)",
        "** Delivery incomplete **\n\nThere was a temporary problem delivering your message to ana@shop.example. Gmail "
        "will retry for 46 more hours. You'll be notified if the delivery fails permanently.\n",
        "delayed",
        Failure.OTHER,
        names_original=False,
    ),
    "yahoo": Shape(
        "MAILER-DAEMON@yahoo.example",
        "Failure Notice",
        "Sorry, we were unable to deliver your message to the following address.\n\n<ana@shop.example>:\n554: delivery "
        "error: dd This user doesn't have a yahoo.com account (ana@shop.example) [0] - mta1.yahoo.example\n\n"
        "--- Below this line is a copy of the message.\n\n" + COPY,
        "failed",
        Failure.NO_SUCH_PERSON,
    ),
    "icloud": Shape(
        "postmaster@icloud.example",
        "Delivery Notification: Delivery has failed",
        "This report relates to a message you sent with the following header fields:\n\n"
        f"  Message-id: <{ORIGINAL}>\n  Date: Tue, 24 Nov 2026 10:00:00 +0000\n"
        "  From: Support <support@balas.example>\n  To: other@shop.example\n  Subject: Re: My order\n\n"
        "Your message cannot be delivered to the following recipients:\n\n  Recipient address: ana@shop.example\n"
        "  Reason: 5.1.1 unknown or illegal alias: ana@shop.example\n",
        "failed",
        Failure.NO_SUCH_PERSON,
    ),
    "domino": Shape(
        "postmaster@shop.example",
        "DELIVERY FAILURE: User ana (ana@shop.example) not listed in Domino Directory",
        "Your message\n\n  Subject: Re: My order\n\nwas not delivered to:\n\n  ana@shop.example\n\nbecause:\n\n"
        "  User ana (ana@shop.example) not listed in Domino Directory\n",
        "failed",
        Failure.NO_SUCH_PERSON,
        names_original=False,
    ),
}


def as_mail(shape: Shape) -> bytes:
    head = (
        f"Return-Path: <>\nFrom: Mail System <{shape.sender}>\nTo: support@balas.example\nSubject: {shape.subject}\n"
        "Date: Tue, 24 Nov 2026 10:05:00 +0000\nMessage-ID: <b1@mx.example>\nContent-Type: text/plain; charset=utf-8\n"
    )
    return f"{head}\n{shape.text}".encode()


@pytest.mark.parametrize("name", SHAPES)
def test_a_bounce_in_words_names_the_one_recipient_and_why(name):
    shape = SHAPES[name]
    parsed = parse_mail(as_mail(shape))
    assert parsed.automatic is Automatic.BOUNCE
    (report,) = parsed.reports
    assert (report.recipient, report.action) == ("ana@shop.example", shape.action)
    assert why_failed(report.status, report.diagnostic) is shape.why
    assert report.message_id == (ORIGINAL if shape.names_original else "")
    assert is_temporary(report.action, report.status) is (shape.action == "delayed")


def test_several_recipients_in_one_bounce_each_have_their_own_reason():
    text = (
        "I'm sorry to have to inform you that your message could not be delivered.\n\n"
        "<ana@shop.example>: host mx[192.0.2.7] said: 550 5.1.1 no such user\n\n"
        "<bob@shop.example>: host mx[192.0.2.7] said: 452 4.2.2 over quota\n"
    )
    found = {address: why_failed(code, said) for address, _action, code, said in read_words("Undelivered", text)}
    assert found == {"ana@shop.example": Failure.NO_SUCH_PERSON, "bob@shop.example": Failure.FULL}


def test_words_without_an_address_and_endless_ones_name_nobody_and_end():
    assert read_words("failure notice", "Something went wrong.") == []
    assert len(read_words("failure", "".join(f"<a{n}@b.example>:\nno\n" for n in range(5_000)))) <= 200
    assert read_words("x", "a@" * 40_000 + "\n" + "<" * 40_000) == []
    assert read_words("x", (" " * 200 + "\n") * 1_000 + ("-" * 200 + "\n") * 1_000) == []  # for hours, were it cubic


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        ("5.1.1", "", Failure.NO_SUCH_PERSON),
        ("550 5.1.1", "", Failure.NO_SUCH_PERSON),
        ("5.1.2", "", Failure.NO_SUCH_DOMAIN),
        ("5.2.1", "", Failure.CLOSED),
        ("4.2.2", "", Failure.FULL),
        ("5.2.2", "mailbox for ana is full", Failure.FULL),
        ("5.3.4", "", Failure.TOO_LARGE),
        ("5.4.7", "", Failure.EXPIRED),
        ("4.4.1", "", Failure.UNREACHABLE),
        ("5.4.4", "", Failure.NO_SUCH_DOMAIN),
        ("5.4.6", "", Failure.LOOP),
        ("5.7.26", "", Failure.SENDER_CHECK),
        ("5.7.1", "", Failure.NOT_ALLOWED),
        ("5.7.1", "Message blocked: listed at zen.spamhaus.org", Failure.SPAM),
        ("5.7.1", "Unauthenticated email is not accepted due to the domain's DMARC policy", Failure.SENDER_CHECK),
        ("5.0.0", "No such user here", Failure.NO_SUCH_PERSON),
        ("5.0.0", "552 message size exceeds fixed limit", Failure.TOO_LARGE),
        ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Failure.NO_SUCH_PERSON),
        ("5.1.10", "domain has a null MX", Failure.NO_SUCH_DOMAIN),
        ("", "451 greylisted, try again later", Failure.RATE),
        ("", "", Failure.OTHER),
        ("9.9.9", "zzz", Failure.OTHER),
    ],
)
def test_codes_and_words_give_a_reason_that_can_be_acted_on(status, said, why):
    assert why_failed(status, said) is why
