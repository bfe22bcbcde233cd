"""Balas as a user starts it: the real command, a home of its own, real processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


def environment(home: Path, **more: str) -> dict[str, str]:
    """The test's environment, with this home and without what other tests set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
    return {**kept, "BALAS_HOME": str(home), "PYTHONPATH": str(CHECKOUT), **more}


@dataclass
class Balas:
    """One home and the command line over it."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str = "", fails: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Runs `balas …`. `fails` is the exit code that is expected; None takes any."""
        done = subprocess.run(
            [sys.executable, "-m", "web.cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            env=environment(self.home, **self.settings),
            cwd=CHECKOUT,
            check=False,
        )
        assert fails is None or done.returncode == fails, (
            f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)

    def lines(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(*arguments).stdout.splitlines()]

    @contextlib.contextmanager
    def serving(self, port: int, *arguments: str) -> Iterator[str]:
        """`balas run …` until the block ends; gives the address once a page answers."""
        process = subprocess.Popen(
            [sys.executable, "-m", "web.cli", "run", "--port", str(port), *arguments],
            env=environment(self.home, **self.settings),
            cwd=CHECKOUT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for_page(address, process)
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def wait_for_page(address: str, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"balas run ended: {process.communicate()[1]}")
        try:
            with urllib.request.urlopen(f"{address}/sign-in", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("no page within a minute")


def wait_until(what: str, is_so: Any, seconds: float = 60, pause: float = 0.3) -> Any:
    """The first true answer of `is_so()`; fails with `what` when there is none in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := is_so():
            return found
        time.sleep(pause)
    raise AssertionError(f"not within {seconds} s: {what}")
