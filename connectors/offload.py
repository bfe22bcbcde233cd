"""Parsing in child processes: on another core, and where a parser that hangs or dies takes nothing else with it.

    parsers = Parsers(2)
    results = parsers.parse(jobs)      # a Parsed, or a sentence that says why there is none
    parsers.close()

A child imports connectors and what prepares words, holds no credentials, is confined (connectors/sandbox.py), and
ends when its pipe does. It notes in shared memory which job it is at, so that of a chunk only the culprit is lost.
"""

from __future__ import annotations

import gc
import mmap
import os
import signal
import struct
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, Literal

from connectors import nursery, plainvalues, sandbox
from connectors.base import Connector
from connectors.messages import Parsed, ParsedMessage, RawItem
from connectors.nursery import Nursling
from connectors.registry import AccountSettings, make_connector
from connectors.sandbox import FULL, Limits, quick_limits

Job = tuple[AccountSettings, RawItem]
What = Literal["parse", "salvage"]
Prepare = Callable[[str, str], Any]
"""What is to be made of a subject and a text while another process is still busy: becomes `ParsedMessage.words`."""


class Exceeded(str):
    """The sentence for what reached a limit: trying again under the same limits is pointless."""

    __slots__ = ()


plainvalues.allow(AccountSettings)
plainvalues.allow(Exceeded)
Result = Parsed | str

CHUNK, CHUNK_BYTES = 64, 1024 * 1024  # sent at once: a child is idle from its answer to the next
_START_SECONDS = 60.0  # for its imports, on a busy machine
_GRACE_SECONDS = 5.0  # after which a child that its own timers did not end is ended from here
_MEMORY = Exceeded("reading it took more memory than a mail may have")
_AT = struct.Struct("i")
_MOST_FALSE_STARTS = 3


def is_possible() -> bool:
    return os.name == "posix"


@dataclass
class _Child:
    process: Nursling
    pipe: Connection
    place: mmap.mmap  # the number within the chunk that is being read
    chunk: list[int] = field(default_factory=list)
    since: float = 0.0
    at: int = -1
    patience: float = 0.0
    is_ready: bool = False


class Parsers:
    """A few child processes. Use from one thread at a time. `limits`: what each item may take; `prepare`: the
    "module:function" of a Prepare, of a module that loads quickly and does nothing but think."""

    def __init__(self, count: int, limits: Limits | None = None, prepare: str = "") -> None:
        self._limits, self._prepare = limits, prepare
        self._false_starts = 0
        self._children = [_start(prepare) for _ in range(count)]

    def parse(self, jobs: Sequence[Job], what: What = "parse") -> list[Result]:
        """One result per job, in order. What a child died or hung on gets a sentence."""
        results: list[Result | None] = [None] * len(jobs)
        chunks = deque(_chunks([item.size for _, item in jobs], len(self._children)))
        while chunks or any(child.chunk for child in self._children):
            for child in self._children:
                if chunks and not child.chunk:
                    self._give(child, chunks.popleft(), jobs, what)
            for child in self._ready():
                self._take(child, results, chunks)
        return [result if result is not None else "was not read" for result in results]

    def close(self) -> None:
        for child in self._children:
            _end(child)
        self._children = []

    def _give(self, child: _Child, chunk: list[int], jobs: Sequence[Job], what: What) -> None:
        limits = [self._limits or quick_limits(jobs[number][1].size) for number in chunk]
        child.chunk = chunk
        child.patience = max(one.clock for one in limits) + _GRACE_SECONDS
        try:
            if not child.is_ready and child.pipe.poll(_START_SECONDS):
                child.is_ready = bool(child.pipe.recv())
            _write_place(child.place, -1)
            child.pipe.send_bytes(_pack(what, limits, [jobs[number] for number in chunk]))
        except (OSError, EOFError):
            pass  # it died: reading from it says so
        child.at, child.since = -1, time.monotonic()

    def _ready(self) -> list[_Child]:
        """Children that have answered or ended, or have been at one item for too long."""
        busy = {child.pipe: child for child in self._children if child.chunk}
        ready = [busy[pipe] for pipe in wait(list(busy), _GRACE_SECONDS) if pipe in busy]
        if ready:
            return ready
        now = time.monotonic()
        for child in busy.values():
            if (at := _read_place(child.place)) != child.at:
                child.at, child.since = at, now
        return [child for child in busy.values() if now - child.since >= child.patience]

    def _take(self, child: _Child, results: list[Result | None], chunks: deque[list[int]]) -> None:
        chunk, child.chunk = child.chunk, []
        is_overdue = not child.pipe.poll()
        try:
            answers = None if is_overdue else plainvalues.unpack(child.pipe.recv_bytes())
        except (EOFError, OSError, ValueError, TypeError, LookupError):
            answers = None
        if answers is not None:
            self._false_starts = 0
            for number, answer in zip(chunk, answers, strict=False):
                results[number] = answer
            if len(answers) < len(chunk) or answers[-1] == _MEMORY:
                self._renew(child, False)  # it stopped after the last one
            if rest := chunk[len(answers) :]:
                chunks.append(rest)
            return
        at = _read_place(child.place)
        why, is_limit = sandbox.why_ended(self._renew(child, is_overdue))
        if at < 0:
            self._false_starts += 1
            if self._false_starts <= _MOST_FALSE_STARTS:
                chunks.append(chunk)
                return
            at, why, is_limit = 0, "the reader could not be started", False
        at = min(at, len(chunk) - 1)
        results[chunk[at]] = Exceeded(why) if is_limit else why
        chunks.extend(part for part in (chunk[:at], chunk[at + 1 :]) if part)

    def _renew(self, child: _Child, is_overdue: bool) -> int:
        """Another process in its place; the exit code of the old one."""
        code = _end(child, 0.0 if is_overdue else 1.0)
        fresh = _start(self._prepare)
        child.process, child.pipe, child.place, child.is_ready = fresh.process, fresh.pipe, fresh.place, False
        return -signal.SIGALRM if is_overdue else code


