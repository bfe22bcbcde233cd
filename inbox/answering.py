"""Which message an answer answers."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from connectors.social import Standing
from inbox.models import Message


def answered_message(conversation_id: int, up_to: int = 0) -> Message | None:
    """The newest message that a person of the customer's wrote, or else the newest that is no bounce.

    What its author has deleted cannot be answered, and what asked nothing of us is not, as long as there is another.
    """
    messages = Message.objects.filter(
        strand__links__conversation_id=conversation_id, strand__links__ended_at=None
    ).exclude(direction="note")
    if up_to:
        messages = messages.filter(id__lte=up_to)
    newest = messages.select_related("post").order_by("-written_at", "-id")
    inbound = newest.filter(direction="inbound")
    return (
        _answerable(inbound).first()
        # Nobody answers a bounce: the letter that came back is answered instead.
        or inbound.filter(automatic="").first()
        or newest.exclude(automatic="bounce").first()
        or newest.first()
    )


def _answerable(inbound: QuerySet[Message]) -> QuerySet[Message]:
    is_mail = Q(post__message__isnull=True)
    return inbound.filter(is_mail | Q(post__deleted_at__isnull=True), automatic="").filter(
        is_mail | ~Q(post__standing=Standing.CONTEXT)
    )
