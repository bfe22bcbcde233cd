"""`balas run` as a child process, and what the system says of its processes."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.ground import CHECKOUT, environment
from tests.servers.requirement import free_port


@dataclass(frozen=True, slots=True)
class Run:
    process: subprocess.Popen[bytes]
    port: int
    seconds: float  # from its start to the first page

    def children(self) -> dict[str, psutil.Process]:
        """web, jobs, customers: by the word of their command line."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            words = child.cmdline()
            name = next((word for word in ("web", "jobs") if word in words[1:4]), "customers")
            found[name] = child
        return found


@contextmanager
def running_balas(home: Path, *flags: str) -> Iterator[Run]:
    port, started = free_port(), time.perf_counter()
    command = [sys.executable, "-m", "web.cli", "run", "--port", str(port), *flags]
    process = subprocess.Popen(command, env=environment(home), cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    try:
        _wait_for_page(process, port)
        yield Run(process, port, time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_for_page(process: subprocess.Popen[bytes], port: int, seconds: float = 90) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and process.poll() is None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            client.request("GET", "/sign-in")
            if client.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.01)
        finally:
            client.close()
    raise RuntimeError(f"no page came; the process ended with {process.poll()}")


def memory_of(process: psutil.Process) -> dict[str, float]:
    """MB: pss (shared pages by share) and rss of a process with its own children."""
    family = [process, *process.children(recursive=True)]
    infos = [one.memory_full_info() for one in family if one.is_running()]
    return {"pss": sum(one.pss for one in infos) / 2**20, "rss": sum(one.rss for one in infos) / 2**20}


def wait_until_quiet(processes: list[psutil.Process], seconds: float = 120) -> None:
    """Until all of them together use less than a twentieth of a core for four seconds."""
    ends_at, quiet_since = time.monotonic() + seconds, time.monotonic()
    before = _cpu(processes)
    while time.monotonic() < ends_at and time.monotonic() - quiet_since < 4:
        time.sleep(0.5)
        now = _cpu(processes)
        if now - before > 0.025:
            quiet_since = time.monotonic()
        before = now


def _cpu(processes: list[psutil.Process]) -> float:
    families = [[process, *process.children(recursive=True)] for process in processes]
    return sum(sum(one.cpu_times()[:2]) for family in families for one in family)
