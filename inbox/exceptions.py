"""Every id of an account that is not plainly stored and read, with its reason and what there is to open.

    waiting      it exists on the server and did not come yet
    left-out     excluded by a named rule
    came-late    it had not come at first, or had been missed, and is stored now
    gone         it did not come, and two listings no longer show it
    unreadable   stored, and shown with its source to download
    too-large    stored as its header only

Newest first, page by page (`before`: the id of the last one seen).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet

from inbox.models import CursorTrouble, Delivery, RawItem

AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Exceptional:
    """`message` and `conversation` are None where nothing of it is here."""

    id: int
    place: str
    external_id: str
    reason: str
    since: datetime
    attempts: int = 0
    rule: str = ""
    message: int | None = None
    conversation: int | None = None


def _troubles(account_id: int, which: Q) -> QuerySet[CursorTrouble]:
    rows = CursorTrouble.objects.filter(which, scope__account=account_id, scope__retired_at=None)
    return rows.select_related("scope").order_by("-id")


def _items(account_id: int, which: Q) -> QuerySet[RawItem]:
    return RawItem.objects.filter(which, account=account_id).order_by("-id")


_OF_TROUBLES: Final = {
    "waiting": Q(closed_at=None),
    "left-out": Q(closed_as__startswith="excluded:"),
    "came-late": Q(closed_as="stored"),
    "gone": Q(closed_as="gone"),
}
_OF_ITEMS: Final = {"unreadable": Q(state="unreadable"), "too-large": Q(too_large=True)}
KINDS: Final = (*_OF_TROUBLES, *_OF_ITEMS)


def counts(account_id: int) -> dict[str, int]:
    """How many there are of each kind."""
    found = {kind: _troubles(account_id, which).count() for kind, which in _OF_TROUBLES.items()}
    return found | {kind: _items(account_id, which).count() for kind, which in _OF_ITEMS.items()}


def find(account_id: int, kind: str, before: int | None = None, limit: int = AT_ONCE) -> list[Exceptional]:
    """One page of a kind; nothing for a kind that there is not."""
    older = Q(id__lt=before) if before is not None else Q()
    if kind in _OF_ITEMS:
        items = list(_items(account_id, _OF_ITEMS[kind] & older)[:limit])
        found = [Exceptional(row.id, row.place, row.external_id, row.error, row.stored_at) for row in items]
        return _opened(found, dict(zip((one.id for one in found), (row.id for row in items), strict=True)))
    if kind not in _OF_TROUBLES:
        return []
    rows = list(_troubles(account_id, _OF_TROUBLES[kind] & older)[:limit])
    return _opened([_of(row) for row in rows], _stored(account_id, rows) if kind == "came-late" else {})


def _of(row: CursorTrouble) -> Exceptional:
    rule = row.closed_as.removeprefix("excluded:") if row.closed_as.startswith("excluded:") else ""
    return Exceptional(row.id, row.scope.place, row.external_id, row.reason, row.first_seen_at, row.attempts, rule)


def _stored(account_id: int, rows: Sequence[CursorTrouble]) -> dict[int, int]:
    """The raw item that came in the end, by trouble."""
    items = RawItem.objects.filter(
        account=account_id,
        place__in={row.scope.place for row in rows},
        epoch__in={row.scope.epoch for row in rows},
        external_id__in={row.external_id for row in rows},
    )
    key: Callable[[str, str, str], tuple[str, str, str]] = lambda *parts: parts  # noqa: E731
    by_key = {key(item.place, item.epoch, item.external_id): item.id for item in items}
    found = {row.id: by_key.get((row.scope.place, row.scope.epoch, row.external_id)) for row in rows}
    return {trouble: item for trouble, item in found.items() if item is not None}


def _opened(found: list[Exceptional], items: dict[int, int]) -> list[Exceptional]:
    """With the message and conversation in which each raw item is shown."""
    rows = Delivery.objects.filter(raw_item__in=items.values(), message__strand__links__ended_at=None)
    shown = {
        item: (message, conversation)
        for item, message, conversation in rows.values_list(
            "raw_item_id", "message_id", "message__strand__links__conversation_id"
        )
    }
    return [
        replace(one, message=place[0], conversation=place[1])
        if (place := shown.get(items.get(one.id, 0))) is not None
        else one
        for one in found
    ]
