"""What a token endpoint may say, and what that means; one bounded exchange with it; XOAUTH2's message."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import oauth
from connectors.base import AuthFailed, Refused, RetryLater
from connectors.mail.xoauth2 import Answers, initial_response
from connectors.oauth import GOOGLE, Issuer, consent_url, discover, microsoft, new_flow
from connectors.registry import SecretText
from connectors.webcall import MAX_BYTES, call, is_safe

Heard = list[bytes]


@contextmanager
def answering(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[tuple[str, Heard]]:
    """A server on loopback that gives these answers, one a connection; its address and what it heard."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: Heard = []

    def run() -> None:
        for answer in answers:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                heard.append(whole_request(sock))
                try:
                    if callable(answer):
                        answer(sock)
                    else:
                        sock.sendall(answer)
                except OSError:
                    pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        listener.close()
        thread.join(5)


def whole_request(sock: socket.socket) -> bytes:
    data = b""
    while more := sock.recv(65536):
        data += more
        head, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if end and len(body) >= int(length[1] if length else 0):
            break
    return data


def http(status: int, body: object, kind: str = "application/json", more: str = "") -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n{more}\r\n"
    return head.encode() + text


def issuer_at(address: str, **more: object) -> Issuer:
    values = {"client_id": "id", "client_secret": SecretText("kept secret")} | more
    return Issuer("Issuer", f"{address}/authorize", f"{address}/token", "mail", **values)  # type: ignore[arg-type]


GOOD = {"access_token": "at", "refresh_token": "rt", "expires_in": 3599}


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (http(400, {"error": "invalid_grant"}), AuthFailed, "ended the permission"),
        (http(401, {"error": "invalid_grant", "error_description": "Bad\r\ntoken."}), AuthFailed, "“Bad token”"),
        (http(500, {"error": "invalid_grant"}), RetryLater, "just now"),
        (http(200, {"error": "invalid_grant"}), RetryLater, "just now"),
        (http(400, b"<h1>invalid_grant</h1>", "text/html"), RetryLater, "no proper answer"),
        (http(400, ["invalid_grant"]), RetryLater, "no proper answer"),
        (http(400, b"[" * 200_000), RetryLater, "no proper answer"),
        (http(401, {"error": "invalid_client"}), RetryLater, "BALAS_OAUTH_CLIENT_SECRET"),
        (http(400, {"error": "unauthorized_client"}), RetryLater, "BALAS_OAUTH_CLIENT_ID"),
        (http(400, {"error": {"nested": 1}}), RetryLater, "just now"),
        (http(429, {"error": "slow_down"}, more="Retry-After: 99999\r\n"), RetryLater, "slow_down"),
        (http(503, b""), RetryLater, "no proper answer"),
        (http(302, b"", more="Location: http://127.0.0.1:9/\r\n"), RetryLater, "no proper answer"),
        (http(200, {}), RetryLater, "without an access token"),
        (http(200, {"access_token": "a\r\nb"}), RetryLater, "without an access token"),
        (http(200, {"access_token": 7}), RetryLater, "without an access token"),
        (http(200, {"access_token": "at", "refresh_token": ["x"]}), RetryLater, "is none"),
        (http(200, b"x" * (MAX_BYTES + 10)), RetryLater, "far more"),
        (b"", RetryLater, "could not be reached"),
        (b"HTTP/9 what\r\n\r\n", RetryLater, "could not be reached"),
        (http(200, {"access_token": "at"})[:-9], RetryLater, "no proper answer"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_only_invalid_grant_ends_a_permission(answer: bytes, error: type[Exception], words: str) -> None:
    with answering(answer) as (address, _), pytest.raises(error) as told:
        oauth.refresh(issuer_at(address), "rt")
    assert words in str(told.value)
    assert "kept secret" not in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [(3599, 3599), ("1800", 1800), (1799.9, 1799), (None, 3600), ("soon", 3600), (0, 3600), (-5, 1), (10**30, 7776000)],
)
def test_how_long_a_token_lives_is_read_with_patience(seconds: object, kept: int) -> None:
    with answering(http(200, {**GOOD, "expires_in": seconds})) as (address, _):
        assert oauth.refresh(issuer_at(address), "rt").seconds == kept


