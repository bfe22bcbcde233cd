"""Looks again at posts whose platform does not tell of edits and deletions, under the lease of a poll.

What was changed or is gone comes through the shelf like everything else. A look that the budget or a limit does not
allow now is put off; the poll has already succeeded.
"""

from __future__ import annotations

import logging

from connectors.base import Connector, ConnectorError, Rechecks
from connectors.metering import BudgetReached
from inbox import leases, rechecks, shelf
from inbox.models import Account
from workers.bells import ring
from workers.clock import utc_now

log = logging.getLogger(__name__)

AT_ONCE = 100
MOST_PER_POLL = 500


def attend(account: Account, connector: Connector, held: leases.Held) -> int:
    """How many posts it looked at. Raises nothing but LeaseLost and DatabaseError."""
    if not isinstance(connector, Rechecks):
        return 0
    done = 0
    while done < MOST_PER_POLL:
        due = rechecks.find_due(account.id, utc_now(), AT_ONCE)
        if not due:
            break
        leases.renew(held)
        try:
            for page in connector.recheck([one.external_id for one in due]):
                if page.items and shelf.put(account.id, page, held=held, now=utc_now()).new:
                    ring("digest")
        except ConnectorError as error:
            after = rechecks.AFTER_BUDGET if isinstance(error, BudgetReached) else rechecks.AFTER_FAULT
            log.warning("account %s: looking again at posts: %s", account.name, error.sentence)
            rechecks.postpone(due, utc_now() + after)
            break
        rechecks.looked(due, utc_now())
        done += len(due)
    return done
