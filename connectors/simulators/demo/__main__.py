"""`python -m connectors.simulators.demo FOLDER`: one JSON line when ready, then mail until SIGTERM."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from connectors.simulators.demo.servers import ANSWER_DELAY, PACE, SEED, DemoServers
from connectors.simulators.demo.social import SocialWorld

PARENT_CHECK = 2.0


def seconds_range(text: str) -> tuple[float, float]:
    """`45-120`, or one number for both ends."""
    first, _, last = text.partition("-")
    low, high = float(first), float(last or first)
    if not 0 < low <= high:
        raise ValueError(text)
    return low, high


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m connectors.simulators.demo", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the mailbox, the password and the ports are kept")
    parser.add_argument("--imap-port", type=int, default=0, help="0 (default): the port of the last run, or a free one")
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=SEED, help="another seed gives another demo")
    parser.add_argument("--pace", type=seconds_range, default=PACE, help="seconds between new mails, such as 45-120")
    parser.add_argument("--answer-delay", type=seconds_range, default=ANSWER_DELAY)
    parser.add_argument("--zone", default="", help="the shop's time zone; default: this machine's")
    parser.add_argument("--quiet", action="store_true", help="no new mail and no answers by themselves")
    parser.add_argument("--empty", action="store_true", help="start without the opening mail")
    parser.add_argument("--no-social", action="store_true", help="mail only, without the social networks")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one is gone")
    return parser.parse_args(arguments)


def run_demo(
    folder: Path,
    *,
    imap_port: int = 0,
    smtp_port: int = 0,
    seed: int = SEED,
    pace: tuple[float, float] = PACE,
    answer_delay: tuple[float, float] = ANSWER_DELAY,
    zone: str = "",
    quiet: bool = False,
    empty: bool = False,
    no_social: bool = False,
    with_parent: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT. Prints one JSON line when both servers accept connections.

    Raises OSError when a port that was asked for is taken. Call it from the main thread: it sets signal handlers.
    """
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    parent = os.getppid()
    social = SocialWorld(folder / "social", seed=seed, pace=pace, answer_delay=answer_delay, quiet=quiet)
    starting = threading.Thread(target=social.start, name="social networks", daemon=True)
    if not no_social:
        starting.start()
    with DemoServers(
        folder,
        imap_port=imap_port,
        smtp_port=smtp_port,
        seed=seed,
        pace=pace,
        answer_delay=answer_delay,
        zone=zone,
        quiet=quiet,
        empty=empty,
    ) as servers:
        ready = {
            "host": "127.0.0.1",
            "imap": servers.imap.port,
            "smtp": servers.smtp.port,
            "address": servers.address,
            "password": servers.password,
            "addresses": list(servers.addresses),
            "zone": servers.world.zone,
        }
        if not no_social:
            starting.join()
            ready |= {"social": [asdict(one) for one in social.connections()], "control": social.control_url}
            social.keep()  # the tokens that were just handed out outlive a kill
        print(json.dumps(ready), flush=True)
        while not ended.wait(PARENT_CHECK):
            if with_parent and os.getppid() != parent:
                break
    social.stop()


if __name__ == "__main__":
    run_demo(**vars(read_arguments(sys.argv[1:])))
