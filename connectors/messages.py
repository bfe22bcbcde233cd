"""The values that cross the border between a channel and the inbox.

Everything here is a frozen value: no behaviour, no Django, no network. A connector turns what its
provider says into these types and keeps the provider's own bytes beside them (`RawItem.content`), so that
whatever is read wrongly today can be read again tomorrow.

Times are aware datetimes in UTC. Addresses are stored as written; comparing them is the inbox's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from connectors.enclosures import Complaint, Invitation
from connectors.social import Post, Visibility


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    NOTE = "note"


class Automatic(StrEnum):
    """Mail that no person wrote for us to answer; it starts no clock."""

    BOUNCE = "bounce"
    AUTO_REPLY = "auto-reply"
    LIST = "list"
    REPORT = "report"


class Flag(StrEnum):
    """What is odd about a message. The one documented list (docs/flags.md); exports show these words."""

    UNREADABLE = "unreadable"
    TRUNCATED = "truncated"
    TOO_LARGE = "too-large"
    SAME_ID_OTHER_CONTENT = "same-id-other-content"
    FROM_OWN_ADDRESS = "from-own-address"
    SEVERAL_FROM = "several-from"
    NO_FROM = "no-from"
    AMBIGUOUS_FROM = "ambiguous-from"
    NO_DATE = "no-date"
    BAD_DATE = "bad-date"
    NO_MESSAGE_ID = "no-message-id"
    UNKNOWN_CHARSET = "unknown-charset"
    BROKEN_MIME = "broken-mime"
    UNVERIFIED_SENDER = "unverified-sender"
    FAILED_SENDER_CHECK = "failed-sender-check"
    ENCRYPTED = "encrypted"
    SIGNED = "signed"
    VIA_RELAY = "via-relay"
    NEWSLETTER = "newsletter"
    VIA_GROUP = "via-group"
    NO_AUTOMATIC_ANSWER = "no-automatic-answer"


# --- What a provider hands over -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scope:
    """Where ids are unique: for mail (folder, uidvalidity), for a social platform an endpoint."""

    place: str
    epoch: str = ""


@dataclass(frozen=True, slots=True)
class RawItem:
    """One thing as the provider gave it.

    Exactly one of `content` (small) and `path` (large, spooled to disk, owned by the receiver) is set;
    both are None only for a header-only item of something over the limit (`too_large`).
    """

    scope: Scope
    external_id: str
    received_at: datetime  # INTERNALDATE or the platform's own time
    size: int
    content: bytes | None = None
    path: Path | None = None
    version: str = "0"  # an edit of the same external id is the next version
    is_sent: bool = False  # lay in Sent or on our own timeline
    too_large: bool = False
    sha256: str = ""  # of the content, where it is known already


@dataclass(frozen=True, slots=True)
class Trouble:
    """An external id that exists but could not be fetched this time."""

    scope: Scope
    external_id: str
    reason: str  # one sentence an operator can read


@dataclass(frozen=True, slots=True)
class Covered:
    """Ids low..high (inclusive) of a scope are settled: stored, or proven absent. Numeric ids only."""

    scope: Scope
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Count:
    """What the server said it holds in a scope, at the time of this page."""

    scope: Scope
    on_server: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Every external id that the server holds in a scope, and how many it says there are (None: it does not say)."""

    ids: Iterable[str]
    told: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One committed step of a fetch. It stands alone: storing it, and nothing after it, leaves a resumable state."""

    items: tuple[RawItem, ...] = ()
    covered: tuple[Covered, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    gone: tuple[tuple[Scope, str], ...] = ()  # troubled ids that a listing no longer shows
    counts: tuple[Count, ...] = ()
    state: Mapping[Scope, Mapping[str, Any]] = field(default_factory=dict)  # the connector's own JSON, per scope
    retired: tuple[Scope, ...] = ()  # scopes whose epoch has ended
    remaining: int | None = None  # how many items are still to come, for progress


@dataclass(frozen=True, slots=True)
class KnownScope:
    """What the shelf holds of one scope."""

    scope: Scope
    ranges: tuple[tuple[int, int], ...] = ()  # covered, ascending, disjoint
    troubled: tuple[str, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    scopes: tuple[KnownScope, ...] = ()

    def of(self, place: str) -> KnownScope | None:
        """The newest known scope of a place; the shelf hands over only the current epoch of each place."""
        return next((known for known in self.scopes if known.scope.place == place), None)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller wants of a fetch. A connector may stop early at any page; the next fetch resumes."""

    max_items: int | None = None  # None: everything there is
    page_items: int = 200
    page_bytes: int = 8 * 1024 * 1024
    retry_troubled: bool = True
    scopes: frozenset[str] | None = None  # the places that are due (Scope.place); None: all. See metering.Paced


@dataclass(frozen=True, slots=True)
class Tended:
    """What became of items that were to be marked or moved: external ids."""

    done: frozenset[str] = frozenset()
    moved: frozenset[str] = frozenset()  # of the done ones: they no longer lie where they were stored from
    gone: frozenset[str] = frozenset()  # no longer there, or something else has their id now


# --- What was said --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """A person's address on one kind, as written. `address` is "" when none could be read."""

    address: str
    name: str = ""
    external_id: str = ""  # a social platform's stable id; "" for mail


