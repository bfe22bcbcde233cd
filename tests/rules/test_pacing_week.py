"""A short form of the simulated week (benchmarks/pacing.py): the mean wait, refusals and sums, on a virtual clock."""

from __future__ import annotations

from benchmarks import pacing
from benchmarks.virtualweek import Place, Setting, bursty


def test_a_shared_limit_is_spent_where_most_arrives() -> None:
    week = pacing.played(pacing.one_limit_for_all(5, 2), 7, 2)

    assert pacing.ratio(week) <= 1.2
    assert week.platform.refused == 0
    assert week.staleness()[1] > 1_000


def test_a_budget_that_bursts_use_up_is_never_exceeded_and_lets_arrivals_wait_as_little_as_it_can() -> None:
    chance = pacing.random.Random(5)
    place = Place(1, "mentions", 60, pacing.MENTION, bursty(500, 2, 3, 6, chance))
    week = pacing.played(Setting([place], pacing.DAILY, sends={1: 40}), 7, 2)

    assert pacing.ratio(week) <= 1.2
    assert week.platform.refused == 0
    assert pacing.difference(week) == 0
    assert 0.9 * pacing.DAILY < max(week.platform.charged.values()) <= pacing.DAILY
    assert week.blocked <= 2  # of 80; nothing was known of the first day


def test_the_platform_of_this_simulation_does_refuse() -> None:
    week = pacing.played(pacing.one_day_s_window(5, 1), 7, 0.01)

    answers = [week.platform.call([("somebody", 2, 900)], 1_000.0) for _ in range(3)]

    assert [answer is None for answer in answers] == [False, False, True]
    assert week.platform.refused == 1
