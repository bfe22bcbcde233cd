"""What the digest makes of mail, through the doors: shelf in, rows out."""

from __future__ import annotations

import itertools
from datetime import timedelta
from email import policy
from email.parser import BytesParser

import pytest

from connectors.messages import RawItem as RawItemValue
from connectors.messages import Scope
from inbox import conversations, counters, shelf, sla
from inbox.models import (
    Conversation,
    Customer,
    Delivery,
    Identity,
    LiveEvent,
    Message,
    Organisation,
    RawItem,
    SlaEvent,
    Strand,
    Thread,
)
from tests.builders import INBOX, NOW, SENT, digest_all, make_account, make_item, make_mail, put, receive
from tests.inbox.inbox_picture import assert_sums_hold

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


OURS = "support@balas.example"


def answer_from_sent(to: str, reply_to: str, *, text: str = "We look into it.\n") -> RawItemValue:
    """An answer of ours, written an hour later in another client."""
    refers = {"in_reply_to": reply_to, "references": [reply_to]}
    mail = make_mail(text, author=OURS, to=to, at=NOW + HOUR, message_id="ours-1@balas.example", **refers)
    return make_item(mail, scope=SENT, at=NOW + HOUR)


def conversation_of(text: str) -> Conversation:
    message = Message.objects.get(text__startswith=text)
    return Conversation.objects.get(strand_links__strand=message.strand, strand_links__ended_at=None)


def test_a_mail_becomes_an_open_conversation_of_its_customer_with_a_deadline():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.status_reason) == ("open", "new")
    assert conversation.due_at == NOW + timedelta(hours=5)  # four working hours over the lunch hour
    assert conversation.due_for == "first"
    assert (conversation.subject, conversation.preview) == ("My order", "Hello, where is my order?")
    assert conversation.is_unseen
    identity = Identity.objects.get(key="ana@shop.example")
    link = identity.links.get()
    assert link.customer_id == conversation.customer_id
    assert link.evidence == {"rule": "first-seen"}
    assert Customer.objects.get().name == "Ana Pop"
    assert Message.objects.get().reference == "one@shop.example"
    assert LiveEvent.objects.get().subject == conversation.id
    assert RawItem.objects.get().state == "digested"
    assert_sums_hold()


def test_the_next_mail_of_the_customer_joins_by_reference():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    receive(account, make_item(make_mail("And?\n", in_reply_to="one@shop.example", at=NOW + HOUR), at=NOW + HOUR))
    conversation = Conversation.objects.get()
    assert conversation.messages_count == 2
    assert conversation.version == 2
    assert Strand.objects.count() == Thread.objects.count() == 1


def test_mail_older_than_the_cut_arrives_resolved_without_a_clock():
    account = make_account(cut_at=NOW - DAY)
    old = NOW - 40 * DAY
    receive(account, make_item(make_mail(at=old), at=old))
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.status_reason) == ("resolved", "history")
    assert conversation.due_at is None
    assert not conversation.is_unseen
    assert not SlaEvent.objects.exists()
    assert not LiveEvent.objects.exists()


def test_an_answer_written_in_another_client_stops_the_clock():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    receive(account, answer_from_sent("ana@shop.example", "one@shop.example"))
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.status_reason) == ("waiting", "answered")
    assert conversation.due_at is None
    assert conversation.last_outbound_at == NOW + HOUR
    assert list(SlaEvent.objects.order_by("occurred_at").values_list("kind", flat=True)) == [
        "customer-wrote",
        "agent-answered",
    ]
    assert counters.kept() == {counters.Key(account.id, 0, "waiting", 0): 1}


def test_a_forward_to_somebody_else_is_no_answer_to_the_customer():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    receive(account, answer_from_sent("supplier@parts.example", "one@shop.example", text="Can you check?\n"))
    assert conversation_of("Hello").status == "open"
    assert conversation_of("Can you check?").id != conversation_of("Hello").id
    assert Thread.objects.count() == 1


