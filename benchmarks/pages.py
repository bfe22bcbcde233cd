"""The queue and the conversation page at growing sizes: exact counts first, time as growth between two homes."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, at_most
from benchmarks.ground import median, new_home, run_inside, spread
from benchmarks.options import Options

STATEMENTS, GROWTH = 8, 1.3
_REPEATS = 25


@dataclass(frozen=True, slots=True)
class _Home:
    size: int
    path: Path
    short: int
    long: int

    def pages(self) -> dict[str, str]:
        return {
            "queue": "/q/open",
            "all": "/q/all",
            "conversation of 10": f"/c/{self.short}?tab=open",
            "conversation of 1,000": f"/c/{self.long}?tab=open",
        }


def run(options: Options) -> list[Figure]:
    first = min(max(options.size, 5_000), 10_000)  # fewer do not fill one page of the queue
    sizes = [first, first * (10 if options.size >= first else 5)] + ([1_000_000] if options.is_large else [])
    with ExitStack() as stack:
        homes = []
        for size in sizes:
            path = stack.enter_context(new_home())
            options.say(f"pages: filling {size:,} messages")
            homes.append(_Home(size, path, **run_inside("fill", path, size)))
        rounds = [[_visit(home) for home in homes] for _ in range(options.rounds)]
    return _counts(homes, rounds[-1]) + _growth(homes, rounds)


def _visit(home: _Home) -> dict[str, dict[str, Any]]:
    pages = home.pages()
    found = run_inside("pages", home.path, _REPEATS, *pages.values())
    return {name: found[address] for name, address in pages.items()}


def _counts(homes: list[_Home], visits: list[dict[str, dict[str, Any]]]) -> list[Figure]:
    figures = []
    for name in homes[0].pages():
        statements = [visit[name]["statements"] for visit in visits]
        counted = [visit[name]["counted"] for visit in visits]
        figures.append(at_most("pages", f"{name}: statements", max(statements), STATEMENTS))
        figures.append(at_most("pages", f"{name}: statements that COUNT rows", max(counted), 0))
    return figures


def _growth(homes: list[_Home], rounds: list[list[dict[str, dict[str, Any]]]]) -> list[Figure]:
    figures = []
    first = homes[0]
    for number, home in enumerate(homes[1:], start=1):
        span = f"{first.size:,} → {home.size:,}"
        for name in first.pages():
            times = [visits[number][name]["ms"] / visits[0][name]["ms"] for visits in rounds]
            steps = rounds[-1][number][name]["steps"] / rounds[-1][0][name]["steps"]
            ms = median([visits[number][name]["ms"] for visits in rounds])
            figures.append(at_most("pages", f"{name}: time, {span}", median(times), GROWTH, "×", spread(times)))
            figures.append(at_most("pages", f"{name}: VM steps, {span}", steps, GROWTH, "×", f"{ms:.1f} ms a page"))
    long = [visits[0]["conversation of 1,000"]["steps"] / visits[0]["conversation of 10"]["steps"] for visits in rounds]
    figures.append(Figure("pages", "1,000 messages / 10 messages, VM steps", median(long), "×", note="100 are shown"))
    return figures
