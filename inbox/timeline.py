"""Everything one conversation page shows, in at most five statements. Signatures first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inbox.models import User
from inbox.worklist import Scope


@dataclass(frozen=True, slots=True)
class Timeline:
    conversation: dict[str, Any]  # as worklist.row, and customer_note, customer_language, opened_at, resolved_at …
    entries: list[dict[str, Any]]
    """Oldest first. Each has `entry`: "message" | "hidden" | "act".
    message: id, direction, kind, at, author_name, author_address, author_user_id, author_user_name, recipients,
    subject, passages [(kind, text)], has_html, flags, automatic, verified, language, deliveries [{account_id,
    account_name, received_at}], attachments [{id, name, content_type, size, is_inline}], copy_of (message id|None),
    sends [{id, state, sentence, due_at, recipients [{address, name, role, outcome, code, sentence}]}], state.
    hidden: count. act: at, actor, act, data."""
    earlier: str  # cursor for `earlier=`, "" when the beginning is shown
    newest_message: int  # pass as seen_message
    identities: list[dict[str, Any]]  # id, kind, address, display, verified, evidence, linked_at, actor
    others: list[dict[str, Any]]  # the customer's other conversations: id, subject, status, kind, last_activity_at
    draft: dict[str, Any] | None  # body, fields, seen_message, updated_at, attachments, is_stale


def load(conversation_id: int, scope: Scope, user: User, *, earlier: str = "", limit: int = 100) -> Timeline | None:
    """None when it does not exist or lies outside the scope."""
    ...