def test_the_customers_answer_brings_a_waiting_conversation_back():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    receive(account, answer_from_sent("ana@shop.example", "one@shop.example"))
    later = NOW + 2 * HOUR
    receive(account, make_item(make_mail("Thanks, but\n", in_reply_to="ours-1@balas.example", at=later), at=later))
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.status_reason) == ("open", "customer-wrote")
    assert conversation.due_for == "next"


def test_a_resolved_conversation_reopens_within_the_window():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    conversations.resolve(Conversation.objects.get().id, "balas", NOW + HOUR)
    later = NOW + 29 * DAY
    receive(account, make_item(make_mail("Again!\n", in_reply_to="one@shop.example", at=later), at=later), now=later)
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.status_reason) == ("open", "reopened")
    assert conversation.reopened_count == 1
    assert conversation.resolved_at is None
    assert "reopened" in set(SlaEvent.objects.values_list("kind", flat=True))
    assert_sums_hold()


def test_a_late_answer_opens_a_new_conversation_that_follows_the_old_one():
    Organisation.objects.update_or_create(id=1, defaults={"reopen_days": 5})
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    old = Conversation.objects.get()
    conversations.resolve(old.id, "balas", NOW + HOUR)
    late = NOW + 7 * DAY
    receive(account, make_item(make_mail("Late\n", in_reply_to="one@shop.example", at=late), at=late), now=late)
    new = Conversation.objects.exclude(id=old.id).get()
    assert new.follows_id == old.id
    assert (new.status, Conversation.objects.get(id=old.id).status) == ("open", "resolved")
    first, second = Strand.objects.order_by("sequence")
    assert (first.thread_id, first.counterparty_id, second.sequence) == (second.thread_id, second.counterparty_id, 1)

    # Another answer to the very first mail finds the new conversation, rather than opening a third one.
    receive(account, make_item(make_mail("Later\n", in_reply_to="one@shop.example", at=late), at=late), now=late)
    assert Conversation.objects.count() == 2
    assert Conversation.objects.get(id=new.id).messages_count == 2
    assert_sums_hold()


def test_a_snoozed_conversation_opens_when_the_customer_writes():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    conversations.snooze(Conversation.objects.get().id, "balas", NOW + HOUR, until=NOW + 5 * DAY)
    later = NOW + 2 * HOUR
    receive(account, make_item(make_mail("Wait\n", in_reply_to="one@shop.example", at=later), at=later), now=later)
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.snoozed_until) == ("open", None)
    assert conversation.due_at is not None
    assert_sums_hold()


def test_spam_stays_spam():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    conversations.mark_spam(Conversation.objects.get().id, "balas", NOW)
    receive(account, make_item(make_mail("Buy\n", in_reply_to="one@shop.example", at=NOW + HOUR), at=NOW + HOUR))
    assert Conversation.objects.get().status == "spam"
    assert Conversation.objects.get().due_at is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"List-Id": "<news.shop.example>", "List-Unsubscribe": "<mailto:off@shop.example>", "Precedence": "list"},
    ],
)
def test_automatic_mail_starts_no_clock_and_changes_no_status(headers):
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    receive(account, answer_from_sent("ana@shop.example", "one@shop.example"))
    robot = make_mail("I am away\n", in_reply_to="ours-1@balas.example", at=NOW + 2 * HOUR, headers=headers)
    receive(account, make_item(robot, at=NOW + 2 * HOUR))
    conversation = Conversation.objects.get()
    assert conversation.status == "waiting"
    assert conversation.messages_count == 3
    assert Message.objects.exclude(automatic="").count() == 1
    assert SlaEvent.objects.count() == 2


def test_automatic_mail_of_its_own_is_shown_without_a_deadline():
    account = make_account()
    receive(account, make_item(make_mail(headers={"Auto-Submitted": "auto-generated"})))
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.status_reason) == ("resolved", "automatic")
    assert (conversation.due_at, conversation.is_unseen) == (None, True)


