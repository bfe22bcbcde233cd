"""Finished cells in var/soak.json: cell → "" when all was well, else what was wrong."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

PLACE = Path(__file__).resolve().parent.parent.parent / "var" / "soak.json"


@dataclass
class Memory:
    place: Path = PLACE
    cells: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, place: Path = PLACE) -> Memory:
        return cls(place, json.loads(place.read_text()) if place.exists() else {})

    def note(self, cell: str, problem: str) -> None:
        """Durable at once: a soak is stopped whenever somebody needs the machine."""
        self.cells[cell] = problem
        self.place.parent.mkdir(parents=True, exist_ok=True)
        draft = self.place.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(self.cells, indent=1, sort_keys=True))
        draft.replace(self.place)

    def is_done(self, cell: str) -> bool:
        """Finished and well; what was wrong is run again."""
        return self.cells.get(cell) == ""

    def forget(self) -> None:
        self.cells.clear()
        self.place.unlink(missing_ok=True)
