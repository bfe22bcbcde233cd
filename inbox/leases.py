"""Fenced leases. A lease is for efficiency; that nothing happens twice is the business of constraints and epochs.

    lease = find_free("poll:17", owner, seconds=120)   # None: somebody else holds it
    renew(lease) … check(lease) inside the writing transaction … release(lease)

Expiry is judged by the database's clock, so that hosts with skewed clocks agree.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import cast

from django.db import connection, transaction

from inbox.models import Lease
from inbox.sql import is_sqlite, moment
from inbox.transactions import unsynced

_BEGINNING = "1970-01-01T00:00:00+00:00"


class LeaseLost(Exception):
    """The lease passed to somebody else; whatever was being written must not be."""


@dataclass(frozen=True, slots=True)
class Held:
    name: str
    owner: str
    epoch: int
    seconds: int


def owner_name() -> str:
    """Host, process and when that process began: a process id alone comes back, in a restarted container at once."""
    return _owner_name(os.getpid())


@lru_cache(maxsize=4)
def _owner_name(pid: int) -> str:
    return f"{_host()}:{pid}:{_born(pid)}"


def _host() -> str:
    return socket.gethostname()[:32]


def _born(pid: int) -> str:
    """When a process of this host began, in the kernel's ticks; "" when there is none, "0" where it cannot be told."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return "" if fields[0] in {"Z", "X"} else fields[19]
    except FileNotFoundError:
        return "" if Path("/proc/self/stat").exists() else "0"
    except (OSError, IndexError):
        return "0"


def database_now() -> datetime:
    """The database's clock; on SQLite that is this host's."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')")
            return datetime.fromisoformat(cursor.fetchone()[0])
        cursor.execute("SELECT clock_timestamp()")
        return cast("datetime", cursor.fetchone()[0])


def find_free(name: str, owner: str, seconds: int) -> Held | None:
    """Takes the lease when it is free or expired (or already this owner's); None when somebody else holds it."""
    now = datetime.now(UTC) if is_sqlite() else database_now()  # on SQLite that is the same clock
    until = now + timedelta(seconds=seconds)
    with unsynced(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inbox_lease SET owner = %s, epoch = epoch + 1, expires_at = %s"
            " WHERE name = %s AND (owner = '' OR owner = %s OR expires_at <= %s)",
            [owner, moment(until), name, owner, moment(now)],
        )
        if cursor.rowcount:
            cursor.execute("SELECT epoch FROM inbox_lease WHERE name = %s", [name])
            return Held(name, owner, cursor.fetchone()[0], seconds)
    return _find_free_slowly(name, owner, seconds)


def _find_free_slowly(name: str, owner: str, seconds: int) -> Held | None:
    """A lease that nobody has had yet, or whose owner may be dead."""
    with transaction.atomic():
        now = database_now()
        Lease.objects.get_or_create(name=name, defaults={"expires_at": datetime.fromisoformat(_BEGINNING)})
        row = Lease.objects.select_for_update().get(name=name)
        if row.expires_at > now and row.owner not in ("", owner) and not is_dead(row.owner):
            return None
        row.owner, row.epoch, row.expires_at = owner, row.epoch + 1, now + timedelta(seconds=seconds)
        row.save(update_fields=["owner", "epoch", "expires_at"])
        return Held(name, owner, row.epoch, seconds)


def find_epoch(name: str) -> int | None:
    """The epoch under which somebody holds this lease now; None when nobody does."""
    row = Lease.objects.filter(name=name, expires_at__gt=database_now()).first()
    return row.epoch if row and row.owner and not is_dead(row.owner) else None


def is_dead(owner: str) -> bool:
    """Whether an owner was a process of this host that is no more: what it holds need not be waited out."""
    host, pid, began = [*owner.split(":"), "", "", ""][:3]
    if host != _host() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    born = _born(int(pid))
    return not born or (began.isdigit() and began != born and "0" not in {began, born})


def renew(held: Held) -> None:
    """Raises LeaseLost when the epoch has moved on."""
    until = database_now() + timedelta(seconds=held.seconds)
    if not Lease.objects.filter(name=held.name, epoch=held.epoch).update(expires_at=until):
        raise LeaseLost(held.name)


def check(held: Held) -> None:
    """Inside the writing transaction: locks the lease row and raises LeaseLost when the epoch has moved on."""
    row = Lease.objects.select_for_update().filter(name=held.name).values_list("epoch", flat=True).first()
    if row != held.epoch:
        raise LeaseLost(held.name)


def release(held: Held) -> None:
    with unsynced():
        Lease.objects.filter(name=held.name, epoch=held.epoch).update(
            owner="", expires_at=datetime.fromisoformat(_BEGINNING)
        )
