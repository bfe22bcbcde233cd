"""What happens when a program that a test needs is not on this machine: skipped here, failed where CI promises it."""

from __future__ import annotations

import os
import random
import shutil
import socket
from pathlib import Path

import pytest

_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/homebrew/sbin", "/usr/lib/postfix/sbin")


def find_program(program: str) -> str | None:
    """The path of a program, also where only root's PATH looks; None when it is missing."""
    folders = os.pathsep.join([os.environ.get("PATH", ""), *_SYSTEM_FOLDERS])
    return shutil.which(program, path=folders)


def require(program: str, package: str) -> Path:
    """The path of `program`. Without it the test is skipped, or fails where BALAS_CI=1 says that all are there."""
    found = find_program(program)
    if found:
        return Path(found)
    sentence = f"{program} is missing: apt install {package}"
    if os.environ.get("BALAS_CI") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


def free_port() -> int:
    """A loopback port that was free a moment ago, from below the range out of which systems hand ports to others."""
    for _ in range(200):
        port = random.SystemRandom().randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port on loopback")
