"""The jobs: plain functions that find their due rows, claim them, act, and write the outcome.

    poll(account)   lease → connector.fetch → shelf (TX 1)          provider ──▶ SHELF
    digest()        due raw items → parse → inbox (TX 2)            SHELF ──▶ INBOX ──▶ INDEX
    tell()          new messages without a language → language (workers/languages.py)
    deliver()       due envelopes → claim → send → outcome          OUTBOX ──▶ provider
    care()          snoozes, abandoned claims, unknown sends, copies into Sent, tidying

Embedded, workers/schedule.py calls them in a loop; on servers, workers/tasks.py wraps the same functions for Celery.
Any number of processes may run any of them at once.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, connection

from connectors.base import Connector, ConnectorError, LogInExpired, PlacesMissing
from connectors.messages import Wish
from connectors.metering import BudgetReached, WindowUsedUp
from inbox import (
    accounts,
    bodies,
    budgets,
    changes,
    conversations,
    disk,
    doorbells,
    leases,
    logins,
    outbox,
    pacing,
    shelf,
)
from inbox.aftercare import wanted_of
from inbox.ingest import digest_due, digest_fresh, digest_hard
from inbox.ingest.arrivals import LARGE
from inbox.killpoints import reach
from inbox.models import Account
from inbox.sealing import KeyMissing
from inbox.sql import moment
from search.backend import SearchUnavailable, get_backend
from workers import aftercare, connections, delivering, proving, rechecking
from workers.bells import ring
from workers.clock import utc_now as utc_now
from workers.polled import DISK_FULL as DISK_FULL
from workers.polled import Looked, failed, missing_elsewhere, note_success, places_of, sentence_of, waiting
from workers.polled import Polled as Polled

log = logging.getLogger(__name__)

ITEMS_PER_POLL = 5000  # then others have their turn; the next poll goes on at once
LIVE_EVENT_LIFE = timedelta(days=2)
SPOOL_LIFE = timedelta(days=1)
PAID_LIFE = timedelta(days=2)  # a day, as the platforms count it, and one more for clocks that differ
_LEASE_SECONDS = 120


# --- fetch ----------------------------------------------------------------------------------------------------------


def find_due_accounts(now: datetime, limit: int = 100) -> list[int]:
    """Up to `limit` of those whose last poll went well, then as many of those whose last one failed."""
    due = "SELECT id FROM inbox_account WHERE next_poll_at <= %s AND removed_at IS NULL"
    found: list[int] = []
    with connection.cursor() as cursor:
        for which in ("failures = 0", "failures > 0"):
            cursor.execute(f"{due} AND {which} ORDER BY next_poll_at LIMIT %s", [moment(now), limit])
            found += [row[0] for row in cursor.fetchall()]
    return found


def is_due(account_id: int) -> bool:
    return Account.objects.filter(id=account_id, next_poll_at__lte=utc_now(), removed_at=None).exists()


def poll(account_id: int, on_page: Callable[[Polled, int | None], None] | None = None) -> Polled:
    """Fetches what is new of one account, under its lease. Never raises for the provider's faults: they are states.

    Raises DatabaseError only when the state cannot be written down: the database is away.
    """
    owner = f"{leases.owner_name()}:{threading.get_ident()}"
    try:
        held = leases.find_free(f"poll:{account_id}", owner, _LEASE_SECONDS)
    except DatabaseError as error:
        if not disk.is_full(error):
            raise
        log.error("%s", DISK_FULL)
        return Polled(account_id, is_complete=False, sentence=DISK_FULL)
    if held is None:
        return Polled(account_id, is_busy=True, is_complete=False)
    reach("fetch.lease-taken")
    # Raw, because making the statement takes the ORM longer than all else here, and new mail waits.
    account = Account.objects.raw("SELECT * FROM inbox_account WHERE id = %s", [account_id])[0]
    try:
        polled = _fetch_logged_in(account, held, on_page)
    except leases.LeaseLost:
        return Polled(account_id, is_busy=True, is_complete=False)
    except (BudgetReached, WindowUsedUp) as error:
        polled = waiting(account, error)
    except Exception as error:  # our own mistakes too: one account must not keep the others from their turn
        if not isinstance(error, ConnectorError | KeyMissing) and not disk.is_full(error):
            log.exception("account %s: polling stumbled", account.name)
        polled = failed(account, error)
    finally:
        with contextlib.suppress(Exception):
            leases.release(held)
    ring("live")
    return polled


def _fetch_logged_in(
    account: Account, held: leases.Held, on_page: Callable[[Polled, int | None], None] | None
) -> Polled:
    """A session that the provider ends because its access token ran out is begun once more, with a new token."""
    logins.keep_fresh(account)
    try:
        with connections.borrowed(account, "fetch") as connector:
            return _fetch_and_tend(account, connector, held, on_page)
    except LogInExpired as error:
        log.info("account %s: %s", account.name, error.sentence)
    with connections.borrowed(account, "fetch") as connector:
        return _fetch_and_tend(account, connector, held, on_page)


def _fetch_and_tend(
    account: Account,
    connector: Connector,
    held: leases.Held,
    on_page: Callable[[Polled, int | None], None] | None,
) -> Polled:
    polled = _fetch(account, connector, held, on_page)
    aftercare.attend(account, connector, held)
    rechecking.attend(account, connector, held)
    return polled


def _fetch(
    account: Account,
    connector: Connector,
    held: leases.Held,
    on_page: Callable[[Polled, int | None], None] | None,
) -> Polled:
    fetched = new = 0
    is_tended = wanted_of(account.settings).is_any
    remaining: int | None = 0
    due = pacing.find_due(account, utc_now())
    arrived: Counter[str] = Counter()
    renewed = utc_now()
    places: set[str] = set()
    missing: dict[str, str] = {}
    try:
        for page in connector.fetch(shelf.known(account.id), Wish(max_items=ITEMS_PER_POLL, scopes=due)):
            reach("fetch.page-brought")
            if utc_now() - renewed > timedelta(seconds=_LEASE_SECONDS / 3):
                leases.renew(held)
                renewed = utc_now()
            stored = shelf.put(account.id, page, held=held, now=utc_now(), is_tended=is_tended)
            reach("fetch.page-stored")
            fetched += len(page.items)
            new += stored.new
            arrived.update(places_of(page, stored.new))
            remaining = page.remaining
            places |= {count.scope.place for count in page.counts}
            if stored.new:
                is_large = any(item.size > LARGE for item in page.items)
                ring("digest", *(("hard",) if is_large else ()))
            if on_page:
                on_page(Polled(account.id, fetched, new, fetched - new), remaining)
    except PlacesMissing as error:
        missing = error.places
        if not places:
            raise
    if due is not None:
        places |= account.places.keys() - due
        missing = {**missing_elsewhere(account, due), **missing}
    if not remaining:
        accounts.note_places(account, places, missing, utc_now())
    is_complete = not proving.prove_if_due(account, connector, held, is_complete=not remaining) and not remaining
    note_success(account, is_complete, remaining, missing, Looked(due, arrived))
    reach("fetch.finished")
    return Polled(account.id, fetched, new, fetched - new, is_complete, sentence=" ".join(missing.values()))


# --- digest ---------------------------------------------------------------------------------------------------------


def digest(limit: int = 2000) -> int:
    """Digests one batch of due raw items; how many it took."""
    return _told(digest_due(limit, utc_now()).taken)


def digest_new(limit: int = 2000) -> int:
    """The same for what nobody has tried to read yet: nothing in it takes long."""
    return _told(digest_fresh(limit, utc_now()).taken)


def digest_again(limit: int = 2000) -> int:
    """The same for what failed before or is large, in a room of its own: each may take ten seconds."""
    return _told(digest_hard(limit, utc_now()).taken)


def _told(count: int) -> int:
    if count:
        ring("live", "index", "language")
    return count


# --- index ----------------------------------------------------------------------------------------------------------


def index(limit: int = 500) -> int:
    """Brings one batch of changed documents to the index; how many it brought. 0 too while the index is away."""
    try:
        return get_backend().drain(limit).indexed
    except SearchUnavailable as error:
        log.warning("the index waits: %s", error)
        return 0


# --- deliver --------------------------------------------------------------------------------------------------------


def deliver(limit: int = 192) -> int:
    """Sends what is due; how many envelopes it touched."""
    count = delivering.deliver(limit)
    if count:
        ring("live")
    return count


# --- care -----------------------------------------------------------------------------------------------------------


def care() -> int:
    """The small things that fall due with time; how many rows it touched."""
    now = utc_now()
    done = conversations.wake_due(now)
    done += doorbells.give_up_the_dead(now)
    done += outbox.expire_claims_of_the_dead(leases.is_dead, now)
    done += outbox.sweep_abandoned(now)
    done += _settle_unknown(now)
    done += _file_sent(now)
    if done:
        ring("live", "deliver")
    return done


def tidy() -> None:
    changes.prune(utc_now() - LIVE_EVENT_LIFE)
    bodies.clear_spool(utc_now() - SPOOL_LIFE)
    budgets.prune(utc_now().date() - PAID_LIFE)


def _settle_unknown(now: datetime) -> int:
    """Looks for evidence of sends whose outcome is unknown. Finding none never sends anything again."""
    due = outbox.find_unknown_to_check(now)
    for one in due:
        message = outbox.message_to_find(one.envelope_id)
        if message is None:
            continue
        account = Account.objects.get(id=one.account_id)
        try:
            with connections.borrowed(account, "fetch-sent") as connector:
                receipt = connector.find_sent(message)
        except (ConnectorError, KeyMissing, OSError) as error:
            outbox.settle(one.envelope_id, None, sentence_of(error), utc_now())
        else:
            outbox.settle(one.envelope_id, receipt, "found in Sent" if receipt else "not in Sent", utc_now())
    return len(due)


def _file_sent(now: datetime) -> int:
    """Copies into the provider's Sent, where it does not keep them itself."""
    due = outbox.find_to_file(now)
    for one in due:
        message = outbox.message_to_file(one.envelope_id)
        if message is None:
            continue
        account = Account.objects.get(id=one.account_id)
        try:
            with connections.borrowed(account, "fetch-sent") as connector:
                reach("file.before-append")
                connector.file_sent(message)
                reach("file.appended")
        except (ConnectorError, KeyMissing, OSError) as error:
            log.warning("account %s: the copy for Sent waits: %s", account.name, sentence_of(error))
            outbox.filing_failed(one.envelope_id, utc_now())
        else:
            outbox.filed(one.envelope_id, utc_now())
    return len(due)
