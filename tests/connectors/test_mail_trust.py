"""Who is vouched for: only the topmost statement of our own server, only when it speaks of the From domain."""

from __future__ import annotations

import pytest

from connectors.mail.parse import parse_mail
from connectors.messages import Flag
from tests.connectors.test_mail_parse import mail

OURS = "mx.toko.example"


def judged(*results: str, sender: str = "Sari <sari@example.org>", authserv_id: str = OURS):  # type: ignore[no-untyped-def]
    head = "".join(f"Authentication-Results: {result}\r\n" for result in results)
    message = parse_mail(head.encode() + mail(From=sender), authserv_id=authserv_id)
    return message.verified, set(message.flags) & {Flag.UNVERIFIED_SENDER, Flag.FAILED_SENDER_CHECK}


@pytest.mark.parametrize(
    "result",
    [
        "mx.toko.example; dmarc=pass header.from=example.org",
        "MX.Toko.Example; dmarc=pass (p=reject) header.from=Example.ORG",
        "mx.toko.example 1; spf=none; dmarc=pass",
        '"mx.toko.example"; dmarc=pass header.from=example.org',
        "mx.toko.example; dkim=pass header.d=example.org header.s=s1",
        "mx.toko.example; dkim=pass header.i=@example.org",
        "mx.toko.example; dkim=fail header.d=other.example; dkim=pass header.d=example.org",
        "mx.toko.example;\r\n dkim=pass (2048-bit key;\r\n unprotected) header.d=example.org",
        "mx.toko.example; spf=fail smtp.mailfrom=x; dmarc=pass header.from=example.org",
    ],
)
def test_f52_an_aligned_pass_of_our_server_verifies(result: str) -> None:
    assert judged(result) == (True, set())


def test_f52_a_parent_domain_may_sign_for_a_child_but_not_the_other_way() -> None:
    assert judged(f"{OURS}; dkim=pass header.d=example.org", sender="s@mail.example.org")[0] is True
    assert judged(f"{OURS}; dkim=pass header.d=mail.example.org")[0] is False
    assert judged(f"{OURS}; dkim=pass header.d=org")[0] is False


FORGERIES = [
    ("evil.example; dmarc=pass header.from=example.org",),
    ("mx.toko.example.evil.example; dmarc=pass header.from=example.org",),
    ("evil; x=mx.toko.example; dmarc=pass header.from=example.org",),
    ("mx.toko.example; dmarc=none", "mx.toko.example; dmarc=pass header.from=example.org"),
    ("mx.toko.example; none", "mx.toko.example; dkim=pass header.d=example.org"),
    ("mx.toko.example; dmarc=fail header.from=example.org", "mx.toko.example; dmarc=pass header.from=example.org"),
    ("mx.toko.example; dmarc=pass header.from=evil.example",),
    ("mx.toko.example; dkim=pass header.d=evil.example",),
    ("mx.toko.example; dkim=pass header.d=notexample.org",),
    ("mx.toko.example; dkim=pass header.d=example.org.evil.example",),
    ("mx.toko.example; dkim=pass header.i=@evil.example header.x=example.org",),
    ("mx.toko.example; spf=pass smtp.mailfrom=example.org",),
    ("mx.toko.example; dkim=neutral (dkim=pass header.d=example.org)",),
    ("mx.toko.example; dkim=none reason=\"; dmarc=pass header.from=example.org;\"",),
    ("mx.toko.example; dkim=none (comment; dmarc=pass header.from=example.org",),
    ("mx.toko.example; x-dmarc=pass header.from=example.org",),
    ("mx.toko.example; dmarc=passed header.from=example.org",),
    ("mx.toko.example; dmarc = fail header.from=example.org; dkim=pass header.d=example.org",),
    ("mx.toko.example; dmarc=permerror; dkim=pass header.d=example.org",),
    ("mx.toko.example; dmarc=temperror",),
    ("mx.toko.example",),
    ("",),
    ("; dmarc=pass header.from=example.org",),
    ("(mx.toko.example) evil; dmarc=pass header.from=example.org",),
    (),
]  # fmt: skip


@pytest.mark.parametrize("results", FORGERIES)
def test_f52_forged_or_foreign_results_verify_nobody(results: tuple[str, ...]) -> None:
    verified, flags = judged(*results)
    assert verified is False and len(flags) == 1


@pytest.mark.parametrize(
    "name", ["ARC-Authentication-Results", "X-Authentication-Results", "Authentication-Results-Original"]
)
def test_f52_other_headers_verify_nobody(name: str) -> None:
    content = f"{name}: {OURS}; dmarc=pass header.from=example.org\r\n".encode() + mail()
    assert parse_mail(content, authserv_id=OURS).verified is False


def test_f52_a_failed_check_is_told_from_a_missing_one() -> None:
    assert judged(f"{OURS}; dmarc=fail header.from=example.org") == (False, {Flag.FAILED_SENDER_CHECK})
    assert judged(f"{OURS}; dkim=fail header.d=example.org") == (False, {Flag.FAILED_SENDER_CHECK})
    assert judged(f"{OURS}; spf=fail smtp.mailfrom=example.org") == (False, {Flag.FAILED_SENDER_CHECK})
    assert judged(f"{OURS}; dmarc=none") == (False, {Flag.UNVERIFIED_SENDER})
    assert judged() == (False, {Flag.UNVERIFIED_SENDER})


def test_without_a_verifying_server_nothing_is_known() -> None:
    assert judged(f"{OURS}; dmarc=pass header.from=example.org", authserv_id="") == (None, set())


@pytest.mark.parametrize("sender", ["a@example.org, b@evil.example", "alice@example.org)b@evil.example", ""])
def test_f52_an_author_who_is_not_clear_is_never_verified(sender: str) -> None:
    assert judged(f"{OURS}; dmarc=pass header.from=example.org", sender=sender)[0] is False


def test_a_relay_is_vouched_for_but_not_whom_it_names() -> None:
    content = f"Authentication-Results: {OURS}; dmarc=pass header.from=toko.example\r\n".encode()
    content += mail(From="form@toko.example", Reply_To="budi@example.org")
    message = parse_mail(content, relays=["form@toko.example"], authserv_id=OURS)
    assert message.author.address == "budi@example.org" and message.verified is False
