"""Messages in memory: those that arrive, and those already in the inbox that they have to do with."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from connectors.messages import Address, Automatic, Direction, Flag, ParsedMessage
from connectors.social import Post, Profile, Standing, Visibility
from inbox.ingest.accounts import AccountFacts
from inbox.ingest.arrivals import Arrival
from inbox.rules.automatic import is_own_group, stands_aside
from inbox.rules.passages import PREVIEW_READ, lengths_of, preview
from inbox.rules.sla import started_at
from inbox.rules.threading import is_history, joins_nothing, reference_key
from inbox.text import clean

_OF_SENDER = (Flag.UNVERIFIED_SENDER, Flag.FAILED_SENDER_CHECK)
_WIDE = (Visibility.PUBLIC, Visibility.UNLISTED)
MAX_ANSWERS = 50  # references of one message that are followed
Node = tuple[str, str]
"""(kind, name): how a message is called in the reference graph."""


class Person(NamedTuple):
    """A person in a message's head: `key` is "" when no address could be read."""

    role: str  # author | to | cc | bcc
    key: str
    address: str
    name: str
    external_id: str = ""


@dataclass(slots=True)
class Letter:
    id: int
    kind: str
    direction: str
    reference: str  # as the column holds it; "" when the message names itself not
    node: Node
    answers: tuple[Node, ...]  # what it refers to, the nearest first
    stable: str
    people: tuple[Person, ...]  # the author first
    reply_to: frozenset[str]  # keys: whom it asks to be answered to
    subject: str
    preview: str
    language: str
    written_at: datetime  # the clock's time of writing
    dated_at: datetime | None  # what it says of itself, where that is another time
    received_at: datetime
    automatic: str
    verified: bool | None
    is_history: bool
    is_aside: bool  # stands in no queue and on no clock (rules/automatic.py)
    is_mailing: bool  # went to many: its recipients do not all take part
    account_id: int
    is_frozen_send: bool = False  # we composed it: no raw item of its own
    flags: list[str] = field(default_factory=list)
    accounts: set[int] = field(default_factory=set)  # of deliveries added in this batch
    sightings: list[Arrival] = field(default_factory=list)
    parsed: ParsedMessage | None = None  # of new ones
    passages: list[list[Any]] = field(default_factory=list)  # of new ones, as stored
    strand_id: int | None = None  # where it lies now
    is_changed: bool = False  # flags or direction differ from the row
    is_turned: bool = False  # its direction does
    # Of a post (inbox/ingest/posts.py); `visibility` "": it is none.
    visibility: str = ""
    standing: str = ""
    revision: str = ""
    followers: int = 0
    profile: Profile | None = None  # of new ones: how the platform showed its author
    carried: int = 0  # followers of those who carried it further
    deleted_at: datetime | None = None
    is_blocked: bool = False  # nobody wants to hear of its writer
    current: Letter | None = None  # a newer version, whose words replace the row's
    older: list[Letter] = field(default_factory=list)  # versions whose words are kept, and not shown first
    is_archived: bool = False  # the row's own words become one of those
    is_renamed: bool = False  # the platform has named what we sent
    keeps_words: bool = False  # of a version: it says no more than what we sent

    @property
    def is_post(self) -> bool:
        return bool(self.visibility)

    @property
    def reach(self) -> int:
        """How many people may have seen it: where anybody can read it, its writer's followers and the carriers'."""
        return self.carried + (self.followers if self.is_inbound and self.visibility in _WIDE else 0)

    @property
    def is_new(self) -> bool:
        return self.parsed is not None

    @property
    def author(self) -> Person:
        return self.people[0]

    @property
    def is_inbound(self) -> bool:
        return self.direction == Direction.INBOUND

    @property
    def is_refused(self) -> bool:
        return joins_nothing(self.verified, self.automatic, self.flags)

    @property
    def sent_at(self) -> datetime:
        """When it was sent, as the reader is told."""
        return self.dated_at or self.written_at

    @property
    def order(self) -> tuple[datetime, str, str]:
        """By time of writing, and the same however the messages arrived."""
        return (self.written_at, self.reference, self.stable)

    def keys(self) -> set[str]:
        return {person.key for person in self.people if person.key}


MAILING_SIZE = 12
"""A message to more people than this is a mailing: who answers it speaks for themselves alone."""


def node_of(kind: str, reference: str, stable: str, *, is_vouched: bool = False) -> Node:
    """By its Message-ID where that identifies anything, else by its content. `is_vouched`: a platform gave the id."""
    return (kind, (reference if is_vouched else reference_key(reference)) or f"stable:{stable}")


def short_reference(reference: str) -> str:
    """As stored: whole up to 500 characters, else by hash."""
    text = clean(reference)
    if len(text) <= 500:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def nearest_first(in_reply_to: str, references: Sequence[str], own: str, *, is_vouched: bool = False) -> list[str]:
    """In-Reply-To, then References from the newest to the oldest; the middle of endless chains is left out."""
    chain = [short_reference(one) for one in (in_reply_to, *reversed(references)) if one]
    seen = dict.fromkeys(chain if is_vouched else map(reference_key, chain))
    names = [name for name in seen if name and name != own]
    return names if len(names) <= MAX_ANSWERS else [*names[: MAX_ANSWERS - 5], *names[-5:]]


