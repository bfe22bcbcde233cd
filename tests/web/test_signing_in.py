"""Connecting a mailbox by the provider's own sign-in: there and back, what goes wrong, and connecting again."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from inbox import accounts
from inbox.models import Account, AuditRecord, RawItem
from tests.builders import make_item, make_mail, receive
from tests.servers.dovecot import Dovecot
from tests.servers.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running_issuer
from tests.servers.xoauth2 import TokenSmtp, running_token_dovecot, running_token_smtp
from tests.web.conftest import House

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("oauth-web")]

ADDRESS = "hana@gmail.com"


@pytest.fixture(scope="module")
def shared_issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture(scope="module")
def dovecot(shared_issuer: Issuer) -> Iterator[Dovecot]:
    with running_token_dovecot(shared_issuer) as server:
        yield server


@pytest.fixture(scope="module")
def smtp(shared_issuer: Issuer) -> Iterator[TokenSmtp]:
    with running_token_smtp(shared_issuer) as server:
        yield server


@pytest.fixture
def issuer(shared_issuer: Issuer, settings: Any) -> Issuer:
    settings.BALAS = replace(
        settings.BALAS,
        google_client_id=CLIENT_ID,
        google_client_secret=CLIENT_SECRET,
        google_issuer=shared_issuer.url,
    )
    shared_issuer.reset()
    return shared_issuer


@pytest.fixture
def client(house: House, issuer: Issuer) -> Client:
    return house.client("owner")


def form(dovecot: Dovecot, smtp: TokenSmtp, **changes: str) -> dict[str, str]:
    values = {"step": "sign-in", "address": ADDRESS, "name": "Shop", "profile": "gmail", "since": "2026-11-01"}
    for key, port in (("imap", dovecot.port), ("smtp", smtp.port)):
        values |= {f"{key}_scheme": key, f"{key}_host": "127.0.0.1", f"{key}_port": str(port), f"{key}_user": ADDRESS}
    return {**values, **changes}


class _NoFollowing(urllib.request.HTTPErrorProcessor):
    def http_response(self, request: object, response: object) -> object:  # type: ignore[override]
        return response


def consent(page: Any) -> str:
    """What a browser does on the page that leads to the issuer: the address that it comes back to."""
    assert page.status_code == 200, page.content.decode()
    target = page.headers["Refresh"].partition("url=")[2]
    assert target in unescape(page.content.decode())
    with urllib.request.build_opener(_NoFollowing()).open(target, timeout=20) as answer:
        parts = urlsplit(answer.headers["Location"])
    assert parts.path == "/settings/mailbox/signed-in"
    return f"{parts.path}?{parts.query}"


def problem(response: Any) -> str:
    found = re.search(
        r'role="alert">.*?<b>(.*?)</b>|id="address-problem"[^>]*>(.*?)</span>', response.content.decode(), re.S
    )
    assert found, response.content.decode()
    return unescape(found[1] or found[2])


def test_a_mailbox_is_connected_by_signing_in_and_no_password_is_kept(
    client: Client, dovecot: Dovecot, smtp: TokenSmtp
) -> None:
    page = client.post("/settings/mailbox", {"address": ADDRESS}).content.decode()
    assert "Sign in with Google" in page and "App password" in page
    assert "https://support.google.com/" in page
    response = client.get(consent(client.post("/settings/mailbox", form(dovecot, smtp))))
    assert response.status_code == 302, response.content.decode()
    account = Account.objects.get(name="Shop")
    kept = accounts.unseal_secrets(account)
    assert set(kept) == {"refresh_token", "access_token", "access_since", "access_until"}
    assert account.settings["oauth"] == {"issuer": "google"}
    assert account.settings["profile"] == "gmail"
    assert account.settings["file_sent"] is False
    assert kept["refresh_token"] not in client.get(f"/settings/accounts/{account.id}").content.decode()


def test_the_address_asks_for_pkce_and_names_who_we_are(client: Client, dovecot: Dovecot, smtp: TokenSmtp) -> None:
    page = client.post("/settings/mailbox", form(dovecot, smtp))
    query = parse_qs(urlsplit(page.headers["Refresh"].partition("url=")[2]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert re.fullmatch(r"[\w-]{43}", query["code_challenge"][0])
    assert (query["client_id"], query["login_hint"]) == ([CLIENT_ID], [ADDRESS])
    assert query["redirect_uri"] == ["http://testserver/settings/mailbox/signed-in"]
    assert query["access_type"] == ["offline"]
    assert CLIENT_SECRET not in page.headers["Refresh"]


def test_f84_a_state_counts_once_and_only_in_the_session_that_began_it(
    client: Client, house: House, dovecot: Dovecot, smtp: TokenSmtp
) -> None:
    back = consent(client.post("/settings/mailbox", form(dovecot, smtp)))
    for other in (house.client("manager"), house.client("owner")):
        assert "not begun here" in problem(other.get(back))
    assert "not begun here" in problem(client.get(back.replace("state=", "state=x")))
    assert not Account.objects.filter(name="Shop").exists()
    assert client.get(back).status_code == 302
    assert "not begun here" in problem(client.get(back))


def test_a_sign_in_that_took_too_long_is_begun_again(client: Client, dovecot: Dovecot, smtp: TokenSmtp) -> None:
    back = consent(client.post("/settings/mailbox", form(dovecot, smtp)))
    session = client.session
    session["sign-ins"] = {state: {**entry, "at": entry["at"] - 1000} for state, entry in session["sign-ins"].items()}
    session.save()
    assert "quarter of an hour" in problem(client.get(back))


def test_a_no_at_the_provider_is_said_and_keeps_what_was_typed(
    client: Client, dovecot: Dovecot, smtp: TokenSmtp
) -> None:
    back = consent(client.post("/settings/mailbox", form(dovecot, smtp, name="Our shop")))
    state = parse_qs(urlsplit(back).query)["state"][0]
    response = client.get(f"/settings/mailbox/signed-in?error=access_denied&state={state}")
    assert problem(response) == "Google did not allow it. It said: “access_denied”."
    assert 'value="Our shop"' in response.content.decode()


def test_the_mailbox_of_somebody_else_is_refused_in_the_servers_own_words(
    client: Client, issuer: Issuer, dovecot: Dovecot, smtp: TokenSmtp
) -> None:
    issuer.set(user="other@gmail.com")
    response = client.get(consent(client.post("/settings/mailbox", form(dovecot, smtp))))
    assert response.status_code == 422
    assert problem(response) == (
        f"127.0.0.1:{dovecot.port} refused the access token for {ADDRESS}. "
        "It said: “[AUTHENTICATIONFAILED] Authentication failed.”."
    )
    assert not Account.objects.filter(name="Shop").exists()


def test_an_issuer_that_talks_nonsense_is_said_so(
    client: Client, issuer: Issuer, dovecot: Dovecot, smtp: TokenSmtp
) -> None:
    back = consent(client.post("/settings/mailbox", form(dovecot, smtp)))
    issuer.set(fault="html")
    assert problem(client.get(back)) == "Google gave no proper answer when asked for an access token (200)."


def test_a_typed_password_wins_over_the_button_that_enter_presses(
    client: Client, dovecot: Dovecot, smtp: TokenSmtp
) -> None:
    response = client.post("/settings/mailbox", form(dovecot, smtp, password="wrong"))
    assert "refused the password" in problem(response)


def test_connecting_again_keeps_the_mail_and_the_cursor(
    client: Client, issuer: Issuer, dovecot: Dovecot, smtp: TokenSmtp
) -> None:
    client.get(consent(client.post("/settings/mailbox", form(dovecot, smtp))))
    account = Account.objects.get(name="Shop")
    now = timezone.now()
    receive(account, make_item(make_mail(at=now), at=now), now=now)
    accounts.park(account.id, "Google has ended the permission.", now)
    health = client.get("/health").content.decode()
    assert "Needs a new log-in since" in health and "Google has ended the permission." in health
    address = f"/settings/accounts/{account.id}/connect-again"
    assert address in health and address in client.get("/settings").content.decode()
    own = client.get(f"/health/{account.id}").content.decode()
    assert address in own and "tried again by itself" not in own
    response = client.get(consent(client.post(address)))
    assert (response.status_code, response.headers["Location"]) == (302, "/health")
    account.refresh_from_db()
    assert (account.state, account.sentence) == ("ok", "")
    assert RawItem.objects.filter(account=account).count() == 1
    assert AuditRecord.objects.filter(act="account.connected-again").exists()


def test_connecting_again_as_somebody_else_changes_nothing(
    client: Client, issuer: Issuer, dovecot: Dovecot, smtp: TokenSmtp
) -> None:
    client.get(consent(client.post("/settings/mailbox", form(dovecot, smtp))))
    account = Account.objects.get(name="Shop")
    accounts.park(account.id, "Google has ended the permission.", timezone.now())
    before = bytes(Account.objects.get(id=account.id).sealed_secrets)
    issuer.set(user="other@gmail.com")
    client.get(consent(client.post(f"/settings/accounts/{account.id}/connect-again")))
    account.refresh_from_db()
    assert (account.state, bytes(account.sealed_secrets)) == ("needs-login", before)


def test_f85_a_kept_permission_goes_to_no_other_server(client: Client, dovecot: Dovecot, smtp: TokenSmtp) -> None:
    client.get(consent(client.post("/settings/mailbox", form(dovecot, smtp))))
    account = Account.objects.get(name="Shop")
    page = client.post(f"/settings/accounts/{account.id}", form(dovecot, smtp, imap_host="mine.evil.example"))
    assert "Refresh" in page.headers, "a new sign-in is asked for first"
    account.refresh_from_db()
    assert account.settings["imap"]["host"] == "127.0.0.1"


def test_a_password_mailbox_is_connected_again_where_its_password_is_typed(house: House) -> None:
    accounts.park(house.support.id, "The server refused the password.", timezone.now())
    client = house.client("owner")
    response = client.post(f"/settings/accounts/{house.support.id}/connect-again")
    assert response.headers["Location"] == f"/settings/accounts/{house.support.id}#p-login"


def test_without_a_client_id_the_page_says_what_to_set(house: House, settings: Any) -> None:
    page = unescape(house.client("owner").post("/settings/mailbox", {"address": "a@outlook.com"}).content.decode())
    assert "BALAS_MICROSOFT_CLIENT_ID" in page
    assert "http://testserver/settings/mailbox/signed-in" in page
    assert 'value="sign-in"' not in page and 'name="password"' not in page


def test_another_provider_can_be_chosen(house: House) -> None:
    page = house.client("owner").post("/settings/mailbox", {"address": "a@tasbora.example", "profile": "fastmail"})
    assert 'value="imap.fastmail.com"' in page.content.decode()


# --- Folders, and what is done after storing ------------------------------------------------------------------------


def test_folders_are_chosen_from_those_that_the_server_names(client: Client, dovecot: Dovecot, smtp: TokenSmtp) -> None:
    dovecot.deliver(ADDRESS, [make_mail()], folder="Orders")
    client.get(consent(client.post("/settings/mailbox", form(dovecot, smtp))))
    account = Account.objects.get(name="Shop")
    address = f"/settings/accounts/{account.id}"
    assert client.post(f"{address}/folders").status_code == 302
    page = client.get(address).content.decode()
    assert 'name="folders" value="Orders"' in page and 'value="Sent"' not in page
    kept = {**form(dovecot, smtp), "folders_shown": "1", "mark_seen": "1", "move_to": "Done"}
    wrong = client.post(address, {**kept, "folders": ["INBOX"], "more_folder": "Nowhere"})
    assert "Nowhere" in problem(wrong)
    assert client.post(address, {**kept, "folders": ["INBOX", "Orders"]}).status_code == 302
    account.refresh_from_db()
    assert account.settings["folders"] == ["INBOX", "Orders"]
    assert (account.settings["mark_seen"], account.settings["move_to"]) == (True, "Done")
