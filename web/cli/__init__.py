"""The command line: a contract (docs/cli.md). Names, JSON fields and exit codes stay.

Exit codes: 0 done · 1 something was found wrong or failed · 2 wrong usage · 3 the set-up is incomplete.
Results go to stdout; progress and errors to stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

from web.env import BadSetting

# Each module offers `add(commands)`; they import Django only when a command runs, so that --help is quick.
_MODULES = ("run", "parts", "people", "accounts", "mail", "facts", "searching", "safety", "upkeep")


class CommandFailed(Exception):
    """Something was found wrong: one sentence, exit code 1."""


class SetupIncomplete(Exception):
    """What to set, and where: exit code 3."""


class WrongUsage(Exception):
    """The command cannot be meant like this: exit code 2."""


class Parser(argparse.ArgumentParser):
    """`later` adds what belongs to it when it is really asked: what costs time to know, such as a kind's fields."""

    later: Callable[[Parser], None] | None = None

    def fill(self) -> None:
        later, self.later = self.later, None
        if later:
            later(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.fill()
        return super().parse_known_args(args, namespace)

    def format_help(self) -> str:
        self.fill()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"balas: {message}\n")


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="balas",
        description="One inbox for everything customers write to you. Start with: balas run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version="balas 0.1.0")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name in _MODULES:
        import_module(f"web.cli.{name}").add(commands)
    return parser


def set_up() -> None:
    """Django, ready for use. Raises SetupIncomplete for settings that cannot be meant."""
    os.umask(0o077)  # whatever is written into a home is its owner's alone
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
    import django

    try:
        django.setup()
    except BadSetting as error:
        raise SetupIncomplete(str(error)) from None


def _refuse_bad_settings() -> None:
    """Raises SetupIncomplete for what `balas check` would call an error."""
    from django.core.checks import ERROR, run_checks  # Django is set up only now

    wrong = [message for message in run_checks(tags=["balas"]) if message.level >= ERROR]
    if wrong:
        raise SetupIncomplete("\n  ".join(f"{one.msg} {one.hint or ''}".strip() for one in wrong))


def main(arguments: list[str] | None = None) -> int:
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        if before := getattr(options, "before", None):
            before(options)
        set_up()
        if options.command != "check":
            _refuse_bad_settings()
        return int(options.act(options) or 0)
    except WrongUsage as error:
        print(f"balas: {error}", file=sys.stderr)
        return 2
    except CommandFailed as error:
        print(f"balas: {error}", file=sys.stderr)
        return 1
    except (SetupIncomplete, BadSetting) as error:
        print(f"balas: {error}", file=sys.stderr)
        return 3
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from inbox.disk import is_full  # Django is set up by now, or nothing was opened

        if not is_full(error):
            raise
        print("balas: The disk is full. Make room and run the same again: it goes on where it was.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("balas: stopped. The same command goes on where it was.", file=sys.stderr)
        return 130


def entry() -> None:
    sys.exit(main())
