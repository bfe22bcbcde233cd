"""A TCP proxy on loopback that counts: bytes each way, and round trips (the client wrote after the server had)."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Wire:
    """`sent` and `received` as the client sees them."""

    port: int
    sent: int = 0
    received: int = 0
    round_trips: int = 0
    connections: int = 0
    answers: bytearray = field(default_factory=bytearray)  # what the server said, up to 64 KB
    told_at: float = 0.0  # when EXISTS first passed since it was set to 0, by time.perf_counter

    def reset(self) -> None:
        self.sent = self.received = self.round_trips = self.connections = 0
        self.answers.clear()


@contextmanager
def counting_proxy(target: int) -> Iterator[Wire]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire = Wire(server.getsockname()[1])
        stop = threading.Event()
        server.settimeout(0.1)
        thread = threading.Thread(target=_accept, args=(server, target, wire, stop), daemon=True)
        thread.start()
        try:
            yield wire
        finally:
            stop.set()
            thread.join(5)


def _accept(server: socket.socket, target: int, wire: Wire, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            client, _ = server.accept()
        except TimeoutError:
            continue
        wire.connections += 1
        upstream = socket.create_connection(("127.0.0.1", target))
        threading.Thread(target=_pump, args=(client, upstream, wire, stop), daemon=True).start()


def _pump(client: socket.socket, upstream: socket.socket, wire: Wire, stop: threading.Event) -> None:
    with client, upstream, selectors.DefaultSelector() as selector:
        for one in (client, upstream):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(one, selectors.EVENT_READ)
        is_servers_turn = False
        while not stop.is_set():
            for key, _ in selector.select(0.1):
                is_client = key.fileobj is client
                data = (client if is_client else upstream).recv(1 << 18)
                if not data:
                    return
                if is_client:
                    wire.sent += len(data)
                    wire.round_trips += not is_servers_turn
                else:
                    wire.received += len(data)
                    if not wire.told_at and b" EXISTS\r\n" in data:
                        wire.told_at = time.perf_counter()
                    if len(wire.answers) < 65_536:
                        wire.answers += data
                is_servers_turn = is_client
                (upstream if is_client else client).sendall(data)
