"""The shelf: items and the ledger of what is settled, in one transaction."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.messages import Count, Covered, Page, RawItem, Scope, Trouble
from inbox import completeness, leases, shelf
from inbox.importing import import_paths
from inbox.models import Account, CursorRange, CursorScope, CursorTrouble
from inbox.models import RawItem as StoredItem
from inbox.rules.ranges import merge
from tests.builders import INBOX, NOW, make_account, make_item, make_mail

pytestmark = pytest.mark.django_db


def put(account: Account, **page: object) -> shelf.Stored:
    return shelf.put(account.id, Page(**page), held=None, now=NOW)


def ranges(account: Account) -> list[tuple[int, int]]:
    return list(CursorRange.objects.filter(scope__account=account).order_by("low").values_list("low", "high"))


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1]))))
def test_merged_ranges_hold_the_same_ids_and_do_not_touch(pieces):
    merged = merge(pieces)
    assert {n for low, high in merged for n in range(low, high + 1)} == {
        n for low, high in pieces for n in range(low, high + 1)
    }
    assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(merged))


def test_the_same_page_twice_stores_nothing_twice():
    account = make_account()
    items = tuple(make_item(make_mail(f"Mail {n}\n"), uid=n) for n in range(1, 6))
    assert put(account, items=items, covered=(Covered(INBOX, 1, 5),)).new == 5
    again = put(account, items=items, covered=(Covered(INBOX, 1, 5),))
    assert (again.new, again.same) == (0, 5)
    assert StoredItem.objects.count() == 5
    assert CursorScope.objects.get().stored == 5
    assert ranges(account) == [(1, 5)]


def test_ranges_merge_as_they_touch_and_come_back_as_known():
    account = make_account()
    for low, high in [(90, 100), (70, 79), (80, 89), (1, 10)]:
        put(account, covered=(Covered(INBOX, low, high),))
    assert ranges(account) == [(1, 10), (70, 100)]
    known = shelf.known(account.id).of("INBOX")
    assert known is not None
    assert known.ranges == ((1, 10), (70, 100))


def test_troubles_open_stay_and_close_as_stored_or_gone():
    account = make_account()
    put(account, troubles=(Trouble(INBOX, "7", "The server said NO."), Trouble(INBOX, "8", "Cut off.")))
    put(account, troubles=(Trouble(INBOX, "7", "Still NO."),))
    assert shelf.known(account.id).of("INBOX").troubled == ("7", "8")
    row = CursorTrouble.objects.get(external_id="7")
    assert (row.attempts, row.reason) == (2, "Still NO.")
    put(account, items=(make_item(make_mail(), uid=7),), gone=((INBOX, "8"),))
    assert shelf.known(account.id).of("INBOX").troubled == ()
    assert dict(CursorTrouble.objects.values_list("external_id", "closed_as")) == {"7": "stored", "8": "gone"}


def test_a_retired_epoch_is_known_no_more_and_the_connectors_own_state_comes_back():
    account = make_account()
    newer = Scope("INBOX", "2")
    put(account, covered=(Covered(INBOX, 1, 9),), state={INBOX: {"canary": 9}})
    assert shelf.known(account.id).of("INBOX").state == {"canary": 9}
    put(account, covered=(Covered(newer, 1, 3),), retired=(INBOX,), state={newer: {"canary": 3}})
    known = shelf.known(account.id)
    assert [(one.scope, one.ranges, one.state) for one in known.scopes] == [(newer, ((1, 3),), {"canary": 3})]


def test_f25_a_lease_that_has_passed_on_stores_nothing():
    account = make_account()
    held = leases.find_free("poll:1", "first", 60)
    leases.release(held)
    assert leases.find_free("poll:1", "second", 60) is not None
    page = Page(items=(make_item(make_mail()),), covered=(Covered(INBOX, 1, 9),))
    with pytest.raises(leases.LeaseLost):
        shelf.put(account.id, page, held=held, now=NOW)
    assert not StoredItem.objects.exists()
    assert not CursorScope.objects.exists()


def test_a_spooled_file_moves_to_its_place_by_hash(tmp_path, settings):
    account = make_account()
    spooled = tmp_path / "spooled"
    spooled.write_bytes(b"x" * 300_000)
    item = RawItem(INBOX, "1", NOW, 300_000, path=spooled)
    put(account, items=(item,))
    row = StoredItem.objects.get()
    place = settings.BALAS_HOME / "raw" / row.sha256[:2] / row.sha256
    assert place.read_bytes() == b"x" * 300_000
    assert row.rawbody.content is None
    assert not spooled.exists()


def test_a_small_spooled_file_goes_into_the_row(tmp_path):
    account = make_account()
    spooled = tmp_path / "spooled"
    spooled.write_bytes(b"small")
    put(account, items=(RawItem(INBOX, "1", NOW, 5, path=spooled),))
    assert bytes(StoredItem.objects.get().rawbody.content) == b"small"
    assert not spooled.exists()


def test_completeness_is_the_equation_of_each_place_and_their_sum():
    account = make_account()
    sent = Scope("Sent", "9")
    items = tuple(make_item(make_mail(f"Mail {n}\n"), uid=n) for n in range(1, 9))
    put(account, items=items, troubles=(Trouble(INBOX, "9", "Cut off."),), counts=(Count(INBOX, 10),))
    sums = shelf.completeness(account.id)
    assert (sums.on_server, sums.stored, sums.pending, sums.complete) == (10, 8, 2, False)
    put(account, items=(make_item(make_mail("Nine\n"), uid=9), make_item(make_mail("Ten\n"), uid=10)))
    put(account, counts=(Count(sent, 0),))
    sums = shelf.completeness(account.id)
    assert (sums.on_server, sums.stored, sums.pending, sums.complete) == (10, 10, 0, True)
    assert [place.place for place in sums.places] == ["INBOX", "Sent"]
    assert sums.counted_at == NOW


def test_a_place_that_was_never_counted_is_neither_complete_nor_incomplete():
    account = make_account()
    put(account, items=(make_item(make_mail()),))
    assert shelf.completeness(account.id).complete is None


def test_what_a_named_rule_excludes_is_counted_under_its_name():
    account = make_account()
    put(account, troubles=(Trouble(INBOX, "1", "Refused for ever."),), counts=(Count(INBOX, 1),))
    completeness.exclude(account.id, INBOX, ["1"], "refused by the server", NOW)
    sums = shelf.completeness(account.id)
    assert sums.excluded == {"refused by the server": 1}
    assert sums.complete is True
    assert shelf.known(account.id).of("INBOX").troubled == ()


def test_mail_deleted_on_the_server_after_it_was_stored_is_no_gap():
    account = make_account()
    items = tuple(make_item(make_mail(f"Mail {n}\n"), uid=n) for n in range(1, 5))
    put(account, items=items, counts=(Count(INBOX, 3),))
    sums = shelf.completeness(account.id)
    assert (sums.stored, sums.places[0].gone, sums.complete) == (3, 1, True)


def test_f22_a_folder_that_is_called_import_is_remembered_like_any_other(tmp_path):
    account, scope = make_account(), Scope("import", "7")
    page = Page(
        items=(make_item(make_mail(), scope=scope, uid=1),), covered=(Covered(scope, 1, 1),), counts=(Count(scope, 1),)
    )
    shelf.put(account.id, page, held=None, now=NOW)
    (tmp_path / "one.eml").write_bytes(make_mail())
    import_paths([tmp_path], account, sent=False, now=NOW)
    (known,) = shelf.known(account.id).scopes
    assert (known.scope, known.ranges) == (scope, ((1, 1),))
    found = shelf.completeness(account.id)
    assert (found.on_server, found.stored, found.pending, found.complete) == (1, 1, 0, True)
