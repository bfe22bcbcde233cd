"""What became of a send, per recipient, and what that means for the conversation.

After the point of no return only a clear answer counts: everything else is `unknown`, which is shown in words, settled
by evidence or by a person, and never sent again by a machine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from connectors.base import ConnectorError, OutcomeUnknown, Refused, RetryLater, Unsupported
from connectors.messages import Outcome, Receipt, RecipientOutcome
from inbox.acts import Desk
from inbox.changes import Live, announce
from inbox.claims import TO_SEND, Claim, ClaimLost
from inbox.drafts import give_back
from inbox.ids import new_id
from inbox.killpoints import reach
from inbox.models import Envelope, EnvelopeBody, EnvelopeRecipient, PostState, SlaEvent
from inbox.naming import name_send
from inbox.rules.states import Reason, SendState, SlaKind, Status, may_become, may_change
from inbox.transactions import retried

BACKOFF_MINUTES = (1, 2, 5, 10, 20, 40, 60)
GIVE_UP_AFTER = timedelta(days=3)
LOOK_AFTER = tuple(timedelta(minutes=minutes) for minutes in (0, 1, 5, 15, 60, 24 * 60))
_LONGEST_WISH = timedelta(hours=24)


def record(claim: Claim, result: Receipt | BaseException, now: datetime) -> str:
    """Writes what a send achieved and returns the new state (rules.states.SendState).

    Raises ClaimLost when the envelope has passed to somebody else. When this very write fails, the envelope stays
    `committing` and becomes `unknown` by the sweep: never `retry`.
    """
    reach("send.answered")
    state = retried(lambda: _record(claim, result, now))
    reach("send.recorded")
    return state


@transaction.atomic
def _record(claim: Claim, result: Receipt | BaseException, now: datetime) -> str:
    envelope = lock(claim.envelope_id)
    state = SendState(envelope.state)
    late = state is SendState.UNKNOWN and isinstance(result, Receipt)
    if state is SendState.SENT and isinstance(result, Receipt) and envelope.claim_epoch == claim.epoch:
        # It came back before its answer was written down: what is left to learn is its name.
        name_send(envelope.message_id, result.message_id, now)
        return state
    if envelope.claim_epoch != claim.epoch or not (late or state in (SendState.SENDING, SendState.COMMITTING)):
        raise ClaimLost(str(claim.envelope_id))
    reach("send.record-open")
    if isinstance(result, Receipt):
        return apply_receipt(envelope, result, now)
    return _apply_error(envelope, result, now)


def lock(envelope_id: int) -> Envelope:
    return Envelope.objects.select_for_update().get(id=envelope_id)


# --- A clear answer -------------------------------------------------------------------------------------------------


def apply_receipt(envelope: Envelope, receipt: Receipt, now: datetime) -> str:
    """Per recipient; the envelope is sent as soon as one recipient was accepted, and never goes to that one again."""
    _write_outcomes(envelope, receipt.outcomes)
    reach("send.recipients-written")
    rows = list(EnvelopeRecipient.objects.filter(envelope=envelope))
    found = {Outcome(row.outcome) for row in rows}
    envelope.external_id = receipt.external_id[:255] or envelope.external_id
    name_send(envelope.message_id, receipt.message_id, now)
    sentence = receipt.sentence or next((row.sentence for row in rows if row.outcome != Outcome.SENT), "")
    if Outcome.SENT in found:
        _split_off([row for row in rows if row.outcome == Outcome.REFUSED_FOR_NOW], envelope, now)
        if envelope.state == SendState.SENDING:
            envelope.state = SendState.COMMITTING  # an acceptance proves that the point was passed
        return become_sent(envelope, envelope.committing_at or now, now, refused=_is_addressee_refused(rows))
    if envelope.state == SendState.UNKNOWN or found & {Outcome.UNKNOWN}:
        return become_unknown(envelope, sentence, now)
    if Outcome.PENDING in found and envelope.state == SendState.COMMITTING:
        return become_unknown(envelope, _("The server did not say what became of every recipient."), now)
    if found & {*TO_SEND}:
        return _retry(envelope, sentence, None, now)
    return become_failed(envelope, sentence, now)


def _write_outcomes(envelope: Envelope, outcomes: Iterable[RecipientOutcome]) -> None:
    for one in outcomes:
        rows = EnvelopeRecipient.objects.filter(envelope=envelope, address=one.recipient)
        # What was accepted stays accepted, whatever a later answer says.
        rows.exclude(outcome=Outcome.SENT).update(outcome=one.outcome, code=one.code[:40], sentence=one.sentence[:500])


def _is_addressee_refused(rows: list[EnvelopeRecipient]) -> bool:
    return any(row.outcome == Outcome.REFUSED and row.role == "to" for row in rows)


def _split_off(rows: list[EnvelopeRecipient], envelope: Envelope, now: datetime) -> None:
    """Recipients refused for now get an envelope of their own; the accepted ones are out of it."""
    if not rows:
        return
    siblings = Envelope.objects.filter(idempotency_key=envelope.idempotency_key, account_id=envelope.account_id)
    part = max(siblings.values_list("part", flat=True)) + 1
    rest = Envelope(
        id=new_id(),
        message_id=envelope.message_id,
        account_id=envelope.account_id,
        conversation_id=envelope.conversation_id,
        request_id=f"{envelope.request_id[:70]}/{part}",
        idempotency_key=envelope.idempotency_key,
        part=part,
        content_sha256=envelope.content_sha256,
        state=SendState.RETRY,
        due_at=now + timedelta(minutes=BACKOFF_MINUTES[0]),
        attempts=1,
        sentence=rows[0].sentence,
        evidence={"trying_since": envelope.evidence.get("trying_since") or now.isoformat()},
        created_at=envelope.created_at,
    )
    rest.save(force_insert=True)
    EnvelopeBody.objects.create(envelope=rest, content=envelope.content)
    EnvelopeRecipient.objects.filter(id__in=[row.id for row in rows]).update(envelope=rest)


# --- No clear answer ------------------------------------------------------------------------------------------------


def _apply_error(envelope: Envelope, error: BaseException, now: datetime) -> str:
    sentence = error.sentence if isinstance(error, ConnectorError) else _("Sending stopped in the middle.")
    if isinstance(error, Refused | Unsupported):
        _mark_open_recipients(envelope, Outcome.REFUSED, sentence)
        return become_failed(envelope, sentence, now)
    is_clear = isinstance(error, RetryLater)
    if isinstance(error, OutcomeUnknown) or (envelope.state == SendState.COMMITTING and not is_clear):
        return become_unknown(envelope, sentence, now)
    return _retry(envelope, sentence, error.after if isinstance(error, RetryLater) else None, now)


def _retry(envelope: Envelope, sentence: str, after: timedelta | None, now: datetime) -> str:
    since = envelope.evidence.setdefault("trying_since", now.isoformat())
    if now - datetime.fromisoformat(since) >= GIVE_UP_AFTER:
        _mark_open_recipients(envelope, Outcome.REFUSED, sentence)
        gave_up = _("Tried for three days without success. The last answer was: %(sentence)s")
        return become_failed(envelope, gave_up % {"sentence": sentence}, now)
    step = timedelta(minutes=BACKOFF_MINUTES[min(max(envelope.attempts, 1), len(BACKOFF_MINUTES)) - 1])
    put_state(envelope, SendState.RETRY, sentence, due_at=now + max(step, min(after or step, _LONGEST_WISH)))
    tell(envelope, now)
    return SendState.RETRY


def _mark_open_recipients(envelope: Envelope, outcome: Outcome, sentence: str) -> None:
    EnvelopeRecipient.objects.filter(envelope=envelope, outcome__in=TO_SEND).update(
        outcome=outcome, sentence=sentence[:500]
    )


def put_state(envelope: Envelope, after: SendState, sentence: str, due_at: datetime | None) -> None:
    """Raises ValueError for a change that must not happen, such as anything after `sent`."""
    before = SendState(envelope.state)
    if before is not after and not may_become(before, after):
        raise ValueError(f"an envelope that is {before} cannot become {after}")
    envelope.state, envelope.sentence, envelope.due_at = after, sentence[:500], due_at
    envelope.claimed_until, envelope.claim_owner = None, ""
    envelope.save()
    reach("send.state-written")


def tell(envelope: Envelope, now: datetime) -> None:
    """A live event without an index write: nothing that can be searched has changed."""
    data = {"envelope": str(envelope.id), "state": str(envelope.state)}
    announce(now=now, events=[Live("outbox", envelope.conversation_id, (envelope.account_id,), data)])


# --- What it means for the conversation -----------------------------------------------------------------------------


def writer_name(user_id: int | None) -> str:
    """Who answered, as an actor: the person who wrote it, though it left later and by itself."""
    return "balas" if user_id is None else f"user:{user_id}"


def become_sent(envelope: Envelope, at: datetime, now: datetime, *, refused: bool = False) -> str:
    """`at` is when it left. The clock stops; `refused` brings it back to the queue: an addressee did not get it."""
    EnvelopeRecipient.objects.filter(envelope=envelope, outcome__in=(Outcome.PENDING, Outcome.UNKNOWN)).update(
        outcome=Outcome.SENT
    )
    envelope.finished_at = at
    filing_at = now if envelope.filing == "wanted" else None
    put_state(envelope, SendState.SENT, envelope.sentence if refused else "", due_at=filing_at)
    desk = Desk.open(envelope.conversation_id, "balas", now)
    if not SlaEvent.objects.filter(message_id=envelope.message_id, kind=SlaKind.AGENT_ANSWERED).exists():
        seen = {"seen_at": envelope.created_at.isoformat()}
        author = writer_name(envelope.message.author_user_id)
        desk.record(SlaKind.AGENT_ANSWERED, at, message_id=envelope.message_id, data=seen, actor=author)
    conversation = desk.conversation
    conversation.last_outbound_at = max(at, conversation.last_outbound_at or at)
    desk.touched = True
    if refused:
        bring_back(desk)
    _close(desk, envelope, "sent")
    return SendState.SENT


def become_failed(envelope: Envelope, sentence: str, now: datetime) -> str:
    """For good: the conversation comes back to the queue and says why. The text stays in its message.

    What a platform refused is to be written otherwise, or to somebody else: its writer has it back as a draft at once.
    """
    envelope.finished_at = now
    put_state(envelope, SendState.FAILED, sentence, due_at=None)
    writer = envelope.message.author_user
    if writer is not None and PostState.objects.filter(message_id=envelope.message_id).exists():
        give_back(envelope, writer, now)
    desk = Desk.open(envelope.conversation_id, "balas", now)
    desk.touched = True
    bring_back(desk)
    _close(desk, envelope, "send-failed")
    return SendState.FAILED


def become_unknown(envelope: Envelope, sentence: str, now: datetime) -> str:
    """It may have been delivered. Looks for evidence are due from now on; nothing is sent again."""
    _mark_open_recipients(envelope, Outcome.UNKNOWN, sentence)
    was_known = envelope.state == SendState.UNKNOWN
    if envelope.state == SendState.SENDING:
        envelope.state = SendState.COMMITTING  # in doubt, the point was passed
    # A copy in Sent says nothing of the recipients that were split off.
    looks = None if envelope.part else now
    put_state(envelope, SendState.UNKNOWN, sentence, due_at=envelope.due_at if was_known else looks)
    desk = Desk.open(envelope.conversation_id, "balas", now)
    if not was_known and not SlaEvent.objects.filter(message_id=envelope.message_id).exists():
        at = envelope.committing_at or now
        desk.record(SlaKind.PROVISIONAL_ANSWER, at, message_id=envelope.message_id)
    desk.touched = True
    _close(desk, envelope, "send-unknown")
    return SendState.UNKNOWN


def bring_back(desk: Desk) -> None:
    if may_change(desk.status, Status.OPEN, Reason.SEND_FAILED):
        desk.set_status(Status.OPEN, Reason.SEND_FAILED)
    desk.conversation.is_unseen = True


def _close(desk: Desk, envelope: Envelope, name: str) -> None:
    reach("send.ledger-written")
    desk.close(name, data={"envelope": str(envelope.id)})
    reach("send.announced")


# --- Evidence -------------------------------------------------------------------------------------------------------


def settle(
    envelope_id: int,
    receipt: Receipt | None,
    why: str,
    now: datetime,
    states: Collection[SendState] = (SendState.UNKNOWN,),
) -> str:
    """One look for evidence of an unknown send: a receipt settles it as sent, None schedules the next look.

    Returns the state afterwards. An envelope that is in none of `states` is left alone.
    """
    with transaction.atomic():
        envelope = lock(envelope_id)
        if envelope.state not in states:
            return envelope.state
        if receipt is not None:
            reach("settle.evidence-found")
            name_send(envelope.message_id, receipt.message_id, now)
            envelope.evidence["settled"] = {"why": why[:300], "at": now.isoformat()}
            envelope.external_id = envelope.external_id or receipt.external_id[:255]
            state = become_sent(envelope, envelope.committing_at or now, now)
            reach("settle.written")
            return state
        looks = [*envelope.evidence.get("looks", []), [now.isoformat(), why[:300]]][-len(LOOK_AFTER) :]
        envelope.evidence["looks"] = looks
        first = datetime.fromisoformat(looks[0][0])
        envelope.due_at = first + LOOK_AFTER[len(looks)] if len(looks) < len(LOOK_AFTER) else None
        envelope.save(update_fields=["evidence", "due_at"])
        return envelope.state


@transaction.atomic
def settle_by_message_id(message_id: str, why: str, now: datetime) -> int:
    """Something that names our message was seen (its echo, an answer): it did arrive. Returns how many it settled."""
    return _settle_all(Envelope.objects.filter(idempotency_key=message_id), why, now, (SendState.UNKNOWN,))


@transaction.atomic
def settle_by_message(message_id: int, why: str, now: datetime, *, is_named: bool) -> int:
    """The same for our message's row. `is_named`: a post of one addressee, which is there or is not; then whoever
    still waits for the answer to it may learn it from this."""
    states = (SendState.UNKNOWN, SendState.COMMITTING) if is_named else (SendState.UNKNOWN,)
    return _settle_all(Envelope.objects.filter(message_id=message_id), why, now, states)


def _settle_all(rows: QuerySet[Envelope], why: str, now: datetime, states: Sequence[SendState]) -> int:
    ids = list(rows.filter(part=0, state__in=states).values_list("id", flat=True))
    return sum(settle(envelope_id, Receipt(()), why, now, states) == SendState.SENT for envelope_id in ids)
