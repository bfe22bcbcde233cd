"""What Balas offers to do with a message, and leaves to a person: nothing here joins, splits or renames by itself.

Subjects, numbers in them and what a mail quotes are hints. Each offer is shown once beside its message, with one press
to take it and one to be rid of it for good.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from connectors.messages import Automatic, Flag
from inbox.rules.forwards import find_forwarded


class Offer(StrEnum):
    SPLIT = "split"
    WRITER = "writer"  # an agent forwarded it: who really wrote is the customer
    RELAY = "relay"  # a form or a group sent it for somebody: who is to be answered is the customer
    SAME_MATTER = "same-matter"
    CAME_BACK = "came-back"  # a bounce that names no id of ours, but somebody we had just written to


@dataclass(frozen=True, slots=True)
class Offered:
    offer: Offer
    message_id: int
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ours:
    """Who we are: addresses in lower case; `relays`: those whose Reply-To is taken already."""

    addresses: frozenset[str]
    relays: frozenset[str]

    @property
    def domains(self) -> frozenset[str]:
        return frozenset(one.rpartition("@")[2] for one in self.addresses) - _SHARED_DOMAINS

    def is_one_of_us(self, address: str) -> bool:
        address = address.lower()
        return address in self.addresses or address.rpartition("@")[2] in self.domains


# Where anybody has an address: that somebody writes from there says nothing about whose colleague they are.
_SHARED_DOMAINS: Final = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "ymail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "t-online.de",
        "mail.ru",
        "yandex.ru",
        "proton.me",
        "protonmail.com",
        "fastmail.com",
        "zoho.com",
        "qq.com",
        "163.com",
    ]
)
_FORMS: Final = re.compile(
    r"^(?:wordpress|wp|no-?_?reply|do-?not-?reply|(?:web|contact)?-?forms?|contact|kontakt|web(?:site|server|master)?"
    r"|www(?:-data)?|apache|mailer|notifications?|formsubmit|typeform|jotform"
    r"|submissions?|squarespace|wix|shopify)(?:[+._-][^@]*)?@",
    re.I,
)
_PREFIX: Final = re.compile(
    r"^\s*(?:(?:re|r|aw|antw|sv|vs|fw|fwd|wg|tr|rif|res|odp|ynt|bls|balas|ref|râ|răsp|enc|rv|doorst|vb|i|pd|trs)"
    r"\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:：]\s*)+",
    re.I,
)
_LIST_TAG: Final = re.compile(r"^\s*\[[^\]]{1,40}\]\s*")
_NUMBER: Final = re.compile(r"(?<![A-Za-z0-9])(?:#\s?)?((?:[A-Z]{1,5}-?)?\d{4,15}(?:-\d{1,6})?)(?![A-Za-z0-9])", re.I)
MIN_SUBJECT: Final = 8


def bare(subject: str) -> str:
    """Without prefixes of answers and forwards and a list's tag, folded, for comparing."""
    for _ in range(6):
        shorter = _LIST_TAG.sub("", _PREFIX.sub("", subject))
        if shorter == subject:
            break
        subject = shorter
    return " ".join(subject.casefold().split())


def numbers_of(subject: str) -> set[str]:
    """Ticket and order numbers, as far as they look like some; years do not."""
    found = {one.upper().replace("-", "") for one in _NUMBER.findall(subject[:300])}
    return {one for one in found if not re.fullmatch(r"(?:19|20)\d\d", one)}


def find_offers(
    entries: Sequence[Mapping[str, Any]],
    others: Iterable[Mapping[str, Any]],
    ours: Ours,
    answered: Collection[tuple[int, str]],
    *,
    is_whole: bool,
) -> list[Offered]:
    """`entries`: the messages that a reader sees, oldest first, as inbox.timeline gives them; `others`: the customer's
    other conversations; `answered`: (message, offer) that a person has answered. At most one offer a message.

    `is_whole`: the entries begin with the conversation's first message.
    """
    messages = [one for one in entries if one["entry"] == "message" and one["direction"] != "note"]
    found: dict[int, Offered] = {}
    for offered in (*_people(messages, ours), *_splits(messages, is_whole), *_same_matter(messages, others, is_whole)):
        if (offered.message_id, str(offered.offer)) not in answered:
            found.setdefault(offered.message_id, offered)
    return list(found.values())


def _people(messages: Sequence[Mapping[str, Any]], ours: Ours) -> Iterable[Offered]:
    for one in messages:
        if one["direction"] != "inbound" or one.get("verified") is False:
            continue
        author, flags = str(one.get("author_address") or ""), one.get("flags") or ()
        person = _reply_to(one, author)
        is_free = Flag.VIA_RELAY not in flags and author.lower() not in ours.relays
        if person and is_free and _is_relay(one, author, ours) and not ours.is_one_of_us(person[0]):
            yield Offered(Offer.RELAY, one["id"], {"address": person[0], "name": person[1], "relay": author})
        elif not one.get("automatic") and ours.is_one_of_us(author):
            forwarded = find_forwarded(str(one.get("text") or ""))
            if forwarded and not ours.is_one_of_us(forwarded.address):
                yield Offered(Offer.WRITER, one["id"], {"address": forwarded.address, "name": forwarded.name})


def _reply_to(message: Mapping[str, Any], author: str) -> tuple[str, str] | None:
    """The one person to be answered, when that is somebody else than the sender."""
    wished = [one for one in message.get("recipients") or () if one.get("role") == "reply-to" and one.get("address")]
    if len(wished) != 1 or wished[0]["address"].lower() == author.lower():
        return None
    return wished[0]["address"], wished[0].get("name", "")


def _is_relay(message: Mapping[str, Any], author: str, ours: Ours) -> bool:
    """A form writes from our own address or one that nobody reads; a group says that somebody wrote *via* it."""
    if message.get("automatic") not in ("", None, Automatic.AUTO_REPLY):
        return False
    is_via = re.search(r"\svia\s", str(message.get("author_name") or ""), re.I) is not None
    return author.lower() in ours.addresses or is_via or (bool(_FORMS.match(author)))


def _splits(messages: Sequence[Mapping[str, Any]], is_whole: bool) -> Iterable[Offered]:
    """A person's message under a subject that nobody in this conversation had used before."""
    known: list[str] = []
    for number, one in enumerate(messages):
        subject = bare(str(one.get("subject") or ""))
        is_new = len(subject) >= MIN_SUBJECT and not any(subject in old or (old and old in subject) for old in known)
        if is_new and (number or not is_whole) and known and one["direction"] == "inbound" and not one.get("automatic"):
            yield Offered(Offer.SPLIT, one["id"], {"subject": one["subject"]})
        known.append(subject)


def _same_matter(
    messages: Sequence[Mapping[str, Any]], others: Iterable[Mapping[str, Any]], is_whole: bool
) -> Iterable[Offered]:
    if not is_whole or not messages or messages[0]["direction"] != "inbound" or messages[0].get("automatic"):
        return
    subject = str(messages[0].get("subject") or "")
    own, numbers = bare(subject), numbers_of(subject)
    for other in others:
        theirs = str(other.get("subject") or "")
        is_same = len(own) >= MIN_SUBJECT and bare(theirs) == own
        if other.get("status") != "spam" and (is_same or numbers & numbers_of(theirs)):
            yield Offered(Offer.SAME_MATTER, messages[0]["id"], {"conversation": other["id"], "subject": theirs})
            return
