"""Conversations as plain objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from inbox import sla
from inbox.exports.rows import Row, ids_of
from inbox.models import Conversation, ConversationAccount, ConversationTag, StrandLink


def conversation_rows(chunk: Sequence[Conversation], names: Mapping[int, str]) -> Iterator[Row]:
    ids = ids_of(chunk)
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
