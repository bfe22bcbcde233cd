"""Composing a reply: whatever goes in, a reader gets it back, and nothing can be added to the header."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.base import Refused
from connectors.mail.compose import (
    MAX_REFERENCES,
    compose_reply,
    new_message_id,
    trim_references,
)
from connectors.mail.discover import guess_servers
from connectors.mail.parse import parse_mail
from connectors.messages import Address, OutboundFile

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ANA = Address("ana@example.org", "Ana")
BOB = Address("bob@example.net", "Bob")


def compose(**given: object) -> bytes:
    values: dict[str, object] = {
        "message_id": "m1@example.org",
        "sender": ANA,
        "to": [BOB],
        "subject": "Re: your order",
        "text": "Dear Bob,\n\nit is on its way.\n",
        "date": AT,
    }
    return compose_reply(**(values | given))  # type: ignore[arg-type]


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(part: EmailMessage | None) -> str:
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def assert_plain(content: bytes) -> None:
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert content.endswith(b"\r\n")


# Letters of any script without control characters: what a header may hold.
printable = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=120)
anything = st.text(max_size=400)


@given(subject=printable, name=printable, text=anything, quoted=st.none() | anything)
def test_f81_what_is_composed_is_read_back_and_nothing_is_added(
    subject: str, name: str, text: str, quoted: str | None
) -> None:
    content = compose(subject=subject, to=[Address("bob@example.net", name)], text=text, quoted=quoted)
    assert_plain(content)
    head = read(content)
    names = [field.lower() for field in head.keys()]  # noqa: SIM118 - a message repeats keys, a mapping does not
    expected = ["from", "to", "date", "message-id", "mime-version", "content-type"]
    assert sorted(names) == sorted([*expected, "subject"] if "subject" in names else expected)
    assert len(head["To"].addresses) == 1
    assert head["To"].addresses[0].addr_spec == "bob@example.net"
    parsed = parse_mail(content)
    assert parsed.author.address == "ana@example.org"
    assert parsed.message_id == "m1@example.org"
    assert " ".join(parsed.subject.split()) == " ".join(subject.split())
    [recipient] = parsed.recipients
    assert recipient.address.address == "bob@example.net"


@given(text=anything)
def test_the_plain_part_is_the_text(text: str) -> None:
    body = text_of(read(compose(text=text)).get_body(("plain",)))
    kept = "".join(sign for sign in text.replace("\r\n", "\n").replace("\r", "\n") if sign >= " " or sign in "\t\n")
    kept = kept.replace("\x7f", "").rstrip("\n")
    assert body.rstrip("\n") == kept


@given(text=anything)
def test_the_html_part_holds_no_markup_of_the_writer(text: str) -> None:
    body = read(compose(text=f"<script>alert(1)</script><img src=x> {text}")).get_body(("html",))
    assert body is not None
    content = body.get_content()
    assert "<script" not in content and "<img" not in content
    assert "&lt;script&gt;" in content


@pytest.mark.parametrize("bad", ["\r\nBcc: eve@example.net", "\n", "\r", "\x00", "\x1b", "\x85", "\u2028"])
@pytest.mark.parametrize("where", ["subject", "name", "address", "message_id", "in_reply_to", "file", "language"])
def test_f81_control_characters_are_refused_everywhere(where: str, bad: str) -> None:
    given: dict[str, dict[str, object]] = {
        "subject": {"subject": f"Hello{bad}"},
        "name": {"to": [Address("bob@example.net", f"Bob{bad}x")]},
        "address": {"to": [Address(f"bob{bad}@example.net", "Bob")]},
        "message_id": {"message_id": f"m1{bad}@example.org"},
        "in_reply_to": {"in_reply_to": f"m0{bad}@example.org"},
        "file": {"attachments": [OutboundFile(f"a{bad}.txt", "text/plain", b"x")]},
        "language": {"language": f"en{bad}"},
    }
    with pytest.raises(Refused):
        compose(**given[where])


@pytest.mark.parametrize(
    "address", ["", "bob", "@example.net", "bob@", "b ob@example.net", "bob@exa mple.net", "bøb@x.dk"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Refused):
        compose(to=[Address(address)])


def test_a_reply_is_a_proper_reply() -> None:
    content = compose(
        in_reply_to="q2@example.net",
        references=["q1@example.net", "r1@example.org"],
        cc=[Address("carla@bücher.example", "Carla, Dr.")],
        quoted="Where is it?\n> it was sent",
        language="en",
    )
    head = read(content)
    assert head["In-Reply-To"] == "<q2@example.net>"
    assert head["References"].split() == ["<q1@example.net>", "<r1@example.org>", "<q2@example.net>"]
    assert head["Cc"] == '"Carla, Dr." <carla@xn--bcher-kva.example>'
    assert head["Date"].datetime == AT
    assert head["Content-Language"] == "en"
    plain = text_of(head.get_body(("plain",)))
    assert plain.rstrip("\n") == "Dear Bob,\n\nit is on its way.\n\n> Where is it?\n>> it was sent"
    assert parse_mail(content).visible_text.strip() == "Dear Bob,\n\nit is on its way."


def test_history_can_be_left_out_and_html_too() -> None:
    head = read(compose(quoted=None, html=False))
    assert head.get_content_type() == "text/plain"
    assert text_of(head) == "Dear Bob,\n\nit is on its way.\n"


@given(
    name=st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=90),
    content=st.binary(max_size=300),
)
@example(name="<>", content=b"")
@example(name='""', content=b"")
@example(name="<a.pdf>", content=b"x")
def test_attachments_keep_their_bytes_and_names(name: str, content: bytes) -> None:
    mail = compose(attachments=[OutboundFile(name, "application/pdf", content)])
    assert_plain(mail)
    [attachment] = list(read(mail).iter_attachments())
    assert attachment.get_content() == content
    assert attachment.get_content_type() == "application/pdf"
    # The library takes angle brackets or quotes around a whole name for quoting, once more than it should.
    assert attachment.get_filename() == unquote(name.strip() or "file")


def test_very_long_lines_and_subjects_stay_short_on_the_wire() -> None:
    content = compose(text="x" * 5000 + "\n" + "ü" * 3000, subject="s" * 3000, to=[BOB] * 200)
    assert_plain(content)
    assert read(content)["Subject"] == "s" * 3000


@given(st.lists(st.integers(0, 200).map(lambda number: f"{number}@example.net"), max_size=150))
def test_references_keep_root_and_end(chain: list[str]) -> None:
    kept = trim_references(chain, "last@example.net")
    assert len(kept) <= MAX_REFERENCES
    assert len(set(kept)) == len(kept)
    assert kept[-1] == "last@example.net"
    assert not chain or kept[0] == chain[0]


def test_ids_that_are_none_are_left_out_of_references() -> None:
    assert trim_references(["a@b", "bad id", "<x>", "", "c@d"]) == ["a@b", "c@d"]


def test_message_ids_cannot_be_guessed_and_name_the_domain() -> None:
    made = {new_message_id("bücher.example") for _ in range(100)}
    assert len(made) == 100
    assert all(len(one.partition("@")[0]) == 32 and one.endswith("@xn--bcher-kva.example") for one in made)


def test_f50_our_message_id_fits_on_one_line_beside_in_reply_to() -> None:
    """Mailers fold what is longer at 78 columns, and Python's e-mail package encodes it, whereby references break."""
    answer = EmailMessage(policy=email.policy.SMTP)
    answer["In-Reply-To"] = f"<{new_message_id('a-long-domain-name.example')}>"
    (line,) = answer.as_bytes().splitlines()[:1]
    assert line.startswith(b"In-Reply-To: <") and line.endswith(b"@a-long-domain-name.example>")


