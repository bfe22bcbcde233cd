"""What a message can carry besides words: dates to keep, and complaints about what we sent. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who is invited. `answer`: accepted | declined | tentative | needs-action | delegated | ""."""

    address: str
    name: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """One event of a calendar (RFC 5545, RFC 5546).

    `starts`, `ends` and `occurrence` are ISO 8601: with Z an instant, a date alone for whole days (`ends` is the first
    day after), else a time on the writer's clock whose zone nobody knows. "" where it does not say.
    """

    method: str  # request | cancel | reply | counter | publish | … ; "" when it does not say
    uid: str
    title: str
    starts: str
    ends: str = ""
    zone: str = ""  # of the writer: an IANA name where it is known, else what they call it
    place: str = ""
    link: str = ""  # where to join; http or https
    note: str = ""
    organiser: Guest | None = None
    guests: tuple[Guest, ...] = ()
    rule: str = ""  # how it repeats, RFC 5545 §3.3.10
    occurrence: str = ""  # set: of a series only the one that was to begin then
    is_cancelled: bool = False
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Complaint:
    """Somebody's provider says that our mail was unwelcome (RFC 5965)."""

    kind: str  # abuse | fraud | virus | not-spam | opt-out | auth-failure | other
    message_id: str = ""  # of our mail, "" when it does not say
    recipient: str = ""  # who complained, where it is told
    subject: str = ""  # of our mail
    sender: str = ""  # the envelope's
    source: str = ""  # the IP address that it came from
    arrived: str = ""  # as written
    count: int = 1
    reporter: str = ""