@dataclass(frozen=True, slots=True)
class Recipient:
    role: str  # to | cc | bcc | reply-to
    address: Address


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    part: str  # where it lies in the raw item, such as "2.1": the bytes are cut out again on demand
    name: str
    content_type: str
    size: int
    sha256: str
    is_inline: bool = False
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A bounce: which of our messages, which recipient, and what the far server said (RFC 3464)."""

    message_id: str  # of the message the report speaks of, "" when it does not say
    recipient: str
    action: str  # failed | delayed | delivered | relayed | expanded | ""
    status: str  # such as 5.1.1
    diagnostic: str


@dataclass(frozen=True, slots=True)
class SenderCheck:
    """What a receiving server found out about the sender, as it stands in the message (RFC 8601).

    `results` holds (method, result, domain it speaks of). `is_trusted`: the server is the one the account names; else
    anybody may have written it, and it only helps to learn who vouches here.
    """

    server: str
    is_trusted: bool
    results: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of the text and what it is: new | quote | signature | footer. Joined, the passages give `text`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """A message as its writer meant it, as far as it could be read."""

    author: Address
    recipients: tuple[Recipient, ...]
    subject: str
    text: str  # whole decoded text
    visible_text: str  # without quoted history and signature; never empty when text is not
    written_at: datetime | None  # the Date header or the platform's time; None when absent or absurd
    message_id: str  # without brackets; "" when absent
    in_reply_to: str = ""
    references: tuple[str, ...] = ()  # oldest first, without brackets, In-Reply-To included last
    passages: tuple[Passage, ...] = ()
    has_html: bool = False
    attachments: tuple[ParsedAttachment, ...] = ()
    automatic: Automatic | None = None
    flags: tuple[Flag, ...] = ()
    stable_sha256: str = ""  # over canonical content without trace headers
    raw_sha256: str = ""
    verified: bool | None = None
    sender_check: SenderCheck | None = None
    reports: tuple[DeliveryReport, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    complaint: Complaint | None = None
    language: str = ""
    language_confidence: float = 0.0
    words: Any = None  # for the index, where a parser's process worked them out (connectors/offload.py)
    list_address: str = ""  # where one writes to the list or group it came through, when a person may have written it
    # On social platforms, which vouch for author, id and every later version (`post.revision`) of what was written:
    post: Post | None = None


@dataclass(frozen=True, slots=True)
class ParsedDeletion:
    """The platform says that a message (by its message_id) is gone; its content is redacted, its times stay."""

    message_id: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class ParsedReach:
    """Somebody carried one of our conversations' posts further without a word of their own: no work, more reach."""

    message_id: str  # of the post that was carried
    actor: Address
    action: str  # repost | like
    followers: int = 0
    at: datetime | None = None


Parsed = ParsedMessage | ParsedDeletion | ParsedReach


# --- What we say ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutboundFile:
    name: str
    content_type: str
    content: bytes
    alt: str = ""  # what a picture shows, for those who cannot see it


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody wants to say, before a connector's `compose` freezes it into exact bytes."""

    idempotency_key: str
    sender: Address
    to: tuple[Address, ...]
    subject: str
    text: str
    written_at: datetime
    cc: tuple[Address, ...] = ()
    quoted: str = ""  # the history to quote beneath, already chosen; "" quotes nothing
    quoted_intro: str = ""  # such as "On 24 Nov 2026, Ana wrote:"
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    files: tuple[OutboundFile, ...] = ()
    language: str = ""
    is_automatic: bool = False  # written by a program; made in inbox/robots.py alone
    answers: Post | None = None  # on social platforms: the post that is answered; in_reply_to holds its message_id
    visibility: Visibility | None = None  # None: what the connector proposes for an answer to it
    warning: str = ""  # a content warning of our own


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A frozen reply: the exact bytes, who gets them, and the key that makes a second send recognisable."""

    idempotency_key: str  # for mail the Message-ID without brackets
    sender: str
    recipients: tuple[str, ...]  # as their addresses are written
    content: bytes


class Outcome(StrEnum):
    """What became of one recipient (cli.md `recipients[].outcome`)."""

    PENDING = "pending"
    SENT = "sent"
    REFUSED_FOR_NOW = "refused-for-now"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RecipientOutcome:
    recipient: str
    outcome: Outcome
    code: str = ""  # the server's code, such as "550 5.1.1"
    sentence: str = ""  # the server's words, one line


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a send achieved. `external_id` is the server's queue id or the platform's id of the new post."""

    outcomes: tuple[RecipientOutcome, ...]
    external_id: str = ""
    sentence: str = ""
    message_id: str = ""  # by which the message will come back, where only the platform could give it


@dataclass(frozen=True, slots=True)
class Party:
    """Who we are at the provider, as told after a successful log-in."""

    address: str
    name: str = ""
    places: tuple[str, ...] = ()  # folders or endpoints that will be read
    sent_place: str = ""
    notes: tuple[str, ...] = ()  # sentences worth showing, such as a missing capability


@dataclass(frozen=True, slots=True)
class Limits:
    """What the channel allows in one message; 0 means no limit."""

    max_characters: int = 0
    max_attachment_bytes: int = 0  # of all files together
    max_recipients: int = 0
    max_files: int = 0
    files_sent_itself: bool = False  # the provider keeps a copy in Sent without our doing
