"""Offers on the page: shown beside their message, taken with one press, undone, dismissed for good."""

from __future__ import annotations

import re
from typing import Any

from django.utils import timezone

from connectors.messages import Address
from inbox import replies
from inbox.models import Account, AuditRecord, Conversation, Envelope, EnvelopeRecipient, Message
from tests.web.conftest import House, write

HTMX = {"HTTP_HX_REQUEST": "true"}


def of(message: Message) -> Conversation:
    message.refresh_from_db()
    return Conversation.objects.get(strand_links__strand_id=message.strand_id, strand_links__ended_at=None)


def page(house: House, role: str, id: int) -> str:
    return house.client(role).get(f"/c/{id}").content.decode()


def press(house: House, role: str, id: int, act: str, message: Message, offer: str = "") -> Any:
    data = {"message": str(message.id), "offer": offer}
    return house.client(role).post(f"/c/{id}/act/{act}", data, **HTMX)


def other_subject(house: House) -> Message:
    return write(
        house,
        "An invoice please",
        author="ana@shop.example",
        subject="Invoice for October",
        in_reply_to="zip-1@shop.example",
    )


def test_splitting_is_offered_done_with_one_press_and_undone(house: House) -> None:
    message, id = other_subject(house), house.conversation.id
    assert "Split from here" in page(house, "own", id)
    assert 'data-key="y"' in page(house, "own", id)
    told = press(house, "own", id, "split", message).content.decode()
    assert of(message).id != id
    assert "Split from here" not in page(house, "own", id)
    assert "is a conversation of its own now" in page(house, "own", id)
    undo = re.search(r'action="(/undo/[^"]+)"', told)
    assert undo
    house.client("own").post(undo.group(1), **HTMX)
    assert of(message).id == id
    assert "Split from here" in page(house, "own", id)


def test_an_offer_that_is_dismissed_is_gone_for_good_and_leaves_no_line(house: House) -> None:
    message, id = other_subject(house), house.conversation.id
    press(house, "own", id, "dismiss-offer", message, "split")
    shown = page(house, "own", id)
    assert "Split from here" not in shown
    assert "dismiss" not in shown
    assert of(message).id == id


def test_nobody_takes_an_offer_for_another_conversation(house: House) -> None:
    stranger = write(house, "Hello", author="eve@far.example", subject="Something else")
    for act, offer in (
        ("split", ""),
        ("take-person", "writer"),
        ("dismiss-offer", "split"),
        ("take-person", "nonsense"),
    ):
        told = press(house, "own", house.conversation.id, act, stranger, offer).content.decode()
        assert "no longer" in told
    assert not AuditRecord.objects.filter(act__in=("split", "take-person")).exists()


FORWARD = (
    "Please answer\n\n---------- Forwarded message ---------\n"
    "From: Bob <bob@shop.example>\nDate: Tue\nSubject: x\nTo: y\n\nHi\n"
)


def test_the_writer_of_a_forward_is_offered_and_taken(house: House) -> None:
    message = write(house, FORWARD, author="Manager <manager@balas.example>", subject="Fwd: A question")
    id = of(message).id
    assert "Take Bob as the customer" in page(house, "own", id)
    told = press(house, "own", id, "take-person", message, "writer")
    assert '"composer": true' in told["HX-Trigger"]  # to whom an answer goes is another now
    composer = house.client("own").get(f"/c/{id}/composer").content.decode()
    assert "bob@shop.example" in composer
    assert "manager@balas.example" not in composer
    assert of(message).customer.name == "Bob"
    assert "took Bob as the customer" in page(house, "own", id)


def test_a_form_is_a_persons_for_agents_and_a_rule_for_managers(house: House) -> None:
    message = write(
        house, "I ask", author="wordpress@site.example", headers={"Reply-To": "Bob <bob@shop.example>"}, subject="Form"
    )
    id = of(message).id
    assert "Always for mail from" not in page(house, "own", id)
    assert "Always for mail from wordpress@site.example" in page(house, "manager", id)
    assert "Only who looks after" in press(house, "own", id, "relay-rule", message).content.decode()
    press(house, "manager", id, "relay-rule", message)
    assert Account.objects.get(id=house.support.id).settings["relays"] == ["wordpress@site.example"]
    assert of(message).customer.name == "Bob"
    assert "wordpress@site.example" not in house.client("own").get("/settings").content.decode()
    assert "wordpress@site.example" in house.client("manager").get("/settings").content.decode()
    house.client("manager").post(f"/settings/relay/{house.support.id}", {"address": "wordpress@site.example"})
    assert Account.objects.get(id=house.support.id).settings["relays"] == []


def test_the_switches_of_automatic_mail_are_on_the_settings_page(house: House) -> None:
    assert "Newsletters" in house.client("own").get("/settings").content.decode()
    house.client("manager").post("/settings/automatic", {"aside": ["newsletter"]})
    message = write(house, "Away", headers={"Auto-Submitted": "auto-replied"})
    assert of(message).status == "open"
    aside = write(house, "News", headers={"List-Unsubscribe": "<mailto:x@shop.example>"})
    assert of(aside).status_reason == "automatic"
    listed = house.client("own").get("/q/automatic").content.decode()
    assert f'id="row-{of(aside).id}"' in listed
    assert f'id="row-{of(aside).id}"' not in house.client("own").get("/q/open").content.decode()
    assert "It needs an answer" in page(house, "own", of(aside).id)
    house.client("own").post(f"/c/{of(aside).id}/act/needs-answer", **HTMX)
    assert of(aside).due_for == "first"


def test_a_bounce_without_our_id_is_offered_to_who_may_read_that_send(house: House) -> None:
    queued = replies.queue_reply(
        conversation_id=house.conversation.id,
        user=house.agent,
        request_id="page-1",
        text="Sorry",
        to=[Address("ana@shop.example")],
        now=timezone.now(),
        seen_message=house.message.id,
    )
    assert isinstance(queued, replies.Queued)
    envelope = Envelope.objects.get()
    Envelope.objects.update(state="sent", finished_at=timezone.now(), due_at=None)
    EnvelopeRecipient.objects.update(outcome="sent")
    text = "<ana@shop.example>:\nRemote host said: 550 5.1.1 no such user\n"
    robot = {"author": "MAILER-DAEMON@mx.example", "headers": {"Return-Path": "<>"}}
    message = write(house, text, subject="failure notice", **robot)
    id = of(message).id
    assert "Yes, it came back" in page(house, "own", id)
    press(house, "own", id, "came-back", message)
    assert EnvelopeRecipient.objects.get(envelope=envelope).outcome == "refused"
    assert "Yes, it came back" not in page(house, "own", id)
