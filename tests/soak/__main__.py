"""python -m tests.soak [--only kills|smtp|mails|imap|fuzz] [--minutes N] [--afresh]"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.soak.memory import Memory
from tests.soak.parts import Part, open_parts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--only", choices=("kills", "smtp", "mails", "imap", "fuzz"))
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long (default: until all is done)")
    parser.add_argument("--afresh", action="store_true", help="forget what was finished before")
    options = parser.parse_args()
    memory = Memory.read()
    if options.afresh:
        memory.forget()
    until = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
    with tempfile.TemporaryDirectory(prefix="balas-soak-") as folder, open_parts(Path(folder)) as parts:
        chosen = [part for part in parts if options.only in (None, part.name)]
        for part in chosen:
            _run(part, memory, until)
        return _table(chosen, memory)


def _run(part: Part, memory: Memory, until: float) -> None:
    cells = part.cells()
    left = [cell for cell in cells if not memory.is_done(f"{part.name} {cell}")]
    started, wrong = time.monotonic(), 0
    for number, cell in enumerate(left, len(cells) - len(left) + 1):
        if time.monotonic() > until:
            break
        problem = part.run(cell)
        memory.note(f"{part.name} {cell}", problem)
        if problem:
            wrong += 1
            print(f"\n{part.name} {cell}:\n{problem}", flush=True)
        if number % 10 == 0 or part.name == "fuzz" or problem:
            seconds = time.monotonic() - started
            print(f"{part.name}: {number} of {len(cells)}, {wrong} wrong, {seconds:.0f} s  ({cell})", flush=True)


def _table(parts: list[Part], memory: Memory) -> int:
    print(f"\n{'PART':<8}{'CELLS':>8}{'WELL':>8}{'WRONG':>8}{'LEFT':>8}")
    total: Counter[str] = Counter()
    for part in parts:
        found = [memory.cells.get(f"{part.name} {cell}") for cell in part.cells()]
        well, left = found.count(""), found.count(None)
        wrong = len(found) - well - left
        total.update(wrong=wrong)
        print(f"{part.name:<8}{len(found):>8}{well:>8}{wrong:>8}{left:>8}")
    return 1 if total["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
