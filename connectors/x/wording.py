"""What a post says, as its writer meant it.

https://docs.x.com/x-api/fundamentals/data-dictionary: X keeps `&`, `<`, `>` escaped, replaces every link by one of
t.co and tells in `entities.urls` what each stood for, and ends a post with pictures in links to them. Posts of more
than 280 have their whole text in `note_tweet`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from connectors.x.entries import id_of, part_of, rows_of, text_of

_ADDRESSED = re.compile(r"(?:@\w{1,15}[ \n]+)+", re.ASCII)
_TCO = re.compile(r"https?://t\.co/\w{1,40}", re.ASCII)
LONGEST = 100_000  # characters; X itself ends at 25,000
_LONGEST_LINK, _MOST_TIMES = 4096, 5
_SCHEME = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)
_MEDIA_LINK = re.compile(r"https?://(?:www\.)?(?:x|twitter)\.com/[^/\s]+/status/\d+/(?:photo|video)/\d+", re.IGNORECASE)
_POST_LINK = re.compile(r"https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/([A-Za-z0-9_]{1,15}|i/web)/status/(\d{1,19})")


def plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def with_links(text: str, links: list[Mapping[str, Any]]) -> str:
    """Short links as what they stand for. Bounded: no entry makes a text much longer than posts are."""
    for link in links:
        short, whole = text_of(link, "url"), text_of(link, "expanded_url")
        if _TCO.fullmatch(short) and whole:
            text = text.replace(short, whole[:_LONGEST_LINK], _MOST_TIMES)[:LONGEST]
    return text


def links_of(post: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    note = part_of(post, "note_tweet")
    return rows_of(part_of(note, "entities"), "urls") + rows_of(part_of(post, "entities"), "urls")


def words_of(post: Mapping[str, Any], hidden_id: str = "") -> str:
    """The text with links as they were written. `hidden_id`: the quoted post, whose link is shown as a quote."""
    text = plain(text_of(part_of(post, "note_tweet"), "text") or text_of(post, "text"))[:LONGEST]
    shown = []
    for link in links_of(post):
        short, whole = text_of(link, "url"), text_of(link, "expanded_url")
        target = _POST_LINK.match(whole)
        is_shown_anyway = (
            "media_key" in link
            or _MEDIA_LINK.fullmatch(whole)
            or text_of(link, "display_url").startswith(("pic.x.com/", "pic.twitter.com/"))
            or (target is not None and target[2] == hidden_id)
        )
        if not is_shown_anyway:
            shown.append(link)
        elif short and text.rstrip().endswith(short):
            text = text.rstrip().removesuffix(short).rstrip()
    return with_links(text, shown)


def addressed_length(text: str) -> int:
    """How much of a reply's beginning only names whom it is addressed to."""
    match = _ADDRESSED.match(text)
    return match.end() if match and match.end() < len(text) else 0


def handle_in_link(post: Mapping[str, Any], post_id: str) -> str:
    """Whose post one is that is linked to (a quoted one always is)."""
    for link in links_of(post):
        match = _POST_LINK.match(text_of(link, "expanded_url"))
        if match and match[2] == post_id and "/" not in match[1]:
            return match[1]
    return ""


def mentions(post: Mapping[str, Any], our_id: str, our_handle: str) -> bool:
    found = rows_of(part_of(post, "entities"), "mentions")
    found += rows_of(part_of(part_of(post, "note_tweet"), "entities"), "mentions")
    low = our_handle.lower()
    return any((our_id and id_of(one) == our_id) or (low and text_of(one, "username").lower() == low) for one in found)


def comparable(text: str) -> str:
    """A form in which what we sent and what X shows of it are the same: without addressees, schemes and white space."""
    text = unicodedata.normalize("NFC", text)
    text = text[addressed_length(text) :]
    text = _SCHEME.sub("", _TCO.sub("", text))
    return " ".join(part.rstrip("/") for part in text.split())
