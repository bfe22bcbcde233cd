"""A case: a home copied from a template, a mail provider on loopback that counts, and a process that is killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any, Self

from connectors.simulators.mailserver import MailServers
from connectors.simulators.smtp_server import SentMail
from tests.kills.letters import OURS, Letter
from tests.servers.requirement import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "rahasia-kills"


class Provider(MailServers):
    """`files_itself`: puts what it accepts into Sent, as Gmail does."""

    files_itself = False

    def on_accepted(self, mail: SentMail, kept: Path) -> None:
        if self.files_itself:
            self.deliver(mail.content, "Sent", flags=("\\Seen",))

    def times_sent(self) -> Counter[str]:
        return Counter(str(message_from_bytes(mail.content)["Message-ID"]).strip("<> \r\n") for mail in self.sent)


@dataclass
class Lane:
    """One warmed process with the ports its homes know; runs one case at a time."""

    folder: Path
    process: subprocess.Popen[str]
    imap_port: int
    smtp_port: int
    templates: dict[bool, Path] = field(default_factory=dict)
    baselines: dict[tuple[Any, ...], list[str]] = field(default_factory=dict)
    cases: int = 0

    def ask(self, home: Path, act: str, kill: str = "", desk: Path | None = None, **arguments: Any) -> dict[str, Any]:
        """`desk` is where the act leaves its log and its answer: the home, unless that may have no room."""
        assert self.process.stdin and self.process.stdout
        task = {"home": str(home), "desk": str(desk or home), "act": act, "kill": kill, "with": arguments}
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the warmed process ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def template(self, file_sent: bool) -> Path:
        if file_sent not in self.templates:
            home = self.folder / f"template-{file_sent}"
            home.mkdir()
            wanted = {"imap_port": self.imap_port, "smtp_port": self.smtp_port, "password": PASSWORD}
            done = self.ask(home, "tests.kills.scenario:prepare", **wanted, file_sent=file_sent)
            assert done["code"] == 0, (home / "log").read_text()
            self.templates[file_sent] = home
        return self.templates[file_sent]

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@contextmanager
def open_lane(folder: Path) -> Iterator[Lane]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
    environment |= {"BALAS_HOME": str(folder / "nowhere"), "BALAS_LOG_LEVEL": "WARNING"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kills.warm"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environment,
        text=True,
    )
    lane = Lane(folder, process, free_port(), free_port())
    try:
        yield lane
    finally:
        lane.close()


@contextmanager
def fresh_home(lane: Lane) -> Iterator[Path]:
    """A home of its own for acts that bring their own servers."""
    lane.cases += 1
    home = lane.folder / f"home-{lane.cases}"
    shutil.copytree(lane.template(False), home)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def bare_home(lane: Lane) -> Iterator[Path]:
    """A migrated home with one person and no account."""
    template = lane.folder / "bare"
    if not template.exists():
        template.mkdir()
        done = lane.ask(template, "tests.badday.acts:found_home")
        assert done["code"] == 0, (template / "log").read_text()
    lane.cases += 1
    home = lane.folder / f"home-{lane.cases}"
    shutil.copytree(template, home)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


class Case:
    """`with Case(lane, letters) as case:` — the provider holds the letters, nothing has been read yet."""

    def __init__(self, lane: Lane, letters: list[Letter], *, files_itself: bool = False) -> None:
        lane.cases += 1
        self.lane, self.letters = lane, letters
        self.folder = lane.folder / f"case-{lane.cases}"
        self.home = self.folder / "home"
        shutil.copytree(lane.template(not files_itself), self.home)
        provider = self.folder / "provider"
        provider.mkdir()
        (provider / "password").write_text(PASSWORD + "\n")
        self.provider = Provider(provider, OURS, imap_port=lane.imap_port, smtp_port=lane.smtp_port)
        self.provider.files_itself = files_itself

    def __enter__(self) -> Self:
        self.provider.start()
        for letter in self.letters:
            self.provider.deliver(letter.content, received_at=letter.received_at)
        return self

    def __exit__(self, *_: object) -> None:
        self.provider.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def work(self, kill: str = "", **arguments: Any) -> dict[str, Any]:
        return self.lane.ask(self.home, "tests.kills.scenario:work", kill, **arguments)

    def log(self) -> str:
        path = self.home / "log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""
