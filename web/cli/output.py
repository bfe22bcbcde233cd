"""How results and progress are written."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO


def jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def rfc3339(value: datetime | None) -> str | None:
    """RFC 3339 in UTC, or None."""
    if value is None:
        return None
    text = value.astimezone(UTC).isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=jsonable)


def write_object(value: Any, file: TextIO | None = None) -> None:
    print(dump(value), file=file or sys.stdout)


def write_table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Columns set side by side, numbers to the right; plain text that pastes well."""
    cells = [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    widths = [max([len(head), *(len(row[i]) for row in cells)]) for i, head in enumerate(heads)]
    numeric = [
        bool(cells) and all(row[i].replace(",", "").isdigit() or not row[i] for row in cells) for i in range(len(heads))
    ]
    for row in [list(heads), *cells]:
        line = [cell.rjust(widths[i]) if numeric[i] else cell.ljust(widths[i]) for i, cell in enumerate(row)]
        print("  ".join(line).rstrip())


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable output: one object, or one a line")


class Progress:
    """A bar with rate and remaining time on a terminal; a plain line every few seconds elsewhere."""

    def __init__(self, label: str, total: int | None = None) -> None:
        self.label, self.total, self.done = label, total, 0
        self._started = time.monotonic()
        self._shown = 0.0
        self._on_terminal = sys.stderr.isatty()

    def advance(self, done: int, total: int | None = None) -> None:
        self.done = done
        if total is not None:
            self.total = total
        pause = 0.1 if self._on_terminal else 5.0
        if time.monotonic() - self._shown >= pause:
            self._show()

    def _show(self) -> None:
        self._shown = time.monotonic()
        rate = self.done / max(self._shown - self._started, 0.001)
        text = f"{self.label}: {self.done:,}"
        if self.total:
            left = max(self.total - self.done, 0) / rate if rate else 0
            text += f" of {self.total:,} ({self.done * 100 // self.total} %), {rate:,.0f}/s, {_duration(left)} left"
            if self._on_terminal:
                filled = min(30, 30 * self.done // self.total)
                text = f"[{'█' * filled}{'·' * (30 - filled)}] {text}"
        else:
            text += f", {rate:,.0f}/s"
        print(f"\r\x1b[2K{text}" if self._on_terminal else text, end="" if self._on_terminal else "\n", file=sys.stderr)
        sys.stderr.flush()

    def close(self) -> None:
        if self.done or self._shown:
            self._show()
            if self._on_terminal:
                print(file=sys.stderr)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
