"""How X counts and shortens text: docs.x.com/fundamentals/counting-characters.

A link counts 23, an emoji 2 whatever it is made of; letters of most alphabets count 1, all else (CJK) counts 2; at most
280 in all. Links become https://t.co/… of 23 characters.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass

import regex

MOST_WEIGHT = 280
LINK_WEIGHT = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_GENERIC = (
    "com|net|org|edu|gov|mil|int|info|biz|name|pro|app|dev|blog|shop|store|online|site|xyz|club|live|news|tech|media"
    "|agency|email|world|today|design|digital|cloud|page|link|social|photo|travel|coffee"
)
_NATIONAL = (
    "id|ro|uk|de|fr|it|es|nl|be|at|ch|pl|cz|hu|bg|rs|gr|tr|md|ua|se|no|dk|fi|ie|pt|us|ca|mx|br|ar|au|nz|jp|kr|cn|tw|hk"
    "|sg|my|th|vn|ph|in|ae|za|eu|io|co|me|tv|ly|ai|gg|to|fm|so|sh|cc"
)
_LINK = regex.compile(
    rf"""(?<![@\w.\-/])(?:
        https?://[^\s<>"“”]+?(?=[.,;:!?)\]'’]*(?:\s|$|[\u3000-\u9fff]))
        | (?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_GENERIC}|{_NATIONAL})(?![\w@.-]*\w@)(?!\w)
          (?:/[^\s<>"“”]*?(?=[.,;:!?)\]'’]*(?:\s|$|[\u3000-\u9fff])))?
    )""",
    regex.I | regex.X,
)
_GRAPHEME = regex.compile(r"\X")
_PICTURE = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3")
_PLAIN = regex.compile(r"[0-9#*©®™‼⁉ℹ↔-↪]\Z")


@dataclass(frozen=True, slots=True)
class Link:
    start: int  # in the shortened text
    end: int
    short: str
    long: str  # with a scheme

    @property
    def shown(self) -> str:
        bare = self.long.partition("://")[2].removeprefix("www.")
        return bare if len(bare) <= 27 else bare[:26] + "…"


def find_links(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in _LINK.finditer(text)]


def weigh(text: str) -> int:
    """The weighted length of a post."""
    text = unicodedata.normalize("NFC", text)
    total, at = 0, 0
    for start, end in find_links(text):
        total += _weigh_words(text[at:start]) + LINK_WEIGHT
        at = end
    return total + _weigh_words(text[at:])


def _weigh_words(text: str) -> int:
    total = 0
    for grapheme in _GRAPHEME.findall(text):
        if _PICTURE.search(grapheme) and not _PLAIN.match(grapheme):
            total += 2
        else:
            total += sum(1 if any(low <= ord(one) <= high for low, high in _LIGHT) else 2 for one in grapheme)
    return total


def shorten(text: str) -> tuple[str, tuple[Link, ...]]:
    """The text with its links as t.co, and where they stand."""
    out, links, at = "", [], 0
    for start, end in find_links(text):
        found = text[start:end]
        if found.startswith("https://t.co/"):
            continue
        long = found if regex.match(r"https?://", found, regex.I) else f"http://{found}"
        digest = hashlib.sha256(long.encode()).hexdigest()
        short = "https://t.co/" + digest[:10]
        out += text[at:start]
        links.append(Link(len(out), len(out) + len(short), short, long))
        out += short
        at = end
    return out + text[at:], tuple(links)
