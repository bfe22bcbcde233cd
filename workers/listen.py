"""The listener: one process, one event loop, one connection that waits for each account whose provider can ring.

    provider ──EXISTS──▶ listener ──next_poll_at = now, bell “fetch”──▶ the poll, which finds out what is new

It moves no cursor and stores no mail. Who listens holds the lease `listen`; any number of these processes may run, the
others stand by. When it is killed the lease runs out, and every account is asked each minute again
(inbox/doorbells.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from django.db import DatabaseError

from connectors.base import Doorbell, HasDoorbell, Unsupported
from inbox import accounts, doorbells, leases
from inbox.doorbells import Change
from inbox.leases import Held, LeaseLost
from inbox.models import Account
from inbox.rules.states import DoorbellState
from workers import bells
from workers.attending import Attendant, Floor
from workers.clock import utc_now
from workers.threads import Threads
from workers.wanted import Wanted, find_wanted

log = logging.getLogger(__name__)

FOLLOW_SECONDS = 30.0  # a change of accounts whose bell was lost
STAND_BY_SECONDS = 2.0
RENEW_SECONDS = doorbells.LEASE_SECONDS / 3
WRITE_SECONDS = 0.5
DISMISS_SECONDS = 1.0
HEARD_WITHIN = 55.0  # somebody at each host, so that a server fallen silent is noticed by all within two minutes
LOOK_SECONDS = 5.0
SPREAD_SECONDS = 3.0
_FILES_OF_OUR_OWN = 128


class _Stopped(Exception):
    """Somebody asked us to end."""


class Listener:
    """Everything one holder of the lease does, until the lease is lost or somebody stops it."""

    def __init__(self, held: Held, threads: Threads, most: int) -> None:
        self._held, self._threads, self._most = held, threads, most
        self._floor = Floor(self._open, self._ring, self._tell, self._silence)
        self._attendants: dict[int, tuple[Wanted, Attendant, asyncio.Task[None]]] = {}
        self._rung: set[int] = set()
        self._has_rung = asyncio.Event()
        self._changes: dict[int, Change] = {}
        self._has_changes = asyncio.Event()
        self._accounts_changed = asyncio.Event()
        self._wanted: dict[int, Wanted] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when `stop` is set. Raises LeaseLost."""
        ears = bells.subscribe()
        loop = asyncio.get_running_loop()
        loop.add_reader(ears.fileno(), self._hear, ears)
        try:
            async with asyncio.TaskGroup() as group:
                for work in (self._keep_lease, self._follow, self._ring_on, self._write_on, self._watch_hosts):
                    group.create_task(work())
                group.create_task(_end_with(stop))
        except* _Stopped:
            pass
        except* LeaseLost as lost:
            raise LeaseLost(self._held.name) from lost
        finally:
            loop.remove_reader(ears.fileno())
            ears.close()
            await self._dismiss(list(self._attendants))

    # --- What attendants say ----------------------------------------------------------------------------------------

    async def _open(self, account_id: int) -> Doorbell:
        connector = await self._threads.open(lambda: accounts.open_connector(Account.objects.get(id=account_id)))
        try:
            if not isinstance(connector, HasDoorbell):
                raise Unsupported("This channel has no doorbell.")
            return await connector.open_doorbell()
        finally:
            connector.close()

    def _ring(self, account_id: int) -> None:
        self._rung.add(account_id)
        self._has_rung.set()

    def _tell(self, change: Change) -> None:
        self._changes[change.account_id] = change
        self._has_changes.set()

    def _silence(self, host: str) -> None:
        """Whether its others are still there is asked soon, not all in one moment."""
        loop = asyncio.get_running_loop()
        others = self._by_host().get(host, [])
        for number, bell in enumerate(others):
            loop.call_later(SPREAD_SECONDS * number / len(others), bell.hurry)

    def _by_host(self) -> dict[str, list[Doorbell]]:
        found: dict[str, list[Doorbell]] = defaultdict(list)
        for _, attendant, _ in self._attendants.values():
            if attendant.bell is not None:
                found[attendant.bell.host].append(attendant.bell)
        return found

    # --- What goes on all the time ----------------------------------------------------------------------------------

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self._try("keeping the lease", partial(leases.renew, self._held))

    async def _ring_on(self) -> None:
        while True:
            await self._has_rung.wait()
            self._has_rung.clear()
            ids, self._rung = self._rung, set()
            try:
                await self._threads.ring(partial(_ring, ids))
            except DatabaseError as error:
                log.warning("a ring waits: %s", error)
                self._rung |= ids
                await asyncio.sleep(STAND_BY_SECONDS)
                self._has_rung.set()

    async def _write_on(self) -> None:
        while True:
            await self._has_changes.wait()
            await asyncio.sleep(WRITE_SECONDS)
            self._has_changes.clear()
            changes, self._changes = self._changes, {}
            write = partial(doorbells.record, list(changes.values()), self._held, utc_now())
            if not await self._try("writing how doorbells stand", write):
                self._changes = {**changes, **self._changes}
                self._has_changes.set()

    async def _watch_hosts(self) -> None:
        """Has one connection make sure where no word has come from a host for a while."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = asyncio.get_running_loop().time()
            for found in self._by_host().values():
                heard = [bell.heard_at for bell in found]
                if now - max(heard) > HEARD_WITHIN - LOOK_SECONDS:
                    found[heard.index(min(heard))].hurry()

    async def _follow(self) -> None:
        while True:
            self._accounts_changed.clear()
            try:
                self._wanted = await self._threads.write(partial(find_wanted, self._wanted))
                await self._agree(self._wanted)
            except DatabaseError as error:
                log.warning("the accounts cannot be looked at: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FOLLOW_SECONDS):
                    await self._accounts_changed.wait()

    async def _try(self, doing: str, act: Callable[[], object]) -> bool:
        try:
            await self._threads.write(act)
        except DatabaseError as error:
            log.warning("%s waits: %s", doing, error)
            return False
        return True

    def _hear(self, ears: bells.Listener) -> None:
        if "accounts" in ears.wait(0):
            self._accounts_changed.set()

    # --- Who is attended --------------------------------------------------------------------------------------------

    async def _agree(self, wanted: dict[int, Wanted]) -> None:
        gone = [
            account_id
            for account_id, (before, _, _) in self._attendants.items()
            if account_id not in wanted or wanted[account_id].signature != before.signature
        ]
        await self._dismiss(gone)
        left = [account_id for account_id in gone if account_id not in wanted]
        if left:
            await self._try("forgetting accounts", partial(doorbells.forget, left))
        for account_id, one in wanted.items():
            if account_id in self._attendants:
                continue
            if len(self._attendants) >= self._most:
                self._tell(Change(account_id, DoorbellState.AWAY, _too_many_files(self._most)))
                continue
            attendant = Attendant(account_id, one.is_probing, self._floor)
            self._attendants[account_id] = (one, attendant, asyncio.create_task(attendant.run()))

    async def _dismiss(self, account_ids: list[int]) -> None:
        tasks = [self._attendants.pop(account_id)[2] for account_id in account_ids]
        while tasks:
            for task in tasks:
                task.cancel()
            # Again for whoever did not hear it: a library may take a cancellation for its own.
            tasks = list((await asyncio.wait(tasks, timeout=DISMISS_SECONDS))[1])
        for account_id in account_ids:
            self._changes.pop(account_id, None)


async def _end_with(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _Stopped


def _ring(account_ids: set[int]) -> None:
    doorbells.ring(account_ids, utc_now())
    bells.ring("fetch")


def _too_many_files(most: int) -> str:
    return (
        f"The listener may open only {most + _FILES_OF_OUR_OWN} files. Raise the limit of open files "
        "(ulimit -n, LimitNOFILE=) and start it again."
    )


def raise_file_limit() -> int:
    """As many open files as the system lets us have; how many accounts that is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(1, (most if most != resource.RLIM_INFINITY else 1_000_000) - _FILES_OF_OUR_OWN)


def run_until_stopped() -> int:
    """The listener's process: runs until SIGTERM or SIGINT."""

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stand_by_and_listen(stop, raise_file_limit())

    asyncio.run(run())
    return 0


async def stand_by_and_listen(stop: asyncio.Event, most: int) -> None:
    """Listens whenever the lease is to be had, to at most so many accounts, until `stop` is set."""
    threads = Threads()
    try:
        while not stop.is_set():
            held = await _find_lease(threads)
            if held is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STAND_BY_SECONDS):
                        await stop.wait()
                continue
            try:
                await Listener(held, threads, most).run(stop)
                await threads.write(partial(leases.release, held))
            except LeaseLost:
                log.warning("another process listens now; this one stands by")
    finally:
        threads.close()


async def _find_lease(threads: Threads) -> Held | None:
    def take() -> Held | None:
        held = leases.find_free(doorbells.LEASE, leases.owner_name(), doorbells.LEASE_SECONDS)
        if held is not None:
            doorbells.begin(held, utc_now())
        return held

    try:
        return await threads.write(take)
    except DatabaseError as error:
        log.warning("the lease cannot be taken: %s", error)
        return None
