"""Rows of the ledger of promises as plain values, for those who write and read many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

from inbox.models import SlaEvent
from inbox.rules.states import SlaKind
from inbox.sql import dump_json, insert, moment, read_json, read_moment, select_in


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to write. `data` may hold "received_at" and "seen_at" (ISO) and "is_automatic": see rules Event."""

    kind: SlaKind
    occurred_at: datetime
    recorded_at: datetime
    actor: str = "balas"
    message_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    target_id: int | None = None  # of `undone`: the event it undoes
    policy_version_id: int | None = None  # of `policy-changed`
    calendar_version_id: int | None = None  # of `calendar-changed`


@dataclass(slots=True)
class LedgerRow:
    """An event's columns: what is written in bulk, without an object of the ORM. Named as in models.SlaEvent."""

    id: int
    conversation_id: int
    kind: SlaKind
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    message_id: int | None
    target_event_id: int | None
    policy_version_id: int | None
    calendar_version_id: int | None
    data: Mapping[str, Any]
    due_at: datetime | None = None
    due_for: str = ""

    def as_model(self) -> SlaEvent:
        return SlaEvent(**{name: getattr(self, name) for name in self.__slots__})


Ledger = Iterable[SlaEvent | LedgerRow]


def row_of(entry: Entry, row_id: int, conversation_id: int, policy: int, calendar: int) -> LedgerRow:
    """`policy` and `calendar` are the versions in force with it."""
    return LedgerRow(
        id=row_id,
        conversation_id=conversation_id,
        kind=entry.kind,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        actor=entry.actor,
        message_id=entry.message_id,
        target_event_id=entry.target_id,
        policy_version_id=policy,
        calendar_version_id=calendar,
        data=dict(entry.data),
    )


def read_ledgers(cursor: CursorWrapper, conversation_ids: Collection[int]) -> dict[int, list[LedgerRow]]:
    """The events of many conversations in one statement, each ledger in no particular order."""
    found: dict[int, list[LedgerRow]] = {one: [] for one in conversation_ids}
    sql = (
        "SELECT id, conversation_id, kind, occurred_at, recorded_at, actor, message_id, target_event_id,"
        " policy_version_id, calendar_version_id, data FROM inbox_slaevent WHERE conversation_id IN ({in})"
    )
    for event_id, conversation, kind, occurred, recorded, *others, data in select_in(cursor, sql, conversation_ids):
        at, noted_at = read_moment(occurred), read_moment(recorded)
        assert at is not None and noted_at is not None
        actor, message, target, policy, calendar = others
        found[conversation].append(
            LedgerRow(
                *(event_id, conversation, SlaKind(kind), at, noted_at, actor, message, target, policy, calendar),
                data=read_json(data),
            )
        )
    return found


def write_ledgers(cursor: CursorWrapper, rows: Sequence[LedgerRow]) -> None:
    columns = (
        "id conversation_id kind occurred_at recorded_at actor message_id target_event_id policy_version_id"
        " calendar_version_id due_at due_for data"
    )
    values = [
        (
            *(one.id, one.conversation_id, str(one.kind), moment(one.occurred_at), moment(one.recorded_at), one.actor),
            *(one.message_id, one.target_event_id, one.policy_version_id, one.calendar_version_id),
            *(moment(one.due_at), one.due_for, dump_json(one.data)),
        )
        for one in rows
    ]
    insert(cursor, "inbox_slaevent", columns, values)
