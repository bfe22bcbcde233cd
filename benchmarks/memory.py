"""Memory: web and jobs idle over the demo's data, and the peak of a drain as the mailbox grows."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, at_most
from benchmarks.ground import full_mailbox, new_home, run_inside, settings_of
from benchmarks.options import Options
from benchmarks.processes import memory_of, running_balas, wait_until_quiet

GROWTH = 1.15


def run(options: Options) -> list[Figure]:
    return _idle(options) + _drains(options)


def _idle(options: Options) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-demo-") as folder, running_balas(Path(folder), "--demo") as found:
        processes = found.children()
        wait_until_quiet([processes["web"], processes["jobs"]])
        memory = {name: memory_of(process) for name, process in processes.items()}
    figures = [
        Figure("memory", f"{name}, idle with the demo's data", memory[name]["pss"], "MB PSS", note=_rss(memory[name]))
        for name in ("web", "jobs", "customers")
        if name in memory
    ]
    both = memory["web"]["pss"] + memory["jobs"]["pss"]
    return [*figures, Figure("memory", "web + jobs, idle", both, "MB PSS", note="told, without a goal yet")]


def _rss(memory: dict[str, float]) -> str:
    return f"RSS {memory['rss']:.0f} MB"


def _drains(options: Options) -> list[Figure]:
    sizes = [max(options.size // 5, 200), options.size] + ([options.size * 10] if options.is_large else [])
    found: list[dict[str, Any]] = []
    for size in sizes:
        options.say(f"memory: draining {size:,}")
        with full_mailbox(size) as server, new_home() as home:
            found.append(run_inside("ingest", home, settings_of(server), server.password))
    figures = [
        Figure(
            "memory",
            f"peak RSS, {size:,} mails",
            one["peak_mb"],
            "MB",
            note=f"children {one['children_peak_mb']:.0f} MB each",
        )
        for size, one in zip(sizes, found, strict=True)
    ]
    for before, after, small, large in zip(sizes, sizes[1:], found, found[1:], strict=False):
        name = f"{before:,} → {after:,}"
        own = large["own_mb"] / small["own_mb"]
        figures.append(Figure("memory", f"own pages, {name}", own, "×", note="without mapped files"))
        figures.append(at_most("memory", f"peak RSS, {name}", large["peak_mb"] / small["peak_mb"], GROWTH, "×"))
    return figures
