"""balas sla explain · balas secrets rotate · balas sending: looking after a running home."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from web.cli import CommandFailed
from web.cli.output import add_json, write_object

if TYPE_CHECKING:
    from inbox.rules.explanation import Promise


def add(commands: Any) -> None:
    sla = commands.add_parser("sla", help="why a deadline is what it is", epilog="example: balas sla explain 17")
    acts = sla.add_subparsers(dest="act_name", metavar="ACT", required=True)
    explain = acts.add_parser(
        "explain", help="every interval that was counted", epilog="example: balas sla explain 17 --json"
    )
    explain.add_argument("conversation", type=int, metavar="CONVERSATION")
    add_json(explain)
    explain.set_defaults(act=explain_sla)
    secrets = commands.add_parser("secrets", help="keys of stored credentials", epilog="example: balas secrets rotate")
    secret_acts = secrets.add_subparsers(dest="act_name", metavar="ACT", required=True)
    rotate = secret_acts.add_parser(
        "rotate", help="re-seal every credential with the newest key", epilog="example: balas secrets rotate"
    )
    add_json(rotate)
    rotate.set_defaults(act=rotate_secrets)
    sending = commands.add_parser(
        "sending", help="the stop switch of everything that leaves", epilog="example: balas sending resume"
    )
    sending.add_argument("what", choices=("stop", "resume", "show"))
    sending.add_argument("--why", default="stopped by hand")
    add_json(sending)
    sending.set_defaults(act=switch_sending)


def explain_sla(options: argparse.Namespace) -> int:
    from inbox import sla
    from inbox.models import Conversation
    from web.cli.ready import make_ready

    make_ready()
    conversation = Conversation.objects.filter(id=options.conversation).first()
    if conversation is None:
        raise CommandFailed(f"There is no conversation {options.conversation}.")
    for promise in sla.explain(conversation.id, datetime.now(UTC)):
        if options.json:
            write_object(_promise(promise))
        else:
            _print_promise(promise)
    return 0


def _promise(promise: Promise) -> dict[str, Any]:
    return {
        "target": promise.target,
        "started_at": promise.started_at,
        "ended_at": promise.ended_at,
        "ended_by": promise.ended_by,
        "budget_seconds": promise.budget.total_seconds(),
        "used_seconds": promise.used.total_seconds(),
        "due_at": promise.due_at,
        "breached": promise.is_breached,
        "zone": promise.calendar.zone,
        "intervals": [
            {
                "from": interval.start,
                "to": interval.end,
                "counted": interval.is_counted,
                "seconds": interval.length.total_seconds(),
                "why": interval.why,
                "holidays": [day.isoformat() for day in interval.holidays],
            }
            for interval in promise.intervals
        ],
    }


def _print_promise(promise: Promise) -> None:
    due = f"due {promise.due_at:%Y-%m-%d %H:%M} UTC" if promise.due_at else "no deadline"
    state = "late" if promise.is_breached else f"ended by {promise.ended_by}" if promise.ended_by else "running"
    print(f"{promise.target}: {promise.used} of {promise.budget} used, {due} ({state})")
    for interval in promise.intervals:
        sign = "+" if interval.is_counted else " "
        span = f"{interval.start:%Y-%m-%d %H:%M} – {interval.end:%Y-%m-%d %H:%M}"
        print(f"  {sign} {span}  {interval.length}  {interval.why}")


def rotate_secrets(options: argparse.Namespace) -> int:
    from inbox.accounts import keyring, reseal
    from inbox.sealing import KeyMissing
    from web.cli.ready import make_ready

    make_ready()
    try:
        count = reseal()
    except KeyMissing as error:
        raise CommandFailed(f"{error} Put the old key back into the keyring first.") from None
    if options.json:
        write_object({"resealed": count, "key": keyring().newest})
    else:
        print(f"{count} credentials now sealed with key {keyring().newest}.")
    return 0


def switch_sending(options: argparse.Namespace) -> int:
    from inbox import outbox
    from inbox.models import Organisation
    from web.cli.ready import make_ready
    from workers.bells import ring

    make_ready()
    now = datetime.now(UTC)
    if options.what == "stop":
        outbox.stop_sending(options.why, "cli", now)
    elif options.what == "resume":
        outbox.allow_sending("cli", now)
        ring("deliver")
    row = Organisation.objects.get(id=1)
    if options.json:
        write_object({"stopped_at": row.sending_stopped_at, "why": row.sending_stopped_why})
    else:
        print(f"Sending is stopped: {row.sending_stopped_why}." if row.sending_stopped_at else "Sending goes on.")
    return 0
