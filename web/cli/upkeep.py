"""balas sla explain · balas secrets rotate · balas sending: looking after a running home."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from web.cli import CommandFailed
from web.cli.output import add_json, write_object


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
    lines = sla.explain(conversation.id, datetime.now(UTC))
    for line in lines:
        if options.json:
            write_object(line)
        else:
            print(
                f"{line['from']:%Y-%m-%d %H:%M} – {line['to']:%Y-%m-%d %H:%M}  {line['seconds']:>8.0f} s  {line['why']}"
            )
    if not options.json:
        due = (
            f"{conversation.due_for} due {conversation.due_at:%Y-%m-%d %H:%M} UTC"
            if conversation.due_at
            else "no clock runs"
        )
        print(due)
    return 0


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
