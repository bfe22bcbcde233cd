"""What the composer starts with: to whom, from where and under which subject an answer would go."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from connectors.base import Connector
from connectors.messages import Address
from connectors.registry import card_of
from inbox import people
from inbox.accounts import bare_connector
from inbox.answering import answered_message
from inbox.composing import address_of, author_of, distinct, reply_subject
from inbox.drafts import newest_seen
from inbox.models import Account, Conversation, Message, User
from inbox.offers import person_spoken_for
from inbox.rules.gates import Gate
from inbox.sending import find_strangers
from inbox.speaking import Spoken, speak


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the composer starts with."""

    account_id: int
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    seen_message: int
    accounts: tuple[tuple[int, str, str], ...]  # (id, name, address) to choose from
    strangers: Gate | None = None  # what is to be confirmed about `to` and `cc`
    spoken: Spoken | None = None  # of an answer without words yet, where the platform has rules


class SendProblem(Exception):
    """str() is one sentence for the person."""


def propose(conversation_id: int, user: User) -> Proposal:
    """To whom, from where and under which subject an answer would go. Raises Conversation.DoesNotExist.

    The answer goes to who wrote; the others of To and Cc are proposed as Cc, our own addresses left out.
    """
    conversation = Conversation.objects.select_related("account").get(id=conversation_id)
    choices = accounts_for(conversation, user)
    account = next((one for one in choices if one.id == conversation.account_id), choices[0] if choices else None)
    if account is None:
        raise SendProblem(_("There is no mailbox that you could answer from."))
    connector, answered = bare_connector(account), answered_message(conversation_id)
    to, cc = people_of(answered, account, connector) if answered else ((), ())
    # A colleague who forwarded it, or the form that sent it, is not who waits for an answer.
    if answered and (person := person_spoken_for(answered)):
        to, cc = (person,), ()
    return Proposal(
        account_id=account.id,
        to=to,
        cc=cc,
        subject=subject_of(account.kind, answered.subject if answered else conversation.subject),
        seen_message=newest_seen(conversation_id),
        accounts=tuple((one.id, one.name, one.address) for one in choices),
        strangers=find_strangers(conversation_id, account.kind, [*to, *cc], answered, connector),
        spoken=speak(conversation_id, connector, answered, ""),
    )


def subject_of(kind: str, answered: str) -> str:
    """The subject of an answer; "" on a kind that has none."""
    return reply_subject(answered) if card_of(kind).has_subject else ""


def accounts_for(conversation: Conversation, user: User) -> list[Account]:
    readable = people.readable_accounts(user)
    kinds = {conversation.kind, conversation.account.kind if conversation.account else conversation.kind}
    accounts = Account.objects.filter(kind__in=kinds, removed_at=None).order_by("name")
    return [account for account in accounts if readable is None or account.id in readable]


def people_of(
    answered: Message, account: Account, connector: Connector
) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    named = [(one["role"], address_of(one)) for one in answered.recipients]
    own = [Address(address) for address in account.own_addresses]
    ours = [*own, *_own_elsewhere(account)]
    if answered.direction == "outbound":
        to = distinct([address for role, address in named if role == "to"], connector)
    else:
        # Whoever wrote is answered; a Reply-To is where they asked the answer to go.
        wished = [address for role, address in named if role == "reply-to"]
        # Who left no address cannot be answered, and is nobody to be confirmed either.
        authors = [author_of(answered)] if answered.author_address else []
        to = distinct(wished, connector, ours) or distinct(authors, connector, own)
    if answered.direction != "inbound" or not card_of(account.kind).has_recipients:
        return to, ()
    return to, distinct([address for role, address in named if role in ("to", "cc")], connector, [*ours, *to])


def _own_elsewhere(account: Account) -> list[Address]:
    """Our other mailboxes: what a customer wrote to two of them is answered to the customer alone."""
    others = Account.objects.filter(kind=account.kind).exclude(id=account.id)
    return [Address(address) for known in others.values_list("own_addresses", flat=True) for address in known]
