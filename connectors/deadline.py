"""One end for everything that is said on a connection: a server that trickles satisfies every single read."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from types import TracebackType


class Deadline:
    """Cuts the connections it watches when its time is over; whoever reads on them then gets an OSError or an end.

    What was read until then is no answer: ask `is_over` before believing it.
    """

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._watched: list[socket.socket] = []
        self._copies: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(0.0, seconds), self._cut)
        self._timer.daemon = True
        self.is_over = False

    @property
    def left(self) -> float:
        """Seconds, never below nought."""
        return max(0.0, self._ends_at - time.monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Before it is wrapped into TLS, or afterwards."""
        with self._lock:
            if isinstance(connection, ssl.SSLSocket):
                self._watched.append(connection)
            else:
                # TLS takes the descriptor away from a socket it wraps: only a copy can still be cut then.
                copy = connection.dup()
                self._copies.append(copy)
                self._watched.append(copy)
            if self.is_over:
                self._cut_all()

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        with self._lock:
            self._watched.clear()
            for copy in self._copies:
                copy.close()
            self._copies.clear()

    def _cut(self) -> None:
        with self._lock:
            self.is_over = True
            self._cut_all()

    def _cut_all(self) -> None:
        for one in self._watched:
            with contextlib.suppress(OSError):
                # Not SSLSocket.shutdown, which takes the TLS state away under the thread that reads.
                socket.socket.shutdown(one, socket.SHUT_RDWR)
