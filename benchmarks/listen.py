"""Very many idle mailboxes in one listener; all of them again after a restart; news until it is durable."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import arrival
from benchmarks.figures import Figure, at_most
from benchmarks.ground import CHECKOUT, environment, median, new_home, run_inside, spread
from benchmarks.options import Options
from tests.servers.certificate import Certificate, make_certificate
from tests.servers.requirement import free_port

ACCOUNTS = 1000
IDLE_SECONDS = 260.0  # real ones: longer than the four minutes after which IDLE is renewed
_LONGEST = 180.0


def run(options: Options) -> list[Figure]:
    return [*_idle(options), *_arrivals(options)]


def _arrivals(options: Options) -> list[Figure]:
    ours, bare = arrival.measure(max(10, 4 * options.rounds))
    note = f"{median(ours):.1f} ms against {median(bare):.1f} ms; {spread(ours)} against {spread(bare)} ms"
    return [
        at_most("listen", "EXISTS → durable row, p50, against bare IDLE", median(ours) / median(bare), 3, "×", note)
    ]


def _idle(options: Options) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, new_home() as home:
        certificate, port = make_certificate(Path(folder)), free_port()
        run_inside("connectmany", home, ACCOUNTS, port, certificate.ca)
        with _listener(home) as process:
            with _server(port, certificate) as server:
                before = _settled_memory(process)
                run_inside("connectmany", home, 0, port, certificate.ca)
                server.wait_for_all()
                figures = _hold(process, before, server, options)
            figures += _return(process, port, certificate, options)
    return figures


def _hold(process: psutil.Process, before: float, server: Server, options: Options) -> list[Figure]:
    each = (_settled_memory(process) - before) / ACCOUNTS
    options.say(f"listen: idle for {IDLE_SECONDS:.0f} s")
    started, cpu = server.stats(), sum(process.cpu_times()[:2])
    time.sleep(IDLE_SECONDS)
    core = (sum(process.cpu_times()[:2]) - cpu) / IDLE_SECONDS
    ended = server.stats()
    options.say(f"listen: {each:.1f} KiB each, {100 * core:.3f} % of a core, {ended}")
    exchanges = (ended["exchanges"] - started["exchanges"]) / ACCOUNTS
    return [
        at_most("listen", f"{ACCOUNTS:,} idle mailboxes (TLS): memory each", each, 60, "KiB"),
        at_most("listen", "the same: of a core", 100 * core, 0.1, "%", f"over {IDLE_SECONDS:.0f} s, renewals included"),
        at_most("listen", "the same: exchanges each in four minutes", exchanges * 240 / IDLE_SECONDS, 1.05, "", ""),
    ]


def _return(process: psutil.Process, port: int, certificate: Certificate, options: Options) -> list[Figure]:
    ours, bare, at_once = [], [], 0.0
    for _ in range(min(options.rounds, 3)):
        with _server(port, certificate) as server:
            started = time.perf_counter()
            server.wait_for_all()
            ours.append(time.perf_counter() - started)
            at_once = max(at_once, server.stats()["most_entering"])
        with _server(other := free_port(), certificate):
            bare.append(float(run_inside("bareidle", None, ACCOUNTS, other, certificate.ca)["seconds"]))
    options.say(f"listen: back after {ours} s, a bare loop {bare} s")
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    note = f"{median(ours):.1f} s against {median(bare):.1f} s; {spread(ratios)}"
    return [
        at_most("listen", f"{ACCOUNTS:,} back after a restart, against a bare loop", median(ratios), 1.3, "×", note),
        at_most("listen", "the same: handshakes at once", at_once, 16),
    ]


@contextmanager
def _listener(home: Path) -> Iterator[psutil.Process]:
    process = subprocess.Popen([sys.executable, "-m", "web.cli", "listen"], env=environment(home), cwd=CHECKOUT)
    try:
        time.sleep(5)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _settled_memory(process: psutil.Process) -> float:
    """KiB of its own pages, once it is quiet."""
    before = -1.0
    while (now := sum(process.cpu_times()[:2])) - before > 0.02:
        before = now
        time.sleep(2)
    return float(process.memory_full_info().uss) / 1024


@dataclass
class Server:
    process: subprocess.Popen[str]

    def stats(self) -> dict[str, float]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("stats\n")
        self.process.stdin.flush()
        found: dict[str, float] = json.loads(self.process.stdout.readline())
        return found

    def wait_for_all(self) -> None:
        ends_at = time.monotonic() + _LONGEST
        while self.stats()["waiting"] < ACCOUNTS:
            if time.monotonic() > ends_at:
                raise AssertionError(f"only {self.stats()} came")
            time.sleep(0.05)


@contextmanager
def _server(port: int, certificate: Certificate) -> Iterator[Server]:
    command = [sys.executable, "-m", "benchmarks.idleserver", str(port), str(certificate.chain), str(certificate.key)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        process.stdout.readline()
        yield Server(process)
    finally:
        process.kill()
        process.wait()
        assert process.stdin and process.stdout
        process.stdin.close()
        process.stdout.close()
