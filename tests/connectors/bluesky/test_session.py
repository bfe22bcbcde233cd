"""Connecting with handle and app password; one session for good, its tokens renewed; where an account lives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.base import AuthFailed, ConnectorError, Refused, RetryLater
from connectors.bluesky import BlueskyConnector
from connectors.bluesky.session import claims_of, find_document, read_handle, service_of
from connectors.introducing import FieldRefused, Introduces, Renews
from connectors.registry import AccountSettings, SecretText
from connectors.simulators.bluesky import BlueskyServer
from connectors.simulators.web import Fault, VirtualClock
from tests.connectors.bluesky.conftest import World, furnished

REFRESH = "POST /xrpc/com.atproto.server.refreshSession"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime.now(UTC))


@pytest.fixture
def server(clock: VirtualClock) -> Iterator[BlueskyServer]:
    with furnished(now=clock.now) as server:
        yield server


def connect(server: BlueskyServer, tmp_path: Path, **values: str):
    given = {"handle": "tasbora.test", "password": server.app_password("tasbora.test"), "base_url": server.base_url}
    return BlueskyConnector.connect({**given, **values}, {}, "", tmp_path)


def test_handle_and_app_password_are_enough(server: BlueskyServer, tmp_path: Path) -> None:
    found = connect(server, tmp_path, handle=" @Tasbora.test ")
    assert (found.address, found.name, found.external_id) == ("tasbora.test", "Tasbora", found.settings["did"])
    assert found.settings["dms"] is True and found.settings["base_url"] == server.base_url
    assert {"access_token", "refresh_token", "access_until", "password"} <= set(found.secrets)
    assert len(server.seen("POST /xrpc/com.atproto.server.createSession")) == 1
    until = datetime.fromisoformat(found.secrets["access_until"])
    assert timedelta(minutes=110) < until - datetime.fromisoformat(found.secrets["access_since"]) <= timedelta(hours=2)
    assert isinstance(BlueskyConnector, Introduces) and isinstance(BlueskyConnector, Renews)


def test_an_app_password_without_direct_messages_is_found_out(server: BlueskyServer, tmp_path: Path) -> None:
    found = connect(server, tmp_path, password=server.app_password("tasbora.test", reads_direct=False))
    assert found.settings["dms"] is False


@pytest.mark.parametrize(
    ("values", "field"),
    [({"handle": "tasbora"}, "handle"), ({"handle": ""}, "handle"), ({"password": " "}, "password")],
)
def test_what_cannot_be_is_said_beside_its_field(
    server: BlueskyServer, tmp_path: Path, values: dict[str, str], field: str
) -> None:
    with pytest.raises(FieldRefused) as raised:
        connect(server, tmp_path, **values)
    assert raised.value.field == field and not server.seen()


def test_a_wrong_password_and_one_that_asks_for_a_code_are_told_apart(server: BlueskyServer, tmp_path: Path) -> None:
    with pytest.raises(AuthFailed, match="does not accept") as raised:
        connect(server, tmp_path, password="wrong-wrong-wrong")
    assert "wrong-wrong" not in raised.value.sentence
    body = b'{"error":"AuthFactorTokenRequired","message":"A sign in code has been sent"}'
    server.faults.add("POST /xrpc/com.atproto.server.createSession", Fault(status=401, body=body))
    with pytest.raises(AuthFailed, match="app password"):
        connect(server, tmp_path)
    server.suspend("tasbora.test")
    with pytest.raises(AuthFailed, match="suspended"):
        connect(server, tmp_path)


def test_too_many_log_ins_are_waited_for(server: BlueskyServer, tmp_path: Path) -> None:
    server.faults.add("POST /xrpc/com.atproto.server.createSession", Fault(status=429, body=b"{}"))
    with pytest.raises(RetryLater) as raised:
        connect(server, tmp_path)
    assert raised.value.after


def account(server: BlueskyServer, found, spool: Path) -> AccountSettings:
    return AccountSettings("bluesky", found.address, found.settings, spool)


def sealed(secrets) -> dict[str, SecretText]:
    return {name: SecretText(one) for name, one in secrets.items()}


def test_a_session_is_refreshed_for_years_and_never_made_anew(
    server: BlueskyServer, clock: VirtualClock, tmp_path: Path
) -> None:
    found = connect(server, tmp_path)
    secrets = sealed(found.secrets)
    for _ in range(20):
        clock.advance(timedelta(days=40))
        grant = BlueskyConnector.renew(account(server, found, tmp_path), secrets)
        assert grant.refresh_token != secrets["refresh_token"] and grant.seconds == 7200
        secrets |= {"access_token": grant.access_token, "refresh_token": grant.refresh_token}
    assert len(server.seen("POST /xrpc/com.atproto.server.createSession")) == 1


def test_after_months_of_rest_the_app_password_makes_one_new_session(
    server: BlueskyServer, clock: VirtualClock, tmp_path: Path
) -> None:
    found = connect(server, tmp_path)
    clock.advance(timedelta(days=100))
    grant = BlueskyConnector.renew(account(server, found, tmp_path), sealed(found.secrets))
    assert claims_of(grant.access_token)["sub"] == found.external_id
    assert len(server.seen("POST /xrpc/com.atproto.server.createSession")) == 2


def test_a_permission_that_was_taken_back_ends_the_account_and_trouble_does_not(
    server: BlueskyServer, clock: VirtualClock, tmp_path: Path
) -> None:
    found = connect(server, tmp_path)
    asked, secrets = account(server, found, tmp_path), sealed(found.secrets)
    for fault in (Fault(status=503, body=b""), Fault(is_html=True), Fault(status=429, body=b"{}"), Fault(cut_after=0)):
        server.faults.add(REFRESH, fault)
        with pytest.raises(RetryLater):
            BlueskyConnector.renew(asked, secrets)
        server.faults.clear()
    clock.advance(timedelta(seconds=5))
    server.sessions.end_all(found.external_id)
    server.world.get_member("tasbora.test").app_passwords.clear()
    with pytest.raises(AuthFailed) as raised:
        BlueskyConnector.renew(asked, secrets)
    assert not any(str(one) in raised.value.sentence for one in secrets.values())
    server.suspend("tasbora.test")
    with pytest.raises(AuthFailed, match=r"suspended|ended"):
        BlueskyConnector.renew(asked, {"refresh_token": secrets["refresh_token"]})


def test_the_log_in_of_another_account_is_found_out(world: World) -> None:
    world.tokens.kept["access_token"] = SecretText(world.server.grant("ana.test")["accessJwt"])
    with pytest.raises(AuthFailed, match="another"):
        world.connector.check()


def test_check_says_who_we_are_and_what_is_read(world: World) -> None:
    party = world.connector.check()
    assert (party.address, party.places, party.sent_place) == ("tasbora.test", ("mentions", "own", "dms"), "own")


def test_no_consent_is_asked() -> None:
    assert not BlueskyConnector.introduction({}).uses_consent
    with pytest.raises(ConnectorError):
        BlueskyConnector.consent({}, "http://127.0.0.1/")


def test_the_directory_tells_where_an_account_lives(server: BlueskyServer) -> None:
    did = server.world.get_member("tasbora.test").did
    assert service_of(find_document(did, server.base_url)) == server.base_url
    with pytest.raises(Refused):
        find_document("did:plc:234567abcdefghij23456723", server.base_url)


@pytest.mark.parametrize(
    "document", [{}, {"service": None}, {"service": [3, {"id": "#x"}]}, {"service": [{"id": "#atproto_pds"}]},
                 {"service": [{"id": "#atproto_pds", "serviceEndpoint": "file:///etc/passwd"}]}],
)  # fmt: skip
def test_a_document_without_a_server_names_none(document: dict) -> None:
    assert service_of(document) == ""


@pytest.mark.parametrize("written", ["shop", "shop.", "a b.example", "shop.example/x", "żółw.pl", "a" * 300 + ".com"])
def test_what_is_no_handle_is_refused(written: str) -> None:
    with pytest.raises(Refused):
        read_handle(written)


@pytest.mark.parametrize("token", ["", "a.b", "a.e30.c", "a.bnVsbA.c", "a.\udcff.c"])
def test_a_token_that_is_no_jwt_claims_nothing(token: str) -> None:
    assert claims_of(token) == {}