def test_people_in_cc_take_part_and_may_answer():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example", cc="Bob <bob@shop.example>")))
    answer = make_mail(
        "Bob here\n",
        author="bob@shop.example",
        in_reply_to="one@shop.example",
        at=NOW + HOUR,
        message_id="two@shop.example",
    )
    receive(account, make_item(answer, at=NOW + HOUR))
    assert Conversation.objects.get().messages_count == 2
    strand = Strand.objects.get()
    keys = set(strand.strandparticipant_set.values_list("identity__key", flat=True))
    assert keys == {"ana@shop.example", "bob@shop.example"}
    assert Customer.objects.count() == 1  # who only takes part is nobody's customer yet


def test_f06_a_new_epoch_brings_the_same_mail_again_as_deliveries():
    account = make_account()
    mails = [make_mail(f"Mail {n}\n", message_id=f"m{n}@shop.example" if n % 5 else "") for n in range(20)]
    receive(account, *(make_item(mail, uid=n + 1) for n, mail in enumerate(mails)))
    again = Scope("INBOX", "2")
    digested = receive(account, *(make_item(mail, uid=n + 100, scope=again) for n, mail in enumerate(mails)))
    assert (digested.taken, digested.messages) == (20, 0)
    assert (Message.objects.count(), Delivery.objects.count(), Conversation.objects.count()) == (20, 40, 20)


def test_f14_every_combination_of_missing_headers_becomes_a_visible_message():
    account = make_account()
    names = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]
    whole = make_mail("A body\n", message_id="all@shop.example")
    items = []
    for number, missing in enumerate(itertools.product([True, False], repeat=8)):
        mail = BytesParser(policy=policy.compat32).parsebytes(whole)
        for name, is_missing in zip(names, missing, strict=True):
            if is_missing:
                del mail[name]
        body = mail.as_bytes().replace(b"A body", f"Body {number}".encode()).replace(b"all@", f"all-{number}@".encode())
        items.append(make_item(body))
    digested = receive(account, *items)
    assert (digested.messages, digested.failed) == (256, 0)
    assert Message.objects.count() == Delivery.objects.count() == 256
    # Without any header it is not a mail any more, and says so.
    assert RawItem.objects.exclude(state="digested").count() == RawItem.objects.filter(state="unreadable").count() <= 2
    assert_sums_hold()


def test_f14_two_mails_without_a_sender_are_not_one_customers():
    account = make_account()
    receive(account, make_item(make_mail("One\n", author="")), make_item(make_mail("Two\n", author="")))
    assert Message.objects.filter(author=None).count() == 2
    assert conversation_of("One").customer_id != conversation_of("Two").customer_id


def test_f16_the_same_message_id_with_other_content_is_two_messages_and_a_flag():
    account = make_account()
    receive(account, make_item(make_mail("First\n", message_id="same@shop.example")))
    later = NOW + HOUR
    second = make_mail("Second\n", author="eve@evil.example", message_id="same@shop.example", at=later)
    receive(account, make_item(second, at=later))
    assert Message.objects.get(text__startswith="First").flags == ["same-id-other-content"]
    assert Message.objects.get(text__startswith="Second").flags == ["same-id-other-content"]
    assert conversation_of("First").id != conversation_of("Second").id


def test_f16_both_are_flagged_whichever_is_read_first():
    account = make_account()
    later = NOW + HOUR
    receive(account, make_item(make_mail("Second\n", message_id="same@shop.example", at=later), at=later))
    receive(account, make_item(make_mail("First\n", message_id="same@shop.example")))
    assert Message.objects.get(text__startswith="First").flags == ["same-id-other-content"]
    assert Message.objects.get(text__startswith="Second").flags == ["same-id-other-content"]


def test_f17_what_cannot_be_written_moves_nothing(settings, tmp_path):
    account = make_account()
    settings.BALAS_HOME = tmp_path
    (tmp_path / "raw").write_text("in the way")
    large = make_item(make_mail("x" * 70 + "\n" + ("y" * 70 + "\n") * 5000))
    with pytest.raises(OSError, match="raw"):
        put(account, make_item(make_mail()), large)
    assert not RawItem.objects.exists()
    (tmp_path / "raw").unlink()
    assert put(account, large).new == 1


