"""The home, made ready: migrated, with its one organisation and default promises."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.utils import OperationalError

from inbox import sla
from inbox.models import Organisation
from web.cli import SetupIncomplete
from web.schema import lay

_MIGRATION_LOCK = 0x6D696772  # "migr"


def _pending() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Several commands may find an old home at once: one migrates, the others wait and then find nothing to do."""
    with (settings.BALAS_HOME / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection.vendor == "postgresql":  # workers on other hosts share no folder
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            yield
        finally:
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


def local_zone() -> str:
    """The organisation's zone when nobody has said: this machine's, as far as it can be told."""
    if settings.BALAS.zone:
        return str(settings.BALAS.zone)
    zone = datetime.now().astimezone().tzinfo
    try:
        with open("/etc/timezone") as file:  # noqa: PTH123  a file of one line, where there is one
            return ZoneInfo(file.read().strip()).key
    except (OSError, ValueError, KeyError):
        return zone.key if isinstance(zone, ZoneInfo) else "UTC"


def make_ready(*, migrate: bool | None = None, is_demo: bool = False) -> None:
    """Migrates an embedded home by itself; a server's database only when asked (`balas migrate`, `balas run`).

    Raises SetupIncomplete when the database cannot be reached or is not migrated.
    """
    try:
        if _pending():
            if not (settings.IS_SQLITE if migrate is None else migrate):
                raise SetupIncomplete("The database is not up to date. Run: balas migrate")
            with _one_at_a_time():
                if not lay(MigrationLoader(connection)):
                    call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        what = str(error).strip().splitlines()[0]
        raise SetupIncomplete(
            f"The database cannot be used: {what}. Look at BALAS_DATABASE_URL and BALAS_HOME."
        ) from None
    Organisation.objects.get_or_create(id=1, defaults={"zone": local_zone(), "is_demo": is_demo})
    sla.ensure_defaults(datetime.now(UTC))
