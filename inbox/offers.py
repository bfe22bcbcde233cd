"""Offers beside messages: who we are, what a person has said to them, and taking the person that a mail speaks for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from connectors.messages import Address
from inbox.accounts import bare_connector
from inbox.acts import Act, Desk, Refusal
from inbox.models import (
    Account,
    AuditRecord,
    Customer,
    Identity,
    IdentityLink,
    Message,
    OfferAnswer,
    Strand,
    StrandLink,
    StrandParticipant,
    User,
)
from inbox.people import Actor, actor_name, audit
from inbox.rules.forwards import find_forwarded
from inbox.rules.offers import Offer, Ours

FOR_SOMEBODY = frozenset({"original-writer", "reply-to"})
"""Rules in the evidence of a strand's link: its counterparty is who the message speaks for, not who sent it."""


def who_we_are() -> Ours:
    addresses = {one.lower() for one in User.objects.filter(is_active=True).values_list("email", flat=True)}
    relays: set[str] = set()
    for own, settings in Account.objects.filter(removed_at=None).values_list("own_addresses", "settings"):
        addresses |= {str(one).lower() for one in own}
        relays |= {str(one).lower() for one in settings.get("relays") or ()}
    return Ours(frozenset(addresses), frozenset(relays))


def answers_to(message_ids: Iterable[int]) -> set[tuple[int, str]]:
    """(message, offer) that a person has answered."""
    return set(OfferAnswer.objects.filter(message_id__in=list(message_ids)).values_list("message_id", "offer"))


def note_answer(message_id: int, offer: Offer | str, answer: str, actor: Actor, now: datetime) -> None:
    """`answer`: taken | dismissed; "" forgets it, so that the offer is made again."""
    if not answer:
        OfferAnswer.objects.filter(message_id=message_id, offer=str(offer)).delete()
        return
    user = actor if isinstance(actor, User) else None
    values = {"answer": answer, "user": user, "answered_at": now}
    OfferAnswer.objects.update_or_create(message_id=message_id, offer=str(offer), defaults=values)


@transaction.atomic
def dismiss(conversation_id: int, message_id: int, offer: Offer, actor: Actor, now: datetime) -> Act:
    """For good. Raises Refusal for a message that is not in this conversation."""
    desk = Desk.open(conversation_id, actor, now)
    _message_in(conversation_id, message_id)
    note_answer(message_id, offer, "dismissed", actor, now)
    desk.touched = True
    return desk.close("dismiss-offer")


def _message_in(conversation_id: int, message_id: int) -> Message:
    inside = Message.objects.filter(strand__links__conversation_id=conversation_id, strand__links__ended_at=None)
    found = inside.select_related("account", "strand").filter(id=message_id).first()
    if found is None or found.account is None:
        raise Refusal(_("This message is no longer in this conversation."))
    return found


# --- Who the customer is --------------------------------------------------------------------------------------------


@transaction.atomic
def take_person(
    conversation_id: int, message_id: int, offer: Offer, address: Address, actor: Actor, now: datetime
) -> Act:
    """The customer is who the message speaks for: whom a colleague's forward names, or whom a form asks to answer.

    Nobody has checked that address, so it stays unverified. Raises Refusal.
    """
    desk = Desk.open(conversation_id, actor, now)
    message = _message_in(conversation_id, message_id)
    assert message.account is not None
    key = bare_connector(message.account).identity_key(address)[:320]
    if not key:
        raise Refusal(_("This address cannot be read."))
    identity, customer_id = _person(message.kind, key, address, message_id, actor, now)
    strand = Strand.objects.select_for_update().get(id=message.strand_id)
    before = {"strand": str(strand.id), "counterparty": str(strand.counterparty_id), "sequence": strand.sequence}
    before["customer"] = str(desk.conversation.customer_id)
    _set_counterparty(strand, identity.id)
    StrandParticipant.objects.get_or_create(strand=strand, identity=identity, defaults={"since_message": message_id})
    rule = "original-writer" if offer is Offer.WRITER else "reply-to"
    _relink(strand.id, conversation_id, {"rule": rule, "message": str(message_id)}, actor, now)
    desk.conversation.customer_id = customer_id
    note_answer(message_id, offer, "taken", actor, now)
    desk.is_reversible = True
    data = {"person": before, "offer": str(offer), "message": str(message_id), "name": address.name or address.address}
    return desk.close("take-person", data=data)


def take_offered(conversation_id: int, message_id: int, offer: Offer, actor: Actor, now: datetime) -> Act:
    """As `take_person`, for whom the message itself names. Raises Refusal."""
    message = _message_in(conversation_id, message_id)
    if offer is Offer.WRITER:
        forwarded = find_forwarded(message.text)
        named = Address(forwarded.address, forwarded.name) if forwarded else None
    else:
        wished = [one for one in message.recipients if one["role"] == "reply-to"]
        named = Address(wished[0]["address"], wished[0]["name"]) if len(wished) == 1 else None
    if named is None or offer not in (Offer.WRITER, Offer.RELAY):
        raise Refusal(_("This message names nobody who could be the customer."))
    return take_person(conversation_id, message_id, offer, named, actor, now)


