"""Which parts of a stored text are new: for pages, previews, exports and quotes in replies alike.

Stored as [[kind, length]] over the text, so that the words stand in one place only; empty when all of it is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.messages import ParsedMessage
from connectors.passages import NEW, is_shown, shown

__all__ = ["is_shown", "lengths_of", "pieces", "preview", "visible"]

PREVIEW_READ = 20_000  # characters of a text that a preview is made from
Lengths = Sequence[Sequence[Any]]


def lengths_of(parsed: ParsedMessage) -> list[list[Any]]:
    """As stored. Passages that do not add up to the text are worth nothing: then all of it is new."""
    passages = parsed.passages
    if all(passage.kind == NEW for passage in passages):
        return []
    if sum(len(passage.text) for passage in passages) != len(parsed.text):
        return []
    return [[passage.kind, len(passage.text)] for passage in passages]


def pieces(text: str, lengths: Lengths) -> list[tuple[str, str]]:
    """(kind, text) runs that, joined, give `text`; where nothing of it would be seen, all of it is new."""
    found: list[tuple[str, str]] = []
    at = 0
    for kind, length in lengths:
        size = int(length)
        found.append((str(kind), text[at : at + size]))
        at += size
    if at < len(text):
        found.append((NEW, text[at:]))
    if not any(is_shown(kind) and piece.strip() for kind, piece in found):
        return [(NEW, text)] if text else []
    return found


def visible(text: str, lengths: Lengths) -> str:
    """What is seen unfolded; never empty when `text` is not. `text` may be the beginning of the text only."""
    return shown(pieces(text, lengths)) if lengths else text.strip()


def preview(text: str, lengths: Lengths) -> str:
    """One line of at most 240 characters for a list, from the first PREVIEW_READ characters of a text."""
    # Of 121 words and what follows, 240 characters are never more than the words.
    return " ".join(visible(text[:PREVIEW_READ], lengths)[:1200].split(None, 121))[:240]
