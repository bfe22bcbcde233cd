"""Host names to addresses, with a deadline: a resolver knows none of its own."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading

_resolving = threading.BoundedSemaphore(8)  # a resolver that hangs must not take a thread for each question
_LOOPBACK = {"localhost", "localhost."}


class NotFound(Exception):
    """str() is the end of a sentence that begins with the host: “could not be found”."""


def addresses_of(host: str, port: int, seconds: float) -> list[str]:
    """Every address of a host, in the order in which they should be tried. Raises NotFound."""
    found: list[str] = []
    done = threading.Event()

    def look() -> None:
        try:
            with contextlib.suppress(OSError, UnicodeError):
                rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found.extend(dict.fromkeys(str(row[4][0]) for row in rows))
        finally:
            _resolving.release()
            done.set()

    if not _resolving.acquire(timeout=seconds):
        raise NotFound("could not be looked up: too many names are being looked up already")
    threading.Thread(target=look, name="looking-up", daemon=True).start()
    if not done.wait(seconds):
        raise NotFound("could not be found in time")
    if not found:
        raise NotFound("could not be found")
    return found


def is_loopback(host: str) -> bool:
    """Whether a host, as it stands in an address, can only be this machine."""
    name = host.strip("[]").lower()
    if name in _LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