def read_alone(job: Job, what: What = "parse", limits: Limits = FULL) -> Result:
    """In a child that is started for this and ends with it."""
    parsers = Parsers(1, limits)
    try:
        return parsers.parse([job], what)[0]
    finally:
        parsers.close()


def _write_place(place: mmap.mmap, at: int) -> None:
    place[: _AT.size] = _AT.pack(at)


def _read_place(place: mmap.mmap) -> int:
    return int(_AT.unpack(place[: _AT.size])[0])


def _chunks(sizes: Sequence[int], children: int) -> list[list[int]]:
    """The numbers of all jobs in order, cut so that every child has something to do and none gets much at once."""
    most = min(CHUNK, max(1, -(-len(sizes) // max(children, 1))))
    chunks: list[list[int]] = [[]]
    total = 0
    for number, size in enumerate(sizes):
        if chunks[-1] and (len(chunks[-1]) >= most or total + size > CHUNK_BYTES):
            chunks.append([])
            total = 0
        chunks[-1].append(number)
        total += size
    return [chunk for chunk in chunks if chunk]


def _pack(what: What, limits: Sequence[Limits], jobs: Sequence[Job]) -> bytes:
    """The accounts once, then each item with its limits and the number of its account."""
    accounts: list[AccountSettings] = []
    rows: list[tuple[tuple[float, ...], int, RawItem]] = []
    for limit, (account, item) in zip(limits, jobs, strict=True):
        if not accounts or accounts[-1] is not account:
            accounts.append(account)
        rows.append((tuple(limit), len(accounts) - 1, item))
    return plainvalues.pack([what, accounts, rows])


def _start(prepare: str) -> _Child:
    ours, theirs = Pipe()
    with tempfile.TemporaryFile() as shared:
        shared.truncate(mmap.PAGESIZE)
        place = mmap.mmap(shared.fileno(), mmap.PAGESIZE)
        _write_place(place, -1)
        process = nursery.hatch((theirs.fileno(), shared.fileno()), prepare)
    theirs.close()
    return _Child(process, ours, place)


def _end(child: _Child, patience: float = 0.0) -> int:
    """Its exit code. `patience`: seconds for one that is ending by itself, so that the code is its own."""
    child.pipe.close()
    code = child.process.wait(patience)
    child.place.close()
    return child.process.kill() if code is None else code


# --- In the child ---------------------------------------------------------------------------------------------------


def serve(handle: int, shared: int, prepare: str) -> None:
    """The child: answers chunks of jobs until its pipe ends."""
    os.nice(5)  # pages and the writing parent come first
    place = mmap.mmap(shared, mmap.PAGESIZE)
    preparing = _find_preparing(prepare)
    connectors: dict[str, Connector] = {}
    sandbox.confine()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # reading makes values, hardly ever circles of them
    with Connection(handle) as pipe:
        pipe.send(True)
        while True:
            try:
                what, accounts, jobs = plainvalues.unpack(pipe.recv_bytes())
            except (EOFError, OSError):
                return
            readers = [_reader_of(what, account, connectors) for account in accounts]
            answers: list[Result] = []
            for at, (limits, number, item) in enumerate(jobs):
                _write_place(place, at)
                with sandbox.timed(Limits(*limits)):
                    answers.append(_answer(readers[number], item, preparing))
                if answers[-1] is _MEMORY:
                    break
            del jobs
            pipe.send_bytes(plainvalues.pack(answers))
            if answers[-1] is _MEMORY:
                return  # whatever is left of that is not worth finding out


def _find_preparing(name: str) -> Prepare | None:
    module, _, function = name.partition(":")
    return getattr(import_module(module), function) if module else None


def _reader_of(what: What, account: AccountSettings, connectors: dict[str, Connector]) -> Callable[[RawItem], Result]:
    name = repr(account)
    try:
        if name not in connectors:
            connectors[name] = make_connector(account, {})
    except Exception:
        return _cannot
    return getattr(connectors[name], what, _cannot)


def _cannot(item: RawItem) -> Result:
    return "nothing here reads this kind"


def _answer(read: Callable[[RawItem], Result], item: RawItem, preparing: Prepare | None) -> Result:
    try:
        found = read(item)
        if preparing is None or not isinstance(found, ParsedMessage):
            return found
        # Nobody else holds it yet, and a copy of a frozen value takes as long as reading ten addresses.
        object.__setattr__(found, "words", preparing(found.subject, found.text))
        return found
    except MemoryError:
        return _MEMORY
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
