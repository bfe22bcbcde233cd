"""A check that fails lowers trust and drops nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.messages import Address
from inbox import people, replies
from inbox.models import Conversation, Envelope, Message, RawItem, StrandLink
from inbox.rules.states import Role
from tests.builders import NOW, make_account, make_item, make_mail, put, receive
from tests.builders import digest_all as digest

FORGED = 1000


@pytest.mark.django_db
def test_f15_a_thousand_forged_replies_are_a_thousand_conversations_and_none_joins() -> None:
    """Each names a Message-ID that looks like ours and is not, or is ours and was never sent to its writer."""
    account = make_account()
    receive(account, make_item(make_mail(message_id="question@shop.example")))
    first = Conversation.objects.get()
    owner = people.create_user("owner@balas.example", Role.OWNER, NOW)
    sent = replies.queue_reply(
        conversation_id=first.id,
        user=owner,
        request_id="one",
        text="It is on its way.",
        to=[Address("ana@shop.example")],
        now=timezone.now(),
        seen_message=Message.objects.get().id,
    )
    assert isinstance(sent, replies.Queued), sent
    ours = Envelope.objects.get().idempotency_key
    local, _, domain = ours.partition("@")
    names = [ours if number % 10 == 0 else f"{local[:-4]}{number:04}@{domain}" for number in range(FORGED)]
    mails = [
        make_mail(
            f"Forged {number}\n",
            author=f"m{number}@mallory.example",
            in_reply_to=name,
            references=[name],
            subject="Re: My order",
            headers={"Authentication-Results": "mx.balas.example; dmarc=fail header.from=mallory.example"},
        )
        for number, name in enumerate(names)
    ]
    put(account, *(make_item(mail, at=NOW + timedelta(minutes=1)) for mail in mails))
    while digest(limit=2000).taken:
        pass
    assert RawItem.objects.filter(state="digested").count() == FORGED + 1
    forged = Message.objects.filter(text__startswith="Forged")
    links = StrandLink.objects.filter(strand__in=forged.values("strand"), ended_at=None)
    conversations = set(links.values_list("conversation", flat=True))
    assert (forged.count(), len(conversations), first.id in conversations) == (FORGED, FORGED, False)
