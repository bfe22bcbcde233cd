"""Rows for tests of what agents do: one account, customers, conversations as the digest would leave them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from connectors.messages import Address
from inbox import counters, people, sla
from inbox.acts import Desk
from inbox.ids import new_id
from inbox.models import (
    Account,
    Conversation,
    ConversationAccount,
    Customer,
    Delivery,
    Identity,
    IdentityLink,
    Message,
    RawItem,
    Strand,
    StrandLink,
    StrandParticipant,
    Thread,
    ThreadReference,
    User,
)
from inbox.rules.states import Role, SlaKind

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # a Tuesday


def make_account(name: str = "shop", **columns: Any) -> Account:
    address = f"{name}@shop.example"
    account = Account.objects.create(
        kind="email",
        name=name,
        address=address,
        display_name="Our Shop",
        own_addresses=[address],
        cut_at=NOW - timedelta(days=30),
        **columns,
    )
    Identity.objects.create(kind="email", key=address, address=address, is_own=True, created_at=NOW)
    return account


def make_user(name: str = "Ana", role: Role = Role.AGENT) -> User:
    return people.create_user(f"{name.lower()}@shop.example", role, NOW, name=name)


def make_customer(address: str = "maria@example.org", name: str = "Maria Ionescu") -> tuple[Customer, Identity]:
    customer = Customer.objects.create(name=name, language="ro", created_at=NOW)
    identity = Identity.objects.create(kind="email", key=address, address=address, display=name, created_at=NOW)
    IdentityLink.objects.create(identity=identity, customer=customer, evidence={"rule": "first-seen"}, linked_at=NOW)
    return customer, identity


def make_conversation(
    account: Account, address: str = "maria@example.org", *, at: datetime = NOW, status: str = "open"
) -> Conversation:
    """Opened by one inbound message, with its clock running, counted."""
    customer, identity = make_customer(address, address.partition("@")[0].title())
    policy, calendar = sla.ensure_defaults(NOW)
    conversation = Conversation.objects.create(
        customer=customer,
        subject="Where is my parcel?",
        status=status,
        status_reason="new",
        account=account,
        kind="email",
        policy_version_id=policy,
        calendar_version_id=calendar,
        opened_at=at,
        last_activity_at=at,
        language="ro",
        is_unseen=True,
    )
    ConversationAccount.objects.create(conversation=conversation, account=account)
    thread = Thread.objects.create(kind="email")
    strand = Strand.objects.create(thread=thread, counterparty=identity)
    StrandLink.objects.create(strand=strand, conversation=conversation, linked_at=at)
    counters.move(None, counters.key_of(conversation))
    write(conversation, account, at=at)
    return Conversation.objects.get(id=conversation.id)


def write(conversation: Conversation, account: Account, *, at: datetime, text: str = "Where is my parcel?") -> Message:
    """The customer writes: what a digest would store for it."""
    strand = Strand.objects.filter(links__conversation=conversation, links__ended_at=None).latest("id")
    number = new_id()
    message = Message.objects.create(
        id=number,
        kind="email",
        direction="inbound",
        strand=strand,
        account=account,
        author=strand.counterparty,
        author_name=strand.counterparty.display,
        author_address=strand.counterparty.address,
        recipients=[{"role": "to", "name": "", "address": account.address}],
        subject=conversation.subject,
        text=text,
        written_at=at,
        received_at=at,
        reference=f"{number}@example.org",
        stable_sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        raw_sha256="",
        created_at=at,
    )
    StrandParticipant.objects.get_or_create(
        strand=strand, identity=strand.counterparty, defaults={"since_message": message.id}
    )
    ThreadReference.objects.create(kind="email", reference=message.reference, thread=strand.thread)
    deliver(message, account)
    with transaction.atomic():
        desk = Desk.open(conversation.id, "balas", at)
        desk.record(SlaKind.CUSTOMER_WROTE, at, message_id=message.id, data={"received_at": at.isoformat()})
        desk.conversation.messages_count += 1
        desk.conversation.last_inbound_at = desk.conversation.last_activity_at = at
        desk.conversation.last_direction = "inbound"
        desk.close("customer-wrote")
    return message


def deliver(message: Message, account: Account) -> None:
    item = RawItem.objects.create(
        account=account,
        place="INBOX",
        epoch="1",
        external_id=str(new_id()),
        size=1,
        sha256="",
        received_at=message.received_at,
        stored_at=message.received_at,
        state="digested",
    )
    Delivery.objects.create(message=message, account=account, raw_item=item, received_at=message.received_at)
    ConversationAccount.objects.get_or_create(
        conversation_id=message.strand.links.get(ended_at=None).conversation_id, account=account
    )


def to(address: str = "maria@example.org") -> tuple[Address, ...]:
    return (Address(address),)
