"""Postfix's smtp-sink on loopback: a C server that takes mail and throws it away, for speed and simple refusals."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.servers.requirement import free_port, require


@dataclass
class SmtpSink:
    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def running_smtp_sink(*flags: str) -> Iterator[SmtpSink]:
    """Start smtp-sink with these flags (see smtp-sink(1)), such as "-r", "RCPT", and stop it afterwards."""
    program = require("smtp-sink", "postfix")
    port = free_port()
    drop = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [str(program), *drop, *flags, f"127.0.0.1:{port}", "128"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_until_it_listens(process, port)
        yield SmtpSink(port, process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=5)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    ends_at = time.monotonic() + 10
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"smtp-sink did not start on port {port}")
