"""The demo organisation: its simulated mail provider and customers, connected through the same door as any mailbox."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from inbox import accounts, people
from inbox.demo_templates import seed_demo_templates
from inbox.models import Account, Organisation, Team, User
from inbox.rules.states import Role
from web.cli import CommandFailed
from web.cli.children import Child
from web.cli.ready import local_zone

_READY_SECONDS = 20
_PEOPLE = (
    ("mihai@tasbora.example", "Mihai Toma", "agent"),
    ("dewi@tasbora.example", "Dewi Lestari", "manager"),
    ("sari@tasbora.example", "Sari Anggraini", "owner"),
)


def start_world(pace: Sequence[str]) -> Child:
    """Starts the simulators; they need nothing of the home but a folder, so it may still be in the making."""
    folder = settings.BALAS_HOME / "provider"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    arguments = [
        sys.executable,
        "-m",
        "connectors.simulators.demo",
        str(folder),
        "--with-parent",
        "--zone",
        local_zone(),
        *pace,
    ]
    child = Child("customers", arguments, stdout=subprocess.PIPE)
    child.start()
    return child


def join_world(child: Child) -> None:
    """Waits for the simulators' ports, and connects the mailbox when the home is new. Raises CommandFailed."""
    _furnish(_first_line(child.process))


def _first_line(process: subprocess.Popen[bytes] | None) -> dict[str, Any]:
    """What the provider says of itself when it is ready."""
    line = b""
    if (
        process is not None
        and process.stdout is not None
        and select.select([process.stdout], [], [], _READY_SECONDS)[0]
    ):
        line = process.stdout.readline()
    if not line:
        raise CommandFailed("The demo's mail provider did not start.")
    facts: dict[str, Any] = json.loads(line)
    return facts


def _furnish(facts: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    Organisation.objects.filter(id=1).update(name="Tasbora", is_demo=True)
    for email, name, role in _PEOPLE:
        if not User.objects.filter(email=email).exists():
            people.create_user(email, Role(role), now, name=name)
    address = facts["address"]
    imap = {"scheme": "imap", "host": "127.0.0.1", "port": facts["imap"], "user": address}
    smtp = {"scheme": "smtp", "host": "127.0.0.1", "port": facts["smtp"], "user": address}
    mailbox = Account.objects.filter(name="Tasbora", removed_at=None).first()
    if mailbox:
        mailbox.settings.update(imap=imap, smtp=smtp)
        mailbox.save(update_fields=["settings"])
        return
    team, _ = Team.objects.get_or_create(name="Bandung")
    accounts.connect(
        kind="email",
        name="Tasbora",
        address=address,
        display_name="Tasbora",
        settings_={
            "imap": imap,
            "smtp": smtp,
            "folders": ["INBOX"],
            "file_sent": True,
            "aliases": [other for other in facts["addresses"] if other != address],
            "poll_seconds": 3,
            "authserv_id": f"mail.{address.rpartition('@')[2]}",
        },
        secrets={"password": facts["password"]},
        cut_at=now - timedelta(days=accounts.HISTORY_DAYS),
        now=now,
        team_id=team.id,
    )
    seed_demo_templates(now)
