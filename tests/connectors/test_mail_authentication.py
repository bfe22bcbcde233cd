"""The cases of authres and authheaders as their authors state them, and what real servers write (failure 52)."""

from __future__ import annotations

import ast
import doctest
import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.authentication import UNNAMED, Found, read_results
from connectors.mail.parse import parse_mail
from connectors.mail.trust import judge_kept
from connectors.messages import SenderCheck
from tests.connectors.test_mail_parse import mail
from tests.corpora import find_corpus

_HEADER = re.compile(r"""parse\((['"])authentication-results: (.*)\1\)""", re.I)
_ASKED = re.compile(r"(?:str\()?\w*arobj\.((?:authserv_id|results)[\w.\[\]]*)\)?$", re.M)


@dataclass(frozen=True)
class Shown:
    """What we read, under the names that authres gives it."""

    one: Found

    @property
    def properties(self) -> list[Any]:
        return [SimpleNamespace(type=kind, name=name, value=value) for kind, name, value in self.one.properties]

    def __getattr__(self, name: str) -> Any:
        if name in ("method", "result"):
            return getattr(self.one, name)
        if name == "reason":
            return self.one.reason or None
        kind, _, called = name.partition("_")
        return self.one.value(kind, called.replace("_", "-")) or None

    def __str__(self) -> str:
        reason = f' reason="{self.one.reason}"' if self.one.reason else ""
        told = "".join(
            f' {kind}.{name}="{value}"' if ":" in value else f" {kind}.{name}={value}"
            for kind, name, value in self.one.properties
        )
        return f"{self.one.method}={self.one.result}{reason}{told}"


def shown(asked: str, header: str) -> str:
    results = read_results(header)
    assert results is not None
    there = {"authserv_id": results.server, "results": [Shown(one) for one in results.found]}
    name, _, rest = asked.partition("[")
    return str(eval(f"there[{name!r}]{'[' + rest if rest else ''}", {"there": there}))  # noqa: S307


def test_f52_every_header_of_authres_is_read_as_its_authors_state() -> None:
    (path,) = find_corpus("authres")
    header, asked, headers = "", 0, 0
    for example in doctest.DocTestParser().get_examples(path.read_text()):
        if found := _HEADER.search(example.source):
            header, headers = found.group(2), headers + 1
            if "Syntax error" in example.want:
                results = read_results(header)
                # What cannot be read is left out, or spoils the whole header; the rest of it vouches for nobody.
                assert results is None or [one.method for one in results.found] == ["spf"], header
                continue
        elif header and (one := _ASKED.search(example.source.strip())):
            want = example.want.strip()
            if "'AuthenticationResult' object" in want:
                continue  # of a method it does not know it gives the properties, but no accessors
            # A property that a method cannot have is an error there, and simply not there for us.
            wanted = "None" if "has no attribute" in want else ast.literal_eval(want) if want[0] in "'\"" else want
            assert shown(one.group(1), header) == wanted, (header, one.group(1))
            asked += 1
    assert headers >= 22
    assert asked >= 130


def test_f52_every_header_that_authres_writes_is_read() -> None:
    (path,) = find_corpus("authres")
    written = [
        example.want.strip().strip("'\"").partition(": ")[2]
        for example in doctest.DocTestParser().get_examples(path.read_text())
        if example.want.strip("'\"").startswith("Authentication-Results:")
    ]
    assert len(written) >= 15
    for header in written:
        results = read_results(header)
        methods = re.findall(r"(?:^|; )([a-z-]+)=", re.sub(r"\([^)]*\)", "", header))
        assert results is not None
        assert [one.method for one in results.found] == methods, header


def test_f52_authheaders_mails_are_verified_as_their_results_state() -> None:
    judged = {}
    for path in find_corpus("authheaders"):
        if path.suffix == ".eml":
            message = parse_mail(path.read_bytes(), authserv_id="example.com")
            judged[path.stem] = message.verified
            stated = path.read_bytes().split(b"\n")[0].decode().partition("; ")[2]
            found = re.findall(r"(?<![.\w])(spf|dkim|dmarc|arc)=([a-z]+)", re.sub(r"\(.*?\)", "", stated))
            assert message.sender_check is not None and message.sender_check.is_trusted
            assert [(method, result) for method, result, _of in message.sender_check.results] == found
            # The mails carry the results of another server below: for who trusts that one, this says nothing.
            other = parse_mail(path.read_bytes().partition(b"\n")[2], authserv_id="example.com")
            assert other.verified is False
    passed = {name for name, verified in judged.items() if verified}
    assert len(judged) == 15
    assert passed == {
        "test_authenticate_dkim",
        "test_authenticate_dmarc",
        "test_authenticate_dmarc_comma",
        "test_prev",
    }


