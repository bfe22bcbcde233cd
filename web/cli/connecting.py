"""balas account add email: the servers, a password or the provider's own sign-in (OAuth 2), and the test of both."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from web.cli import CommandFailed, SetupIncomplete
from web.cli.output import add_json, write_object
from web.cli.returning import Returning

_EXAMPLE = (
    "example: balas account add email support --address help@example.org \\\n"
    "             --imap imaps://help@imap.example.org --smtp smtps://help@smtp.example.org --password-stdin"
)


def day_of(text: str) -> date:
    """Of a --since."""
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


def add(kinds: Any) -> None:
    email = kinds.add_parser(
        "email", help="a mailbox", epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    email.add_argument("name", metavar="NAME")
    email.add_argument("--address", required=True, help="the address that customers write to")
    for name, schemes in (("imap", ("imaps", "imap", "imap+starttls")), ("smtp", ("smtps", "smtp", "smtp+starttls"))):
        words = "default: the provider's, where the address or its domain tells which one it is"
        email.add_argument(f"--{name}", type=_server(*schemes), metavar="URL", help=words)
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
        "--since", type=day_of, metavar="DATE", help="what is older arrives resolved (default: 14 days ago)"
    )
    email.add_argument(
        "--team", default="", help="the team it belongs to: new work goes there, and only its members read it"
    )
    email.add_argument("--display-name", default="", help="the name customers see")
    email.add_argument("--undo-seconds", type=int, default=10, metavar="N", help="how long a reply waits (default 10)")
    email.add_argument("--probe", action="store_true", help="a server of your own: ask it for news all the time")
    email.add_argument("--no-file-sent", action="store_true", help="the provider files sent mail itself (Gmail does)")
    email.add_argument("--mark-seen", action="store_true", help="mark mail as read on the server once it is stored")
    email.add_argument("--move-to", default="", metavar="F", help="move mail to this folder there once it is stored")
    email.add_argument("--authserv-id", default="", metavar="ID", help="whose Authentication-Results are trusted")
    email.add_argument("--ca-file", default="", metavar="FILE", help="a private certificate authority")
    email.add_argument("--insecure", action="store_true", help="allow an unencrypted connection beyond this machine")
    email.add_argument(
        "--oauth", default="", metavar="ISSUER", help="sign in there: google, microsoft, or an issuer's address"
    )
    add_ways(email)
    add_json(email)
    email.set_defaults(act=add_email)


def add_ways(parser: Any) -> None:
    """How the log-in comes in."""
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    parser.add_argument(
        "--oauth-port", type=int, default=0, metavar="N", help="where the sign-in comes back to (default: a free port)"
    )


def password(options: argparse.Namespace, user: str) -> str:
    if options.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {user}: ")
    raise CommandFailed("There is no terminal to ask for the password on. Use --password-stdin.")


def sign_in(issuer: str, address: str, port: int = 0) -> dict[str, str]:
    """Prints where to say yes, waits until somebody did, and returns the secrets to seal."""
    from inbox.issuers import client_setting, is_set_up, name_of
    from workers import mailboxes

    if not is_set_up(issuer):
        raise SetupIncomplete(f"Signing in with {name_of(issuer)} is not set up: set {client_setting(issuer)}.")
    # Microsoft lets any port through for the name localhost alone, the others for the address (RFC 8252 §7.3).
    door = Returning("localhost" if issuer == "microsoft" else "127.0.0.1", port)
    try:
        begun = mailboxes.begin_sign_in(issuer, door.address, address)
        print(f"Open this address and sign in as {address}:\n\n  {begun.url}\n", file=sys.stderr, flush=True)
        print(
            "Then this command goes on by itself. On another machine, paste here the address that the browser ends at.",
            file=sys.stderr,
            flush=True,
        )
        outcome = door.wait(begun.state)
        if not outcome.code:
            raise CommandFailed(f"{name_of(issuer)} did not allow it. It said: “{outcome.error[:200]}”.")
        return mailboxes.finish_sign_in(issuer, outcome.code, begun.verifier, door.address, datetime.now(UTC))
    except mailboxes.SignInProblem as problem:
        raise CommandFailed(f"{problem} Nothing was saved.") from None
    finally:
        door.close()


def cut_of(since: date | None, now: datetime) -> datetime:
    from inbox.accounts import HISTORY_DAYS
    from inbox.models import Organisation

    if since is None:
        return now - timedelta(days=HISTORY_DAYS)
    zone = ZoneInfo(Organisation.objects.get(id=1).zone)
    return datetime(since.year, since.month, since.day, tzinfo=zone).astimezone(UTC)


def _profile(options: argparse.Namespace) -> dict[str, Any]:
    """What is known of the provider; only asked for when a server was left out. Raises CommandFailed."""
    from workers.mailboxes import guess, profile_settings

    if options.imap and options.smtp:
        return {}
    if key := {"google": "gmail", "microsoft": "microsoft365"}.get(options.oauth):
        return profile_settings(options.kind, key, options.address) or {}
    found: dict[str, Any] = next(iter(guess(options.kind, options.address)), {})
    if found.get("profile", "generic") == "generic":
        raise CommandFailed(f"The servers of {options.address} are not known. Name them with --imap and --smtp.")
    return found


def _email_settings(options: argparse.Namespace) -> dict[str, Any]:
    profile = _profile(options)
    found = {
        "imap": {"user": options.address, **(options.imap or profile["imap"])},
        "smtp": {"user": options.address, **(options.smtp or profile["smtp"])},
        "folders": options.folder or ["INBOX"],
        "sent_folder": options.sent_folder,
        "aliases": options.alias,
        "relays": options.relay,
        "file_sent": not options.no_file_sent and profile.get("file_sent", True),
        "mark_seen": options.mark_seen,
        "move_to": options.move_to,
        "probe": options.probe,
        "authserv_id": options.authserv_id,
        "ca_file": options.ca_file,
        "insecure": options.insecure,
    }
    if profile:
        found["profile"] = profile["profile"]
    return {**found, "oauth": {"issuer": options.oauth.rstrip("/")}} if options.oauth else found


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
    settings = _email_settings(options)
    if options.oauth:
        secrets = sign_in(settings["oauth"]["issuer"], options.address, options.oauth_port)
    else:
        secrets = {"password": password(options, settings["imap"]["user"])}
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
        cut_at=cut_of(options.since, now),
        now=now,
        team_id=team.id if team else None,
        undo_seconds=options.undo_seconds,
    )
    if team:
        people.let_read(team, account, now)
    ring("fetch", "accounts")
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
