"""Who vouches for senders: learnt from the first mails, used once somebody confirms it (failures 46, 48 and 52)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from inbox import conversations, people, vouching
from inbox.models import Account, AuditRecord, Conversation, Identity, Message, StrandLink, User
from inbox.rules.states import Role
from tests.builders import NOW, make_account, make_item, make_mail, receive

pytestmark = pytest.mark.django_db
MX = "mx.balas.example"


@pytest.fixture
def owner() -> User:
    return people.create_user("owner@balas.example", Role.OWNER, NOW)


def judged(number: int, *results: str, author: str = "", text: str = "Hello\n", **more: Any) -> bytes:
    """A mail from a domain of its own, with the results of these servers, the topmost first."""
    author = author or f"Ana <ana@shop{number % 4}.example>"
    head = "".join(f"Authentication-Results: {result}\n" for result in results)
    return head.encode() + make_mail(text, author=author, **more)


def many(account: Account, count: int, *results: str, **more: Any) -> None:
    for number in range(count):
        receive(account, make_item(judged(number, *(one.format(n=number % 4) for one in results), **more)))


PASS = MX + "; dmarc=pass header.from=shop{n}.example"


def fresh(account: Account) -> Account:
    return Account.objects.get(id=account.id)


def test_f52_a_server_that_judges_the_first_mails_is_asked_about_and_not_believed() -> None:
    account = make_account()
    many(account, 4, PASS)
    assert vouching.find_candidate(account) is None
    many(account, 2, PASS)
    assert vouching.find_candidate(account) == vouching.Candidate(MX, 6, 4)
    assert set(Message.objects.values_list("verified", flat=True)) == {None}


def test_f52_what_one_stranger_writes_into_many_mails_is_not_even_asked_about() -> None:
    account = make_account()
    many(account, 30, "mx.evil.example; dmarc=pass header.from=bank.example", author="Evil <x@evil.example>")
    assert vouching.find_candidate(account) is None


def test_f52_two_servers_in_turn_are_no_clear_answer() -> None:
    account = make_account()
    many(account, 10, PASS)
    many(account, 10, "mx.other.example; dmarc=pass header.from=shop{n}.example")
    assert vouching.find_candidate(account) is None


def test_once_confirmed_its_word_counts_for_what_comes_and_for_what_it_passed_before(owner: User) -> None:
    account = make_account()
    many(account, 6, PASS)
    receive(account, make_item(judged(1, f"{MX}; dmarc=fail header.from=shop1.example", text="Failed\n")))
    receive(account, make_item(judged(1, "mx.evil.example; dmarc=pass header.from=shop1.example", text="Other\n")))
    receive(account, make_item(judged(1, f"{MX}; dmarc=pass header.from=evil.example", text="Elsewhere\n")))
    assert vouching.confirm(account, MX, owner, NOW) == 6
    account = fresh(account)
    assert vouching.server_of(account) == MX
    assert vouching.find_candidate(account) is None
    verified = {message.text.strip(): message.verified for message in Message.objects.all()}
    assert verified == {"Hello": True, "Failed": None, "Other": None, "Elsewhere": None}
    receive(account, make_item(judged(2, PASS.format(n=2), text="Later\n")))
    receive(account, make_item(judged(2, text="Bare\n")))
    assert Message.objects.get(text="Later").verified is True
    vouched = dict(Identity.objects.values_list("address", "verified"))
    assert {address for address, verified in vouched.items() if verified} == {
        message.author_address for message in Message.objects.filter(verified=True)
    }
    assert Message.objects.get(text="Bare").verified is False
    assert Message.objects.get(text="Later").authentication == {
        "server": MX,
        "is_trusted": True,
        "results": [["dmarc", "pass", "shop2.example"]],
    }
    assert AuditRecord.objects.get(act="sender-check.confirmed").data == {"server": MX}


def test_what_was_declined_is_not_asked_again_and_what_was_confirmed_can_be_stopped(owner: User) -> None:
    account = make_account()
    many(account, 6, PASS)
    vouching.decline(account, MX, owner, NOW)
    assert vouching.find_candidate(fresh(account)) is None
    vouching.confirm(fresh(account), MX, owner, NOW)
    vouching.stop(fresh(account), owner, NOW)
    assert vouching.server_of(fresh(account)) == ""
    receive(account, make_item(judged(2, PASS.format(n=2), text="Later\n")))
    assert Message.objects.get(text="Later").verified is None


# --- What an unverified mail may do ---------------------------------------------------------------------------------


def of(text: str) -> Conversation:
    message = Message.objects.get(text__startswith=text)
    return Conversation.objects.get(id=StrandLink.objects.get(strand=message.strand, ended_at=None).conversation_id)


CHECKS = {
    True: f"{MX}; dmarc=pass header.from=shop.example",
    False: f"{MX}; dmarc=none",
}


@pytest.mark.parametrize("checked", [True, False, None])
@pytest.mark.parametrize("status", ["resolved", "waiting", "snoozed"])
def test_f46_f48_only_who_is_vouched_for_joins_and_wakes_old_work(
    checked: bool | None, status: str, owner: User
) -> None:
    """None: no server verifies here, so a participant who knows the reference joins, badged (decision 6)."""
    account = make_account(settings={} if checked is None else {"authserv_id": MX})
    first = judged(0, CHECKS[True], author="Ana <ana@shop.example>", text="First\n", message_id="one@shop.example")
    receive(account, make_item(first))
    conversation = of("First")
    later = NOW + timedelta(hours=2)
    if status == "resolved":
        conversations.resolve(conversation.id, owner, later)
    elif status == "snoozed":
        conversations.snooze(conversation.id, owner, later, until=later + timedelta(days=3))
    else:
        Conversation.objects.filter(id=conversation.id).update(status="waiting")
    results = [CHECKS[checked]] if checked is not None else []
    after = later + timedelta(hours=1)
    answer = judged(
        0, *results, author="Ana <ana@shop.example>", text="Again\n", in_reply_to="one@shop.example", at=after
    )
    receive(account, make_item(answer, at=after), now=after)
    conversation.refresh_from_db()
    joins = checked is not False
    assert (of("Again").id == conversation.id) is joins
    assert conversation.status == ("open" if joins else status)
    assert Message.objects.get(text="Again").verified is checked


def test_f52_a_hundred_forgeries_verify_nobody_and_join_nothing() -> None:
    account = make_account(settings={"authserv_id": MX})
    first = judged(0, CHECKS[True], author="Ana <ana@shop.example>", text="First\n", message_id="one@shop.example")
    receive(account, make_item(first))
    tricks = [
        "mx.evil.example; dmarc=pass header.from=shop.example",
        "mx.balas.example.evil.example; dmarc=pass header.from=shop.example",
        "(mx.balas.example) mx.evil.example; dmarc=pass header.from=shop.example",
        '"mx.evil.example; mx.balas.example"; dmarc=pass header.from=shop.example',
        f"{MX}; dmarc=none|{MX}; dmarc=pass header.from=shop.example",
        f"{MX}; dmarc=pass header.from=evil.example",
        f"{MX}; dkim=pass header.d=evil.example",
        f"{MX}; spf=pass smtp.mailfrom=shop.example",
        f"{MX}; dkim=none (dmarc=pass header.from=shop.example)",
        f'{MX}; dkim=none reason="; dmarc=pass header.from=shop.example"',
    ]
    items = [
        make_item(
            judged(
                number,
                *tricks[number % len(tricks)].split("|"),
                author="Ana <ana@shop.example>",
                text=f"Forged {number}\n",
                in_reply_to="one@shop.example",
            )
        )
        for number in range(100)
    ]
    receive(account, *items)
    assert not Message.objects.filter(text__startswith="Forged", verified=True).exists()
    assert of("First").messages_count == 1
