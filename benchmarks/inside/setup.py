"""Django for a process whose BALAS_HOME is set, and what such processes do often."""

from __future__ import annotations

import json
import os
import resource
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
django.setup()

from inbox import accounts  # noqa: E402  needs the settings
from inbox.models import Account  # noqa: E402

USER = "help@example.org"


def connect(settings: str, password: str, name: str = "support", address: str = USER) -> Account:
    """An account whose whole mailbox is work, not history."""
    now = datetime.now(UTC)
    return accounts.connect(
        kind="email",
        name=name,
        address=address,
        settings_=json.loads(settings),
        secrets={"password": password},
        cut_at=now - timedelta(days=400),
        now=now,
        undo_seconds=0,
    )


def cpu_seconds() -> float:
    """Of this process and of its children that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


@dataclass
class Watch:
    """Wall and CPU time from here on."""

    started: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=cpu_seconds)

    def read(self) -> dict[str, float]:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "seconds": time.perf_counter() - self.started,
            "cpu": cpu_seconds() - self.cpu,
            "children_cpu": children.ru_utime + children.ru_stime,
        }


@dataclass
class Peak:
    """The most memory that this process held: RSS by the kernel's own mark, its own pages by looking often."""

    own_mb: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("RssAnon:"):
                    self.own_mb = max(self.own_mb, int(line.split()[1]) / 1024)

    def read(self) -> dict[str, float]:
        self._stop.set()
        self._thread.join()
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "own_mb": self.own_mb,
            "peak_mb": own.ru_maxrss / 1024,
            "children_peak_mb": children.ru_maxrss / 1024,
        }


def answer(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)
