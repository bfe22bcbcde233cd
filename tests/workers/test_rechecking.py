"""Posts are looked at again: young and open ones more often, within the budget, none for ever."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from connectors.base import RetryLater
from inbox import completeness, leases
from inbox.accounts import bare_connector
from inbox.models import Account, Conversation, Message, PostState
from inbox.rules.rechecking import LONGEST_OPEN, LOOKED_AT, next_look
from tests.builders import digest_all, receive
from tests.inbox.square import empty, installed, make_square
from tests.inbox.square_kind import NOW, Square, gone, person, post
from workers import proving, rechecking

ANA = person("ana", "ana.a", "Ana", 1200)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture(autouse=True, scope="module")
def square(tmp_path_factory):
    with installed(tmp_path_factory.mktemp("square")):
        yield


def looks(is_open: bool):
    """The times at which a post is looked at, when each look is in time."""
    at, found = NOW, []
    while (at := next_look(NOW, at, is_open=is_open)) is not None:
        found.append(at)
    return found


def test_never_more_than_a_day_passes_between_two_looks_and_they_come_to_an_end():
    for is_open, until in ((True, LONGEST_OPEN), (False, LOOKED_AT)):
        found = [NOW, *looks(is_open)]
        assert max(later - earlier for earlier, later in itertools.pairwise(found)) < DAY
        assert until - DAY < found[-1] - NOW < until + DAY
    assert len(looks(True)) > len(looks(False))


@pytest.mark.django_db
class TestLooking:
    @pytest.fixture
    def account(self):
        empty()
        account = make_square()
        receive(account, post(1, "Here today", by=ANA), post(2, "And tomorrow", by=ANA))
        return account

    def attend(self, account):
        held = leases.find_free(f"poll:{account.id}", "test", 60)
        try:
            return rechecking.attend(account, bare_connector(account), held)
        finally:
            leases.release(held)

    def test_what_is_due_is_looked_at_once_and_what_is_gone_is_redacted(self, account, time_machine):
        time_machine.move_to(NOW + timedelta(minutes=10), tick=False)
        assert self.attend(account) == 0
        time_machine.move_to(NOW + HOUR, tick=False)
        Square.changed = [gone(1)]
        assert self.attend(account) == 2
        assert sorted(Square.looked[0]) == ["1", "2"]
        assert self.attend(account) == 0
        digest_all(NOW + HOUR)
        assert set(Message.objects.values_list("text", flat=True)) == {"", "And tomorrow"}
        assert PostState.objects.get(deleted_at__isnull=False).recheck_at is None

    def test_a_look_that_is_not_allowed_now_is_put_off(self, account, time_machine):
        time_machine.move_to(NOW + HOUR, tick=False)
        Square.trouble = RetryLater("Too many.")
        assert self.attend(account) == 0
        assert set(PostState.objects.values_list("recheck_at", flat=True)) == {NOW + HOUR + timedelta(minutes=30)}

    def test_what_is_resolved_is_looked_at_less_often(self, account, time_machine):
        Conversation.objects.filter(id=Conversation.objects.order_by("id")[0].id).update(status="resolved")
        time_machine.move_to(NOW + HOUR, tick=False)
        self.attend(account)
        assert set(PostState.objects.values_list("recheck_at", flat=True)) == {NOW + 2 * HOUR, NOW + 4 * HOUR}

    def test_a_kind_that_cannot_list_is_not_asked_for_a_proof_again_and_again(self, account, time_machine):
        time_machine.move_to(NOW + HOUR, tick=False)
        held = leases.find_free(f"poll:{account.id}", "test", 60)
        Account.objects.filter(id=account.id).update(places={"mentions": {}})
        account.refresh_from_db()
        assert proving.prove_if_due(account, bare_connector(account), held, is_complete=True) is False
        account.refresh_from_db()
        assert account.proof_due_at > NOW + HOUR
        assert completeness.completeness(account.id).complete is None
