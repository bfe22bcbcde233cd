"""What became of a poll, and what is written down of it: when the next one is due, and what people should know."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError, transaction

from connectors.base import AuthFailed, ConnectorError, RetryLater
from connectors.messages import Page
from connectors.metering import BudgetReached, WindowUsedUp
from inbox import accounts, disk, doorbells, pacing
from inbox.models import Account
from inbox.sealing import KeyMissing
from workers.bells import ring
from workers.clock import utc_now

log = logging.getLogger(__name__)

DISK_FULL = "The disk is full. Nothing is lost: it stays on the server, and reading goes on when there is room."


@dataclass(frozen=True, slots=True)
class Polled:
    account_id: int
    fetched: int = 0
    new: int = 0
    same: int = 0
    is_complete: bool = True  # nothing was left on the server
    is_busy: bool = False  # another process holds this account
    sentence: str = ""  # what went wrong, for people


def places_of(page: Page, new: int) -> dict[str, int]:
    """How many new things each place brought; where a page holds several places, in proportion."""
    counts = Counter(item.scope.place for item in page.items)
    total = sum(counts.values())
    return {place: round(new * count / total) for place, count in counts.items()}


def missing_elsewhere(account: Account, looked: frozenset[str]) -> dict[str, str]:
    """Places that could not be opened when they were last looked at, and were not looked at now: place → sentence."""
    kept: dict[str, dict[str, str]] = account.places
    return {name: facts["sentence"] for name, facts in kept.items() if name not in looked and "sentence" in facts}


@dataclass(frozen=True, slots=True)
class Looked:
    """What a poll looked at (None: everything), and what was new there."""

    places: frozenset[str] | None
    arrived: Mapping[str, int]


def note_success(
    account: Account, is_complete: bool, remaining: int | None, missing: Mapping[str, str], looked: Looked
) -> None:
    now = utc_now()
    with transaction.atomic():
        planned = pacing.note(account, looked.places, looked.arrived, now)
        due = doorbells.next_poll_at(account, is_complete, now, planned)
        if missing:
            accounts.succeeded_in_part(account.id, " ".join(missing.values()), now, due)
        else:
            accounts.succeeded(account.id, now, due, remaining or None)
    if missing:
        log.warning("account %s: %s", account.name, " ".join(missing.values()))


def waiting(account: Account, error: BudgetReached | WindowUsedUp) -> Polled:
    """Nobody refused anything: our own budget, or what we know of a limit, says when it goes on."""
    now = utc_now()
    until = now + max(error.after or timedelta(), timedelta(seconds=1))
    is_budget = isinstance(error, BudgetReached)
    accounts.waiting(account.id, error.sentence if is_budget else "", now, until)
    if not is_budget:
        return Polled(account.id)
    log.warning("account %s: %s", account.name, error.sentence)
    ring("accounts")
    return Polled(account.id, is_complete=False, sentence=error.sentence)


def failed(account: Account, error: Exception) -> Polled:
    now = utc_now()
    if isinstance(error, AuthFailed):
        accounts.park(account.id, error.sentence, now)
        sentence = error.sentence
    elif isinstance(error, KeyMissing):
        sentence = "The stored password cannot be opened with this keyring. Enter it again, or restore the keyring."
        accounts.park(account.id, sentence, now)
    else:
        sentence = sentence_of(error)
        try:
            accounts.failed_for_now(account.id, sentence, now, error.after if isinstance(error, RetryLater) else None)
        except DatabaseError as again:
            if not disk.is_full(again):
                raise
    log.warning("account %s: %s", account.name, sentence)
    ring("accounts")
    return Polled(account.id, is_complete=False, sentence=sentence)


def sentence_of(error: Exception) -> str:
    if isinstance(error, ConnectorError):
        return error.sentence
    if disk.is_full(error):
        return DISK_FULL
    return f"Something unexpected went wrong ({type(error).__name__}); it is tried again."
