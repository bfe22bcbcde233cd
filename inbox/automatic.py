"""The home's rule for automatic mail: which classes stand aside (rules/automatic.py), and one mail that must not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from inbox.acts import Act, Desk
from inbox.models import Message, Organisation
from inbox.people import Actor, audit
from inbox.rules.automatic import ASIDE_BY_DEFAULT, MailClass
from inbox.rules.states import Reason, SlaKind, Status

_KEY = "automatic_aside"


def classes_aside(organisation: Organisation | None = None) -> frozenset[MailClass]:
    """The classes that are kept out of the queue."""
    found = organisation or Organisation.objects.filter(id=1).first()
    chosen = (found.settings if found else {}).get(_KEY)
    if not isinstance(chosen, list):
        return ASIDE_BY_DEFAULT
    return frozenset(one for one in MailClass if one in chosen)


@transaction.atomic
def set_classes_aside(classes: Iterable[str], actor: Actor, now: datetime) -> frozenset[MailClass]:
    """For mail that arrives from now on; what is here stays where it is. Unknown words are ignored."""
    wanted = set(classes)
    aside = frozenset(one for one in MailClass if one in wanted)
    organisation = Organisation.objects.select_for_update().get_or_create(id=1)[0]
    if aside != classes_aside(organisation):
        organisation.settings = {**organisation.settings, _KEY: sorted(aside)}
        organisation.save(update_fields=["settings"])
        audit("automatic-mail", "organisation:1", actor, now, {"aside": sorted(aside)})
    return aside


@transaction.atomic
def needs_answer(conversation_id: int, actor: Actor, now: datetime) -> Act:
    """Automatic mail that a person shall answer after all: into the queue, its clock running since it was written."""
    desk = Desk.open(conversation_id, actor, now)
    conversation = desk.conversation
    if (desk.status, conversation.status_reason) == (Status.RESOLVED, Reason.AUTOMATIC):
        newest = Message.objects.filter(
            strand__links__conversation_id=conversation_id, strand__links__ended_at=None, direction="inbound"
        ).order_by("-written_at", "-id")
        conversation.status, conversation.status_reason = Status.OPEN, Reason.CUSTOMER_WROTE
        conversation.resolved_at = None
        for message in newest[:1]:
            data = {"received_at": message.received_at.isoformat()}
            desk.record(SlaKind.CUSTOMER_WROTE, message.written_at, message_id=message.id, data=data)
    return desk.close("needs-answer")
