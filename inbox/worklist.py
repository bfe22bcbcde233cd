"""The queue, in order, page by page; flat at any size.

The order is that of rules.urgency: the nearest deadline first, then what has no clock, newest first. Every tab walks
one index from a cursor; nothing is counted over rows and no page is reached by an offset. What a person may not read is
filtered in the statement itself: a conversation is visible when any of its accounts is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, NullIf

from inbox.models import (
    Conversation,
    ConversationAccount,
    ConversationTag,
    Counter,
    Envelope,
    IdentityLink,
    User,
)
from inbox.rules.states import Reason, SendState, Status

TABS = ("open", "mine", "waiting", "snoozed", "resolved", "automatic", "spam", "all")

Scope = frozenset[int] | None
"""Ids of readable accounts; None means all (inbox.people.readable_accounts)."""

# fmt: off
ROW_COLUMNS = (
    "id", "subject", "status", "status_reason", "customer_id", "owner_id", "team_id", "account_id", "kind", "due_at",
    "due_for", "snoozed_until", "preview", "last_direction", "messages_count", "last_activity_at", "last_inbound_at",
    "is_unseen", "version", "language", "priority", "is_vip", "sla", "calendar_version_id", "policy_version_id",
    "opened_at", "resolved_at", "reopened_count", "visibility", "reach",
)
# fmt: on
_MOVING = (SendState.QUEUED, SendState.SENDING, SendState.COMMITTING, SendState.RETRY)
_TROUBLED = (SendState.UNKNOWN, SendState.FAILED)


@dataclass(frozen=True, slots=True)
class WorkPage:
    rows: list[dict[str, Any]]
    after: str  # cursor of the next page, "" at the end


def page(scope: Scope, tab: str, user: User | None = None, *, after: str = "", limit: int = 50) -> WorkPage:
    """At most `limit` rows after a cursor, in at most three statements. Raises ValueError for an unknown tab.

    Rows are dicts: the columns of the conversation, customer_name (their address where nobody gave a name), owner_name,
    owner_email, team_name, account_name, account_address, tags (names), sending (a reply is on its way),
    send_trouble (one failed or may not have arrived).
    `user` is needed for the tab "mine".
    """
    base = readable(scope)
    rows: list[dict[str, Any]] = []
    for queryset in _walk(base, tab, user, after):
        rows += list(_as_rows(queryset)[: limit + 1 - len(rows)])
        if len(rows) > limit:
            break
    more = len(rows) > limit
    rows = rows[:limit]
    _add_tags(rows)
    return WorkPage(rows, cursor_of(tab, rows[-1]) if more else "")


def readable(scope: Scope) -> QuerySet[Conversation]:
    """The conversations that may be seen at all: the row filter of every list and every single look."""
    if scope is None:
        return Conversation.objects.order_by()
    inside = ConversationAccount.objects.filter(conversation_id=OuterRef("id"), account_id__in=sorted(scope))
    return Conversation.objects.order_by().filter(Exists(inside))


def row(conversation_id: int, scope: Scope) -> dict[str, Any] | None:
    """One conversation as a row of the list; None when it does not exist or may not be read."""
    found = list(_as_rows(readable(scope).filter(id=conversation_id)))
    _add_tags(found)
    return found[0] if found else None


def counts(scope: Scope, user: User) -> dict[str, int]:
    """How many in each status, and of one's own ("mine"), from the counters alone; "unassigned" is open and nobody's.

    A conversation counts for the account that its answers leave from: with a scope, one that is readable only through
    another account's message is listed but not counted.
    """
    rows = Counter.objects.all() if scope is None else Counter.objects.filter(account_id__in=sorted(scope))
    found = dict.fromkeys((*Status, "mine", "unassigned"), 0)
    for status, owner_id, count in rows.values_list("status", "owner_id").annotate(count=Sum("conversations")):
        found[status] += count
        if status == Status.OPEN and owner_id in (0, user.id):
            found["mine" if owner_id else "unassigned"] += count
    return found


# --- Cursors and the walk -------------------------------------------------------------------------------------------


def cursor_of(tab: str, found: dict[str, Any]) -> str:
    """Where a row lies in its tab: "<microseconds or ->.<id>", "-" for no clock."""
    at = found[_column(tab)]
    return f"{micros(at) if at else '-'}.{found['id']}"


def _column(tab: str) -> str:
    if tab not in TABS:
        raise ValueError(f"no such tab: {tab}")
    return {"open": "due_at", "mine": "due_at", "snoozed": "snoozed_until"}.get(tab, "last_activity_at")


def _walk(base: QuerySet[Conversation], tab: str, user: User | None, after: str) -> Iterator[QuerySet[Conversation]]:
    """The querysets that together are the rest of a tab, in order; each walks one index."""
    column = _column(tab)
    at, last = read_cursor(after)
    if tab == "mine":
        base = base.filter(owner=user, status=Status.OPEN)
    elif tab == "automatic":
        base = base.filter(status=Status.RESOLVED, status_reason=Reason.AUTOMATIC)
    elif tab == "resolved":
        base = base.filter(status=tab).exclude(status_reason=Reason.AUTOMATIC)
    elif tab != "all":
        base = base.filter(status=tab)
    if column == "last_activity_at":
        if at is not None:
            base = base.filter(Q(last_activity_at__lt=at) | Q(id__lt=last), last_activity_at__lte=at)
        yield base.order_by("-last_activity_at", "-id")
        return
    if not after or at is not None:
        timed = base.filter(**{f"{column}__isnull": False})
        if at is not None:
            # The bound on the column alone lets the index start at the cursor.
            timed = timed.filter(Q(**{f"{column}__gt": at}) | Q(id__gt=last), **{f"{column}__gte": at})
        yield timed.order_by(column, "id")
    rest = base.filter(**{f"{column}__isnull": True})
    if after and at is None:
        rest = rest.filter(id__lt=last)
    yield rest.order_by("-id")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"(-|-?[0-9]{1,17})\.([0-9]{1,19})", re.ASCII)  # the year 5138 is near enough


def micros(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def read_cursor(after: str) -> tuple[datetime | None, int]:
    """Raises ValueError for what no cursor_of() made."""
    if not after:
        return None, 0
    found = _CURSOR.fullmatch(after)
    if found is None or int(found[2]) >= 1 << 63:
        raise ValueError("not a cursor")
    at = None if found[1] == "-" else _EPOCH + timedelta(microseconds=int(found[1]))
    return at, int(found[2])


def _as_rows(queryset: QuerySet[Conversation]) -> QuerySet[Conversation, dict[str, Any]]:
    found: QuerySet[Conversation, dict[str, Any]] = queryset.values(*ROW_COLUMNS, **row_names())
    return found


def row_names() -> dict[str, Any]:
    """What a row shows besides its own columns."""
    addresses = IdentityLink.objects.filter(customer_id=OuterRef("customer_id"), ended_at=None).values("customer_id")
    address = addresses.annotate(first=Min("identity__address")).values("first")
    sends = Envelope.objects.filter(conversation_id=OuterRef("id"))
    return {
        "customer_name": Coalesce(NullIf("customer__name", Value("")), Subquery(address), Value("")),
        "owner_name": F("owner__name"),
        "owner_email": F("owner__email"),
        "team_name": F("team__name"),
        "account_name": F("account__name"),
        "account_address": F("account__address"),
        "sending": Exists(sends.filter(state__in=_MOVING)),
        "send_trouble": Exists(sends.filter(state__in=_TROUBLED)),
    }


def _add_tags(rows: list[dict[str, Any]]) -> None:
    for found in rows:
        found["tags"] = []
    if not rows:
        return
    by_id = {found["id"]: found["tags"] for found in rows}
    tags = ConversationTag.objects.filter(conversation_id__in=list(by_id)).order_by("tag__name")
    for conversation_id, name in tags.values_list("conversation_id", "tag__name"):
        by_id[conversation_id].append(name)
