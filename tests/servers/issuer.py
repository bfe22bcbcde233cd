"""oauth2-mock-server on loopback: an OAuth 2 issuer with PKCE, refresh tokens that rotate, and faults on demand.

    with running_issuer() as issuer:
        issuer.set(rotation="strict", life=60)
        issuer.set(fault="html")

Needs node and npm. Its packages are put into var/ once, pinned by the lock beside `issuer.cjs`; CI does so beforehand.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.requirement import free_port, require

SOURCE = Path(__file__).parent / "oauth_issuer"
_HOME = Path(__file__).resolve().parents[2] / "var" / "npm"
CLIENT_ID, CLIENT_SECRET = "balas", "kept"


def packages() -> Path:
    """The folder that holds node_modules, made on first use. Fails or skips the test when that is impossible."""
    npm = require("npm", "npm")
    lock = SOURCE / "package-lock.json"
    folder = _HOME / f"issuer-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    _HOME.mkdir(parents=True, exist_ok=True)
    with (_HOME / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SOURCE / name, folder)
            command = [str(npm), "ci", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                _give_up(f"npm could not install the issuer: {done.stderr[-500:]}")
            (folder / "ready").touch()
    return folder


def _give_up(sentence: str) -> None:
    if os.environ.get("BALAS_CI") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


@dataclass
class Issuer:
    """`url` publishes the endpoints; `pem` and `kid` are the public key of its access tokens (RS256)."""

    port: int
    process: subprocess.Popen[str]
    kid: str = ""
    pem: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tell(self, **command: Any) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def set(self, **settings: Any) -> None:
        self.tell(set=settings)

    def know(self, token: str, user: str) -> str:
        """Makes a refresh token good, as if somebody had consented."""
        self.tell(know={token: user})
        return token

    def refreshes(self) -> int:
        """How many refreshes it has granted."""
        return int(self.tell()["refreshes"])

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], 20)[0]:
            raise RuntimeError("the issuer says nothing")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the issuer has ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def reset(self) -> None:
        self.set(life=3600, claimed=None, rotation="keep", user="", fault="")


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    node, folder = require("node", "nodejs"), packages()
    for attempt in range(3):
        issuer = _start(node, folder)
        try:
            ready = issuer._answer()
        except RuntimeError:  # somebody else took the port in between
            stop(issuer)
            if attempt == 2:
                raise
        else:
            break
    issuer.kid, issuer.pem = ready["kid"], ready["pem"]
    try:
        yield issuer
    finally:
        stop(issuer)


def _start(node: Path, folder: Path) -> Issuer:
    port = free_port()
    process = subprocess.Popen(
        [str(node), str(SOURCE / "issuer.cjs"), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "NODE_PATH": str(folder / "node_modules")},
    )
    return Issuer(port, process)


def stop(issuer: Issuer) -> None:
    """Ends it; whoever asks it then finds nobody."""
    for pipe in (issuer.process.stdin, issuer.process.stdout):
        if pipe:
            pipe.close()
    issuer.process.terminate()
    try:
        issuer.process.wait(5)
    except subprocess.TimeoutExpired:
        issuer.process.kill()
        issuer.process.wait(5)


if __name__ == "__main__":
    started = time.monotonic()
    print(f"{packages()} ({time.monotonic() - started:.0f} s)", file=sys.stderr)
