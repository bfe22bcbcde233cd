"""Rich text: which parts of a text are mentions, links and tags, by offsets into its UTF-8 bytes.

    find_facets("see example.com")  → [Facet(4, 15, "link", "https://example.com")]      for what we write
    read_text(text, facets)         → Rich(text with links in full, mentions, links, tags)    for what others wrote

https://docs.bsky.app/docs/advanced-guides/post-richtext and the rules of the platform's own client library: a mention
is a handle behind a space, a bracket or nothing; a link may lack its scheme when it ends in a top-level domain; a tag
has at most 64 graphemes. Offsets are bytes, so a facet that would cut a character, overlap or lie outside is passed
over. No pattern has more than one way to match.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

MENTION, LINK, TAG = "mention", "link", "tag"
MAX_TEXT = 20_000  # characters in which anything is looked for
MAX_FACETS = 500
_MAX_TAG = 64  # graphemes

_WHITE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_HANDLE = re.compile(rf"(?:^|[{_WHITE}(])@([a-zA-Z0-9.-]+)\b", re.ASCII)
_LINK = re.compile(
    rf"(?:^|[{_WHITE}(])((?:https?://[^{_WHITE}]+)|(?:(?P<domain>[a-z][a-z0-9]*(?:\.[a-z0-9]+)+)[^{_WHITE}]*))",
    re.ASCII | re.IGNORECASE | re.MULTILINE,
)
_NO_WIDTH = "\u00ad\u2060\u200a\u200b\u200c\u200d\u20e2"
_TAG = re.compile(rf"(?:^|[{_WHITE}])[#＃](?!\ufe0f)([^{_WHITE}{_NO_WIDTH}]+)")
_TICKER = re.compile(rf"(?:^|[{_WHITE}(])\$([A-Za-z][A-Za-z0-9]{{0,4}})(?=[{_WHITE}]|$|[.,;:!?)\"'’])")
_SHORTENED = ("…", "...")


@dataclass(frozen=True, slots=True)
class Facet:
    """Bytes `start` to `end` are a mention (value: the handle), a link (its address) or a tag (without “#”)."""

    start: int
    end: int
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Rich:
    text: str
    mentions: tuple[tuple[str, str], ...] = ()  # (handle as it was written, DID)
    links: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@cache
def _domains() -> frozenset[str]:
    text = (files("connectors.bluesky") / "tlds.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _is_domain(host: str) -> bool:
    return "." in host and host.rpartition(".")[2] in _domains()


def graphemes(text: str) -> int:
    """How many characters a reader sees."""
    import regex  # slow to load, and only where posts are written

    return len(regex.findall(r"\X", text))


# --- What we write --------------------------------------------------------------------------------------------------


def find_facets(text: str) -> list[Facet]:
    """In the order of their places. Handles are as written; whether anybody has them is not known here."""
    text = text[:MAX_TEXT]
    found = [*_mentions(text), *_links(text), *_tags(text), *_tickers(text)]
    places = _Places(text)
    facets = [Facet(places.byte(start), places.byte(end), kind, value) for start, end, kind, value in found]
    return sorted(facets, key=lambda one: (one.start, one.end))[:MAX_FACETS]


class _Places:
    """Byte offsets of characters, counted once."""

    def __init__(self, text: str) -> None:
        self._offsets = [0]
        for character in text:
            code = ord(character)
            size = 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
            self._offsets.append(self._offsets[-1] + size)

    def byte(self, index: int) -> int:
        return self._offsets[index]


def _mentions(text: str) -> list[tuple[int, int, str, str]]:
    found = []
    for match in _HANDLE.finditer(text):
        handle = match[1]
        if _is_domain(handle) or handle.endswith(".test"):
            found.append((match.start(1) - 1, match.end(1), MENTION, handle))
    return found


def _links(text: str) -> list[tuple[int, int, str, str]]:
    found = []
    for match in _LINK.finditer(text):
        start, shown, domain = match.start(1), match[1], match["domain"]
        if domain and not _is_domain(domain):
            continue
        if shown[-1] in ".,;:!?":
            shown = shown[:-1]
        if shown.endswith(")") and "(" not in shown:
            shown = shown[:-1]
        address = f"https://{shown}" if domain else shown
        found.append((start, start + len(shown), LINK, address))
    return found


def _tags(text: str) -> list[tuple[int, int, str, str]]:
    found = []
    for match in _TAG.finditer(text):
        if not any(_is_word(character) for character in match[1]):
            continue
        tag = match[1]
        while tag and unicodedata.category(tag[-1]).startswith("P"):
            tag = tag[:-1]
        if tag and (len(tag) <= _MAX_TAG or graphemes(tag) <= _MAX_TAG):
            found.append((match.start(1) - 1, match.start(1) + len(tag), TAG, tag))
    return found


def _is_word(character: str) -> bool:
    return character not in "0123456789" and not unicodedata.category(character).startswith("P")


def _tickers(text: str) -> list[tuple[int, int, str, str]]:
    return [(one.start(1) - 1, one.end(1), TAG, f"${one[1].upper()}") for one in _TICKER.finditer(text)]


# --- What others wrote ----------------------------------------------------------------------------------------------


@dataclass
class _Reading:
    mentions: list[tuple[str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def read_text(text: str, facets: Any) -> Rich:
    """`facets` as they stand in a record, whatever they are. Links that are shown shortened come out in full."""
    data = text.encode("utf-8", "surrogatepass")
    pieces, at, reading = [], 0, _Reading()
    for start, end, features in _spans(facets, data):
        pieces.append(_decoded(data[at:start]))
        pieces.append(_shown(_decoded(data[start:end]), features, reading))
        at = end
    pieces.append(_decoded(data[at:]))
    return Rich("".join(pieces), tuple(reading.mentions), tuple(reading.links), tuple(reading.tags))


def _decoded(data: bytes) -> str:
    """Half a surrogate pair has three bytes, as the sign for what is unreadable has: offsets stay right."""
    return data.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _spans(facets: Any, data: bytes) -> list[tuple[int, int, Sequence[Any]]]:
    """The usable ones in order, none overlapping another."""
    found = []
    for one in facets[:MAX_FACETS] if isinstance(facets, list) else ():
        index = one.get("index") if isinstance(one, dict) else None
        features = one.get("features") if isinstance(one, dict) else None
        if not isinstance(index, dict) or not isinstance(features, list):
            continue
        start, end = _place(index.get("byteStart"), data), _place(index.get("byteEnd"), data)
        if start is not None and end is not None and start < end:
            found.append((start, end, features))
    found.sort(key=lambda one: (one[0], one[1]))
    apart: list[tuple[int, int, Sequence[Any]]] = []
    for span in found:
        if not apart or span[0] >= apart[-1][1]:
            apart.append(span)
    return apart


def _place(offset: Any, data: bytes) -> int | None:
    """The offset, when a character begins there or the text ends."""
    if not isinstance(offset, int) or isinstance(offset, bool) or not 0 <= offset <= len(data):
        return None
    return offset if offset == len(data) or data[offset] & 0xC0 != 0x80 else None


def _shown(shown: str, features: Sequence[Any], reading: _Reading) -> str:
    for feature in features[:8]:
        if not isinstance(feature, Mapping):
            continue
        uri, did, tag = feature.get("uri"), feature.get("did"), feature.get("tag")
        if isinstance(did, str) and did.startswith("did:"):
            reading.mentions.append((shown.removeprefix("@")[:300], did[:300]))
        elif isinstance(uri, str) and uri.lower().startswith(("https://", "http://")) and len(uri) <= 4096:
            reading.links.append(uri)
            return _full(shown, uri)
        elif isinstance(tag, str):
            reading.tags.append(tag[:300])
    return shown


def _full(shown: str, uri: str) -> str:
    """What is shown, when it is the whole address; the address, when it was shortened; both, when it is other words."""
    bare = _bare(uri)
    if _bare(shown) == bare:
        return shown
    for mark in _SHORTENED:
        if shown.endswith(mark) and bare.startswith(_bare(shown.removesuffix(mark))):
            return uri
    return f"{shown} <{uri}>" if shown.strip() else uri


def _bare(address: str) -> str:
    address = address.strip().casefold().removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return address.rstrip("/")
