"""Django's system checks for our settings: what is wrong, what to set instead, and where.

Errors (`balas.E…`) stop a command before it touches anything; warnings (`balas.W…`) are told by `balas check`. The last
ones matter only where strangers can reach the pages: `balas check --deploy`. docs/settings.md lists the ids.
"""

from __future__ import annotations

import ipaddress
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from inbox.sealing import parse_keyring
from search.embedded import has_fts5
from web.env import LOG_LEVELS, Environment
from web.formatting import find_zone
from web.network import parse_proxies

TAG, DEPLOY_TAG = "balas", "balas-deploy"
OLDEST_SQLITE = (3, 37)
SHORTEST_SECRET = 32
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "glusterfs", "ceph"}
_SCHEMES = {
    "public_url": ("http", "https"),
    "content_url": ("http", "https"),
    "elasticsearch_url": ("http", "https"),
    "redis_url": ("redis", "rediss", "unix"),
}


def register_all() -> None:
    for check in (check_home, check_sqlite, check_keyring, check_addresses, check_network, check_words):
        register(check, TAG)
    register(check_deployment, DEPLOY_TAG, deploy=True)


def _wrong(number: int, sentence: str, remedy: str) -> Error:
    return Error(sentence, hint=remedy, id=f"balas.E{number:03}")


def _doubtful(number: int, sentence: str, remedy: str) -> Warning:
    return Warning(sentence, hint=remedy, id=f"balas.W{number:03}")


def _ours() -> Environment:
    ours: Environment = settings.BALAS
    return ours


def _others_may(path: Path) -> bool:
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


# --- The home -------------------------------------------------------------------------------------------------------


