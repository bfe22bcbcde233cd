"""Rows for search tests, made directly: what stands in the inbox is given, finding it is what is tested."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from inbox.ids import new_id
from inbox.models import (
    Account,
    Conversation,
    ConversationAccount,
    Customer,
    Delivery,
    Identity,
    Message,
    RawItem,
    Strand,
    StrandLink,
    Thread,
)

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
_serial = count(1)


def make_account(name: str = "") -> Account:
    name = name or f"box {next(_serial)}"
    return Account.objects.create(kind="email", name=name, address=f"{next(_serial)}@example.org", cut_at=NOW)


def make_conversation(*accounts: Account) -> tuple[Conversation, Strand]:
    customer = Customer.objects.create(name="Budi", created_at=NOW)
    conversation = Conversation.objects.create(
        customer=customer,
        status="open",
        account=accounts[0] if accounts else None,
        kind="email",
        opened_at=NOW,
        last_activity_at=NOW,
    )
    for account in accounts:
        ConversationAccount.objects.create(conversation=conversation, account=account)
    identity = Identity.objects.create(
        kind="email", key=f"{next(_serial)}@example.com", address="budi@example.com", created_at=NOW
    )
    strand = Strand.objects.create(thread=Thread.objects.create(kind="email"), counterparty=identity)
    StrandLink.objects.create(strand=strand, conversation=conversation, linked_at=NOW)
    return conversation, strand


def make_message(
    strand: Strand,
    *accounts: Account,
    text: str = "",
    subject: str = "",
    author: tuple[str, str] = ("Budi Santoso", "budi@example.com"),
    recipients: Sequence[tuple[str, str]] = (),
    minutes: float = 0,
    direction: str = "inbound",
) -> Message:
    """A message with a delivery in each account; not indexed yet."""
    at = NOW + timedelta(minutes=minutes)
    message = Message.objects.create(
        kind="email",
        direction=direction,
        strand=strand,
        account=accounts[0] if accounts else None,
        author_name=author[0],
        author_address=author[1],
        recipients=[{"role": "to", "name": name, "address": address} for name, address in recipients],
        subject=subject,
        text=text,
        written_at=at,
        received_at=at,
        reference=f"{new_id()}@example.com",
        stable_sha256="",
        raw_sha256="",
        created_at=at,
    )
    for account in accounts:
        deliver(message, account)
    return message


def deliver(message: Message, account: Account) -> Delivery:
    item = RawItem.objects.create(
        account=account,
        place="INBOX",
        epoch="1",
        external_id=str(next(_serial)),
        size=0,
        sha256="",
        received_at=NOW,
        stored_at=NOW,
        state="digested",
    )
    return Delivery.objects.create(message=message, account=account, raw_item=item, received_at=NOW)
