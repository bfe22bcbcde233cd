"""Messages as plain objects: what was written, where it came in, and how its sends went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inbox.exports.rows import Row, ids_of
from inbox.models import (
    Attachment,
    Delivery,
    DuplicateLink,
    Envelope,
    EnvelopeRecipient,
    Message,
    PostState,
    StrandLink,
)
from inbox.rules import passages
from inbox.rules.languages import UNKNOWN
from inbox.rules.states import SendState, message_state


def message_rows(chunk: Sequence[Message], names: Mapping[int, str]) -> Iterator[Row]:
    ids = ids_of(chunk)
    links = _links(chunk)
    deliveries, attachments, sends = _deliveries(ids, names), _attachments(ids), _sends(ids)
    posts = dict(PostState.objects.filter(message__in=ids).values_list("message", "visibility"))
    originals = dict(DuplicateLink.objects.filter(message__in=ids, ended_at=None).values_list("message", "original"))
    for message in chunk:
        envelopes = sends.get(message.id, [])
        yield {
            "id": str(message.id),
            **_whereabouts(message, links.get(message.strand_id)),
            "kind": message.kind,
            "visibility": posts.get(message.id),
            "account": names.get(message.account_id or 0),
            "direction": message.direction,
            "author": {
                "name": message.author_name,
                "address": message.author_address,
                "identity": str(message.author_id) if message.author_id else None,
            },
            "recipients": _recipients(message, envelopes),
            "subject": message.subject,
            "text": message.text,
            "visible_text": passages.visible(message.text, message.passages),
            "language": message.language if message.language not in ("", UNKNOWN) else None,
            "sent_at": message.dated_at or message.written_at,
            "received_at": message.received_at,
            "message_id": message.reference,
            "in_reply_to": message.in_reply_to,
            "references": message.references,
            "deliveries": deliveries[message.id],
            "attachments": attachments[message.id],
            "duplicate_of": str(originals[message.id]) if message.id in originals else None,
            "flags": message.flags,
            "verified": message.verified,
            "automatic": message.automatic or None,
            "state": _state(envelopes),
        }


def _links(chunk: Sequence[Message]) -> dict[int, StrandLink]:
    rows = StrandLink.objects.filter(strand__in={message.strand_id for message in chunk}, ended_at=None)
    return {row.strand_id: row for row in rows.select_related("conversation", "strand")}


def _whereabouts(message: Message, link: StrandLink | None) -> Row:
    return {
        "conversation": str(link.conversation_id) if link else None,
        "thread": str(link.strand.thread_id) if link else None,
        "strand": str(message.strand_id),
        "customer": str(link.conversation.customer_id) if link else None,
    }


def _deliveries(ids: Sequence[int], names: Mapping[int, str]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in Delivery.objects.filter(message__in=ids).select_related("raw_item").order_by("id"):
        found[row.message_id].append(
            {
                "account": names.get(row.account_id),
                "folder": row.raw_item.place,
                "external_id": row.raw_item.external_id,
                "received_at": row.received_at,
            }
        )
    return found


def _attachments(ids: Sequence[int]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for file in Attachment.objects.filter(message__in=ids).order_by("id"):
        found[file.message_id].append(
            {
                "name": file.name,
                "type": file.content_type,
                "size": file.size,
                "sha256": file.sha256,
                "inline": file.is_inline,
            }
        )
    return found


def _sends(ids: Sequence[int]) -> dict[int, list[tuple[str, list[EnvelopeRecipient]]]]:
    recipients: dict[int, list[EnvelopeRecipient]] = defaultdict(list)
    for row in EnvelopeRecipient.objects.filter(envelope__message__in=ids).order_by("id"):
        recipients[row.envelope_id].append(row)
    found: dict[int, list[tuple[str, list[EnvelopeRecipient]]]] = defaultdict(list)
    for envelope, message, state in (
        Envelope.objects.filter(message__in=ids).order_by("id").values_list("id", "message", "state")
    ):
        found[message].append((state, recipients[envelope]))
    return found


def _state(envelopes: Sequence[tuple[str, Any]]) -> str | None:
    return str(message_state([SendState(state) for state, _ in envelopes])) if envelopes else None


def _recipients(message: Message, envelopes: Sequence[tuple[str, list[EnvelopeRecipient]]]) -> list[Row]:
    if not envelopes:
        return [{"role": row["role"], "name": row["name"], "address": row["address"]} for row in message.recipients]
    latest: dict[str, EnvelopeRecipient] = {row.address: row for _, rows in envelopes for row in rows}
    return [
        {"role": row.role, "name": row.name, "address": row.address, "outcome": row.outcome} for row in latest.values()
    ]
