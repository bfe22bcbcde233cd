"""The whole inbox as plain values without ids: two inboxes with equal pictures look the same to everybody."""

from __future__ import annotations

from typing import Any

from inbox import counters
from inbox.models import Conversation, Customer, Message, SlaEvent, StrandLink


def take_picture() -> list[dict[str, Any]]:
    links = dict(StrandLink.objects.filter(ended_at=None).values_list("strand_id", "conversation_id"))
    names: dict[int, str] = {}
    inside: dict[int, list[Any]] = {}
    for message in Message.objects.all():
        names[message.id] = message.text.strip().splitlines()[0] if message.text.strip() else message.stable_sha256
        places = sorted(message.deliveries.values_list("raw_item__place", "raw_item__external_id"))
        facts = (names[message.id], message.direction, message.written_at, tuple(message.flags), tuple(places))
        inside.setdefault(links[message.strand_id], []).append(facts)
    ledger: dict[int, list[Any]] = {}
    for event in SlaEvent.objects.all():
        ledger.setdefault(event.conversation_id, []).append(
            (event.occurred_at, event.kind, names.get(event.message_id or 0))
        )
    return sorted(
        (_of_conversation(one, inside, ledger) for one in Conversation.objects.all()), key=lambda one: one["messages"]
    )


def _of_conversation(one: Conversation, inside: dict[int, list[Any]], ledger: dict[int, list[Any]]) -> dict[str, Any]:
    columns = (
        "subject status status_reason due_at due_for preview last_direction messages_count opened_at last_inbound_at"
        " last_outbound_at last_activity_at resolved_at reopened_count is_unseen kind"
    )
    return {
        "messages": sorted(inside.get(one.id, [])),
        "ledger": sorted(ledger.get(one.id, []), key=str),
        "customer": sorted(one.customer.links.values_list("identity__key", "identity__display")),
        "customer name": one.customer.name,
        "accounts": sorted(one.conversationaccount_set.values_list("account__name", flat=True)),
        "account": one.account.name if one.account else None,
        **{name: getattr(one, name) for name in columns.split()},
    }


def assert_sums_hold() -> None:
    """What is kept beside the rows is what the rows say."""
    assert counters.kept() == counters.recount()
    assert not Customer.objects.filter(conversations=None).exists(), "a customer without a conversation"
    for conversation in Conversation.objects.all():
        held = Message.objects.filter(strand__links__conversation=conversation, strand__links__ended_at=None).exclude(
            direction="note"
        )
        assert conversation.messages_count == held.count()
        assert held.exists(), "a conversation without a message"
