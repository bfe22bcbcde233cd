"""Sends what is due: each account's on one thread, over connections that stay open.

find_due ─▶ claim_many ─▶ (a few side by side: bodies ─▶ one commit ─▶ final dots) ─▶ record_many

What became of one group is recorded while the bodies of the next are on their way, and before its commit.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import connections as database_connections

from connectors.base import AuthFailed, SendsTogether
from inbox import leases, outbox, together
from inbox.models import Account
from workers import connections
from workers.clock import utc_now

ACCOUNTS_AT_ONCE = 4
CLAIMED_AT_ONCE = 48
SENT_AT_ONCE = 8  # recorded together: so many may be in doubt after a crash


def deliver(limit: int = 192) -> int:
    """How many due envelopes it looked at."""
    lanes: dict[int, list[int]] = defaultdict(list)
    for one in outbox.find_due(utc_now(), limit):
        lanes[one.account_id].append(one.envelope_id)
    if len(lanes) == 1:
        for account_id, ids in lanes.items():
            _deliver_lane(account_id, ids)
    elif lanes:
        with ThreadPoolExecutor(min(ACCOUNTS_AT_ONCE, len(lanes)), thread_name_prefix="deliver") as pool:
            list(pool.map(_deliver_on_thread, lanes.keys(), lanes.values()))
    return sum(map(len, lanes.values()))


def _deliver_on_thread(account_id: int, envelope_ids: list[int]) -> None:
    try:
        _deliver_lane(account_id, envelope_ids)
    finally:
        database_connections.close_all()


def _deliver_lane(account_id: int, envelope_ids: list[int]) -> None:
    account = Account.objects.get(id=account_id)
    owner = f"{leases.owner_name()}:{threading.get_ident()}"
    for start in range(0, len(envelope_ids), CLAIMED_AT_ONCE):
        claims = together.claim_many(envelope_ids[start : start + CLAIMED_AT_ONCE], owner, utc_now())
        if not _deliver_claimed(account, claims):
            return


def _deliver_claimed(account: Account, claims: list[outbox.Claim]) -> bool:
    """False when the account's log-in fails: more of them would only be so many wrong passwords in a row."""
    records = _Records()
    has_access = True
    try:
        while claims and has_access and records.trouble is None:
            group, claims = claims[:SENT_AT_ONCE], claims[SENT_AT_ONCE:]
            results = _send(account, group, records.write)
            records.write()
            records.waiting = results
            has_access = not any(isinstance(result, AuthFailed) for _, result in results)
    finally:
        records.write()
        # What was claimed and never begun is anybody's again.
        for claim in claims:
            outbox.release(claim, utc_now())
    if records.trouble is not None:
        raise records.trouble
    return has_access


class _Records:
    """What became of sends, until it is written."""

    def __init__(self) -> None:
        self.waiting: list[tuple[outbox.Claim, together.Result]] = []
        self.trouble: Exception | None = None

    def write(self) -> None:
        """What goes wrong is kept in `trouble`: whoever is on the wire meanwhile must come to an end first."""
        results, self.waiting = self.waiting, []
        if not results:
            return
        try:
            together.record_many(results, utc_now())
        except Exception as error:
            self.trouble = error


def _send(
    account: Account, group: Sequence[outbox.Claim], meanwhile: Callable[[], None]
) -> list[tuple[outbox.Claim, together.Result]]:
    """What became of each; those that are somebody else's by now are left out."""
    found = _send_together(account, group, meanwhile) if len(group) > 1 else None
    if found is not None:
        return found
    meanwhile()
    return [one for claim in group for one in _send_alone(account, claim)]


def _send_together(
    account: Account, group: Sequence[outbox.Claim], meanwhile: Callable[[], None]
) -> list[tuple[outbox.Claim, together.Result]] | None:
    """None when it cannot be, or when one of them is no longer ours: nothing was sent, and each goes its own way."""
    try:
        with connections.borrowed(account, "send") as connector:
            if not isinstance(connector, SendsTogether):
                return None
            results = connector.send_together(
                [claim.message for claim in group],
                lambda positions: together.commit_many([group[one] for one in positions], utc_now()),
                meanwhile,
            )
    except outbox.ClaimLost:
        return None
    except Exception as error:
        return [(claim, error) for claim in group]
    return list(zip(group, results, strict=True))


def _send_alone(account: Account, claim: outbox.Claim) -> list[tuple[outbox.Claim, together.Result]]:
    try:
        with connections.borrowed(account, "send") as connector:
            return [(claim, connector.send(claim.message, lambda: outbox.commit(claim, utc_now())))]
    except outbox.ClaimLost:
        return []
    except Exception as error:
        return [(claim, error)]
