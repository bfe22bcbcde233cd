"""The queue, in order, page by page; flat at any size. Signatures first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inbox.models import User

TABS = ("open", "mine", "waiting", "snoozed", "resolved", "spam", "all")

Scope = frozenset[int] | None
"""Ids of readable accounts; None means all (inbox.people.readable_accounts)."""


@dataclass(frozen=True, slots=True)
class WorkPage:
    rows: list[dict[str, Any]]
    after: str  # cursor of the next page, "" at the end


def page(scope: Scope, tab: str, user: User | None = None, *, after: str = "", limit: int = 50) -> WorkPage:
    """Rows are dicts: id, subject, status, status_reason, customer_id, customer_name, owner_id, owner_name, team_id,
    team_name, account_id, account_name, kind, due_at, due_for, snoozed_until, preview, last_direction,
    messages_count, last_activity_at, last_inbound_at, is_unseen, version, language, sla, calendar_version_id, tags
    (list of names), sending (bool), send_trouble (bool). `user` is needed for tab "mine"."""
    ...


def counts(scope: Scope, user: User) -> dict[str, int]: ...
def row(conversation_id: int, scope: Scope) -> dict[str, Any] | None: ...
def next_after(conversation_id: int, scope: Scope, tab: str, user: User | None = None) -> int | None: ...
