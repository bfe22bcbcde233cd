"""The demo organisation: its simulated mail provider and customers, connected through the same door as any mailbox."""

from __future__ import annotations

import json
import logging
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from connectors.registry import card_of, kinds
from connectors.simulators.control import Connection
from inbox import accounts, people
from inbox.demo_templates import seed_demo_templates
from inbox.models import Account, Organisation, Team, User
from inbox.rules.states import Role
from web.cli import CommandFailed
from web.cli.children import Child
from web.cli.ready import local_zone
from web.rehearsal import write_control

_READY_SECONDS = 20
_TEAM = "Bandung"
NETWORK_POLL_SECONDS = 5
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


def join_world(child: Child) -> dict[str, Any]:
    """Waits for the simulators' ports, and connects the mailbox when the home is new. Raises CommandFailed.

    Returns what the simulators said of themselves, for `join_networks`.
    """
    facts = _first_line(child.process)
    _furnish(facts)
    return facts


def join_networks(facts: Mapping[str, Any]) -> None:
    """Connects the simulated social networks, once the pages are there: what it loads must not keep them waiting."""
    for found in facts.get("social", ()):
        if found["kind"] not in kinds():
            continue
        try:
            _connect_network(Connection(**found), datetime.now(UTC))
        except Exception:  # a network that cannot be connected must not take the demo away
            logging.getLogger(__name__).exception("The simulated network “%s” could not be connected", found["kind"])


def _connect_network(found: Connection, now: datetime) -> None:
    """A new account, or the one of before with tokens that are surely good: the last ones may have got lost."""
    settings_ = {**found.settings, "poll_seconds": NETWORK_POLL_SECONDS, "demo": found.external_id}
    known = Account.objects.filter(kind=found.kind, settings__has_key="demo", removed_at=None).first()
    if known and known.settings["demo"] == found.external_id:
        changed = {**known.settings, **settings_}
        name, undo = known.display_name, known.undo_seconds
        accounts.change(known.id, now, settings_=changed, display_name=name, undo_seconds=undo, secrets=found.secrets)
        return
    if known:  # the network has started anew and knows nobody from before
        accounts.remove(known.id, now)
    accounts.connect(
        kind=found.kind,
        name=f"{found.name} on {card_of(found.kind).name}",
        address=found.address,
        display_name=found.name,
        settings_=settings_,
        secrets=found.secrets,
        cut_at=now - timedelta(days=accounts.HISTORY_DAYS),
        now=now,
        team_id=Team.objects.filter(name=_TEAM).values_list("id", flat=True).first(),
        external_id=found.external_id,
    )


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
    write_control(facts.get("control", ""))
    address = facts["address"]
    imap = {"scheme": "imap", "host": "127.0.0.1", "port": facts["imap"], "user": address}
    smtp = {"scheme": "smtp", "host": "127.0.0.1", "port": facts["smtp"], "user": address}
    mailbox = Account.objects.filter(name="Tasbora", removed_at=None).first()
    if mailbox:
        mailbox.settings.update(imap=imap, smtp=smtp)
        mailbox.save(update_fields=["settings"])
        return
    team, _ = Team.objects.get_or_create(name=_TEAM)
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
