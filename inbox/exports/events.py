"""The ledger of promises as plain objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from inbox.exports.rows import Row
from inbox.models import SlaEvent


def event_rows(chunk: Sequence[SlaEvent], names: Mapping[int, str]) -> Iterator[Row]:
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
