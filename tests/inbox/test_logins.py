"""Access tokens: refreshed one at a time, committed before use, and what rotates is kept (oauth2-mock-server)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections as database_connections
from django.utils import timezone

from connectors import killpoints
from connectors.base import AuthFailed
from connectors.oauth import Grant
from connectors.registry import SecretText
from inbox import accounts, logins
from inbox.models import Account
from tests.builders import make_account
from tests.servers.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running_issuer

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("logins"), pytest.mark.django_db(transaction=True)]

USER = "hana@tasbora.example"


@pytest.fixture(scope="module")
def shared_issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def issuer(shared_issuer: Issuer, settings: Any) -> Issuer:
    settings.BALAS = replace(settings.BALAS, oauth_client_id=CLIENT_ID, oauth_client_secret=CLIENT_SECRET)
    shared_issuer.reset()
    return shared_issuer


def mailbox(issuer: Issuer) -> Account:
    """An account with a refresh token that the issuer knows, and an access token that nobody does."""
    now = timezone.now()
    grant = Grant(SecretText("bogus"), SecretText(issuer.know(f"lasting-{now.timestamp()}", USER)), 3600)
    account = make_account(address=USER, settings={"oauth": {"issuer": issuer.url}})
    sealed = accounts.seal_secrets(account.id, logins.secrets_of(grant, now))
    Account.objects.filter(id=account.id).update(sealed_secrets=sealed)
    return account


def secrets(account: Account) -> dict[str, SecretText]:
    return accounts.unseal_secrets(Account.objects.get(id=account.id))


@pytest.mark.parametrize("rotation", ["keep", "grace", "strict"])
def test_f21_refresh_tokens_that_rotate_are_kept(rotation: str, issuer: Issuer) -> None:
    issuer.set(rotation=rotation)
    account, used = mailbox(issuer), set()
    for _ in range(8):
        used.add(str(secrets(account)["refresh_token"]))
        token = logins.get_login(account).secret
        assert logins.get_login(account, refused=token).secret != token
    assert len(used) == (1 if rotation == "keep" else 8)


def test_f21_two_who_are_refused_at_once_refresh_once(issuer: Issuer) -> None:
    issuer.set(rotation="strict")
    account, before = mailbox(issuer), issuer.refreshes()
    together, got, failed = threading.Barrier(6), [], []

    def ask() -> None:
        together.wait()
        try:
            got.append(logins.get_login(account, refused="bogus").secret)
        except Exception as error:
            failed.append(error)
        finally:
            database_connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(got) == 6 and len(set(got)) == 1
    assert issuer.refreshes() == before + 1


def test_f21_a_new_consent_wins_over_a_refresh_that_was_under_way(issuer: Issuer) -> None:
    account = mailbox(issuer)
    tokens = logins.AccountTokens(account.id)
    old = tokens._load()
    anew = logins.secrets_of(Grant(SecretText("newer"), SecretText("newest"), 3600), timezone.now())
    accounts.change(
        account.id, timezone.now(), settings_=account.settings, display_name="", undo_seconds=10, secrets=anew
    )
    kept = tokens._commit(old, Grant(SecretText("late"), SecretText("too-late"), 3600))
    assert kept.access == "newer"
    assert secrets(account)["refresh_token"] == "newest"


def _killed_at(point: str, account: Account) -> None:
    """A child process refreshes and gets SIGKILL at that point."""
    database_connections.close_all()
    child = os.fork()
    if not child:
        try:
            killpoints.arm(point)
            logins.get_login(account, refused=secrets(account)["access_token"])
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_f21_a_kill_between_answer_and_commit_costs_nothing(issuer: Issuer) -> None:
    issuer.set(rotation="grace")
    account, before = mailbox(issuer), issuer.refreshes()
    first = secrets(account)
    _killed_at("oauth.answered", account)
    assert secrets(account) == first
    _killed_at("oauth.committed", account)
    kept = secrets(account)
    assert kept["refresh_token"] != first["refresh_token"]
    assert logins.get_login(account, refused=kept["access_token"]).secret
    assert issuer.refreshes() == before + 3


def test_a_password_is_given_as_it_is() -> None:
    login = logins.get_login(make_account())
    assert (login.secret, login.is_token, repr(login.secret)) == ("secret", False, "***")


def test_half_of_its_life_is_what_a_token_serves_without_being_renewed(issuer: Issuer) -> None:
    account, now = mailbox(issuer), timezone.now()
    for age, is_renewed in ((timedelta(minutes=29), False), (timedelta(minutes=31), True)):
        grant = Grant(SecretText("bogus"), SecretText(issuer.know(f"lasting-{age}", USER)), 3600)
        sealed = accounts.seal_secrets(account.id, logins.secrets_of(grant, now - age))
        Account.objects.filter(id=account.id).update(sealed_secrets=sealed)
        assert (logins.get_login(account).secret != "bogus") is is_renewed


def test_f58_a_token_from_a_clock_that_runs_ahead_is_used_up_to_two_minutes_of_skew(issuer: Issuer) -> None:
    account, now = mailbox(issuer), timezone.now()
    for ahead, is_renewed in ((timedelta(seconds=100), False), (timedelta(hours=1), True)):
        grant = Grant(SecretText("bogus"), SecretText(issuer.know(f"ahead-{ahead}", USER)), 3600)
        sealed = accounts.seal_secrets(account.id, logins.secrets_of(grant, now + ahead))
        Account.objects.filter(id=account.id).update(sealed_secrets=sealed)
        assert (logins.get_login(account).secret != "bogus") is is_renewed


def test_secrets_without_a_token_ask_for_a_new_consent(issuer: Issuer) -> None:
    account = mailbox(issuer)
    Account.objects.filter(id=account.id).update(sealed_secrets=b"")
    with pytest.raises(AuthFailed, match="Connect it again"):
        logins.get_login(account)
