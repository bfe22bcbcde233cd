"""What a benchmark found: one figure with its goal, printed as a line of a table and written as JSON."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """`goal` is a bound on `value`: at least (`is_floor`) or at most. None: only told."""

    benchmark: str
    name: str
    value: float
    unit: str = ""
    goal: float | None = None
    is_floor: bool = False
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value >= self.goal if self.is_floor else self.value <= self.goal


def at_least(benchmark: str, name: str, value: float, goal: float, unit: str = "", note: str = "") -> Figure:
    return Figure(benchmark, name, value, unit, goal, True, note)


def at_most(benchmark: str, name: str, value: float, goal: float, unit: str = "", note: str = "") -> Figure:
    return Figure(benchmark, name, value, unit, goal, False, note)


def table(figures: Sequence[Figure]) -> str:
    rows = [("BENCHMARK", "FIGURE", "VALUE", "GOAL", "", "NOTE")]
    for one in figures:
        goal = "" if one.goal is None else f"{'≥' if one.is_floor else '≤'} {_number(one.goal)}"
        word = {True: "ok", False: "MISSED", None: ""}[one.is_met]
        rows.append((one.benchmark, one.name, f"{_number(one.value)} {one.unit}".strip(), goal, word, one.note))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]).rstrip()
        for row in rows
    )


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def conditions() -> dict[str, object]:
    """What the figures depend on."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "machine": platform.machine(),
    }


def write_json(path: Path, figures: Sequence[Figure], before: dict[str, object], options: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    found = [{**asdict(one), "is_met": one.is_met} for one in figures]
    text = {"conditions": {**before, "load_1m_after": round(os.getloadavg()[0], 2)}, "options": options}
    path.write_text(json.dumps({**text, "figures": found}, indent=1, ensure_ascii=False) + "\n")
