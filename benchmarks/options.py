"""How much a run does."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    size: int = 10_000  # mails of the corpus
    rounds: int = 5
    is_large: bool = False  # sizes that take many minutes

    def say(self, words: str) -> None:
        print(words, file=sys.stderr, flush=True)
