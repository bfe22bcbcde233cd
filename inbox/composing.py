"""From what an agent wrote to exact bytes: subject, references, quoted history, and one look back at the result.

Pure but for reading rows: nothing is written here, so it runs before the transaction that queues the reply.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from connectors.base import Connector, Refused
from connectors.messages import Address, OutboundFile, OutboundMessage, ParsedMessage, RawItem, Reply, Scope
from connectors.social import Post, Visibility
from inbox.models import Account, Message, Organisation
from inbox.rules.passages import visible

MAX_QUOTED_CHARACTERS = 20_000

# What mail programs of many languages write before the subject of an answer, with their counters: "Re[2]:", "AW:".
_REPLY_PREFIX = re.compile(
    r"^\s*(?:re|r|aw|antw|antwort|sv|vs|rif|ref|res|odp|odg|ynt|bls|balas|răsp|rasp|rép|atb|svar|vá|hv|回复|答复|回覆)"
    r"\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:：]\s*",
    re.IGNORECASE,
)
_MAX_PREFIXES = 20


@dataclass(frozen=True, slots=True)
class Written:
    """What the agent decided, before it is frozen."""

    account: Account
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    text: str
    files: tuple[OutboundFile, ...]
    with_quote: bool
    answers: Message | None  # the message that is answered
    language: str
    post: Post | None = None  # the same as a post
    visibility: Visibility | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Frozen:
    message: OutboundMessage
    parsed: ParsedMessage  # the same bytes as any reader will see them
    sha256: str


def reply_subject(subject: str) -> str:
    """ "Re: " and the subject without the prefixes that answers in other languages have piled up."""
    for _turn in range(_MAX_PREFIXES):
        shorter = _REPLY_PREFIX.sub("", subject, count=1)
        if shorter == subject:
            break
        subject = shorter
    subject = subject.strip()
    return f"Re: {subject}" if subject else "Re:"


def freeze(connector: Connector, written: Written, now: datetime) -> Frozen:
    """The exact bytes and what they say. Raises Refused or Unsupported with a sentence for the agent."""
    answered = written.answers
    reply = Reply(
        idempotency_key=connector.new_key(),
        sender=Address(written.account.address, written.account.display_name),
        to=written.to,
        cc=written.cc,
        subject=written.subject,
        text=written.text,
        written_at=now,
        quoted=_quote(answered) if answered and written.with_quote else "",
        quoted_intro=_quote_intro(answered, written.language) if answered and written.with_quote else "",
        in_reply_to=answered.reference if answered else "",
        references=(*answered.references, answered.reference) if answered else (),
        files=written.files,
        language=written.language,
        answers=written.post,
        visibility=written.visibility,
        warning=written.warning,
    )
    message = connector.compose(reply)
    return Frozen(message, _look_back(connector, reply, message, now), hashlib.sha256(message.content).hexdigest())


def _look_back(connector: Connector, reply: Reply, message: OutboundMessage, now: datetime) -> ParsedMessage:
    """Reads the frozen bytes as a receiver would: they must say who writes to whom exactly as it was meant."""
    item = RawItem(Scope("outbox"), message.idempotency_key, now, len(message.content), message.content, is_sent=True)
    parsed = connector.parse(item)
    if not isinstance(parsed, ParsedMessage) or not _says_what_was_meant(connector, reply, message, parsed):
        raise Refused(_("This message cannot be written safely. Check the addresses and the subject."))
    return parsed


def _says_what_was_meant(connector: Connector, reply: Reply, message: OutboundMessage, parsed: ParsedMessage) -> bool:
    people = {one.address: one for one in (*reply.to, *reply.cc)}
    meant = {_key(connector, address) for address in people.values()}
    said = {_key(connector, one.address) for one in parsed.recipients if one.role in ("to", "cc")}
    sent = {_key(connector, people.get(address) or Address(address)) for address in message.recipients}
    is_ours = parsed.message_id == message.idempotency_key
    is_seen_by = reply.visibility is None or parsed.post is None or parsed.post.visibility is reply.visibility
    return meant == said == sent and is_ours and is_seen_by and len(parsed.attachments) >= len(reply.files)


def _key(connector: Connector, address: Address) -> str:
    return connector.identity_key(address) or address.address


def address_of(kept: Mapping[str, str]) -> Address:
    """One of a message's stored recipients."""
    return Address(kept["address"], kept.get("name", ""), kept.get("external_id", ""))


def author_of(message: Message) -> Address:
    post = getattr(message, "post", None)
    return Address(message.author_address, message.author_name, post.author_external_id if post else "")


def _quote(answered: Message) -> str:
    text = visible(answered.text, answered.passages)
    if len(text) <= MAX_QUOTED_CHARACTERS:
        return text
    return text[:MAX_QUOTED_CHARACTERS].rpartition("\n")[0] + "\n[…]"


def _quote_intro(answered: Message, language: str) -> str:
    """Who wrote when, in the customer's language and the organisation's zone."""
    organisation = Organisation.objects.filter(id=1).first()
    at = answered.written_at.astimezone(ZoneInfo(organisation.zone if organisation else "UTC"))
    known = {code for code, _name in settings.LANGUAGES}
    with translation.override(language if language in known else "en"):
        values = {
            "date": date_format(at, "DATE_FORMAT"),
            "time": f"{at:%H:%M}",
            "name": answered.author_name or answered.author_address,
        }
        return _("On %(date)s at %(time)s, %(name)s wrote:") % values


def distinct(addresses: Sequence[Address], connector: Connector, but: Sequence[Address] = ()) -> tuple[Address, ...]:
    """Without repetitions and without those in `but`, in order; what names nobody is kept for the gates to refuse."""
    seen = {_key(connector, address) for address in but}
    found: list[Address] = []
    for address in addresses:
        key = _key(connector, address)
        if key not in seen:
            seen.add(key)
            found.append(address)
    return tuple(found)
