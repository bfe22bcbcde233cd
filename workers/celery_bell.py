"""The bell between hosts: Celery tasks for the rooms that do work, Redis publish/subscribe for open pages."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import socket
import threading
import time

import redis
from django.conf import settings

from workers.app import app

log = logging.getLogger(__name__)
_CHANNEL = "balas:bell"
_TASKS = {"fetch", "digest", "hard", "deliver", "index", "language"}
_LAST_WORDS = 2.0  # seconds that a short command waits at its end, so that its ring is heard


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.BALAS.redis_url, socket_connect_timeout=2, socket_timeout=5)


class RedisListener:
    """A thread follows Redis and writes room names into a socket pair that callers can select on."""

    def __init__(self) -> None:
        self._inside, self._outside = socket.socketpair()
        self._inside.setblocking(False)
        self._outside.setblocking(False)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="bell", daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        while not self._closed.is_set():
            try:
                with _client() as client, client.pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(_CHANNEL)
                    while not self._closed.is_set():
                        message = channel.get_message(timeout=1.0)
                        if message:
                            # A full pipe: whoever listens has not even read that it rang.
                            with contextlib.suppress(BlockingIOError):
                                self._inside.send(bytes(message["data"]) + b" ")
            except (redis.RedisError, OSError):
                self._closed.wait(1.0)  # Redis is away: listeners look by themselves meanwhile

    def fileno(self) -> int:
        return self._outside.fileno()

    def wait(self, timeout: float) -> set[str]:
        self._outside.settimeout(max(timeout, 0.001))
        try:
            return set(self._outside.recv(65536).decode("ascii", "replace").split())
        except (TimeoutError, BlockingIOError):
            return set()

    def close(self) -> None:
        self._closed.set()
        self._inside.close()
        self._outside.close()


class CeleryBell:
    """Rings from a thread of its own: a Redis that is away must not slow a request or a transaction."""

    def __init__(self) -> None:
        self._begin()
        # A worker forks its children while other threads ring: a child must not inherit a lock that nobody will open.
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self._end)

    def _begin(self) -> None:
        self._rooms: queue.Queue[str] = queue.Queue(maxsize=1000)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def _end(self) -> None:
        """Waits a little for what has not been rung yet."""
        until = time.monotonic() + _LAST_WORDS
        while self._rooms.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)

    def ring(self, *rooms: str) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="ringer", daemon=True)
                self._thread.start()
        with contextlib.suppress(queue.Full):
            for room in rooms:
                self._rooms.put_nowait(room)

    def _work(self) -> None:
        while True:
            taken = [self._rooms.get()]
            with contextlib.suppress(queue.Empty):
                while len(taken) < 50:
                    taken.append(self._rooms.get(timeout=0.005))
            for room in sorted(set(taken)):
                try:
                    if room in _TASKS:
                        app.send_task(f"workers.tasks.{room}", retry=False)
                    with _client() as client:
                        client.publish(_CHANNEL, room)
                except Exception as error:
                    log.warning("bell %s was not heard: %s", room, type(error).__name__)
            for _ in taken:
                self._rooms.task_done()

    def subscribe(self) -> RedisListener:
        return RedisListener()
