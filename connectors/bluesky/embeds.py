"""What hangs on a post: pictures, films, cards of web pages, quoted posts (app.bsky.embed.*).

A server sends the author's record and its own view of it beside; the view has addresses, the record is what there is
when the view is missing. Kinds that are not known yet are told by their name, never left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connectors.bluesky.people import SITE, address_of
from connectors.bluesky.richtext import read_text
from connectors.bluesky.values import at, group, rows, text, uri_parts, whole
from connectors.social import Media, Quoted

_CDN = "https://cdn.bsky.app/img"
_MAX_MEDIA = 20
_MAX_EXCERPT = 2000
_KNOWN = ("app.bsky.embed.", "place.stream.")


@dataclass
class Found:
    """`lines` go beneath the text: what would otherwise not be seen."""

    media: list[Media] = field(default_factory=list)
    quoted: Quoted | None = None
    lines: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


def read_embed(view: Mapping[str, Any], written: Mapping[str, Any], did: str) -> Found:
    """`view`: the server's, may be empty; `written`: in the author's record; `did`: the author's."""
    found = Found()
    _read(view or written, written, did, found, 0)
    return found


def _read(view: Mapping[str, Any], written: Mapping[str, Any], did: str, found: Found, depth: int) -> None:
    kind = (text(view, "$type") or text(written, "$type")).removesuffix("#view")
    name = kind.rpartition(".")[2]
    if not kind or depth > 2:
        return
    if name == "recordWithMedia":
        _read(group(view, "media"), group(written, "media"), did, found, depth + 1)
        _read_record(group(view, "record"), group(written, "record"), found)
    elif name == "record":
        _read_record(view, written, found)
    elif name in {"images", "gallery"}:
        _read_pictures(view, did, found)
    elif name == "video":
        found.media.append(_video(view, written, did))
    elif name == "external":
        _read_card(group(view, "external"), found)
    else:
        found.lines.append(f"[{kind[:100]}]")


def _read_pictures(view: Mapping[str, Any], did: str, found: Found) -> None:
    for one in (rows(view, "images") or rows(view, "items"))[:_MAX_MEDIA]:
        blob = group(one, "image")
        link = text(blob, "ref", "$link", most=200)
        full = _web(text(one, "fullsize", most=2000)) or _on_cdn("feed_fullsize", did, link)
        found.media.append(
            Media(
                kind="image",
                url=full,
                preview_url=_web(text(one, "thumb", most=2000)) or _on_cdn("feed_thumbnail", did, link),
                alt=text(one, "alt", most=10_000),
                content_type=text(blob, "mimeType", most=100),
                width=whole(one, "aspectRatio", "width") or 0,
                height=whole(one, "aspectRatio", "height") or 0,
            )
        )


def _on_cdn(size: str, did: str, link: str) -> str:
    return f"{_CDN}/{size}/plain/{_quoted(did)}/{_quoted(link)}@jpeg" if did and link else ""


def _video(view: Mapping[str, Any], written: Mapping[str, Any], did: str) -> Media:
    is_loop = text(view, "presentation") == "gif" or text(written, "presentation") == "gif"
    return Media(
        kind="gif" if is_loop else "video",
        url=_web(text(view, "playlist", most=2000)),
        preview_url=_web(text(view, "thumbnail", most=2000)),
        alt=text(view, "alt", most=10_000) or text(written, "alt", most=10_000),
        content_type=text(written, "video", "mimeType", most=100) or "video/mp4",
        width=whole(view, "aspectRatio", "width") or 0,
        height=whole(view, "aspectRatio", "height") or 0,
    )


def _read_card(card: Mapping[str, Any], found: Found) -> None:
    uri = _web(text(card, "uri", most=4096))
    if not uri:
        return
    found.links.append(uri)
    title = " ".join(text(card, "title", most=300).split())
    found.lines.append(f"{title} <{uri}>" if title else uri)


def _read_record(view: Mapping[str, Any], written: Mapping[str, Any], found: Found) -> None:
    """A quoted post, or a list, feed or starter pack that was shared."""
    shown = group(view, "record")
    if text(shown, "$type") == "app.bsky.embed.record#view":  # inside recordWithMedia it lies one deeper
        shown = group(shown, "record")
    strong = group(written, "record")
    reference = text(shown, "uri", most=1000) or text(strong, "uri", most=1000) or text(strong, "record", "uri")
    kind = text(shown, "$type").rpartition("#")[2]
    _authority, collection, _rkey = uri_parts(reference)
    if kind and not kind.startswith("view") and collection != "app.bsky.feed.post":
        name = text(shown, "displayName", most=300) or text(shown, "name", most=300) or text(shown, "record", "name")
        found.lines.append(" ".join(f"{name} {reference}".split()) or f"[{kind[:100]}]")
        return
    author = group(shown, "author")
    value = group(shown, "value")
    words = read_text(text(value, "text", most=20_000), at(value, "facets")).text[:_MAX_EXCERPT]
    found.quoted = Quoted(reference, web_address(reference), address_of(author).address, words)


def web_address(uri: str, handle: str = "") -> str:
    """Where people see a post; "" for what is none."""
    authority, collection, rkey = uri_parts(uri)
    if collection != "app.bsky.feed.post":
        return ""
    return f"{SITE}/profile/{_quoted(handle or authority)}/post/{_quoted(rkey)}"


def _quoted(part: str) -> str:
    return quote(part, safe=":.", errors="replace")


def _web(address: str) -> str:
    return address if address.startswith(("https://", "http://")) else ""