def test_authheaders_senders_have_the_domains_that_it_states() -> None:
    (path,) = [path for path in find_corpus("authheaders") if path.name == "senders.txt"]
    lines = path.read_text().splitlines()
    for sender, domain in zip(lines[::2], lines[1::2], strict=True):
        author = parse_mail(f"From: {sender}\r\n\r\nx".encode()).author
        assert author.address.rpartition("@")[2] == domain


REAL = [
    # (who writes so, the header, From, verified)
    (
        "Gmail",
        "mx.google.com;\r\n       dkim=pass header.i=@example.org header.s=s1 header.b=Qgi/FoC0;\r\n"
        "       spf=pass (google.com: domain of a@example.org designates 192.0.2.1 as permitted sender)"
        " smtp.mailfrom=a@example.org;\r\n       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org",
        "mx.google.com",
        True,
    ),
    (
        "Microsoft 365",
        "spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=example.org; dkim=pass (signature was verified)\r\n"
        " header.d=example.org;dmarc=pass action=none\r\n header.from=example.org;compauth=pass reason=100",
        UNNAMED,
        True,
    ),
    (
        "Yahoo",
        "atlas-production.v2-mail-prod1-gq1.omega.yahoo.com;\r\n dkim=pass header.i=@example.org header.s=s1;\r\n"
        " spf=pass smtp.mailfrom=example.org;\r\n dmarc=pass(p=REJECT) header.from=example.org;",
        "atlas-production.v2-mail-prod1-gq1.omega.yahoo.com",
        True,
    ),
    (
        "Fastmail",
        "mx5.messagingengine.com;\r\n arc=none (no signatures found);\r\n dkim=pass (2048-bit rsa key sha256)"
        " header.d=example.org header.i=@example.org header.a=rsa-sha256 header.s=s1 x-bits=2048;\r\n"
        " dmarc=pass policy.published-domain-policy=none policy.applied-disposition=none\r\n"
        " policy.evaluated-disposition=none (p=none,d=none,d.eval=none) policy.policy-from=p\r\n"
        " header.from=example.org;\r\n iprev=pass smtp.remote-ip=192.0.2.1 (mail.example.org)",
        "mx5.messagingengine.com",
        True,
    ),
    (
        "rspamd",
        "mx.example.net;\r\n\tdkim=pass header.d=example.org header.s=s1 header.b=abc;\r\n\tspf=pass (mx.example.net:"
        " domain of a@example.org designates 192.0.2.1) smtp.mailfrom=a@example.org;\r\n"
        "\tdmarc=pass (policy=quarantine) header.from=example.org",
        "mx.example.net",
        True,
    ),
    (
        "OpenDMARC",
        "mail.example.net; dmarc=fail (p=none dis=none) header.from=example.org",
        "mail.example.net",
        False,
    ),
]


@pytest.mark.parametrize(("header", "server", "verified"), [one[1:] for one in REAL], ids=[one[0] for one in REAL])
def test_headers_of_real_servers_are_read(header: str, server: str, verified: bool) -> None:
    content = f"Authentication-Results: {header}\r\n".encode() + mail(From="Sari <sari@example.org>")
    assert parse_mail(content, authserv_id=server).verified is verified
    learnt = parse_mail(content).sender_check
    assert learnt is not None
    assert (learnt.server, learnt.is_trusted) == (server, False)
    assert judge_kept(learnt, "example.org") is verified


def test_f52_arc_is_kept_and_vouches_for_nobody() -> None:
    header = "mx.toko.example; arc=pass (i=1 dmarc=pass fromdomain=example.org) header.as-d=evil.example; dmarc=fail"
    content = f"Authentication-Results: {header}\r\n".encode() + mail(From="Sari <sari@example.org>")
    message = parse_mail(content, authserv_id="mx.toko.example")
    assert message.verified is False
    assert message.sender_check == SenderCheck(
        "mx.toko.example", True, (("arc", "pass", "evil.example"), ("dmarc", "fail", ""))
    )


def test_f52_a_header_of_our_server_that_cannot_be_read_hides_no_forged_one_below() -> None:
    broken = "Authentication-Results: mx.toko.example; what is this; dmarc=pass header.from=example.org\r\n"
    forged = "Authentication-Results: mx.toko.example; dmarc=pass header.from=example.org\r\n"
    content = (broken + forged).encode() + mail(From="Sari <sari@example.org>")
    assert parse_mail(content, authserv_id="mx.toko.example").verified is False


@given(st.lists(st.sampled_from([*';="().\\ \r\n\t@/', "dmarc", "pass", "header.from", "example.org", "\x01", "9"])))
def test_f52_nothing_that_does_not_begin_with_our_server_verifies(pieces: list[str]) -> None:
    results = read_results("evil" + "".join(pieces))
    assert results is None or results.server != "mx.toko.example"


def test_f83_a_header_of_any_length_is_read_in_bounded_time() -> None:
    for piece in ("(", '"', ";", "\\", "a=b ", "a=b;", "dkim=pass " + "header.d=x " * 9 + ";", "(" * 5 + ")" * 5):
        read_results("mx.example; " + piece * 20_000)
