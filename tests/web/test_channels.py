"""Connecting an account by page: what is entered, the consent and the way back, its first message, its budget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.sessions.models import Session
from django.test import Client

from inbox import budgets
from inbox.models import Account, AuditRecord
from tests.connectors.contract.conftest import find_harness
from tests.connectors.contract.of_x import Harness
from tests.web.conftest import House
from tests.web.posting import mention, x_account
from web.connecting import read_micros

SECRET = "a-client-secret-nobody-sees"


@pytest.fixture
def x(transactional_db: None) -> Iterator[Any]:
    with Harness() as harness:
        yield harness


def say_yes(address: str, user_id: str) -> str:
    """What the owner's browser does at the simulated X. Where it is sent back to, without the host."""
    page = requests.get(address, timeout=5)
    assert page.status_code == 200, page.text
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    allowed = {**asked, "user": user_id, "answer": "yes"}
    sent_back = requests.post(address.partition("?")[0], allowed, timeout=5, allow_redirects=False)
    return sent_back.headers["Location"].removeprefix("http://testserver")


def problem_beside(html: str, field: str) -> str:
    found = re.search(rf'name="{field}".*?class="hint is-error"[^>]*>(.*?)</span>', html, re.DOTALL)
    return found[1] if found else ""


def test_a_channel_is_chosen_and_what_it_asks_for_is_explained(house: House) -> None:
    client = house.client("manager")
    chosen = client.get("/settings/connect").content.decode()
    assert "/settings/connect/x" in chosen
    assert "/settings/mailbox" in chosen
    html = client.get("/settings/connect/x").content.decode()
    assert "http://testserver/settings/connect/returned" in html
    for words in ("offline.access", "to stay connected", "Client ID", "Developer Console", "5.00", "50.00"):
        assert words in html
    assert client.get("/settings/connect/email").status_code == 404
    assert client.get("/settings/connect/fax").status_code == 404


def test_what_is_missing_or_no_sum_is_said_beside_its_field_and_no_secret_comes_back(house: House) -> None:
    client = house.client("manager")
    missing = client.post("/settings/connect/x", {"client_secret": SECRET})
    assert missing.status_code == 422
    assert problem_beside(missing.content.decode(), "client_id") == "This is missing."
    assert SECRET not in missing.content.decode()
    typed = {"client_id": "a-client", "client_secret": SECRET, "daily": "five"}
    no_sum = client.post("/settings/connect/x", typed).content.decode()
    assert problem_beside(no_sum, "daily").startswith("A sum in dollars")
    assert 'value="a-client"' in no_sum
    assert not Account.objects.filter(kind="x").exists()


def test_tokens_are_tried_at_the_platform_before_anything_is_saved(house: House, x: Any) -> None:
    client = house.client("manager")
    bad = client.post("/settings/connect/x", {"base_url": x.server.base_url, "access_token": "nonsense-nonsense"})
    assert bad.status_code == 422
    assert 'role="alert"' in bad.content.decode()
    assert "nonsense-nonsense" not in bad.content.decode()
    assert not Account.objects.filter(kind="x").exists()
    typed = {"base_url": x.server.base_url, **x.secrets, "daily": "2", "monthly": "", "since": "2026-11-20"}
    good = client.post("/settings/connect/x", typed)
    account = Account.objects.get(kind="x")
    assert good["Location"] == f"/settings/accounts/{account.id}/arriving"
    budget = budgets.find_budget(account.id)
    assert (budget.daily_micros, budget.monthly_micros) == (2_000_000, None)
    assert AuditRecord.objects.filter(act="account.connected", subject=f"account:{account.id}").exists()
    again = client.post("/settings/connect/x", typed).content.decode()
    assert "is already connected" in again


@pytest.mark.parametrize("kind", ["mastodon", "bluesky"])
def test_the_other_networks_are_connected_in_the_same_way(
    kind: str, house: House, transactional_db: None, tmp_path: Path
) -> None:
    client = house.client("manager")
    with find_harness(kind)() as harness:
        html = client.get(f"/settings/connect/{kind}").content.decode()
        assert "5.00" not in html  # what charges nothing needs no budget
        made = harness.account(tmp_path)
        typed = {name: value for name, value in made.settings.items() if isinstance(value, str)}
        arrived = client.post(f"/settings/connect/{kind}", {**typed, **harness.secrets})
        account = Account.objects.get(kind=kind)
        assert arrived["Location"] == f"/settings/accounts/{account.id}/arriving"
        page = client.get(f"/settings/accounts/{account.id}").content.decode()
        assert "Budget and spending" not in page
        assert "Connect again" in page


