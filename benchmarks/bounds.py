"""The least mean wait that any schedule could reach in a setting of benchmarks/virtualweek.py.

Whoever knows every rate, but not the moments of a Poisson process, cannot do better than this; docs/performance.md has
the derivation. Three relaxations, each of which only lowers the bound: calls may be fractions, a look may stand at the
very end of a block at no cost, and money and limits are each looked at as if the other were without limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from benchmarks.virtualweek import BLOCK, START, Place, Setting, Week
from inbox.rules.pacing import share


def least_waiting(week: Week) -> float:
    """Seconds that all arrivals of this run must wait in the mean over its chance, day by day the larger of the two."""
    setting, days = week.setting, math.ceil(week.seconds / 86_400)
    looks = looking(setting, week.seconds)
    total = 0.0
    for account in {place.account for place in setting.places}:
        mine = [place for place in setting.places if place.account == account]
        for day in range(days):
            by_limits = sum(looks[place.key][day] for place in mine)
            by_money = sum(paying(week, place)[day] for place in mine) if len(mine) == 1 else 0.0
            total += max(by_limits, by_money)
    return total


def looking(setting: Setting, seconds: int) -> dict[tuple[int, str], list[float]]:
    """Per place and day, what limits alone make arrivals wait: λL²/2(n+1) in a block of L seconds with n looks."""
    blocks = seconds // BLOCK
    calls = {place.key: [float(place.calls)] * blocks for place in setting.places}
    if setting.shared_calls:
        for block in range(blocks):
            # One more each, because the bound is over n + 1: what Σ(n+1) ≤ shared + places allows.
            members = {
                place.key: (math.sqrt(place.rates[block]) or 1e-9, place.calls + 1.0) for place in setting.places
            }
            for key, pace in share(members, setting.shared_calls + len(members)).items():
                calls[key][block] = pace - 1
    for place in setting.places:
        if place.day_calls:
            _share_days(place, calls[place.key])
    days: dict[tuple[int, str], list[float]] = {}
    for place in setting.places:
        sums = [0.0] * math.ceil(seconds / 86_400)
        for block in range(blocks):
            waits = place.rates[block] * BLOCK**2 / (2 * (max(calls[place.key][block], 0) + 1))
            sums[block * BLOCK // 86_400] += waits
        days[place.key] = sums
    return days


def _share_days(place: Place, calls: list[float]) -> None:
    for first in range(0, len(calls), 96):
        span = range(first, min(first + 96, len(calls)))
        members = {(block, ""): (math.sqrt(place.rates[block]) or 1e-9, calls[block] + 1) for block in span}
        for (block, _name), pace in share(members, place.day_calls + len(members)).items():
            calls[block] = pace - 1


def paying(week: Week, place: Place) -> Sequence[float]:
    """Per day, what money alone makes the arrivals of this run wait: each is read as it comes until the day's money,
    less what answers cost that day, is spent. For one price nothing reads more by any moment, so nothing waits less.
    """
    days = math.ceil(week.seconds / 86_400)
    if week.setting.daily is None:
        return [0.0] * days
    moments = week.waiting[place.key].arrivals
    sums, queue, number = [0.0] * days, [], 0
    for day in range(days):
        begin, end = day * 86_400.0, min((day + 1) * 86_400.0, week.seconds)
        date = (START + timedelta(days=day)).date()
        left = (week.setting.daily - week.sent.get((place.account, date), 0)) // place.price
        kept = queue[left:]
        left -= len(queue) - len(kept)
        queue = kept
        sums[day] += len(queue) * (end - begin)
        while number < len(moments) and moments[number] < end:
            if left > 0:
                left -= 1
            else:
                queue.append(moments[number])
                sums[day] += end - moments[number]
            number += 1
    return sums
