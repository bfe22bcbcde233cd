"""The arithmetic of UIDs against plain sets of numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.internaldate import read_internal_date
from connectors.mail.listing import Memory, absences, gaps, has_epoch_ended, holds, holds_all, merge, uid_set, without
from connectors.messages import KnownScope, Scope

numbers = st.integers(1, 60)
ranges = st.lists(st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair))), max_size=8)


def spread(found: list[tuple[int, int]] | tuple[tuple[int, int], ...]) -> set[int]:
    return {number for low, high in found for number in range(low, high + 1)}


@given(ranges)
def test_merging_keeps_the_numbers_and_leaves_no_two_ranges_touching(found: list[tuple[int, int]]) -> None:
    merged = merge(found)
    assert spread(merged) == spread(found)
    assert all(one[1] + 1 < next_one[0] for one, next_one in pairwise(merged))


@given(ranges, numbers, numbers)
def test_a_stretch_is_held_when_all_its_numbers_are(found: list[tuple[int, int]], low: int, high: int) -> None:
    merged = merge(found)
    assert holds(merged, low) == (low in spread(found))
    assert holds_all(merged, low, max(low, high)) == (set(range(low, max(low, high) + 1)) <= spread(found))


@given(ranges, numbers)
def test_gaps_are_exactly_what_is_not_covered(found: list[tuple[int, int]], high: int) -> None:
    open_gaps = gaps(merge(found), high)
    assert spread(open_gaps) == set(range(1, high + 1)) - spread(found)
    assert open_gaps == sorted(open_gaps, reverse=True)


@given(numbers, numbers, st.sets(numbers))
def test_cutting_leaves_exactly_the_rest(low: int, high: int, excluded: set[int]) -> None:
    assert spread(without(low, high, excluded)) == set(range(low, high + 1)) - excluded


@given(st.sets(numbers, min_size=1))
def test_a_uid_set_names_exactly_its_numbers(uids: set[int]) -> None:
    parts = [part.split(b":") for part in uid_set(sorted(uids, reverse=True)).split(b",")]
    assert spread([(int(part[0]), int(part[-1])) for part in parts]) == uids


KNOWN = KnownScope(Scope("INBOX", "1000.2"))
CANARIES = Memory(uid_next=50, canaries=((49, "a", 100), (48, "b", 200)))


@pytest.mark.parametrize(
    ("uid_validity", "uid_next", "seen", "has_ended"),
    [
        (1000, 50, {49: ("a", 100), 48: ("b", 200)}, False),
        (1000, 60, {49: ("a", 100)}, False),
        (1000, 50, {}, False),
        (1000, None, {}, False),
        (1001, 50, {49: ("a", 100)}, True),
        (1000, 49, {}, True),
        (1000, 50, {49: ("z", 100), 48: ("b", 200)}, True),
        (1000, 50, {49: ("a", 101), 48: ("b", 200)}, False),
        (1000, 50, {49: ("a", 101), 48: ("b", 201)}, True),
    ],
)
def test_when_an_epoch_has_ended(
    uid_validity: int, uid_next: int | None, seen: dict[int, tuple[str, int]], has_ended: bool
) -> None:
    assert has_epoch_ended(KNOWN, CANARIES, uid_validity, uid_next, seen) is has_ended


def test_what_is_remembered_survives_the_way_through_json() -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    memory = (
        Memory(9, ((8, "a", 1),), 2, (at.isoformat(),), {"5": at.isoformat()}, (4, 5)).with_loss(4, at).with_loss(4, at)
    )
    again = Memory.read(KnownScope(Scope("INBOX", "7.2"), state=memory.write()))
    assert again == memory
    assert again.is_killer(4, at + timedelta(hours=5))
    assert not again.is_killer(4, at + timedelta(hours=7))


def test_a_lost_memory_still_knows_its_turn() -> None:
    assert Memory.read(KnownScope(Scope("INBOX", "7.3"))).turn == 3


def test_absence_needs_a_minute() -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    assert absences([1, 2], {2}, Memory(), at) == ([], {"1": at.isoformat()})
    memory = Memory(absent={"1": at.isoformat()})
    assert absences([1], set(), memory, at + timedelta(seconds=59)) == ([], {"1": at.isoformat()})
    assert absences([1], set(), memory, at + timedelta(seconds=60)) == ([1], {})
    assert absences([1], {1}, memory, at + timedelta(days=1)) == ([], {})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"17-Jul-1996 02:44:25 -0700", datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC)),
        (b" 1-Feb-2026 23:00:00 +0530", datetime(2026, 2, 1, 17, 30, tzinfo=UTC)),
        (b"31-Dec-2016 23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"32-Dec-2016 23:59:60 +0000", None),
        (b"nonsense", None),
        (b"01-Jan-0001 00:00:00 +2300", None),
    ],
)
def test_internal_dates(text: bytes, wanted: datetime | None) -> None:
    assert read_internal_date(text) == wanted
