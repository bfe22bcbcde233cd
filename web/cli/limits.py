"""What an account may cost that is connected on the command line."""

from __future__ import annotations

import argparse
from datetime import datetime
from decimal import Decimal

from inbox.rules.metering import DAILY_MICROS, MONTHLY_MICROS
from web.cli import CommandFailed

_UNSAID = -1


def add_options(parser: argparse.ArgumentParser) -> None:
    """Of kinds that charge. Who connects another server than the platform's own pays nobody, so nothing is limited
    there unless it is asked for."""
    for name, micros in (("daily", DAILY_MICROS), ("monthly", MONTHLY_MICROS)):
        parser.add_argument(
            f"--{name}-budget",
            type=_micros_of,
            default=_UNSAID,
            metavar="DOLLARS",
            help=f"or “none” (default: {micros // 1_000_000}; with --base-url none)",
        )


def _micros_of(text: str) -> int | None:
    if text.strip().lower() == "none":
        return None
    try:
        micros = int(Decimal(text) * 1_000_000)
    except (ArithmeticError, ValueError):
        micros = -1
    if micros < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no sum of dollars, such as 5 or 0.50, and not “none”")
    return micros


def limits_of(options: argparse.Namespace) -> tuple[int | None, int | None] | None:
    """A day's and a month's, in millionths of a dollar; None for a kind that charges nothing."""
    if "daily_budget" not in options:
        return None
    daily, monthly = options.daily_budget, options.monthly_budget
    if daily == _UNSAID:
        daily = None if options.base_url else DAILY_MICROS
    if monthly == _UNSAID:
        monthly = None if options.base_url else MONTHLY_MICROS
    return daily, monthly


def keep(account_id: int, options: argparse.Namespace, now: datetime) -> None:
    """Raises CommandFailed; the account stays connected."""
    from inbox import budgets

    limits = limits_of(options)
    if limits is None:
        return
    daily, monthly = limits
    percent = budgets.find_budget(account_id).soft_percent
    try:
        budgets.change(
            account_id, daily_micros=daily, monthly_micros=monthly, soft_percent=percent, actor="cli", now=now
        )
    except budgets.BudgetProblem as problem:
        raise CommandFailed(f"{problem} It is connected without a budget.") from None
