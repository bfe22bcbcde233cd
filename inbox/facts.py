"""What the index is told of one message that is a row."""

from __future__ import annotations

from inbox.changes import MessageFacts
from inbox.models import Message


def facts_of(message: Message, conversation_id: int, accounts: tuple[int, ...]) -> MessageFacts:
    """What the index holds of a message."""
    people_named = [message.author_name, message.author_address]
    for recipient in message.recipients:
        people_named += [recipient.get("name", ""), recipient.get("address", "")]
    return MessageFacts(
        id=message.id,
        conversation=conversation_id,
        strand=message.strand_id,
        kind=message.kind,
        direction=message.direction,
        subject=message.subject,
        text=message.text,
        people=tuple(name for name in people_named if name),
        sent_at=message.dated_at or message.written_at,
        accounts=accounts,
        automatic=message.automatic,
        author=tuple(name for name in (message.author_name, message.author_address) if name),
    )
