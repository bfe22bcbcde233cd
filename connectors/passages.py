"""The kinds of passages of a text, and which of them are seen without unfolding anything: decided here alone."""

from __future__ import annotations

from collections.abc import Iterable

NEW, QUOTE, SIGNATURE, FOOTER = "new", "quote", "signature", "footer"


def is_shown(kind: str) -> bool:
    return kind == NEW


def shown(runs: Iterable[tuple[str, str]]) -> str:
    """What is seen of (kind, text) runs: a fold between two passages parts them like an empty line.

    Never empty when there is any text.
    """
    runs = list(runs)
    new = [text.strip("\n") for kind, text in runs if is_shown(kind) and text.strip()]
    return "\n\n".join(new).strip() or "".join(text for _kind, text in runs).strip()
