"""What `balas check` looks at. Each finding says how to mend it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import checks as django_checks
from django.db import connection

from inbox import leases
from inbox.accounts import keyring, unseal_secrets
from inbox.models import Account
from inbox.sealing import KeyMissing
from search.backend import get_backend
from web.checks import DEPLOY_TAG
from web.cli import SetupIncomplete
from web.cli.ready import make_ready
from workers.mailboxes import test_account

_LEAST_FREE = 500 * 1024 * 1024
_MOST_SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    sentence: str
    is_wrong: bool = False

    def facts(self) -> dict[str, Any]:
        return {"name": self.name, "ok": not self.is_wrong, "sentence": self.sentence}


def run_checks(*, is_deploy: bool) -> Iterator[Finding]:
    yield from _settings(is_deploy)
    try:
        make_ready()
    except SetupIncomplete as problem:
        yield Finding("database", str(problem), True)
        return
    for check in (_database, _disk, _fsync, _search, _keyring, _clock):
        yield from _guarded(check)
    for account in Account.objects.filter(removed_at=None).order_by("name"):
        yield _log_in(account)


def _guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as error:
        yield Finding(check.__name__.strip("_"), f"could not be checked ({type(error).__name__}: {error}).", True)


def _settings(is_deploy: bool) -> Iterator[Finding]:
    messages = django_checks.run_checks()
    if is_deploy:
        messages += django_checks.run_checks(tags=[DEPLOY_TAG], include_deployment_checks=True)
    wrong = [message for message in messages if message.level >= django_checks.WARNING]
    for message in wrong:
        yield Finding(f"settings {message.id}", f"{message.msg} {message.hint or ''}".strip(), True)
    if not wrong:
        yield Finding("settings", "as they should be.")


def _database() -> Iterator[Finding]:
    if connection.vendor == "sqlite":
        yield Finding("database", f"SQLite {sqlite3.sqlite_version} in {settings.BALAS_HOME}.")
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(1)")
            answer = cursor.fetchone()[0]
        if answer != "ok":
            yield Finding(
                "database", f"The file is damaged ({answer}). Restore the last backup: balas restore FILE.", True
            )
    else:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            yield Finding("database", f"PostgreSQL {cursor.fetchone()[0]}.")


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(settings.BALAS_HOME).free
    megabytes = f"{free // 1024**2:,} MB free in {settings.BALAS_HOME}"
    yield Finding("disk", megabytes + ("." if free > _LEAST_FREE else ": make room."), free <= _LEAST_FREE)


def _fsync() -> Iterator[Finding]:
    path = settings.BALAS_HOME / ".fsync-probe"
    with path.open("wb") as file:
        started = time.perf_counter()
        for _ in range(5):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        each = (time.perf_counter() - started) / 5
    path.unlink()
    slow = each > 0.05
    yield Finding(
        "fsync", f"{each * 1000:.1f} ms a durable write" + (": this disk will feel slow." if slow else "."), slow
    )


def _search() -> Iterator[Finding]:
    problems = get_backend().check()
    for problem in problems:
        yield Finding("search", problem, True)
    if not problems:
        yield Finding("search", f"{get_backend().name} answers.")


def _keyring() -> Iterator[Finding]:
    ring = keyring()
    for account in Account.objects.filter(removed_at=None):
        try:
            unseal_secrets(account)
        except KeyMissing as error:
            yield Finding("keyring", f"{account.name}: {error}", True)
    yield Finding("keyring", f"{len(ring.keys)} key(s); newest {ring.newest}. Keep a copy apart from your backups.")


def _clock() -> Iterator[Finding]:
    skew = abs(leases.database_now() - datetime.now(UTC))
    wrong = skew > _MOST_SKEW
    yield Finding(
        "clock", f"{skew.total_seconds():.1f} s from the database's" + (": set the clock." if wrong else "."), wrong
    )


def _log_in(account: Account) -> Finding:
    name = f"account {account.name}"
    login = test_account(account)
    return Finding(name, "log-in works." if login.is_ok else login.sentence, not login.is_ok)
