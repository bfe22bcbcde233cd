"""Connecting a mailbox against a real server on loopback, keeping accounts, and the health page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from connectors.simulators.mailserver import MailServers
from inbox import accounts
from inbox.models import Account, AuditRecord
from inbox.rules.states import AccountState
from tests.web.conftest import House
from web.formatting import Clock
from web.views.connecting import _cut

ADDRESS = "hello@tasbora.example"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[MailServers]:
    with MailServers(tmp_path / "provider", ADDRESS) as running:
        yield running


def form(servers: MailServers, **changes: str) -> dict[str, str]:
    values = {
        "step": "log-in",
        "address": ADDRESS,
        "name": "Shop",
        "display_name": "The Shop",
        "password": servers.password,
        "since": "2026-11-01",
    }
    for key, port in (("imap", servers.imap.port), ("smtp", servers.smtp.port)):
        values |= {f"{key}_scheme": key, f"{key}_host": "127.0.0.1", f"{key}_port": str(port), f"{key}_user": ADDRESS}
    return {**values, **changes}


def test_an_address_leads_to_guessed_servers(house: House) -> None:
    page = house.client("owner").post("/settings/mailbox", {"address": "someone@gmail.com"}).content.decode()
    assert 'value="imap.gmail.com"' in page
    assert 'value="smtp.gmail.com"' in page


@pytest.mark.parametrize("address", ["", "nothing", "a@b@c", "support@balas.example"])
def test_an_address_that_is_none_or_is_connected_already_stays_at_the_first_step(address: str, house: House) -> None:
    response = house.client("owner").post("/settings/mailbox", {"address": address})
    assert response.status_code == 422
    assert 'name="password"' not in response.content.decode()


def test_a_log_in_that_works_connects_the_mailbox_and_seals_the_password(house: House, servers: MailServers) -> None:
    client = house.client("owner")
    response = client.post("/settings/mailbox", form(servers))
    assert response.status_code == 302, response.content.decode()
    account = Account.objects.get(name="Shop")
    assert accounts.unseal_secrets(account)["password"] == servers.password
    assert servers.password.encode() not in bytes(account.sealed_secrets)
    assert account.next_poll_at is not None
    assert account.cut_at.date().isoformat() in ("2026-10-31", "2026-11-01")
    page = client.get("/settings").content.decode()
    assert "is connected" in page
    assert "Shop" in page


@pytest.mark.parametrize(
    "changes",
    [{"password": "wrong"}, {"imap_port": "1"}, {"smtp_port": "1"}, {"imap_host": "mail.example.org"}],
)
def test_what_failed_is_said_exactly_and_nothing_is_saved(
    changes: dict[str, str], house: House, servers: MailServers
) -> None:
    response = house.client("owner").post("/settings/mailbox", form(servers, **changes))
    page = response.content.decode()
    assert response.status_code == 422
    sentence = re.search(r'role="alert">.*?<b>(.*?)</b>', page, re.DOTALL)
    assert sentence
    assert len(sentence.group(1)) > 20
    assert not Account.objects.filter(name="Shop").exists()
    assert servers.password not in page
    assert 'value="127.0.0.1"' in page  # what was typed stays, the password does not


def test_a_refused_mailbox_is_mended_by_a_new_password_that_is_tried_first(house: House, servers: MailServers) -> None:
    client = house.client("owner")
    client.post("/settings/mailbox", form(servers))
    account = Account.objects.get(name="Shop")
    accounts.park(account.id, "The server refused the password.", timezone.now())
    page = client.get("/settings").content.decode()
    assert "Log in again" in page
    address = f"/settings/accounts/{account.id}"
    wrong = client.post(address, form(servers, password="wrong", undo_seconds="20"))
    assert wrong.status_code == 422
    account.refresh_from_db()
    assert account.state == AccountState.NEEDS_LOGIN
    assert client.post(address, form(servers, undo_seconds="20", display_name="We")).status_code == 302
    account.refresh_from_db()
    assert (account.state, account.undo_seconds, account.display_name) == (AccountState.OK, 20, "We")
    assert accounts.unseal_secrets(account)["password"] == servers.password


def test_other_changes_keep_the_sealed_password(house: House, servers: MailServers) -> None:
    client = house.client("owner")
    client.post("/settings/mailbox", form(servers))
    account = Account.objects.get(name="Shop")
    sealed = bytes(account.sealed_secrets)
    client.post(f"/settings/accounts/{account.id}", form(servers, password="", undo_seconds="9999"))
    account.refresh_from_db()
    assert bytes(account.sealed_secrets) == sealed
    assert account.undo_seconds == 120
    assert servers.password not in client.get(f"/settings/accounts/{account.id}").content.decode()


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"imap_host": "mine.evil.example"},
        {"smtp_host": "mine.evil.example"},
        {"imap_port": "1"},
        {"smtp_port": "1"},
        {"imap_scheme": "imaps"},
        {"smtp_scheme": "smtps"},
    ],
    ids=str,
)
def test_f85_a_kept_password_goes_to_no_other_server(
    elsewhere: dict[str, str], house: House, servers: MailServers
) -> None:
    client = house.client("manager")
    client.post("/settings/mailbox", form(servers))
    account = Account.objects.get(name="Shop")
    kept = account.settings
    response = client.post(f"/settings/accounts/{account.id}", form(servers, password="", **elsewhere))
    assert response.status_code == 422
    assert "type the password once more" in response.content.decode()
    account.refresh_from_db()
    assert account.settings == kept


def test_an_account_is_paused_resumed_and_removed_with_a_question(house: House) -> None:
    client, address = house.client("manager"), f"/settings/accounts/{house.support.id}"
    client.post(f"{address}/pause")
    house.support.refresh_from_db()
    assert house.support.state == AccountState.PAUSED
    client.post(f"{address}/resume")
    house.support.refresh_from_db()
    assert house.support.state == AccountState.OK
    asked = client.post(f"{address}/remove")
    assert "Stop reading support?" in asked.content.decode()
    house.support.refresh_from_db()
    assert house.support.removed_at is None
    client.post(f"{address}/remove", {"confirmed": "1"})
    house.support.refresh_from_db()
    assert house.support.removed_at is not None
    assert bytes(house.support.sealed_secrets) == b""
    acts = set(AuditRecord.objects.filter(subject=f"account:{house.support.id}").values_list("act", flat=True))
    assert {"account.pause", "account.resume", "account.remove"} <= acts


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (AccountState.OK, "Reading"),
        (AccountState.RETRYING, "Tries again by itself"),
        (AccountState.NEEDS_LOGIN, "Needs a new log-in"),
        (AccountState.PAUSED, "Paused"),
    ],
)
def test_each_state_of_an_account_has_a_word_and_its_sentence(state: AccountState, words: str, house: House) -> None:
    Account.objects.filter(id=house.support.id).update(state=state, sentence="The server said no.")
    for address in ("/settings", "/health"):
        page = house.client("owner").get(address).content.decode()
        assert "The server said no." in page or state in (AccountState.OK, AccountState.PAUSED)
    assert words in house.client("owner").get("/settings").content.decode()


def test_health_shows_only_mailboxes_that_its_reader_may_read(house: House) -> None:
    page = house.client("other").get("/health").content.decode()
    assert ">sales</bdi>" in page
    assert ">support</bdi>" not in page


def test_everybody_chooses_their_own_colours_rows_and_zone(house: House) -> None:
    client = house.client("own")
    client.post("/settings/me", {"theme": "contrast-dark", "density": "compact", "zone": "Asia/Jakarta"})
    page = client.get("/q/open").content.decode()
    assert 'data-theme="contrast-dark" data-density="compact"' in page
    client.post("/settings/me", {"theme": '"><script>', "density": "x", "zone": "Asia/Jakarta"})
    assert "data-theme" not in client.get("/q/open").content.decode()
    client.post("/settings/me", {"zone": "Moon/Sea"})
    assert "is no time zone" in client.get("/settings").content.decode()
    house.agent.refresh_from_db()
    assert house.agent.zone == "Asia/Jakarta"


def test_the_cut_is_the_start_of_the_day_and_never_in_the_future() -> None:
    now = timezone.now()
    clock = Clock(ZoneInfo("Asia/Jakarta"), now)
    assert _cut("2026-01-02", clock).isoformat() == "2026-01-02T00:00:00+07:00"
    assert _cut("2999-01-01", clock) == now
    assert _cut("yesterday", clock) < now
