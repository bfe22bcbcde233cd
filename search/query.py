"""The search language: what a person types, as a tree. Pure, bounded, and never an error.

    word word      both, in any order        "two words"    next to each other
    pre*           words that begin so       from:budi      the sender's name or address (from:"budi s", from:bu* too)

Whatever does not parse is read as words: an unclosed quote ends at the end, an unknown field is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from search.fold import fold, is_run

LENGTH = 1000  # characters of a query that are read
TERMS = 32  # words, phrases and fields; also the tokens of one phrase

TEXT = "text"  # subject, text, names of attachments, people
FROM = "from"  # the sender alone
_FIELDS = {"from": FROM}
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"') | {"＊": "*", "：": ":"})
_TERM = re.compile(r'(?:(?P<field>[^\W\d_]{1,20}):\s*)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class Word:
    token: str
    field: str = TEXT


@dataclass(frozen=True, slots=True)
class Prefix:
    token: str
    field: str = TEXT


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens that follow each other in one field. Two or more."""

    tokens: tuple[str, ...]
    field: str = TEXT


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Node, ...]


Node: TypeAlias = Word | Prefix | Phrase | All | Either


@dataclass(frozen=True, slots=True)
class Query:
    """`root` is None when nothing in the text can be searched for. `is_cut`: more was typed than is read."""

    root: Node | None
    is_cut: bool = False


def parse_query(text: str) -> Query:
    is_cut = len(text) > LENGTH
    parts: list[Node] = []
    for match in _TERM.finditer(text[:LENGTH].translate(_QUOTES)):
        name = match["field"]
        field = _FIELDS.get(name.lower(), "") if name else TEXT
        phrase, word = match["phrase"], match["word"]
        if name and not field:
            # Not a field of ours: "re:invoice" is text, with the name as its first word.
            field, word, phrase = TEXT, None if phrase is not None else f"{name}:{word}", phrase
        node = _phrase(phrase, field) if phrase is not None else _word(word or "", field)
        if node is None:
            continue
        if len(parts) == TERMS:
            return Query(All(tuple(parts)), True)
        if node not in parts:
            parts.append(node)
    if not parts:
        return Query(None, is_cut)
    return Query(parts[0] if len(parts) == 1 else All(tuple(parts)), is_cut)


def leaves(node: Node) -> list[Word | Prefix | Phrase]:
    if isinstance(node, All | Either):
        return [leaf for part in node.parts for leaf in leaves(part)]
    return [node]


def _phrase(text: str, field: str) -> Node | None:
    return _exact(fold(text).words, field)


def _word(text: str, field: str) -> Node | None:
    folded = fold(text)
    words = folded.words
    if not words:
        return None
    whole = folded.wholes[0] if len(folded.wholes) == 1 and folded.wholes[0] == "".join(words) else ""
    if text.rstrip().endswith("*"):
        return _prefix(words, whole, field)
    exact = _exact(words, field)
    if whole and exact is not None:
        return Either((Word(whole, field), exact))
    return exact


def _exact(words: list[str], field: str) -> Node | None:
    if not words:
        return None
    if len(words) > 1:
        return Phrase(tuple(words[:TERMS]), field)
    # One character of an unspaced script: it begins a pair, or ends its run.
    return Prefix(words[0], field) if is_run(words[0]) and len(words[0]) == 1 else Word(words[0], field)


def _prefix(words: list[str], whole: str, field: str) -> Node | None:
    if whole:
        return Prefix(whole, field)
    last = words[-1]
    if is_run(last):
        return _exact(words, field)  # pairs match inside a run already
    if len(words) > 1:
        head = _exact(words[:-1], field)
        tail = _beginning(last, field)
        return All((head, tail)) if head is not None else tail
    return _beginning(last, field)


def _beginning(token: str, field: str) -> Node:
    # A single letter begins a large part of any index; it is searched as the word it is.
    return Prefix(token, field) if len(token) > 1 else Word(token, field)
