"""balas account: connect a mailbox, look at it, pause it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from functools import partial
from typing import Any

from web.cli import CommandFailed, connecting, introduced, readers
from web.cli.output import add_json, rfc3339, write_object, write_table

_EXAMPLE = "example: balas account add email support --address help@example.org --imap imaps://… --smtp smtps://…"


def add(commands: Any) -> None:
    account = commands.add_parser("account", help="accounts: add, list, check, pause, resume, remove", epilog=_EXAMPLE)
    acts = account.add_subparsers(dest="act_name", metavar="ACT", required=True)
    new = acts.add_parser(
        "add", help="connect an account", epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    new.later = _add_kinds
    for name, act, text in (
        ("list", list_accounts, "every account and how it stands"),
        ("check", check_account, "log in and say what is wrong"),
        ("pause", pause_account, "stop reading and sending"),
        ("resume", resume_account, "go on"),
        ("connect-again", connect_again, "sign in again with the provider, or give a new password"),
        ("remove", remove_account, "disconnect; the history stays"),
        ("readers", readers.change, "which teams may read it"),
    ):
        parser = acts.add_parser(
            name, help=text, epilog=f"example: balas account {name}{'' if name == 'list' else ' support'}"
        )
        if name != "list":
            parser.add_argument("name", metavar="NAME")
        if name == "readers":
            parser.add_argument("--allow", action="append", default=[], metavar="TEAM", help="this team may read it")
            parser.add_argument(
                "--deny", action="append", default=[], metavar="TEAM", help="this team may not any more"
            )
        if name == "connect-again":
            connecting.add_ways(parser)
            introduced.add_ways(parser)
        add_json(parser)
        parser.set_defaults(act=act)


def _add_kinds(parser: Any) -> None:
    """Mail has a command of its own; every other installed kind says itself what it needs."""
    from connectors.registry import kinds

    found = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    connecting.add(found)
    for kind in kinds():
        if kind not in found.choices:
            one = found.add_parser(kind, help=f"an account of the kind “{kind}”")
            one.later = partial(introduced.add_options, kind=kind)


def get_account(name: str) -> Any:
    from inbox.models import Account
    from web.cli.ready import make_ready

    make_ready()
    account = Account.objects.filter(name=name, removed_at=None).first()
    if account is None:
        known = ", ".join(Account.objects.filter(removed_at=None).values_list("name", flat=True)) or "none yet"
        raise CommandFailed(f"There is no account called “{name}”. Known: {known}.")
    return account


def _facts(account: Any) -> dict[str, Any]:
    return {
        "id": str(account.id),
        "name": account.name,
        "kind": account.kind,
        "address": account.address,
        "state": account.state,
        "sentence": account.sentence,
        "last_success_at": rfc3339(account.last_success_at),
        "cut_at": rfc3339(account.cut_at),
    }


def list_accounts(options: argparse.Namespace) -> int:
    from inbox.models import Account
    from web.cli.ready import make_ready

    make_ready()
    rows = list(Account.objects.filter(removed_at=None).order_by("name"))
    if options.json:
        for account in rows:
            write_object(_facts(account))
    elif rows:
        write_table(
            ("NAME", "KIND", "ADDRESS", "STATE", ""), [(a.name, a.kind, a.address, a.state, a.sentence) for a in rows]
        )
    else:
        print("No account yet. Connect the first on the page, or see: balas account add email --help")
    return 0


def check_account(options: argparse.Namespace) -> int:
    from workers.mailboxes import test_account

    account = get_account(options.name)
    login = test_account(account)
    if options.json:
        write_object({**_facts(account), "ok": login.is_ok, "sentence": login.sentence})
    elif login.is_ok and login.party:
        places = f" Reads: {', '.join(login.party.places)}." if login.party.places else ""
        print(f"{account.name}: log-in works.{places}")
        for note in login.party.notes:
            print(f"  {note}")
    if not login.is_ok:
        if not options.json:
            raise CommandFailed(f"{account.name}: {login.sentence}")
        return 1
    return 0


def connect_again(options: argparse.Namespace) -> int:
    from inbox import accounts
    from inbox.connecting import find_introduction
    from inbox.issuers import issuer_of
    from workers.mailboxes import test_login

    account = get_account(options.name)
    if find_introduction(account.kind):
        return _introduce_again(account, options)
    issuer = issuer_of(account)
    if issuer:
        secrets = connecting.sign_in(issuer, account.address, options.oauth_port)
    else:
        secrets = {"password": connecting.password(options, account.address)}
    login = test_login(account.kind, account.address, account.settings, secrets)
    if not login.is_ok:
        raise CommandFailed(f"{account.name}: {login.sentence} Nothing was changed.")
    accounts.change(
        account.id,
        datetime.now(UTC),
        settings_=account.settings,
        display_name=account.display_name,
        undo_seconds=account.undo_seconds,
        secrets=secrets,
    )
    return _say_connected(account, options)


def _introduce_again(account: Any, options: argparse.Namespace) -> int:
    from inbox import connecting as guided

    try:
        guided.renew(account, introduced.connect(account.kind, options, account.settings), actor="cli")
    except guided.ConnectProblem as problem:
        raise CommandFailed(f"{account.name}: {problem} Nothing was changed.") from None
    return _say_connected(account, options)


def _say_connected(account: Any, options: argparse.Namespace) -> int:
    from workers.bells import ring

    ring("fetch", "accounts")
    account.refresh_from_db()
    if options.json:
        write_object(_facts(account))
    else:
        print(f"{account.name} is connected again and goes on where it stopped.")
    return 0


def _change(options: argparse.Namespace, change: Any, text: str) -> int:
    from workers.bells import ring

    account = get_account(options.name)
    change(account.id, datetime.now(UTC))
    ring("fetch", "accounts", "live")
    account.refresh_from_db()
    if options.json:
        write_object(_facts(account))
    else:
        print(text.format(name=options.name))
    return 0


def pause_account(options: argparse.Namespace) -> int:
    from inbox import accounts

    return _change(options, accounts.pause, "{name} is paused: nothing is read, nothing is sent.")


def resume_account(options: argparse.Namespace) -> int:
    from inbox import accounts

    return _change(options, accounts.resume, "{name} goes on.")


def remove_account(options: argparse.Namespace) -> int:
    from inbox import accounts

    return _change(options, accounts.remove, "{name} is disconnected and its password forgotten. Its history stays.")