@transaction.atomic
def take_relay(conversation_id: int, message_id: int, actor: Actor, now: datetime) -> Act:
    """Takes the person a form speaks for, and makes it the rule for all mail that the form will send. Raises Refusal.

    Undoing it gives the person back; the rule stays until somebody takes it out of the settings.
    """
    act = take_offered(conversation_id, message_id, Offer.RELAY, actor, now)
    message = _message_in(conversation_id, message_id)
    assert message.account_id is not None
    add_relay(message.account_id, message.author_address, actor, now)
    return act


def give_back(desk: Desk, record: AuditRecord) -> None:
    """Takes it back: the sender is the customer again."""
    before = record.data["person"]
    strand = Strand.objects.select_for_update().get(id=int(before["strand"]))
    _set_counterparty(strand, int(before["counterparty"]), before["sequence"])
    _relink(strand.id, desk.conversation.id, {"rule": "new"}, desk.actor, desk.now)
    desk.conversation.customer_id = int(before["customer"])
    desk.touched = True
    note_answer(int(record.data["message"]), record.data["offer"], "", desk.actor, desk.now)


def _person(
    kind: str, key: str, address: Address, message_id: int, actor: Actor, now: datetime
) -> tuple[Identity, int]:
    values = {"address": address.address[:320], "display": address.name[:200], "created_at": now}
    identity, _is_new = Identity.objects.get_or_create(kind=kind, key=key, defaults=values)
    link = IdentityLink.objects.filter(identity=identity, ended_at=None).first()
    if link is None:
        customer = Customer.objects.create(name=address.name[:200], created_at=now)
        evidence = {"rule": "named-in-message", "message": str(message_id)}
        link = IdentityLink.objects.create(
            identity=identity, customer=customer, evidence=evidence, actor=actor_name(actor), linked_at=now
        )
    return identity, link.customer_id


def _set_counterparty(strand: Strand, identity_id: int, sequence: int | None = None) -> None:
    pair = Strand.objects.filter(thread_id=strand.thread_id, counterparty_id=identity_id).exclude(id=strand.id)
    taken = set(pair.values_list("sequence", flat=True))
    wanted = strand.sequence if sequence is None else sequence
    if wanted in taken:
        wanted = (pair.aggregate(highest=Max("sequence"))["highest"] or 0) + 1
    strand.counterparty_id, strand.sequence = identity_id, wanted
    strand.save(update_fields=["counterparty", "sequence"])


def _relink(strand_id: int, conversation_id: int, evidence: dict[str, str], actor: Actor, now: datetime) -> None:
    StrandLink.objects.filter(strand_id=strand_id, ended_at=None).update(ended_at=now, ended_by=actor_name(actor))
    StrandLink.objects.create(
        strand_id=strand_id,
        conversation_id=conversation_id,
        evidence=evidence,
        actor=actor_name(actor),
        linked_at=now,
    )


def person_spoken_for(message: Message) -> Address | None:
    """Whom a message speaks for, where a person has said so; None for all others."""
    link = (
        StrandLink.objects.filter(strand_id=message.strand_id, ended_at=None)
        .select_related("strand__counterparty")
        .first()
    )
    if link is None or link.evidence.get("rule") not in FOR_SOMEBODY:
        return None
    counterparty = link.strand.counterparty
    if message.direction != "inbound" or message.author_id == counterparty.id:
        return None
    return Address(counterparty.address, counterparty.display)


# --- A rule for all that comes --------------------------------------------------------------------------------------


def relays() -> list[tuple[int, str, str]]:
    """(account id, its name, the address of a relay), for everybody who looks after the mailboxes."""
    accounts = Account.objects.filter(removed_at=None).order_by("name")
    return [(one.id, one.name, str(relay)) for one in accounts for relay in one.settings.get("relays") or ()]


@transaction.atomic
def drop_relay(account_id: int, address: str, actor: Actor, now: datetime) -> None:
    """From now on who sends it is who wrote it, again. Raises Account.DoesNotExist."""
    account = Account.objects.select_for_update().get(id=account_id)
    kept = [one for one in account.settings.get("relays") or () if str(one).lower() != address.lower()]
    account.settings = {**account.settings, "relays": kept}
    account.save(update_fields=["settings"])
    audit("account.relay-dropped", f"account:{account_id}", actor, now, {"address": address})


@transaction.atomic
def add_relay(account_id: int, address: str, actor: Actor, now: datetime) -> None:
    """From now on the Reply-To of mail from this address names the writer, for this account. Raises Refusal."""
    account = Account.objects.select_for_update().get(id=account_id)
    relays = [str(one) for one in account.settings.get("relays") or ()]
    if address.lower() in {one.lower() for one in relays}:
        return
    if "@" not in address or len(relays) >= 50:
        raise Refusal(_("This mailbox has fifty such rules already."))
    account.settings = {**account.settings, "relays": [*relays, address]}
    account.save(update_fields=["settings"])
    audit("account.relay", f"account:{account_id}", actor, now, {"address": address})
