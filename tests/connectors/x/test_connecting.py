"""Connecting an account: consent with PKCE, the four keys, and permissions that are renewed."""

from __future__ import annotations

import http.client
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from connectors.base import AuthFailed, Refused, RetryLater
from connectors.introducing import Introduces, Renews
from connectors.registry import AccountSettings, SecretText
from connectors.simulators.faults import Fault
from connectors.social import ConnectField
from connectors.x import XConnector
from tests.connectors.x.conftest import World

BACK = "http://127.0.0.1:8000/connect/back"


def values(world: World) -> dict[str, str]:
    app = world.server.app
    return {"client_id": app.client_id, "client_secret": app.secret, "base_url": world.server.base_url}


def say_yes(world: World, address: str) -> dict[str, str]:
    """What the owner's browser brings back."""
    asked = {name: found[0] for name, found in parse_qs(urlsplit(address).query).items()}
    talk = http.client.HTTPConnection(urlsplit(world.server.base_url).netloc, timeout=10)
    body = urlencode({**asked, "user": world.us.id, "answer": "yes"})
    talk.request("POST", "/i/oauth2/authorize", body, {"Content-Type": "application/x-www-form-urlencoded"})
    leads_to = talk.getresponse().headers["location"]
    talk.close()
    return {name: found[0] for name, found in parse_qs(urlsplit(leads_to).query).items()}


def test_every_permission_that_is_asked_for_has_its_reason_and_the_cost_is_told() -> None:
    assert isinstance(XConnector, Introduces) and isinstance(XConnector, Renews)
    found = XConnector.introduction({})
    assert {one.name for one in found.permits} == {
        "tweet.read",
        "tweet.write",
        "users.read",
        "dm.read",
        "dm.write",
        "media.write",
        "offline.access",
    }
    assert all(one.reason for one in found.permits)
    assert found.uses_consent
    assert "$0.200" in found.about_cost
    assert all(isinstance(one, ConnectField) for one in found.fields)
    signed = XConnector.introduction({"sign_in": "oauth1"})
    assert not signed.uses_consent
    assert {one.name for one in signed.fields if one.is_secret} == {
        "api_key",
        "api_secret",
        "access_token",
        "access_token_secret",
    }


def test_a_consent_becomes_an_account_that_reads_and_renews_itself(world: World) -> None:
    address, kept = XConnector.consent(values(world), BACK)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["state"] == [kept["state"]]
    assert kept["verifier"] not in address
    back = say_yes(world, address)
    assert back["state"] == kept["state"]
    connected = XConnector.connect(values(world), kept, back["code"], world.spool)
    assert (connected.address, connected.external_id) == ("tasbora", world.us.id)
    assert connected.settings["user_id"] == world.us.id
    assert {"access_token", "refresh_token", "client_secret", "access_until"} <= set(connected.secrets)
    assert connected.secrets["access_token"] not in repr(connected)
    account = AccountSettings("x", "tasbora", connected.settings, world.spool)
    secrets = {name: SecretText(value) for name, value in connected.secrets.items()}
    grant = XConnector.renew(account, secrets)
    assert grant.refresh_token and grant.refresh_token != secrets["refresh_token"]
    with pytest.raises(AuthFailed, match="Connect it again"):
        XConnector.renew(account, secrets)


def test_a_code_that_is_no_longer_good_is_begun_again(world: World) -> None:
    _, kept = XConnector.consent(values(world), BACK)
    with pytest.raises(Refused, match="Begin it again"):
        XConnector.connect(values(world), kept, "stale", world.spool)


def test_a_missing_client_id_is_said_beside_its_field() -> None:
    with pytest.raises(Refused) as caught:
        XConnector.consent({}, BACK)
    assert getattr(caught.value, "field", "") == "client_id"


def test_the_four_keys_or_a_token_alone_connect_without_consent(world: World) -> None:
    given = world.server.grant_signed("tasbora")
    keys = {
        "api_key": given["consumer_key"],
        "api_secret": given["consumer_secret"],
        "access_token": given["access_token"],
        "access_token_secret": given["access_token_secret"],
        "base_url": world.server.base_url,
    }
    assert XConnector.connect(keys, {}, "", world.spool).settings["sign_in"] == "oauth1"
    alone = {"access_token": world.tokens.token, "base_url": world.server.base_url}
    assert XConnector.connect(alone, {}, "", world.spool).address == "tasbora"
    with pytest.raises(AuthFailed):
        XConnector.connect({**alone, "access_token": "wrong-token"}, {}, "", world.spool)
    with pytest.raises(Refused):
        XConnector.connect({"base_url": world.server.base_url}, {}, "", world.spool)


def test_a_token_endpoint_in_trouble_ends_no_permission(world: World) -> None:
    world.server.faults.add("POST /2/oauth2/token", Fault(status=503, body=b"<html>", times=0))
    account = AccountSettings("x", "tasbora", {"base_url": world.server.base_url, "client_id": "a"}, world.spool)
    with pytest.raises(RetryLater) as caught:
        XConnector.renew(account, {"refresh_token": SecretText("r")})
    assert not isinstance(caught.value, AuthFailed)
