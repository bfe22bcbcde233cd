"""Which posts are looked at again, and when next; see inbox/rules/rechecking.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef

from inbox.models import PostState, StrandLink
from inbox.rules.rechecking import next_look
from inbox.rules.states import Status

AFTER_FAULT = timedelta(minutes=30)
AFTER_BUDGET = timedelta(hours=1)
_OPEN = (Status.OPEN, Status.WAITING, Status.SNOOZED)


@dataclass(frozen=True, slots=True)
class Due:
    message_id: int
    external_id: str
    written_at: datetime
    is_open: bool


def find_due(account_id: int, now: datetime, limit: int) -> list[Due]:
    """The longest due first."""
    work = StrandLink.objects.filter(
        strand_id=OuterRef("message__strand_id"), ended_at=None, conversation__status__in=_OPEN
    )
    rows = PostState.objects.filter(account=account_id, recheck_at__lte=now, message__raw_item__isnull=False)
    found = rows.annotate(is_open=Exists(work), external=F("message__raw_item__external_id")).order_by("recheck_at")
    columns = ("message_id", "external", "message__written_at", "is_open")
    return [Due(*row) for row in found.values_list(*columns)[:limit]]


def looked(due: Sequence[Due], now: datetime) -> None:
    """What is gone has no next time any more: the digest ends it."""
    by_time: dict[datetime | None, list[int]] = defaultdict(list)
    for one in due:
        by_time[next_look(one.written_at, now, is_open=one.is_open)].append(one.message_id)
    for at, ids in by_time.items():
        PostState.objects.filter(message__in=ids, recheck_at__isnull=False).update(recheck_at=at)


def postpone(due: Sequence[Due], until: datetime) -> None:
    PostState.objects.filter(message__in=[one.message_id for one in due], recheck_at__isnull=False).update(
        recheck_at=until
    )
