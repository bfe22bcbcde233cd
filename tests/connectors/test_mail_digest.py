"""The stable hash: copies of one mail are equal, whatever servers and lists did to them; everything else differs."""

from __future__ import annotations

import base64
import quopri

import pytest

from connectors.mail.parse import parse_mail
from tests.connectors.test_mail_parse import HTML, PDF, PLAIN, mail, multipart

BODY = "Dear shop,\r\n\r\nthe lamp  has not come – please look.  \r\nSari\r\n"
UTF8 = "text/plain; charset=utf-8"
FOOTER = "_" * 47 + "\r\nLamps mailing list\r\nhttps://lists.example/lamps\r\n"


def stable(content: bytes) -> str:
    return parse_mail(content).stable_sha256


ORIGINAL = mail(BODY, Content_Type=UTF8, Content_Transfer_Encoding="8bit", Subject="Re: Order tb-20418")
COPIES = {
    "trace headers": b"Received: from a by b; now\r\nReturn-Path: <x@y>\r\nDelivered-To: z\r\nX-Spam: no\r\n"
    + ORIGINAL,
    "authentication": b"Authentication-Results: mx; dkim=pass\r\nARC-Seal: i=1\r\nDKIM-Signature: v=1\r\n" + ORIGINAL,
    "bare line feeds": ORIGINAL.replace(b"\r\n", b"\n"),
    "nul": ORIGINAL.replace(b"come", b"co\x00me"),
    "nul as Dovecot sends it": ORIGINAL.replace(b"come", b"co\x80me"),
    "trailing white space": ORIGINAL.replace(b"look.  ", b"look."),
    "blank lines at the end": ORIGINAL + b"\r\n\r\n",
    "quoted-printable": mail(
        quopri.encodestring(BODY.replace("\r\n", "\n").encode()),
        Content_Type=UTF8,
        Content_Transfer_Encoding="quoted-printable",
        Subject="Re: Order tb-20418",
    ),
    "base64": mail(
        base64.encodebytes(BODY.encode()),
        Content_Type=UTF8,
        Content_Transfer_Encoding="base64",
        Subject="Re: Order tb-20418",
    ),
    "other charset": mail(
        BODY.encode("cp1252"),
        Content_Type="text/plain; charset=windows-1252",
        Content_Transfer_Encoding="8bit",
        Subject="Re: Order tb-20418",
    ),
    "folded header": ORIGINAL.replace(b"Sari Dewi <", b"Sari Dewi\r\n <"),
    "list tag before": ORIGINAL.replace(b"Re: Order", b"[lamps] Re: Order"),
    "list tag after": ORIGINAL.replace(b"Re: Order", b"Re: [lamps] Order"),
    "list tag and footer": ORIGINAL.replace(b"Re: Order", b"[lamps] Re: Order") + FOOTER.encode(),
    "list headers": b"List-Id: <lamps.example>\r\nPrecedence: list\r\nSender: l@x\r\nReply-To: l@x\r\n" + ORIGINAL,
    "header order": ORIGINAL.replace(b"To: halo@toko.example\r\n", b"").replace(
        b"\r\n\r\nDear", b"\r\nTo: halo@toko.example\r\n\r\nDear", 1
    ),
}


@pytest.mark.parametrize("name", COPIES)
def test_f30_copies_of_one_mail_have_one_stable_hash(name: str) -> None:
    assert COPIES[name] != ORIGINAL
    assert stable(COPIES[name]) == stable(ORIGINAL)
    assert parse_mail(COPIES[name]).raw_sha256 != parse_mail(ORIGINAL).raw_sha256


def test_a_footer_that_a_list_adds_as_a_part_does_not_make_it_other_content() -> None:
    footer = "Content-Type: text/plain; charset=us-ascii\r\n\r\n" + FOOTER
    plain = multipart(PLAIN, PDF)
    assert stable(multipart(PLAIN, PDF, footer)) == stable(plain)
    inner = 'Content-Type: multipart/mixed; boundary="in"\r\n\r\n--in\r\n' + f"{PLAIN}\r\n--in\r\n{PDF}\r\n--in--"
    assert stable(multipart(inner, footer)) == stable(plain)


def test_another_boundary_is_no_other_content() -> None:
    content = multipart(PLAIN, HTML, PDF)
    assert stable(content.replace(b"frontier", b"border")) == stable(content)


@pytest.mark.parametrize(
    "other",
    [
        ORIGINAL.replace(b"lamp", b"lump"),
        ORIGINAL.replace(b"<1@example.org>", b"<2@example.org>"),
        ORIGINAL.replace(b"sari@", b"sara@"),
        ORIGINAL.replace(b"halo@", b"hola@"),
        ORIGINAL.replace(b"10:11:00", b"10:11:01"),
        ORIGINAL.replace(b"tb-20418", b"tb-20419"),
        ORIGINAL.replace(b"\r\n\r\nDear", b"\r\nCc: x@y.example\r\n\r\nDear", 1),
        ORIGINAL + b"PS: hurry\r\n",
        ORIGINAL.replace(b"lamp  has", b"lamp has"),
    ],
)
def test_f16_other_content_has_another_stable_hash(other: bytes) -> None:
    assert other != ORIGINAL
    assert stable(other) != stable(ORIGINAL)


def test_f16_another_attachment_is_other_content() -> None:
    assert stable(multipart(PLAIN, PDF)) != stable(multipart(PLAIN, PDF.replace("bytes", "bites")))
    assert stable(multipart(PLAIN, PDF)) != stable(multipart(PLAIN))


def test_parts_cannot_be_shifted_into_each_other() -> None:
    one = multipart("Content-Type: text/plain\r\n\r\nab", "Content-Type: text/plain\r\n\r\nc")
    two = multipart("Content-Type: text/plain\r\n\r\na", "Content-Type: text/plain\r\n\r\nbc")
    assert stable(one) != stable(two)


@pytest.mark.parametrize("label", ["", "us-ascii", "utf-8", "windows-1252"])
@pytest.mark.parametrize("place", ["Subject", "From", "body"])
def test_what_a_server_sends_for_nul_is_no_other_content(label: str, place: str) -> None:
    values = {"Subject": "Hello there", "From": "An a <ana@example.org>", "body": "Ple ase"}
    values[place] = values[place].replace(" ", "\0")
    body = values.pop("body")
    content_type = f"text/plain; charset={label}" if label else "text/plain"
    original = mail(body, Content_Type=content_type, **values)
    assert b"\0" in original
    assert stable(original.replace(b"\0", b"\x80")) == stable(original)
