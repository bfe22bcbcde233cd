"""What there is on a simulated Mastodon server: accounts, statuses, notifications, files. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

PUBLIC, UNLISTED, PRIVATE, DIRECT = "public", "unlisted", "private", "direct"


@dataclass(slots=True)
class Member:
    """`domain` is "" for accounts of this server. `actor`: the id in the network; it is never given to another."""

    id: str
    username: str
    name: str
    created_at: datetime
    domain: str = ""
    actor: str = ""
    bio: str = ""
    followers: int = 0
    is_ours: bool = False
    is_robot: bool = False
    is_suspended: bool = False
    is_limited: bool = False
    fields: list[tuple[str, str]] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)  # ids of members
    follows: list[str] = field(default_factory=list)

    @property
    def acct(self) -> str:
        return f"{self.username}@{self.domain}" if self.domain else self.username


@dataclass(slots=True)
class Medium:
    id: str
    owner: str
    kind: str
    content_type: str
    size: int
    description: str = ""
    ready_at: datetime | None = None  # None: at once


@dataclass(slots=True)
class Choice:
    title: str
    votes: int = 0


@dataclass(slots=True)
class Status:
    """`texts`: every version as it was typed, oldest first; `times` of the same."""

    id: str
    author: str
    texts: list[str]
    times: list[datetime]
    visibility: str = PUBLIC
    answers: str = ""
    quotes: str = ""
    boosts: str = ""
    warning: str = ""
    language: str = "en"
    uri: str = ""
    media: list[Medium] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)  # ids of members
    is_deleted: bool = False

    @property
    def text(self) -> str:
        return self.texts[-1]

    @property
    def made_at(self) -> datetime:
        return self.times[0]


@dataclass(slots=True)
class Notice:
    """A notification of one member. `seen_at`: when the server begins to show it, for those that surface late."""

    id: str
    to: str
    kind: str
    actor: str
    status: str
    at: datetime
    seen_at: datetime | None = None
    is_filtered: bool = False


@dataclass(slots=True)
class App:
    client_id: str
    client_secret: str
    name: str
    redirect_uris: list[str]
    scopes: list[str]


@dataclass(slots=True)
class Grant:
    """A code or an access token."""

    member: str
    client_id: str
    scopes: list[str]
    redirect_uri: str = ""
    challenge: str = ""
    is_revoked: bool = False
