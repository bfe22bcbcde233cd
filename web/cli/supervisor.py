"""The parent process of `balas run`.

It migrates the home, starts its children (web, jobs, and in the demo the simulated mail provider), starts a child again
that died, and takes them all down with it. It holds no state: killing it loses nothing.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from django.conf import settings

from inbox import people
from inbox.models import User
from inbox.rules.states import Role
from web.cli import CommandFailed, demo
from web.cli.children import Child, Gate, balas
from web.cli.ready import make_ready
from workers.bells import SocketBell

_STOP_SECONDS = 8
_PORT_SECONDS = 4
_PAGES_SECONDS = 20
LINK_LIFE = timedelta(days=2)
DOOR_FILE = "door.json"


class Supervisor:
    def __init__(self, host: str, port: int, *, is_demo: bool, pace: Sequence[str] = ()) -> None:
        self.host, self.port, self.is_demo, self.pace = host, port, is_demo, pace
        self.children: list[Child] = []
        self._stop = threading.Event()
        self._lock: IO[str] | None = None
        self._demo_facts: dict[str, Any] = {}

    def run(self) -> int:
        self._refuse_second()
        self._refuse_taken_port()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        try:
            self._start_all()
            self._await_pages()
            self._announce()
            demo.join_networks(self._demo_facts)
            self._watch()
        finally:
            self._stop_all()
        return 0

    def _start_all(self) -> None:
        """The parts load while the home is made ready, and go on once it is."""
        parent = ("--with-parent", str(os.getpid()))
        web = Child("web", balas("web", "--host", self.host, "--port", str(self.port), *parent))
        jobs = Child("jobs", balas("jobs", *parent))
        gate = Gate()
        try:
            if self.is_demo:
                self.children.append(demo.start_world(self.pace))
            for child in (web, jobs):
                child.start(gate)
                self.children.append(child)
            make_ready(migrate=True, is_demo=self.is_demo)
            if self.is_demo:
                self._demo_facts = demo.join_world(self.children[0])
        except BaseException:
            gate.close()
            raise
        gate.open()

    def _refuse_second(self) -> None:
        """One parent per home: two `jobs` would be safe, but surely not meant."""
        import fcntl

        lock = (settings.BALAS_HOME / "run.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise CommandFailed(f"Balas is already running in {settings.BALAS_HOME}.") from None
        self._lock = lock  # held as long as this process lives

    def _refuse_taken_port(self) -> None:
        until = time.monotonic() + _PORT_SECONDS
        while not is_free(self.host, self.port):
            if time.monotonic() < until:
                time.sleep(0.1)  # the parts of a parent that was killed are just ending
                continue
            why = f"Port {self.port} on {self.host} cannot be used: something else listens there."
            raise CommandFailed(f"{why} Try: balas run --port {self.port + 1}")

    def _await_pages(self) -> None:
        """An address that is printed can be opened. What does not come in time is told by `_watch`."""
        until = time.monotonic() + _PAGES_SECONDS
        web = next(child for child in self.children if child.name == "web")
        while not web.ended() and not is_open(self.host, self.port) and time.monotonic() < until:
            if self._stop.wait(0.05):
                return

    def _announce(self) -> None:
        address = self.address()
        name = "Balas demo" if self.is_demo else "Balas"
        lines = [f"{name}: {address}", f"Home: {settings.BALAS_HOME}"]
        link = None if self.is_demo else first_link(address)
        write_door(address, link or address)
        if link:
            lines.append(f"Nobody can sign in yet. Open this once, within two days:\n  {link}")
        if self._demo_facts.get("control"):
            lines.append(f"Simulated networks, to be a customer: {self._demo_facts['control']}")
        lines.append("Ctrl-C stops it.")
        print("\n".join(lines), flush=True)

    def address(self) -> str:
        if settings.BALAS.public_url and not self.is_demo:
            return str(settings.BALAS.public_url).rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{'127.0.0.1' if host in ('0.0.0.0', '[::]') else host}:{self.port}"

    def _watch(self) -> None:
        waiting: dict[str, float] = {}
        listener = SocketBell().subscribe() if self.is_demo else None
        while not self._stop.is_set():
            for child in self.children:
                if not child.ended():
                    continue
                if child.name not in waiting:
                    code = child.process.returncode if child.process else None
                    waiting[child.name] = time.monotonic() + child.restart_after()
                    print(f"balas: {child.name} ended ({code}); starting it again.", file=sys.stderr, flush=True)
                elif time.monotonic() >= waiting[child.name]:
                    del waiting[child.name]
                    child.start()
            if listener and "own-home" in listener.wait(0):
                self._open_own_home()
            self._stop.wait(0.1)
        if listener:
            listener.close()

    def _open_own_home(self) -> None:
        """The demo's “connect your own mailbox”: the real home, on the next free port, under this same parent."""
        if any(child.name == "own" for child in self.children):
            return
        port = next((port for port in range(self.port + 1, self.port + 50) if is_free(self.host, port)), None)
        if port is None:
            return
        environment = {"BALAS_HOME": str(settings.BALAS_HOME.parent)}
        child = Child("own", balas("run", "--empty", "--host", self.host, "--port", str(port)), environment)
        child.start()
        self.children.append(child)

    def _stop_all(self) -> None:
        for child in reversed(self.children):
            child.stop()
        until = time.monotonic() + _STOP_SECONDS
        for child in reversed(self.children):
            child.wait_or_kill(until)


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def is_open(host: str, port: int) -> bool:
    """Whether somebody answers there; unlike `is_free` it never holds the port itself."""
    there = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        socket.create_connection((there, port), timeout=1).close()
    except OSError:
        return False
    return True


def first_link(address: str) -> str | None:
    """A one-time sign-in link for the owner while nobody has a password; None once somebody has."""
    now = datetime.now(UTC)
    if people.can_anybody_sign_in():
        return None
    owner = User.objects.filter(role=Role.OWNER, is_active=True).order_by("id").first()
    if owner is None:
        owner = people.create_user(people.UNNAMED_OWNER, Role.OWNER, now)
    token = people.make_sign_in_token(owner, now, valid=LINK_LIFE)
    return f"{address}/sign-in/link/{token}"


def write_door(address: str, link: str) -> None:
    """Where this home's pages are, and how to get in: for the demo that started it, readable by us alone."""
    path = settings.BALAS_HOME / DOOR_FILE
    draft = path.with_suffix(f".{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump({"address": address, "link": link, "pid": os.getpid()}, file)
    draft.replace(path)
