from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.rules import pacing
from inbox.rules.pacing import Allowance, Learnt, Scope, learn, pauses, share

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
QUARTER = 900


def busy(per_hour: float) -> Learnt:
    rate = per_hour / 3600
    return Learnt(rate, rate, rate**0.5, NOW - timedelta(days=30), NOW)


def scope(account: int, per_hour: float = 10, calls: int = 299, left: float = QUARTER, **more: object) -> Scope:
    own = (Allowance(calls, NOW + timedelta(seconds=left), QUARTER),)
    return Scope((account, "notes"), busy(per_hour), own=own, **more)  # type: ignore[arg-type]


def test_what_is_left_of_a_window_is_used_evenly_until_the_first_call_of_the_next() -> None:
    assert pauses([scope(1)], {}, NOW) == {(1, "notes"): pytest.approx(3)}
    assert pauses([scope(1, calls=9, left=100)], {}, NOW) == {(1, "notes"): pytest.approx(10)}
    assert pauses([scope(1, calls=0, left=100)], {}, NOW) == {(1, "notes"): pytest.approx(100)}


def test_a_shared_limit_goes_by_the_square_root_of_how_busy_each_is() -> None:
    shared = {"app": Allowance(89, NOW + timedelta(seconds=QUARTER), QUARTER)}
    scopes = [scope(1, 400, groups=("app",)), scope(2, 100, groups=("app",)), scope(3, 100, groups=("app",))]

    found = pauses(scopes, shared, NOW)

    assert [found[n, "notes"] for n in (1, 2, 3)] == pytest.approx([20, 40, 40])


def test_nobody_is_looked_at_sooner_than_is_polite_or_later_than_a_quarter_of_an_hour() -> None:
    quiet = Scope((1, "notes"), Learnt(), own=(Allowance(1, NOW + timedelta(hours=20), 86_400),))
    assert pauses([quiet], {}, NOW) == {(1, "notes"): pacing.LONGEST_SECONDS}
    assert pauses([scope(1, calls=3000, soonest=15)], {}, NOW) == {(1, "notes"): 15}


def test_many_accounts_share_what_this_installation_can_do() -> None:
    found = pauses([scope(n, 10 if n else 1000) for n in range(101)], {}, NOW, capacity=2)

    assert sum(1 / pause for pause in found.values()) == pytest.approx(2)
    assert found[0, "notes"] == pytest.approx(found[1, "notes"] / 10)


def test_a_window_of_a_day_is_kept_for_the_busy_hours() -> None:
    day = (Allowance(959, NOW + timedelta(days=1), 86_400),)
    learnt = busy(10)
    quiet = Learnt(learnt.fast / 4, learnt.slow / 4, learnt.root, learnt.since, NOW)
    burst = Learnt(learnt.fast * 4, learnt.slow * 4, learnt.root, learnt.since, NOW)
    found = pauses([Scope((n, "notes"), one, own=day) for n, one in enumerate((quiet, learnt, burst))], {}, NOW)

    assert [found[n, "notes"] for n in range(3)] == pytest.approx([180, 90, 45], rel=0.01)


def test_the_pace_follows_a_burst_within_half_an_hour_and_forgets_it() -> None:
    known, now = Learnt(), NOW
    for _ in range(24 * 60):
        known, now = learn(known, 1 if now.minute == 0 else 0, now), now + timedelta(minutes=1)
    calm = known.rate(now) * 3600
    for _ in range(30):
        known, now = learn(known, 2, now), now + timedelta(minutes=1)
    burst = known.rate(now) * 3600
    for _ in range(180):
        known, now = learn(known, 0, now), now + timedelta(minutes=1)

    assert 0.2 < calm < 3
    assert 40 < burst < 150
    assert known.rate(now) * 3600 < 10
    assert pacing.learnt_of(pacing.plain(known)) == known


amounts = st.floats(0.001, 1000)


@given(st.dictionaries(st.tuples(st.integers(0, 9), st.just("a")), st.tuples(amounts, amounts), min_size=1), amounts)
def test_shares_keep_every_cap_use_all_there_is_and_no_exchange_would_help(members: dict, total: float) -> None:  # type: ignore[type-arg]
    paces = share(members, total)

    assert paces.keys() == members.keys()
    assert all(0 < paces[key] <= cap * (1 + 1e-9) for key, (_want, cap) in members.items())
    assert sum(paces.values()) == pytest.approx(min(total, sum(cap for _want, cap in members.values())), rel=1e-6)
    # The waiting that one more look a second would save, want²/pace², is the same for all who are below their caps.
    below = [want / paces[key] for key, (want, cap) in members.items() if paces[key] < cap * (1 - 1e-6)]
    at_cap = [want / paces[key] for key, (want, cap) in members.items() if paces[key] >= cap * (1 - 1e-6)]
    assert not below or max(below) == pytest.approx(min(below), rel=1e-3)
    assert not below or all(one >= max(below) * (1 - 1e-3) for one in at_cap)
