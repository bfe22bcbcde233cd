"""A mailbox in a real Dovecot → queue and index, beside the obvious loop (L0) and the floor (L1)."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, at_least
from benchmarks.ground import USER, full_mailbox, median, new_home, run_inside, settings_of, spread
from benchmarks.options import Options
from tests.servers.dovecot import Dovecot

LOOPS = ("obvious", "floor", "balas")
NEEDED, AIM, AIM_OF_FLOOR = 1.5, 8.0, 0.5


def run(options: Options) -> list[Figure]:
    rounds: list[dict[str, dict[str, Any]]] = []
    with full_mailbox(options.size) as server:
        for number in range(options.rounds):
            order = list(LOOPS)
            random.Random(number).shuffle(order)
            rounds.append({name: _once(name, server, options.size) for name in order})
            rate = {name: found["mails"] / found["seconds"] for name, found in rounds[-1].items()}
            options.say(f"ingest round {number + 1}: " + ", ".join(f"{name} {rate[name]:,.0f}/s" for name in LOOPS))
    return _figures(rounds)


def _once(name: str, server: Dovecot, size: int) -> dict[str, Any]:
    if name == "balas":
        with new_home() as home:
            found = run_inside("ingest", home, settings_of(server), server.password)
    else:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            path = Path(folder) / "mail.sqlite3"
            found = run_inside("loops", None, name, server.port, server.password, USER, path)
    if found["mails"] != size or (name == "balas" and not (found["hits"] and found["due"])):
        raise AssertionError(f"{name} did not bring in everything: {found}")
    return found


def _figures(rounds: Sequence[dict[str, dict[str, Any]]]) -> list[Figure]:
    def rates(name: str) -> list[float]:
        return [one[name]["mails"] / one[name]["seconds"] for one in rounds]

    def ratios(reference: str) -> list[float]:
        return [ours / theirs for ours, theirs in zip(rates("balas"), rates(reference), strict=True)]

    found = []
    for name in LOOPS:
        cpu = [one[name]["cpu"] / one[name]["mails"] * 1e6 for one in rounds]
        label = {"obvious": "L0, the obvious loop", "floor": "L1, the floor", "balas": "balas"}[name]
        found.append(Figure("ingest", label, median(rates(name)), "mails/s", note=spread(rates(name))))
        found.append(Figure("ingest", f"{label}: CPU per mail", median(cpu), "µs", note=spread(cpu)))
    of_obvious, of_floor = ratios("obvious"), ratios("floor")
    needed = f"rounds {spread(of_obvious)}; the aim is {AIM:g}"
    found.append(at_least("ingest", "balas / L0", median(of_obvious), NEEDED, "×", needed))
    found.append(Figure("ingest", "balas / L1", median(of_floor), "×", note=f"aim {AIM_OF_FLOOR}; {spread(of_floor)}"))
    return found
