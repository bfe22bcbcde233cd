"""What a poll makes of an account: its state, its next turn, and the sentence that people read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings

from inbox import accounts, credentials, leases
from inbox.models import Account, RawItem
from search.backend import get_backend, get_sink
from tests.servers.requirement import free_port
from tests.servers.scripted_imap import ScriptedImap
from tests.workers.conftest import mailbox_at, put_mail
from workers import connections, jobs

REFUSED = "NO [AUTHENTICATIONFAILED] Authentication failed."


def test_the_second_poll_brings_nothing_over_the_same_connection(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1, 2, 3)
    first, second = jobs.poll(account.id), jobs.poll(account.id)
    assert (first.fetched, first.new, first.same, first.is_complete) == (3, 3, 0, True)
    assert (second.fetched, second.new, second.is_complete) == (0, 0, True)
    assert imap.connections == 1
    account.refresh_from_db()
    assert (account.state, account.sentence, account.failures) == ("ok", "", 0)


def test_f05_refused_credentials_park_the_account_until_somebody_signs_in(imap: ScriptedImap, account: Account) -> None:
    imap.login_answer = REFUSED
    polled = jobs.poll(account.id)
    account.refresh_from_db()
    assert (account.state, account.next_poll_at) == ("needs-login", None)
    assert account.sentence == polled.sentence != ""
    assert jobs.find_due_accounts(jobs.utc_now()) == []

    imap.login_answer = "OK logged in"
    accounts.resume(account.id, jobs.utc_now())
    assert jobs.find_due_accounts(jobs.utc_now()) == [account.id]
    assert jobs.poll(account.id).sentence == ""


@pytest.mark.parametrize("answer", ["NO [UNAVAILABLE] Try later.", "NO [LIMIT] Too many connections.", "* BYE busy"])
def test_f05_anything_else_is_tried_again_ever_more_rarely(imap: ScriptedImap, account: Account, answer: str) -> None:
    imap.login_answer = answer
    pauses = []
    for _ in range(6):
        before = jobs.utc_now()
        assert jobs.poll(account.id).sentence
        account.refresh_from_db()
        assert account.state == "retrying"
        assert account.next_poll_at is not None
        assert jobs.utc_now() + timedelta(minutes=5) >= account.next_poll_at, "never more than five minutes apart"
        pauses.append((account.next_poll_at - before) // timedelta(seconds=15))
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1, 20)

    imap.login_answer = "OK logged in"
    jobs.poll(account.id)
    account.refresh_from_db()
    assert (account.state, account.failures) == ("ok", 0)


@pytest.mark.django_db(transaction=True)
def test_nobody_at_the_port_is_a_state_and_no_exception() -> None:
    account = mailbox_at(free_port())
    assert jobs.poll(account.id).sentence
    account.refresh_from_db()
    assert account.state == "retrying"


def test_a_lost_keyring_asks_for_a_new_login(imap: ScriptedImap, account: Account) -> None:
    keyring = django_settings.BALAS_HOME / "keyring"
    kept = keyring.read_bytes()
    keyring.unlink()
    credentials._keyring.cache_clear()
    try:
        sentence = jobs.poll(account.id).sentence
    finally:
        keyring.write_bytes(kept)
        credentials._keyring.cache_clear()
    account.refresh_from_db()
    assert (account.state, account.sentence) == ("needs-login", sentence)
    assert "keyring" in sentence


def test_an_account_of_a_kind_that_is_not_installed_keeps_no_other_from_its_turn(
    imap: ScriptedImap, account: Account
) -> None:
    Account.objects.filter(id=account.id).update(kind="pigeon")
    assert "pigeon" in jobs.poll(account.id).sentence
    account.refresh_from_db()
    assert account.state == "retrying"


def test_f25_an_account_that_somebody_else_reads_is_left_alone(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1)
    held = leases.find_free(f"poll:{account.id}", "elsewhere:1:1", 60)
    assert held is not None
    assert jobs.poll(account.id).is_busy
    assert imap.connections == 0
    leases.release(held)
    assert jobs.poll(account.id).new == 1
    assert leases.find_free(f"poll:{account.id}", "elsewhere:1:1", 60), "given back after the poll"


def test_what_was_begun_under_a_lease_that_passed_on_is_not_written(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1)
    name = f"poll:{account.id}"

    def somebody_takes_it(polled: jobs.Polled, remaining: int | None) -> None:
        leases.Lease.objects.filter(name=name).update(epoch=1000, owner="elsewhere:1:1")
        put_mail(imap, 2)

    assert jobs.poll(account.id, somebody_takes_it).fetched == 1
    leases.Lease.objects.filter(name=name).update(expires_at=leases.database_now() - timedelta(seconds=1))
    jobs.poll(account.id)
    assert RawItem.objects.count() == 2


def test_an_account_that_was_paused_meanwhile_stays_paused(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1)
    jobs.poll(account.id, lambda *_: accounts.pause(account.id, jobs.utc_now()))
    account.refresh_from_db()
    assert (account.state, account.next_poll_at) == ("paused", None)


def test_a_connection_is_not_used_again_after_its_settings_changed_or_it_failed(
    imap: ScriptedImap, account: Account
) -> None:
    jobs.poll(account.id)
    account.refresh_from_db()
    Account.objects.filter(id=account.id).update(settings={**account.settings, "aliases": ["b@balas.example"]})
    jobs.poll(account.id)
    assert imap.connections == 2
    account.refresh_from_db()
    with pytest.raises(RuntimeError), connections.borrowed(account, "fetch"):
        raise RuntimeError("whatever it was")
    jobs.poll(account.id)
    assert imap.connections == 3


@pytest.fixture
def absent_index(settings: Any) -> Iterator[None]:
    settings.SEARCH_BACKEND = "tests.workers.absent_index.AbsentIndex"
    get_backend.cache_clear()
    get_sink.cache_clear()
    yield
    get_backend.cache_clear()
    get_sink.cache_clear()


@pytest.mark.usefixtures("absent_index")
def test_an_index_that_is_away_does_not_stop_a_poll(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1)
    assert jobs.poll(account.id).new == 1
    assert jobs.digest() == 1
    assert jobs.index() == 0
