"""Nobody wants to hear of somebody any more: what they write arrives as spam, without a clock. Nothing is dropped."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from inbox.acts import Act, Desk
from inbox.models import AuditRecord, Identity
from inbox.people import Actor
from inbox.rules.states import Reason, Status


@transaction.atomic
def block(conversation_id: int, actor: Actor, now: datetime) -> Act:
    """Those who wrote in this conversation from outside; the conversation itself becomes spam. Can be undone."""
    desk = Desk.open(conversation_id, actor, now)
    writers = Identity.objects.filter(
        message__strand__links__conversation_id=conversation_id,
        message__strand__links__ended_at=None,
        message__direction="inbound",
        is_own=False,
        is_blocked=False,
    )
    ids = sorted(set(writers.values_list("id", flat=True)))
    Identity.objects.filter(id__in=ids).update(is_blocked=True)
    if desk.status is not Status.SPAM:
        desk.set_status(Status.SPAM, Reason.BLOCKED)
        desk.conversation.is_unseen = False
    desk.is_reversible = bool(ids)
    return desk.close("block", data={"identities": [str(one) for one in ids]})


def unblock(desk: Desk, record: AuditRecord) -> None:
    Identity.objects.filter(id__in=[int(one) for one in record.data.get("identities", ())]).update(is_blocked=False)
