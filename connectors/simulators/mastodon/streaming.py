"""The stream of somebody's notifications as server-sent events.

https://docs.joinmastodon.org/methods/streaming/#notification, #http: an event's name and its payload on two lines, and
a heartbeat ":thump" now and then.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator

from connectors.simulators.exchange import Answer, Request
from connectors.simulators.mastodon.things import Member, Notice
from connectors.simulators.mastodon.views import Views
from connectors.simulators.mastodon.world import World
from connectors.simulators.web import Route

BEAT_SECONDS = 15.0
_TURN = 0.1


class StreamRoutes:
    world: World
    views: Views
    stopping: threading.Event
    lock: threading.RLock
    route: Callable[[str, Route], None]
    careful: Callable[[Route], Route]
    get_caller: Callable[[Request], Member]

    def route_streams(self) -> None:
        self.beat_seconds = BEAT_SECONDS
        self._listeners: list[tuple[str, queue.SimpleQueue[bytes | None]]] = []
        self.world.on_notice = self._tell
        self.route("GET /api/v1/streaming/health", lambda request: Answer(200, b"OK", "text/plain"))
        self.route("GET /api/v1/streaming/user/notification", self.careful(self._stream))
        self.route("GET /api/v1/streaming/user", self.careful(self._stream))

    def _stream(self, request: Request) -> Answer:
        us = self.get_caller(request)
        waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        entry = (us.id, waiting)
        self._listeners.append(entry)
        return Answer(200, b"", "text/event-stream", {}, self._events(entry))

    def _events(self, entry: tuple[str, queue.SimpleQueue[bytes | None]]) -> Iterator[bytes]:
        silent = 0.0
        yield b":)\n"
        try:
            while not self.stopping.is_set():
                try:
                    event = entry[1].get(timeout=_TURN)
                except queue.Empty:
                    silent += _TURN
                    if silent >= self.beat_seconds:
                        silent = 0.0
                        yield b":thump\n"
                    continue
                if event is None:
                    return
                yield event
        finally:
            with self.lock:
                self._listeners.remove(entry)

    def _tell(self, notice: Notice) -> None:
        for owner, waiting in self._listeners:
            if owner == notice.to and notice.seen_at is None:
                payload = json.dumps(self.views.notice(notice, self.world.members[owner]))
                waiting.put(f"event: notification\ndata: {payload}\n\n".encode())

    def hang_up(self) -> None:
        """Ends every stream."""
        for _, waiting in self._listeners:
            waiting.put(None)

    @property
    def listeners(self) -> int:
        return len(self._listeners)
