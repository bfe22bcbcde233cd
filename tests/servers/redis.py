"""A Redis of its own on loopback. As a script it prints `url=… pid=…` and stays until it is killed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.requirement import free_port, require
from tests.servers.standing import stay_until_killed


@dataclass
class Redis:
    url: str
    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def running_redis(port: int = 0) -> Iterator[Redis]:
    """Start an empty Redis that keeps everything in memory, on a free port unless named, and stop it afterwards."""
    program = require("redis-server", "redis-server")
    base = Path(tempfile.mkdtemp(prefix="br-", dir="/tmp"))
    port = port or free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(base), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        [program, *options, "--maxmemory-policy", "noeviction"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_it_answers(port, process)
        yield Redis(f"redis://127.0.0.1:{port}/0", port, process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        shutil.rmtree(base, ignore_errors=True)


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes], seconds: float = 15) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
                probe.sendall(b"PING\r\n")
                if probe.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            pass
        time.sleep(0.02)
    raise RuntimeError("Redis did not start.")


if __name__ == "__main__":
    with running_redis() as server:
        stay_until_killed(server.url, server.process)
