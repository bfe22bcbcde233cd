"""Bells wake who listens, are allowed to get lost, and never hold anybody up."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.journeys.running import wait_until
from tests.servers.redis import Redis, running_redis
from workers.bells import SocketBell, bell_folder
from workers.celery_bell import CeleryBell, RedisListener


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[SocketBell]:
    yield SocketBell(tmp_path)
    folder = bell_folder(tmp_path)
    if folder.exists():
        folder.rmdir()  # every listener took its own place away


def test_a_ring_wakes_every_listener_of_the_home(bell: SocketBell) -> None:
    listeners = [bell.subscribe(), bell.subscribe()]
    heard: list[set[str]] = []
    waiting = [threading.Thread(target=lambda one=one: heard.append(one.wait(30))) for one in listeners]
    for thread in waiting:
        thread.start()
    bell.ring("digest", "live")
    for thread in waiting:
        thread.join(30)
    assert heard == [{"digest", "live"}] * 2
    for listener in listeners:
        listener.close()


def test_rings_that_came_before_anybody_waited_are_heard_once(bell: SocketBell) -> None:
    listener = bell.subscribe()
    for _ in range(5):
        bell.ring("fetch")
    assert listener.wait(0) == {"fetch"}
    assert listener.wait(0) == set()
    listener.close()


def test_nobody_listening_and_a_listener_that_died_are_no_fault(bell: SocketBell, tmp_path: Path) -> None:
    bell.ring("fetch")
    listener = bell.subscribe()
    listener._socket.close()  # as kill -9 does: its place in the folder stays
    assert len(list(bell_folder(tmp_path).iterdir())) == 1
    bell.ring("fetch")
    assert list(bell_folder(tmp_path).iterdir()) == []


def test_a_listener_that_never_reads_holds_up_nobody(bell: SocketBell) -> None:
    listener = bell.subscribe()
    for _ in range(5000):
        bell.ring("live")
    assert listener.wait(0) == {"live"}
    listener.close()


def test_a_home_that_others_can_write_to_is_not_listened_in(bell: SocketBell, tmp_path: Path) -> None:
    listener = bell.subscribe()
    assert bell_folder(tmp_path).stat().st_mode & 0o777 == 0o700
    listener.close()


def test_ringing_while_redis_is_away_returns_at_once_and_raises_nothing() -> None:
    bell = CeleryBell()
    for _ in range(2000):
        bell.ring("digest", "live")
    assert bell._rooms.full() or bell._rooms.unfinished_tasks


def test_a_forked_child_rings_with_a_lock_and_a_thread_of_its_own() -> None:
    bell = CeleryBell()
    bell.ring("live")
    bell._lock.acquire()  # as another thread of the parent might hold it at the moment of the fork
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if bell._lock.acquire(timeout=5) and bell._rooms.unfinished_tasks == 0 else 2
        finally:
            os._exit(code)
    bell._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture(scope="module")
def redis_server() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@pytest.mark.servers
def test_open_pages_hear_over_redis_and_again_after_it_was_away(redis_server: Redis, settings: Any) -> None:
    settings.BALAS = replace(settings.BALAS, redis_url=redis_server.url)
    listener = RedisListener()
    client = redis.Redis.from_url(redis_server.url)

    def is_heard() -> bool:
        client.publish("balas:bell", "live")
        return "live" in listener.wait(0.2)

    wait_until("the ring is heard", is_heard)
    client.client_kill_filter(_type="pubsub")
    wait_until("it listens again", is_heard)
    listener.close()
    listener._thread.join(10)
    assert not listener._thread.is_alive()
    client.close()
