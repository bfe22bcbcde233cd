from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from inbox import accounts
from inbox.models import Account, Identity
from inbox.sealing import KeyMissing
from tests.inbox.ground import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return accounts.connect(
        kind="email",
        name="shop",
        address="Shop@Shop.example",
        settings_={"aliases": ["help@shop.example"]},
        secrets={"password": "canary-7f3a"},
        cut_at=NOW,
        now=NOW,
    )


def fresh(account: Account) -> Account:
    return Account.objects.get(id=account.id)


def test_f85_a_password_is_sealed_from_the_first_write_and_lies_nowhere_in_clear(account: Account) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM inbox_account")
        row = cursor.fetchone()

    assert b"canary-7f3a" not in b"".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in row
    )
    secrets = accounts.unseal_secrets(fresh(account))
    assert secrets == {"password": "canary-7f3a"} and "canary" not in repr(secrets)


def test_f85_the_sealed_password_of_one_account_does_not_open_in_another(account: Account) -> None:
    other = accounts.connect(
        kind="email", name="x", address="x@x.example", settings_={}, secrets={}, cut_at=NOW, now=NOW
    )
    other.sealed_secrets = account.sealed_secrets

    with pytest.raises(KeyMissing):
        accounts.unseal_secrets(other)


def test_our_own_addresses_and_aliases_are_known_as_ours(account: Account) -> None:
    own = set(Identity.objects.filter(is_own=True).values_list("key", flat=True))

    assert set(account.own_addresses) == own and len(own) == 2
    assert "help@shop.example" in own


def test_f5_a_fault_is_tried_again_for_ever_at_most_five_minutes_apart(account: Account) -> None:
    now, gaps = NOW, []
    for _ in range(50):
        accounts.failed_for_now(account.id, "The server is away.", now)
        due = fresh(account).next_poll_at
        assert due is not None
        gaps.append(due - now)
        now = due

    assert gaps[0] == timedelta(seconds=15) and max(gaps) == gaps[-1] == timedelta(minutes=5)
    failing = fresh(account)
    assert (failing.state, failing.sentence, failing.failures) == ("retrying", "The server is away.", 50)
    assert failing.state_since == NOW
    accounts.succeeded(account.id, now, now + timedelta(minutes=1), None)
    well = fresh(account)
    assert (well.state, well.sentence, well.failures, well.last_success_at) == ("ok", "", 0, now)


def test_the_wish_of_a_server_is_heard_within_a_day(account: Account) -> None:
    accounts.failed_for_now(account.id, "Slow down.", NOW, timedelta(hours=2))
    assert fresh(account).next_poll_at == NOW + timedelta(hours=2)
    accounts.failed_for_now(account.id, "Slow down.", NOW, timedelta(days=400))
    assert fresh(account).next_poll_at == NOW + timedelta(hours=24)


def test_f5_only_refused_credentials_park_an_account_and_signing_in_again_frees_it(account: Account) -> None:
    accounts.park(account.id, "The password was refused.", NOW)
    parked = fresh(account)
    accounts.resume(account.id, NOW)

    assert (parked.state, parked.next_poll_at) == ("needs-login", None)
    assert (fresh(account).state, fresh(account).next_poll_at) == ("ok", NOW)


def test_a_paused_account_stays_paused_whatever_a_running_poll_says(account: Account) -> None:
    accounts.pause(account.id, NOW)
    accounts.succeeded(account.id, NOW, NOW + timedelta(minutes=1), None)
    accounts.failed_for_now(account.id, "Away.", NOW)
    accounts.park(account.id, "Refused.", NOW)

    assert (fresh(account).state, fresh(account).next_poll_at) == ("paused", None)


def test_a_removed_account_keeps_its_history_and_frees_its_name(account: Account) -> None:
    accounts.remove(account.id, NOW)

    gone = fresh(account)
    assert (gone.removed_at, gone.next_poll_at, bytes(gone.sealed_secrets)) == (NOW, None, b"")
    accounts.connect(
        kind="email", name="shop", address="shop@shop.example", settings_={}, secrets={}, cut_at=NOW, now=NOW
    )
