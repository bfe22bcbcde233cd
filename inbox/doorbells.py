"""What the listener tells the rest: whose doorbell is live, and who has just rung. Polls are planned by it.

A ring, and the end of a doorbell, only ever bring the next poll forward. A doorbell counts while the process that wrote
it holds the lease `listen`: when that process is gone, every account is asked each minute again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest

from connectors import registry
from inbox import leases
from inbox.leases import Held
from inbox.models import Account, Doorbell
from inbox.rules.polling import POLL_SECONDS, seconds_between_polls
from inbox.rules.states import AccountState, DoorbellState
from inbox.sql import execute_in, moment
from inbox.transactions import unsynced

LEASE = "listen"
LEASE_SECONDS = 45


@dataclass(frozen=True, slots=True)
class Change:
    account_id: int
    state: DoorbellState
    sentence: str = ""
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Stand:
    """For people: the state, since when, why it is not live, and how often the account is asked all the same."""

    state: DoorbellState
    since: datetime | None
    sentence: str
    is_whole: bool
    every_seconds: int


def is_heard(account_id: int) -> bool:
    """Whether somebody listens now at a doorbell that covers all this account reads."""
    row = Doorbell.objects.filter(account_id=account_id, state=DoorbellState.LIVE, is_whole=True).first()
    return row is not None and row.epoch == leases.find_epoch(LEASE)


def find_stands(rows: Sequence[Account]) -> dict[int, Stand]:
    """How it stands with the doorbells of those accounts that are read now, of kinds that have one."""
    epoch = leases.find_epoch(LEASE)
    found = {bell.account_id: bell for bell in Doorbell.objects.filter(account_id__in=[row.id for row in rows])}
    kinds = set(registry.ringing_kinds())
    read = [row for row in rows if row.next_poll_at is not None and row.kind in kinds]
    return {row.id: _stand(row, found.get(row.id), epoch) for row in read}


def _stand(row: Account, bell: Doorbell | None, epoch: int | None) -> Stand:
    if bell is None or epoch is None:
        state = DoorbellState.OPENING if epoch is not None else DoorbellState.UNHEARD
        return Stand(state, bell.since if bell else None, "", False, seconds_between_polls(row.settings, False))
    is_live = bell.state == DoorbellState.LIVE and bell.epoch == epoch
    state = DoorbellState(bell.state) if bell.epoch == epoch else DoorbellState.OPENING
    seconds = seconds_between_polls(row.settings, is_live and bell.is_whole)
    return Stand(state, bell.since, bell.sentence, bell.is_whole, seconds)


def next_poll_at(seen: Account, is_complete: bool, now: datetime, paced: datetime | None = None) -> datetime:
    """When an account is to be asked again whose poll began when it looked like `seen`; `paced` is when a kind with
    limits wants it (inbox/pacing.py). Inside the transaction that writes it down: a ring that came meanwhile is not
    lost, and a doorbell that ends waits for this plan."""
    row = Account.objects.select_for_update().get(id=seen.id)
    if not is_complete:
        planned = now
    else:
        planned = paced or now + timedelta(seconds=seconds_between_polls(row.settings, is_heard(row.id)))
    was_rung = row.next_poll_at is not None and row.next_poll_at != seen.next_poll_at
    return min(planned, row.next_poll_at) if was_rung and row.next_poll_at else planned


def begin(held: Held, now: datetime) -> None:
    """A new listener: what earlier ones wrote counts no more."""
    with transaction.atomic():
        leases.check(held)
        _give_up(
            Doorbell.objects.exclude(epoch=held.epoch).filter(state=DoorbellState.LIVE), DoorbellState.OPENING, now
        )
        Doorbell.objects.exclude(state=DoorbellState.LIVE).update(epoch=held.epoch)


def record(changes: Sequence[Change], held: Held, now: datetime) -> None:
    """Raises LeaseLost when another listener has taken over."""
    with transaction.atomic():
        leases.check(held)
        for change in changes:
            fresh = {"sentence": change.sentence[:500], "epoch": held.epoch, "is_whole": change.is_whole}
            same = Doorbell.objects.filter(account_id=change.account_id, state=change.state)
            if not same.update(**fresh):
                Doorbell.objects.update_or_create(
                    account_id=change.account_id, defaults={**fresh, "state": change.state, "since": now}
                )
        _ask_each_minute([one.account_id for one in changes if one.state != DoorbellState.LIVE], now)


def forget(account_ids: Iterable[int]) -> None:
    """These accounts are listened to no more: paused, removed, or waiting for a log-in."""
    Doorbell.objects.filter(account_id__in=list(account_ids)).delete()


def ring(account_ids: Collection[int], now: datetime) -> None:
    """Something may be new there: polled now, and once more if a poll is at work just now."""
    ids = list(account_ids)
    with unsynced(is_one_statement=True), connection.cursor() as cursor:
        sql = "UPDATE inbox_account SET next_poll_at = %s WHERE next_poll_at > %s AND id IN ({in})"
        if execute_in(cursor, sql, ids, before=[moment(now), moment(now)]) == len(ids):
            return
        # A poll at work sees that its due time has moved and does not put the next one off. The place in the queue
        # stays: who rings all the time must not be put last all the time.
        Account.objects.filter(id__in=ids, next_poll_at__lt=now).update(
            next_poll_at=F("next_poll_at") + timedelta(microseconds=1)
        )


def give_up_the_dead(now: datetime) -> int:
    """Doorbells whose listener is gone: their accounts are asked each minute again. How many there were."""
    live = Doorbell.objects.filter(state=DoorbellState.LIVE)
    if not live.exists():
        return 0
    epoch = leases.find_epoch(LEASE)
    with transaction.atomic():
        return _give_up(live if epoch is None else live.exclude(epoch=epoch), DoorbellState.UNHEARD, now)


def _give_up(rows: QuerySet[Doorbell], state: DoorbellState, now: datetime) -> int:
    ids = list(rows.values_list("account_id", flat=True))
    Doorbell.objects.filter(account_id__in=ids).update(state=state, since=now, sentence="", is_whole=False)
    _ask_each_minute(ids, now)
    return len(ids)


def _ask_each_minute(account_ids: list[int], now: datetime) -> None:
    """What was planned for much later, trusting a doorbell, comes a minute after the last look."""
    minute = timedelta(seconds=POLL_SECONDS)
    late = Account.objects.filter(id__in=account_ids, state=AccountState.OK, next_poll_at__gt=now + minute)
    late.exclude(settings__has_key="poll_seconds").update(
        next_poll_at=Greatest(Value(now), Coalesce(F("last_success_at") + minute, Value(now)))
    )
