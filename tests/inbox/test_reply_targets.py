"""Whom an answer goes to: others than the customer are shown and confirmed first (failures 48 and 49)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from inbox import people, replies
from inbox.models import Account, Conversation, User
from inbox.replies import Queued, propose
from inbox.rules.gates import GateCode
from inbox.rules.states import Role
from tests.builders import NOW, make_account, make_item, make_mail, receive

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return make_account()


@pytest.fixture
def ana() -> User:
    return people.create_user("agent@balas.example", Role.OWNER, NOW)


def queue(conversation: Conversation, user: User, **other: Any) -> Any:
    wanted = {"request_id": "page-1", "text": "It left us this morning.", "now": NOW + timedelta(hours=1), **other}
    return replies.queue_reply(conversation_id=conversation.id, user=user, **wanted)


def codes(gates: Any) -> list[GateCode]:
    return [gate.code for gate in gates]


def test_f49_a_reply_to_elsewhere_is_shown_and_must_be_confirmed(account: Account, ana: User) -> None:
    mail = make_mail("Pay here\n", author="Ana Pop <ana@shop.example>", headers={"Reply-To": "boss@evil.example"})
    receive(account, make_item(mail))
    conversation = Conversation.objects.latest("id")

    proposal = propose(conversation.id, ana)
    assert [one.address for one in proposal.to] == ["boss@evil.example"]
    assert proposal.strangers is not None
    assert proposal.strangers.data == {"addresses": ("boss@evil.example",), "asked": ("boss@evil.example",)}
    wanted = {"to": proposal.to, "seen_message": proposal.seen_message}
    assert codes(queue(conversation, ana, **wanted)) == [GateCode.NOT_THE_CUSTOMER]
    assert isinstance(queue(conversation, ana, **wanted, confirmations=["not-the-customer"]), Queued)


def test_f48_who_was_only_put_into_cc_gets_no_answer_without_a_click(account: Account, ana: User) -> None:
    mail = make_mail("Look\n", author="Ana Pop <ana@shop.example>", cc="Eve <eve@evil.example>")
    receive(account, make_item(mail))
    conversation = Conversation.objects.latest("id")

    proposal = propose(conversation.id, ana)
    assert proposal.strangers is not None
    assert proposal.strangers.data == {"addresses": ("eve@evil.example",)}
    wanted = {"to": proposal.to, "cc": proposal.cc, "seen_message": proposal.seen_message}
    assert codes(queue(conversation, ana, **wanted)) == [GateCode.NOT_THE_CUSTOMER]
    assert isinstance(queue(conversation, ana, **wanted, confirmations=["not-the-customer"]), Queued)
    # Whom we have written to once is not asked about again.
    again = queue(conversation, ana, **wanted, request_id="page-2", text="And this")
    assert isinstance(again, Queued)
    assert propose(conversation.id, ana).strangers is None


def test_an_answer_to_the_customer_alone_asks_nothing(account: Account, ana: User) -> None:
    receive(account, make_item(make_mail("Hi\n", author="Ana Pop <ana@shop.example>")))
    assert propose(Conversation.objects.latest("id").id, ana).strangers is None


def test_to_who_left_no_address_nobody_is_proposed_and_nothing_is_to_be_confirmed(account: Account, ana: User) -> None:
    receive(account, make_item(b"Subject: hello\r\n\r\nWho am I?\r\n"))
    conversation = Conversation.objects.latest("id")
    proposal = propose(conversation.id, ana)
    assert (proposal.to, proposal.cc, proposal.strangers) == ((), (), None)
    assert codes(queue(conversation, ana, to=(), seen_message=proposal.seen_message)) == [GateCode.NO_RECIPIENT]
