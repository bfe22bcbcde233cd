"""One press: split, take the original writer, take the person of a form; each back by undo."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.messages import Address
from inbox import conversations, drafts, offers, proposals, replies, sla, splitting
from inbox.acts import Refusal
from inbox.models import Account, Conversation, Message, OfferAnswer, StrandLink
from inbox.rules.offers import Offer
from tests.builders import NOW, SENT, make_account, make_item, make_mail, receive
from tests.inbox.ground import make_user
from tests.inbox.inbox_picture import assert_sums_hold

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
OURS = "support@balas.example"


def an_old_thread_with_a_new_subject() -> Account:
    """Ana asks, we answer, and weeks of mail later she answers that with something else."""
    account = make_account()
    receive(account, make_item(make_mail("Where is it?\n", message_id="a1@shop.example")))
    ours = make_mail("On its way\n", author=OURS, to="ana@shop.example", message_id="o1@balas.example",
                     in_reply_to="a1@shop.example", at=NOW + HOUR)  # fmt: skip
    receive(account, make_item(ours, scope=SENT, at=NOW + HOUR), now=NOW + HOUR)
    other = make_mail("An invoice please\n", subject="Invoice for October", message_id="a2@shop.example",
                      in_reply_to="o1@balas.example", at=NOW + 2 * HOUR)  # fmt: skip
    receive(account, make_item(other, at=NOW + 2 * HOUR), now=NOW + 2 * HOUR)
    return account


def of(text: str) -> Conversation:
    message = Message.objects.get(text__startswith=text)
    return Conversation.objects.get(strand_links__strand=message.strand, strand_links__ended_at=None)


def ledgers_hold() -> None:
    for one in Conversation.objects.all():
        standing = sla.recompute(one.id)
        assert (standing.due_at, standing.due_for) == (one.due_at, one.due_for)


def test_split_gives_each_its_own_subject_status_and_clock():
    an_old_thread_with_a_new_subject()
    conversation, user = Conversation.objects.get(), make_user()
    act = splitting.split(conversation.id, Message.objects.get(text__startswith="An invoice").id, user, NOW + 3 * HOUR)
    assert act.undo
    old, fresh = of("Where is it?"), of("An invoice")
    assert (old.subject, old.status, old.messages_count, old.due_for) == ("My order", "waiting", 2, "")
    assert (fresh.subject, fresh.status, fresh.messages_count) == ("Invoice for October", "open", 1)
    assert (fresh.due_for, fresh.customer_id, fresh.opened_at) == ("first", old.customer_id, NOW + 2 * HOUR)
    assert_sums_hold()
    ledgers_hold()


def test_what_comes_later_joins_the_part_that_it_answers():
    account = an_old_thread_with_a_new_subject()
    splitting.split(
        Conversation.objects.get().id, Message.objects.get(reference="a2@shop.example").id, make_user(), NOW + 3 * HOUR
    )
    for number, (parent, text) in enumerate(
        [("a2@shop.example", "To the invoice"), ("o1@balas.example", "To the parcel")]
    ):
        at = NOW + (4 + number) * HOUR
        receive(account, make_item(make_mail(f"{text}\n", in_reply_to=parent, at=at), at=at), now=at)
    assert of("To the invoice") == of("An invoice")
    assert of("To the parcel") == of("Where is it?")
    assert Conversation.objects.count() == 2
    assert_sums_hold()


def test_a_missing_link_that_comes_late_does_not_undo_a_split():
    account = an_old_thread_with_a_new_subject()
    splitting.split(
        Conversation.objects.get().id, Message.objects.get(reference="a2@shop.example").id, make_user(), NOW + 3 * HOUR
    )
    late = make_mail("Before all that\n", message_id="a0@shop.example", at=NOW - HOUR)
    receive(account, make_item(late, at=NOW - HOUR), now=NOW + 4 * HOUR)
    assert of("An invoice") != of("Where is it?")


def test_a_split_is_taken_back_exactly():
    an_old_thread_with_a_new_subject()
    conversation, user = Conversation.objects.get(), make_user()
    before = {
        name: getattr(conversation, name)
        for name in ("status", "due_at", "due_for", "messages_count", "last_activity_at", "subject")
    }
    message = Message.objects.get(reference="a2@shop.example")
    act = splitting.split(conversation.id, message.id, user, NOW + 3 * HOUR)
    conversations.undo(act.undo, user, NOW + 3 * HOUR)
    conversation = Conversation.objects.get()
    assert {name: getattr(conversation, name) for name in before} == before
    assert not OfferAnswer.objects.exists()  # it may be offered again
    assert_sums_hold()
    ledgers_hold()


def test_a_split_stays_once_somebody_has_worked_on_it():
    an_old_thread_with_a_new_subject()
    user = make_user()
    act = splitting.split(
        Conversation.objects.get().id, Message.objects.get(reference="a2@shop.example").id, user, NOW + 3 * HOUR
    )
    conversations.assign(of("An invoice").id, user, NOW + 3 * HOUR, owner=user)
    with pytest.raises(Refusal):
        conversations.undo(act.undo, user, NOW + 3 * HOUR)
    assert Conversation.objects.count() == 2


def test_nothing_is_split_off_that_leaves_nothing_behind():
    an_old_thread_with_a_new_subject()
    with pytest.raises(Refusal):
        splitting.split(
            Conversation.objects.get().id, Message.objects.get(reference="a1@shop.example").id, make_user(), NOW
        )


FORWARD = (
    "Annoying customer, please answer\n\n---------- Forwarded message ---------\nFrom: Ana Pop <ana@shop.example>\n"
    "Date: Tue, 24 Nov 2026\nSubject: My order\nTo: <dan@balas.example>\n\nWhere is it?\n"
)


def test_the_original_writer_becomes_the_customer_and_the_answer_goes_to_them_alone():
    account, user = make_account(), make_user()
    mail = make_mail(FORWARD, author="Dan <dan@balas.example>", subject="Fwd: My order", message_id="f1@balas.example")
    receive(account, make_item(mail))
    conversation, message = Conversation.objects.get(), Message.objects.get()
    offers.take_person(conversation.id, message.id, Offer.WRITER, Address("ana@shop.example", "Ana Pop"), user, NOW)
    conversation.refresh_from_db()
    assert conversation.customer.name == "Ana Pop"
    assert StrandLink.objects.get(ended_at=None).evidence["rule"] == "original-writer"
    proposal = proposals.propose(conversation.id, user)
    assert (proposal.to, proposal.cc) == ((Address("ana@shop.example", "Ana Pop"),), ())
    queued = replies.queue_reply(
        conversation_id=conversation.id,
        user=user,
        request_id="p1",
        text="It left today.",
        to=proposal.to,
        now=NOW + HOUR,
        seen_message=drafts.newest_seen(conversation.id),
    )
    assert isinstance(queued, replies.Queued)
    assert b"Annoying" not in replies.frozen_bytes(queued.message_id)  # what a colleague wrote is not quoted to her
    back = make_mail("Thanks\n", in_reply_to=Message.objects.get(id=queued.message_id).reference, at=NOW + 2 * HOUR)
    receive(account, make_item(back, at=NOW + 2 * HOUR), now=NOW + 2 * HOUR)
    assert of("Thanks") == conversation


def test_taking_the_writer_is_taken_back():
    account, user = make_account(), make_user()
    receive(account, make_item(make_mail(FORWARD, author="Dan <dan@balas.example>")))
    conversation = Conversation.objects.get()
    before = (conversation.customer_id, Message.objects.get().strand.counterparty_id)
    act = offers.take_person(
        conversation.id, Message.objects.get().id, Offer.WRITER, Address("ana@shop.example"), user, NOW
    )
    conversations.undo(act.undo, user, NOW)
    conversation.refresh_from_db()
    assert (conversation.customer_id, Message.objects.get().strand.counterparty_id) == before
    assert proposals.propose(conversation.id, user).to == (Address("dan@balas.example", "Dan"),)


def test_a_rule_for_a_contact_form_holds_for_what_comes_after_it():
    account, user = make_account(), make_user()
    form = {"author": "Site <wordpress@site.example>", "headers": {"Reply-To": "Ana Pop <ana@shop.example>"}}
    receive(account, make_item(make_mail("First\n", **form)))
    conversation = Conversation.objects.get()
    offers.take_person(
        conversation.id, Message.objects.get().id, Offer.RELAY, Address("ana@shop.example", "Ana Pop"), user, NOW
    )
    offers.add_relay(account.id, "wordpress@site.example", user, NOW)
    receive(account, make_item(make_mail("Second\n", **form, at=NOW + HOUR), at=NOW + HOUR), now=NOW + HOUR)
    second = Message.objects.get(text__startswith="Second")
    assert (second.author_address, second.flags) == ("ana@shop.example", ["via-relay"])
    assert of("Second").customer_id == of("First").customer_id
    assert offers.who_we_are().relays == {"wordpress@site.example"}
