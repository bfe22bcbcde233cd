"""python -m benchmarks [NAME…] [--size N] [--rounds N] [--large] [--json FILE]"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import acts, ingest, listen, memory, pacing, pages, poison, polling, sends, social, start
from benchmarks.figures import Figure, conditions, table, write_json
from benchmarks.ground import CHECKOUT
from benchmarks.options import Options

BENCHMARKS: dict[str, Callable[[Options], list[Figure]]] = {
    "ingest": ingest.run,
    "social": social.run,
    "poll": polling.run,
    "pacing": pacing.run,
    "listen": listen.run,
    "acts": acts.run,
    "pages": pages.run,
    "sends": sends.run,
    "memory": memory.run,
    "poison": poison.run,
    "start": start.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed and memory, as ratios of one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--size", type=int, default=10_000, help="mails of the corpus (default 10000)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each ratio (default 5)")
    parser.add_argument("--large", action="store_true", help="also 100,000 mails and a million messages")
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: var/bench/<time>.json")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    options = Options(chosen.size, chosen.rounds, chosen.large)
    before, figures = conditions(), []
    for name in chosen.names or BENCHMARKS:
        started, known = time.monotonic(), len(figures)
        figures += BENCHMARKS[name](options)
        # As they come: a long run that is ended has not been for nothing.
        print(table(figures[known:]), flush=True)
        options.say(f"{name}: {time.monotonic() - started:.0f} s")
    path = chosen.json or CHECKOUT / "var" / "bench" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    write_json(path, figures, before, {"size": options.size, "rounds": options.rounds, "large": options.is_large})
    print(f"\nLoad before: {before['load_1m']} on {before['cores']} cores. Written: {path}")
    return 1 if any(one.is_met is False for one in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
