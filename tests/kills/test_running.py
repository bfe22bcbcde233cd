"""`balas run` as a user starts it: web, jobs, both, or the parent are killed while mail comes in and answers leave."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.kills.letters import make_letters
from tests.kills.matrix import Plan, judge
from tests.kills.world import ROOT, Case, Lane, open_lane
from tests.servers.requirement import free_port

PATIENCE = 60


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    with open_lane(tmp_path_factory.mktemp("running")) as opened:
        yield opened


def start(home: Path, port: int, out: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
    with (home / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "web.cli", "run", "--port", str(port)],
            env={**environment, "BALAS_HOME": str(home), "BALAS_LOG_LEVEL": "WARNING"},
            cwd=ROOT,
            stdout=out,
            stderr=log,
        )


@contextmanager
def running(home: Path, port: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The block may put another parent into the list; the last one is stopped."""
    parents = [start(home, port)]
    try:
        wait_for_page(port)
        yield parents
    finally:
        parents[-1].terminate()
        parents[-1].wait(20)


def wait_for_page(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=5) as answer:
            if answer.status == 200:
                return
        assert time.monotonic() < until, "no page"
        time.sleep(0.05)


def parts(parent: subprocess.Popen[bytes], name: str) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(parent.pid).children():
        with suppress(psutil.Error):
            if name in child.cmdline():
                found.append(child)
    return found


def strike(parents: list[subprocess.Popen[bytes]], target: str, home: Path, port: int) -> None:
    if target == "parent":
        parents[-1].kill()
        parents[-1].wait()
        parents.append(start(home, port))
        return
    for name in ("web", "jobs") if target == "both" else (target,):
        for process in parts(parents[-1], name):
            with suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)


def test_the_address_that_is_printed_can_be_opened(tmp_path: Path) -> None:
    with start(tmp_path, port := free_port(), subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and f":{port}".encode() in process.stdout.readline()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=20) as answer:
                assert answer.status == 200
        finally:
            process.terminate()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("targets", [("jobs",) * 4, ("web", "both", "web"), ("parent", "jobs")], ids=lambda one: one[0])
def test_f24_f36_parts_killed_at_random_while_running_lose_and_double_nothing(
    lane: Lane, targets: tuple[str, ...]
) -> None:
    rnd = random.Random(str(targets))
    letters, port = make_letters(11), free_port()
    with Case(lane, letters[:4], files_itself=True) as case:
        lane.ask(case.home, "tests.kills.scenario:hurry")
        with running(case.home, port) as parents:
            for number, target in enumerate(targets):
                for letter in letters[4 + 4 * number : 8 + 4 * number]:
                    case.provider.deliver(letter.content, received_at=letter.received_at)
                answered = lane.ask(case.home, "tests.kills.scenario:answer", count=2)
                assert answered["code"] == 0, case.log()
                time.sleep(rnd.uniform(0.0, 1.5))
                strike(parents, target, case.home, port)
            for letter in letters[4 + 4 * len(targets) :]:
                case.provider.deliver(letter.content, received_at=letter.received_at)
            wait_for_page(port)
            until = time.monotonic() + PATIENCE
            while not (idle := lane.ask(case.home, "tests.kills.scenario:is_idle", stored=len(letters)))["found"]:
                assert time.monotonic() < until, (idle, case.log())
                time.sleep(0.3)
        assert not [process for process in psutil.process_iter() if str(case.home) in _environment(process)]
        done = case.work(answers=0)
        assert done["code"] == 0, case.log()
        answers = len(done["found"]["envelopes"])
        assert answers >= 2
        plan = Plan("send.committed", 11, files_itself=True, answers=answers)
        assert judge(plan, letters, done["found"], case, imported=0) == [], case.log()


def _environment(process: psutil.Process) -> str:
    try:
        return process.environ().get("BALAS_HOME", "")
    except psutil.Error:
        return ""
