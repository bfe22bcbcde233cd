"""balas status · check · export: what there is, and whether all is well."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from web.cli import CommandFailed
from web.cli.output import Progress, add_json, dump, jsonable, write_object

SUBJECTS = ("messages", "conversations", "customers", "sla-events")


def add(commands: Any) -> None:
    status = commands.add_parser(
        "status", help="is everything here, and is it fresh?", epilog="example: balas status --json"
    )
    add_json(status)
    status.set_defaults(act=show_status)
    check = commands.add_parser(
        "check", help="settings, database, disk, keyring, log-ins", epilog="example: balas check --deploy"
    )
    check.add_argument("--deploy", action="store_true", help="also what matters before strangers can reach the pages")
    add_json(check)
    check.set_defaults(act=check_all)
    export = commands.add_parser(
        "export",
        help="everything that is in the inbox, streamed",
        epilog="example: balas export messages --format csv -o mail.csv",
    )
    export.add_argument("subject", choices=SUBJECTS)
    export.add_argument("--query", default="", metavar="Q", help="only what the search box would find")
    export.add_argument("--format", choices=("jsonl", "csv"), default="jsonl")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="a file instead of standard output")
    add_json(export)
    export.set_defaults(act=export_rows)


def show_status(options: argparse.Namespace) -> int:
    from inbox.models import Organisation
    from web.cli.ready import make_ready
    from workers import status

    make_ready()
    now = datetime.now(UTC)
    facts = status.collect(now)
    stopped = Organisation.objects.exclude(sending_stopped_at=None).first()
    if options.json:
        write_object(facts)
        return 0
    for account in facts["accounts"]:
        print(_account_line(account, now))
        if account["sentence"]:
            print(f"  {account['sentence']}")
        for missing in account["missing"]:
            print(f"  {missing['place']} cannot be opened since {missing['since']:%Y-%m-%d %H:%M} UTC.")
        if account["doorbell"]:
            print(f"  {_doorbell_line(account['doorbell'])}")
    if not facts["accounts"]:
        print("No account is connected yet.")
    outbox = ", ".join(f"{state} {count:,}" for state, count in facts["outbox"].items() if count) or "empty"
    index = facts["index"]
    print(f"Outbox: {outbox}")
    if stopped:
        print(f"  Sending is stopped: {stopped.sending_stopped_why}. To go on: balas sending resume")
    print(f"Index ({index['backend']}): {index['pending']:,} waiting")
    print(f"Jobs: the oldest due row waits {facts['jobs']['oldest_due_seconds']:.0f} s")
    return 0


def _account_line(account: dict[str, Any], now: datetime) -> str:
    if account["on_server"] is None:
        sums = "not counted yet"
        if account["last_success_at"]:
            sums = f"{account['stored']:,} stored; the server does not say how many there are"
    else:
        sums = (
            f"{account['on_server']:,} on server {'≠' if account['unexplained'] else '='} {account['stored']:,} stored"
        )
        sums += f" + {account['pending']:,} pending" if account["pending"] else ""
        sums += "".join(f" + {count:,} excluded ({rule})" for rule, count in account["excluded"].items())
        sums += {True: "", False: ", not complete", None: ", not known to be complete now"}[account["complete"]]
    unreadable = f", {account['unreadable']:,} unreadable" if account["unreadable"] else ""
    return f"{account['name']} ({account['state']}): {sums}{unreadable}{_ages(account, now)}"


def _doorbell_line(bell: dict[str, Any]) -> str:
    """How soon new mail is here, and why not sooner."""
    pause = f"every {bell['every_seconds']} s"
    since = f" since {bell['since']:%Y-%m-%d %H:%M} UTC" if bell["since"] else ""
    if bell["state"] == "live":
        only = "" if bell["is_whole"] else " for the first folder only"
        return f"new mail rings{only}{since}; looked at {pause} all the same"
    why = {
        "unheard": f"the listener is not running{since}",
        "opening": "the listener is just connecting",
        "missing": "its server has no doorbell (IDLE)",
        "away": f"the doorbell is away{since}: {bell['sentence']}",
    }[bell["state"]]
    return f"looked at {pause}: {why}"


def _ages(account: dict[str, Any], now: datetime) -> str:
    """How old the numbers are; old ones say so first."""
    if not account["counted_at"]:
        return ""
    old = f"OLD DATA ({_ago(account['counted_at'], now)}), " if account["stale"] else ""
    counted = f"{old}counted {account['counted_at']:%Y-%m-%d %H:%M} UTC"
    proof = f"listed in full {_ago(account['proved_at'], now)}" if account["proved_at"] else "never listed in full"
    return f", {counted}, {proof}"


def _ago(at: datetime, now: datetime) -> str:
    seconds = max(0, int((now - at).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def check_all(options: argparse.Namespace) -> int:
    from web.cli.checks import run_checks

    findings = list(run_checks(is_deploy=options.deploy))
    if options.json:
        write_object(
            {"ok": not any(finding.is_wrong for finding in findings), "findings": [f.facts() for f in findings]}
        )
    else:
        for finding in findings:
            print(f"{'✗' if finding.is_wrong else '✓'} {finding.name}: {finding.sentence}")
    return 1 if any(finding.is_wrong for finding in findings) else 0


def export_rows(options: argparse.Namespace) -> int:
    from inbox import exports
    from web.cli.ready import make_ready

    make_ready()
    ids = _found(options.query) if options.query else None
    rows = exports.stream(options.subject, ids)
    progress = Progress(f"export {options.subject}")
    if options.output is None:
        _write(rows, sys.stdout, options.format, progress if not sys.stdout.isatty() else None)
        return 0
    # A device, a pipe or a link (/dev/stdout) is written to and never replaced.
    is_plain = not options.output.is_symlink() and (options.output.is_file() or not options.output.exists())
    draft = options.output.with_name(f".{options.output.name}.part") if is_plain else options.output
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            count = _write(rows, file, options.format, progress)
        if is_plain:
            draft.replace(options.output)
    except OSError as error:
        if is_plain:
            draft.unlink(missing_ok=True)
        raise CommandFailed(f"{options.output} cannot be written: {error.strerror}.") from None
    if options.json:
        write_object({"file": str(options.output), "rows": count})
    return 0


def _found(query: str) -> dict[str, set[int]]:
    """Message and conversation ids that the query finds."""
    from search.backend import get_backend

    found: dict[str, set[int]] = {"messages": set(), "conversations": set()}
    cursor: str | None = None
    while True:
        hits = get_backend().search(query, accounts=None, limit=200, cursor=cursor)
        found["messages"].update(hit.message for hit in hits.hits)
        found["conversations"].update(hit.conversation for hit in hits.hits)
        cursor = hits.next
        if cursor is None:
            return found


def _write(rows: Iterator[dict[str, Any]], file: TextIO, form: str, progress: Progress | None) -> int:
    count = 0
    writer: Any = None
    for count, row in enumerate(rows, 1):
        if form == "jsonl":
            file.write(dump(row) + "\n")
        else:
            if writer is None:
                writer = csv.DictWriter(file, list(row))
                writer.writeheader()
            writer.writerow({name: _cell(value) for name, value in row.items()})
        if progress:
            progress.advance(count)
    if progress:
        progress.close()
    return count


def _cell(value: Any) -> Any:
    """One CSV cell. What a spreadsheet would run as a formula gets an apostrophe before it."""
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=jsonable)
    if isinstance(value, datetime):
        return jsonable(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value
