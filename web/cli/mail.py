"""balas poll · balas import: bringing mail in, in the foreground."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from web.cli import CommandFailed
from web.cli.output import Progress, add_json, write_object, write_table


def add(commands: Any) -> None:
    poll = commands.add_parser(
        "poll", help="fetch, digest and index now", epilog="example: balas poll support --until-idle"
    )
    poll.add_argument("names", nargs="*", metavar="NAME", help="accounts (default: all)")
    poll.add_argument("--until-idle", action="store_true", help="go on until nothing is left to fetch, digest or index")
    poll.add_argument("--prove", action="store_true", help="also list every mail on the server and look it up here")
    add_json(poll)
    poll.set_defaults(act=poll_now)
    bring = commands.add_parser(
        "import",
        help="bring in .eml, folders, Maildir, mbox",
        epilog="example: balas import old.mbox.gz --account support",
    )
    bring.add_argument("paths", nargs="+", metavar="PATH", type=Path)
    bring.add_argument("--account", required=True, metavar="NAME")
    bring.add_argument("--sent", action="store_true", help="this is mail that we sent")
    add_json(bring)
    bring.set_defaults(act=import_mail)


def poll_now(options: argparse.Namespace) -> int:
    from inbox.models import Account
    from web.cli.accounts import get_account
    from web.cli.ready import make_ready
    from workers import connections

    make_ready()
    if options.names:
        rows = [get_account(name) for name in options.names]
        for account in rows:
            if account.state == "paused":
                raise CommandFailed(f"{account.name} is paused. Resume it first: balas account resume {account.name}")
    else:
        rows = list(Account.objects.filter(removed_at=None).exclude(state="paused").order_by("name"))
    try:
        results = [_poll_one(account, options.until_idle, options.prove) for account in rows]
        tell_languages()
    finally:
        connections.close_all()
    if options.json:
        for result in results:
            write_object(result)
    else:
        columns = ("account", "fetched", "new", "same", "unreadable", "sentence")
        write_table(
            [column.upper() for column in columns], [[result[column] for column in columns] for result in results]
        )
    return 1 if any(result["sentence"] for result in results) else 0


def _poll_one(account: Any, until_idle: bool, is_proof_wanted: bool) -> dict[str, Any]:
    from inbox import reconciliation
    from inbox.models import RawItem
    from workers import jobs
    from workers.catching_up import catch_up

    if is_proof_wanted:
        reconciliation.postpone(account.id, datetime.now(UTC))
    before = RawItem.objects.filter(account=account, state="unreadable").count()
    progress = Progress(account.name)

    def show(polled: jobs.Polled, remaining: int | None) -> None:
        progress.advance(polled.fetched, polled.fetched + remaining if remaining else None)

    polled = catch_up(account.id, until_idle=until_idle, on_page=show)
    progress.close()
    unreadable = RawItem.objects.filter(account=account, state="unreadable").count() - before
    return {
        "account": account.name,
        "fetched": polled.fetched,
        "new": polled.new,
        "same": polled.same,
        "unreadable": unreadable,
        "sentence": polled.sentence or None,
    }


def drain(progress: Progress | None = None) -> int:
    """Digests and indexes everything that is due, and tells its languages; how many items it digested."""
    from workers import jobs

    digested = 0
    while batch := jobs.digest():
        digested += batch
        if progress:
            progress.advance(progress.done)
    while jobs.index():
        pass
    tell_languages()
    return digested


def tell_languages() -> None:
    from workers import languages, polyglot

    try:
        while languages.tell():
            pass
    finally:
        polyglot.close()


def import_mail(options: argparse.Namespace) -> int:
    from inbox import importing
    from web.cli.accounts import get_account

    account = get_account(options.account)
    for path in options.paths:
        if not path.exists():
            raise CommandFailed(f"{path} does not exist.")
    progress, started = Progress("import"), datetime.now(UTC)
    try:
        result = importing.import_paths(
            options.paths, account, sent=options.sent, now=started, progress=progress.advance
        )
    except importing.ImportProblem as problem:
        raise CommandFailed(str(problem)) from None
    drain(progress)
    progress.close()
    new = importing.count_added(account, started)
    facts = {"account": account.name, "read": result.read, "new": new, "same": result.read - new}
    if options.json:
        write_object({**facts, "problems": list(result.problems)})
    else:
        print(f"{account.name}: {result.read:,} read, {new:,} new, {result.read - new:,} known already.")
    for unread in result.problems:
        print(f"Not imported: {unread}", file=sys.stderr)
    return 1 if result.problems else 0
