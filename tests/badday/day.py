"""A home, a mailbox that goes wrong, and the words that people read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kills.world import Lane, bare_home

ADDRESS = "help@tasbora.example"


@dataclass
class Day:
    lane: Lane
    home: Path
    desk: Path | None = None
    peak: int = 0  # KiB that the last act had in memory at most

    def act(self, name: str, **arguments: Any) -> Any:
        done = self.lane.ask(self.home, f"tests.badday.acts:{name}", desk=self.desk, **arguments)
        self.peak = done["peak"]
        assert (done["code"], done["signal"]) == (0, 0), f"{done}\n{self.log()}"
        return done["found"]

    def log(self) -> str:
        return ((self.desk or self.home) / "log").read_text(errors="replace")[-4000:]

    def balas(self, *arguments: str, stdin: str = "") -> dict[str, Any]:
        done: dict[str, Any] = self.act("balas", arguments=list(arguments), stdin=stdin)
        return done

    def connect(
        self,
        imap_port: int,
        smtp_port: int,
        *more: str,
        user: str = ADDRESS,
        password: str = "p",
        scheme: str = "imap",
    ) -> dict[str, Any]:
        name = user.replace("@", "%40")
        servers = ["--imap", f"{scheme}://{name}@127.0.0.1:{imap_port}", "--smtp", f"smtp://127.0.0.1:{smtp_port}"]
        known = ["account", "add", "email", "support", "--address", user, *servers, "--password-stdin", *more]
        return self.balas(*known, stdin=password + "\n")

    def poll(self) -> dict[str, Any]:
        done = self.balas("poll", "support", "--until-idle", "--json")
        return {**json.loads(done["out"]), "code": done["code"]}

    def status(self) -> dict[str, Any]:
        [account] = json.loads(self.balas("status", "--json")["out"])["accounts"]
        return dict(account)

    def texts(self) -> list[str]:
        """The first line of every message that an agent can see."""
        return first_lines(self.act("seen"))


def first_lines(rows: list[dict[str, Any]]) -> list[str]:
    return sorted((message["text"].strip().splitlines() or [""])[0] for row in rows for message in row["messages"])


@contextmanager
def new_day(lane: Lane) -> Iterator[Day]:
    with bare_home(lane) as home:
        yield Day(lane, home)
