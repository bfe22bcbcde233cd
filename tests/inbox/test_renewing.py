"""Tokens of kinds that renew their own: X, whose refresh tokens are good for one use, through the simulated X."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connections as database_connections
from django.utils import timezone

from connectors import killpoints
from connectors.base import AuthFailed, RetryLater
from connectors.registry import SecretText
from connectors.simulators.faults import Fault
from connectors.simulators.x.access import App
from connectors.simulators.x.server import XServer
from inbox import accounts, logins
from inbox.models import Account
from tests.builders import make_account as make_mailbox
from workers import connections, jobs

pytestmark = pytest.mark.django_db(transaction=True)

TOKENS = "POST /2/oauth2/token"


@pytest.fixture
def x() -> Iterator[XServer]:
    with XServer(app=App("c1")) as server:
        server.join("tasbora", "Tasbora", is_ours=True)
        server.join("ana_p", "Ana Popescu")
        server.say("ana_p", "@tasbora unde e comanda mea?")
        yield server
    connections.close_all()


def profile(x: XServer, **secrets: str) -> Account:
    now = timezone.now()
    us = x.world.get_member("tasbora")
    return accounts.connect(
        kind="x",
        name="shop",
        address="tasbora",
        settings_={"base_url": x.base_url, "client_id": "c1", "user_id": us.id, "handle": "tasbora", "name": "Tasbora"},
        secrets=secrets,
        cut_at=now - timedelta(days=14),
        now=now,
        external_id=us.id,
    )


def consented(x: XServer, access: str = "") -> Account:
    """With the tokens of a consent; `access` stands for one that has run out."""
    given = x.grant("tasbora")
    return profile(x, access_token=access or given["access_token"], refresh_token=given["refresh_token"])


def secrets(account: Account) -> dict[str, SecretText]:
    return accounts.unseal_secrets(Account.objects.get(id=account.id))


def state(account: Account) -> str:
    return str(Account.objects.get(id=account.id).state)


def test_a_token_that_ran_out_is_renewed_once_and_the_poll_goes_on(x: XServer) -> None:
    account = consented(x, "ran-out")
    first = secrets(account)
    assert jobs.poll(account.id).new == 1
    kept = secrets(account)
    assert (state(account), len(x.seen(TOKENS))) == ("ok", 1)
    assert kept["refresh_token"] != first["refresh_token"] and kept["access_token"] != "ran-out"
    assert kept.keys() >= {"access_since", "access_until"}


def test_f21_workers_that_are_refused_at_once_renew_once(x: XServer) -> None:
    account = consented(x, "ran-out")
    together, got, failed = threading.Barrier(5), [], []

    def ask() -> None:
        together.wait()
        try:
            got.append(logins.AccountTokens(account.id).renewed("ran-out"))
        except Exception as error:
            failed.append(error)
        finally:
            database_connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(got) == 5 and set(got) == {str(secrets(account)["access_token"])}
    assert len(x.seen(TOKENS)) == 1


def test_f21_a_kill_after_the_commit_costs_nothing_though_the_old_token_is_used_up(x: XServer) -> None:
    account = consented(x, "ran-out")
    database_connections.close_all()
    child = os.fork()
    if not child:
        try:
            killpoints.arm("oauth.committed")
            logins.AccountTokens(account.id).renewed("ran-out")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert logins.AccountTokens(account.id).renewed("ran-out") == str(secrets(account)["access_token"])
    assert jobs.poll(account.id).new == 1 and state(account) == "ok"
    assert len(x.seen(TOKENS)) == 1


def test_only_a_proven_end_parks_an_account(x: XServer) -> None:
    account = consented(x, "ran-out")
    x.faults.add(TOKENS, Fault(status=503, body=b"", times=0))
    jobs.poll(account.id)
    assert state(account) == "retrying"
    x.faults.clear()
    x.access.revoke(str(secrets(account)["refresh_token"]))
    with pytest.raises(AuthFailed):
        logins.AccountTokens(account.id).renewed("ran-out")
    jobs.poll(account.id)
    assert state(account) == "needs-login"


def test_a_trouble_while_renewing_is_no_end(x: XServer) -> None:
    account = consented(x, "ran-out")
    x.faults.add(TOKENS, Fault(is_html=True))
    with pytest.raises(RetryLater):
        logins.AccountTokens(account.id).renewed("ran-out")
    assert logins.AccountTokens(account.id).renewed("ran-out") != "ran-out"


def test_who_has_no_lasting_token_gets_every_secret_and_no_source(x: XServer) -> None:
    account = profile(x, access_token=x.grant("tasbora")["access_token"])
    assert logins.find_tokens(account) is None
    assert "access_token" in logins.lasting_secrets(account)
    mailbox = make_mailbox()
    assert logins.find_tokens(mailbox) is None and logins.lasting_secrets(mailbox) == {"password": "secret"}


def test_what_is_renewed_all_the_time_is_not_handed_to_the_connector(x: XServer) -> None:
    given = x.grant("tasbora")
    account = profile(
        x, access_token=given["access_token"], refresh_token=given["refresh_token"], client_secret="s3cret"
    )
    assert logins.lasting_secrets(account) == {"client_secret": "s3cret"}
    before = connections._fingerprint(Account.objects.get(id=account.id))
    logins.AccountTokens(account.id)._commit(
        logins.AccountTokens(account.id)._load(),
        logins.Grant(SecretText("a2"), SecretText("r2"), 7200),
    )
    assert connections._fingerprint(Account.objects.get(id=account.id)) == before
