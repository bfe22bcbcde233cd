"""Connecting an account: registered at its server, said yes to in a browser, or with a token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from connectors.base import AuthFailed, ConnectorError, Refused
from connectors.introducing import FieldRefused, Introduces
from connectors.mastodon import MastodonConnector
from connectors.mastodon.connecting import OOB, SCOPES, read_server
from connectors.messages import Known, Wish
from connectors.registry import AccountSettings, SecretText, make_connector
from connectors.simulators.faults import Fault
from connectors.simulators.mastodon import MastodonServer
from connectors.social import Connected


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    with MastodonServer() as found:
        found.join("tideline", "Tideline", is_ours=True)
        found.join("ana@far.example")
        yield found


def say_yes(address: str) -> str:
    """The code that the server shows or sends the browser back with."""
    with urlopen(address, timeout=10) as asked:
        assert b"read:notifications" in asked.read()
    with urlopen(f"{address}&allow=1", timeout=10) as page:
        shown = re.search(rb"<code id=code>([^<]+)</code>", page.read())
    assert shown
    return shown[1].decode()


def test_an_account_is_connected_by_consent_with_a_code_that_is_shown(server: MastodonServer, tmp_path: Path) -> None:
    assert isinstance(MastodonConnector, Introduces)
    values = {"base_url": server.base_url}
    address, kept = MastodonConnector.consent(values, OOB)
    asked = parse_qs(urlsplit(address).query)
    assert asked["scope"] == [SCOPES] and asked["state"] == [kept["state"]]
    found = MastodonConnector.connect(values, kept, say_yes(address), tmp_path)
    assert (found.address, found.name) == ("tideline@social.example", "Tideline")
    assert found.external_id == server.world.get_member("tideline").actor
    assert "read write" not in str(server.access.tokens[found.secrets["access_token"]].scopes)
    reads_and_writes(server, found, tmp_path)


def reads_and_writes(server: MastodonServer, found: Connected, spool: Path) -> None:
    """The permissions asked for are enough, and the token counts for nothing in what is shown."""
    account = AccountSettings("mastodon", found.address, found.settings, spool)
    secrets = {name: SecretText(value) for name, value in found.secrets.items()}
    connector = make_connector(account, secrets)
    server.say("ana@far.example", "hello")
    assert len([item for page in connector.fetch(Known(), Wish()) for item in page.items]) == 1
    assert found.secrets["access_token"] not in repr(account) + repr(found) + repr(secrets)
    connector.close()


def test_where_the_browser_comes_back_the_state_comes_with_it(server: MastodonServer) -> None:
    back = "http://127.0.0.1:1/back"
    address, kept = MastodonConnector.consent({"base_url": server.base_url}, back)
    assert parse_qs(urlsplit(address).query)["redirect_uri"] == [back] == [kept["redirect_uri"]]


def test_a_code_that_was_used_or_is_another_flows_is_refused(server: MastodonServer, tmp_path: Path) -> None:
    values = {"base_url": server.base_url}
    address, kept = MastodonConnector.consent(values, OOB)
    code = say_yes(address)
    _, other = MastodonConnector.consent(values, OOB)
    with pytest.raises(Refused, match="Begin it again"):
        MastodonConnector.connect(values, other, code, tmp_path)
    with pytest.raises(Refused, match="Begin it again"):
        MastodonConnector.connect(values, kept, code, tmp_path)


def test_a_token_that_its_owner_has_is_enough(server: MastodonServer, tmp_path: Path) -> None:
    token = server.grant("tideline", SCOPES)
    found = MastodonConnector.connect({"base_url": server.base_url, "access_token": f" {token} "}, {}, "", tmp_path)
    reads_and_writes(server, found, tmp_path)
    with pytest.raises(AuthFailed):
        MastodonConnector.connect({"base_url": server.base_url, "access_token": "wrong"}, {}, "", tmp_path)
    with pytest.raises(FieldRefused):
        MastodonConnector.connect({"base_url": server.base_url}, {}, "", tmp_path)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("social.example", "https://social.example"),
        (" https://social.example/ ", "https://social.example"),
        ("https://social.example/@us", "https://social.example"),
        ("@us@social.example", "https://social.example"),
        ("us@social.example", "https://social.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_a_server_is_understood_however_it_is_written(typed: str, address: str) -> None:
    assert read_server({"base_url": typed}) == address


@pytest.mark.parametrize("typed", ["", "   ", "two words", "ftp://social.example", "https://", "http://social.example"])
def test_what_is_no_server_is_said_beside_its_field(typed: str, tmp_path: Path) -> None:
    with pytest.raises(FieldRefused) as raised:
        MastodonConnector.consent({"base_url": typed}, OOB)
    assert raised.value.field == "base_url"


@pytest.mark.parametrize(
    "fault", [Fault(status=404, body=b"{}"), Fault(is_html=True), Fault(status=200, body=b"[]"), Fault(status=422)]
)
def test_a_server_of_another_kind_is_told_from_one_that_is_away(server: MastodonServer, fault: Fault) -> None:
    server.faults.add("POST /api/v1/apps", fault)
    with pytest.raises(ConnectorError) as raised:
        MastodonConnector.consent({"base_url": server.base_url}, OOB)
    assert "127.0.0.1" in raised.value.sentence


def test_every_permission_has_its_reason_and_nothing_else_is_asked_for() -> None:
    shown = MastodonConnector.introduction({})
    assert shown.uses_consent and all(one.reason for one in shown.permits)
    assert " ".join(one.name for one in shown.permits) == SCOPES
    assert not {"write", "read", "push", "follow"} & {one.name for one in shown.permits}
