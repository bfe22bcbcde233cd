"""Delivery reports: a bounce is joined to the send that it speaks of, and says so at that one recipient.

Who knows the Message-ID of a send has got it, or was asked to pass it on: nobody can guess it. So a report that names
one of ours is believed as far as it goes, which is a recipient of that very send; one that names none changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from connectors.mail.bounces import read_words
from connectors.messages import DeliveryReport, Outcome, Receipt
from inbox.acts import Act, Desk, Refusal
from inbox.models import Conversation, Envelope, EnvelopeRecipient, Message, SlaEvent
from inbox.offers import note_answer
from inbox.outcomes import bring_back, settle
from inbox.people import Actor, audit
from inbox.rules.delivery import is_temporary, why_failed
from inbox.rules.offers import Offer
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


# --- Without an id: a suggestion -----------------------------------------------------------------------------------

_ANY_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
LOOK_BACK = timedelta(days=7)


def find_send_of(message_id: int, conversation_id: int) -> EnvelopeRecipient | None:
    """The send that a bounce without our Message-ID may speak of: the newest to an address that it names, at most a
    week before. Only a person can say whether it is; None when there is none, or the bounce lies with a send already.
    """
    inside = Message.objects.filter(strand__links__conversation_id=conversation_id, strand__links__ended_at=None)
    message = inside.filter(id=message_id, automatic="bounce", direction="inbound").first()
    if message is None or Envelope.objects.filter(conversation_id=conversation_id).exists():
        return None
    named = list(dict.fromkeys(one.rstrip(".").lower() for one in _ANY_ADDRESS.findall(message.text[:8000])))[:30]
    rows = EnvelopeRecipient.objects.filter(
        address__in=named,
        outcome=Outcome.SENT,
        envelope__finished_at__lte=message.received_at,
        envelope__finished_at__gte=message.received_at - LOOK_BACK,
    )
    return rows.select_related("envelope", "envelope__conversation").order_by("-envelope__finished_at", "-id").first()


@transaction.atomic
def take(conversation_id: int, message_id: int, actor: Actor, now: datetime) -> Act:
    """A person says that a bounce speaks of the send that was suggested. Raises Refusal."""
    row = find_send_of(message_id, conversation_id)
    if row is None:
        raise Refusal(_("There is no answer of ours any more that this could be about."))
    subject, words = Message.objects.values_list("subject", "text").get(id=message_id)
    said = {one[0].lower(): one for one in read_words(subject, words)}
    _address, _action, status, told = said.get(row.address.lower(), ("", "", "", ""))
    report = DeliveryReport("", row.address, "failed", status, told)
    rows = list(EnvelopeRecipient.objects.filter(envelope__idempotency_key=row.envelope.idempotency_key))
    _note_failure(row, rows, report, now)
    note_answer(message_id, Offer.CAME_BACK, "taken", actor, now)
    desk = Desk.open(conversation_id, actor, now)
    desk.touched = True
    return desk.close("came-back")


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
