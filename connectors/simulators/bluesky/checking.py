"""What the lexicons say of a post's record: app.bsky.feed.post, app.bsky.richtext.facet, app.bsky.embed.images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import regex

from connectors.simulators.bluesky.things import POST

MOST_GRAPHEMES, MOST_BYTES = 300, 3000
MOST_IMAGES, MOST_IMAGE_BYTES = 4, 2_000_000
_RKEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")


def find_fault(record: Any, blobs: Mapping[str, int]) -> str:
    """The words of the first thing that is wrong with a post, "" when it is right."""
    if not isinstance(record, Mapping) or record.get("$type") != POST:
        return f"Invalid $type: expected {POST}"
    text, created_at = record.get("text"), record.get("createdAt")
    if not isinstance(text, str):
        return 'Record must have the property "text"'
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        return f"Record/text must not be longer than {MOST_BYTES} bytes"
    if graphemes(text) > MOST_GRAPHEMES:
        return f"Record/text must not be longer than {MOST_GRAPHEMES} graphemes"
    if not _is_time(created_at):
        return "Record/createdAt must be an valid atproto datetime"
    return _facet_fault(record.get("facets")) or _reply_fault(record.get("reply")) or _embed_fault(record, blobs)


def graphemes(text: str) -> int:
    return len(regex.findall(r"\X", text))


def is_rkey(text: str) -> bool:
    """https://atproto.com/specs/record-key"""
    return bool(_RKEY.fullmatch(text)) and text not in (".", "..")


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _facet_fault(facets: Any) -> str:
    if facets is None:
        return ""
    if not isinstance(facets, list):
        return "Record/facets must be an array"
    for one in facets:
        index = one.get("index") if isinstance(one, Mapping) else None
        places = (index.get("byteStart"), index.get("byteEnd")) if isinstance(index, Mapping) else (None, None)
        if not all(isinstance(place, int) and place >= 0 for place in places):
            return "Record/facets/index must have integers byteStart and byteEnd"
        for feature in one.get("features") or ():
            kind = feature.get("$type", "").rpartition("#")[2]
            needed = {"mention": "did", "link": "uri", "tag": "tag"}.get(kind)
            value = feature.get(needed) if needed else ""
            if needed and not isinstance(value, str):
                return f'Record/facets/features must have the property "{needed}"'
            if kind == "mention" and not value.startswith("did:"):
                return "Record/facets/features/did must be a valid did"
            if kind == "link" and ":" not in value:
                return "Record/facets/features/uri must be a uri"
    return ""


def _reply_fault(reply: Any) -> str:
    if reply is None:
        return ""
    for name in ("root", "parent"):
        strong = reply.get(name) if isinstance(reply, Mapping) else None
        if (
            not isinstance(strong, Mapping)
            or not str(strong.get("uri", "")).startswith("at://")
            or not strong.get("cid")
        ):
            return f"Record/reply/{name} must be a strong reference"
    return ""


def _embed_fault(record: Mapping[str, Any], blobs: Mapping[str, int]) -> str:
    embed = record.get("embed") or {}
    images = embed.get("images", []) if embed.get("$type") == "app.bsky.embed.images" else []
    if len(images) > MOST_IMAGES:
        return f"Record/embed/images must not have more than {MOST_IMAGES} elements"
    for one in images:
        blob = one.get("image") or {}
        size = blobs.get((blob.get("ref") or {}).get("$link", ""))
        if size is None:
            return "Could not find blob: it was not uploaded"
        if size > MOST_IMAGE_BYTES or blob.get("size") != size:
            return f"This file is too large. It is {size} but the maximum size is {MOST_IMAGE_BYTES}."
        if not isinstance(one.get("alt"), str):
            return 'Record/embed/images/0 must have the property "alt"'
    return ""
