"""balas account: connect a mailbox, look at it, pause it."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from web.cli import CommandFailed, readers
from web.cli.output import add_json, rfc3339, write_object, write_table

_EXAMPLE = (
    "example: balas account add email support --address help@example.org \\\n"
    "             --imap imaps://help@imap.example.org --smtp smtps://help@smtp.example.org --password-stdin"
)


def _since(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is not a date such as 2026-11-01") from None


def _server(*schemes: str) -> Any:
    def parse(text: str) -> dict[str, Any]:
        parts = urlsplit(text)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in schemes or not parts.hostname or port == -1:
            raise argparse.ArgumentTypeError(
                f"“{text}” is not like {schemes[0]}://USER@HOST[:PORT] ({', '.join(schemes)})"
            )
        if parts.password is not None:
            raise argparse.ArgumentTypeError("a password does not belong in an argument; use --password-stdin")
        found: dict[str, Any] = {"scheme": parts.scheme, "host": parts.hostname}
        if port:
            found["port"] = port
        if parts.username:
            found["user"] = unquote(parts.username)
        return found

    return parse


def add(commands: Any) -> None:
    account = commands.add_parser("account", help="mailboxes: add, list, check, pause, resume, remove", epilog=_EXAMPLE)
    acts = account.add_subparsers(dest="act_name", metavar="ACT", required=True)
    new = acts.add_parser(
        "add", help="connect an account", epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = new.add_subparsers(dest="kind", metavar="KIND", required=True)
    _add_email(kinds)
    for name, act, text in (
        ("list", list_accounts, "every account and how it stands"),
        ("check", check_account, "log in and say what is wrong"),
        ("pause", pause_account, "stop reading and sending"),
        ("resume", resume_account, "go on"),
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
        add_json(parser)
        parser.set_defaults(act=act)


def _add_email(kinds: Any) -> None:
    email = kinds.add_parser(
        "email", help="a mailbox", epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    email.add_argument("name", metavar="NAME")
    email.add_argument("--address", required=True, help="the address that customers write to")
    email.add_argument("--imap", required=True, type=_server("imaps", "imap", "imap+starttls"), metavar="URL")
    email.add_argument("--smtp", required=True, type=_server("smtps", "smtp", "smtp+starttls"), metavar="URL")
    email.add_argument(
        "--folder", action="append", metavar="F", help="a folder to read (default INBOX); may be repeated"
    )
    email.add_argument(
        "--sent-folder", default="", metavar="F", help="where sent mail lies (default: asked of the server)"
    )
    email.add_argument(
        "--alias", action="append", default=[], metavar="A", help="another address of ours; may be repeated"
    )
    email.add_argument(
        "--relay", action="append", default=[], metavar="A", help="a contact form's sender: its Reply-To is the writer"
    )
    email.add_argument(
        "--since", type=_since, metavar="DATE", help="what is older arrives resolved (default: 14 days ago)"
    )
    email.add_argument(
        "--team", default="", help="the team it belongs to: new work goes there, and only its members read it"
    )
    email.add_argument("--display-name", default="", help="the name customers see")
    email.add_argument("--undo-seconds", type=int, default=10, metavar="N", help="how long a reply waits (default 10)")
    email.add_argument("--no-file-sent", action="store_true", help="the provider files sent mail itself (Gmail does)")
    email.add_argument("--authserv-id", default="", metavar="ID", help="whose Authentication-Results are trusted")
    email.add_argument("--ca-file", default="", metavar="FILE", help="a private certificate authority")
    email.add_argument("--insecure", action="store_true", help="allow an unencrypted connection beyond this machine")
    email.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add_json(email)
    email.set_defaults(act=add_email)


def _password(options: argparse.Namespace) -> str:
    if options.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {options.imap.get('user', options.address)}: ")
    raise CommandFailed("There is no terminal to ask for the password on. Use --password-stdin.")


def _cut(since: date | None, now: datetime) -> datetime:
    from inbox.accounts import HISTORY_DAYS
    from inbox.models import Organisation

    if since is None:
        return now - timedelta(days=HISTORY_DAYS)
    zone = ZoneInfo(Organisation.objects.get(id=1).zone)
    return datetime(since.year, since.month, since.day, tzinfo=zone).astimezone(UTC)


def _email_settings(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "imap": {"user": options.address, **options.imap},
        "smtp": {"user": options.address, **options.smtp},
        "folders": options.folder or ["INBOX"],
        "sent_folder": options.sent_folder,
        "aliases": options.alias,
        "relays": options.relay,
        "file_sent": not options.no_file_sent,
        "authserv_id": options.authserv_id,
        "ca_file": options.ca_file,
        "insecure": options.insecure,
    }


def add_email(options: argparse.Namespace) -> int:
    from inbox import accounts, people
    from inbox.models import Account
    from web.cli.ready import make_ready
    from workers.bells import ring
    from workers.mailboxes import test_login

    make_ready()
    now = datetime.now(UTC)
    if Account.objects.filter(name=options.name).exists():
        raise CommandFailed(f"There is already an account called “{options.name}”.")
    try:
        team = people.get_team(options.team) if options.team else None
    except people.PersonProblem as problem:
        raise CommandFailed(f"{problem} Make one with: balas user add … --team {options.team}") from None
    settings, secrets = _email_settings(options), {"password": _password(options)}
    login = test_login(options.kind, options.address, settings, secrets)
    if not login.is_ok:
        raise CommandFailed(f"{login.sentence} Nothing was saved.")
    account = accounts.connect(
        kind=options.kind,
        name=options.name,
        address=options.address,
        display_name=options.display_name,
        settings_=settings,
        secrets=secrets,
        cut_at=_cut(options.since, now),
        now=now,
        team_id=team.id if team else None,
        undo_seconds=options.undo_seconds,
    )
    if team:
        people.let_read(team, account, now)
    ring("fetch")
    places = login.party.places if login.party else ()
    if options.json:
        facts = {"id": str(account.id), "name": account.name, "kind": account.kind, "address": account.address}
        write_object({**facts, "folders": list(places), "cut_at": account.cut_at, "state": account.state})
    else:
        print(f"{account.address} is connected as “{account.name}”; reads {', '.join(places) or 'INBOX'}.")
        print(
            f"Mail from before {account.cut_at:%Y-%m-%d} arrives resolved. Read it now with: balas poll {account.name}"
        )
    return 0


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
    from inbox.accounts import unseal_secrets
    from inbox.sealing import KeyMissing
    from workers.mailboxes import test_login

    account = get_account(options.name)
    try:
        login = test_login(account.kind, account.address, account.settings, unseal_secrets(account))
    except KeyMissing as error:
        raise CommandFailed(f"{error} Restore the keyring, or connect the account again.") from None
    if options.json:
        write_object({**_facts(account), "ok": login.is_ok, "sentence": login.sentence})
    elif login.is_ok and login.party:
        print(f"{account.name}: log-in works. Folders: {', '.join(login.party.places)}.")
        for note in login.party.notes:
            print(f"  {note}")
    if not login.is_ok:
        if not options.json:
            raise CommandFailed(f"{account.name}: {login.sentence}")
        return 1
    return 0


def _change(options: argparse.Namespace, change: Any, text: str) -> int:
    from workers.bells import ring

    account = get_account(options.name)
    change(account.id, datetime.now(UTC))
    ring("fetch", "live")
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
