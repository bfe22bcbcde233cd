"""How often accounts are asked, and how soon a lost doorbell is opened again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from inbox.rules.polling import retry_seconds, seconds_between_polls


@pytest.mark.parametrize(
    ("settings", "is_heard", "seconds"),
    [({}, False, 60), ({}, True, 300), ({"poll_seconds": 3}, False, 3), ({"poll_seconds": 3}, True, 3)],
)
def test_rarely_where_somebody_listens_and_each_minute_elsewhere(
    settings: dict[str, int], is_heard: bool, seconds: int
) -> None:
    assert seconds_between_polls(settings, is_heard) == seconds


@given(some.integers(0, 10_000), some.floats(0, 1, exclude_max=True))
def test_f05_tried_for_ever_never_more_than_five_minutes_apart_and_never_at_once_for_all(
    failures: int, chance: float
) -> None:
    pause = retry_seconds(failures, chance)
    assert 0 <= pause <= 300
    assert pause <= 1 or failures > 1, "what was lost once is back within a second"
    assert failures < 9 or pause >= 150
    assert retry_seconds(failures, 0.0) < retry_seconds(failures, 0.9)
