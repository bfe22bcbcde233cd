"""Folding and cutting text into the tokens that every index gets and every query is made of.

NFKC, casefold, marks stripped, then cut: a token holds only ASCII letters and digits, or only non-ASCII letters and
digits, so FTS5's `ascii` tokenizer, Elasticsearch's `whitespace` analyzer and PostgreSQL's lexemes agree on it.
Runs of scripts written without spaces become overlapping pairs of characters. What people write with connectors
(tb-20418, budi@example.com, e-mail) gives its parts in the order of reading, and the whole as one token beside them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

TOKEN_LENGTH = 64  # characters; longer runs are cut, in the index and in the query alike
TEXT_BYTES = 1_000_000  # of UTF-8; what is longer is cut and said to be

_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]+"
)
# Soft hyphen, tatweel, joiners, bidi controls: they stand inside words and are no part of them.
_SILENT = re.compile("[\u00ad\u0640\u200c-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+")
_LEFT_AFTER_LATIN = re.compile("[^\x00-\x7f\u0300-\u036f]")
_PUNCTUATION = dict.fromkeys("–—“”„«»…•·€£‚‹›¡¿°", " ") | dict.fromkeys("’‘´ʼ", "'")
_BY_LEAD: dict[bytes, list[str]] = {}
for _sign in _PUNCTUATION:
    _BY_LEAD.setdefault(_sign.encode()[:1], []).append(_sign)
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t"}
    | {chr(start + digit): str(digit) for start in (0x0660, 0x06F0, 0x0966) for digit in range(10)}
)
_IS_ODD_LETTER = re.compile("[łøđıæœðþħŧ\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]")
_SPACES = bytes(code if chr(code).isalnum() else 32 for code in range(128)) + bytes(range(128, 256))

_RUN = (  # written without spaces between words
    "\u0e01-\u0e4e\u0e80-\u0eff\u1000-\u109f\u1780-\u17dd\u3005\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af"
)
_SIGNS = "\u0900-\u0963\u0966-\u096f\u0971-\u0df3"  # Indic vowel signs are no letters to `\w`, but parts of words
_TOKEN = re.compile(rf"[a-z0-9]+|[{_RUN}]+|(?:[^\W\x00-\x7f{_RUN}]+|[{_SIGNS}]+)+")
_IS_RUN = re.compile(f"[{_RUN}]")
_CONNECTOR = re.compile(r"[-_.@+/'](?=[^\W_])")
_COMPOUND = re.compile(r"[^\W_]+(?:[-_.@+/'][^\W_]+)+")
_PART = re.compile(r"[^\W_]+")
_ARTICLE = "\u0627\u0644"  # Arabic "the", written as part of its word


@dataclass(frozen=True, slots=True)
class Folded:
    """`words` in the order of reading; `wholes` of compounds and `ends` of unspaced runs, once each, unordered."""

    words: list[str]
    wholes: list[str]
    ends: list[str]


def fold(text: str) -> Folded:
    """Linear in the length of `text`; about 25 µs per KB of Latin text. Any text is good, also lone surrogates."""
    line = normalise(text)
    wholes = _find_wholes(line)
    if line.isascii():
        return Folded(_cut_long(line.encode("ascii").translate(_SPACES).decode("ascii").split()), wholes, [])
    words: list[str] = []
    ends: dict[str, None] = {}
    has_runs = _IS_RUN.search(line) is not None
    for token in _TOKEN.findall(line):
        if has_runs and _IS_RUN.match(token):
            words += [token[at : at + 2] for at in range(len(token) - 1)] or [token]
            if len(token) > 1:
                ends[token[-1]] = None
        else:
            words.append(_without_article(token)[:TOKEN_LENGTH])
    return Folded(words, wholes, list(ends))


def fold_text(text: str) -> list[str]:
    """The tokens of `text` in the order of reading."""
    return fold(text).words


def normalise(text: str) -> str:
    """`text` in the one form that is cut and compared, punctuation still in it."""
    if text.isascii():
        return text.lower()
    raw = text.encode("utf-8", "replace")
    for lead, signs in _BY_LEAD.items():
        if lead in raw:  # one look at the bytes for a dozen at the characters
            for sign in signs:
                text = text.replace(sign, _PUNCTUATION[sign])
    # Plain lower() would leave ß and ς apart from their other spellings.
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    if _LEFT_AFTER_LATIN.search(text) is None:
        return text.encode("ascii", "ignore").decode("ascii")
    text = _SILENT.sub("", _MARKS.sub("", text))
    if _IS_ODD_LETTER.search(text):
        text = text.translate(_LETTERS)
    return unicodedata.normalize("NFC", text)


def cut_to_bytes(text: str, limit: int = TEXT_BYTES) -> tuple[str, bool]:
    """`text` within `limit` bytes of UTF-8, and whether something was cut off."""
    if len(text) * 4 <= limit:
        return text, False
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return text, False
    return raw[:limit].decode("utf-8", "ignore"), True


def is_run(token: str) -> bool:
    """Whether a token comes from a script written without spaces."""
    return _IS_RUN.match(token) is not None


def _cut_long(words: list[str]) -> list[str]:
    if words and len(max(words, key=len)) > TOKEN_LENGTH:
        return [word[:TOKEN_LENGTH] for word in words]
    return words


def _find_wholes(line: str) -> list[str]:
    found: dict[str, None] = {}
    done = 0
    for connector in _CONNECTOR.finditer(line):
        start = connector.start()
        if start < done:
            continue
        while start > done and line[start - 1].isalnum():
            start -= 1
        compound = _COMPOUND.match(line, start)
        if compound is None:
            continue
        done = compound.end()
        whole = "".join(_PART.findall(compound[0])) if done - start <= 2 * TOKEN_LENGTH else ""
        if 0 < len(whole) <= TOKEN_LENGTH and _is_of_one_kind(whole):
            found[whole] = None
    return list(found)


def _is_of_one_kind(whole: str) -> bool:
    if whole.isascii():
        return True
    return not any(char.isascii() for char in whole) and _IS_RUN.search(whole) is None


def _without_article(word: str) -> str:
    return word[2:] if word.startswith(_ARTICLE) and len(word) > 4 else word
