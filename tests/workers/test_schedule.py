"""Lanes and the sweep: whatever stumbles goes on, and a bell that got lost costs seconds."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from inbox.models import Account, Envelope, RawItem
from search.backend import get_backend
from tests.builders import make_account, make_item, make_mail, put
from tests.servers.scripted_imap import ScriptedImap, running_scripted_imap
from tests.workers.conftest import mailbox_at, put_mail
from workers import jobs, schedule
from workers.bells import subscribe
from workers.schedule import Lane, sweep


def run_lane(work: object, until: threading.Event) -> Lane:
    stop = threading.Event()
    lane = Lane("digest", work, lambda: 60.0, stop)  # type: ignore[arg-type]
    lane.start()
    for _ in range(300):
        if until.wait(0.1):
            break
        lane.rung.set()
    stop.set()
    lane.rung.set()
    lane.join(10)
    assert not lane.is_alive()
    return lane


@pytest.mark.django_db(transaction=True)
def test_a_lane_that_raises_is_logged_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()
    calls: list[int] = []

    def work() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise RuntimeError("the database is away")
        done.set()
        return 0

    run_lane(work, done)
    assert len(calls) >= 3
    assert caplog.text.count("the digest lane stumbled") == 2


@pytest.mark.django_db(transaction=True)
def test_a_lane_works_on_while_there_is_something_and_then_waits_for_its_bell() -> None:
    done = threading.Event()
    found = [5, 3, 0, 2, 0, 0]

    def work() -> int:
        count = found.pop(0) if found else 0
        if not found:
            done.set()
        return count

    run_lane(work, done)
    assert found == []


@pytest.mark.django_db(transaction=True)
def test_the_sweep_finds_what_no_bell_told_of_and_rings_for_it() -> None:
    account = make_account()
    Account.objects.update(next_poll_at=None)
    while get_backend().status(jobs.utc_now()).pending:
        jobs.index()
    schedule._last_index = jobs.utc_now().timestamp()
    assert sweep() == []

    Account.objects.update(next_poll_at=jobs.utc_now())
    put(account, make_item(make_mail()), now=jobs.utc_now())  # its ring is the poll's business, and nobody rang
    listener = subscribe()
    assert sweep() == ["fetch", "digest"]
    assert listener.wait(0) >= {"fetch", "digest"}
    listener.close()


@pytest.mark.django_db(transaction=True)
def test_the_sweep_looks_at_the_index_once_a_minute_though_nothing_waits() -> None:
    schedule._last_index = 0.0
    assert "index" in sweep()
    assert "index" not in sweep()


@pytest.mark.django_db
def test_the_next_sweep_comes_when_a_row_falls_due_and_never_at_once() -> None:
    account, now = make_account(), jobs.utc_now()
    Account.objects.update(next_poll_at=now - timedelta(hours=1))
    assert schedule._sweep_pause(now) == schedule.SWEEP_SECONDS, "for what is due it has just rung"
    Account.objects.update(next_poll_at=now + timedelta(seconds=3))
    assert schedule._sweep_pause(now) == 3
    put(account, make_item(make_mail()), now=now)
    RawItem.objects.update(due_at=now + timedelta(milliseconds=10))
    assert schedule._sweep_pause(now) == schedule.SHORTEST_SWEEP_PAUSE
    assert not Envelope.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_fetch_lane_polls_each_account_on_one_thread_at_a_time() -> None:
    make_account("one", "one@balas.example")
    make_account("two", "two@balas.example")
    lane = schedule.FetchLane()
    assert lane.work() == 2
    assert lane.work() == 0, "both are being polled"
    lane.close()
    assert set(Account.objects.values_list("state", flat=True)) == {"retrying"}


@pytest.mark.django_db(transaction=True)
def test_f05_accounts_whose_server_hangs_keep_no_other_from_its_turn(imap: ScriptedImap) -> None:
    """Their server answers nobody; the one beside them is read all the same, while they are still waiting."""
    with running_scripted_imap() as silent:
        silent.silent_on = "LOGIN"
        hanging = [mailbox_at(silent.port, f"hanging-{number}") for number in range(schedule.FETCH_THREADS + 2)]
        Account.objects.update(failures=3, next_poll_at=jobs.utc_now() - timedelta(hours=1))
        lane = schedule.FetchLane()
        assert lane.work() == schedule.FETCH_THREADS // 2
        assert lane.work() == 0
        put_mail(imap, 1)
        well = mailbox_at(imap.port, "well")
        Account.objects.filter(id=well.id).update(next_poll_at=jobs.utc_now())
        assert lane.work() == 1
        lane._running[well.id].result(30)
        assert RawItem.objects.filter(account=well).count() == 1
        assert not any(lane._running[one.id].done() for one in hanging if one.id in lane._running)
        silent.stopped.set()
    lane.close()
