"""balas account readers: which teams may read an account."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from web.cli import CommandFailed
from web.cli.output import write_object


def change(options: argparse.Namespace) -> int:
    """Without a team named here, everybody reads the account; owners and managers always do."""
    from inbox import people
    from web.cli.accounts import get_account

    account = get_account(options.name)
    now = datetime.now(UTC)
    try:
        for name in options.allow:
            people.let_read(people.get_team(name), account, now)
        for name in options.deny:
            people.forbid_reading(people.get_team(name), account, now)
    except people.PersonProblem as problem:
        raise CommandFailed(str(problem)) from None
    teams = people.readers_of(account)
    if options.json:
        write_object({"name": account.name, "readers": teams})
    elif teams:
        print(f"{account.name} is read by {', '.join(teams)}, and by owners and managers.")
    else:
        print(f"{account.name} is read by everybody.")
    return 0