@pytest.mark.parametrize("boxes", [2, 3, 5])
def test_f29_one_mail_to_several_of_our_addresses_is_one_message_seen_in_each(boxes):
    accounts = [make_account(f"box{n}", f"box{n}@balas.example") for n in range(boxes)]
    mail = make_mail(to=", ".join(account.address for account in accounts), message_id="one@shop.example")
    for number, account in enumerate(reversed(accounts)):
        trace = f"Received: from mx{number} by box{number}; Tue, 24 Nov 2026 10:00:0{number} +0000\n".encode()
        receive(account, make_item(trace + mail))
    assert Message.objects.count() == Conversation.objects.count() == 1
    assert Conversation.objects.get().conversationaccount_set.count() == boxes
    assert Delivery.objects.values("account").distinct().count() == boxes
    assert SlaEvent.objects.count() == 1


def test_f30_redelivery_with_new_trace_headers_is_the_same_message():
    account = make_account()
    mails = [make_mail(f"Mail {n}\n") for n in range(50)]
    traces = [b"Received: from a by b; x\nX-Spam: 1\n", b"Received: from c by d; y\nDelivered-To: z\n"]
    for trace in traces:
        receive(account, *(make_item(trace + mail) for mail in mails))
    assert (Message.objects.count(), Delivery.objects.count()) == (50, 100)


def test_f31_what_was_erased_does_not_come_back():
    account = make_account()
    item = make_item(make_mail(), uid=7)
    put(account, item)
    RawItem.objects.update(state="erased", due_at=None)
    for _ in range(3):
        assert put(account, item).new == 0
        assert digest_all().taken == 0
    assert not Message.objects.exists()


def test_f46_mail_in_our_name_in_the_inbox_is_inbound_and_flagged():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    forged = make_mail("Pay here\n", author=OURS, to="ana@shop.example", in_reply_to="one@shop.example")
    receive(account, make_item(forged))
    message = Message.objects.get(text__startswith="Pay here")
    assert (message.direction, message.flags) == ("inbound", ["from-own-address"])
    assert "agent-answered" not in set(SlaEvent.objects.values_list("kind", flat=True))


def test_f47_a_ticket_number_or_subject_joins_nobody():
    account = make_account()
    receive(account, make_item(make_mail(subject="[T-2026-0001] My order")))
    receive(account, make_item(make_mail("Me too\n", author="eve@evil.example", subject="Re: [T-2026-0001] My order")))
    assert Conversation.objects.count() == 2


def test_f47_a_stranger_who_quotes_a_known_message_starts_a_conversation_of_their_own():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    receive(account, make_item(make_mail("Hi\n", author="eve@evil.example", in_reply_to="one@shop.example")))
    assert conversation_of("Hi").id != conversation_of("Hello").id
    assert Thread.objects.count() == 1


def test_f48_somebody_brought_in_later_cannot_answer_what_they_never_got():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    copy = make_mail(
        "Adding Eve\n", cc="eve@evil.example", in_reply_to="one@shop.example", message_id="two@shop.example"
    )
    receive(account, make_item(copy))
    receive(account, make_item(make_mail("Old\n", author="eve@evil.example", in_reply_to="one@shop.example")))
    receive(account, make_item(make_mail("New\n", author="eve@evil.example", in_reply_to="two@shop.example")))
    assert conversation_of("Old").id != conversation_of("Hello").id
    assert conversation_of("New").id == conversation_of("Hello").id


def test_f49_five_hundred_answers_to_one_newsletter_are_five_hundred_conversations():
    account = make_account()
    news = make_mail("News\n", author=OURS, to="readers@balas.example", message_id="news@balas.example")
    receive(account, make_item(news, scope=SENT))
    answers = [
        make_mail(f"Answer {n}\n", author=f"reader{n}@r.example", in_reply_to="news@balas.example") for n in range(500)
    ]
    receive(account, *map(make_item, answers))
    assert Conversation.objects.filter(last_direction="inbound").count() == 500
    assert Thread.objects.count() == 1
    assert Strand.objects.values("counterparty").distinct().count() == 501


