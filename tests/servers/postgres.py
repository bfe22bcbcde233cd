"""A PostgreSQL of its own on loopback.

python -m tests.servers.postgres                  prints `url=… pid=…` and stays until it is killed
python -m tests.servers.postgres --run -- CMD…    runs CMD with BALAS_TEST_DATABASE_URL set; its exit code is CMD's
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.requirement import find_program, free_port, require
from tests.servers.standing import stay_until_killed

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # a test's data need not survive the machine
    "max_connections": "60",
    "shared_buffers": "64MB",
}


@dataclass
class Postgres:
    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path


def find_initdb() -> str | None:
    """initdb beside the server: Debian keeps both out of the PATH, one folder for each version."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if newest:
        return str(newest[-1])
    return find_program("initdb")


@contextmanager
def running_postgres(name: str = "balas") -> Iterator[Postgres]:
    """Start a fresh cluster with one empty database and stop it afterwards."""
    initdb = Path(find_initdb() or require("initdb", "postgresql"))
    base = Path(tempfile.mkdtemp(prefix="bp-", dir="/tmp"))
    process: subprocess.Popen[bytes] | None = None
    try:
        owner = _owner()
        if owner is not None:
            os.chown(base, owner.pw_uid, owner.pw_gid)
        data, log = base / "data", base / "postgres.log"
        _run([initdb, "-D", data, "-U", "balas", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"], owner)
        port = free_port()
        options = [
            word for key, value in (_SETTINGS | {"port": str(port)}).items() for word in ("-c", f"{key}={value}")
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [initdb.with_name("postgres"), "-D", data, *options], stdout=output, stderr=output, **_as_user(owner)
            )
        _wait_until_ready(initdb.with_name("pg_isready"), port, process, log)
        _run([initdb.with_name("createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "balas", name], owner)
        yield Postgres(f"postgres://balas@127.0.0.1:{port}/{name}", port, process, log)
    finally:
        if process is not None:
            process.terminate()  # waits for sessions to end
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.send_signal(2)  # cuts them off
                process.wait(20)
        shutil.rmtree(base, ignore_errors=True)


def _owner() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: its own system user then, else `nobody`. None: as we are."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _as_user(owner: pwd.struct_passwd | None) -> dict[str, object]:
    if owner is None:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": [], "cwd": "/"}


def _run(command: list[object], owner: pwd.struct_passwd | None) -> None:
    subprocess.run(
        [str(part) for part in command], check=True, stdout=subprocess.DEVNULL, timeout=60, **_as_user(owner)
    )


def _wait_until_ready(probe: Path, port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 30) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and process.poll() is None:
        if subprocess.run([probe, "-q", "-h", "127.0.0.1", "-p", str(port)], timeout=10).returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-2000:]}")


def run_beside(command: list[str]) -> int:
    """Runs a command with BALAS_TEST_DATABASE_URL set to a fresh server; the command's exit code."""
    with running_postgres() as server:
        return subprocess.run(
            command, env={**os.environ, "BALAS_TEST_DATABASE_URL": server.url}, check=False
        ).returncode


def main(arguments: list[str]) -> int:
    if arguments[:2] == ["--run", "--"] and arguments[2:]:
        return run_beside(arguments[2:])
    if arguments:
        print("usage: python -m tests.servers.postgres [--run -- COMMAND…]", file=sys.stderr)
        return 2
    with running_postgres() as server:
        stay_until_killed(server.url, server.process)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
