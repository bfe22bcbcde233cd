"""balas user: people come and go by the command line."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from web.cli import CommandFailed
from web.cli.output import add_json, write_object, write_table

_EXAMPLE = "example: balas user add ana@example.org --role agent --team Support"


def add(commands: Any) -> None:
    user = commands.add_parser("user", help="people: add, list, disable, link", epilog=_EXAMPLE)
    acts = user.add_subparsers(dest="act_name", metavar="ACT", required=True)
    new = acts.add_parser("add", help="add a person and print a one-time sign-in link", epilog=_EXAMPLE)
    new.add_argument("email")
    new.add_argument("--role", required=True, choices=("owner", "manager", "agent"))
    new.add_argument("--team", action="append", default=[], help="a team to belong to (made if new); may be repeated")
    new.add_argument("--name", default="", help="how colleagues and customers see them")
    new.set_defaults(act=add_user)
    everyone = acts.add_parser("list", help="who there is", epilog="example: balas user list --json")
    everyone.set_defaults(act=list_users)
    disable = acts.add_parser(
        "disable", help="sign somebody out for good", epilog="example: balas user disable ana@example.org"
    )
    disable.add_argument("email")
    disable.set_defaults(act=disable_user)
    link = acts.add_parser(
        "link", help="print a new one-time sign-in link", epilog="example: balas user link ana@example.org"
    )
    link.add_argument("email")
    link.set_defaults(act=print_link)
    for parser in (new, everyone, disable, link):
        add_json(parser)


def _now() -> datetime:
    return datetime.now(UTC)


def add_user(options: argparse.Namespace) -> int:
    from inbox import people
    from inbox.models import Team
    from inbox.rules.states import Role
    from web.cli.ready import make_ready

    make_ready()
    try:
        for name in options.team:
            if not Team.objects.filter(name=name).exists():
                people.create_team(name, _now())
        user = people.create_user(options.email, Role(options.role), _now(), name=options.name, teams=options.team)
    except people.PersonProblem as problem:
        raise CommandFailed(str(problem)) from None
    return _show_link(options, user)


def _show_link(options: argparse.Namespace, user: Any) -> int:
    from inbox import people
    from web.cli.serving import public_address

    link = f"{public_address()}/sign-in/link/{people.make_sign_in_token(user, _now())}"
    if options.json:
        write_object({"id": str(user.id), "email": user.email, "role": user.role, "link": link})
    else:
        print(f"{user.email} can sign in once, within {people.LINK_VALID.days} days, with:\n  {link}")
    return 0


def list_users(options: argparse.Namespace) -> int:
    from inbox.models import TeamMember, User
    from web.cli.ready import make_ready

    make_ready()
    teams: dict[int, list[str]] = {}
    for user_id, name in TeamMember.objects.values_list("user_id", "team__name"):
        teams.setdefault(user_id, []).append(name)
    rows = list(User.objects.order_by("email"))
    if options.json:
        for user in rows:
            facts = {"id": str(user.id), "email": user.email, "name": user.name, "role": user.role}
            write_object({**facts, "teams": sorted(teams.get(user.id, [])), "active": user.is_active})
    elif rows:
        table = [
            (
                user.email,
                user.name,
                user.role,
                ", ".join(sorted(teams.get(user.id, []))),
                "" if user.is_active else "disabled",
            )
            for user in rows
        ]
        write_table(("E-MAIL", "NAME", "ROLE", "TEAMS", ""), table)
    else:
        print("Nobody yet. Add the first: balas user add you@example.org --role owner")
    return 0


def _get(email: str) -> Any:
    from inbox import people
    from web.cli.ready import make_ready

    make_ready()
    user = people.find_user(email)
    if user is None:
        raise CommandFailed(f"There is nobody with the address {email}. See: balas user list")
    return user


def disable_user(options: argparse.Namespace) -> int:
    from inbox import people

    user = _get(options.email)
    try:
        people.disable(user, _now())
    except people.PersonProblem as problem:
        raise CommandFailed(str(problem)) from None
    if options.json:
        write_object({"id": str(user.id), "email": user.email, "active": False})
    else:
        print(f"{user.email} is signed out everywhere and cannot sign in any more.")
    return 0


def print_link(options: argparse.Namespace) -> int:
    user = _get(options.email)
    if not user.is_active:
        raise CommandFailed(f"{user.email} is disabled.")
    return _show_link(options, user)
