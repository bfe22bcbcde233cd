"""A loopback proxy that can fall silent: it keeps every connection, acknowledges everything, and forwards nothing."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class StallingProxy:
    port: int
    is_stalled: bool = False
    connections: int = 0
    sockets: list[socket.socket] = field(default_factory=list)


@contextmanager
def running_stalling_proxy(target: int) -> Iterator[StallingProxy]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = StallingProxy(server.getsockname()[1])
        stop = threading.Event()
        server.settimeout(0.1)
        thread = threading.Thread(target=_accept, args=(server, target, proxy, stop), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            stop.set()
            thread.join(5)
            for sock in proxy.sockets:
                with suppress(OSError):
                    sock.close()


def _accept(server: socket.socket, target: int, proxy: StallingProxy, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            client, _ = server.accept()
        except TimeoutError:
            continue
        proxy.connections += 1
        proxy.sockets.append(client)
        if not proxy.is_stalled:
            threading.Thread(target=_pump, args=(client, target, proxy, stop), daemon=True).start()


def _pump(client: socket.socket, target: int, proxy: StallingProxy, stop: threading.Event) -> None:
    upstream = socket.create_connection(("127.0.0.1", target))
    with client, upstream, selectors.DefaultSelector() as selector:
        for one in (client, upstream):
            selector.register(one, selectors.EVENT_READ)
        while not stop.is_set():
            for key, _ in selector.select(0.1):
                with suppress(OSError):
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not data:
                        return
                    if not proxy.is_stalled:
                        (upstream if key.fileobj is client else client).sendall(data)
