"""A simulated week of polling X: the mean wait of what arrives against the least possible, refusals, and the sums."""

from __future__ import annotations

import random

from benchmarks.bounds import least_waiting
from benchmarks.figures import Figure, at_most
from benchmarks.options import Options
from benchmarks.virtualweek import Place, Setting, Week, bursty

DAYS = 7
MENTION, DIRECT = 11_000, 20_000  # an owned read or a direct message, each with an author never read before
DAILY = 5_000_000


def three_accounts(seed: int, days: int = DAYS, answers: bool = False) -> Setting:
    """X's limits, $5 a day each. The first one is so busy that bursts use up its budget on some days."""
    chance = random.Random(seed)
    return Setting(
        [
            Place(1, "mentions", 300, MENTION, bursty(250, days, 6, 6, chance)),
            Place(2, "mentions", 300, MENTION, bursty(60, days, 4, 10, chance)),
            Place(2, "dms", 15, DIRECT, bursty(20, days, 4, 5, chance)),
            Place(3, "mentions", 300, MENTION, bursty(20, days, 4, 10, chance)),
            Place(3, "dms", 15, DIRECT, bursty(10, days, 4, 5, chance)),
        ],
        DAILY,
        sends={1: 40, 2: 20, 3: 8} if answers else {},
    )


def one_limit_for_all(seed: int, days: int) -> Setting:
    """The same accounts where 60 looks in a quarter of an hour are all there is, without a budget."""
    chance = random.Random(seed)
    rates = [bursty(a_day, days, days, 6, chance) for a_day in (800, 80, 20)]
    places = [Place(number, "mentions", 60, MENTION, rate) for number, rate in enumerate(rates, 1)]
    return Setting(places, None, shared_calls=60)


def one_day_s_window(seed: int, days: int) -> Setting:
    """1,500 looks in 24 hours, by which nights must pay for days."""
    chance = random.Random(seed)
    return Setting([Place(1, "mentions", 300, MENTION, bursty(600, days, days, 6, chance), day_calls=1500)], None)


def played(setting: Setting, seed: int, days: float) -> Week:
    week = Week(setting, seed, int(days * 86_400))
    week.run()
    return week


def ratio(week: Week) -> float:
    return week.staleness()[0] / least_waiting(week)


def difference(week: Week) -> float:
    """Between what we counted and what the platform charged, in percent."""
    charged = week.charged()
    return 100 * abs(week.counted() - charged) / charged if charged else 0.0


def run(options: Options) -> list[Figure]:
    x = played(three_accounts(5), 7, DAYS)
    options.say("pacing: X played")
    answering = played(three_accounts(5, answers=True), 7, DAYS)
    options.say("pacing: X with answers played")
    shared, day = played(one_limit_for_all(5, DAYS), 7, DAYS), played(one_day_s_window(5, DAYS), 7, DAYS)
    weeks = (x, answering, shared, day)
    sent = len(answering.sends)
    return [
        at_most("pacing", "X, $5 a day, 3 accounts: mean wait / least possible", ratio(x), 1.2, "×", _note(x)),
        _apart("the two that no budget stops", x),
        at_most(
            "pacing",
            "with 68 answers a day: mean wait / least in hindsight",
            ratio(answering),
            1.5,
            "×",
            _note(answering),
        ),
        at_most("pacing", "answers that found no money", 100 * answering.blocked / sent, 1, "%", f"of {sent}"),
        at_most(
            "pacing", "one limit for 3 accounts: mean wait / least possible", ratio(shared), 1.2, "×", _note(shared)
        ),
        Figure("pacing", "a window of 24 hours: mean wait / least possible", ratio(day), "×", note=_note(day)),
        at_most("pacing", "refused calls, all weeks", sum(week.platform.refused for week in weeks), 0),
        at_most("pacing", "counted against charged", max(difference(x), difference(answering)), 1, "%"),
        at_most("pacing", "dearest day of an account", max(_dearest(x), _dearest(answering)), DAILY / 1e6, "$"),
    ]


def _note(week: Week) -> str:
    total, count = week.staleness()
    return f"{total / count:,.1f} s in the mean of {count:,}; {week.calls:,} looks, ${week.charged() / 1e6:,.2f}"


def _dearest(week: Week) -> float:
    return max(week.platform.charged.values(), default=0) / 1e6


def _apart(name: str, week: Week) -> Figure:
    """The accounts whose budget was never reached: there it is limits alone."""
    calm = [place for place in week.setting.places if place.account != 1]
    rest = Setting(calm, None)
    apart = Week(rest, week.seed, week.seconds)
    apart.waiting = {place.key: week.waiting[place.key] for place in calm}
    value = week.staleness(calm)[0] / least_waiting(apart)
    return at_most("pacing", f"{name}: mean wait / least possible", value, 1.2, "×")
