from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections, transaction

from inbox import leases
from inbox.leases import LeaseLost
from inbox.models import Lease


@pytest.mark.django_db
def test_a_lease_belongs_to_one_owner_until_it_is_given_back() -> None:
    mine = leases.find_free("poll:1", "a", 60)
    other = leases.find_free("poll:1", "b", 60)
    assert mine is not None and other is None

    leases.release(mine)

    theirs = leases.find_free("poll:1", "b", 60)
    assert theirs is not None and theirs.epoch == mine.epoch + 1


@pytest.mark.django_db
def test_f25_who_slept_past_the_end_of_a_lease_writes_nothing() -> None:
    slow = leases.find_free("poll:1", "a", 60)
    assert slow is not None
    Lease.objects.update(expires_at=leases.database_now() - timedelta(seconds=1))
    fast = leases.find_free("poll:1", "b", 60)
    assert fast is not None

    with transaction.atomic(), pytest.raises(LeaseLost):
        leases.check(slow)
    with pytest.raises(LeaseLost):
        leases.renew(slow)
    leases.release(slow)
    with transaction.atomic():
        leases.check(fast)
    leases.renew(fast)
    assert Lease.objects.get().owner == "b"


@pytest.mark.django_db
def test_f58_expiry_is_judged_by_the_clock_of_the_database() -> None:
    held = leases.find_free("poll:1", "a", 60)
    assert held is not None

    left = Lease.objects.get().expires_at - leases.database_now()

    assert timedelta(seconds=50) < left <= timedelta(seconds=60)


@pytest.mark.django_db(transaction=True)
def test_of_eight_that_ask_at_once_one_gets_it() -> None:
    start, found = threading.Barrier(8), []

    def ask(owner: str) -> None:
        try:
            start.wait(30)
            found.append(leases.find_free("poll:1", owner, 60))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask, args=(f"worker {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(found) == 8
    assert len([held for held in found if held is not None]) == 1