def letter_of(arrival: Arrival, account: AccountFacts, message_id: int, aside: Collection[str]) -> Letter:
    """`aside`: the classes of mail that the home keeps out of the queue."""
    parsed = arrival.parsed
    assert isinstance(parsed, ParsedMessage)
    reference = short_reference(parsed.message_id)
    stable = parsed.stable_sha256 or arrival.sha256
    if parsed.post is not None and reference:  # whatever a version of it says
        stable = hashlib.sha256(f"post:{reference}".encode()).hexdigest()
    people, reply_to = split_people(_people(parsed, account))
    passages = lengths_of(parsed)
    written_at = started_at(parsed.written_at, arrival.received_at, arrival.is_import)
    automatic, flags = _kind_of(parsed, account)
    verified = parsed.verified
    if arrival.is_sent:  # nobody vouches for what we sent ourselves, and nobody needs to
        verified, flags = None, [one for one in flags if one not in _OF_SENDER]
    is_refused = joins_nothing(verified, automatic, flags)
    post = parsed.post
    chain = references_of(parsed)
    answers = [] if is_refused else nearest_first(parsed.in_reply_to, chain, reference, is_vouched=post is not None)
    direction = Direction.OUTBOUND if arrival.is_sent else Direction.INBOUND
    if direction is Direction.INBOUND and people[0].key in account.own:
        flags.append(Flag.FROM_OWN_ADDRESS.value)
    return Letter(
        id=message_id,
        kind=account.kind,
        direction=direction.value,
        reference=reference,
        node=node_of(account.kind, reference, stable, is_vouched=post is not None),
        answers=tuple((account.kind, name) for name in answers),
        stable=stable,
        people=people,
        reply_to=reply_to,
        subject=clean(parsed.subject)[:1000],
        preview=preview(clean(parsed.text[:PREVIEW_READ]), passages),
        language=parsed.language[:16],
        written_at=written_at,
        dated_at=parsed.written_at if parsed.written_at != written_at else None,
        received_at=arrival.received_at,
        automatic=automatic,
        verified=verified,
        is_history=is_history(written_at, account.cut_at),
        is_aside=stands_aside(automatic, flags, aside) or _asks_nothing(post, people, direction, account.own),
        is_mailing=post is None and is_mailing_of(people, automatic, flags),
        account_id=arrival.account_id,
        visibility=post.visibility.value if post else "",
        standing=post.standing.value if post else "",
        revision=clean(post.revision)[:80] if post else "",
        followers=max(post.profile.followers or 0, 0) if post else 0,
        profile=post.profile if post else None,
        flags=list(dict.fromkeys(flags)),
        accounts={arrival.account_id},
        sightings=[arrival],
        parsed=parsed,
        passages=passages,
    )


def _asks_nothing(post: Post | None, people: Sequence[Person], direction: str, own: frozenset[str]) -> bool:
    """What somebody says to others in a thread of ours, and what we say to nobody in particular."""
    if post is None:
        return False
    if direction == Direction.OUTBOUND:
        return not any(person.key and person.key not in own for person in people[1:])
    return post.standing is Standing.CONTEXT


def _kind_of(parsed: ParsedMessage, account: AccountFacts) -> tuple[str, list[str]]:
    """What kind of automatic mail it is, if any, and its flags: through a group of our own a person wrote to us."""
    automatic = parsed.automatic.value if parsed.automatic else ""
    flags = [flag.value for flag in parsed.flags]
    if not parsed.list_address or not is_own_group(account.key(parsed.list_address), account.own):
        return automatic, flags
    return "", [*(one for one in flags if one != Flag.NEWSLETTER), Flag.VIA_GROUP.value]


def references_of(parsed: ParsedMessage) -> list[str]:
    """Oldest first; what a bounce speaks of counts as the newest."""
    reported = [report.message_id for report in parsed.reports if report.message_id]
    return [*parsed.references, *reported[:5]]


def _people(parsed: ParsedMessage, account: AccountFacts) -> tuple[Person, ...]:
    found = [_person(recipient.role, recipient.address, account) for recipient in parsed.recipients]
    return (_person("author", parsed.author, account), *found)


def split_people(people: Sequence[Person]) -> tuple[tuple[Person, ...], frozenset[str]]:
    """Those who take part, and the keys of those who are only to be answered."""
    reply_to = frozenset(person.key for person in people if person.role == "reply-to" and person.key)
    return tuple(person for person in people if person.role != "reply-to"), reply_to


def _person(role: str, address: Address, account: AccountFacts) -> Person:
    key = account.connector.identity_key(address)[:320]
    external_id = clean(address.external_id)[:200] if address.external_id else ""
    return Person(role, key, clean(address.address)[:320], clean(address.name)[:200], external_id)


def is_mailing_of(people: Sequence[Person], automatic: str, flags: Iterable[str]) -> bool:
    return len(people) - 1 > MAILING_SIZE or automatic == Automatic.LIST or Flag.NEWSLETTER in set(flags)


def deleted_words() -> str:
    """What a list shows instead of a post's words."""
    return _("Deleted by its author")
