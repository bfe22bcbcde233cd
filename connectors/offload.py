"""Parsing in child processes: on another core, and where a parser that hangs or dies takes nothing else with it.

    parsers = Parsers(2)
    results = parsers.parse(jobs)      # a Parsed, or a sentence that says why there is none
    parsers.close()

A child imports only connectors, holds no credentials, and ends when its pipe does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait

from connectors.base import Connector
from connectors.messages import Parsed, RawItem
from connectors.registry import AccountSettings, make_connector

Job = tuple[AccountSettings, RawItem]
Result = Parsed | str

CHUNK = 16  # jobs sent at once
MAX_SECONDS = 30.0  # a child that answers nothing for so long is ended
_START_SECONDS = 60.0  # for its imports, on a busy machine
_MAIN = "from connectors.offload import serve; serve(int(__import__('sys').argv[1]))"


def is_possible() -> bool:
    return os.name == "posix"


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    pipe: Connection
    chunk: list[int] = field(default_factory=list)
    since: float = 0.0
    is_ready: bool = False


class Parsers:
    """A few child processes. Use from one thread at a time."""

    def __init__(self, count: int, max_seconds: float = MAX_SECONDS) -> None:
        self._max_seconds = max_seconds
        self._children = [_start() for _ in range(count)]

    def parse(self, jobs: Sequence[Job]) -> list[Result]:
        """One result per job, in order. What a child died or hung on alone gets a sentence."""
        results: list[Result | None] = [None] * len(jobs)
        chunks = deque(list(range(at, min(at + CHUNK, len(jobs)))) for at in range(0, len(jobs), CHUNK))
        while chunks or any(child.chunk for child in self._children):
            for child in self._children:
                if chunks and not child.chunk:
                    self._give(child, chunks.popleft(), jobs)
            for child in self._ready():
                self._take(child, results, chunks)
        return [result if result is not None else "was not read" for result in results]

    def close(self) -> None:
        for child in self._children:
            _end(child)
        self._children = []

    def _give(self, child: _Child, chunk: list[int], jobs: Sequence[Job]) -> None:
        child.chunk = chunk
        try:
            if not child.is_ready and child.pipe.poll(_START_SECONDS):
                child.is_ready = bool(child.pipe.recv())
            child.pipe.send([jobs[number] for number in chunk])
        except (OSError, EOFError):
            pass  # it died: reading from it says so
        child.since = time.monotonic()

    def _ready(self) -> list[_Child]:
        busy = {child.pipe: child for child in self._children if child.chunk}
        deadline = min(child.since for child in busy.values()) + self._max_seconds
        ready = [busy[pipe] for pipe in wait(list(busy), max(0.0, deadline - time.monotonic())) if pipe in busy]
        return ready or [child for child in busy.values() if time.monotonic() - child.since >= self._max_seconds]

    def _take(self, child: _Child, results: list[Result | None], chunks: deque[list[int]]) -> None:
        chunk, child.chunk = child.chunk, []
        try:
            answers = child.pipe.recv() if child.pipe.poll() else None
        except (EOFError, OSError):
            answers = None
        if isinstance(answers, list):
            for number, answer in zip(chunk, answers, strict=True):
                results[number] = answer
            return
        _end(child)
        fresh = _start()
        child.process, child.pipe, child.is_ready = fresh.process, fresh.pipe, False
        if len(chunk) > 1:
            chunks.extend([number] for number in chunk)
        else:
            results[chunk[0]] = "the reader stopped while it read this"


def _start() -> _Child:
    ours, theirs = Pipe()
    command = [sys.executable, "-c", _MAIN, str(theirs.fileno())]
    # Neither the keyring nor the address of the database is a parser's business.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environ)
    theirs.close()
    return _Child(process, ours)


def _end(child: _Child) -> None:
    child.pipe.close()
    child.process.kill()
    child.process.wait()


def serve(handle: int) -> None:
    """The child: answers chunks of jobs until its pipe ends."""
    os.nice(5)  # pages and the writing parent come first
    connectors: dict[str, Connector] = {}
    with Connection(handle) as pipe:
        pipe.send(True)
        while True:
            try:
                jobs: list[Job] = pipe.recv()
            except (EOFError, OSError):
                return
            pipe.send([_parse(account, item, connectors) for account, item in jobs])


def _parse(account: AccountSettings, item: RawItem, connectors: dict[str, Connector]) -> Result:
    name = repr(account)
    if name not in connectors:
        connectors.clear()
        connectors[name] = make_connector(account, {})
    try:
        return connectors[name].parse(item)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
