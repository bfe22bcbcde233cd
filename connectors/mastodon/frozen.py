"""A reply frozen into bytes, and those bytes read back: JSON with the fields of POST /api/v1/statuses, files in base64,
and who answers whom. The same reply gives the same bytes.

https://docs.joinmastodon.org/methods/statuses/#create
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.base import Unsupported
from connectors.mastodon import rules
from connectors.mastodon.instance import Instance
from connectors.mastodon.parse import content_of, read_object, unreadable
from connectors.mastodon.people import Us
from connectors.mastodon.values import canonical, ident, moment, part, rows, text
from connectors.messages import (
    Address,
    OutboundFile,
    OutboundMessage,
    ParsedAttachment,
    ParsedMessage,
    Passage,
    RawItem,
    Recipient,
    Reply,
)
from connectors.social import Media, Outline, OutlinedFile, Post, Standing, Visibility

FORM = "balas-mastodon-1"
MOST_BYTES = 512 * 2**20
_VISIBLE = {name: visibility for visibility, name in rules.NAMES.items()}


@dataclass(frozen=True, slots=True)
class Frozen:
    """`answers_id` counts on `answers_server` alone; `in_reply_to` names the same post everywhere."""

    key: str
    text: str
    warning: str
    visibility: Visibility
    language: str
    answers_id: str
    answers_server: str
    in_reply_to: str
    references: tuple[str, ...]
    to: Address
    sender: Address
    written_at: datetime | None
    files: tuple[OutboundFile, ...]


def freeze(reply: Reply, us: Us, instance: Instance, settings: dict[str, Any]) -> OutboundMessage:
    """Raises Unsupported for what the server would not take."""
    files = tuple(OutlinedFile(one.name, one.content_type, len(one.content), one.alt) for one in reply.files)
    outline = Outline(reply.text, reply.answers, reply.visibility, reply.warning, files)
    refused = rules.objections(outline, instance, settings, us.domain)
    if reply.cc or len(reply.to) > 1:
        refused = ("An answer goes to one person; mention others in its text.", *refused)
    to = rules.answered_address(reply.to, reply.answers)
    visibility = rules.chosen(outline, settings)
    if visibility is Visibility.DIRECT and not to.address:
        refused = ("A direct message needs somebody it goes to.", *refused)
    if refused:
        raise Unsupported(" ".join(refused))
    # Whom a thread of our own is spoken to in is not mentioned for being its author.
    handle = to.address.lstrip("@") if reply.to else rules.answered_handle(reply.answers)
    words = reply.text.replace("\r\n", "\n").strip()
    words = rules.lead_of(words, handle, us.domain) + words
    warning = rules.warning_of(reply.answers, reply.warning)
    excess = rules.counted(words, warning, instance) - instance.max_characters
    if excess > 0:
        raise Unsupported(f"With @{handle} in front this is {excess} characters too long.")
    facts = reply.answers.facts if reply.answers is not None else {}
    content = canonical(
        {
            "form": FORM,
            "key": reply.idempotency_key,
            "status": words,
            "spoiler_text": warning,
            "visibility": rules.NAMES[visibility],
            "language": reply.language,
            "answers_id": ident(facts, "id"),
            "answers_server": text(facts, "server", 300),
            "in_reply_to": reply.in_reply_to or text(facts, "uri", 2000),
            "references": list(reply.references[-50:]),
            "to": {"handle": to.address, "name": to.name, "id": to.external_id},
            "from": {"handle": us.handle or reply.sender.address, "name": us.name or reply.sender.name, "id": us.uri},
            "written_at": reply.written_at.astimezone(UTC).isoformat(),
            "files": [
                {
                    "name": one.name,
                    "content_type": one.content_type,
                    "alt": one.alt,
                    "content": base64.b64encode(one.content).decode(),
                }
                for one in reply.files
            ],
        }
    )
    recipients = (to.address,) if to.address else ()
    return OutboundMessage(reply.idempotency_key, us.handle or reply.sender.address, recipients, content)


def thaw(content: bytes) -> Frozen | None:
    """None for bytes that `freeze` did not write."""
    data = read_object(content, MOST_BYTES)
    if data is None or data.get("form") != FORM:
        return None
    to, sender, references = part(data, "to"), part(data, "from"), data.get("references")
    try:
        files = tuple(
            OutboundFile(
                text(one, "name"),
                text(one, "content_type"),
                base64.b64decode(str(one.get("content") or ""), validate=True),
                text(one, "alt"),
            )
            for one in rows(data, "files")
        )
    except (binascii.Error, ValueError):
        return None
    return Frozen(
        text(data, "key"),
        text(data, "status"),
        text(data, "spoiler_text"),
        _VISIBLE.get(text(data, "visibility"), Visibility.DIRECT),
        text(data, "language"),
        ident(data, "answers_id"),
        text(data, "answers_server"),
        text(data, "in_reply_to"),
        tuple(str(one) for one in references) if isinstance(references, list) else (),
        Address(text(to, "handle"), text(to, "name"), text(to, "id")),
        Address(text(sender, "handle"), text(sender, "name"), text(sender, "id")),
        moment(data, "written_at"),
        files,
    )


def parse_frozen(item: RawItem) -> ParsedMessage:
    content = content_of(item, MOST_BYTES)
    frozen = thaw(content)
    if frozen is None:
        return unreadable(item, content)
    files = [
        ParsedAttachment(
            str(number), one.name, one.content_type, len(one.content), hashlib.sha256(one.content).hexdigest()
        )
        for number, one in enumerate(frozen.files, 1)
    ]
    sha = hashlib.sha256(content).hexdigest()
    return ParsedMessage(
        author=frozen.sender,
        recipients=(Recipient("to", frozen.to),) if frozen.to.address else (),
        subject="",
        text=frozen.text,
        visible_text=frozen.text,
        written_at=frozen.written_at,
        message_id=frozen.key,
        in_reply_to=frozen.in_reply_to,
        references=frozen.references,
        passages=(Passage("new", frozen.text),) if frozen.text else (),
        attachments=tuple(files),
        stable_sha256=sha,
        raw_sha256=sha,
        verified=True,
        language=frozen.language,
        post=Post(
            standing=Standing.OWN,
            visibility=frozen.visibility,
            warning=frozen.warning,
            media=tuple(
                Media(rules.kind_of(one.content_type), alt=one.alt, content_type=one.content_type)
                for one in frozen.files
            ),
        ),
    )
