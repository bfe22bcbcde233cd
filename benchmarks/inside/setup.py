"""Django for a process whose BALAS_HOME is set, and what such processes do often."""

from __future__ import annotations

import json
import os
import resource
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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
        return {"seconds": time.perf_counter() - self.started, "cpu": cpu_seconds() - self.cpu}


def answer(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)
