"""balas account add KIND for every kind that introduces itself: what it needs comes from the kind's own description.

What is secret comes from standard input (`--secrets-stdin`: a JSON object by field, or the bare secret) or from the
environment (`BALAS_ACCOUNT_<FIELD>`), never from an argument, which other users of the machine could read.
"""

from __future__ import annotations

import argparse
import difflib
import getpass
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.introducing import Introduces
from connectors.metering import Charges
from connectors.registry import connector_class
from connectors.social import Connected, ConnectField, Introduction
from web.cli import CommandFailed, SetupIncomplete, WrongUsage, limits
from web.cli.connecting import cut_of, day_of
from web.cli.output import add_json, write_object
from web.cli.returning import Returning

_ENVIRON = "BALAS_ACCOUNT_"
_MAX_STDIN = 64 * 1024
_COMMON = {"base_url", "insecure"}


def add_options(parser: argparse.ArgumentParser, kind: str) -> None:
    """Of one kind, when its parser is really asked."""
    found = connector_class(kind)
    parser.add_argument("name", metavar="NAME")
    introduction = found.introduction({}) if isinstance(found, Introduces) else Introduction(())
    for one in introduction.fields:
        if not one.is_secret and one.name not in _COMMON:
            words = " ".join(part for part in (f"{one.label}.", one.hint) if part)
            parser.add_argument(_option(one.name), dest=f"field_{one.name}", metavar="X", help=words.replace("%", "%%"))
    parser.add_argument(
        "--since", type=day_of, metavar="DATE", help="older ones arrive resolved (default: 14 days ago)"
    )
    parser.add_argument("--address", default="", metavar="A", help="our handle there, where it must be told")
    parser.add_argument("--team", default="", help="the team it belongs to: only its members read it")
    parser.add_argument("--undo-seconds", type=int, default=10, metavar="N", help="how long a reply waits (default 10)")
    if isinstance(found, Charges):
        limits.add_options(parser)
    add_ways(parser)
    secret = ", ".join(one.name for one in _known(introduction) if one.is_secret) or "none"
    parser.epilog = (
        f"secrets: {secret}; as JSON with --secrets-stdin, or in {_ENVIRON}<NAME>. "
        f"example: balas account add {kind} shop --secrets-stdin < secrets.json"
    )
    add_json(parser)
    parser.set_defaults(act=add_account)


def add_ways(parser: Any) -> None:
    """Where the server is, and how the secrets come in."""
    parser.add_argument("--base-url", default="", metavar="URL", help="another server than the platform's own")
    parser.add_argument("--insecure", action="store_true", help="allow plain http beyond this machine")
    parser.add_argument("--secrets-stdin", action="store_true", help="read the secrets from standard input")
    if not any("--oauth-port" in action.option_strings for action in parser._actions):
        parser.add_argument("--password-stdin", action="store_true", help="the same, for kinds with one secret")
        parser.add_argument(
            "--oauth-port", type=int, default=0, metavar="N", help="where a sign-in comes back to (default: a free one)"
        )


def _known(introduction: Introduction) -> list[ConnectField]:
    """Every field once, those that stand in for a consent included."""
    return list({one.name: one for one in (*introduction.brings, *introduction.fields)}.values())


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def add_account(options: argparse.Namespace) -> int:
    from inbox import accounts, connecting, people
    from inbox.metering import clock
    from web.cli.ready import make_ready
    from workers.bells import ring

    make_ready()
    if accounts.is_name_taken(options.name):
        raise CommandFailed(f"There is already an account called “{options.name}”.")
    try:
        team = people.get_team(options.team) if options.team else None
    except people.PersonProblem as problem:
        raise CommandFailed(f"{problem} Make one with: balas user add … --team {options.team}") from None
    now = clock()
    cut_at = cut_of(options.since, now)
    connected = connect(options.kind, options, {})
    try:
        account = connecting.keep(
            options.kind,
            connected,
            actor="cli",
            cut_at=cut_at,
            name=options.name,
            team_id=team.id if team else None,
            undo_seconds=options.undo_seconds,
            now=now,
        )
    except connecting.ConnectProblem as problem:
        raise CommandFailed(f"{problem} Nothing was saved.") from None
    if team:
        people.let_read(team, account, now)
    limits.keep(account.id, options, now)
    ring("fetch", "accounts")
    if options.json:
        facts = {"id": str(account.id), "name": account.name, "kind": account.kind, "address": account.address}
        write_object({**facts, "folders": [], "cut_at": account.cut_at, "state": account.state})
    else:
        print(f"{account.address} is connected as “{account.name}”.")
        print(f"What is from before {account.cut_at:%Y-%m-%d} arrives resolved.")
        print(f"Read it now with: balas poll {account.name}")
    return 0


