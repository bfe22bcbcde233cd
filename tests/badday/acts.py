"""What people and jobs do on a bad day, each in a child of tests.kills.warm: arguments and results are JSON."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connections

from inbox import timeline, worklist
from inbox.models import Account, CursorTrouble, Message, RawItem, User
from inbox.people import create_user
from inbox.rules.states import Role
from web.cli import main
from web.cli.ready import make_ready
from workers import jobs


def found_home() -> None:
    make_ready()
    create_user("ana@tasbora.example", Role.OWNER, datetime.now(UTC), name="Ana")
    connections.close_all()


def balas(arguments: list[str], stdin: str = "") -> dict[str, Any]:
    """The command line as a process of its own."""
    out, err = io.StringIO(), io.StringIO()
    sys.stdin = io.StringIO(stdin)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def seen() -> list[dict[str, Any]]:
    """Every row of the queue as an agent sees it, with the entries behind it."""
    user = User.objects.get()
    rows = []
    for row in worklist.page(None, "all", limit=1000).rows:
        shown = timeline.load(row["id"], None, user)
        assert shown is not None
        entries = [entry for entry in shown.entries if entry.get("direction")]
        rows.append(
            {
                "subject": row["subject"],
                "preview": row["preview"],
                "status": row["status"],
                "customer": row["customer_name"],
                "messages": [
                    {"text": str(entry.get("text", ""))[:2000], "flags": entry.get("flags", [])} for entry in entries
                ],
            }
        )
    return rows


def account() -> dict[str, Any]:
    found = Account.objects.get()
    now = datetime.now(UTC)
    wait = (found.next_poll_at - now).total_seconds() if found.next_poll_at else None
    return {
        "state": found.state,
        "sentence": found.sentence,
        "wait": wait,
        "is_due_within_five_minutes": bool(jobs.find_due_accounts(now + timedelta(minutes=5))),
        "troubles": list(CursorTrouble.objects.filter(closed_at=None).values_list("external_id", "reason")),
        "items": RawItem.objects.count(),
        "messages": Message.objects.count(),
    }


def poll_again(times: int = 1) -> list[dict[str, Any]]:
    """As the jobs do each time the account falls due; how it stood after each."""
    stages = []
    for _ in range(times):
        polled = jobs.poll(Account.objects.get().id)
        while jobs.digest():
            pass
        stages.append({**account(), "new": polled.new, "fetched": polled.fetched})
    return stages


def tidy() -> list[str]:
    """Two days later; what is left in the spool."""
    spool = settings.BALAS_HOME / "spool"
    for file in spool.iterdir():
        if not file.name.startswith("new"):
            os.utime(file, (0, 0))
    jobs.tidy()
    return sorted(file.name for file in spool.iterdir())
