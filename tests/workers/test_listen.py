"""The listener as it runs: accounts in the database, servers on loopback, rings that make polls due."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections as database_connections

from connectors.mail import talk
from inbox import accounts, doorbells, leases
from inbox.leases import LeaseLost
from inbox.models import Account, Doorbell, Lease, RawItem
from inbox.rules.polling import POLL_SECONDS, SAFETY_POLL_SECONDS
from inbox.rules.states import DoorbellState
from tests.builders import make_account
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.requirement import free_port
from tests.servers.scripted_imap import ScriptedImap, running_scripted_imap
from tests.servers.stalling_proxy import running_stalling_proxy
from tests.workers.conftest import mailbox_at, put_mail
from workers import attending, bells, connections, jobs, listen

pytestmark = pytest.mark.django_db(transaction=True)
MAIL = b"Subject: hello\r\nMessage-ID: <%d@shop.example>\r\n\r\nworld\r\n"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(listen, "WRITE_SECONDS", 0.05)
    monkeypatch.setattr(listen, "STAND_BY_SECONDS", 0.1)
    yield
    connections.close_all()


@contextmanager
def listening() -> Iterator[Callable[[], None]]:
    """A listener on a thread of its own; call what is given to end it. It must end by itself, too."""
    stop: list[Callable[[], Any]] = []
    has_begun = threading.Event()
    faults: list[BaseException] = []

    async def run() -> None:
        ending = asyncio.Event()
        stop.append(partial(asyncio.get_running_loop().call_soon_threadsafe, ending.set))
        has_begun.set()
        await listen.stand_by_and_listen(ending, most=1000)

    def on_thread() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            faults.append(error)
        finally:
            database_connections.close_all()

    thread = threading.Thread(target=on_thread)
    thread.start()
    has_begun.wait(10)

    def end() -> None:
        if thread.is_alive():
            stop[0]()
            thread.join(20)
        assert not thread.is_alive()
        assert faults == []

    try:
        yield end
    finally:
        end()


def until(what: Callable[[], Any], seconds: float = 20) -> Any:
    ends_at = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < ends_at, "it did not come"
        time.sleep(0.02)
    return found


def state_of(account: Account) -> str:
    return str(Doorbell.objects.filter(account=account).values_list("state", flat=True).first())


def is_state(account: Account, state: str) -> Callable[[], bool]:
    return lambda: state_of(account) == state


def seconds_to_poll(account: Account) -> float:
    account.refresh_from_db()
    assert account.next_poll_at is not None
    return (account.next_poll_at - jobs.utc_now()).total_seconds()


def is_due(account: Account) -> bool:
    return seconds_to_poll(account) <= 0


def dovecot_account(server: Dovecot, name: str, port: int = 0, **settings: Any) -> Account:
    server.deliver(name, [])
    wire = {"scheme": "imap", "host": "127.0.0.1", "port": port or server.port, "user": name}
    account = make_account(name, f"{name}@balas.example", settings={"imap": wire, **settings})
    accounts.change(
        account.id,
        jobs.utc_now(),
        settings_=account.settings,
        display_name="",
        undo_seconds=0,
        secrets={"password": server.password},
    )
    return account


# --- A doorbell makes polls due and moves nothing itself ------------------------------------------------------------


def test_f20_mail_that_arrives_is_durable_soon_and_polls_are_rare_where_somebody_listens(dovecot: Dovecot) -> None:
    account = dovecot_account(dovecot, "soon")
    with listening():
        until(is_state(account, "live"))
        jobs.poll(account.id)
        assert SAFETY_POLL_SECONDS - 5 < seconds_to_poll(account) <= SAFETY_POLL_SECONDS
        ears = bells.subscribe()
        dovecot.deliver("soon", [MAIL % 1])
        until(partial(is_due, account))
        until(lambda: "fetch" in ears.wait(0.1))
        ears.close()
        assert RawItem.objects.count() == 0, "the listener itself stores nothing"
        jobs.poll(account.id)
        assert RawItem.objects.count() == 1
        assert seconds_to_poll(account) > SAFETY_POLL_SECONDS - 5


def test_f20_a_server_without_idle_is_asked_each_minute(imap: ScriptedImap, account: Account) -> None:
    imap.capabilities = "IMAP4rev1"
    with listening():
        until(is_state(account, "missing"))
        jobs.poll(account.id)
        assert POLL_SECONDS - 5 < seconds_to_poll(account) <= POLL_SECONDS


def test_a_ring_while_a_poll_is_at_work_is_not_lost(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1)

    def ring_meanwhile(uid: int) -> bool:
        if uid not in rung:
            rung.append(uid)
            doorbells.ring([account.id], jobs.utc_now())
            database_connections.close_all()  # this is a thread of the server
        return False

    rung: list[int] = []
    imap.omit_sizes = ring_meanwhile
    jobs.poll(account.id)
    assert rung == [1]
    assert is_due(account), "what rang after the look began is looked for once more"
    jobs.poll(account.id)
    assert not is_due(account)


def test_whoever_rings_all_the_time_keeps_the_place_in_the_queue() -> None:
    loud, quiet = make_account("loud", "loud@balas.example"), make_account("quiet", "quiet@balas.example")
    now = jobs.utc_now()
    Account.objects.filter(id=loud.id).update(next_poll_at=now - timedelta(seconds=9))
    Account.objects.filter(id=quiet.id).update(next_poll_at=now - timedelta(seconds=5))
    doorbells.ring([loud.id], now)
    assert jobs.find_due_accounts(now) == [loud.id, quiet.id]


def test_an_account_that_reads_several_folders_is_asked_each_minute_and_rings_for_the_first(dovecot: Dovecot) -> None:
    dovecot.deliver("several", [], folder="Orders")
    account = dovecot_account(dovecot, "several", folders=["INBOX", "Orders"])
    with listening():
        until(is_state(account, "live"))
        jobs.poll(account.id)
        assert seconds_to_poll(account) <= POLL_SECONDS
        dovecot.deliver("several", [MAIL % 1])
        until(partial(is_due, account))


def test_a_server_of_ones_own_is_asked_at_once_and_again(dovecot: Dovecot) -> None:
    account = dovecot_account(dovecot, "hot", probe=True)
    with listening():
        until(is_state(account, "live"))
        jobs.poll(account.id)
        for number in range(3):
            dovecot.deliver("hot", [MAIL % number])
            until(partial(is_due, account))
            jobs.poll(account.id)
        assert RawItem.objects.count() == 3


# --- When connections end -------------------------------------------------------------------------------------------


def test_f20_a_goodbye_in_the_middle_is_followed_by_another_connection(imap: ScriptedImap, account: Account) -> None:
    with listening():
        until(is_state(account, "live"))
        Account.objects.update(next_poll_at=jobs.utc_now() + timedelta(minutes=5))
        put_mail(imap, 1)
        imap.say_and_close = "* BYE going down"
        until(lambda: imap.connections > 1)
        imap.say_and_close = ""
        until(partial(is_due, account))
        until(is_state(account, "live"))


def test_f20_a_peer_that_fell_silent_is_noticed_and_the_account_asked_each_minute(
    dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, value in (
        (talk, "ANSWER_WITHIN", 0.4),
        (listen, "HEARD_WITHIN", 0.3),
        (listen, "LOOK_SECONDS", 0.1),
    ):
        monkeypatch.setattr(module, name, value)
    with running_stalling_proxy(dovecot.port) as proxy:
        account = dovecot_account(dovecot, "silent", proxy.port)
        with listening():
            until(is_state(account, "live"))
            Account.objects.update(
                next_poll_at=jobs.utc_now() + timedelta(seconds=290), last_success_at=jobs.utc_now(), state="ok"
            )
            proxy.is_stalled = True
            until(is_state(account, "away"))
            assert seconds_to_poll(account) <= POLL_SECONDS
            assert "did not answer in time" in Doorbell.objects.get().sentence
            proxy.is_stalled = False
            until(is_state(account, "live"))


def test_the_deadlines_add_up_to_less_than_two_minutes() -> None:
    assert listen.HEARD_WITHIN + 2 * talk.ANSWER_WITHIN + listen.SPREAD_SECONDS + listen.LOOK_SECONDS <= 120


def test_a_restarted_server_is_found_by_all_with_few_handshakes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attending, "HANDSHAKES", 3)
    port = free_port()
    with ExitStack() as running:
        server = running.enter_context(running_scripted_imap(port))
        for number in range(12):
            mailbox_at(port, f"many{number}")
        with listening():
            until(lambda: Doorbell.objects.filter(state="live").count() == 12)
            running.close()
            until(lambda: Doorbell.objects.filter(state="away").count() > 6)
            with running_scripted_imap(port) as again:
                until(lambda: Doorbell.objects.filter(state="live").count() == 12)
                assert server.most_at_log_in <= 3
                assert again.most_at_log_in <= 3
                assert again.connections == 12


def test_f05_a_refused_password_is_for_the_poll_to_judge_and_is_not_tried_again_and_again(
    imap: ScriptedImap, account: Account
) -> None:
    imap.login_answer = "NO [AUTHENTICATIONFAILED] Authentication failed."
    with listening():
        until(is_state(account, "away"))
        assert is_due(account)
        time.sleep(0.5)
        assert imap.connections == 1
        jobs.poll(account.id)
        until(lambda: not Doorbell.objects.exists())
        account.refresh_from_db()
        assert account.state == "needs-login"
        assert imap.connections == 2


# --- Which accounts -------------------------------------------------------------------------------------------------


def test_accounts_that_come_change_and_go_are_followed(imap: ScriptedImap, account: Account) -> None:
    with listening():
        until(is_state(account, "live"))
        second = mailbox_at(imap.port, "second")
        bells.ring("accounts")
        until(is_state(second, "live"))
        accounts.pause(account.id, jobs.utc_now())
        bells.ring("accounts")
        until(lambda: not Doorbell.objects.filter(account=account).exists())
        before = imap.connections
        settings = {**second.settings, "folders": ["Other"]}
        accounts.change(second.id, jobs.utc_now(), settings_=settings, display_name="", undo_seconds=0)
        bells.ring("accounts")
        until(lambda: imap.connections > before)
        accounts.resume(account.id, jobs.utc_now())
        bells.ring("accounts")
        until(is_state(account, "live"))


def test_more_accounts_than_files_says_what_to_raise(imap: ScriptedImap, account: Account) -> None:
    other = mailbox_at(imap.port, "other")

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(1.0, stop.set)
        await listen.stand_by_and_listen(stop, most=1)

    asyncio.run(run())
    found = dict(Doorbell.objects.values_list("account_id", "sentence"))
    assert [bool(found[row.id]) for row in (account, other)].count(True) == 1
    assert any("ulimit -n" in sentence for sentence in found.values())
    assert listen.raise_file_limit() > 100


# --- When the listener itself ends ----------------------------------------------------------------------------------


def test_f20_when_the_listener_is_dead_every_account_is_asked_each_minute_again(
    imap: ScriptedImap, account: Account
) -> None:
    with listening() as end:
        until(is_state(account, "live"))
        jobs.poll(account.id)
        assert seconds_to_poll(account) > POLL_SECONDS
        assert doorbells.give_up_the_dead(jobs.utc_now()) == 0
        # A killed process releases nothing: its lease names a process that is no more.
        end()
        Lease.objects.filter(name="listen").update(owner="elsewhere:1:1", expires_at=leases.database_now())
    jobs.care()
    assert state_of(account) == "unheard"
    assert seconds_to_poll(account) <= POLL_SECONDS
    jobs.poll(account.id)
    assert seconds_to_poll(account) <= POLL_SECONDS


def test_one_listens_and_the_others_stand_by_until_it_ends(imap: ScriptedImap, account: Account) -> None:
    held = leases.find_free(doorbells.LEASE, "elsewhere:1:1", 45)
    assert held is not None
    with listening():
        time.sleep(0.4)
        assert imap.connections == 0
        leases.release(held)
        until(is_state(account, "live"))


def test_a_listener_whose_lease_was_taken_writes_no_more(account: Account) -> None:
    held = leases.find_free(doorbells.LEASE, "elsewhere:1:1", 45)
    assert held is not None
    leases.release(held)
    assert leases.find_free(doorbells.LEASE, "elsewhere:2:2", 45)
    with pytest.raises(LeaseLost):
        doorbells.record([doorbells.Change(account.id, DoorbellState.LIVE)], held, jobs.utc_now())
    assert not Doorbell.objects.exists()
