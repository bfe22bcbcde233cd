"""Sends: the one door for those who deliver. Claims are in claims.py, what became of a send in outcomes.py.

    find_due → claim → (connector.send, which calls commit) → record
    sweep_abandoned, find_unknown_to_check → settle, find_to_file → message_to_file → filed

and the brakes: the stop switch, which a restore also sets, stops everything short of its point of no return.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from connectors.messages import OutboundMessage, Outcome
from inbox import outcomes
from inbox.changes import Live, announce
from inbox.claims import (
    Claim,
    ClaimLost,
    Due,
    as_due,
    claim,
    commit,
    expire_claims_of_the_dead,
    find_due,
    frozen_message,
    is_sending_stopped,
    release,
)
from inbox.killpoints import reach
from inbox.models import Envelope, Organisation
from inbox.outcomes import record, settle, settle_by_message, settle_by_message_id
from inbox.people import Actor, audit
from inbox.reports import note_report
from inbox.rules.states import SendState

__all__ = [
    "Claim",
    "ClaimLost",
    "Due",
    "allow_sending",
    "claim",
    "commit",
    "counts",
    "expire_claims_of_the_dead",
    "filed",
    "filing_failed",
    "find_due",
    "find_to_file",
    "find_unknown_to_check",
    "is_sending_stopped",
    "message_to_file",
    "message_to_find",
    "note_report",
    "record",
    "release",
    "settle",
    "settle_by_message",
    "settle_by_message_id",
    "stop_sending",
    "sweep_abandoned",
]

_FILING_TRIES = 20


def sweep_abandoned(now: datetime, limit: int = 50) -> int:
    """`committing` that a crash or a failed write left behind becomes unknown; returns how many."""
    left = Envelope.objects.filter(state=SendState.COMMITTING, due_at__lte=now).order_by("due_at")
    return sum(_abandon(envelope_id, now) for envelope_id in list(left.values_list("id", flat=True)[:limit]))


@transaction.atomic
def _abandon(envelope_id: int, now: datetime) -> bool:
    envelope = outcomes.lock(envelope_id)
    if envelope.state != SendState.COMMITTING or envelope.due_at is None or envelope.due_at > now:
        return False
    sentence = _("Balas was interrupted while the server was answering: this may have been delivered.")
    outcomes.become_unknown(envelope, sentence, now)
    reach("settle.swept")
    return True


def find_unknown_to_check(now: datetime, limit: int = 50) -> list[Due]:
    """Unknown sends for which a look for evidence is due (after 0, 1, 5, 15, 60 minutes and 24 hours)."""
    due = Envelope.objects.filter(state=SendState.UNKNOWN, due_at__lte=now, account__removed_at=None)
    return as_due(due.order_by("due_at", "id")[:limit])


def message_to_find(envelope_id: int) -> OutboundMessage | None:
    """What may have left, for whoever looks for it; None when its outcome is known by now."""
    envelope = Envelope.objects.select_related("account").filter(id=envelope_id, state=SendState.UNKNOWN).first()
    return frozen_message(envelope, tuple(Outcome)) if envelope else None


# --- A copy into Sent -----------------------------------------------------------------------------------------------


def find_to_file(now: datetime, limit: int = 50) -> list[Due]:
    due = Envelope.objects.filter(state=SendState.SENT, filing="wanted", due_at__lte=now, account__removed_at=None)
    return as_due(due.order_by("due_at", "id")[:limit])


def message_to_file(envelope_id: int) -> OutboundMessage | None:
    """The sent bytes; None when the copy is no longer wanted."""
    envelope = Envelope.objects.select_related("account").filter(id=envelope_id, filing="wanted").first()
    return frozen_message(envelope, (Outcome.SENT,)) if envelope else None


def filed(envelope_id: int, now: datetime) -> None:
    reach("file.before-filed")
    Envelope.objects.filter(id=envelope_id, state=SendState.SENT).update(filing="filed", due_at=None)
    reach("file.filed")


def filing_failed(envelope_id: int, now: datetime) -> None:
    """Tried again, ever more rarely, and given up after about a day: the message itself has long been sent."""
    with transaction.atomic():
        envelope = outcomes.lock(envelope_id)
        tries = int(envelope.evidence.get("filing_tries", 0)) + 1
        envelope.evidence["filing_tries"] = tries
        steps = outcomes.BACKOFF_MINUTES
        step = timedelta(minutes=steps[min(tries, len(steps)) - 1])
        envelope.due_at = now + step if tries < _FILING_TRIES else None
        envelope.save(update_fields=["evidence", "due_at"])


# --- Brakes ---------------------------------------------------------------------------------------------------------


def stop_sending(why: str, actor: Actor, now: datetime) -> None:
    """Nothing leaves until allow_sending; what has passed its point of no return is recorded all the same."""
    with transaction.atomic():
        Organisation.objects.get_or_create(id=1)
        Organisation.objects.filter(id=1).update(sending_stopped_at=now, sending_stopped_why=why[:200])
        audit("sending.stopped", "organisation:1", actor, now, {"why": why[:200]})
        announce(now=now, events=[Live("outbox", data={"stopped": True})])


def allow_sending(actor: Actor, now: datetime) -> None:
    with transaction.atomic():
        Organisation.objects.filter(id=1).update(sending_stopped_at=None, sending_stopped_why="")
        audit("sending.allowed", "organisation:1", actor, now)
        announce(now=now, events=[Live("outbox", data={"stopped": False})])


def counts() -> dict[str, int]:
    """State → envelopes; every state of rules.states.SendState is named. Walks the index over `state` alone."""
    found = {str(state): 0 for state in SendState}
    found |= dict(Envelope.objects.order_by().values_list("state").annotate(count=Count("id")))
    return found
