"""Delivery reports: a bounce is joined to the send that it speaks of, and says so at that one recipient.

Who knows the Message-ID of a send has got it, or was asked to pass it on: nobody can guess it. So a report that names
one of ours is believed as far as it goes, which is a recipient of that very send; one that names none changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from connectors.messages import DeliveryReport, Outcome, Receipt
from inbox.acts import Desk
from inbox.models import Conversation, EnvelopeRecipient, Message, SlaEvent
from inbox.outcomes import bring_back, settle
from inbox.people import audit
from inbox.rules.delivery import is_temporary, why_failed
from inbox.rules.states import SlaKind

FAILED, STILL_TRYING = "bounced", "delayed"
MAX_REPORTS = 50  # of one bounce


@transaction.atomic
def note_report(report: DeliveryReport, now: datetime) -> int | None:
    """Notes a report at its recipient; a failure brings the conversation back. Its id, or None when it is not ours."""
    if not report.message_id:
        return None
    rows = list(
        EnvelopeRecipient.objects.filter(envelope__idempotency_key=report.message_id)
        .select_related("envelope")
        .order_by("envelope__part", "id")
    )
    if not rows:
        return _note_elsewhere(report, now)
    row = _recipient_of(rows, report.recipient)
    if row is None:
        return None
    settle(row.envelope_id, Receipt(()), "a delivery report names it", now)
    row.refresh_from_db(fields=["outcome"])
    if row.outcome == Outcome.REFUSED:
        return row.envelope.conversation_id  # the same news once more
    if is_temporary(report.action, report.status):
        _note_delay(row, report, now)
    elif report.action in ("failed", ""):
        _note_failure(row, rows, report, now)
    return row.envelope.conversation_id


def _recipient_of(rows: Iterable[EnvelopeRecipient], address: str) -> EnvelopeRecipient | None:
    """Whom the report means. Where there was only one, it is they: a forward may have led to another address."""
    by_address: dict[str, EnvelopeRecipient] = {}
    for row in rows:  # what was split off comes last and is where that recipient stands now
        by_address[row.address.casefold()] = row
    found = by_address.get(address.strip().casefold())
    if found is None and len(by_address) == 1:
        return next(iter(by_address.values()))
    return found


def _note_delay(row: EnvelopeRecipient, report: DeliveryReport, now: datetime) -> None:
    """Nobody has to do anything yet."""
    row.code, row.sentence = report.status[:40], report.diagnostic[:500]
    row.save(update_fields=["code", "sentence"])
    desk = Desk.open(row.envelope.conversation_id, "balas", now)
    desk.touched = True
    _tell(desk, STILL_TRYING, row.address, report)


def _note_failure(
    row: EnvelopeRecipient, rows: Iterable[EnvelopeRecipient], report: DeliveryReport, now: datetime
) -> None:
    row.outcome, row.code, row.sentence = Outcome.REFUSED, report.status[:40], report.diagnostic[:500]
    row.save(update_fields=["outcome", "code", "sentence"])
    desk = Desk.open(row.envelope.conversation_id, "balas", now)
    desk.touched = True
    addressees = [one for one in rows if one.role == "to"]
    if all(one.id == row.id or one.outcome == Outcome.REFUSED for one in addressees):
        _take_back_answer(desk, row.envelope.message_id)
    bring_back(desk)
    _tell(desk, FAILED, row.address, report)


def _take_back_answer(desk: Desk, message_id: int) -> None:
    """Nobody it was written to has got it, so no promise was kept by it: the clock runs as if it had not left."""
    events = SlaEvent.objects.filter(conversation_id=desk.conversation.id)
    undone = set(events.filter(kind=SlaKind.UNDONE).values_list("target_event_id", flat=True))
    for event in events.filter(kind=SlaKind.AGENT_ANSWERED, message_id=message_id).exclude(id__in=undone):
        desk.record(SlaKind.UNDONE, event.occurred_at, target_id=event.id)


def _tell(desk: Desk, name: str, address: str, report: DeliveryReport) -> None:
    """The line in the timeline. It is no act that somebody could take back."""
    data = {
        "recipient": address,
        "code": report.status,
        "why": str(why_failed(report.status, report.diagnostic)),
        "said": report.diagnostic[:300],
    }
    if not desk.close(name, data=data).undo:  # no field changed, so it left no record of its own
        audit(name, f"conversation:{desk.conversation.id}", "balas", desk.now, data)


def _note_elsewhere(report: DeliveryReport, now: datetime) -> int | None:
    """Of a mail of ours that left through another program: only its conversation can hear of it."""
    message = Message.objects.filter(reference=report.message_id, direction="outbound").order_by("id").first()
    if message is None or is_temporary(report.action, report.status) or report.action not in ("failed", ""):
        return None
    named = {str(one["address"]).casefold() for one in message.recipients if one["role"] != "reply-to"}
    address = report.recipient.casefold()
    if address not in named and len(named) != 1:
        return None
    conversation = Conversation.objects.filter(
        strand_links__strand_id=message.strand_id, strand_links__ended_at=None
    ).first()
    if conversation is None:
        return None
    desk = Desk.open(conversation.id, "balas", now)
    desk.touched = True
    bring_back(desk)
    _tell(desk, FAILED, report.recipient or next(iter(named)), report)
    return conversation.id
