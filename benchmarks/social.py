"""Posts of a social network, from the shelf into inbox and index, beside as many mails."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.figures import Figure, at_least
from benchmarks.ground import median, new_home, run_inside, spread
from benchmarks.options import Options

NEEDED = 0.8


def run(options: Options) -> list[Figure]:
    rounds: list[dict[str, dict[str, Any]]] = []
    for number in range(options.rounds):
        order = ["mail", "social"]
        random.Random(number).shuffle(order)
        found: dict[str, dict[str, Any]] = {}
        for kind in order:
            with new_home() as home:
                found[kind] = run_inside("digesting", home, kind, options.size)
            if found[kind]["taken"] != options.size or found[kind]["messages"] < options.size * 0.8:
                raise AssertionError(f"{kind} did not bring in everything: {found[kind]}")
        rounds.append(found)
        rate = {kind: options.size / one["seconds"] for kind, one in found.items()}
        options.say(f"social round {number + 1}: mail {rate['mail']:,.0f}/s, social {rate['social']:,.0f}/s")
    figures = []
    for kind in ("mail", "social"):
        rates = [options.size / one[kind]["seconds"] for one in rounds]
        cpu = [one[kind]["cpu"] / options.size * 1e6 for one in rounds]
        figures.append(Figure("social", f"digest of {kind}", median(rates), "items/s", note=spread(rates)))
        figures.append(Figure("social", f"digest of {kind}: CPU per item", median(cpu), "µs", note=spread(cpu)))
    ratios = [one["mail"]["seconds"] / one["social"]["seconds"] for one in rounds]
    figures.append(at_least("social", "social / mail", median(ratios), NEEDED, "×", spread(ratios)))
    return figures
