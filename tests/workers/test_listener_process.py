"""`balas jobs` as it is started, with its listener beside it, and what is left when that is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.servers.scripted_imap import running_scripted_imap

ROOT = Path(__file__).resolve().parents[2]
CONNECT = """
import sys
from datetime import UTC, datetime
from web.cli import set_up
set_up()
from inbox import accounts
from web.cli.ready import make_ready
make_ready()
wire = {"host": "127.0.0.1", "port": int(sys.argv[1]), "user": "u"}
accounts.connect(
    kind="email", name="support", address="support@balas.example", secrets={"password": "p"},
    settings_={"imap": {"scheme": "imap", **wire}, "smtp": {"scheme": "smtp", **wire}, "folders": ["INBOX"]},
    cut_at=datetime.now(UTC), now=datetime.now(UTC),
)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[dict[str, str]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
    yield {**clean, "BALAS_HOME": str(tmp_path), "BALAS_LOG_LEVEL": "ERROR"}


def until(what: Callable[[], object], seconds: float = 60) -> None:
    ends_at = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends_at, "it did not come"
        time.sleep(0.05)


def listeners(jobs: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [one for one in psutil.Process(jobs.pid).children() if "listen" in one.cmdline()]


@pytest.mark.timeout(180)
def test_f20_a_killed_listener_leaves_polls_each_minute_and_is_started_again(home: dict[str, str]) -> None:
    with running_scripted_imap() as imap:
        subprocess.run([sys.executable, "-c", CONNECT, str(imap.port)], env=home, cwd=ROOT, check=True, timeout=60)
        jobs = subprocess.Popen([sys.executable, "-m", "web.cli", "jobs"], env=home, cwd=ROOT)
        try:
            with closing(sqlite3.connect(Path(home["BALAS_HOME"]) / "balas.sqlite3", isolation_level=None)) as rows:

                def doorbell() -> tuple[str, int]:
                    return tuple(rows.execute("SELECT state, epoch FROM inbox_doorbell").fetchone() or ("", 0))

                def far_off() -> bool:
                    later = "strftime('%Y-%m-%d %H:%M:%S', 'now', '+70 seconds')"
                    sql = f"SELECT count(*) FROM inbox_account WHERE next_poll_at > {later}"
                    return bool(rows.execute(sql).fetchone()[0])

                until(lambda: doorbell() == ("live", 1))
                rows.execute("UPDATE inbox_account SET next_poll_at = strftime('%Y-%m-%d %H:%M:%S', 'now')")
                until(far_off)
                (listener,) = listeners(jobs)
                listener.send_signal(signal.SIGKILL)
                until(lambda: not far_off())
                until(lambda: doorbell()[0] == "live" and doorbell()[1] > 1)
        finally:
            jobs.terminate()
            assert jobs.wait(30) == 0
        assert not [one for one in psutil.process_iter() if home["BALAS_HOME"] in _home_of(one)], "all have ended"


def _home_of(process: psutil.Process) -> str:
    try:
        return str(process.environ().get("BALAS_HOME", ""))
    except psutil.Error:
        return ""