def test_f49_answers_to_a_newsletter_that_names_its_readers_stay_apart():
    account = make_account()
    readers = [f"reader{n}@r.example" for n in range(20)]
    news = make_mail("News\n", author=OURS, to=", ".join(readers), message_id="news@balas.example")
    receive(account, make_item(news, scope=SENT))
    receive(
        account,
        *(make_item(make_mail(f"I am {one}\n", author=one, in_reply_to="news@balas.example")) for one in readers),
    )
    assert Conversation.objects.filter(last_inbound_at__isnull=False).count() == 20


def test_f50_references_alone_in_reply_to_alone_and_both_join():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    receive(account, answer_from_sent("ana@shop.example", "one@shop.example"))
    for number, head in enumerate(
        [
            {"in_reply_to": "ours-1@balas.example"},
            {"references": ["one@shop.example", "ours-1@balas.example"]},
            {"references": ["ours-1@balas.example"], "in_reply_to": "ours-1@balas.example"},
            {"references": ["unknown@x.example", "one@shop.example"], "in_reply_to": "lost@x.example"},
        ]
    ):
        receive(account, make_item(make_mail(f"Style {number}\n", at=NOW + 2 * HOUR, **head), at=NOW + 2 * HOUR))
    assert Conversation.objects.get().messages_count == 6


def test_f51_the_person_is_who_wrote_not_who_wants_the_answer():
    account = make_account()
    mail = make_mail(author='"ceo@bank.example" <ana@shop.example>', headers={"Reply-To": "other@shop.example"})
    receive(account, make_item(mail))
    assert Message.objects.get().author.key == "ana@shop.example"
    assert not Identity.objects.filter(key__in=["other@shop.example", "ceo@bank.example"]).exists()


def test_a_relay_speaks_for_the_person_it_names():
    account = make_account(settings={"relays": ["form@balas.example"]})
    mail = make_mail(author="form@balas.example", headers={"Reply-To": "Ana <ana@shop.example>"})
    receive(account, make_item(mail))
    message = Message.objects.get()
    assert message.author.key == "ana@shop.example"
    assert "via-relay" in message.flags


def test_f52_a_failed_check_joins_nothing_by_reference():
    account = make_account(settings={"authserv_id": "mx.balas.example"})
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    failed = {"Authentication-Results": "mx.balas.example; dmarc=fail header.from=shop.example"}
    receive(account, make_item(make_mail("Forged\n", in_reply_to="one@shop.example", headers=failed)))
    assert Message.objects.get(text__startswith="Forged").verified is False
    assert conversation_of("Forged").id != conversation_of("Hello").id
    assert Thread.objects.count() == 2


def test_the_copy_in_sent_turns_our_own_mail_in_the_inbox_into_an_answer():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    ours = make_mail(
        "Our answer\n",
        author=OURS,
        to="ana@shop.example",
        cc="support@balas.example",
        in_reply_to="one@shop.example",
        message_id="ours@balas.example",
        at=NOW + HOUR,
    )
    receive(account, make_item(ours, at=NOW + HOUR))
    receive(account, make_item(ours, scope=SENT, at=NOW + HOUR))
    message = Message.objects.get(text__startswith="Our answer")
    assert (message.direction, message.flags) == ("outbound", [])
    assert Conversation.objects.get().status == "waiting"
    assert_sums_hold()


def test_our_own_copy_turns_into_an_answer_also_where_people_have_worked():
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    conversations.snooze(Conversation.objects.get().id, "cli", NOW, until=NOW + DAY)
    refers = {"in_reply_to": "one@shop.example", "message_id": "ours@balas.example", "at": NOW + HOUR}
    ours = make_mail("Our answer\n", author=OURS, to="ana@shop.example", cc=OURS, **refers)
    receive(account, make_item(ours, at=NOW + HOUR), now=NOW + HOUR)
    assert Conversation.objects.get().status == "open"
    receive(account, make_item(ours, scope=SENT, at=NOW + HOUR), now=NOW + HOUR)
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.due_at, conversation.messages_count) == ("waiting", None, 2)
    assert sla.recompute(conversation.id).due_at is None
    assert_sums_hold()


