"""From the command `balas run` (installed, migrated home) to the first page that is answered."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.figures import Figure, at_most
from benchmarks.ground import median, new_home, spread
from benchmarks.options import Options
from benchmarks.processes import running_balas

SECONDS = 3.0
_REFERENCE = "import asyncio, sqlite3, ssl, json, email, http.server"


def run(options: Options) -> list[Figure]:
    ours, bare = [], []
    with new_home() as home:
        for _ in range(options.rounds + 1):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", _REFERENCE], check=True)
            bare.append(time.perf_counter() - started)
            with running_balas(home) as found:
                ours.append(found.seconds)
    ours, bare = ours[1:], bare[1:]  # the first one fills the page cache
    ratio = median([one / other for one, other in zip(ours, bare, strict=True)])
    return [
        at_most("start", "balas run → first page", median(ours), SECONDS, "s", spread(ours)),
        Figure("start", "against python + stdlib imports", ratio, "×", note=f"{median(bare) * 1e3:.0f} ms"),
    ]
