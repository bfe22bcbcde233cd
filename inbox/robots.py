"""The door through which every automatic answer leaves: the guard, its ledger, and bytes that say what they are.

Nothing in Balas answers by itself yet. Whatever will has no other way: only here are automatic bytes made, and they
are made only after the rule (rules/robots.py) has been asked under a lock and the turn has been written down.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from connectors.messages import Address, OutboundMessage, Reply
from inbox.accounts import bare_connector
from inbox.models import Account, AutomaticTurn, Conversation, Message, Organisation
from inbox.rules.robots import PER_SENDER, Asked, Obstacle, Past, find_obstacle
from inbox.rules.states import Status
from inbox.rules.threading import is_history


@transaction.atomic
def answer_automatically(message_id: int, subject: str, text: str, now: datetime) -> OutboundMessage | Obstacle:
    """The bytes to send, marked as automatic (RFC 3834) and with an empty return path, or what forbids it.

    `subject` and `text` are ours and must hold nothing that the sender wrote: the answer may reach somebody whose name
    was misused. Raises Message.DoesNotExist.
    """
    message = Message.objects.select_related("account", "author").get(id=message_id)
    if message.account is None:
        return Obstacle.NOT_RECEIVED
    # The organisation's row is the lock: the caps are of the whole home.
    Organisation.objects.select_for_update().get_or_create(id=1)
    key = message.author.key if message.author else ""
    obstacle = find_obstacle(_asked(message, message.account, key), _past(message.kind, key, now), now)
    if obstacle is not None:
        return obstacle
    _take_turn(message.kind, key, now)
    connector = bare_connector(message.account)
    reply = Reply(
        idempotency_key=connector.new_key(),
        sender=Address(message.account.address, message.account.display_name),
        # To the stored address, never to what a Reply-To asks for.
        to=(Address(message.author_address, message.author_name),),
        subject=subject,
        text=text,
        written_at=now,
        in_reply_to=message.reference,
        references=(*message.references, message.reference),
        is_automatic=True,
    )
    return connector.compose(reply)


def _asked(message: Message, account: Account, key: str) -> Asked:
    own = {
        one
        for known in Account.objects.filter(kind=message.kind).values_list("own_addresses", flat=True)
        for one in known
    }
    spam = Conversation.objects.filter(
        strand_links__strand_id=message.strand_id, strand_links__ended_at=None, status=Status.SPAM
    )
    return Asked(
        key=key,
        is_inbound=message.direction == "inbound",
        is_history=is_history(message.written_at, account.cut_at),
        is_ours=key in own,
        is_spam=spam.exists(),
        automatic=message.automatic,
        flags=message.flags,
        verified=message.verified,
    )


def _past(kind: str, key: str, now: datetime) -> Past:
    """One address gets at most one a day, so rows with a late `last_at` are the answers of that time."""
    last = AutomaticTurn.objects.filter(kind=kind, key=key).values_list("last_at", flat=True).first()
    within = AutomaticTurn.objects.filter
    return Past(
        last, within(last_at__gt=now - timedelta(hours=1)).count(), within(last_at__gt=now - PER_SENDER).count()
    )


def _take_turn(kind: str, key: str, now: datetime) -> None:
    turn, is_new = AutomaticTurn.objects.get_or_create(kind=kind, key=key, defaults={"last_at": now})
    if not is_new:
        turn.last_at, turn.times = now, turn.times + 1
        turn.save(update_fields=["last_at", "times"])
