"""Reads the content files and says what words mean in them.

In any text `{wd-2}` is the weekday two days before the mail is written, `{work+2}` the weekday two days after it or
the next one on which the shop works, and `{d+7}` the date a week after it, all in the writer's language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "id", "ro")
DOMAIN = "tasbora.example"
BOXES = ("hello", "bantuan", "ajutor", "grosir")
ADDRESSES = tuple(f"{box}@{DOMAIN}" for box in BOXES)
PRODUCTS = ("Pasat 28", "Pasat 40", "Selasar", "Layar 55", "Layar 68", "Bumi", "Kelana", "Lereng 12")

_FOLDER = Path(__file__).parent / "content"
_RELATIVE = re.compile(r"\{(wd|work|d)([+-]\d{1,3})\}")
_GAP = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m?)?")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes mail. `client` names the mail program, see `programs.py`."""

    name: str
    address: str
    language: str
    client: str
    signature: str = ""


@cache
def read(name: str) -> Mapping[str, Any]:
    """One content file, without its ending. Raises FileNotFoundError and TOMLDecodeError: both are our own mistakes."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def phrases(language: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = read("phrases")[language]
    return found


def read_gap(text: str) -> timedelta:
    """`1d2h30` is a day, two hours and thirty minutes. Raises ValueError."""
    match = _GAP.fullmatch(text)
    if match is None or not text:
        raise ValueError(f"Not a gap: {text!r}")
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def fill_dates(text: str, written_at: datetime, language: str) -> str:
    """`written_at` is in the writer's own zone."""
    words = phrases(language)

    def named(match: re.Match[str]) -> str:
        day = written_at + timedelta(days=int(match[2]))
        if match[1] == "work" and day.weekday() > 4:
            day += timedelta(days=7 - day.weekday())
        if match[1] != "d":
            return str(words["weekdays"][day.weekday()])
        return f"{day.day} {words['months'][day.month - 1]}"

    return _RELATIVE.sub(named, text.strip("\n"))
