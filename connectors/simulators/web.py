"""A small HTTP/1.1 server on loopback, on which the simulators of social platforms are built.

    class XServer(SimulatedServer):
        def __init__(self, ...): super().__init__(); self.route("GET /2/users/:id/mentions", self.mentions)
        def mentions(self, request: Request) -> Answer: return json_answer({"data": []})

    with XServer() as server: … server.base_url … server.faults.add("GET /2/users/:id/mentions", Fault(status=503))

One thread a connection, kept alive. Every request is logged for tests (`log`), every route can go wrong (`faults`).
Routes run under `self.lock`, so that a simulated world needs no locks of its own.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from connectors.simulators.exchange import (
    Answer,
    Logged,
    Malformed,
    Part,
    Request,
    VirtualClock,
    html_answer,
    json_answer,
    redirect,
    utc_now,
)
from connectors.simulators.faults import Fault, Faults, spoil
from connectors.simulators.webtalk import Talk

__all__ = [
    "Answer",
    "Fault",
    "Faults",
    "Logged",
    "Malformed",
    "Part",
    "Request",
    "SimulatedServer",
    "VirtualClock",
    "html_answer",
    "json_answer",
    "redirect",
    "utc_now",
]

LOG_LENGTH = 5000
BODY_CAP = 64 * 2**20
IDLE_SECONDS = 60.0
STOP_LIMIT = 5.0

Route = Callable[[Request], Answer]


class SimulatedServer:
    """`now` may be a virtual clock. `port`: exactly this one; `usual_port`: this one, or another when it is taken.

    Raises OSError on start when `port` is taken.
    """

    name = "simulator"

    def __init__(
        self,
        *,
        port: int = 0,
        usual_port: int = 0,
        now: Callable[[], datetime] = utc_now,
        body_cap: int = BODY_CAP,
    ) -> None:
        self.now = now
        self.faults = Faults()
        self.log: deque[Logged] = deque(maxlen=LOG_LENGTH)
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.body_cap = body_cap
        self.port = 0
        self._wanted = (port, usual_port)
        self._routes: list[tuple[str, str, re.Pattern[str], Route]] = []
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._connections_lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    # --- Life -------------------------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._listener = self._listen()
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name=self.name, daemon=True)
        self._thread.start()

    def _listen(self) -> socket.socket:
        exact, usual = self._wanted
        try:
            return socket.create_server(("127.0.0.1", exact or usual), backlog=128)
        except OSError as error:
            if exact or not usual or error.errno != errno.EADDRINUSE:
                raise
            return socket.create_server(("127.0.0.1", 0), backlog=128)

    def stop(self) -> None:
        """Ends every connection and waits for their threads. Repeating it does nothing."""
        listener, self._listener = self._listener, None
        self.stopping.set()
        if listener is None:
            return
        # Closing a listening socket does not wake an accept() everywhere; a last caller does.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        if self._thread is not None:
            self._thread.join(STOP_LIMIT)
        listener.close()
        with self._connections_lock:
            left = dict(self._connections)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in left.values():
            thread.join(STOP_LIMIT)

    def _accept(self) -> None:
        listener = self._listener
        while listener is not None:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            if self.stopping.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._talk, args=(connection, peer), name=f"{self.name} talk", daemon=True)
            with self._connections_lock:
                self._connections[connection] = thread
            thread.start()

    def _talk(self, connection: socket.socket, peer: Any) -> None:
        try:
            connection.settimeout(IDLE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(OSError):
                Talk(connection, peer, self)
        finally:
            connection.close()
            with self._connections_lock:
                self._connections.pop(connection, None)

    # --- Routes -----------------------------------------------------------------------------------------------------

    def route(self, pattern: str, answer: Route) -> None:
        """`pattern` is "METHOD /path/with/:names"; a name stands for one segment, ":name*" for all that follow.

        The first pattern that fits answers.
        """
        method, _, path = pattern.partition(" ")
        expression = re.sub(r":(\w+)\\\*", r"(?P<\1>.+)", re.escape(path))
        expression = re.sub(r":(\w+)", r"(?P<\1>[^/]+)", expression)
        self._routes.append((pattern, method, re.compile(expression), answer))

    def _find(self, request: Request) -> tuple[Request, Route | None]:
        raw_path = urlsplit(request.raw_target).path
        for pattern, method, expression, answer in self._routes:
            if method == request.method and (found := expression.fullmatch(raw_path)):
                values = {name: unquote(value) for name, value in found.groupdict().items()}
                return replace(request, values=values, route=pattern), answer
        return request, None

    def prepare(self, request: Request) -> Answer | None:
        """For a simulator that has something to say before any route does (log-in, limits). None: go on."""
        return None

    def finish(self, request: Request, answer: Answer) -> Answer:
        """For headers that stand on every answer."""
        return answer

    def missing(self, request: Request) -> Answer:
        """What the platform says where there is nothing."""
        return json_answer({"error": "Not Found"}, 404)

    def malformed(self, request: Request, error: Malformed) -> Answer:
        return json_answer({"error": str(error)}, 400)

    def answer(self, request: Request) -> tuple[Request, Answer, Fault | None]:
        """The answer to a request, faults included but for delays and cuts."""
        request, route = self._find(request)
        fault = self.faults.take(request.route)
        if fault is not None and fault.hides_route:
            return request, spoil(fault, request, Answer()), fault
        with self.lock:
            try:
                answer = self.prepare(request) or (route(request) if route else self.missing(request))
            except Malformed as error:
                answer = self.malformed(request, error)
            answer = self.finish(request, answer)
        return request, spoil(fault, request, answer) if fault else answer, fault

    # --- For tests --------------------------------------------------------------------------------------------------

    def seen(self, route: str = "") -> list[Logged]:
        """The logged requests of a route, oldest first; without one, all of them."""
        return [one for one in list(self.log) if not route or one.route == route]
