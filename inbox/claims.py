"""Taking an envelope to send it, and passing the point of no return.

    queued | retry ──claim──▶ sending ──commit──▶ committing ──(outcomes.py)──▶ sent | retry | failed | unknown

A claim is a conditional UPDATE that raises the epoch; whoever comes later with an older epoch writes nothing. A worker
that dies before `commit` leaves `sending`, which is claimed again; one that dies after it leaves `committing`, which
nobody ever claims: `sweep_abandoned` turns it into `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from connectors.messages import OutboundMessage, Outcome
from inbox.killpoints import reach
from inbox.models import Envelope, EnvelopeRecipient
from inbox.rules.states import DUE_SEND_STATES, AccountState, SendState

CLAIM_TIME = timedelta(minutes=30)  # longer than every phase of a send together, see connectors/mail/smtp.py
COMMIT_TIME = timedelta(minutes=15)  # longer than the wait for the answer to the final dot

TO_SEND = (Outcome.PENDING, Outcome.REFUSED_FOR_NOW)
_SENDING_ACCOUNTS = (AccountState.OK, AccountState.RETRYING)


class ClaimLost(Exception):
    """The envelope passed to somebody else, was cancelled, or sending was stopped: nothing more may be sent."""


@dataclass(frozen=True, slots=True)
class Due:
    envelope_id: int
    account_id: int
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Claim:
    envelope_id: int
    account_id: int
    epoch: int
    owner: str
    message: OutboundMessage


def is_sending_stopped() -> bool:
    with connection.cursor() as cursor:  # asked before every final dot
        cursor.execute("SELECT 1 FROM inbox_organisation WHERE sending_stopped_at IS NOT NULL LIMIT 1")
        return cursor.fetchone() is not None


def find_due(now: datetime, limit: int = 50) -> list[Due]:
    """What may be sent now, the longest due first; nothing while sending is stopped or the account is parked."""
    if is_sending_stopped():
        return []
    # The jobs find what to do by `due_at` alone; while one is claimed it stands at the end of the claim.
    due = Envelope.objects.filter(
        due_at__lte=now,
        state__in=(*DUE_SEND_STATES, SendState.SENDING),
        account__state__in=_SENDING_ACCOUNTS,
        account__removed_at=None,
    )
    return as_due(due.order_by("due_at", "id")[:limit])


def as_due(envelopes: QuerySet[Envelope]) -> list[Due]:
    rows = envelopes.values_list("id", "account_id", "idempotency_key")
    return [Due(*row) for row in rows]


def claim(envelope_id: int, owner: str, now: datetime) -> Claim | None:
    """Takes one due envelope; None when it is not due any more, or somebody else was faster."""
    with transaction.atomic():
        reach("send.claim-open")
        until = now + CLAIM_TIME
        free = Q(state__in=DUE_SEND_STATES) | Q(state=SendState.SENDING, claimed_until__lte=now)
        taken = Envelope.objects.filter(free, id=envelope_id, due_at__lte=now).update(
            state=SendState.SENDING,
            claim_owner=owner[:80],
            claim_epoch=F("claim_epoch") + 1,
            claimed_until=until,
            due_at=until,
            attempts=F("attempts") + 1,
        )
        if not taken:
            return None
        reach("send.claim-written")
        claimed = _read(envelope_id, owner)
    reach("send.claimed")
    return claimed


def _read(envelope_id: int, owner: str) -> Claim:
    envelope = Envelope.objects.select_related("account").get(id=envelope_id)
    return Claim(envelope.id, envelope.account_id, envelope.claim_epoch, owner, frozen_message(envelope))


def frozen_message(envelope: Envelope, outcomes: tuple[Outcome, ...] = TO_SEND) -> OutboundMessage:
    """The exact bytes, for the recipients that still are to get them."""
    recipients = EnvelopeRecipient.objects.filter(envelope=envelope, outcome__in=outcomes).order_by("id")
    return OutboundMessage(
        idempotency_key=envelope.idempotency_key,
        sender=envelope.account.address,
        recipients=tuple(recipients.values_list("address", flat=True)),
        content=envelope.content,
    )


def commit(claim: Claim, now: datetime) -> None:
    """Makes the point of no return durable. Raises ClaimLost when the claim is stale; then nothing may be sent."""
    reach("send.before-commit")
    if is_sending_stopped():
        release(claim, now)
        raise ClaimLost(str(claim.envelope_id))
    until = now + COMMIT_TIME
    with transaction.atomic(durable=True):
        mine = Envelope.objects.filter(
            id=claim.envelope_id, claim_epoch=claim.epoch, state=SendState.SENDING, claimed_until__gt=now
        )
        count = mine.update(state=SendState.COMMITTING, committing_at=now, claimed_until=until, due_at=until)
        reach("send.commit-written")
    if not count:
        raise ClaimLost(str(claim.envelope_id))
    reach("send.committed")


def release(claim: Claim, now: datetime) -> None:
    """Gives a claim back before the point of no return: queued again, due at once."""
    Envelope.objects.filter(id=claim.envelope_id, claim_epoch=claim.epoch, state=SendState.SENDING).update(
        state=SendState.QUEUED, due_at=now, claimed_until=None, claim_owner=""
    )


def expire_claims_of_the_dead(is_dead: Callable[[str], bool], now: datetime) -> int:
    """Makes claims end now whose owner (`Claim.owner`) is known to be dead, so that nobody waits for their time.

    Returns how many. What then becomes of each is decided as for every expired claim.
    """
    held = Envelope.objects.filter(state__in=(SendState.SENDING, SendState.COMMITTING))
    dead = [row for row in held.values_list("id", "claim_epoch", "claim_owner") if is_dead(row[2])]
    count = 0
    for envelope_id, epoch, _owner in dead:
        mine = held.filter(id=envelope_id, claim_epoch=epoch)
        count += mine.update(claimed_until=now, due_at=now)
    return count
