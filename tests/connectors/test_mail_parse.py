"""parse_mail over what customers, their programs and attackers send. No network, no clock, never an exception."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail import EmailConnector
from connectors.mail.decode import clean_name
from connectors.mail.excerpts import find_content_ids, find_html, find_part
from connectors.mail.parse import parse_mail
from connectors.messages import Automatic, Flag, ParsedMessage, RawItem, Scope
from connectors.registry import AccountSettings

SAMPLES = Path(__file__).parent / "samples" / "mail"
RECEIVED = datetime(2024, 6, 5, 4, 0, tzinfo=UTC)


def mail(body: str | bytes = "Hello\n", **headers: str) -> bytes:
    """A small mail; None-like "" leaves a header out."""
    fields = {
        "From": "Sari Dewi <sari@example.org>",
        "To": "halo@toko.example",
        "Subject": "Order tb-20418",
        "Date": "Wed, 05 Jun 2024 10:11:00 +0700",
        "Message-ID": "<1@example.org>",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    raw = body if isinstance(body, bytes) else body.encode()
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + raw


def multipart(*parts: str, kind: str = "mixed", parameters: str = "", **headers: str) -> bytes:
    body = "".join(f"--frontier\r\n{part}\r\n" for part in parts) + "--frontier--\r\n"
    return mail(body, Content_Type=f'multipart/{kind}; boundary="frontier"{parameters}', **headers)


PLAIN = "Content-Type: text/plain; charset=utf-8\r\n\r\nThe plain text"
HTML = "Content-Type: text/html; charset=utf-8\r\n\r\n<p>The <b>HTML</b> text"
PDF = 'Content-Type: application/pdf; name="bill.pdf"\r\nContent-Disposition: attachment\r\n\r\nPDF bytes'
IMAGE = (
    "Content-Type: image/png\r\nContent-ID: <logo@x>\r\nContent-Disposition: inline\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\niVBORw0K"
)


# --- Header fields --------------------------------------------------------------------------------------------------


def test_a_plain_mail_is_read_whole() -> None:
    message = parse_mail(mail(Cc="Budi <budi@example.org>", In_Reply_To="<0@toko.example>", References="<a@b> <c@d>"))
    assert (message.author.name, message.author.address) == ("Sari Dewi", "sari@example.org")
    assert [(r.role, r.address.address) for r in message.recipients] == [
        ("to", "halo@toko.example"),
        ("cc", "budi@example.org"),
    ]
    assert message.subject == "Order tb-20418"
    assert message.written_at == datetime(2024, 6, 5, 3, 11, tzinfo=UTC)
    assert (message.message_id, message.in_reply_to) == ("1@example.org", "0@toko.example")
    assert message.references == ("a@b", "c@d", "0@toko.example")
    assert (message.text, message.visible_text, message.flags) == ("Hello", "Hello", ())
    assert message.verified is None and message.automatic is None


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("=?utf-8?B?UsOpcG9uc2U=?=", "Réponse"),
        ("=?iso-8859-1?Q?R=E9ponse?= two", "Réponse two"),
        ("=?utf-8?B?w4M=?= =?utf-8?B?wqk=?=", "Ã©"),
        ("=?utf-8?B?4p?= =?utf-8?B?yT?=", None),
        ("=?utf-8?Q?sp=C4?=\r\n =?utf-8?Q?=83t?=", "spăt"),  # one character split over two words
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?iso-2022-jp?B?GyRCJDMkcxsoQg==?=", "こん"),
        ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
        ("=?nonsense-8?Q?plain?=", "plain"),
        ("=?utf-8*id?Q?bahasa?=", "bahasa"),
        ("=?UTF-8?Q?Really??=", "Really?"),
        ("=?utf-8?Q?two words?=", "two words"),
        ("a =?broken", "a =?broken"),
        ("folded\r\n subject", "folded subject"),
        ("folded\r\n\tby tab", "folded by tab"),
        ("=?utf-8?Q?line=0D=0ABcc:_evil@x.org?=", "line Bcc: evil@x.org"),
        ("nul=00 stays text", "nul=00 stays text"),
        ("=?utf-8?Q?nul=00inside?=", "nul inside"),
        ("", ""),
    ],
)
def test_subjects_are_decoded(subject: str, expected: str | None) -> None:
    message = parse_mail(mail(Subject=subject))
    assert "\n" not in message.subject and "\r" not in message.subject and "\x00" not in message.subject
    if expected is not None:
        assert message.subject == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("Über".encode(), "Über"), ("Über".encode("latin-1"), "Über"), ("“smart”".encode("cp1252"), "“smart”")],
)
def test_raw_eight_bit_in_headers_is_read(raw: bytes, expected: str) -> None:
    assert parse_mail(mail().replace(b"Order tb-20418", raw)).subject == expected


@pytest.mark.parametrize(
    ("date", "expected", "flag"),
    [
        ("5 Jun 2024 10:11:00 GMT", datetime(2024, 6, 5, 10, 11, tzinfo=UTC), None),
        ("Wed, 5 Jun 2024 10:11 -0200", datetime(2024, 6, 5, 12, 11, tzinfo=UTC), None),
        ("Wed, 05 Jun 24 10:11:00 +0000", datetime(2024, 6, 5, 10, 11, tzinfo=UTC), None),
        ("Wed, 05 Jun 2024 10:11:00 +0700 (WIB)", datetime(2024, 6, 5, 3, 11, tzinfo=UTC), None),
        ("2024-06-05T10:11:00+07:00", datetime(2024, 6, 5, 3, 11, tzinfo=UTC), None),
        ("Wed, 05 Jun 2024 10:11:60 +0000", datetime(2024, 6, 5, 10, 11, 59, tzinfo=UTC), None),
        ("Wed Jun  5 10:11:00 2024", datetime(2024, 6, 5, 10, 11, tzinfo=UTC), None),
        ("", None, Flag.NO_DATE),
        ("yesterday", None, Flag.BAD_DATE),
        ("Wed, 05 Jun 1970 10:11:00 +0000", None, Flag.BAD_DATE),
        ("Wed, 05 Jun 2044 10:11:00 +0000", None, Flag.BAD_DATE),
        ("Wed, 99 Jun 2024 10:11:00 +0000", None, Flag.BAD_DATE),
        ("Wed, 05 Jun 2024 10:11:00 +9999", None, Flag.BAD_DATE),
        ("=?utf-8?q?x?=", None, Flag.BAD_DATE),
        ("0" * 5000, None, Flag.BAD_DATE),
    ],
)
def test_dates_are_read_or_flagged(date: str, expected: datetime | None, flag: Flag | None) -> None:
    message = parse_mail(mail(Date=date), fallback_date=datetime(2024, 6, 5, 12, 30, tzinfo=UTC))
    assert message.written_at == expected
    assert (flag in message.flags) if flag else not {Flag.NO_DATE, Flag.BAD_DATE} & set(message.flags)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a@b>", "a@b"),
        ("a@b", "a@b"),
        ("<[x]>", "[x]"),
        ("<>", ""),
        ("<a\r\n b@c>", "ab@c"),
        ("garbage <a@b> tail", "a@b"),
        ("", ""),
    ],
)
def test_t8_message_ids_that_crash_the_standard_library_are_read(value: str, expected: str) -> None:
    message = parse_mail(mail(Message_ID=value))
    assert message.message_id == expected
    assert (Flag.NO_MESSAGE_ID in message.flags) == (expected == "")


def test_references_lose_repeats_and_the_mail_itself_and_end_with_the_answered_one() -> None:
    message = parse_mail(mail(References="<a@b> <1@example.org> <c@d> <a@b>", In_Reply_To="<a@b>"))
    assert message.references == ("c@d", "a@b")


def test_two_thousand_references_keep_the_first_and_the_last() -> None:
    message = parse_mail(mail(References=" ".join(f"<{n}@x>" for n in range(2000)), In_Reply_To="<last@x>"))
    assert len(message.references) == 200
    assert (message.references[0], message.references[-1]) == ("0@x", "last@x")
    assert Flag.TRUNCATED in message.flags


def test_a_header_line_that_is_none_does_not_hide_the_fields_after_it() -> None:
    content = mail().replace(b"Subject:", b"this is no field\r\nSubject:")
    message = parse_mail(content)
    assert message.subject == "Order tb-20418" and message.text == "Hello"
    assert Flag.BROKEN_MIME in message.flags


def test_a_mail_without_the_blank_line_keeps_its_text() -> None:
    message = parse_mail(b"From: a@b.example\nSubject: x\nHello without a blank line\nand more\n")
    assert message.author.address == "a@b.example"
    assert "Hello without a blank line" in message.text


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r", b"\r\r\n"])
def test_every_kind_of_line_end_is_read(ends: bytes) -> None:
    content = multipart(PLAIN, PDF).replace(b"\r\n", ends)
    message = parse_mail(content)
    assert (message.subject, message.text) == ("Order tb-20418", "The plain text")
    assert [attachment.name for attachment in message.attachments] == ["bill.pdf"]


def test_an_mbox_line_before_the_header_is_passed_over() -> None:
    message = parse_mail(b"From sari@example.org Wed Jun  5 10:11:00 2024\r\n" + mail())
    assert message.author.address == "sari@example.org" and message.flags == ()


@pytest.mark.parametrize("missing", ["From", "Date", "Message-ID", "To", "Subject"])
def test_f14_a_mail_without_a_header_field_is_still_a_message(missing: str) -> None:
    message = parse_mail(mail(**{missing: ""}))
    assert message.text == "Hello" and Flag.UNREADABLE not in message.flags


def test_f14_a_mail_without_anything_but_an_author_is_still_a_message() -> None:
    message = parse_mail(b"From: sari@example.org\r\n\r\n")
    assert message.author.address == "sari@example.org"
    assert set(message.flags) == {Flag.NO_DATE, Flag.NO_MESSAGE_ID}


@pytest.mark.parametrize(
    "style",
    [
        "<ours@toko.example>",
        "ours@toko.example",
        "  <ours@toko.example>  ",
        "<ours@toko.example> (Toko Biru's message of Wed, 5 Jun)",
        'Your message of "Wed, 5 Jun 2024" <ours@toko.example>',
        "\r\n <ours@toko.example>",
        "<ours@toko.\r\n example>",
        "<ours@toko.example>, <other@toko.example>",
        "<ours@toko.example><other@toko.example>",
        "<ours@toko.example>\t<other@toko.example>",
    ],
)
def test_f50_every_style_of_in_reply_to_names_our_mail(style: str) -> None:
    message = parse_mail(mail(In_Reply_To=style))
    assert message.in_reply_to == "ours@toko.example"
    assert message.references[-1] == "ours@toko.example"
    assert "ours@toko.example" in parse_mail(mail(References=style)).references


# --- Who wrote it ---------------------------------------------------------------------------------------------------

READABLE_FROM = [
    ("sari@example.org", "", "sari@example.org"),
    ("<sari@example.org>", "", "sari@example.org"),
    ('"Dewi, Sari" <sari@example.org>', "Dewi, Sari", "sari@example.org"),
    ("Dewi, Sari <sari@example.org>", "Dewi, Sari", "sari@example.org"),
    ("sari@example.org (Sari Dewi)", "Sari Dewi", "sari@example.org"),
    ("Sari Dewi sari@example.org", "Sari Dewi", "sari@example.org"),
    ("=?utf-8?Q?Dewi=2C_Sari?= <sari@example.org>", "Dewi, Sari", "sari@example.org"),
    ("=?utf-8?Q?evil=40x=2Eorg?= <sari@example.org>", "evil@x.org", "sari@example.org"),
    ("=?utf-8?B?PGV2aWxAeC5vcmc+?= <sari@example.org>", "<evil@x.org>", "sari@example.org"),
    ('"evil@x.org" <sari@example.org>', "evil@x.org", "sari@example.org"),
    ("Sari <@relay.example,@two.example:sari@example.org>", "Sari", "sari@example.org"),
    ("O'Neil <o'neil@example.ie>", "O'Neil", "o'neil@example.ie"),
    ("Jürgen <jürgen@müller.example>", "Jürgen", "jürgen@müller.example"),
    ('A\\"B <sari+tag@example.org>', None, None),
    ('"A \\"B\\" C" <sari+tag@example.org>', 'A "B" C', "sari+tag@example.org"),
    ("Team: sari@example.org;", "", "sari@example.org"),
    ("Sari \u202eevil\u202c <sari@example.org>", "Sari evil", "sari@example.org"),
    ("sari@[192.0.2.1]", "", "sari@[192.0.2.1]"),
]


@pytest.mark.parametrize(("value", "name", "address"), READABLE_FROM)
def test_from_fields_with_one_meaning_give_an_author(value: str, name: str | None, address: str | None) -> None:
    message = parse_mail(mail(From=value))
    if address is None:
        assert message.author.address in ("", "sari+tag@example.org")
        return
    assert (message.author.name, message.author.address) == (name, address)
    assert not {Flag.AMBIGUOUS_FROM, Flag.NO_FROM, Flag.SEVERAL_FROM} & set(message.flags)


@pytest.mark.parametrize(
    "value",
    [
        "alice@example.org)bob@evil.example",
        "alice@example.org(<bob@evil.example>",
        "<alice@example.org> <bob@evil.example>",
        "<alice@example.org>bob@evil.example",
        "alice@example.org@evil.example",
        "<alice@example.org@evil.example>",
        '"alice@example.org"@evil.example',
        "alice@example.org\\@evil.example",
        "alice@example.org\u200b",
        "alice @example.org",
        "alice@example .org",
        "alice@exam\u202eple.org",
        "alice(comment)@example.org",
        "<alice@example.org",
        'Alice" <alice@example.org>',
        "alice@example..org",
        "=?utf-8?q?alice=40example.org?=",
        "=?utf-8?q?alice?=@example.org",
        "<=?utf-8?q?alice?=@example.org>",
        "alice@=?utf-8?q?example?=.org",
        "(" * 3000 + "alice@example.org",
        "alice@example.org, <bob@evil",
        "Alice <alice@example.org\x00>",
        "Alice <alice@example.org\t>x@y.org",
    ],
)
def test_f51_from_fields_with_two_meanings_give_no_identity(value: str) -> None:
    message = parse_mail(mail(From=value))
    assert message.author.address == ""
    assert {Flag.AMBIGUOUS_FROM, Flag.NO_FROM} & set(message.flags)


def test_f51_reply_to_and_sender_are_never_the_author() -> None:
    message = parse_mail(mail(From="", Sender="evil@x.org", Reply_To="evil@x.org", Return_Path="<evil@x.org>"))
    assert message.author.address == "" and Flag.NO_FROM in message.flags


def test_f51_t9_what_parseaddr_reads_wrongly_is_nobody() -> None:
    assert parse_mail(mail(From="alice@example.org)bob@evil.com")).author.address == ""


def test_of_several_from_the_first_is_kept_and_flagged() -> None:
    two_fields = mail().replace(b"To:", b"From: other@example.org\r\nTo:")
    for content in (two_fields, mail(From="sari@example.org, other@example.org")):
        message = parse_mail(content)
        assert message.author.address == "sari@example.org"
        assert Flag.SEVERAL_FROM in message.flags


def test_a_relay_names_the_author_in_reply_to() -> None:
    content = mail(From="Form <form@toko.example>", Reply_To="Budi <budi@example.org>", Auto_Submitted="auto-generated")
    message = parse_mail(content, relays=["Form@Toko.example"])
    assert message.author.address == "budi@example.org"
    assert Flag.VIA_RELAY in message.flags and message.automatic is None
    assert parse_mail(content).author.address == "form@toko.example"


def test_f83_two_thousand_recipients_are_read_and_what_is_more_is_cut_and_flagged() -> None:
    everybody = [f"a{n}@example.org" for n in range(2001)]
    message = parse_mail(mail(To=", ".join(everybody[:1500]), Cc=", ".join(everybody[1500:2000])))
    assert [one.address.address for one in message.recipients] == everybody[:2000]
    assert Flag.TRUNCATED not in message.flags
    message = parse_mail(mail(To=", ".join(everybody)))
    assert [one.address.address for one in message.recipients] == everybody[:2000]
    assert Flag.TRUNCATED in message.flags


# --- Bodies ---------------------------------------------------------------------------------------------------------


def test_of_alternatives_the_plain_text_is_read_and_the_html_kept_for_showing() -> None:
    content = multipart(PLAIN, HTML, kind="alternative")
    message = parse_mail(content)
    assert message.text == "The plain text" and message.has_html and message.attachments == ()
    assert find_html(content) == "<p>The <b>HTML</b> text"


def test_html_cut_into_pieces_around_an_attachment_is_one_alternative_of_the_text() -> None:
    pieces = f"--in\r\n{HTML}\r\n--in\r\n{PDF}\r\n--in\r\n{HTML}\r\n--in--"
    mixed = f'Content-Type: multipart/mixed; boundary="in"\r\n\r\n{pieces}'
    content = multipart(PLAIN, mixed, kind="alternative")
    message = parse_mail(content)
    assert message.text == "The plain text"
    assert [attachment.part for attachment in message.attachments] == ["2.2"]
    assert (find_html(content) or "").count("HTML") == 2


def test_an_empty_plain_part_gives_way_to_the_html() -> None:
    message = parse_mail(multipart("Content-Type: text/plain\r\n\r\n \r\n", HTML, kind="alternative"))
    assert message.text == "The HTML text"


def test_a_plain_part_that_only_points_to_the_html_gives_way() -> None:
    plain = "Content-Type: text/plain\r\n\r\nThis mail needs an HTML mail program."
    html = "Content-Type: text/html\r\n\r\n<p>" + "A long story of a lamp. " * 10
    assert "story of a lamp" in parse_mail(multipart(plain, html, kind="alternative")).text


def test_related_images_are_inline_and_found_by_their_content_id() -> None:
    related = (
        'Content-Type: multipart/related; boundary="in"\r\n\r\n--in\r\n' + HTML + "\r\n--in\r\n" + IMAGE + "\r\n--in--"
    )
    content = multipart(PLAIN, related, kind="alternative")
    message = parse_mail(content)
    (image,) = message.attachments
    assert (image.part, image.is_inline, image.content_id, image.content_type) == ("2.2", True, "logo@x", "image/png")
    assert find_content_ids(content) == {"logo@x": "2.2"}
    assert find_part(content, "2.2") == ("attachment-2.2.png", "image/png", b"\x89PNG\r\n")
    assert find_part(content, "9") is None


def test_text_between_attachments_is_read_in_order() -> None:
    second = "Content-Type: text/plain\r\n\r\nand after it"
    message = parse_mail(multipart(PLAIN, PDF, second))
    assert message.text == "The plain text\n\nand after it"
    (bill,) = message.attachments
    assert (bill.name, bill.size, bill.is_inline) == ("bill.pdf", 9, False)


def test_an_attached_text_file_is_no_body() -> None:
    for disposition in ("attachment", "inline"):
        log = f'Content-Type: text/plain\r\nContent-Disposition: {disposition}; filename="log.txt"\r\n\r\nlines'
        message = parse_mail(multipart(PLAIN, log))
        assert message.text == "The plain text"
        assert [attachment.name for attachment in message.attachments] == ["log.txt"]


def test_a_forwarded_mail_is_an_attachment_and_its_text_is_read_when_there_is_no_other() -> None:
    inner = "Content-Type: message/rfc822\r\n\r\nFrom: a@b.example\r\nSubject: Old\r\n\r\nInner text"
    assert parse_mail(multipart(PLAIN, inner)).text == "The plain text"
    alone = parse_mail(multipart(inner))
    assert alone.text == "Inner text"
    assert [attachment.content_type for attachment in alone.attachments] == ["message/rfc822"]


def test_flowed_text_is_joined() -> None:
    body = "A long line that \r\nwas broken \r\nsoftly.\r\nNext\r\n> quoted \r\n> on\r\n-- \r\nSari\r\n"
    message = parse_mail(mail(body, Content_Type="text/plain; format=flowed"))
    assert message.text == "A long line that was broken softly.\nNext\n> quoted on\n-- \nSari"
    wide = parse_mail(mail("ab \r\ncd\r\n", Content_Type="text/plain; format=flowed; delsp=yes"))
    assert wide.text == "abcd"


CHARSETS = [
    ("utf-8", "Grüße 你好".encode(), "Grüße 你好", False),
    ("us-ascii", "Grüße".encode(), "Grüße", False),
    ("", "Grüße".encode(), "Grüße", False),
    ("", "Grüße".encode("latin-1"), "Grüße", True),
    ("iso-8859-1", "“Grüße” €".encode("cp1252"), "“Grüße” €", False),
    ("windows-1251", "Привет".encode("cp1251"), "Привет", False),
    ("gb2312", "喆 你好".encode("gb18030"), "喆 你好", False),
    ("ks_c_5601-1987", "안녕 똠방".encode("cp949"), "안녕 똠방", False),
    ("iso-2022-jp", "ありがとう".encode("iso2022_jp"), "ありがとう", False),
    ("shift_jis", "①ありがとう".encode("cp932"), "①ありがとう", False),
    ("utf-7", b"Gr+APw-n", "Grün", False),
    ("utf-16", "hello".encode("utf-16"), "hello", False),
    ("unknown-8bit", "Grüße".encode(), "Grüße", True),
    ("x-klingon", b"plain", "plain", True),
    ("zlib_codec", b"plain", "plain", True),
    ("punycode", b"plain-xyz", "plain-xyz", True),
    ("unicode_escape", rb"\u0041", r"\u0041", True),
    ("utf-8", "Grüße und vieles mehr ÄÖÜ".encode()[:-1] + b"\xff", None, True),
    ('"utf-8"', "Grüße".encode(), "Grüße", False),
    ("../../etc/passwd", b"plain", "plain", True),
]


@pytest.mark.parametrize(("charset", "raw", "expected", "is_flagged"), CHARSETS)
def test_bodies_are_decoded_and_doubt_is_flagged(
    charset: str, raw: bytes, expected: str | None, is_flagged: bool
) -> None:
    kind = f"text/plain; charset={charset}" if charset else "text/plain"
    message = parse_mail(mail(raw, Content_Type=kind, Content_Transfer_Encoding="8bit"))
    assert (Flag.UNKNOWN_CHARSET in message.flags) == is_flagged
    if expected is not None:
        assert message.text == expected
    else:
        assert message.text.startswith("Grüße und vieles mehr ÄÖ")


def test_nul_and_controls_never_reach_the_text() -> None:
    message = parse_mail(mail(b"a\x00b\x07c\x1b[31md\r\ne\x0cf"))
    assert message.text == "abc[31md\nef"


@pytest.mark.parametrize(
    ("encoding", "raw", "expected", "is_broken"),
    [
        ("base64", base64.b64encode("Grüße".encode()), "Grüße", False),
        ("base64", b"SGVs!!bG8", "Hello", True),
        ("base64", b"SGVsbG8=\r\n-- \r\nlist footer", "Hello", False),
        ("quoted-printable", b"Gr=C3=BC=C3=9Fe=\r\n!", "Grüße!", False),
        ("quoted-printable", b"100=ZZ", "100=ZZ", False),
        ("x-unknown", b"text", "text", True),
        ("8bit", b"text", "text", False),
    ],
)
def test_transfer_encodings_are_undone_as_far_as_they_go(
    encoding: str, raw: bytes, expected: str, is_broken: bool
) -> None:
    content = mail(raw, Content_Type="text/plain; charset=utf-8", Content_Transfer_Encoding=encoding)
    message = parse_mail(content)
    assert message.text == expected
    assert (Flag.BROKEN_MIME in message.flags) == is_broken


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/mixed",
        'multipart/mixed; boundary="never"',
        "multipart/mixed; boundary=",
        "multipart/alternative; x=y",
    ],
)
def test_a_multipart_without_its_boundary_is_shown_as_text(content_type: str) -> None:
    message = parse_mail(mail("Just words here\r\n", Content_Type=content_type))
    assert message.text == "Just words here" and Flag.BROKEN_MIME in message.flags


def test_a_wrong_boundary_is_replaced_by_the_one_that_is_there() -> None:
    content = multipart(PLAIN, PDF).replace(b'boundary="frontier"', b'boundary="border"')
    message = parse_mail(content)
    assert message.text == "The plain text" and len(message.attachments) == 1
    assert Flag.BROKEN_MIME in message.flags


def test_a_cut_off_multipart_gives_what_came() -> None:
    message = parse_mail(multipart(PLAIN, PDF)[:-30])
    assert message.text == "The plain text" and len(message.attachments) == 1


def test_html_becomes_readable_text() -> None:
    html = (
        "<html><head><title>T</title><style>p{}</style></head><body><div style='display:none'>preheader</div>"
        "<h1>Order</h1><p>Dear <b>Sari</b>,<br>the lamp&nbsp;is <a href='https://toko.example/t/1'>on its way</a>.</p>"
        "<ul><li>one</li><li>two</li></ul><ol><li>first<li>second</ol><table><tr><td>Lamp</td><td>5</td></tr></table>"
        "<script>alert(1)</script><img src=x alt='Toko logo'></body></html>"
    )
    message = parse_mail(mail(html, Content_Type="text/html; charset=utf-8"))
    assert message.text.split("\n") == [
        "Order",
        "",
        "Dear Sari,",
        "the lamp is on its way <https://toko.example/t/1>.",
        "",
        "- one",
        "- two",
        "",
        "1. first",
        "2. second",
        "",
        "Lamp  5",
        "",
        "Toko logo",
    ]


def test_quoted_history_in_html_is_told_by_its_markup() -> None:
    html = "<div>Ja, gerne.</div><div class='gmail_quote'>Klingon attribution<blockquote>old text</blockquote></div>"
    message = parse_mail(mail(html, Content_Type="text/html"))
    assert message.visible_text == "Ja, gerne."
    outlook = "<p>Yes</p><div id='appendonsend'></div><hr><div id='divRplyFwdMsg'><b>X:</b> y</div><p>old</p>"
    assert parse_mail(mail(outlook, Content_Type="text/html")).visible_text == "Yes"


def test_answers_inside_a_gmail_quote_are_seen() -> None:
    html = "<div class='gmail_quote'><div class='gmail_attr'>On x</div><blockquote>Size?</blockquote><p>Large</p></div>"
    assert "Large" in parse_mail(mail(html, Content_Type="text/html")).visible_text


def test_html_too_deep_for_a_parser_is_still_text() -> None:
    message = parse_mail(mail("<div>" * 20_000 + "deep words", Content_Type="text/html"))
    assert message.text == "deep words" and Flag.TRUNCATED in message.flags


# --- Attachments ----------------------------------------------------------------------------------------------------

NAMES = [
    ("filename=plain.pdf", "plain.pdf"),
    ('filename="with space.pdf"', "with space.pdf"),
    ("filename*=utf-8''na%C3%AFve%20file.pdf", "naïve file.pdf"),
    ("filename*0=long; filename*1=name.pdf", "longname.pdf"),
    ("filename*0*=utf-8''na%C3%AF; filename*1*=ve.pdf", "naïve.pdf"),
    ("filename*1*=ve.pdf; filename*0*=utf-8''na%C3%AF", "naïve.pdf"),
    ("filename=\"=?utf-8?Q?na=C3=AFve.pdf?=\"", "naïve.pdf"),
    ("filename*=iso-8859-1'en'%A3.txt", "£.txt"),
    ("filename*=nonsense''a%FFb.txt", None),
    ('filename="../../etc/passwd"', "_.._etc_passwd"),
    ('filename="C:\\\\evil\\\\x.exe"', "C__evil_x.exe"),
    ('filename=".htaccess"', "htaccess"),
    ('filename="a\\"b.txt"', "a_b.txt"),
    ("filename=\"a;b.txt\"", "a;b.txt"),
    ('filename=""', "attachment-2.pdf"),
    ('filename="   "', "attachment-2.pdf"),
    ('filename="' + "x" * 500 + '.pdf"', "x" * 196 + ".pdf"),
    ('filename="' + "é" * 300 + '.pdf"', "é" * 98 + ".pdf"),
]  # fmt: skip


@pytest.mark.parametrize(("parameter", "expected"), NAMES)
def test_f77_names_of_attachments_are_decoded_and_cleaned(parameter: str, expected: str | None) -> None:
    part = f"Content-Type: application/pdf\r\nContent-Disposition: attachment; {parameter}\r\n\r\nx"
    (attachment,) = parse_mail(multipart(PLAIN, part)).attachments
    assert len(attachment.name.encode()) <= 200
    if expected is not None:
        assert attachment.name == expected


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u202e", "\ufeff", "\u2066", "\u00ad", "\x00", "\x7f", "\u2028", "\n", "\x85"]
)
def test_f77_nothing_invisible_stays_in_a_name(hidden: str) -> None:
    name = base64.b64encode(f"{hidden}.ht{hidden}access{hidden}".encode()).decode()
    part = f'Content-Type: application/pdf; name="=?utf-8?B?{name}?="\r\n\r\nx'
    (attachment,) = parse_mail(multipart(PLAIN, part)).attachments
    assert attachment.name == "htaccess"


@given(st.text(max_size=300))
def test_f77_no_name_is_dangerous_whatever_it_was(name: str) -> None:
    cleaned = clean_name(name)
    assert len(cleaned.encode()) <= 200 and not cleaned.startswith(".")
    assert not set(cleaned) & set('/\\:*?"<>|\x00\n\r\u200b\u202e\u2066\ufeff')
    assert clean_name(cleaned) == cleaned


def test_names_are_composed() -> None:
    part = "Content-Type: application/pdf; name*=utf-8''e%CC%81.pdf\r\n\r\nx"
    assert parse_mail(multipart(PLAIN, part)).attachments[0].name == "é.pdf"


# --- Encrypted, signed, automatic -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "flag"),
    [
        (multipart("Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1", PDF, kind="encrypted"), Flag.ENCRYPTED),
        (multipart(PLAIN, "Content-Type: application/pgp-signature\r\n\r\nx", kind="signed"), Flag.SIGNED),
        (mail("x", Content_Type="application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"), Flag.ENCRYPTED),
        (mail("x", Content_Type="application/pkcs7-mime; smime-type=signed-data; name=smime.p7m"), Flag.SIGNED),
        (mail("-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n-----END PGP MESSAGE-----\r\n"), Flag.ENCRYPTED),
        (mail("-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nHi\r\n"), Flag.SIGNED),
    ],
)
def test_encrypted_and_signed_mail_is_flagged(content: bytes, flag: Flag) -> None:
    assert flag in parse_mail(content).flags


@pytest.mark.parametrize(
    ("headers", "expected", "is_newsletter"),
    [
        ({}, None, False),
        ({"Auto_Submitted": "no"}, None, False),
        ({"Auto_Submitted": "auto-replied"}, Automatic.AUTO_REPLY, False),
        ({"Auto_Submitted": "auto-generated; x=y"}, Automatic.AUTO_REPLY, False),
        ({"X_Autoreply": "yes"}, Automatic.AUTO_REPLY, False),
        ({"Precedence": "auto_reply"}, Automatic.AUTO_REPLY, False),
        ({"X_Auto_Response_Suppress": "All", "Subject": "Automatic reply: away"}, Automatic.AUTO_REPLY, False),
        ({"X_Auto_Response_Suppress": "All"}, None, False),
        ({"Precedence": "list"}, Automatic.LIST, False),
        ({"List_Id": "Lamps <lamps.example>", "List_Post": "<mailto:l@x>"}, Automatic.LIST, False),
        ({"List_Unsubscribe": "<https://x/u>"}, Automatic.LIST, True),
        ({"Precedence": "bulk"}, Automatic.LIST, True),
        ({"Precedence": "junk"}, Automatic.LIST, True),
        ({"Return_Path": "<>", "Subject": "Undelivered Mail Returned to Sender"}, Automatic.BOUNCE, False),
        ({"Return_Path": "<>", "From": "MAILER-DAEMON@mx.example"}, Automatic.BOUNCE, False),
        ({"X_Failed_Recipients": "a@b.example"}, Automatic.BOUNCE, False),
        ({"Subject": "Report domain: x.org Submitter: y.org Report-ID: 1"}, Automatic.REPORT, False),
        ({"Subject": "Undeliverable: your promise of a lamp"}, None, False),
    ],
)
def test_f44_automatic_mail_is_told_by_its_headers(
    headers: dict[str, str], expected: Automatic | None, is_newsletter: bool
) -> None:
    message = parse_mail(mail(**headers))
    assert message.automatic is expected
    assert (Flag.NEWSLETTER in message.flags) == is_newsletter


def test_a_bounce_says_which_mail_to_whom_and_why() -> None:
    status = (
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        "Final-Recipient: rfc822; gone@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such\r\n user here\r\n\r\n"
        "Final-Recipient: RFC822;later@example.org\r\nAction: delayed\r\nStatus: 4.2.2 (full)\r\n"
    )
    original = "Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <ours@toko.example>\r\nSubject: Re: x\r\n"
    content = multipart(PLAIN, status, original, kind="report", parameters="; report-type=delivery-status")
    message = parse_mail(content)
    assert message.automatic is Automatic.BOUNCE
    assert [(r.message_id, r.recipient, r.action, r.status, r.diagnostic) for r in message.reports] == [
        ("ours@toko.example", "gone@example.org", "failed", "5.1.1", "550 5.1.1 no such user here"),
        ("ours@toko.example", "later@example.org", "delayed", "4.2.2", ""),
    ]


def test_a_bounce_in_plain_words_still_names_the_mail() -> None:
    body = "I could not deliver it.\r\n\r\n--- copy ---\r\n> Message-ID: <ours@toko.example>\r\n"
    message = parse_mail(mail(body, From="MAILER-DAEMON@mx.example", Return_Path="<>"))
    assert [report.message_id for report in message.reports] == ["ours@toko.example"]


@pytest.mark.parametrize("kind", ["feedback-report", "disposition-notification", "tlsrpt"])
def test_reports_are_reports(kind: str) -> None:
    content = multipart(PLAIN, kind="report", parameters=f"; report-type={kind}")
    assert parse_mail(content).automatic is Automatic.REPORT


# --- When nothing works ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"\xd0\xcf\x11\xe0" + bytes(range(256)) * 20, b"\r\n\r\n\r\n"])
def test_what_is_no_mail_is_unreadable_and_visible(content: bytes) -> None:
    message = parse_mail(content)
    assert message.flags == (Flag.UNREADABLE,)
    assert len(message.raw_sha256) == 64 and len(message.stable_sha256) == 64


def test_what_is_unreadable_is_the_same_after_a_mail_store_had_it(tmp_path: Path) -> None:
    content = b"\xd0\xcf\x11\xe0" + bytes(range(256)) * 400
    kept = content.replace(b"\r", b"").replace(b"\n", b"\r\n").replace(b"\0", b"\x80")
    message = parse_mail(content)
    assert message.flags == (Flag.UNREADABLE,)
    assert parse_mail(kept).stable_sha256 == message.stable_sha256 != parse_mail(content + b"more").stable_sha256
    # Of a large one, too, all counts, though only its beginning is looked at.
    file = tmp_path / "large"
    file.write_bytes(kept)
    account = AccountSettings("email", "help@toko.example", {}, tmp_path)
    item = RawItem(Scope("INBOX", "1"), "1", datetime(2026, 1, 1, tzinfo=UTC), len(kept), path=file)
    salvaged = EmailConnector(account, {}).salvage(item)
    assert isinstance(salvaged, ParsedMessage) and salvaged.stable_sha256 == message.stable_sha256


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.eml")), ids=lambda path: path.stem)
def test_samples_are_read_as_noted_beside_them(path: Path) -> None:
    """Each sample carries what must come out in X-Expect fields: subject, text, attachments, flags."""
    content = path.read_bytes()
    message = parse_mail(content)
    for line in content.decode("latin-1").splitlines():
        name, _, value = line.partition(": ")
        if name == "X-Expect-Text":
            assert value.encode("latin-1").decode() in message.visible_text
        elif name == "X-Expect-Flags":
            assert {flag.value for flag in message.flags} == set(value.split())
        elif name == "X-Expect-Attachments":
            assert [attachment.name for attachment in message.attachments] == value.split()
    assert message.author.address.endswith("@example.org")
