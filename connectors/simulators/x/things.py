"""What a simulated X is made of, as plain values: members, uploads, polls, posts, direct messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connectors.simulators.x.wording import Link


@dataclass(slots=True)
class Member:
    id: str
    username: str
    name: str
    created_at: datetime
    description: str = ""
    followers: int = 0
    following: int = 0
    is_protected: bool = False
    is_suspended: bool = False
    verified_type: str = "none"  # none | blue | business | government
    takes_dms: bool = True
    is_ours: bool = False
    follows: set[str] = field(default_factory=set)  # ids
    blocks: set[str] = field(default_factory=set)  # ids


@dataclass(slots=True)
class Upload:
    id: str
    owner_id: str
    content_type: str
    category: str
    total: int
    made_at: datetime
    segments: dict[int, bytes] = field(default_factory=dict)
    is_final: bool = False
    ready_at: datetime | None = None  # None: no processing was needed
    alt: str = ""
    width: int = 0
    height: int = 0

    @property
    def kind(self) -> str:
        return {"video": "video"}.get(self.content_type.partition("/")[0], self._still)

    @property
    def _still(self) -> str:
        return "animated_gif" if self.content_type == "image/gif" else "photo"

    @property
    def key(self) -> str:
        return f"{ {'photo': 3, 'animated_gif': 16, 'video': 13}[self.kind] }_{self.id}"

    @property
    def content(self) -> bytes:
        return b"".join(self.segments[number] for number in sorted(self.segments))


@dataclass(slots=True)
class XPoll:
    id: str
    options: list[str]
    minutes: int
    votes: list[int]


@dataclass(slots=True)
class XPost:
    """One version of a post. `history` is shared by all versions, oldest id first."""

    id: str
    author_id: str
    text: str  # links shortened, as X shows it
    created_at: datetime
    conversation_id: str
    history: list[str]
    lang: str = "en"
    answers: str = ""
    quotes: str = ""
    reposts: str = ""
    links: tuple[Link, ...] = ()
    prefix: int = 0  # characters of leading mentions that are not shown
    uploads: tuple[Upload, ...] = ()
    poll: XPoll | None = None
    reply_settings: str = "everyone"
    surfaces_at: datetime | None = None  # when timelines and search know it
    deleted_at: datetime | None = None
    is_hidden: bool = False
    likes: int = 0
    impressions: int = 0


@dataclass(slots=True)
class DirectEvent:
    id: str
    conversation_id: str
    sender_id: str
    text: str
    created_at: datetime
    links: tuple[Link, ...] = ()
    uploads: tuple[Upload, ...] = ()
