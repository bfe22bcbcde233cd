"""balas run: web and jobs as two processes under one parent, so that busy parsing never slows a page."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from web.cli.parts import add_address
from web.env import default_home


def add(commands: Any) -> None:
    run = commands.add_parser(
        "run",
        help="start Balas: pages and jobs, one command",
        epilog="examples: balas run           your own inbox\n          balas run --demo    a shop to play with",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_address(run)
    which = run.add_mutually_exclusive_group()
    which.add_argument(
        "--demo", action="store_true", help="a demo organisation with simulated customers, in its own home"
    )
    which.add_argument("--empty", action="store_true", help="your own home, even from a checkout that ran the demo")
    # For rehearsals and tests: how fast the demo's customers write and answer, in seconds such as 45-120.
    run.add_argument("--demo-pace", default="", help=argparse.SUPPRESS)
    run.add_argument("--demo-answers", default="", help=argparse.SUPPRESS)
    run.set_defaults(act=run_all, before=choose_home)


def choose_home(options: argparse.Namespace) -> None:
    """The demo never mixes with real data: it lives in a folder of its own inside the home."""
    if options.demo:
        home = Path(os.environ.get("BALAS_HOME") or default_home())
        os.environ["BALAS_HOME"] = str(home / "demo")


def run_all(options: argparse.Namespace) -> int:
    from web.cli.supervisor import Supervisor

    pace = [
        part
        for name, value in (("--pace", options.demo_pace), ("--answer-delay", options.demo_answers))
        if value
        for part in (name, value)
    ]
    return Supervisor(options.host, options.port, is_demo=options.demo, pace=pace).run()
