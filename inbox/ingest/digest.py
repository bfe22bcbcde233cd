"""Finds due raw items, has them parsed, and hands them to the transaction that makes messages of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from inbox.ingest.accounts import Ground, read_ground
from inbox.ingest.arrivals import Arrival, find_due, read_bodies
from inbox.ingest.batch import digest_batch
from inbox.ingest.parsing import unreadable
from inbox.killpoints import reach
from inbox.models import RawItem
from inbox.sql import moment
from inbox.transactions import retried

log = logging.getLogger(__name__)

BATCH = 250  # items of one transaction
BATCH_BYTES = 32 * 1024 * 1024  # of raw mail read into memory at once
MAX_ATTEMPTS = 3
_WAIT = (timedelta(seconds=2), timedelta(seconds=10))  # before the second and the third attempt


@dataclass(frozen=True, slots=True)
class Digested:
    """`taken`: raw items that were looked at; `messages`: new ones; `failed`: items that wait for another attempt."""

    taken: int = 0
    messages: int = 0
    failed: int = 0


def digest_due(limit: int, now: datetime) -> Digested:
    """Digests up to `limit` due items, newest first. Safe to run in several processes at once."""
    due = find_due(limit, now)
    reach("digest.found")
    if not due:
        return Digested()
    ground = read_ground(now)
    messages = failed = 0
    for batch in _batches(due):
        ready = _parse(batch, ground, now)
        reach("digest.parsed")
        failed += len(batch) - len(ready)
        new, lost = _digest(ready, ground, now)
        messages, failed = messages + new, failed + lost
        reach("digest.committed")
    return Digested(len(due), messages, failed)


def _batches(arrivals: Sequence[Arrival]) -> list[list[Arrival]]:
    batches: list[list[Arrival]] = [[]]
    size = 0
    for arrival in arrivals:
        if batches[-1] and (len(batches[-1]) >= BATCH or size + arrival.size > BATCH_BYTES):
            batches.append([])
            size = 0
        batches[-1].append(arrival)
        size += arrival.size
    return batches


def _parse(batch: list[Arrival], ground: Ground, now: datetime) -> list[Arrival]:
    """Those that are ready; the others have been put off."""
    contents = read_bodies(batch)
    reach("digest.bodies-read")
    ready = []
    for arrival in batch:
        item = arrival.as_item(contents.pop(arrival.raw_id, b""))
        try:
            arrival.parsed = ground.accounts[arrival.account_id].connector.parse(item)
        except Exception as error:
            if not _put_off(arrival, error, now):
                arrival.parsed = unreadable(item)
        if arrival.parsed is not None:
            ready.append(arrival)
    return ready


def _digest(batch: list[Arrival], ground: Ground, now: datetime) -> tuple[int, int]:
    """A whole batch; when that fails, item by item, so that one cannot hold up the others."""
    try:
        return retried(lambda: digest_batch(batch, ground, now)), 0
    except Exception:
        if connection.in_atomic_block:
            raise
        log.exception("a batch of %d could not be digested; going on one by one", len(batch))
    messages = failed = 0
    for arrival in batch:
        new, lost = _digest_one(arrival, ground, now)
        messages, failed = messages + new, failed + lost
    return messages, failed


def _digest_one(arrival: Arrival, ground: Ground, now: datetime) -> tuple[int, int]:
    try:
        return retried(lambda: digest_batch([arrival], ground, now)), 0
    except Exception as error:
        log.exception("raw item %d could not be digested", arrival.raw_id)
        if _put_off(arrival, error, now):
            return 0, 1
    arrival.parsed = unreadable(arrival.as_item(b""))
    return retried(lambda: digest_batch([arrival], ground, now)), 0


def _put_off(arrival: Arrival, error: Exception, now: datetime) -> bool:
    """Notes the failure and when to try again; False when it has been tried often enough."""
    arrival.attempts += 1
    words = f"{type(error).__name__}: {error}"[:300]
    due_at = now if arrival.attempts >= MAX_ATTEMPTS else now + _WAIT[arrival.attempts - 1]
    RawItem.objects.filter(id=arrival.raw_id, state="stored").update(
        attempts=arrival.attempts, error=words, due_at=moment(due_at) and due_at
    )
    return arrival.attempts < MAX_ATTEMPTS
