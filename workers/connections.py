"""Open connectors, kept between jobs: an idle poll is one round trip only while the connection stays.

A connector serves one thread at a time. One that raised is closed, never reused; so is one whose account's settings or
credentials have changed since, or that has been idle for too long.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.base import Connector
from inbox import accounts
from inbox.logins import lasting_secrets
from inbox.models import Account

IDLE_SECONDS = 600
_MOST_IDLE = 64


@dataclass(slots=True)
class _Idle:
    connector: Connector
    fingerprint: str
    since: float


_lock = threading.Lock()
_idle: dict[tuple[int, str], list[_Idle]] = {}
_inherited: list[object] = []


def _start_anew() -> None:
    """In a forked child: the parent's connections are the parent's. Kept unused, since closing would log it out."""
    global _lock, _idle
    _inherited.append(_idle)
    _lock, _idle = threading.Lock(), {}


os.register_at_fork(after_in_child=_start_anew)


def _fingerprint(account: Account) -> str:
    text = json.dumps([account.kind, account.address, account.settings], sort_keys=True)
    # Access tokens come and go by themselves; a session that began with an older one goes on.
    secrets = json.dumps(lasting_secrets(account), sort_keys=True)
    return hashlib.sha256(f"{text}{secrets}".encode()).hexdigest()


@contextlib.contextmanager
def borrowed(account: Account, purpose: str) -> Iterator[Connector]:
    """A connector of this account for one job. Raises what opening raises (KeyMissing, ConnectorError)."""
    key, fingerprint = (account.id, purpose), _fingerprint(account)
    connector = _find(key, fingerprint) or accounts.open_connector(account)
    try:
        yield connector
    except BaseException:
        _close(connector)
        raise
    with _lock:
        _idle.setdefault(key, []).append(_Idle(connector, fingerprint, time.monotonic()))
        surplus = _take_stale()
    for old in surplus:
        _close(old)


def _find(key: tuple[int, str], fingerprint: str) -> Connector | None:
    stale = []
    found = None
    with _lock:
        while _idle.get(key):
            idle = _idle[key].pop()
            if idle.fingerprint == fingerprint and time.monotonic() - idle.since < IDLE_SECONDS:
                found = idle.connector
                break
            stale.append(idle.connector)
    for connector in stale:
        _close(connector)
    return found


def _take_stale() -> list[Connector]:
    now = time.monotonic()
    taken = []
    everything = [(idle.since, key, idle) for key, idles in _idle.items() for idle in idles]
    everything.sort(key=lambda entry: entry[0])
    surplus = max(0, len(everything) - _MOST_IDLE)
    for number, (since, key, idle) in enumerate(everything):
        if number < surplus or now - since > IDLE_SECONDS:
            _idle[key].remove(idle)
            taken.append(idle.connector)
    return taken


def close_all() -> None:
    with _lock:
        everything = [idle.connector for idles in _idle.values() for idle in idles]
        _idle.clear()
    for connector in everything:
        _close(connector)


def _close(connector: Connector) -> None:
    with contextlib.suppress(Exception):
        connector.close()
