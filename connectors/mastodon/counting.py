"""How long a text is on a Mastodon server, and which servers count in another way.

Mastodon (StatusLengthValidator of its source; https://docs.joinmastodon.org/user/posting/#text): the content warning
and the text together, in user-perceived characters; every address with its scheme counts as
`characters_reserved_per_url` (23), of "@name@server" only "@name" counts. Pleroma, Akkoma, GoToSocial and others take a
text as it stands: there the larger of both counts is used, so that what is said to fit does fit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from connectors.hostnames import NEVER, NO_HOST, host_ends

URL_LENGTH = 23
USUAL_LIMIT = 500
_MOST = 20_000  # code points that are looked at closely; no server takes more
_LONGEST_URL = 4096
_WORD = r"[A-Za-z0-9_]"
# Account::MENTION_RE and Account::USERNAME_RE of Mastodon's source.
_MENTION = re.compile(rf"(?<![=/\w])@({_WORD}+(?:[.-]+{_WORD}+)*)((?:@\w+(?:[.-]+\w+)*)?)")
_NO_MENTION_BEFORE = re.compile(r"[@＠À-ÖØ-öø-ÿ]|://")


@dataclass(frozen=True, slots=True)
class Span:
    """`counts` stands for text[start:end]; `handle` is what a mention names ("name" or "name@server")."""

    start: int
    end: int
    counts: int
    handle: str = ""


def spans_of(text: str, url_length: int = URL_LENGTH) -> list[Span]:
    """Addresses and mentions that Mastodon will recognise, in order, without overlaps."""
    found = [*_urls(text, url_length), *_mentions(text)]
    kept: list[Span] = []
    for span in sorted(found, key=lambda one: one.start):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def mentions_of(text: str) -> list[str]:
    """Whom a text mentions, as written, without the leading @."""
    return [span.handle for span in spans_of(text[:_MOST]) if span.handle]


def length_of(text: str, url_length: int = URL_LENGTH, is_plain: bool = False) -> int:
    """`is_plain`: a server that gives no discount."""
    rest, text = max(0, len(text) - _MOST), text[:_MOST]
    count, at = rest, 0
    for span in spans_of(text, url_length):
        count += graphemes(text[at : span.start]) + span.counts
        at = span.end
    count += graphemes(text[at:])
    return max(count, len(text) + rest) if is_plain else count


def excess_at(text: str, limit: int, url_length: int = URL_LENGTH, is_plain: bool = False) -> int | None:
    """The index from which a text no longer fits, None when all of it does. Never inside a character or a span."""
    text = text[:_MOST]
    if length_of(text, url_length, is_plain) <= limit:
        return None
    count = at = 0
    for span in [*spans_of(text, url_length), Span(len(text), len(text), 0)]:
        for cluster in _clusters(text[at : span.start]):
            count += max(1, len(cluster)) if is_plain else 1
            if count > limit:
                return at
            at += len(cluster)
        count += max(span.counts, span.end - span.start) if is_plain else span.counts
        if count > limit:
            return span.start
        at = span.end
    return len(text)


def graphemes(text: str) -> int:
    """User-perceived characters, without a discount for anything."""
    return len(text) if text.isascii() and "\r" not in text else len(_clusters(text))


def _clusters(text: str) -> list[str]:
    if text.isascii() and "\r" not in text:
        return list(text)
    found: list[str] = _grapheme_pattern().findall(text)
    return found


@cache
def _grapheme_pattern() -> Any:
    import regex  # lazily: it costs every process that never counts

    return regex.compile(r"\X")


def _mentions(text: str) -> list[Span]:
    if "@" not in text:
        return []
    found = []
    for match in _MENTION.finditer(text):
        if not _NO_MENTION_BEFORE.match(text, match.end()):
            handle = match.group(1) + match.group(2)
            found.append(Span(match.start(), match.end(), 1 + len(match.group(1)), handle))
    return found


def _urls(text: str, url_length: int) -> list[Span]:
    if "://" not in text:
        return []
    found = []
    for match in _url_pattern().finditer(text):
        start, end = match.span("url")
        if end - start <= _LONGEST_URL:
            found.append(Span(start, end, url_length))
    return found


@cache
def _url_pattern() -> re.Pattern[str]:
    """Addresses as Mastodon finds them: twitter-text's, with more schemes, and paths and queries in every script
    (config/initializers/twitter_regex.rb of its source). Possessive and atomic, so that no text makes it slow."""
    letter = rf"[^{NO_HOST}.\-_]"
    label = rf"{letter}(?:[_-]|{letter})*+(?<![_-])"
    known = "|".join(sorted(map(re.escape, host_ends()), key=lambda one: (-len(one), one)))
    ends = rf"(?:(?:{known})(?=[^0-9a-zA-Z@+-]|$)|xn--[-0-9a-z]+)"
    general = r"[^\s<>()?]"
    balanced = rf"\((?:{general}++|{general}*+\({general}++\){general}*+)\)"
    path_end = rf"(?:[^\s()?!*\"'「」<>;:=,.$%\[\]~&|@]|{balanced})"
    scripts = "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef\U00010000-\U0010fffd"
    query_char = rf"[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@^{scripts}]"
    query_end = rf"[a-z0-9_&=#/\-{scripts}]"
    return re.compile(
        rf"(?:[^A-Za-z0-9@＠$#＃{NEVER}]|^)"
        rf"(?P<url>(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)://"
        rf"(?:{label}\.)+{ends}(?::[0-9]+)?"
        rf"(?:/(?:(?:{general}|{balanced})*{path_end}|{general}*/)?)?"
        rf"(?:\?{query_char}*{query_end})?)",
        re.IGNORECASE,
    )
