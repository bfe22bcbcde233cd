"""Everything that the environment may set, in one frozen value. docs/settings.md documents each name.

An unknown `BALAS_*` name is an error that offers the nearest known one: a typing mistake in a setting must not
quietly mean the default.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class BadSetting(Exception):
    """The set-up is incomplete or wrong: says which setting, why, and what would be right. Exit code 3."""


@dataclass(frozen=True, slots=True)
class Environment:
    home: Path  # data folder
    database_url: str = ""  # "" = SQLite in the home; postgres://USER:PASSWORD@HOST:PORT/NAME
    redis_url: str = ""  # "" = no Celery, no Redis
    elasticsearch_url: str = ""  # "" = the database's own full-text search
    public_url: str = ""  # how people reach the pages, such as https://inbox.example.org
    content_url: str = ""  # a separate host for what strangers sent
    keyring: str = ""  # keys themselves instead of the keyring file
    secret_key: str = ""  # signs sessions and links; "" = made on first run, kept in the home
    google_client_id: str = ""  # OAuth 2: signing in to Gmail
    google_client_secret: str = ""
    google_issuer: str = ""  # "" = Google's own endpoints; else where an issuer publishes other ones
    microsoft_client_id: str = ""  # OAuth 2: signing in to Microsoft 365 and Outlook.com
    microsoft_client_secret: str = ""
    microsoft_tenant: str = ""  # "" = common
    microsoft_issuer: str = ""
    oauth_issuer: str = ""  # an issuer of one's own, for every other provider
    oauth_client_id: str = ""
    oauth_client_secret: str = ""
    oauth_scope: str = ""  # "" = openid email offline_access
    allowed_hosts: str = ""  # comma separated, beside the public URL's host
    trusted_proxies: str = ""  # comma separated addresses whose X-Forwarded-* headers count
    http_proxy: str = ""  # social platforms are reached through it: http://[USER:PASSWORD@]HOST:PORT
    ca_file: str = ""  # certificate authorities (PEM) for social platforms; "" = the system's
    log_level: str = "INFO"
    zone: str = ""  # the organisation's zone when a home is made, such as Europe/Bucharest
    debug: str = ""
    kill_point: str = ""  # tests only: NAME or NAME:COUNT where the process kills itself

    def __repr__(self) -> str:
        return f"Environment(home={self.home})"


# Names that tests and tools use and the product does not read as settings.
_FOREIGN = {"BALAS_CI", "BALAS_TEST_DATABASE_URL", "BALAS_TEST_SERVERS", "BALAS_SOAK", "BALAS_CORPORA"}


# Secrets for `balas account add`, named after the fields of the kind, which that command knows (web/cli/introduced.py).
_OF_AN_ACCOUNT = "BALAS_ACCOUNT_"


def default_home() -> Path:
    """`var/` in a checkout, else the platform's user data folder."""
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").exists():
        return checkout / "var"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/balas"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "balas"
    return Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local/share"))) / "balas"


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Raises BadSetting for names and values that cannot be meant."""
    known = {f"BALAS_{field.name.upper()}": field.name for field in fields(Environment)}
    values: dict[str, str] = {}
    for name, value in environ.items():
        if not name.startswith("BALAS_") or name in _FOREIGN or name.startswith(_OF_AN_ACCOUNT):
            continue
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" Known names: {', '.join(sorted(known))}."
            raise BadSetting(f"{name} is not a setting of Balas.{hint}")
        values[known[name]] = value.strip()
    home = Path(values.pop("home", "") or default_home()).expanduser().resolve()
    environment = Environment(home=home, **values)
    addresses = "public_url", "content_url", "elasticsearch_url", "redis_url", "database_url", "http_proxy"
    for name in (*addresses, "google_issuer", "microsoft_issuer", "oauth_issuer"):
        value = getattr(environment, name)
        if value and not _scheme_of(value):
            raise BadSetting(f"BALAS_{name.upper()} must be a whole address with its scheme; it is “{value}”.")
    return environment


def _scheme_of(address: str) -> str:
    """ "" for what is no address, such as one with a port that is no number."""
    try:
        parts = urlsplit(address)
        return parts.scheme if parts.port is None or parts.port else ""
    except ValueError:
        return ""


def database_settings(environment: Environment) -> dict[str, object]:
    """Django's DATABASES["default"]. SQLite: WAL, IMMEDIATE, FULL; PostgreSQL: pooled for the page threads."""
    if not environment.database_url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": environment.home / "balas.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
                    "PRAGMA mmap_size=33554432;PRAGMA cache_size=-16384;PRAGMA temp_store=MEMORY"
                ),
            },
        }
    parts = urlsplit(environment.database_url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise BadSetting("BALAS_DATABASE_URL must begin with postgres://; leave it empty for SQLite in the home.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 10},
    }
