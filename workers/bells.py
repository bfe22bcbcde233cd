"""Bells: "something may be due in this room, look now". A bell carries no data and may be lost at any time.

Rooms: fetch accounts digest hard deliver index language live. Every job also looks by itself when the next row falls
due, so that a lost ring costs seconds, never a message. `settings.BELL` chooses: `SocketBell` between the processes of
one host, `CeleryBell` (workers/celery_bell.py) over Redis.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import select
import socket
import tempfile
from functools import cache
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

_MAX_LISTENERS = 64


class Listener(Protocol):
    def fileno(self) -> int: ...

    def wait(self, timeout: float) -> set[str]:
        """Rooms that rang, at once or within `timeout` seconds; empty when none did."""
        ...

    def close(self) -> None: ...


class Bell(Protocol):
    def ring(self, *rooms: str) -> None:
        """Never blocks for long, never raises."""
        ...

    def subscribe(self) -> Listener: ...


def bell_folder(home: Path) -> Path:
    """Where this home's listeners bind. Not inside the home: socket paths may be at most about 100 bytes long."""
    name = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"balas-{os.getuid()}-{name}"


class SocketListener:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to somebody else.")
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def wait(self, timeout: float) -> set[str]:
        rooms: set[str] = set()
        if timeout > 0 and not select.select([self._socket], [], [], timeout)[0]:
            return rooms
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                rooms.update(self._socket.recv(256).decode("ascii", "replace").split())
        return rooms

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)


class SocketBell:
    """UNIX datagrams to every listener of this home."""

    def __init__(self, home: Path | None = None) -> None:
        self._folder = bell_folder(home or settings.BALAS_HOME)

    def ring(self, *rooms: str) -> None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            for path in list(self._folder.iterdir())[:_MAX_LISTENERS]:
                try:
                    sender.sendto(" ".join(rooms).encode(), str(path))
                except (ConnectionRefusedError, FileNotFoundError):
                    path.unlink(missing_ok=True)  # its process is gone
                except OSError:
                    continue  # its buffer is full: it is about to look anyway

    def subscribe(self) -> SocketListener:
        return SocketListener(self._folder)


@cache
def bell() -> Bell:
    made: Bell = import_string(settings.BELL)()
    return made


def ring(*rooms: str) -> None:
    bell().ring(*rooms)


def subscribe() -> Listener:
    return bell().subscribe()
