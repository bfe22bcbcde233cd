"""The piece of the original text that shows why a message was found, with the ranges that answer the query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from search.backend import Passage
from search.fold import TOKEN_LENGTH, fold_text, is_run, normalise
from search.query import TEXT, Node, Phrase, Word, leaves

LENGTH = 180  # characters of a passage
READ = 100_000  # characters of a text that are looked through

_BEFORE = 50  # characters shown before the first hit
_PIECE = 2_000  # characters that are cut at a time
_CHUNK = re.compile(r"\S+")
_LATIN = re.compile(r"[A-Za-z0-9]+")
_SPACE = re.compile(r"\s")


class Needles:
    """What a query looks for in the text itself."""

    def __init__(self, root: Node) -> None:
        found = [leaf for leaf in leaves(root) if leaf.field == TEXT]
        self.phrases = [leaf.tokens for leaf in found if isinstance(leaf, Phrase)]
        self.words = {leaf.token for leaf in found if isinstance(leaf, Word)}
        self.beginnings = tuple(leaf.token for leaf in found if not isinstance(leaf, Phrase | Word))
        self._latin = self._expression()

    def find(self, text: str) -> list[tuple[int, int]]:
        """Ranges of `text` that answer, in order: those near the first one. Those that touch are one range."""
        line = normalise(text)
        if line.isascii() and len(line) == len(text):
            first = self._latin.search(line)
            if first is None:
                return []
            near = self._latin.finditer(line, first.start(), first.start() + LENGTH)
            return _joined([match.span() for match in near])
        for start in range(0, len(text), _PIECE):
            # Read on into the next piece, for phrases that lie across the edge.
            ranges = self._ranges(list(cut(text[start : start + _PIECE + LENGTH])))
            if ranges:
                return [(start + low, start + high) for low, high in ranges]
        return []

    def _ranges(self, tokens: list[tuple[str, int, int]]) -> list[tuple[int, int]]:
        ranges = [
            (start, end)
            for token, start, end in tokens
            if token in self.words or (self.beginnings and token.startswith(self.beginnings))
        ]
        for phrase in self.phrases:
            ranges += _places(phrase, tokens)
        return _joined(sorted(ranges))

    def _expression(self) -> re.Pattern[str]:
        """The same for text that folds to ASCII letter by letter, which most text does; far faster."""
        words = sorted({*self.phrases, *((word,) for word in self.words)}, key=len, reverse=True)
        ways = ["[^a-z0-9]+".join(way) + "(?![a-z0-9])" for way in words if "".join(way).isascii()]
        ways += [f"{token}[a-z0-9]*" for token in self.beginnings if token.isascii()]
        return re.compile(f"(?<![a-z0-9])(?:{'|'.join(ways)})" if ways else r"(?!)")


def make_passage(text: str, needles: Needles) -> Passage:
    """About 180 characters around the first place that answers; the beginning of the text when no place does."""
    marks = needles.find(text[:READ])
    start = _start(text, marks[0][0]) if marks else 0
    end = min(len(text), start + LENGTH)
    lead = "…" if start else ""
    piece = lead + _SPACE.sub(" ", text[start:end]) + ("…" if end < len(text) else "")
    shift = len(lead) - start
    shown = tuple((a + shift, min(b, end) + shift) for a, b in marks if a < end)
    return Passage(piece, shown)


def cut(text: str) -> Iterator[tuple[str, int, int]]:
    """The tokens of `text`, as folding gives them, each with the range it stands at."""
    for chunk in _CHUNK.finditer(text):
        if chunk[0].isascii():
            for word in _LATIN.finditer(chunk[0]):
                yield word[0].lower()[:TOKEN_LENGTH], chunk.start() + word.start(), chunk.start() + word.end()
        else:
            for token, start, end in _cut_chunk(chunk[0]):
                yield token, chunk.start() + start, chunk.start() + end


@lru_cache(maxsize=2048)
def _cut_chunk(chunk: str) -> list[tuple[str, int, int]]:
    line, origins = _aligned(chunk)
    found = []
    at = 0
    for token in fold_text(line):
        place = line.find(token, at)
        if place < 0:
            continue
        found.append((token, origins[place], origins[place + len(token) - 1] + 1))
        # The pairs of an unspaced run overlap by one character.
        at = place + (1 if is_run(token) and len(token) == 2 else len(token))
    return found


def _aligned(chunk: str) -> tuple[str, list[int]]:
    """The chunk in its folded form, and for each character of that the character it came from."""
    line: list[str] = []
    origins: list[int] = []
    for at, char in enumerate(chunk):
        folded = normalise(char)
        line.append(folded)
        origins += [at] * len(folded)
    return "".join(line), origins


def _places(phrase: tuple[str, ...], tokens: list[tuple[str, int, int]]) -> list[tuple[int, int]]:
    count = len(phrase)
    return [
        (tokens[at][1], tokens[at + count - 1][2])
        for at in range(len(tokens) - count + 1)
        if tokens[at][0] == phrase[0] and all(tokens[at + n][0] == phrase[n] for n in range(1, count))
    ]


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in ranges:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _start(text: str, first: int) -> int:
    """Where the passage begins: at a word's beginning, a little before the first hit."""
    if first <= _BEFORE:
        return 0
    space = text.find(" ", first - _BEFORE, first)
    return space + 1 if space >= 0 else first - _BEFORE
