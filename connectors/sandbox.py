"""What a reader of strangers' bytes may use: memory, time, and no way to leave anything behind.

`confine` is called once in a child process made for reading; `timed` around each thing that it reads. The kernel
keeps the limits, so that they hold inside C code and endless loops too: whoever passes one is simply gone.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

if sys.platform != "win32":
    import resource

MEMORY_BYTES = 512 * 1024 * 1024


class Limits(NamedTuple):
    """Seconds of processor time, and seconds on the clock, that one item may take."""

    cpu: float
    clock: float


FULL = Limits(10.0, 30.0)
"""The second figure ends what waits for something that never comes; a busy machine alone does not reach it."""

QUICK = Limits(1.0, 5.0)
"""For the first attempt, made among other mail. Whatever needs longer is read again by itself, under FULL."""

_QUICK_SECONDS_A_MEGABYTE = 0.04

_is_confined = False


def quick_limits(size: int) -> Limits:
    """QUICK, and what a large mail takes in honest work."""
    more = size / 1_000_000 * _QUICK_SECONDS_A_MEGABYTE
    return Limits(min(FULL.cpu, QUICK.cpu + more), min(FULL.clock, QUICK.clock + 3 * more))


def confine() -> None:
    """This process from now on: at most MEMORY_BYTES of address space, no core dumps, no files larger than nothing."""
    global _is_confined
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _soft, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us, by closing our pipe
    _is_confined = True


def is_confined() -> bool:
    """Whether this process is one that may be lost: some formats are opened nowhere else."""
    return _is_confined


@contextmanager
def timed(limits: Limits) -> Iterator[None]:
    """Ends this process (SIGPROF, SIGALRM) when what runs within takes longer."""
    signal.setitimer(signal.ITIMER_PROF, limits.cpu)
    signal.setitimer(signal.ITIMER_REAL, limits.clock)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def why_ended(code: int) -> tuple[str, bool]:
    """What a child's exit code says, and whether it was a limit: then the same again ends the same."""
    if code == -signal.SIGPROF:
        return "reading it took more processor time than a mail may have", True
    if code == -signal.SIGALRM:
        return "reading it did not come to an end", True
    return "the reader stopped while it read this", False
