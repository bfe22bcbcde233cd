"""Finds due raw items, has them parsed, and hands them to the transaction that makes messages of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F

from connectors.offload import Exceeded, Result
from inbox.ingest.accounts import Ground, read_ground
from inbox.ingest.arrivals import Arrival, find_due, read_bodies
from inbox.ingest.batch import digest_batch
from inbox.ingest.parsing import Reading, reading, salvage, unreadable
from inbox.interpreter import tuned_for_batches
from inbox.killpoints import reach
from inbox.models import RawItem
from inbox.transactions import retried

log = logging.getLogger(__name__)

FIRST_BATCH, BATCH = 150, 400  # items of one transaction: few at first, for nothing is written while those are read
BATCH_BYTES = 16 * 1024 * 1024  # of raw mail read into memory at once
MAX_ATTEMPTS = 3
HARD_BATCH = 8  # items that have failed before or are large, taken at once
_WAIT = (timedelta(seconds=2), timedelta(seconds=10))  # before the second and the third attempt


@dataclass(frozen=True, slots=True)
class Digested:
    """`taken`: raw items that were looked at; `messages`: new ones; `failed`: items that wait for another attempt."""

    taken: int = 0
    messages: int = 0
    failed: int = 0


def digest_due(limit: int, now: datetime) -> Digested:
    """Digests up to `limit` due items, newest first. Safe to run in several processes at once."""
    found = digest_fresh(limit, now)
    again = digest_hard(limit, now)
    return Digested(found.taken + again.taken, found.messages + again.messages, found.failed + again.failed)


def digest_fresh(limit: int, now: datetime) -> Digested:
    """What nobody has tried to read yet and is not large. What cannot be read quickly is put off."""
    due = find_due(limit, now)
    reach("digest.found")
    return _digest_all(due, now, is_hard=False)


def digest_hard(limit: int, now: datetime) -> Digested:
    """What has failed before or is large, a few at a time: each may take its full time, and nothing else waits."""
    return _digest_all(find_due(min(limit, HARD_BATCH), now, is_hard=True), now, is_hard=True)


def _digest_all(due: list[Arrival], now: datetime, *, is_hard: bool) -> Digested:
    if not due:
        return Digested()
    ground = read_ground(now)
    with tuned_for_batches(), reading(is_hard=is_hard) as reader:
        if reader.is_inline:
            # Should the parser take this process with it, the next look says that it was tried.
            RawItem.objects.filter(id__in=[one.raw_id for one in due], state="stored").update(
                attempts=F("attempts") + 1
            )
        messages, failed = _run(_batches(due), reader, ground, now)
    return Digested(len(due), messages, failed)


def _run(batches: list[list[Arrival]], reader: Reading, ground: Ground, now: datetime) -> tuple[int, int]:
    """(new messages, failed items). The next batch is parsed while one is written."""
    messages = failed = 0
    following = _begin(reader, batches[0], ground)
    for number, batch in enumerate(batches):
        results = following.result()
        reach("digest.parsed")
        if number + 1 < len(batches):
            following = _begin(reader, batches[number + 1], ground)
        ready = _ready(batch, results, ground, now)
        new, lost = _digest(ready, ground, now) if ready else (0, 0)
        messages, failed = messages + new, failed + lost + len(batch) - len(ready)
        reach("digest.committed")
        for arrival in batch:
            arrival.parsed = None  # what is written need not stay in memory until all is
    return messages, failed


def _batches(arrivals: Sequence[Arrival]) -> list[list[Arrival]]:
    batches: list[list[Arrival]] = [[]]
    size, most = 0, FIRST_BATCH
    for arrival in arrivals:
        if batches[-1] and (len(batches[-1]) >= most or size + arrival.size > BATCH_BYTES):
            batches.append([])
            size, most = 0, min(BATCH, 2 * most)
        batches[-1].append(arrival)
        size += arrival.size
    return batches


def _begin(reader: Reading, batch: list[Arrival], ground: Ground) -> Future[list[Result]]:
    contents = read_bodies(batch)
    reach("digest.bodies-read")
    return reader.begin(
        [(ground.accounts[one.account_id], one.as_item(contents.get(one.raw_id, b""))) for one in batch]
    )


def _ready(batch: list[Arrival], results: list[Result], ground: Ground, now: datetime) -> list[Arrival]:
    """Those that are parsed, or given up; the others have been put off."""
    ready = []
    for arrival, result in zip(batch, results, strict=True):
        if not isinstance(result, str):
            arrival.parsed = result
        elif not _put_off(arrival, result, now):
            item = arrival.as_item(read_bodies([arrival]).get(arrival.raw_id, b""))
            arrival.parsed = salvage(ground.accounts[arrival.account_id], item)
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
        if _put_off(arrival, f"{type(error).__name__}: {error}", now):
            return 0, 1
    arrival.parsed = unreadable()
    return retried(lambda: digest_batch([arrival], ground, now)), 0


def _put_off(arrival: Arrival, why: str, now: datetime) -> bool:
    """Notes the failure and when to try again; False when it has been tried often enough."""
    # What reached a limit by itself, under the full limits, would only do so again.
    is_last = isinstance(why, Exceeded) and arrival.is_hard
    arrival.attempts = MAX_ATTEMPTS if is_last else arrival.attempts + 1
    due_at = now if arrival.attempts >= MAX_ATTEMPTS else now + _WAIT[arrival.attempts - 1]
    RawItem.objects.filter(id=arrival.raw_id, state="stored").update(
        attempts=arrival.attempts, error=why[:300], due_at=due_at
    )
    return arrival.attempts < MAX_ATTEMPTS
