"""Everything that is in the inbox, as plain objects in the form of docs/cli.md, streamed in bounded memory.

Rows come in chunks by primary key; what belongs to a chunk is looked up once per chunk. Ids are strings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, QuerySet

from inbox import sla
from inbox.models import (
    Account,
    Attachment,
    Conversation,
    ConversationAccount,
    ConversationTag,
    Customer,
    Delivery,
    DuplicateLink,
    Envelope,
    EnvelopeRecipient,
    IdentityLink,
    Message,
    SlaEvent,
    StrandLink,
)
from inbox.rules import passages
from inbox.rules.states import SendState, message_state

CHUNK = 500

Row = dict[str, Any]


def stream(subject: str, found: Mapping[str, set[int]] | None) -> Iterator[Row]:
    """`subject`: messages | conversations | customers | sla-events. `found` limits it to these ids."""
    names = dict(Account.objects.values_list("id", "name"))
    makers: dict[str, tuple[QuerySet[Any], Callable[[Sequence[Any], Mapping[int, str]], Iterator[Row]]]] = {
        "messages": (_limited(Message.objects, "id", found, "messages"), _messages),
        "conversations": (_limited(Conversation.objects, "id", found, "conversations"), _conversations),
        "customers": (_limited(Customer.objects, "conversations__id", found, "conversations"), _customers),
        "sla-events": (_limited(SlaEvent.objects, "conversation_id", found, "conversations"), _sla_events),
    }
    rows, make = makers[subject]
    for chunk in _chunks(rows):
        yield from make(chunk, names)


def _limited(rows: Any, column: str, found: Mapping[str, set[int]] | None, which: str) -> QuerySet[Any]:
    if found is None:
        limited: QuerySet[Any] = rows.all()
    else:
        limited = rows.filter(**{f"{column}__in": sorted(found[which])}).distinct()
    return limited


def _chunks(rows: QuerySet[Any]) -> Iterator[Sequence[Any]]:
    after = 0
    while chunk := list(rows.filter(id__gt=after).order_by("id")[:CHUNK]):
        yield chunk
        after = chunk[-1].id


def _ids(chunk: Sequence[Model]) -> list[int]:
    return [row.pk for row in chunk]


# --- messages -------------------------------------------------------------------------------------------------------


def _messages(chunk: Sequence[Message], names: Mapping[int, str]) -> Iterator[Row]:
    ids = _ids(chunk)
    conversations = {
        row.strand_id: row
        for row in StrandLink.objects.filter(strand__in={m.strand_id for m in chunk}, ended_at=None).select_related(
            "conversation", "strand"
        )
    }
    deliveries: dict[int, list[Row]] = defaultdict(list)
    for row in Delivery.objects.filter(message__in=ids).select_related("raw_item").order_by("id"):
        deliveries[row.message_id].append(
            {
                "account": names.get(row.account_id),
                "folder": row.raw_item.place,
                "external_id": row.raw_item.external_id,
                "received_at": row.received_at,
            }
        )
    attachments: dict[int, list[Row]] = defaultdict(list)
    for file in Attachment.objects.filter(message__in=ids).order_by("id"):
        attachments[file.message_id].append(
            {
                "name": file.name,
                "type": file.content_type,
                "size": file.size,
                "sha256": file.sha256,
                "inline": file.is_inline,
            }
        )
    originals = dict(DuplicateLink.objects.filter(message__in=ids, ended_at=None).values_list("message", "original"))
    sends = _sends(ids)
    for message in chunk:
        link = conversations.get(message.strand_id)
        envelopes = sends.get(message.id, [])
        yield {
            "id": str(message.id),
            "conversation": str(link.conversation_id) if link else None,
            "thread": str(link.strand.thread_id) if link else None,
            "strand": str(message.strand_id),
            "customer": str(link.conversation.customer_id) if link else None,
            "kind": message.kind,
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
            "language": message.language or None,
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


# --- conversations --------------------------------------------------------------------------------------------------


def _conversations(chunk: Sequence[Conversation], names: Mapping[int, str]) -> Iterator[Row]:
    ids = _ids(chunk)
    accounts: dict[int, list[str | None]] = defaultdict(list)
    for conversation, account in ConversationAccount.objects.filter(conversation__in=ids).values_list(
        "conversation_id", "account_id"
    ):
        accounts[conversation].append(names.get(account))
    tags: dict[int, list[str]] = defaultdict(list)
    for conversation, tag in ConversationTag.objects.filter(conversation__in=ids).values_list(
        "conversation_id", "tag__name"
    ):
        tags[conversation].append(tag)
    threads: dict[int, set[str]] = defaultdict(set)
    kinds: dict[int, set[str]] = defaultdict(set)
    for conversation, thread, kind in StrandLink.objects.filter(conversation__in=ids, ended_at=None).values_list(
        "conversation_id", "strand__thread_id", "strand__thread__kind"
    ):
        threads[conversation].add(str(thread))
        kinds[conversation].add(kind)
    people = dict(Conversation.objects.filter(id__in=ids).values_list("id", "owner__email"))
    teams = dict(Conversation.objects.filter(id__in=ids).values_list("id", "team__name"))
    for row in chunk:
        result = sla.result_of(row)
        yield {
            "id": str(row.id),
            "customer": str(row.customer_id),
            "subject": row.subject,
            "status": row.status,
            "assignee": people[row.id],
            "team": teams[row.id],
            "accounts": sorted(name for name in accounts[row.id] if name),
            "kinds": sorted(kinds[row.id]),
            "tags": sorted(tags[row.id]),
            "threads": sorted(threads[row.id]),
            "messages": row.messages_count,
            "opened_at": row.opened_at,
            "last_inbound_at": row.last_inbound_at,
            "last_outbound_at": row.last_outbound_at,
            "due_at": row.due_at,
            "due_for": row.due_for or None,
            "breached": [str(target) for target in result.breached],
            "first_response_seconds": {
                "wall": _seconds(result.first_response_wall),
                "business": _seconds(result.first_response_business),
            },
            "resolved_at": row.resolved_at,
            "reopened": row.reopened_count,
            "suggestions": [],
        }


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


# --- customers and the ledger ---------------------------------------------------------------------------------------


def _customers(chunk: Sequence[Customer], names: Mapping[int, str]) -> Iterator[Row]:
    ids = _ids(chunk)
    identities: dict[int, list[Row]] = defaultdict(list)
    for link in IdentityLink.objects.filter(customer__in=ids, ended_at=None).select_related("identity").order_by("id"):
        one = link.identity
        identities[link.customer_id].append(
            {
                "kind": one.kind,
                "address": one.address,
                "external_id": one.external_id or None,
                "display": one.display,
                "evidence": link.evidence,
                "linked_at": link.linked_at,
                "linked_by": link.actor,
                "verified": one.verified,
            }
        )
    conversations: dict[int, list[str]] = defaultdict(list)
    for customer, conversation in (
        Conversation.objects.filter(customer__in=ids).order_by("id").values_list("customer_id", "id")
    ):
        conversations[customer].append(str(conversation))
    for row in chunk:
        yield {
            "id": str(row.id),
            "name": row.name,
            "identities": identities[row.id],
            "conversations": conversations[row.id],
            "merged_from": [],
        }


def _sla_events(chunk: Sequence[SlaEvent], names: Mapping[int, str]) -> Iterator[Row]:
    for row in chunk:
        occurred: datetime = row.occurred_at
        yield {
            "id": str(row.id),
            "conversation": str(row.conversation_id),
            "at": occurred,
            "occurred_at": occurred,
            "recorded_at": row.recorded_at,
            "kind": row.kind,
            "actor": row.actor,
            "policy_version": str(row.policy_version_id) if row.policy_version_id else None,
            "calendar_version": str(row.calendar_version_id) if row.calendar_version_id else None,
            "due_at": row.due_at,
            "due_for": row.due_for or None,
            "message": str(row.message_id) if row.message_id else None,
            "data": {**row.data, **({"undoes": str(row.target_event_id)} if row.target_event_id else {})},
        }
