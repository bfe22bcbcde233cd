"""A reply frozen into bytes, and those bytes read back: JSON with the request's own body, files in base64, and who
answers whom. The same reply gives the same bytes.

https://docs.x.com/x-api/posts/manage-tweets/introduction (`text`, `reply.in_reply_to_tweet_id`),
https://docs.x.com/x-api/direct-messages/manage/integrate (`text`; one piece of media).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.base import Unsupported
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
from connectors.x import rules
from connectors.x.entries import canonical, id_of, part_of, rows_of, text_of, time_of
from connectors.x.parse import content_of, read_object, unreadable
from connectors.x.people import Us
from connectors.x.weights import plain_lines

FORM = "balas-x-1"
MOST_BYTES = 768 * 2**20  # a film of 512 MB in base64


@dataclass(frozen=True, slots=True)
class Frozen:
    """What `freeze` wrote. `answers_id`: the post that is answered; `conversation`, or else
    `participant`: where a direct message goes."""

    key: str
    text: str
    is_direct: bool
    answers_id: str
    answers_first: str  # the id of its first version
    conversation: str
    participant: str
    to: Address
    sender: Address
    written_at: datetime | None
    files: tuple[OutboundFile, ...]
    in_reply_to: str
    references: tuple[str, ...]


def freeze(reply: Reply, us: Us, is_long: bool, is_bound: bool) -> OutboundMessage:
    """Raises Unsupported for what X cannot say."""
    text = plain_lines(reply.text).strip()
    outline = Outline(
        text,
        reply.answers,
        reply.visibility,
        reply.warning,
        tuple(OutlinedFile(one.name, one.content_type, len(one.content), one.alt) for one in reply.files),
    )
    refused = rules.objections(outline, is_long=is_long, is_bound=is_bound)
    if reply.cc or len(reply.to) > 1:
        refused = ("X sends an answer to one person only.", *refused)
    if refused:
        raise Unsupported(" ".join(refused))
    facts = reply.answers.facts if reply.answers else {}
    is_direct = rules.is_direct(outline)
    to = reply.to[0] if reply.to else Address("")
    participant = to.external_id or id_of(facts, "author_id")
    if is_direct and not (text_of(facts, "dm_conversation_id") or participant):
        raise Unsupported("A direct message needs somebody it goes to.")
    answers_id = "" if is_direct else id_of(facts, "id") or _answered_id(reply)
    if reply.in_reply_to and not is_direct and not answers_id:
        raise Unsupported("What this answers is no post on X.")
    content = canonical(
        {
            "form": FORM,
            "key": reply.idempotency_key,
            "kind": "direct" if is_direct else "post",
            "text": text,
            "answers_id": answers_id,
            "answers_first": (id_of(facts, "first_id") or answers_id) if answers_id else "",
            "conversation": text_of(facts, "dm_conversation_id") if is_direct else "",
            "participant": participant if is_direct else "",
            "to": {"handle": to.address, "name": to.name, "id": to.external_id},
            "from": {"handle": us.handle or reply.sender.address, "name": us.name or reply.sender.name, "id": us.id},
            "written_at": reply.written_at.astimezone(UTC).isoformat(),
            "in_reply_to": reply.in_reply_to,
            "references": list(reply.references[-50:]),
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


def _answered_id(reply: Reply) -> str:
    kind, _, own = reply.in_reply_to.partition(":")
    return own if kind == "x" and own.isdecimal() else ""


def thaw(content: bytes) -> Frozen | None:
    """None for bytes that `freeze` did not write."""
    data = read_whole(content)
    if data is None:
        return None
    to, sender = part_of(data, "to"), part_of(data, "from")
    references = data.get("references")
    try:
        files = tuple(
            OutboundFile(
                text_of(one, "name"),
                text_of(one, "content_type"),
                base64.b64decode(str(one.get("content")), validate=True),
                text_of(one, "alt"),
            )
            for one in rows_of(data, "files")
        )
    except (binascii.Error, ValueError):
        return None
    return Frozen(
        text_of(data, "key"),
        text_of(data, "text"),
        data.get("kind") == "direct",
        id_of(data, "answers_id"),
        id_of(data, "answers_first"),
        text_of(data, "conversation"),
        id_of(data, "participant"),
        Address(text_of(to, "handle"), text_of(to, "name"), text_of(to, "id")),
        Address(text_of(sender, "handle"), text_of(sender, "name"), text_of(sender, "id")),
        time_of(data, "written_at"),
        files,
        text_of(data, "in_reply_to"),
        tuple(str(one) for one in references) if isinstance(references, list) else (),
    )


def read_whole(content: bytes) -> dict[str, Any] | None:
    """Our own bytes, which may be large: files lie in them."""
    data = read_object(content, MOST_BYTES)
    return data if data is not None and data.get("form") == FORM else None


def parse_frozen(item: RawItem) -> ParsedMessage:
    content = content_of(item, MOST_BYTES)
    frozen = thaw(content)
    if frozen is None:
        return unreadable(item, content[: 2 * 2**20])
    files = [
        ParsedAttachment(
            str(number), one.name, one.content_type, len(one.content), hashlib.sha256(one.content).hexdigest()
        )
        for number, one in enumerate(frozen.files, 1)
    ]
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
        stable_sha256=hashlib.sha256(content).hexdigest(),
        raw_sha256=hashlib.sha256(content).hexdigest(),
        verified=True,
        post=Post(
            standing=Standing.OWN,
            visibility=Visibility.DIRECT if frozen.is_direct else Visibility.PUBLIC,
            media=tuple(
                Media(rules.media_kind(one.content_type), alt=one.alt, content_type=one.content_type)
                for one in frozen.files
            ),
        ),
    )
