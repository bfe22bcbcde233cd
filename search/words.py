"""The words of a message as the index holds them, worked out where the mail is read: pure, and without Django.

A parser's process calls `prepare` (connectors/offload.py), so that folding costs the writer of the database nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from search.fold import Folded, cut_to_bytes, fold

GAP = "\u241e"  # stands between fields, where no phrase may reach across; folding never produces it

Words = tuple[str, str, bool]
"""Tokens in the order of reading with spaces between; wholes likewise, each once; whether the text was cut."""


def prepare(subject: str, text: str) -> Words:
    """Of a subject and a text as they are stored."""
    body, is_truncated = cut_to_bytes(text)
    parts = [fold(part) for part in (subject, body) if part]
    return " ".join(with_gaps(parts)), " ".join(wholes_of(parts)), is_truncated


def with_gaps(parts: Sequence[Folded]) -> list[str]:
    if len(parts) == 1:
        return parts[0].words
    tokens: list[str] = []
    for part in parts:
        if tokens:
            tokens.append(GAP)
        tokens += part.words
    return tokens


def wholes_of(parts: Iterable[Folded]) -> list[str]:
    return list(dict.fromkeys(token for part in parts for token in (*part.wholes, *part.ends)))