def test_whoever_may_read_a_conversation_hears_of_news_in_it():
    first, second = make_account(), make_account("sales", "sales@balas.example")
    receive(first, make_item(make_mail(message_id="one@shop.example")))
    receive(second, make_item(make_mail("More\n", to="sales@balas.example", in_reply_to="one@shop.example")))
    assert sorted(LiveEvent.objects.order_by("number").last().accounts) == sorted([first.id, second.id])


def test_a_missing_link_that_comes_late_brings_the_parts_together():
    account = make_account()
    answer = make_mail("Bob here\n", author="bob@shop.example", in_reply_to="one@shop.example", at=NOW + HOUR)
    receive(account, make_item(answer, at=NOW + HOUR))
    assert conversation_of("Bob here").customer.name == ""
    receive(account, make_item(make_mail(message_id="one@shop.example", cc="bob@shop.example")))
    conversation = Conversation.objects.get()
    assert conversation.messages_count == 2
    assert conversation.customer.name == "Ana Pop"
    assert_sums_hold()


def test_a_missing_link_leaves_what_people_have_touched_where_it_is():
    account = make_account()
    answer = make_mail("Bob here\n", author="bob@shop.example", in_reply_to="one@shop.example", at=NOW + HOUR)
    receive(account, make_item(answer, at=NOW + HOUR))
    touched = Conversation.objects.get()
    conversations.resolve(touched.id, "cli", NOW + HOUR)
    receive(account, make_item(make_mail(message_id="one@shop.example", cc="bob@shop.example")))
    assert conversation_of("Bob here").id == touched.id
    assert conversation_of("Hello").id != touched.id
    assert Conversation.objects.get(id=touched.id).status == "resolved"


def test_digesting_the_same_items_again_changes_nothing():
    account = make_account()
    receive(account, *(make_item(make_mail(f"Mail {n}\n")) for n in range(5)))
    before = list(Conversation.objects.order_by("id").values_list("id", "version"))
    RawItem.objects.update(due_at=NOW)  # as a crash between two transactions could never leave it
    digest_all()
    assert list(Conversation.objects.order_by("id").values_list("id", "version")) == before


def test_many_conversations_at_once_are_told_as_one_event():
    account = make_account()
    receive(account, *(make_item(make_mail(f"Mail {n}\n")) for n in range(150)))
    assert [event.topic for event in LiveEvent.objects.all()] == ["resync"]


def test_the_newest_is_digested_first():
    account = make_account()
    put(account, *(make_item(make_mail(f"Mail {n}\n", at=NOW - n * HOUR), at=NOW - n * HOUR) for n in range(10)))
    digest_all(limit=3)
    assert sorted(Message.objects.values_list("text", flat=True)) == ["Mail 0", "Mail 1", "Mail 2"]


def test_a_large_mail_lies_in_a_file_and_is_read_from_there():
    account = make_account()
    receive(account, make_item(make_mail("Big\n" + ("y" * 70 + "\n") * 6000)))
    item = RawItem.objects.get()
    assert item.rawbody.content is None
    assert item.state == "digested"
    assert Message.objects.get().text.startswith("Big")


def test_f13_an_item_whose_bytes_are_gone_is_still_shown(settings):
    account = make_account()
    put(account, make_item(make_mail("Big\n" + ("y" * 70 + "\n") * 6000)))
    sha = RawItem.objects.get().sha256
    (settings.BALAS_HOME / "raw" / sha[:2] / sha).unlink()
    digest_all()
    assert Conversation.objects.count() == 1
    assert RawItem.objects.get().state == "unreadable"
    assert "unreadable" in Message.objects.get().flags
    assert shelf.completeness(account.id).unreadable == 1


def test_f28_no_column_that_keeps_doubles_out_may_be_null():
    for model in (RawItem, Identity, Strand):
        for constraint in model._meta.constraints:
            for name in constraint.fields:
                assert not model._meta.get_field(name).null, (model, name)
    assert not Delivery._meta.get_field("raw_item").null
    assert INBOX.epoch != ""
