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


def three_accounts(seed: int, days: int = DAYS) -> Setting:
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
        sends={1: 40, 2: 20, 3: 8},
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
    figures: list[Figure] = []
    settings = (
        ("X, $5 a day, 3 accounts", three_accounts(5), DAYS),
        ("one limit for 3 accounts", one_limit_for_all(5, DAYS), DAYS),
        ("a window of 24 hours", one_day_s_window(5, DAYS), DAYS),
    )
    for name, setting, days in settings:
        options.say(f"pacing: {name}, {days} days")
        week = played(setting, 7, days)
        total, count = week.staleness()
        note = f"{total / count:,.1f} s in the mean of {count:,}, {week.calls:,} looks"
        figures += [
            at_most("pacing", f"{name}: mean wait / least possible", ratio(week), 1.2, "×", note),
            at_most("pacing", f"{name}: refused calls", week.platform.refused, 0),
        ]
        if setting.daily is not None:
            charged = f"${week.charged() / 1e6:,.2f} charged"
            figures += [
                at_most("pacing", f"{name}: counted against charged", difference(week), 1, "%", charged),
                at_most("pacing", f"{name}: answers that found no money", week.blocked, 0),
                at_most("pacing", f"{name}: dearest day of an account", _dearest(week), setting.daily / 1e6, "$"),
            ]
            figures.append(_apart(name, week))
    return figures


def _dearest(week: Week) -> float:
    return max(week.platform.charged.values(), default=0) / 1e6


def _apart(name: str, week: Week) -> Figure:
    """The accounts whose budget was never reached: there it is limits alone."""
    calm = [place for place in week.setting.places if place.account != 1]
    rest = Setting(calm, None)
    apart = Week(rest, week.seed, week.seconds)
    apart.waiting = {place.key: week.waiting[place.key] for place in calm}
    value = week.staleness(calm)[0] / least_waiting(apart)
    return at_most("pacing", f"{name}: the two that no budget stops", value, 1.2, "×")
