"""What a budget allows: pure, with `now` as an argument. Sums are in millionths of a US dollar, days and months UTC."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

DAILY_MICROS, MONTHLY_MICROS = 5_000_000, 50_000_000
"""What is proposed for an account of a kind that charges: a surprise costs no more than a lunch."""
_LEAST_KEPT = 0.03  # of a budget: so much reading leaves at the beginning of a day where no answer was sent yet
_MOST_KEPT = 0.5
_SPREAD = 2.0  # answers come as they like: so many standard deviations more than are expected
ANSWERS_OF = timedelta(days=7)  # answers will cost what they cost in the last week
UNDER_WAY = timedelta(minutes=10)  # an older reservation was left by a crash


def is_reading(resource: str) -> bool:
    """Resources that are read end in `.read`; everything else is part of an answer."""
    return resource.endswith(".read")


def day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()


def next_day(now: datetime) -> datetime:
    return datetime.combine(day_of(now) + timedelta(days=1), time(), UTC)


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def next_month(now: datetime) -> datetime:
    first = (first_of_month(day_of(now)) + timedelta(days=32)).replace(day=1)
    return datetime.combine(first, time(), UTC)


def share_left(now: datetime, *, of_month: bool) -> float:
    """How much of the running day or month is still to come, in (0, 1]."""
    if not of_month:
        return (next_day(now) - now) / timedelta(days=1)
    begun = datetime.combine(first_of_month(day_of(now)), time(), UTC)
    return (next_month(now) - now) / (next_month(now) - begun)


def kept_for_answers(limit: int, sends: float, one: int, left: float) -> int:
    """Micros of a budget that reading leaves alone, so that answers can be sent until the end of its day or month.

    `sends`: what answers cost lately in such a time, `one`: what one answer costs, `left`: how much of the time is to
    come. It shrinks with the time; one answer is always kept, as far as half of the budget covers it.
    """
    number = sends * left / one if one else 0.0
    likely = sends * left + one * (1 + _SPREAD * math.sqrt(number))
    return int(min(max(_LEAST_KEPT * limit * left, likely), _MOST_KEPT * limit))


def units_within(limit: int | None, spent: int, kept: int, price: int, most: int) -> int:
    """How many units of `price` a limit still allows, 0 to `most`; None is no limit, and what is free has none."""
    if limit is None or price <= 0:
        return most
    return max(0, min(most, (limit - kept - spent) // price))


@dataclass(frozen=True, slots=True)
class Limit:
    """One of the two limits as it stands. `spent` includes `under_way`: reservations for calls being made just now."""

    is_month: bool
    micros: int | None
    spent: int
    under_way: int
    kept: int  # for answers: reading leaves it alone
    renewed_at: datetime

    @property
    def left(self) -> int | None:
        return None if self.micros is None else max(0, self.micros - self.spent)

    def units(self, price: int, most: int, *, is_reading: bool, is_settled: bool = False) -> int:
        """How many units of a price it allows, 0 to `most`. `is_settled`: as if nothing were under way."""
        spent = self.spent - self.under_way if is_settled else self.spent
        return units_within(self.micros, spent, self.kept if is_reading else 0, price, most)

    def is_soft(self, percent: int) -> bool:
        return self.micros is not None and self.spent * 100 >= self.micros * percent


@dataclass(frozen=True, slots=True)
class Used:
    """What one resource used in one day: settled, and reserved."""

    day: date
    resource: str
    micros: int
    reserved_micros: int
    reserved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Purse:
    """Both limits of an account at one moment."""

    now: datetime
    day: Limit
    month: Limit

    @property
    def limits(self) -> tuple[Limit, Limit]:
        return self.day, self.month

    def units(self, resource: str, price: int, most: int) -> int:
        return min(limit.units(price, most, is_reading=is_reading(resource)) for limit in self.limits)

    def find_full(self, resource: str, price: int) -> Limit | None:
        """The limit that stops it for the longest time; None when only calls under way take up what is left."""
        full = [one for one in self.limits if not one.units(price, 1, is_reading=is_reading(resource), is_settled=True)]
        return max(full, key=lambda one: one.renewed_at, default=None)


def counted_from(now: datetime) -> date:
    """The first day of which `purse_of` wants to know."""
    today = day_of(now)
    return min(first_of_month(today), today - ANSWERS_OF)


def purse_of(daily: int | None, monthly: int | None, rows: Iterable[Used], one_answer: int, now: datetime) -> Purse:
    """`rows` from `counted_from` on. `one_answer`: what an answer costs, so much is kept where there is room for it."""
    today = day_of(now)
    begins = {False: today, True: first_of_month(today)}
    spent, under_way, answers = {True: 0, False: 0}, {True: 0, False: 0}, Counter[date]()
    for row in rows:
        if row.day >= today - ANSWERS_OF:
            answers[row.day] += 0 if is_reading(row.resource) else row.micros
        is_young = row.reserved_at is not None and now - row.reserved_at < UNDER_WAY
        for is_month, begin in begins.items():
            if row.day >= begin:
                spent[is_month] += row.micros + row.reserved_micros
                under_way[is_month] += row.reserved_micros if is_young else 0
    a_day = _a_day(answers, today, now)

    def limit_of(micros: int | None, is_month: bool) -> Limit:
        sends = a_day * (30 if is_month else 1)
        left = share_left(now, of_month=is_month)
        kept = kept_for_answers(micros, sends, one_answer, left) if micros is not None else 0
        renewed_at = next_month(now) if is_month else next_day(now)
        return Limit(is_month, micros, spent[is_month], under_way[is_month], kept, renewed_at)

    return Purse(now, limit_of(daily, False), limit_of(monthly, True))


def _a_day(answers: Mapping[date, int], today: date, now: datetime) -> float:
    """What answers cost in a day: in the mean of the days before, or at the pace of today when that is more."""
    before = [micros for day, micros in answers.items() if day < today]
    mean = sum(before) / len(before) if before else 0.0
    gone = 1 - share_left(now, of_month=False)
    return max(mean, answers.get(today, 0) / max(gone, 0.25))
