"""Processes that are started again when they die."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

_RESTART_SECONDS = (0.2, 1, 3, 10, 30)
_LOOK_SECONDS = 0.2
_GATE_ROOM = 16  # more than there are children


class Gate:
    """Where children wait until their parent has made the home ready: importing takes as long as migrating does."""

    def __init__(self) -> None:
        self.outside, self._inside = os.pipe()

    @property
    def arguments(self) -> list[str]:
        return ["--gate", str(self.outside)]

    def open(self) -> None:
        """Lets in whoever waits, and closes this side."""
        os.write(self._inside, b"." * _GATE_ROOM)
        self.close()

    def close(self) -> None:
        """Whoever still waits ends."""
        os.close(self._inside)
        os.close(self.outside)


def wait_at(gate: int) -> bool:
    """In a child: whether the parent opened; False when it is gone or gave up."""
    with open(gate, "rb", buffering=0) as outside:
        return bool(outside.read(1))


class Child:
    """A process of ours with a session of its own. `stdout` as for `subprocess.Popen`."""

    def __init__(
        self, name: str, arguments: list[str], environment: dict[str, str] | None = None, stdout: int | None = None
    ) -> None:
        self.name, self.arguments, self.stdout = name, arguments, stdout
        self.environment = {**os.environ, **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.deaths = 0

    def start(self, gate: Gate | None = None) -> None:
        """With a gate it loads what it needs and waits there before it touches the home."""
        self.started = time.monotonic()
        arguments = [*self.arguments, *(gate.arguments if gate else ())]
        # A session of its own: Ctrl-C reaches the parent alone, which then stops the children in order.
        self.process = subprocess.Popen(
            arguments,
            env=self.environment,
            stdout=self.stdout,
            start_new_session=True,
            pass_fds=(gate.outside,) if gate else (),
        )

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def restart_after(self) -> float:
        """Seconds to wait before the next start; grows while it keeps dying young."""
        self.deaths = 0 if time.monotonic() - self.started > 60 else self.deaths + 1
        return _RESTART_SECONDS[min(self.deaths, len(_RESTART_SECONDS) - 1)]

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def wait_or_kill(self, until: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def balas(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "web.cli", *arguments]


class Keeper(threading.Thread):
    """Starts one child as soon as `is_wanted` says so, and again when it dies, until `close`."""

    def __init__(self, child: Child, is_wanted: Callable[[], bool], ask_seconds: float) -> None:
        super().__init__(name=child.name, daemon=True)
        self._child, self._is_wanted, self._ask_seconds = child, is_wanted, ask_seconds
        self._ending = threading.Event()

    def run(self) -> None:
        while True:
            # Also at the very beginning: whoever started us has more urgent things to do than to share a core.
            if self._ending.wait(self._ask_seconds):
                return
            if self._is_wanted():
                break
        self._child.start()
        while not self._ending.wait(_LOOK_SECONDS):
            if self._child.ended():
                print(f"balas: {self._child.name} ended; starting it again.", file=sys.stderr, flush=True)
                if self._ending.wait(self._child.restart_after()):
                    return
                self._child.start()

    def close(self, seconds: float) -> None:
        """Ends the child; kills it after so many seconds."""
        self._ending.set()
        self.join()
        self._child.stop()
        self._child.wait_or_kill(time.monotonic() + seconds)
