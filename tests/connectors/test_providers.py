"""The table of providers, and how an address leads to one of them: by its domain, by MX, by usual names."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.discover import guess_of, guess_servers
from connectors.mail.endpoint import read_endpoint
from connectors.mail.exchangers import _read, find_exchangers
from connectors.mail.providers import GENERIC, OFFERED, PROFILES, Means, Profile, find_profile


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.key)
def test_every_profile_is_whole(profile: Profile) -> None:
    guess = guess_of(profile, "ana@tasbora.example")
    for key, server in (("imap", guess.imap), ("smtp", guess.smtp)):
        endpoint = read_endpoint({key: server}, key, "ana@tasbora.example")
        assert endpoint.is_tls_from_start or endpoint.is_starttls
    assert find_profile(profile.key) is profile
    assert profile.means
    if Means.APP_PASSWORD in profile.means:
        assert profile.first and profile.link.startswith("https://"), "what to do first, and the provider's page"
    if profile.issuer:
        assert Means.OAUTH in profile.means and profile.first_oauth and profile.link_oauth.startswith("https://")
    assert all(words.endswith(".") for words in (*profile.first, *profile.first_oauth))
    assert 4 < profile.idle_minutes <= 29, "longer than the listener waits, no longer than RFC 2177 promises"
    assert profile.connections >= 2
    assert all(end.startswith(".") for end in (*profile.mx, *profile.endings))


def test_no_domain_belongs_to_two() -> None:
    domains = [domain for profile in PROFILES for domain in profile.domains]
    assert len(domains) == len(set(domains))
    assert len({profile.key for profile in PROFILES}) == len(PROFILES)


def test_these_may_be_chosen_and_what_each_wants_is_known() -> None:
    assert [profile.key for profile in OFFERED] == ["gmail", "microsoft365", "yahoo", "icloud", "fastmail", "generic"]
    assert Means.PASSWORD not in OFFERED[1].means, "Microsoft takes none"
    assert [profile.key for profile in PROFILES if profile.files_sent_itself][:3] == ["gmail", "microsoft365", "yahoo"]


@pytest.mark.parametrize(
    ("hosts", "key"),
    [
        (["aspmx.l.google.com"], "gmail"),
        (["smtp.google.com."], "gmail"),
        (["tasbora-example.mail.protection.outlook.com"], "microsoft365"),
        (["tasbora-example.x-v1.mx.microsoft"], "microsoft365"),
        (["mx-eu.mail.am0.yahoodns.net"], "yahoo"),
        (["mx01.mail.icloud.com"], "icloud"),
        (["in1-smtp.messagingengine.com"], "fastmail"),
        (["mail.tasbora.example"], "generic"),
        (["google.com.evil.example"], "generic"),
        (["filter.example", "aspmx.l.google.com"], "gmail"),
        ([], "generic"),
    ],
)
def test_a_domain_of_ones_own_is_told_by_who_takes_its_mail(hosts: list[str], key: str) -> None:
    guesses = guess_servers("help@tasbora.ro", lambda _domain: hosts)
    assert guesses[0].profile.key == key
    assert guesses[-1].profile is GENERIC, "the usual names stay on offer"
    assert guesses[0].imap["user"] == "help@tasbora.ro"


def test_a_domain_in_the_table_asks_nobody() -> None:
    def nobody(domain: str) -> list[str]:
        raise AssertionError(domain)

    assert guess_servers("ana@gmail.com", nobody)[0].profile.key == "gmail"


# --- DNS ------------------------------------------------------------------------------------------------------------


def name(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def response(query: bytes, records: list[tuple[int, bytes]], flags: int = 0x8180) -> bytes:
    """MX records as (preference, name on the wire); names of records point back to the question's."""
    body = b"".join(
        b"\xc0\x0c" + struct.pack(">HHIHH", 15, 1, 60, len(host) + 2, preference) + host for preference, host in records
    )
    return query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + query[12:] + body


@contextmanager
def nameserver(answer: object) -> Iterator[tuple[str, int]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)

        def run() -> None:
            query, peer = sock.recvfrom(4096)
            for packet in answer(query):  # type: ignore[operator]
                sock.sendto(packet, peer)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield sock.getsockname()
        thread.join(5)


def test_exchangers_come_in_the_order_of_their_preference() -> None:
    records = [(20, name("mx2.tasbora.ro")), (10, b"\x03MX1" + b"\xc0\x0c"), (5, name("first.example"))]
    with nameserver(lambda query: [b"xx" + query[2:], response(query, records)]) as server:
        found = find_exchangers("tasbora.ro", server=server)
    assert found == ["first.example", "mx1.tasbora.ro", "mx2.tasbora.ro"]


@pytest.mark.parametrize(
    "answer",
    [
        lambda query: [response(query, [], flags=0x8183)],  # no such domain
        lambda query: [response(query, [(1, b"\xc0\xff")])],  # points beyond the end
        lambda query: [query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + b"\xc0\x0c"],  # points at itself
        lambda query: [query[:2] + b"\x81"],
    ],
    ids=["no such domain", "beyond the end", "a loop", "cut short"],
)
def test_what_cannot_be_read_is_no_answer(answer: object) -> None:
    with nameserver(answer) as server:
        assert find_exchangers("tasbora.ro", server=server) == []


def test_silence_is_no_answer() -> None:
    with nameserver(lambda _query: []) as server:
        assert find_exchangers("tasbora.ro", seconds=0.2, server=server) == []


@pytest.mark.parametrize("domain", ["", "example.org", "tasbora.example", "localhost", "mail.local", "a.test"])
def test_names_that_nobody_has_are_not_asked_for(domain: str) -> None:
    assert find_exchangers(domain, server=("127.0.0.1", 1)) == []


@given(st.binary(max_size=200))
def test_any_packet_is_read_or_refused_in_a_known_way(packet: bytes) -> None:
    try:
        hosts = _read(packet)
    except (ValueError, struct.error, IndexError):
        return
    assert all(re.fullmatch(r"[^\x00]*", host) for host in hosts)
