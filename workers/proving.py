"""The daily proof of an account: lists its ids on the server after a poll, under the poll's own lease and connection.

So an account never needs a second connection for it, and nobody else's turn waits. What is found missing makes the
account due at once; the next poll brings it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from connectors.base import Connector, RetryLater, Unsupported
from connectors.messages import Listing, Scope
from inbox import leases, reconciliation
from inbox.models import Account
from inbox.rules.proof import AGAIN_AFTER_FAULT
from workers.clock import utc_now

log = logging.getLogger(__name__)

_RENEW_EVERY = 20_000  # ids


def prove_if_due(account: Account, connector: Connector, held: leases.Held, *, is_complete: bool) -> bool:
    """Whether the proof found mail that is still to be fetched.

    `account` as it was before the poll, but for its places. A server that does not list now is asked again soon: the
    poll itself went well, and stays so.
    """
    if not reconciliation.is_due(account, utc_now(), is_complete=is_complete):
        return False
    try:
        missing = sum(_prove(account, connector, held))
    except Unsupported:
        # It cannot list: whether anything was missed cannot be told, and asking again each time would tell no more.
        reconciliation.proved(account.id, utc_now())
        return False
    except RetryLater as error:
        log.warning("account %s: its mail could not be listed in full: %s", account.name, error.sentence)
        reconciliation.postpone(account.id, utc_now() + AGAIN_AFTER_FAULT)
        return False
    except leases.LeaseLost:
        return False  # whoever has it now does what is due
    reconciliation.proved(account.id, utc_now())
    if missing:
        log.warning("account %s: %d mails had been missed; they are fetched now", account.name, missing)
    return bool(missing)


def _prove(account: Account, connector: Connector, held: leases.Held) -> Iterator[int]:
    for row in reconciliation.readable_scopes(account):
        scope = Scope(row.place, row.epoch)
        found = connector.list_ids(scope)
        listing = Listing(_renewing(found.ids, held), found.told)
        proof = reconciliation.prove(account.id, scope, listing, held=held, now=utc_now())
        yield proof.missing


def _renewing(ids: Iterable[str], held: leases.Held) -> Iterator[str]:
    for number, one in enumerate(ids):
        if number % _RENEW_EVERY == 0:
            leases.renew(held)
        yield one
