"""What there is in a simulated Bluesky: members, posts, what carries them, direct messages."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

POST, LIKE, REPOST = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost"
PROFILE, BLOCK = "app.bsky.actor.profile", "app.bsky.graph.block"


@dataclass(slots=True)
class Member:
    did: str
    handle: str
    name: str
    created_at: datetime
    bio: str = ""
    followers: int = 0
    is_ours: bool = False
    is_suspended: bool = False
    app_passwords: dict[str, bool] = field(default_factory=dict)  # password → whether it reads direct messages
    blocks: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Post:
    """`indexed_at`: when the network took it; `surfaces_at`: from when it is listed."""

    uri: str
    author: str  # DID
    record: dict[str, Any]
    cid: str
    indexed_at: datetime
    surfaces_at: datetime
    deleted_at: datetime | None = None
    likes: int = 0
    labels: list[str] = field(default_factory=list)
    is_gated: bool = False  # nobody may reply

    @property
    def parent(self) -> str:
        return str(((self.record.get("reply") or {}).get("parent") or {}).get("uri") or "")

    @property
    def quoted(self) -> str:
        embed = self.record.get("embed") or {}
        inner = embed.get("record") or {}
        return str(inner.get("uri") or (inner.get("record") or {}).get("uri") or "")

    @property
    def text(self) -> str:
        return str(self.record.get("text") or "")


@dataclass(slots=True)
class Carried:
    uri: str
    cid: str
    author: str
    subject: str
    at: datetime
    is_like: bool = False


@dataclass(slots=True)
class Convo:
    id: str
    members: list[str]
    rev: str
    requested_of: str = ""  # who has not accepted it yet


@dataclass(slots=True)
class Message:
    id: str
    rev: str
    convo: str
    sender: str
    text: str
    at: datetime
    facets: list[Any] = field(default_factory=list)
    answers: str = ""
    is_deleted: bool = False


def cid_of(data: bytes, is_blob: bool = False) -> str:
    """CIDv1, SHA-256, base32 (https://atproto.com/specs/data-model#link-and-cid-formats); of JSON, not of DAG-CBOR."""
    head = bytes((1, 0x55 if is_blob else 0x71, 0x12, 0x20))
    return "b" + base64.b32encode(head + sha256(data).digest()).decode().lower().rstrip("=")


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