def connect(kind: str, options: argparse.Namespace, known: Mapping[str, Any]) -> Connected:
    """Asks the platform; nothing is saved. `known`: settings of an account that is connected again."""
    from inbox import connecting

    typed = _typed(options, known)
    try:
        introduction = connecting.get_introduction(kind, typed)
        given = {**_from_environment(introduction, kind), **typed, **_from_stdin(introduction, options)}
        is_brought = any(given.get(one.name) for one in introduction.brings)
        if not is_brought:
            given |= _asked_for(introduction, given)
        values = {**given, **connecting.read_values(_needed(introduction, is_brought), given)}
    except connecting.ConnectProblem as problem:
        where = _where(problem.field, introduction) if problem.field else ""
        raise WrongUsage(f"{problem.field or kind}: {problem}{where}") from None
    try:
        if introduction.uses_consent and not is_brought:
            found = _with_consent(kind, values, options.oauth_port)
        else:
            found = connecting.finish(kind, values, {}, "")
    except connecting.ConnectProblem as problem:
        raise CommandFailed(f"{problem} Nothing was saved.") from None
    extra: dict[str, Any] = {name: values[name] for name in ("base_url",) if values.get(name)}
    if options.insecure:
        extra["insecure"] = True
    return Connected(found.address, found.name, {**extra, **found.settings}, found.secrets, found.external_id)


def _needed(introduction: Introduction, is_brought: bool) -> Introduction:
    """What a consent needs is not missing where tokens were brought; `connect` says what is."""
    if not is_brought:
        return introduction
    return replace(introduction, fields=tuple(replace(one, is_required=False) for one in introduction.fields))


def _typed(options: argparse.Namespace, known: Mapping[str, Any]) -> dict[str, str]:
    typed = {name: str(value) for name, value in known.items() if isinstance(value, str) and value}
    given = {name[6:]: value for name, value in vars(options).items() if name.startswith("field_") and value}
    if address := getattr(options, "address", ""):
        given = {"address": address, "handle": address, **given}
    if options.base_url:
        given["base_url"] = options.base_url.rstrip("/")
    if options.insecure:
        given["insecure"] = "yes"
    return {**typed, **given}


def _from_environment(introduction: Introduction, kind: str) -> dict[str, str]:
    """Raises SetupIncomplete for a name that this kind does not know."""
    names = {f"{_ENVIRON}{one.name.upper()}": one.name for one in _known(introduction)}
    names.setdefault(f"{_ENVIRON}BASE_URL", "base_url")
    found = {}
    for name, value in os.environ.items():
        if not name.startswith(_ENVIRON) or not value:
            continue
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known names: {', '.join(sorted(names))}."
            raise SetupIncomplete(f"{name} is nothing that an account of {kind} needs. {hint}")
        found[names[name]] = value.strip()
    return found


def _from_stdin(introduction: Introduction, options: argparse.Namespace) -> dict[str, str]:
    """Raises WrongUsage for what cannot be meant; never repeats what came in."""
    if not options.secrets_stdin and not options.password_stdin:
        return {}
    text = sys.stdin.read(_MAX_STDIN + 1).strip()
    if not text or len(text) > _MAX_STDIN:
        raise WrongUsage("Standard input holds no secrets.")
    if not text.startswith("{"):
        return {_only_secret(introduction).name: text.splitlines()[0]}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise WrongUsage("Standard input holds no JSON object.") from None
    known = {one.name for one in _known(introduction)} | {"base_url"}
    for name in found:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean “{near[0]}”?" if near else f"Known: {', '.join(sorted(known))}."
            raise WrongUsage(f"“{name[:40]}” is nothing that this kind needs. {hint}")
        if not isinstance(found[name], str):
            raise WrongUsage(f"“{name[:40]}” must be a text.")
    return {name: value for name, value in found.items() if value}


def _only_secret(introduction: Introduction) -> ConnectField:
    secrets = [one for one in introduction.fields if one.is_secret]
    required = [one for one in secrets if one.is_required]
    brought = [one for one in introduction.brings if one.is_secret]
    for few in (required, brought[:1], secrets):
        if len(few) == 1:
            return few[0]
    names = ", ".join(one.name for one in _known(introduction) if one.is_secret) or "none"
    raise WrongUsage(f"This kind needs its secrets by name ({names}), as one JSON object.")


def _asked_for(introduction: Introduction, given: Mapping[str, str]) -> dict[str, str]:
    """Required secrets that are still missing, typed in at a terminal."""
    missing = [one for one in introduction.fields if one.is_secret and one.is_required and not given.get(one.name)]
    if not missing or not sys.stdin.isatty():
        return {}
    return {one.name: getpass.getpass(f"{one.label}: ") for one in missing}


def _where(field: str, introduction: Introduction) -> str:
    one = next((one for one in introduction.fields if one.name == field), None)
    if one is None or not one.is_secret:
        return f" Use {_option(field)}."
    return f" Give it with --secrets-stdin (a JSON object) or in {_ENVIRON}{field.upper()}."


def _with_consent(kind: str, values: Mapping[str, str], port: int) -> Connected:
    """Prints where to say yes, and waits until somebody did. Raises ConnectProblem, CommandFailed."""
    from inbox import connecting

    door = Returning("127.0.0.1", port)
    try:
        address, kept = connecting.begin(kind, values, door.address)
        print(f"Open this address and allow it:\n\n  {address}\n", file=sys.stderr, flush=True)
        print(
            "Then this command goes on by itself. On another machine, paste here the address that the browser ends at.",
            file=sys.stderr,
            flush=True,
        )
        outcome = door.wait(kept.get("state", ""))
        if not outcome.code:
            raise CommandFailed(f"It was not allowed: “{outcome.error[:200]}”. Nothing was saved.")
        return connecting.finish(kind, values, kept, outcome.code)
    finally:
        door.close()
