"""Marks and moves mail at the provider after it is stored, under the lease of the poll that brought it.

Whatever goes wrong here is noted with the items and tried again later; the poll has already succeeded.
"""

from __future__ import annotations

import logging

from connectors.base import Connector, ConnectorError, TendsPlaces
from inbox import aftercare, leases
from inbox.models import Account
from workers.clock import utc_now

log = logging.getLogger(__name__)

AT_ONCE = 200
ITEMS_PER_POLL = 2000


def attend(account: Account, connector: Connector, held: leases.Held) -> int:
    """How many items it tended. Raises nothing but LeaseLost and DatabaseError."""
    wanted = aftercare.wanted_of(account.settings)
    if not wanted.is_any or not isinstance(connector, TendsPlaces):
        return 0
    done = 0
    for _ in range(ITEMS_PER_POLL // AT_ONCE):
        due = aftercare.find_due(account.id, utc_now(), AT_ONCE)
        if not due:
            break
        for scope, items in due.items():
            leases.renew(held)
            ids = [one.item_id for one in items]
            if scope.place == wanted.move_to:
                wanted = aftercare.Wanted(wanted.mark_seen)  # it lies there already
            kept = [one for one in items if aftercare.is_kept(one.item_id)]
            if len(kept) < len(items):
                lost = [one.item_id for one in items if one not in kept]
                aftercare.postpone(lost, "Our own copy cannot be read: it stays where it is.", utc_now())
            try:
                pairs = [(one.external_id, one.received_at) for one in kept]
                tended = connector.tend(scope, pairs, mark_seen=wanted.mark_seen, move_to=wanted.move_to)
            except ConnectorError as error:
                log.warning("account %s: after storing: %s", account.name, error.sentence)
                aftercare.postpone(ids, error.sentence, utc_now())
                return done
            aftercare.record(account.id, scope, kept, tended)
            done += len(tended.done)
    return done