def file_system_of(path: Path) -> str:
    """The type of the file system a path lies on, as /proc/mounts names it; "" where that is not known."""
    try:
        lines = Path("/proc/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    mounts = [(Path(parts[1].replace("\\040", " ")), parts[2]) for parts in map(str.split, lines) if len(parts) > 2]
    holding = [(len(point.parts), kind) for point, kind in mounts if path.is_relative_to(point)]
    return max(holding, default=(0, ""))[1]


def check_home(**_: Any) -> Sequence[CheckMessage]:
    home: Path = settings.BALAS_HOME
    if not home.is_dir() or not os.access(home, os.W_OK | os.X_OK):
        return [_wrong(1, f"Nothing can be written into {home}.", "Set BALAS_HOME to a folder of your own.")]
    found: list[CheckMessage] = []
    kind = file_system_of(home)
    if settings.IS_SQLITE and kind in _NETWORK_FILE_SYSTEMS:
        remedy = "Set BALAS_HOME to a folder on a local disk, or BALAS_DATABASE_URL to a PostgreSQL server."
        found.append(_wrong(2, f"{home} lies on {kind}, a network file system, where SQLite loses data.", remedy))
    if _others_may(home):
        found.append(_doubtful(1, f"Others on this machine can look into {home}.", f"Run: chmod 700 {home}"))
    return found


def check_sqlite(**_: Any) -> Sequence[CheckMessage]:
    if not settings.IS_SQLITE:
        return []
    found: list[CheckMessage] = []
    remedy = "Run Balas with a newer Python, or set BALAS_DATABASE_URL to a PostgreSQL server."
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        found.append(_wrong(3, f"This Python has SQLite {sqlite3.sqlite_version}; {oldest} is needed.", remedy))
    if not has_fts5():
        found.append(_wrong(4, "The SQLite of this Python has no full-text search (FTS5).", remedy))
    return found


def check_keyring(**_: Any) -> Sequence[CheckMessage]:
    """Looks at the keyring without making one."""
    path: Path = settings.BALAS_HOME / "keyring"
    text = _ours().keyring
    where = "BALAS_KEYRING" if text else str(path)
    try:
        if not text and not path.exists():
            return []
        parse_keyring(text or path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        return [_wrong(5, f"{path} cannot be read ({error}).", "Give this user the right to read it.")]
    except ValueError as error:
        return [
            _wrong(5, f"{where} holds no keys: {error}", "Put your copy of the keyring back; do not make a new one.")
        ]
    if not text and _others_may(path):
        return [_wrong(6, f"Others on this machine can read {path}.", f"Run: chmod 600 {path}")]
    return []


# --- Addresses ------------------------------------------------------------------------------------------------------


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_addresses(**_: Any) -> Sequence[CheckMessage]:
    ours = _ours()
    found: list[CheckMessage] = []
    for name, schemes in _SCHEMES.items():
        value = getattr(ours, name)
        parts = urlsplit(value)
        if value and (parts.scheme not in schemes or not (parts.hostname or parts.scheme == "unix")):
            begins = " or ".join(f"{scheme}://" for scheme in schemes)
            found.append(
                _wrong(8, f"BALAS_{name.upper()} is no address.", f"It begins with {begins} and names a host.")
            )
    if ours.redis_url and not ours.database_url:
        remedy = "Set BALAS_DATABASE_URL to a PostgreSQL server too, or leave BALAS_REDIS_URL empty."
        found.append(_wrong(9, "BALAS_REDIS_URL is set, but Celery workers cannot share SQLite.", remedy))
    return [*found, *_public(urlsplit(ours.public_url), urlsplit(ours.content_url))]


def _public(public: SplitResult, content: SplitResult) -> Iterator[CheckMessage]:
    if public.scheme == "http" and not _is_loopback(public.hostname or ""):
        remedy = "Put a proxy with TLS in front and set BALAS_PUBLIC_URL to its https:// address."
        yield _doubtful(2, "People reach the pages without https: passwords and mail can be read on the way.", remedy)
    if public.path.strip("/") or public.query:
        yield _wrong(10, "BALAS_PUBLIC_URL has a path: Balas needs a host of its own.", "Leave only scheme and host.")
    if content.hostname and not public.hostname:
        remedy = "Set BALAS_PUBLIC_URL to the address that people type, such as https://inbox.example.org."
        yield _wrong(16, "BALAS_CONTENT_URL is set without BALAS_PUBLIC_URL, whose pages show it in a frame.", remedy)
    if public.hostname and content.hostname == public.hostname:
        remedy = "Set BALAS_CONTENT_URL to another host name that leads to the same Balas."
        yield _wrong(11, "BALAS_CONTENT_URL has the same host as BALAS_PUBLIC_URL, which protects nothing.", remedy)


def check_network(**_: Any) -> Sequence[CheckMessage]:
    ours = _ours()
    found: list[CheckMessage] = []
    try:
        parse_proxies(ours.trusted_proxies)
    except ValueError as error:
        remedy = "Set BALAS_TRUSTED_PROXIES to addresses or networks with commas, such as 10.0.0.5, 10.1.0.0/24."
        found.append(_wrong(12, f"BALAS_TRUSTED_PROXIES names no network: {error}.", remedy))
    for host in filter(None, (part.strip() for part in ours.allowed_hosts.split(","))):
        if host == "*" or any(char in host for char in "/: @"):
            remedy = "Set BALAS_ALLOWED_HOSTS to bare names with commas, such as inbox.example.org."
            found.append(_wrong(13, f"“{host}” in BALAS_ALLOWED_HOSTS is no host name.", remedy))
    return found


# --- Words ----------------------------------------------------------------------------------------------------------


def check_words(**_: Any) -> Sequence[CheckMessage]:
    ours = _ours()
    found: list[CheckMessage] = []
    if ours.secret_key and len(ours.secret_key) < SHORTEST_SECRET:
        remedy = f"Set BALAS_SECRET_KEY to {SHORTEST_SECRET} or more random characters, or leave it empty."
        found.append(_wrong(7, "BALAS_SECRET_KEY is short enough to be guessed.", remedy))
    if ours.zone and find_zone(ours.zone) is None:
        found.append(_wrong(14, f"BALAS_ZONE “{ours.zone}” is no time zone.", "Set one such as Europe/Bucharest."))
    if ours.log_level.upper() not in LOG_LEVELS:
        remedy = f"Set BALAS_LOG_LEVEL to one of {', '.join(LOG_LEVELS)}."
        found.append(_wrong(15, f"BALAS_LOG_LEVEL “{ours.log_level}” is no level.", remedy))
    return found


# --- Where strangers reach the pages --------------------------------------------------------------------------------


def check_deployment(**_: Any) -> Sequence[CheckMessage]:
    ours = _ours()
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(_doubtful(10, "BALAS_DEBUG is on: error pages show what customers wrote.", "Unset BALAS_DEBUG."))
    if not ours.public_url:
        remedy = "Set BALAS_PUBLIC_URL to the address that people type, such as https://inbox.example.org."
        found.append(_doubtful(11, "BALAS_PUBLIC_URL is not set: links and cookies are made for this machine.", remedy))
    if not ours.content_url:
        remedy = "Set BALAS_CONTENT_URL to a second host name that leads to the same Balas."
        sentence = "BALAS_CONTENT_URL IS NOT SET: what strangers send is shown on the host that people sign in to."
        found.append(_doubtful(12, sentence, remedy))
    if ours.public_url.startswith("https:") and not ours.trusted_proxies:
        remedy = "Set BALAS_TRUSTED_PROXIES to the address of the proxy that ends TLS."
        found.append(_doubtful(13, "No proxy is trusted: everybody seems to come from the same address.", remedy))
    return found
