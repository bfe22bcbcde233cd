"""`balas account add KIND` for kinds that introduce themselves: where secrets come from, and what is refused."""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors import registry
from connectors.base import Refused
from connectors.registry import AccountSettings, SecretText
from connectors.simulators.x.server import XServer
from connectors.social import Connected, ConnectField, Introduction
from connectors.wire import EVERY, Dialect, Wire
from inbox import accounts
from inbox.budgets import find_budget
from inbox.ingest import parsing
from inbox.models import Account, Message
from tests.cli.conftest import Balas
from tests.connectors.contract import NetworkHarness
from tests.connectors.contract.conftest import install_toy
from tests.connectors.contract.feed_kind import FeedConnector
from web.cli import introduced, limits

KEY = "a-key-for-the-feed"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def x() -> Iterator[XServer]:
    with XServer() as server:
        server.join("tasbora", "Tasbora", is_ours=True)
        server.join("ana_p", "Ana Popescu", followers=320)
        server.say("ana_p", "@tasbora unde e comanda mea?")
        yield server


def of_a_network(kind: str) -> NetworkHarness:
    harness: NetworkHarness = import_module(f"tests.connectors.contract.of_{kind}").Harness()
    return harness


@pytest.mark.parametrize(("kind", "options"), [("x", ()), ("mastodon", ()), ("bluesky", ("--address", "tasbora.test"))])
def test_every_network_is_connected_checked_polled_and_counted_alike(
    balas: Balas, kind: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    with of_a_network(kind) as harness:
        harness.arrive(2)
        names = ("password", "access_token")
        name = next(name for name in names if name in harness.secrets)
        given = json.dumps({name: harness.secrets[name]})
        where = ("--base-url", harness.settings()["base_url"], "--secrets-stdin", "--json")
        added = balas("account", "add", kind, "shop", *where, *options, stdin=given).object
        assert (added["name"], added["kind"], added["state"]) == ("shop", kind, "ok")
        assert balas("account", "check", "shop", "--json").object["ok"] is True
        polled = balas("poll", "shop", "--json").object
        assert (polled["new"], polled["unreadable"], polled["sentence"]) == (2, 0, None)
        again = balas("poll", "shop", "--json").object
        assert (again["new"], again["sentence"]) == (0, None)
        (status,) = balas("status", "--json").object["accounts"]
        assert (status["on_server"], status["complete"], status["state"]) == (None, None, "ok")
        assert "does not say how many" in balas("status").out
        assert balas("poll", "shop", "--prove", "--json").object["sentence"] is None
        assert balas("check", "--json", exits=None).out
        for act in ("pause", "resume", "remove"):
            balas("account", act, "shop")
        shown = "".join((json.dumps(added), json.dumps(polled), json.dumps(status)))
        assert not any(secret in shown for secret in harness.secrets.values())
        assert Message.objects.count() == 2, "the history stays"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), (None, None)),  # another server than X's own: nobody pays
        (("--daily-budget", "0.50", "--monthly-budget", "none"), (500_000, None)),
    ],
)
def test_the_budget_of_a_kind_that_charges(
    balas: Balas, x: XServer, options: tuple[str, ...], expected: tuple[int | None, int | None]
) -> None:
    with of_a_network("x") as harness:
        given = json.dumps({"access_token": harness.secrets["access_token"]})
        where = ("--base-url", harness.settings()["base_url"], "--secrets-stdin")
        balas("account", "add", "x", "shop", *where, *options, stdin=given)
        budget = find_budget(Account.objects.get().id)
        assert (budget.daily_micros, budget.monthly_micros) == expected


def test_an_account_on_the_platform_itself_has_the_limits_that_are_proposed() -> None:
    parser = argparse.ArgumentParser()
    introduced.add_options(parser, "x")
    assert limits.limits_of(parser.parse_args(["shop"])) == (5_000_000, 50_000_000)
    assert limits.limits_of(parser.parse_args(["shop", "--daily-budget", "none"])) == (None, 50_000_000)
    for wrong in ("five", "nan", "inf", "-1", ""):
        with pytest.raises(SystemExit):
            parser.parse_args(["shop", f"--daily-budget={wrong}"])
    parser = argparse.ArgumentParser()
    introduced.add_options(parser, "mastodon")
    assert limits.limits_of(parser.parse_args(["shop"])) is None


class IntroducedFeed(FeedConnector):
    """The toy kind as another package would bring it, with a way to be connected."""

    @classmethod
    def introduction(cls, settings: Mapping[str, Any]) -> Introduction:
        return Introduction((ConnectField("base_url", "Feed"), ConnectField("key", "Key", is_secret=True)))

    @classmethod
    def consent(cls, values: Mapping[str, str], redirect_uri: str) -> tuple[str, Mapping[str, str]]:
        raise Refused("A feed needs no consent.")

    @classmethod
    def connect(cls, values: Mapping[str, str], kept: Mapping[str, str], code: str, spool: Path) -> Connected:
        account = AccountSettings("feed", "", {"base_url": values["base_url"]}, spool)
        name = cls(account, {"key": SecretText(values["key"])}).check().address
        return Connected(name, name, account.settings, {"key": values["key"]}, external_id=name)


