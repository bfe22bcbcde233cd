from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from inbox import conversations, counters, people, worklist
from inbox.models import Account, Conversation, ConversationAccount, Customer, User
from inbox.rules.states import Status
from tests.inbox.ground import NOW, make_account, make_conversation, make_user
from tests.inbox.recording_sink import RecordingSink


@pytest.fixture
def account(index: RecordingSink, db: None) -> Account:
    return make_account()


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def bare(account: Account, number: int, **columns: Any) -> Conversation:
    """A row of the list and nothing behind it."""
    customer = Customer.objects.create(name=f"Customer {number}", created_at=NOW)
    values: dict[str, Any] = {
        "status": "open",
        "kind": "email",
        "opened_at": NOW,
        "last_activity_at": NOW + timedelta(seconds=number),
        **columns,
    }
    made = Conversation.objects.create(customer=customer, account=account, subject=str(number), **values)
    ConversationAccount.objects.create(conversation=made, account=account)
    counters.move(None, counters.key_of(made))
    return made


def walk(tab: str, limit: int, user: User | None = None, scope: worklist.Scope = None) -> list[int]:
    found: list[int] = []
    after = ""
    for _ in range(1000):
        page = worklist.page(scope, tab, user, after=after, limit=limit)
        found += [row["id"] for row in page.rows]
        after = page.after
        if not after:
            return found
    raise AssertionError("the pages never end")


def test_who_gave_no_name_is_listed_by_address(account: Account) -> None:
    conversation = make_conversation(account, "maria@example.org")
    Customer.objects.update(name="")
    (row,) = worklist.page(None, "open").rows
    assert row["customer_name"] == "maria@example.org"
    Customer.objects.filter(id=conversation.customer_id).update(name="Maria")
    (row,) = worklist.page(None, "open").rows
    assert row["customer_name"] == "Maria"


def test_the_nearest_deadline_comes_first_and_what_has_no_clock_last(account: Account) -> None:
    newest, late, soon, old = (
        bare(account, 1),
        bare(account, 2, due_at=NOW - timedelta(hours=1)),
        bare(account, 3, due_at=NOW + timedelta(hours=1)),
        bare(account, 4),
    )

    assert [row["id"] for row in worklist.page(None, "open").rows] == [late.id, soon.id, old.id, newest.id]


def test_pages_of_any_size_give_every_row_once_in_one_order(account: Account, ana: User) -> None:
    for number in range(21):
        status = list(Status)[number % 5]
        bare(
            account,
            number // 2,
            status=status,
            due_at=NOW + timedelta(minutes=number // 4) if number % 3 else None,  # with ties
            owner=ana if number % 2 else None,
            snoozed_until=NOW + timedelta(hours=number // 6) if status == "snoozed" else None,
        )

    for tab in worklist.TABS:
        whole = walk(tab, 1000, ana)
        for limit in (1, 2, 3, 7):
            assert walk(tab, limit, ana) == whole, (tab, limit)
        expected = {
            "all": Conversation.objects.all(),
            "mine": Conversation.objects.filter(owner=ana, status="open"),
        }.get(tab, Conversation.objects.filter(status=tab))
        assert len(whole) == len(set(whole)) and set(whole) == set(expected.values_list("id", flat=True)), tab


def test_f79_what_one_may_not_read_is_in_no_list(account: Account, ana: User) -> None:
    board = make_account("board")
    theirs, shared, mine = bare(board, 1), bare(board, 2), bare(account, 3)
    ConversationAccount.objects.create(conversation=shared, account=account)
    people.let_read(people.create_team("Board", NOW), board, NOW)
    scope = people.readable_accounts(ana)

    for tab in ("open", "all"):
        assert set(walk(tab, 2, ana, scope)) == {shared.id, mine.id}
    assert worklist.row(theirs.id, scope) is None
    assert worklist.row(shared.id, scope) is not None
    assert worklist.row(theirs.id, None) is not None
    assert worklist.page(frozenset(), "all").rows == []


def test_counts_come_from_the_counters_alone(account: Account, ana: User) -> None:
    one, other = make_conversation(account), make_conversation(account, "b@example.org")
    conversations.assign(one.id, ana, NOW, owner=ana)
    conversations.resolve(other.id, ana, NOW)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = worklist.counts(None, ana)

    assert found == {
        "open": 1, "mine": 1, "waiting": 0, "snoozed": 0, "resolved": 1, "spam": 0, "unassigned": 0,
    }  # fmt: skip
    assert len(queries) == 1 and "inbox_conversation" not in queries[0]["sql"]
    assert worklist.counts(frozenset(), ana)["open"] == 0


def test_a_page_is_at_most_three_statements(account: Account, ana: User) -> None:
    for number in range(8):
        made = bare(account, number, due_at=NOW if number % 2 else None)
        conversations.tag(made.id, ana, NOW, name="Parcel")

    for tab in worklist.TABS:
        with CaptureQueriesContext(connection) as queries:
            worklist.page(None, tab, ana, limit=6)
        assert len(queries) <= 3, tab


@pytest.mark.parametrize("text", ["x", "1", "1.", ".1", "-.x", "9" * 40 + ".1", "1.2.3"])
def test_a_cursor_that_we_never_gave_out_is_refused(account: Account, text: str) -> None:
    with pytest.raises(ValueError):
        worklist.page(None, "open", after=text)


@given(st.datetimes(min_value=NOW.replace(tzinfo=None).replace(year=1900)), st.integers(1, 2**63 - 1))
def test_a_cursor_keeps_every_microsecond(at: Any, number: int) -> None:
    at = at.replace(tzinfo=NOW.tzinfo)
    if at.year >= 3000:
        return
    cursor = worklist.cursor_of("open", {"due_at": at, "id": number})
    assert worklist.read_cursor(cursor) == (at, number)


PLANS: dict[str, Callable[[str], bool]] = {
    "open": lambda plan: "conversation_queue (status=? AND due_at>" in plan,
    "waiting": lambda plan: "conversation_recent (status=?" in plan,
    "resolved": lambda plan: "conversation_recent (status=?" in plan,
    "all": lambda plan: "conversation_all" in plan,
    "mine": lambda plan: "conversation_owner (owner_id=? AND status=? AND due_at>" in plan,
    "snoozed": lambda plan: "conversation_snoozed (status=? AND snoozed_until>" in plan,
}


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="reads SQLite's query plans")
@pytest.mark.parametrize("tab", PLANS)
def test_a_page_in_the_middle_starts_in_an_index_and_sorts_nothing(account: Account, ana: User, tab: str) -> None:
    for number in range(6):
        until = NOW + timedelta(hours=number) if tab == "snoozed" else None
        status = "open" if tab in ("all", "mine") else tab
        bare(account, number, status=status, due_at=NOW + timedelta(hours=number), snoozed_until=until, owner=ana)
    after = worklist.page(None, tab, ana, limit=2).after
    with CaptureQueriesContext(connection) as queries:
        worklist.page(None, tab, ana, after=after, limit=2)

    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + queries[0]["sql"])
        plan = "; ".join(row[3] for row in cursor.fetchall())

    assert PLANS[tab](plan), plan
    assert "TEMP B-TREE" not in plan, plan