def test_links_become_links() -> None:
    body = read(compose(text='See https://example.org/a?b=1&c="2". Thanks')).get_body(("html",))
    assert body is not None
    assert '<a href="https://example.org/a?b=1&amp;c=">' in body.get_content()


@pytest.mark.parametrize(
    ("address", "imap", "smtp"),
    [
        ("ana@gmail.com", "imap.gmail.com", "smtp.gmail.com"),
        ("ana@Outlook.com", "outlook.office365.com", "smtp.office365.com"),
        ("ana@shop.onmicrosoft.com", "outlook.office365.com", "smtp.office365.com"),
        ("ana@yahoo.co.id", "imap.mail.yahoo.com", "smtp.mail.yahoo.com"),
        ("ana@icloud.com", "imap.mail.me.com", "smtp.mail.me.com"),
        ("ana@fastmail.com", "imap.fastmail.com", "smtp.fastmail.com"),
        ("ana@example.org", "imap.example.org", "smtp.example.org"),
        ("ana@bücher.example", "imap.xn--bcher-kva.example", "smtp.xn--bcher-kva.example"),
    ],
)
def test_the_likeliest_servers_come_first(address: str, imap: str, smtp: str) -> None:
    guess = guess_servers(address)[0]
    assert (guess.imap["host"], guess.smtp["host"]) == (imap, smtp)


@pytest.mark.parametrize("address", ["", "ana", "ana@", "@example.org", "ana@localhost"])
def test_what_is_no_address_has_no_servers(address: str) -> None:
    assert guess_servers(address) == []