def test_a_kind_of_another_package_is_connected_by_the_same_command(
    balas: Balas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_toy(tmp_path, monkeypatch, f"{__name__}:IntroducedFeed")
    parsing.close()
    try:
        with import_module("tests.connectors.contract.of_feed").Harness() as harness:
            harness.arrive(2)
            url = harness.server.base_url
            added = balas("account", "add", "feed", "talk", "--base-url", url, "--password-stdin", "--json", stdin=KEY)
            assert (added.object["kind"], added.object["address"]) == ("feed", "shop")
            assert balas("poll", "talk", "--json").object["new"] == 2
            (status,) = balas("status", "--json").object["accounts"]
            assert (status["kind"], status["stored"], status["complete"]) == ("feed", 2, None)
            harness.server.stop()
            said = balas("account", "connect-again", "talk", "--password-stdin", stdin=KEY, exits=1)
            assert "Nothing was" in said.err and KEY not in said.err
    finally:
        parsing.close()
        monkeypatch.undo()
        registry._factories.cache_clear()
    assert balas("account", "list", "--json").object["kind"] == "feed", "also when the package is no longer there"


def test_a_consent_is_waited_for_and_comes_back_by_itself(balas: Balas, x: XServer) -> None:
    def say_yes() -> None:
        found = None
        for _ in range(200):
            if found := re.search(r"http://\S+/i/oauth2/authorize\?\S+", sys.stderr.getvalue()):  # type: ignore[attr-defined]
                break
            time.sleep(0.05)
        assert found
        asked = dict(parse_qsl(urlsplit(found.group()).query))
        form = {**asked, "user": x.world.get_member("tasbora").id, "answer": "yes"}
        wire = Wire(Dialect("The browser"), x.base_url)
        answer = wire.call("POST", "/i/oauth2/authorize", form=form, takes=EVERY, raw=True)
        back = urlsplit(answer.headers["location"])
        Wire(Dialect("Us"), f"{back.scheme}://{back.netloc}").call("GET", f"/?{back.query}", raw=True)

    browser = threading.Thread(target=say_yes)
    browser.start()
    secret = json.dumps({"client_secret": x.app.secret})
    options = ("--base-url", x.base_url, "--client-id", x.app.client_id, "--secrets-stdin", "--json")
    added = balas("account", "add", "x", "shop", *options, stdin=secret)
    browser.join(30)
    assert added.object["address"] == "tasbora" and x.app.secret not in added.err
    kept = accounts.unseal_secrets(Account.objects.get(name="shop"))
    assert kept.keys() >= {"access_token", "refresh_token", "client_secret", "access_until"}
    assert balas("poll", "shop", "--json").object["new"] == 1


def add(balas: Balas, server: XServer, stdin: str, *more: str, exits: int = 0):
    return balas(
        "account",
        "add",
        "x",
        "shop",
        "--base-url",
        server.base_url,
        "--client-id",
        "c1",
        *more,
        stdin=stdin,
        exits=exits,
    )


def test_tokens_from_standard_input_connect_an_account_that_polls(balas: Balas, x: XServer) -> None:
    tokens = x.grant("tasbora")
    secrets = json.dumps({name: tokens[name] for name in ("access_token", "refresh_token")})
    added = add(balas, x, secrets, "--secrets-stdin", "--json").object
    assert (added["name"], added["kind"], added["state"]) == ("shop", "x", "ok")
    kept = accounts.unseal_secrets(Account.objects.get(name="shop"))
    assert kept["access_token"] == tokens["access_token"]
    assert balas("account", "check", "shop", "--json").object["ok"] is True
    polled = balas("poll", "shop", "--json").object
    assert (polled["new"], polled["unreadable"], polled["sentence"]) == (1, 0, None)
    (status,) = balas("status", "--json").object["accounts"]
    assert (status["kind"], status["on_server"], status["complete"], status["stored"]) == ("x", None, None, 1)
    assert balas("account", "list", "--json").object["kind"] == "x"
    balas("account", "pause", "shop")
    balas("account", "resume", "shop")
    balas("account", "remove", "shop")
    assert bytes(Account.objects.get().sealed_secrets) == b""


def test_secrets_may_stand_in_the_environment(balas: Balas, x: XServer, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = x.grant("tasbora")
    monkeypatch.setenv("BALAS_ACCOUNT_ACCESS_TOKEN", tokens["access_token"])
    assert add(balas, x, "", "--json").object["kind"] == "x"


def test_a_name_in_the_environment_that_no_kind_needs_is_an_error(
    balas: Balas, x: XServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BALAS_ACCOUNT_ACESS_TOKEN", "t0p-secret")
    said = add(balas, x, "", exits=3)
    assert "BALAS_ACCOUNT_ACCESS_TOKEN" in said.err and "t0p-secret" not in said.err


@pytest.mark.parametrize(
    "stdin", ["", "{", '{"acess_token": "t0p-secret"}', '["t0p-secret"]', '{"access_token": {"a": "t0p-secret"}}']
)
def test_standard_input_that_cannot_be_meant_is_wrong_usage_and_not_repeated(
    balas: Balas, x: XServer, stdin: str
) -> None:
    said = add(balas, x, stdin, "--secrets-stdin", exits=None)
    assert said.code in {1, 2} and "t0p-secret" not in said.out + said.err
    assert not Account.objects.exists()


def test_refused_tokens_save_nothing(balas: Balas, x: XServer) -> None:
    said = add(balas, x, '{"access_token": "t0p-secret"}', "--secrets-stdin", exits=1)
    assert "Nothing was saved" in said.err and "t0p-secret" not in said.err
    assert not Account.objects.exists()


def test_a_secret_is_never_an_option(balas: Balas, x: XServer) -> None:
    assert "--client-secret" not in balas("account", "add", "x", "--help").out
    add(balas, x, "", "--access-token", "t0p-secret", exits=2)


def test_an_account_of_an_unknown_kind_is_wrong_usage(balas: Balas) -> None:
    assert "mastodon" in balas("account", "add", "pigeon", "shop", exits=2).err
