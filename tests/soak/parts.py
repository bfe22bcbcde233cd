"""The parts of a soak. Each names its cells, and runs one: "" when all is well."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from connectors.killpoints import ALL
from tests.kills.matrix import drawn, run_case
from tests.kills.world import ROOT, Lane, fresh_home, open_lane
from tests.sends.table import CELLS, judge
from tests.servers.faulty_smtp import Fault, Phase

KILL_SEEDS = 10
SEND_RUNS = 20
HISTORY_RUNS = 40  # of 250 histories
MALFORMED = 100_000
MALFORMED_AT_ONCE = 5_000
_FUZZ_FOLDERS = ("tests/rules", "tests/connectors", "tests/search", "tests/inbox")


class Part(Protocol):
    name: ClassVar[str]

    def cells(self) -> list[str]: ...

    def run(self, cell: str) -> str: ...


@dataclass
class Kills:
    lane: Lane
    files: Path
    name: ClassVar[str] = "kills"

    def cells(self) -> list[str]:
        return [f"{point} {seed}" for seed in range(1, KILL_SEEDS + 1) for point in ALL]

    def run(self, cell: str) -> str:
        point, seed = cell.split()
        return run_case(self.lane, drawn(point, int(seed)), self.files)


@dataclass
class Sends:
    lane: Lane
    name: ClassVar[str] = "smtp"

    def cells(self) -> list[str]:
        return [f"{phase} {fault} {run}" for run in range(1, SEND_RUNS + 1) for phase, fault in CELLS]

    def run(self, cell: str) -> str:
        phase, fault, run = cell.split()
        with fresh_home(self.lane) as home:
            wanted = {"phase": phase, "fault": fault, "seed": int(run)}
            done = self.lane.ask(home, "tests.sends.cells:run_cell", **wanted)
            if done["signal"] or done["code"]:
                return f"{done} {(home / 'log').read_text()[-2000:]}"
        return "\n".join(judge(Phase(phase), Fault(fault), done["found"]))


@dataclass
class Fuzz:
    """Hypothesis with its long profile, one test file at a time."""

    name: ClassVar[str] = "fuzz"

    def cells(self) -> list[str]:
        files = [path for folder in _FUZZ_FOLDERS for path in sorted((ROOT / folder).glob("test_*.py"))]
        return [str(path.relative_to(ROOT)) for path in files if "@given" in path.read_text()]

    def run(self, cell: str) -> str:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--timeout=3000", cell]
        environment = {**os.environ, "BALAS_SOAK": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stdout[-3000:]


@dataclass
class Malformed:
    """Malformed mail by number, read in confined children as it would be, and again here with a clock beside it."""

    name: ClassVar[str] = "mails"

    def cells(self) -> list[str]:
        return [str(first) for first in range(0, MALFORMED, MALFORMED_AT_ONCE)]

    def run(self, cell: str) -> str:
        command = [sys.executable, "-m", "tests.connectors.malformed", cell, str(MALFORMED_AT_ONCE)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        print(done.stdout.partition("\n")[0], flush=True)
        return "" if done.returncode == 0 else (done.stdout + done.stderr)[-3000:]


@dataclass
class Histories:
    """Histories of the model IMAP server, a run of 250 a cell: `python -m tests.histories SEED` draws one again."""

    name: ClassVar[str] = "imap"

    def cells(self) -> list[str]:
        return [str(seed) for seed in range(1, HISTORY_RUNS + 1)]

    def run(self, cell: str) -> str:
        command = [sys.executable, "-m", "tests.histories", cell]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        print(done.stdout.strip(), flush=True)
        return "" if done.returncode == 0 else (done.stdout + done.stderr)[-3000:]


@contextmanager
def open_parts(folder: Path) -> Iterator[list[Part]]:
    files = folder / "import"
    files.mkdir()
    for number in range(5):
        head = f"From: old@example.org\r\nMessage-ID: <imp-{number}@example.org>\r\nSubject: Imported {number}\r\n"
        (files / f"{number}.eml").write_text(f"{head}Date: Tue, 3 Nov 2026 10:00:00 +0000\r\n\r\nImported {number}\r\n")
    with open_lane(folder) as lane:
        yield [Kills(lane, files), Sends(lane), Malformed(), Histories(), Fuzz()]