def test_the_owner_says_yes_at_the_platform_and_comes_back(house: House, x: Any) -> None:
    client, app = house.client("manager"), x.server.app
    typed = {"client_id": app.client_id, "client_secret": app.secret, "base_url": x.server.base_url}
    leaving = client.post("/settings/connect/x", {**typed, "daily": "5", "monthly": "50"})
    address = leaving["Refresh"].partition("url=")[2]
    back = say_yes(address, x.settings()["user_id"])
    assert back.startswith("/settings/connect/returned?")
    arrived = client.get(back)
    account = Account.objects.get(kind="x")
    assert arrived["Location"] == f"/settings/accounts/{account.id}/arriving"
    assert account.address.lstrip("@") == "tasbora"
    assert budgets.find_budget(account.id).monthly_micros == 50_000_000
    assert client.get(back)["Location"] == "/settings/connect"  # once
    assert Account.objects.filter(kind="x").count() == 1


def test_the_consent_of_another_browser_or_an_old_one_is_of_no_use(house: House, x: Any) -> None:
    client = house.client("manager")
    typed = {"client_id": "a-client", "client_secret": SECRET, "base_url": x.server.base_url}
    leaving = client.post("/settings/connect/x", typed)
    assert leaving.status_code == 200
    address = leaving["Refresh"].partition("url=")[2]
    assert address.startswith(x.server.base_url)
    state = parse_qs(urlsplit(address).query)["state"][0]
    assert SECRET not in str([one.get_decoded() for one in Session.objects.all()])
    stranger = house.client("owner")
    assert stranger.get("/settings/connect/returned", {"state": state, "code": "c"})["Location"] == "/settings/connect"
    refused = client.get("/settings/connect/returned", {"state": state, "error": "access_denied"})
    assert refused.status_code == 422
    assert "X did not allow it. It said: “access_denied”." in refused.content.decode()
    assert SECRET not in refused.content.decode()
    used_up = client.get("/settings/connect/returned", {"state": state, "code": "c"})
    assert used_up["Location"] == "/settings/connect"


def test_the_first_message_is_awaited_and_shown(house: House) -> None:
    account, client = x_account(house), house.client("manager")
    waiting = client.get(f"/settings/accounts/{account.id}/arriving").content.decode()
    assert "Looking for the first message" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    mention(account, "Where is my refund?")
    fragment = client.get(f"/settings/accounts/{account.id}/arriving", headers={"HX-Request": "true"})
    assert fragment.status_code == 286
    assert "Where is my refund?" in fragment.content.decode()
    assert "every 2s" not in fragment.content.decode()


def test_an_account_has_a_page_with_its_permission_and_its_budget(house: House) -> None:
    account, client = x_account(house), house.client("manager")
    html = client.get(f"/settings/accounts/{account.id}").content.decode()
    assert "Budget and spending" in html
    assert "sealed-and-unseen" not in html
    assert f"/settings/connect/x?again={account.id}" in html
    assert "imap_host" not in html
    kept = client.post(f"/settings/accounts/{account.id}/budget", {"daily": "$2,50", "monthly": "", "soft": "70"})
    assert kept.status_code == 302
    budget = budgets.find_budget(account.id)
    assert (budget.daily_micros, budget.monthly_micros, budget.soft_percent) == (2_500_000, None, 70)
    wrong = client.post(f"/settings/accounts/{account.id}/budget", {"daily": "-1", "monthly": "", "soft": "70"})
    assert wrong.status_code == 422
    client.post(f"/settings/accounts/{account.id}", {"display_name": "Tasbora bags", "undo_seconds": "30"})
    account.refresh_from_db()
    assert (account.display_name, account.undo_seconds, account.kind) == ("Tasbora bags", 30, "x")
    assert house.client("own").post(f"/settings/accounts/{account.id}/budget", {}).status_code == 403


def test_an_account_is_connected_again_and_another_one_is_not_taken_for_it(house: House, x: Any) -> None:
    client = house.client("manager")
    typed = {"base_url": x.server.base_url, **x.secrets}
    client.post("/settings/connect/x", typed)
    account = Account.objects.get(kind="x")
    assert client.get(f"/settings/connect/x?again={account.id}").status_code == 200
    assert client.post("/settings/connect/x", {**typed, "again": str(account.id)})["Location"] == "/health"
    other = x.server.grant("ana")["access_token"]
    wrong = client.post("/settings/connect/x", {**typed, "access_token": other, "again": str(account.id)})
    assert wrong.status_code == 422
    assert "the account to connect again is" in wrong.content.decode()
    assert Account.objects.filter(kind="x").count() == 1


def test_nobody_without_the_right_comes_near(house: House) -> None:
    assert house.client("own").get("/settings/connect/x").status_code == 403
    assert Client().get("/settings/connect/x").status_code == 302


@pytest.mark.parametrize(
    ("text", "micros"), [("", None), ("5", 5_000_000), ("$2,50", 2_500_000), (" 0.015 ", 15_000), ("0", 0)]
)
def test_sums_are_read_as_people_type_them(text: str, micros: int | None) -> None:
    assert read_micros(text) == micros


@pytest.mark.parametrize("text", ["five", "-1", "1e9", "NaN", "inf", "1.2.3", "9" * 50])
def test_what_is_no_sum_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text[:3])):
        read_micros(text)
