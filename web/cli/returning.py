"""Waits for a provider's sign-in to come back: to a door on loopback, or pasted into the terminal (RFC 8252 §7.3)."""

from __future__ import annotations

import select
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from web.cli import CommandFailed

_SECONDS = 15 * 60
_MAX_REQUEST = 16 * 1024
_PAGE = (
    "<!doctype html><meta charset=utf-8><title>Balas</title><meta name=viewport content='width=device-width'>"
    "<body style='font:18px/1.5 system-ui;margin:4rem auto;max-width:32rem;padding:0 1rem'>"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: a code, or the provider's word for no."""

    code: str = ""
    error: str = ""


class Returning:
    """A door on loopback. `host` is 127.0.0.1, or localhost for providers that register only that name."""

    def __init__(self, host: str, port: int = 0) -> None:
        try:
            self._listener = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise CommandFailed(f"Port {port} cannot be listened at ({error.strerror}). Try another.") from None
        self.address = f"http://{host}:{self._listener.getsockname()[1]}/"

    def close(self) -> None:
        self._listener.close()

    def wait(self, state: str, seconds: float = _SECONDS) -> Outcome:
        """Raises CommandFailed when nothing came in time."""
        ends_at = time.monotonic() + seconds
        watched: list[Any] = [self._listener, *([sys.stdin] if _can_be_read() else [])]
        while (left := ends_at - time.monotonic()) > 0:
            ready, _, _ = select.select(watched, [], [], left)
            for source in ready:
                line = self._knock(state) if source is self._listener else sys.stdin.readline()
                if not line and source is sys.stdin:
                    watched.remove(source)
                elif found := _outcome(line.strip(), state):
                    return found
        raise CommandFailed("Nobody came back from the sign-in within a quarter of an hour. Nothing was saved.")

    def _knock(self, state: str) -> str:
        """The address that a browser asked for; "" for what is none of ours."""
        sock, _ = self._listener.accept()
        with sock:
            sock.settimeout(5)
            data = b""
            try:
                while b"\r\n\r\n" not in data and len(data) < _MAX_REQUEST and (more := sock.recv(4096)):
                    data += more
                words = data.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ")
                path = words[1] if len(words) > 1 and words[0] == "GET" else ""
                found = _outcome(path, state) if path else None
                said = (
                    "Thank you. You can close this page; Balas goes on in the terminal." if found else "Nothing here."
                )
                page = f"{_PAGE}<p>{said}</p>".encode()
                head = (
                    f"HTTP/1.1 {'200 OK' if found else '404 Not Found'}\r\nContent-Type: text/html; charset=utf-8\r\n"
                )
                sock.sendall(f"{head}Content-Length: {len(page)}\r\nConnection: close\r\n\r\n".encode() + page)
            except OSError:
                return ""
        return path if found else ""


def _page(*, is_ours: bool) -> bytes:
    said = "Thank you. You can close this page; Balas goes on in the terminal." if is_ours else "Nothing here."
    page = f"{_PAGE}<p>{said}</p>".encode()
    head = f"HTTP/1.1 {'200 OK' if is_ours else '404 Not Found'}\r\nContent-Type: text/html; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(page)}\r\nConnection: close\r\n\r\n".encode() + page


def _can_be_read() -> bool:
    """Whether somebody may paste something."""
    try:
        return sys.stdin.fileno() >= 0
    except (OSError, ValueError, AttributeError):
        return False


def _outcome(text: str, state: str) -> Outcome | None:
    """From an address that came back, or a code by itself; None for one of another state, or none at all."""
    if not text:
        return None
    if "?" not in text:
        return Outcome(code=text) if "/" not in text else None
    query = parse_qs(urlsplit(text).query)
    if query.get("state", [""])[0] != state:
        return None
    if code := query.get("code", [""])[0]:
        return Outcome(code=code)
    return Outcome(error=(query.get("error_description") or query.get("error") or ["nothing"])[0])
