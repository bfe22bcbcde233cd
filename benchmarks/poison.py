"""What a poison mail costs against an ordinary byte, and what the mailboxes beside it notice of it."""

from __future__ import annotations

import statistics

from benchmarks.figures import Figure, at_most
from benchmarks.ground import new_home, run_inside
from benchmarks.options import Options

TIMES_A_BYTE = 3.0
TIMES_P99 = 2.0
SECONDS = 20  # of each stretch, calm and poisoned


def run(options: Options) -> list[Figure]:
    rounds = min(options.rounds, 3)
    with new_home() as home:
        cost = run_inside("poison", home, "cost", rounds)
    with new_home() as home:
        beside = run_inside("poison", home, "beside", rounds, SECONDS)
    ordinary = cost.pop("ordinary")
    figures = []
    for name, one in cost.items():
        note = f"{one['seconds']:.2f} s of CPU for {one['bytes'] / 1e6:.2f} MB; ordinary {ordinary['ns']:.0f} ns a byte"
        figures.append(
            at_most(
                "poison", f"{name}: a byte against an ordinary one", one["ns"] / ordinary["ns"], TIMES_A_BYTE, "×", note
            )
        )
    ratios = [poisoned / calm for calm, poisoned in beside["p99"]]
    calm, poisoned = (statistics.median(column) for column in zip(*beside["p99"], strict=True))
    note = (
        f"stored until seen, p99 {calm * 1000:.0f} ms calm, {poisoned * 1000:.0f} ms, {beside['poison']} poison mails"
    )
    figures.append(at_most("poison", "other mailboxes' p99 beside it", statistics.median(ratios), TIMES_P99, "×", note))
    return figures
