"""Which parts of a text are new. Stored as lengths over the text, so that the words stand in one place only."""

from __future__ import annotations

from collections.abc import Sequence

NEW = "new"


def pieces(text: str, lengths: Sequence[Sequence[object]]) -> list[tuple[str, str]]:
    """(kind, text) runs that, joined, give `text`; without lengths all of it is new."""
    found: list[tuple[str, str]] = []
    at = 0
    for kind, length in lengths:
        size = int(str(length))
        found.append((str(kind), text[at : at + size]))
        at += size
    if at < len(text):
        found.append((NEW, text[at:]))
    return found


def visible(text: str, lengths: Sequence[Sequence[object]]) -> str:
    """What is shown unfolded: without quoted history and signature; never empty when the text is not."""
    if not lengths:
        return text.strip()
    shown = "\n".join(piece.strip("\n") for kind, piece in pieces(text, lengths) if kind == NEW).strip()
    return shown or text.strip()