def test_a_refresh_sends_what_rfc_6749_asks_for_and_shows_no_secret() -> None:
    with answering(http(200, {"access_token": "at"}), http(200, GOOD)) as (address, heard):
        grant = oauth.refresh(issuer_at(address), "rt+&")
        oauth.refresh(issuer_at(address, uses_basic=True), "rt")
    form = parse_qs(heard[0].partition(b"\r\n\r\n")[2].decode())
    assert form == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["rt+&"],
        "client_id": ["id"],
        "client_secret": ["kept secret"],
    }
    assert b"Basic " + base64.b64encode(b"id:kept%20secret") in heard[1]
    assert b"client_secret" not in heard[1]
    assert (grant.access_token, grant.refresh_token) == ("at", "")
    assert "at" not in repr(grant).replace("Grant", "").replace("access_token", "").replace("refresh_token", "")


def test_a_code_without_a_lasting_permission_is_refused() -> None:
    with answering(http(200, {"access_token": "at"}), http(400, {"error": "invalid_grant"})) as (address, _):
        with pytest.raises(Refused, match="refresh token"):
            oauth.exchange(issuer_at(address), "code", "verifier", "http://127.0.0.1/")
        with pytest.raises(Refused, match="Begin it again"):
            oauth.exchange(issuer_at(address), "code", "verifier", "http://127.0.0.1/")


def test_a_server_that_trickles_is_given_up() -> None:
    def trickle(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(200):
            sock.sendall(b" ")
            if done.wait(0.05):
                return

    done = threading.Event()
    with answering(trickle) as (address, _):
        with pytest.raises(RetryLater, match="in time"):
            call(address, {"a": "b"}, seconds=0.4)
        done.set()


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("https://issuer.example/token", True),
        ("http://127.0.0.1:80/token", True),
        ("http://localhost/token", True),
        ("http://[::1]:8080/", True),
        ("http://issuer.example/token", False),
        ("http://127.0.0.1.evil.example/", False),
        ("http://localhost@evil.example/", False),
        ("ftp://issuer.example/", False),
        ("https:///token", False),
        ("https://issuer.example:x/", False),
        ("", False),
    ],
)
def test_secrets_go_over_https_or_stay_on_this_machine(address: str, verdict: bool) -> None:
    assert is_safe(address) is verdict


def test_endpoints_are_found_by_either_kind_of_discovery() -> None:
    def published(address: str) -> bytes:
        return http(200, {"authorization_endpoint": f"{address}/a", "token_endpoint": f"{address}/t"})

    with answering(http(404, {}), lambda sock: sock.sendall(published("https://issuer.example"))) as (address, heard):
        found = discover(address + "/", issuer_at(address))
    assert (found.authorize_url, found.token_url) == ("https://issuer.example/a", "https://issuer.example/t")
    assert [line.split(b" ")[1] for line in heard] == [
        b"/.well-known/openid-configuration",
        b"/.well-known/oauth-authorization-server",
    ]
    elsewhere = http(200, {"authorization_endpoint": "http://evil.example", "token_endpoint": "x"})
    with answering(elsewhere) as (address, _), pytest.raises(RetryLater, match="does not say"):
        discover(address, issuer_at(address))


def test_the_consent_address_holds_the_challenge_and_not_the_verifier() -> None:
    flow = new_flow()
    for issuer in (GOOGLE, microsoft("example.org")):
        parts = urlsplit(consent_url(issuer, "https://inbox.example/back", flow, "a@b.example"))
        query = parse_qs(parts.query)
        digest = hashlib.sha256(flow.verifier.encode()).digest()
        assert query["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
        assert query["state"] == [flow.state]
        assert flow.verifier not in parts.query
        assert parts.scheme == "https"
    assert "/example.org/oauth2/" in issuer.token_url
    assert 43 <= len(flow.verifier) <= 128
    assert new_flow() != flow


def test_xoauth2_says_its_message_once_and_then_nothing() -> None:
    answers = Answers("ana@b.example", "token")
    assert answers(b"") == b"user=ana@b.example\x01auth=Bearer token\x01\x01"
    assert answers(b'{"status":"400"}') == b""
    assert answers.refusal == b'{"status":"400"}'


@pytest.mark.parametrize(("user", "token"), [("a\x01b", "t"), ("a", "t\r\n"), ("a\0", "t")])
def test_xoauth2_refuses_what_would_end_its_message_early(user: str, token: str) -> None:
    with pytest.raises(Refused):
        initial_response(user, token)
