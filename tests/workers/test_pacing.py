"""Polls of kinds with limits and prices: which scopes are due, when the next look is, and where a budget stops them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inbox import budgets, pacing
from inbox.models import Account, Budget, EndpointWindow, PollPace, RawItem, Spend
from inbox.rules.states import AccountState
from tests.builders import make_account
from tests.inbox.tiny_kind import READ, Tiny, installed, make_tiny, post
from workers import jobs


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path) -> Iterator[None]:
    with installed(tmp_path):
        yield


def is_soon(at: datetime | None, seconds: float) -> bool:
    return at is not None and 0 < (at - datetime.now(UTC)).total_seconds() <= seconds


@pytest.mark.django_db(transaction=True)
def test_only_the_scopes_that_are_due_are_looked_at() -> None:
    account = make_tiny(now=datetime.now(UTC))
    for number in range(3):
        post("notes", number)

    first = jobs.poll(account.id)
    assert (first.new, first.sentence) == (3, "")
    assert set(Tiny.asked) == {"notes", "own"}
    row = Account.objects.get()
    assert is_soon(row.next_poll_at, 5)  # 300 in a quarter of an hour are one in three seconds
    dues = dict(PollPace.objects.values_list("place", "due_at"))
    assert not is_soon(dues["own"], 50)  # 15 are one a minute

    Tiny.asked.clear()
    PollPace.objects.filter(place="notes").update(due_at=datetime.now(UTC))
    jobs.poll(account.id)
    assert Tiny.asked == ["notes"]


@pytest.mark.django_db(transaction=True)
def test_a_poll_that_somebody_asks_for_looks_everywhere() -> None:
    account = make_tiny(now=datetime.now(UTC))
    jobs.poll(account.id)
    Tiny.asked.clear()

    jobs.poll(account.id)

    assert set(Tiny.asked) == {"notes", "own"}


@pytest.mark.django_db(transaction=True)
def test_a_budget_that_ends_within_a_page_keeps_what_was_read_and_waits_for_its_renewal() -> None:
    account = make_tiny(now=datetime.now(UTC))
    for number in range(40):
        post("notes", number)
    limit = 30 * READ
    budgets.change(
        account.id, daily_micros=limit, monthly_micros=None, soft_percent=50, actor="cli", now=datetime.now(UTC)
    )

    polled = jobs.poll(account.id)

    row = Account.objects.get()
    stored = RawItem.objects.count()
    assert 15 <= stored < 30  # the rest is kept for answers
    assert Spend.objects.get().count == stored
    assert (row.state, row.failures) == (AccountState.RETRYING, 0)
    assert "the rest is kept for answers" in row.sentence and polled.sentence == row.sentence
    midnight = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert row.next_poll_at is not None and abs(row.next_poll_at - midnight) < timedelta(seconds=5)

    asked = len(Tiny.asked)
    jobs.poll(account.id)
    assert len(Tiny.asked) == asked  # nobody was asked again

    budgets.change(
        account.id, daily_micros=None, monthly_micros=None, soft_percent=50, actor="cli", now=datetime.now(UTC)
    )
    assert jobs.find_due_accounts(datetime.now(UTC)) == [account.id]
    jobs.poll(account.id)
    row.refresh_from_db()
    assert (row.state, row.sentence, RawItem.objects.count()) == (AccountState.OK, "", 40)
    assert Spend.objects.get().count == 40
    assert Budget.objects.get().stopped_until is None


@pytest.mark.django_db(transaction=True)
def test_a_window_that_is_used_up_is_no_failure() -> None:
    account = make_tiny(now=datetime.now(UTC))
    until = datetime.now(UTC) + timedelta(minutes=7)
    EndpointWindow.objects.create(account=account, endpoint="GET /notes", seconds=900, calls=300, resets_at=until)

    polled = jobs.poll(account.id)

    row = Account.objects.get()
    assert (row.state, row.failures, polled.sentence, Tiny.asked) == (AccountState.OK, 0, "", [])
    assert row.next_poll_at is not None and abs(row.next_poll_at - until) < timedelta(seconds=2)


@pytest.mark.django_db(transaction=True)
def test_mail_is_asked_as_before() -> None:
    account = make_account()
    now = datetime.now(UTC)

    assert pacing.find_due(account, now) is None
    assert pacing.note(account, None, {}, now) is None
    assert not PollPace.objects.exists()
