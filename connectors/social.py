"""What a post on a social platform is, and what a composer must know before one is written. Values only.

A `Post` stands beside the words of a `ParsedMessage`: who may read it, whom its author is, what hangs on it, and the
connector's own `facts` that an answer needs (a cid, a conversation id). It is kept as plain JSON (`plain`, `post_of`):
what a later version added is passed over, what is missing is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Visibility(StrEnum):
    """Who can read it, widest first."""

    PUBLIC = "public"
    UNLISTED = "unlisted"  # everyone with the link; in no public timeline
    FOLLOWERS = "followers"
    DIRECT = "direct"  # only those it is addressed to


class Standing(StrEnum):
    """How a post concerns us."""

    MENTION = "mention"
    REPLY = "reply"  # to one of ours
    QUOTE = "quote"  # of one of ours
    DIRECT = "direct"
    CONTEXT = "context"  # of a thread we take part in; it asks nothing of us
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Profile:
    """An author as the platform shows them, at the time of the post. Counts are None where it does not say."""

    handle: str = ""  # as people write it, without the leading @
    name: str = ""
    bio: str = ""
    url: str = ""
    avatar_url: str = ""
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    is_verified: bool | None = None  # the platform's own badge
    is_protected: bool = False
    is_robot: bool = False
    since: str = ""  # RFC 3339


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, film or sound that hangs on a post; the bytes stay at the platform."""

    kind: str  # image | video | audio | gif | other
    url: str = ""
    preview_url: str = ""
    alt: str = ""
    content_type: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Poll:
    choices: tuple[tuple[str, int], ...] = ()  # (words, votes); -1: votes not told
    ends_at: str = ""  # RFC 3339
    takes_several: bool = False


@dataclass(frozen=True, slots=True)
class Quoted:
    """The post that this one quotes, as far as it may be shown."""

    reference: str = ""
    url: str = ""
    handle: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """`revision` orders the versions of one post ("" where a platform knows no edits)."""

    standing: Standing = Standing.MENTION
    visibility: Visibility = Visibility.PUBLIC
    url: str = ""
    profile: Profile = field(default_factory=Profile)
    warning: str = ""  # the author's content warning
    media: tuple[Media, ...] = ()
    poll: Poll | None = None
    quoted: Quoted | None = None
    labels: tuple[str, ...] = ()  # the platform's or a labeller's, such as "spam", "porn"
    revision: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)  # the connector's own, plain JSON


def plain(post: Post) -> dict[str, Any]:
    """JSON with only what there is."""
    found: dict[str, Any] = _lean(asdict(post))
    return found


def _lean(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: kept for name, one in value.items() if (kept := _lean(one)) not in ("", None, (), [], {}, False)}
    if isinstance(value, list | tuple):
        return [_lean(one) for one in value]
    return value


def post_of(data: Mapping[str, Any]) -> Post:
    """From what `plain` made, now or by another version. Raises nothing for JSON of ours."""
    values = _known(Post, data)
    values["standing"] = _one_of(Standing, data.get("standing"), Standing.MENTION)
    values["visibility"] = _one_of(Visibility, data.get("visibility"), Visibility.DIRECT)
    values["profile"] = Profile(**_known(Profile, data.get("profile") or {}))
    values["media"] = tuple(Media(**{"kind": "other", **_known(Media, one)}) for one in data.get("media") or ())
    poll, quoted = data.get("poll"), data.get("quoted")
    if poll:
        choices = tuple((str(words), int(votes)) for words, votes in poll.get("choices") or ())
        values["poll"] = Poll(**{**_known(Poll, poll), "choices": choices})
    if quoted:
        values["quoted"] = Quoted(**_known(Quoted, quoted))
    values["labels"] = tuple(data.get("labels") or ())
    return Post(**values)


def _known(kind: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in data.items() if name in names}


def _one_of(kind: Any, value: Any, otherwise: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        return otherwise


# --- Before it is written ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutlinedFile:
    name: str
    content_type: str
    size: int
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """A reply as it stands in the composer. `answers` is the post that is answered, None for a post of our own."""

    text: str
    answers: Post | None = None
    visibility: Visibility | None = None  # None: as the connector proposes
    warning: str = ""
    files: tuple[OutlinedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """How long a text is as the platform counts. `excess_at`: index (code points) from which it no longer fits."""

    count: int
    limit: int
    unit: str = "characters"  # characters | graphemes | bytes
    excess_at: int | None = None

    @property
    def left(self) -> int:
        return self.limit - self.count


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether the platform lets us answer this. None: only the attempt will tell. One sentence says why."""

    allowed: bool | None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """What sending costs at the platform, in millionths of a US dollar, and why."""

    micros: int
    sentence: str = ""
    resource: str = ""  # as in `metering.PriceList`: whoever edited the list multiplies again


# --- How a kind presents itself -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KindCard:
    """How a kind is drawn and what its composer holds."""

    name: str  # as people call it
    letter: str = ""  # on its tile; "" when it has an icon
    icon: str = ""
    is_social: bool = True
    has_subject: bool = False
    has_recipients: bool = False  # the writer may choose To and Cc
    quotes_history: bool = False
    answers_within: timedelta | None = timedelta(hours=1)  # the first-response target of a new account
    has_warning: bool = False  # a post may carry a content warning of our own
    names_sends: bool = False  # what we send gets its message_id from the platform, in the Receipt; else it is our key


@dataclass(frozen=True, slots=True)
class ConnectField:
    """One thing that somebody who connects an account must enter."""

    name: str  # in settings, or in secrets
    label: str
    is_secret: bool = False
    is_required: bool = True
    hint: str = ""
    example: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """A permission that the platform will ask for, and the reason to give it."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Introduction:
    """All that a guided page or the command line needs to connect an account of a kind.

    `uses_consent`: the owner says yes in their browser (OAuth 2); else the fields are enough. `brings`: tokens that
    somebody may have already; with any of them no consent is asked, and `connect` gets them among its values.
    """

    fields: tuple[ConnectField, ...]
    permits: tuple[Permit, ...] = ()
    uses_consent: bool = False
    steps: tuple[str, ...] = ()  # what to do at the platform first, one sentence each
    about_cost: str = ""
    docs: str = ""  # the page in docs/connecting
    brings: tuple[ConnectField, ...] = ()


@dataclass(frozen=True, slots=True)
class Connected:
    """What became of connecting: who we are there, and what to keep."""

    address: str  # our handle
    name: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    external_id: str = ""  # our own stable id there


# --- What it uses up ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """What the platform said about one of its limits. `seconds`: its length (900, 86400); 0 when not known."""

    limit: int
    remaining: int
    resets_at: datetime
    seconds: int = 0
