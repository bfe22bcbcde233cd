"""The backup file: a gzipped tar of a database snapshot and the files that its rows name.

    manifest.json · balas.sqlite3 (or database.dump, pg_dump's custom form) · raw/… · files/… · keyring (only if asked)

The snapshot is taken first and files second. Files are durable before the rows that name them and are named by their
hash, so every row of the snapshot finds its file whatever happens meanwhile.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import connection

from inbox import outbox
from inbox.models import Account, Message
from web.cli import CommandFailed, SetupIncomplete
from web.cli.ready import make_ready

FORM = 1
_FOLDERS = ("raw", "files")
_SQLITE, _DUMP = "balas.sqlite3", "database.dump"


def write(target: Path, *, with_keyring: bool) -> dict[str, Any]:
    """Writes the archive beside its name and renames it at the end, so that a half one never looks whole."""
    home: Path = settings.BALAS_HOME
    draft = target.with_name(f".{target.name}.part")
    facts = {
        "form": FORM,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "vendor": connection.vendor,
        "messages": Message.objects.count(),
        "keyring": with_keyring,
    }
    try:
        with _private(draft) as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as tar:
            _add_bytes(tar, "manifest.json", json.dumps(facts).encode())
            with _snapshot(home) as (name, path):
                tar.add(path, arcname=name)
            for folder in _FOLDERS:
                if (home / folder).is_dir():
                    tar.add(home / folder, arcname=folder)
            if with_keyring and (home / "keyring").exists():
                tar.add(home / "keyring", arcname="keyring")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return {**facts, "file": str(target), "bytes": target.stat().st_size}


@contextlib.contextmanager
def _private(path: Path) -> Iterator[Any]:
    """A file that only we can read, durable when the block ends well."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, io.BytesIO(content))


@contextlib.contextmanager
def _snapshot(home: Path) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(dir=home, prefix=".backup-") as folder:
        if connection.vendor == "sqlite":
            path = Path(folder) / _SQLITE
            with (
                contextlib.closing(sqlite3.connect(home / _SQLITE)) as source,
                contextlib.closing(sqlite3.connect(path)) as copy,
            ):
                source.backup(copy, pages=4096, sleep=0.005)
            yield _SQLITE, path
        else:
            path = Path(folder) / _DUMP
            _run(
                [
                    "pg_dump",
                    "--format=custom",
                    "--no-owner",
                    f"--file={path}",
                    f"--dbname={_database_address()}",
                ]
            )
            yield _DUMP, path


def _database_address() -> str:
    """Without its password: everybody on this machine can read a command line."""
    parts = urlsplit(settings.BALAS.database_url)
    user = f"{parts.username}@" if parts.username else ""
    return parts._replace(netloc=user + parts.netloc.rpartition("@")[2]).geturl()


def _run(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        raise SetupIncomplete(f"{command[0]} is not installed (Debian: apt install postgresql-client).")
    password = unquote(urlsplit(settings.BALAS.database_url).password or "")
    secret = {"PGPASSWORD": password} if password else {}
    done = subprocess.run(
        command, env=os.environ | secret, capture_output=True, text=True, timeout=24 * 3600, check=False
    )
    if done.returncode:
        raise CommandFailed(f"{command[0]} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def read(source: Path) -> dict[str, Any]:
    """Restores into a home that holds no account and no message. Sending stays stopped until somebody allows it."""
    home: Path = settings.BALAS_HOME
    _refuse_used_home(home)
    with tempfile.TemporaryDirectory(dir=home, prefix=".restore-") as name:
        folder = Path(name)
        facts = _unpack(source, folder)
        _put_database(folder, home, facts)
        for part in _FOLDERS:
            if (folder / part).is_dir():
                shutil.copytree(folder / part, home / part, dirs_exist_ok=True)
        if (folder / "keyring").exists():
            shutil.copyfile(folder / "keyring", home / "keyring")
            (home / "keyring").chmod(0o600)
    make_ready(migrate=True)
    outbox.stop_sending("restored from a backup", "cli", datetime.now(UTC))
    return facts


def _refuse_used_home(home: Path) -> None:
    make_ready(migrate=True)
    if Message.objects.exists() or Account.objects.exists():
        raise CommandFailed(f"{home} is in use. Restore into an empty home: set BALAS_HOME to a new folder.")


def _unpack(source: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(source, "r:gz") as tar:
            tar.extractall(folder, filter="data")
        facts: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise CommandFailed(f"{source} is not a whole backup of Balas ({type(error).__name__}).") from None
    if facts.get("form") != FORM:
        raise CommandFailed(f"{source} was made by a newer Balas (form {facts.get('form')}).")
    if facts["vendor"] != connection.vendor:
        raise CommandFailed(f"{source} holds a {facts['vendor']} database; this home uses {connection.vendor}.")
    return facts


def _put_database(folder: Path, home: Path, facts: dict[str, Any]) -> None:
    if facts["vendor"] == "sqlite":
        with contextlib.closing(sqlite3.connect(folder / _SQLITE)) as check:
            if check.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
                raise CommandFailed("The database in the backup is damaged; nothing was changed.")
        connection.close()
        for suffix in ("-wal", "-shm", ""):
            (home / f"{_SQLITE}{suffix}").unlink(missing_ok=True)
        (folder / _SQLITE).replace(home / _SQLITE)
    else:
        connection.close()
        _run(
            [
                "pg_restore",
                "--clean",
                "--if-exists",
                "--no-owner",
                "--single-transaction",
                f"--dbname={_database_address()}",
                str(folder / _DUMP),
            ]
        )
