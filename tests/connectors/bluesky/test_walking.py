"""Walking down a list whose cursors are times, as the network gives them: to the millisecond, and older only."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from connectors.bluesky.walking import Entry, Listed, Walk, _time_cursor
from connectors.simulators.web import utc_now


class Keyset:
    """Newest first, `size` a page; the cursor is the time of the last one, and what is not older is left out."""

    def __init__(self, groups: list[int], now: datetime, size: int) -> None:
        times = [now - timedelta(minutes=1, milliseconds=at) for at, count in enumerate(groups) for _ in range(count)]
        self.entries = [Entry(f"key {number}", at, {}) for number, at in enumerate(times)]
        self.size, self.calls = size, 0

    def ask(self, cursor: str) -> Listed:
        self.calls += 1
        left = [one for one in self.entries if not cursor or _time_cursor(one.at) < cursor]
        page = left[: self.size]
        return Listed(page, _time_cursor(page[-1].at) if page else "")


@pytest.mark.parametrize(
    "groups", [[1] * 12, [3, 4, 3], [4, 2, 4, 1], [5, 5], [1, 4, 4, 1]], ids=lambda groups: "-".join(map(str, groups))
)
def test_entries_of_one_millisecond_are_not_lost_where_a_page_ends(groups: list[int]) -> None:
    now = utc_now()
    listing = Keyset(groups, now, size=5)
    steps = list(Walk({}, now).steps(listing.ask))
    brought = [one.key for step in steps for one in step.fresh]
    assert brought == [one.key for one in listing.entries] and steps[-1].is_last
    assert listing.calls <= len(groups) + 3


def test_a_walk_that_was_left_within_a_millisecond_goes_on_within_it() -> None:
    now = utc_now()
    listing = Keyset([3, 4, 3], now, size=5)
    first = next(Walk({}, now).steps(listing.ask))
    rest = list(Walk(first.state, now).steps(listing.ask))
    brought = [one.key for step in (first, *rest) for one in step.fresh]
    assert brought == [one.key for one in listing.entries]


def test_a_whole_page_of_one_millisecond_holds_nothing_up() -> None:
    now = utc_now()
    listing = Keyset([9, 3], now, size=5)
    steps = list(Walk({}, now).steps(listing.ask))
    brought = {one.key for step in steps for one in step.fresh}
    assert {one.key for one in listing.entries[-3:]} <= brought and steps[-1].is_last


def test_a_cursor_that_is_no_time_is_given_back_as_it_came() -> None:
    now = utc_now()
    asked: list[str] = []

    def ask(cursor: str) -> Listed:
        asked.append(cursor)
        return Listed([Entry(f"key {len(asked)}", now, {})], f"3krev{len(asked)}" if len(asked) < 3 else "")

    list(Walk({}, now).steps(ask))
    assert asked == ["", "3krev1", "3krev2"]
