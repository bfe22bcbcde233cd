"""Puts the Bluesky network's packages into var/, once for each lock file: `python3 -m tests.servers.bluesky_packages`.

Nothing but the standard library is imported, so that CI can begin with it before anything else is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).parent / "atproto"
_HOME = Path(__file__).resolve().parents[2] / "var" / "npm"
_SECONDS = 900


class Missing(Exception):
    """What this machine lacks: one sentence."""


def install(tries: int = 1) -> Path:
    """The folder that holds node_modules, made on first use by one process at a time. Raises Missing."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        raise Missing("npm is missing: apt install nodejs npm")
    sources = sorted(path for path in SOURCE.rglob("*") if path.is_file() and "node_modules" not in path.parts)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    folder = _HOME / f"bluesky-{digest}"
    _HOME.mkdir(parents=True, exist_ok=True)
    with (_HOME / "bluesky.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _install_into(folder, npm, tries)
    return folder


def _install_into(folder: Path, npm: str, tries: int) -> None:
    # The packages want Node 22, which comes along with them; the npm that installs may run on an older one.
    command = [npm, "ci", "--prefix", str(folder), "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
    said = ""
    for attempt in range(tries):
        time.sleep(10 * attempt)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules"))
        try:
            done = subprocess.run(
                [*command, "--engine-strict=false", "--loglevel=error"],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            said = f"no end after {_SECONDS} s"
            continue
        if done.returncode == 0:
            (folder / "ready").touch()
            return
        said = done.stderr[-500:]
    raise Missing(f"npm could not install the Bluesky network: {said}")


if __name__ == "__main__":
    started = time.monotonic()
    try:
        print(f"{install(tries=4)} ({time.monotonic() - started:.0f} s)")
    except Missing as error:
        sys.exit(str(error))
