"""What a Mastodon server makes of a text: its HTML, and its length. Written from the documentation.

https://docs.joinmastodon.org/user/posting/#text, https://docs.joinmastodon.org/spec/activitypub/#sanitization and the
example of https://docs.joinmastodon.org/entities/Status/: paragraphs, mentions as h-card, long addresses shown cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from html import escape

from connectors.simulators.mastodon.things import Member

URL_LENGTH = 23
_PIECE = re.compile(
    r"(?P<url>https?://[\w.-]+\.[a-z]{2,}(?::\d+)?(?:/[^\s<>\"]*[^\s<>\".,;:!?()])?)"
    r"|(?<![=/\w])(?P<mention>@\w+(?:[.-]+\w+)*(?:@[\w.-]+\w)?)"
    r"|(?<![/\w&])#(?P<tag>\w*[^\W\d]\w*)",
    re.I,
)


def html_of(text: str, find: Callable[[str], Member | None], domain: str) -> str:
    paragraphs = re.split(r"\n{2,}", text.strip())
    return "".join(f"<p>{_inline(one, find, domain)}</p>" for one in paragraphs) if text.strip() else ""


def _inline(text: str, find: Callable[[str], Member | None], domain: str) -> str:
    pieces, at = [], 0
    for match in _PIECE.finditer(text):
        pieces.append(escape(text[at : match.start()], quote=False))
        pieces.append(_linked(match, find, domain))
        at = match.end()
    pieces.append(escape(text[at:], quote=False))
    return "".join(pieces).replace("\n", "<br />")


def _linked(match: re.Match[str], find: Callable[[str], Member | None], domain: str) -> str:
    if match["url"]:
        return _link(match["url"])
    if match["tag"]:
        tag = match["tag"]
        address = f"https://{domain}/tags/{tag.lower()}"
        return f'<a href="{address}" class="mention hashtag" rel="tag">#<span>{escape(tag)}</span></a>'
    member = find(match["mention"])
    if member is None:
        return escape(match["mention"])
    return (
        f'<span class="h-card" translate="no"><a href="{profile_url(member, domain)}" class="u-url mention">'
        f"@<span>{escape(member.username)}</span></a></span>"
    )


def _link(url: str) -> str:
    scheme = re.match(r"https?://(?:www\.)?", url)
    hidden = scheme.group(0) if scheme else ""
    shown, rest = url[len(hidden) :][:30], url[len(hidden) :][30:]
    cut = ' class="ellipsis"' if rest else ' class=""'
    return (
        f'<a href="{escape(url)}" target="_blank" rel="nofollow noopener noreferrer" translate="no">'
        f'<span class="invisible">{hidden}</span><span{cut}>{escape(shown)}</span>'
        f'<span class="invisible">{escape(rest)}</span></a>'
    )


def profile_url(member: Member, domain: str) -> str:
    return f"https://{member.domain or domain}/@{member.username}"


def length_of(text: str, warning: str) -> int:
    """Characters as people see them, roughly: marks, joiners and what they join count with what they stand on."""

    def shorten(match: re.Match[str]) -> str:
        if match["url"]:
            return "x" * URL_LENGTH
        return "@" + match["mention"][1:].partition("@")[0] if match["mention"] else match[0]

    return _seen(_PIECE.sub(shorten, text)) + _seen(warning)


def _seen(text: str) -> int:
    count, is_joined = 0, False
    for one in unicodedata.normalize("NFC", text):
        if one == "\u200d":
            is_joined = True
        elif unicodedata.combining(one) or 0xFE00 <= ord(one) <= 0xFE0F or 0x1F3FB <= ord(one) <= 0x1F3FF:
            continue
        else:
            count += not is_joined
            is_joined = False
    return count
