"""What benchmarks stand on: homes, processes of their own, a mail server full of the corpus."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.corpus import Corpus, write_maildir
from tests.servers.dovecot import Dovecot, running_dovecot

USER = "help@example.org"
CHECKOUT = Path(__file__).resolve().parent.parent


class Failed(Exception):
    """A child process ended badly; holds what it said last."""


@contextmanager
def new_home(prefix: str = "bench-") -> Iterator[Path]:
    """An empty, migrated home."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        run_inside("home", folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(home: Path | None, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """As an installed Balas runs: with its bytecode, kept outside the checkout."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    clean["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "balas-bytecode")
    return {**clean, "BALAS_LOG_LEVEL": "WARNING", **({"BALAS_HOME": str(home)} if home else {}), **(settings or {})}


def run_inside(
    name: str, home: Path | None, *args: object, settings: Mapping[str, str] | None = None, timeout: float = 3600
) -> dict[str, Any]:
    """Runs benchmarks/inside/NAME.py in a process of its own; the JSON object of its last line."""
    command = [sys.executable, "-m", f"benchmarks.inside.{name}", *map(str, args)]
    done = subprocess.run(
        command,
        env=environment(home, settings),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")
    lines = done.stdout.strip().splitlines()
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return found


@contextmanager
def full_mailbox(count: int) -> Iterator[Dovecot]:
    """A Dovecot whose INBOX holds the corpus, its own caches warm."""
    with running_dovecot() as server:
        server.deliver(USER, [])
        write_maildir(server.maildir(USER), Corpus().mails(count), server.owner)
        run_inside("warm", None, server.port, server.password, USER)
        yield server


def grow_mailbox(server: Dovecot, mails: int, user: str = USER) -> None:
    server.deliver(user, [])
    write_maildir(server.maildir(user), Corpus().mails(mails), server.owner)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float]) -> str:
    return f"{min(values):.3g}–{max(values):.3g}" if len(values) > 1 else "one round"


def settings_of(server: Dovecot, user: str = USER, smtp_port: int = 2525) -> str:
    """The account's settings as JSON, for a child process."""
    imap = {"scheme": "imap", "host": "127.0.0.1", "port": server.port, "user": user}
    smtp = {"scheme": "smtp", "host": "127.0.0.1", "port": smtp_port, "user": ""}
    return json.dumps({"imap": imap, "smtp": smtp})
