"""A full listing against the shelf: every listed id falls into exactly one part of the equation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.messages import Count, Covered, Listing, Page, Trouble
from inbox import completeness, leases, reconciliation, shelf
from inbox.models import CursorTrouble
from inbox.rules.proof import next_proof
from inbox.rules.ranges import holding, merge, without
from tests.builders import INBOX, NOW, make_account, make_item, make_mail

NUMBERS = st.sets(st.integers(1, 60))
RANGES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair)))).map(merge)


def listing(*uids: int, told: int | None = None) -> Listing:
    return Listing([str(uid) for uid in uids], len(uids) if told is None else told)


@given(RANGES, NUMBERS)
def test_ranges_cut_around_numbers_hold_all_but_those(ranges: list[tuple[int, int]], numbers: set[int]) -> None:
    left = without(ranges, numbers)
    assert left == merge(left)
    for number in range(75):
        assert holding(left, number) == (holding(ranges, number) and number not in numbers)


@pytest.mark.django_db
def test_every_listed_id_is_stored_pending_missing_or_excluded() -> None:
    account = make_account()
    items = tuple(make_item(make_mail(f"Mail {uid}\n"), uid=uid) for uid in (1, 2, 3))
    troubles = tuple(Trouble(INBOX, uid, "It does not come.") for uid in ("4", "5"))
    page = Page(items, (Covered(INBOX, 1, 9),), troubles, counts=(Count(INBOX, 9),))
    shelf.put(account.id, page, held=None, now=NOW)
    completeness.exclude(account.id, INBOX, ["5"], "too-old", NOW)

    proof = reconciliation.prove(account.id, INBOX, listing(2, 3, 4, 5, 7, 12), held=None, now=NOW)
    assert (proof.stored, proof.pending, proof.missing, proof.gone) == (2, 2, 1, 1)
    assert dict(proof.excluded) == {"too-old": 1}
    assert proof.listed == proof.stored + proof.pending + proof.missing + proof.excluded.total()
    place = completeness.completeness(account.id).places[0]
    assert (place.on_server, place.stored, place.gone, place.pending, place.excluded) == (6, 2, 1, 3, {"too-old": 1})
    assert (place.proved_at, place.complete) == (NOW, False)

    known = shelf.known(account.id).of("INBOX")
    assert known is not None
    assert set(known.troubled) == {"4", "7"}, "what was missing is asked for again"


@pytest.mark.django_db
def test_many_that_are_missing_are_fetched_in_bulk() -> None:
    account, most = make_account(), reconciliation.NAMED_APART + 50
    shelf.put(account.id, Page(covered=(Covered(INBOX, 1, most),)), held=None, now=NOW)
    proof = reconciliation.prove(account.id, INBOX, listing(*range(1, most + 1)), held=None, now=NOW)
    assert proof.missing == most
    assert CursorTrouble.objects.count() == reconciliation.NAMED_APART
    known = shelf.known(account.id).of("INBOX")
    assert known is not None
    assert known.ranges == ((1, reconciliation.NAMED_APART),)


@pytest.mark.django_db
def test_a_mail_that_was_taken_for_gone_and_is_listed_again_is_owed() -> None:
    account = make_account()
    shelf.put(account.id, Page(troubles=(Trouble(INBOX, "1", "It does not come."),)), held=None, now=NOW)
    shelf.put(account.id, Page(covered=(Covered(INBOX, 1, 1),), gone=((INBOX, "1"),)), held=None, now=NOW)
    assert reconciliation.prove(account.id, INBOX, listing(1), held=None, now=NOW).missing == 1
    row = CursorTrouble.objects.get()
    assert (row.closed_at, row.closed_as, row.reason) == (None, "", reconciliation.LOST)


@pytest.mark.django_db
def test_f25_a_proof_under_a_lease_that_has_passed_on_writes_nothing() -> None:
    account = make_account()
    shelf.put(account.id, Page(covered=(Covered(INBOX, 1, 3),)), held=None, now=NOW)
    held = leases.find_free("poll:1", "one", 60)
    assert held is not None
    leases.release(held)
    assert leases.find_free("poll:1", "two", 60) is not None
    with pytest.raises(leases.LeaseLost):
        reconciliation.prove(account.id, INBOX, listing(1, 2), held=held, now=NOW)
    assert not CursorTrouble.objects.exists()
    assert completeness.completeness(account.id).proved_at is None


@given(st.integers(1, (1 << 63) - 1), st.integers(0, 86_400 * 3))
def test_proofs_lie_twelve_to_thirty_six_hours_apart_at_the_accounts_own_time(account: int, seconds: int) -> None:
    after = NOW + timedelta(seconds=seconds)
    at = next_proof(account, after)
    assert timedelta(hours=12) <= at - after < timedelta(hours=36)
    assert next_proof(account, at) - at == timedelta(days=1)


def test_accounts_made_one_after_the_other_are_spread_over_the_day() -> None:
    hours = {next_proof(456_617_779_522_234_395 + number, NOW).hour for number in range(100)}
    assert len(hours) == 24
