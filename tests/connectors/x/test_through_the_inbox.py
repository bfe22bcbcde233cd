"""From the simulated X into the inbox and back: a question arrives, is answered once, comes back, is answered again."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from connectors.simulators.faults import Fault
from inbox import accounts, outbox, replies
from inbox.models import Account, Conversation, Envelope, Message
from tests.builders import digest_all, put
from tests.connectors.x.conftest import World
from tests.inbox.ground import make_user

pytestmark = pytest.mark.django_db
_requests = count(1)


@pytest.fixture
def account(world: World) -> Account:
    settings = {"base_url": world.server.base_url, "user_id": world.us.id, "handle": "tasbora", "name": "Tasbora"}
    now = timezone.now()
    return accounts.connect(
        kind="x",
        name="shop",
        address="tasbora",
        settings_=settings,
        secrets={},
        cut_at=now - timedelta(days=7),
        now=now,
        external_id=world.us.id,
    )


def bring(world: World, account: Account) -> None:
    before = set(world.store)
    world.read()
    put(account, *(item for key, item in world.store.items() if key not in before))
    digest_all()


def queue(conversation: Conversation, text: str, **more: str) -> object:
    """What was queued, or what stands in the way."""
    return replies.queue_reply(
        conversation_id=conversation.id,
        user=make_user(f"U{next(_requests)}"),
        request_id=f"x{next(_requests)}",
        text=text,
        to=(),
        now=timezone.now(),
        seen_message=Message.objects.order_by("-id")[0].id,
        **more,
    )


def answer(conversation: Conversation, text: str, **more: str) -> int:
    queued = queue(conversation, text, **more)
    assert isinstance(queued, replies.Queued), queued
    return int(queued.envelope_id)


def deliver(world: World, envelope_id: int) -> str:
    now = timezone.now() + timedelta(minutes=2)
    claim = outbox.claim(envelope_id, "test", now)
    assert claim
    result: object
    try:
        result = world.x.send(claim.message, lambda: outbox.commit(claim, now))
    except Exception as error:
        result = error
    outbox.record(claim, result, now)  # type: ignore[arg-type]
    return str(Envelope.objects.get(id=envelope_id).state)


def test_a_mention_is_answered_once_and_its_author_s_next_word_joins(world: World, account: Account) -> None:
    first = world.server.say("ana", "unde e comanda mea?")
    bring(world, account)
    conversation = Conversation.objects.get()
    assert deliver(world, answer(conversation, "Pe drum: ajunge mâine.")) == "sent"
    posted = next(one for one in world.server.timeline() if one.is_ours)
    assert posted.about == first
    world.clock.advance(timedelta(minutes=5))
    world.server.say("ana", "@tasbora mulțumesc!", answers=posted.id)
    world.server.edit(first, "@tasbora unde e comanda mea 20418?")
    bring(world, account)
    assert Conversation.objects.get().status == "open"
    shown = list(Message.objects.order_by("written_at").values_list("direction", "text"))
    assert [direction for direction, _ in shown] == ["inbound", "outbound", "inbound"]
    assert "20418" in shown[0][1]


def test_an_answer_of_unknown_outcome_is_found_and_not_sent_again(world: World, account: Account) -> None:
    world.server.say("ana", "unde e comanda mea?")
    bring(world, account)
    world.server.faults.add("POST /2/tweets", Fault(is_carried_out=True, cut_after=0))
    envelope = answer(Conversation.objects.get(), "Pe drum.")
    assert deliver(world, envelope) == "unknown"
    message = outbox.message_to_find(envelope)
    assert message
    found = world.x.find_sent(message)
    assert found and found.external_id == next(one.id for one in world.server.timeline() if one.is_ours)
    bring(world, account)
    assert len([one for one in world.server.timeline() if one.is_ours]) == 1


def test_a_direct_message_is_a_conversation_of_its_own_and_is_answered_in_private(
    world: World, account: Account
) -> None:
    world.server.say("ana", "codul este 20418", is_direct=True)
    bring(world, account)
    assert deliver(world, answer(Conversation.objects.get(), "Mulțumim, am văzut.")) == "sent"
    ours = next(one for one in world.server.timeline() if one.is_ours)
    assert (ours.kind, ours.to) == ("direct", "ana")
    bring(world, account)
    assert Conversation.objects.count() == 1
    assert Message.objects.count() == 2


def test_who_may_not_be_answered_in_public_is_answered_in_private(world: World, account: Account) -> None:
    shop = world.server.say("tasbora", "Am deschis în centru")
    first = world.server.say("bogdan", "@tasbora unde?", answers=shop)
    world.server.say("ana", "@bogdan la mall, cred", answers=first)
    bring(world, account)
    asked = Message.objects.get(text__contains="la mall").strand.links.get().conversation
    assert "name or quote this account" in str(queue(asked, "Suntem lângă gară."))
    assert deliver(world, answer(asked, "Suntem lângă gară.", visibility="direct")) == "sent"
    ours = next(one for one in world.server.timeline() if one.is_ours)
    assert (ours.kind, ours.to) == ("direct", "ana")
