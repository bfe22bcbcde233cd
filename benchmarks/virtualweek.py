"""A week on a virtual clock: the plan, windows and purse of inbox/rules against a platform with limits and prices.

Nothing here knows more than the real thing: the plan sees what its looks brought, the platform's answers say what is
left of a window. The platform is strict: what is over a limit is refused and counted, what is read is charged once a
UTC day. docs/performance.md derives the bound that `bound` computes.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from connectors.social import Window
from inbox.rules import metering, pacing, windows
from inbox.rules.metering import Used
from inbox.rules.pacing import Allowance, Learnt, Scope

START = datetime(2026, 11, 23, tzinfo=UTC)  # a Monday
BLOCK = 900  # seconds: rates are constant within a quarter of an hour
OVERLAP = timedelta(minutes=30)
PAGE = 100


@dataclass(frozen=True)
class Place:
    """One scope of one account. `rates`: arrivals a second in each block; `price`: of one thing read."""

    account: int
    name: str
    calls: int  # in a quarter of an hour
    price: int
    rates: list[float]
    soonest: float = 3.0
    day_calls: int = 0  # in 24 hours; 0: no such limit

    @property
    def key(self) -> tuple[int, str]:
        return self.account, self.name


@dataclass
class Setting:
    """`shared_calls`: in a quarter of an hour, for all places together; 0: no such limit."""

    places: list[Place]
    daily: int | None  # micros, for each account
    shared_calls: int = 0
    sends: dict[int, float] = field(default_factory=dict)  # account → answers a day
    send_price: int = 15_000


@dataclass
class Stand:
    """As a row of EndpointWindow."""

    seconds: int
    calls: int = 0
    remaining: int = 0
    resets_at: datetime | None = None
    refused_until: datetime | None = None
    refusals: int = 0
    waited: int = 0


# --- The platform ---------------------------------------------------------------------------------------------------


@dataclass
class Platform:
    """Windows begin with their first call. `charged`: micros by account and UTC day."""

    refused: int = 0
    charged: dict[tuple[int, date], int] = field(default_factory=dict)
    _windows: dict[tuple[object, int], list[float]] = field(default_factory=dict)  # begun, used
    _paid: set[tuple[date, str]] = field(default_factory=set)

    def call(self, limits: list[tuple[object, int, int]], now: float) -> list[Window] | None:
        """`limits`: (who, calls, seconds). What is left of each; None when it refuses."""
        held = []
        for who, _calls, seconds in limits:
            kept = self._windows.setdefault((who, seconds), [now, 0])
            if now >= kept[0] + seconds:
                kept[:] = [now, 0]
            held.append(kept)
        if any(kept[1] >= calls for kept, (_who, calls, _seconds) in zip(held, limits, strict=True)):
            self.refused += 1
            return None
        for kept in held:
            kept[1] += 1
        return [
            Window(calls, int(calls - kept[1]), at(math.floor(kept[0] + seconds) + 1), seconds)
            for kept, (_who, calls, seconds) in zip(held, limits, strict=True)
        ]

    def charge(self, account: int, item: str, price: int, now: float) -> None:
        day = at(now).date()
        if (day, item) not in self._paid:
            self._paid.add((day, item))
            self.charged[account, day] = self.charged.get((account, day), 0) + price


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


# --- Our side -------------------------------------------------------------------------------------------------------


@dataclass
class Purse:
    """What inbox/metering.py keeps in rows."""

    daily: int | None
    used: dict[tuple[date, str], int] = field(default_factory=dict)
    seen: set[tuple[date, str]] = field(default_factory=set)

    def units(self, resource: str, price: int, most: int, one_answer: int, now: datetime) -> int:
        if self.daily is None:
            return most
        first = metering.counted_from(now)
        rows = [Used(day, name, micros, 0, None) for (day, name), micros in self.used.items() if day >= first]
        return metering.purse_of(self.daily, None, rows, one_answer, now).units(resource, price, most)

    def settle(self, resource: str, price: int, items: list[str], now: datetime) -> None:
        day = metering.day_of(now)
        new = [one for one in items if (day, one) not in self.seen]
        self.seen.update((day, one) for one in new)
        self.used[day, resource] = self.used.get((day, resource), 0) + price * len(new)


@dataclass
class Waiting:
    """What lies at one place: arrived, and read at which moment."""

    arrivals: list[float]
    arrived: int = 0
    unread: list[int] = field(default_factory=list)
    read_at: dict[int, float] = field(default_factory=dict)
    recent: list[int] = field(default_factory=list)

    def upto(self, now: float) -> None:
        while self.arrived < len(self.arrivals) and self.arrivals[self.arrived] <= now:
            self.unread.append(self.arrived)
            self.recent.append(self.arrived)
            self.arrived += 1
        oldest = now - OVERLAP.total_seconds()
        while self.recent and self.arrivals[self.recent[0]] < oldest:
            self.recent.pop(0)


@dataclass
class Week:
    """One run. `run` plays it to its end; the rest reads what became of it."""

    setting: Setting
    seed: int
    seconds: int
    platform: Platform = field(default_factory=Platform)
    calls: int = 0

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self.waiting = {
            one.key: Waiting(list(arrivals(one.rates, self.seconds, chance))) for one in self.setting.places
        }
        self.learnt = {one.key: Learnt() for one in self.setting.places}
        self.stands: dict[object, dict[int, Stand]] = {}
        self.purses = {one.account: Purse(self.setting.daily) for one in self.setting.places}
        self.sends = sorted(
            (chance.uniform(0, self.seconds), account)
            for account, a_day in self.setting.sends.items()
            for _ in range(round(a_day * self.seconds / 86_400))
        )
        self.sent: dict[tuple[int, date], int] = {}
        self.blocked = 0

    def run(self) -> None:
        queue: list[tuple[float, int, int]] = [
            (0.001 * number, 0, number) for number in range(len(self.setting.places))
        ]
        queue += [(moment, 1, account) for moment, account in self.sends]
        heapq.heapify(queue)
        while queue:
            now, is_send, number = heapq.heappop(queue)
            if now >= self.seconds:
                return
            if is_send:
                self._send(number, now)
                continue
            place = self.setting.places[number]
            closed = self._look(place, now)
            pause = max(self._pause(place, now), closed)
            # A real loop wakes a little late.
            heapq.heappush(queue, (now + pause + 0.05, 0, number))

    def _limits(self, place: Place) -> list[tuple[object, int, int]]:
        found: list[tuple[object, int, int]] = [(place.key, place.calls, BLOCK)]
        if place.day_calls:
            found.append((place.key, place.day_calls, 86_400))
        if self.setting.shared_calls:
            found.append(("app", self.setting.shared_calls, BLOCK))
        return found

    def _held(self, place: Place) -> list[Stand]:
        return [
            self.stands.setdefault(who, {}).setdefault(seconds, Stand(seconds, calls, calls, START))
            for who, calls, seconds in self._limits(place)
        ]

    def _look(self, place: Place, now: float) -> float:
        """One look; for how long nothing can be read, 0 when it was read."""
        moment, purse, waiting = at(now), self.purses[place.account], self.waiting[place.key]
        held = self._held(place)
        until = windows.closed_until(held, moment)
        if until is not None:
            return (until - moment).total_seconds()
        resource = f"{place.name}.read"
        most = purse.units(resource, place.price, PAGE, self.setting.send_price, moment)
        if most < 1:
            return (metering.next_day(moment) - moment).total_seconds()
        for stand in held:
            windows.count(stand, moment)
        self.calls += 1
        said = self.platform.call(self._limits(place), now)
        if said is None:
            windows.refuse(held[0], timedelta(0), (), moment)
            return 0.0
        for stand, window in zip(held, said, strict=True):
            windows.learn(stand, window, moment)
        waiting.upto(now)
        brought = waiting.unread[::-1][:most]  # newest first
        again = [one for one in reversed(waiting.recent) if one not in brought][: most - len(brought)]
        for number in brought:
            waiting.read_at[number] = now
            waiting.unread.remove(number)
        names = [f"{place.account} {place.name} {number}" for number in (*brought, *again)]
        for name in names:
            self.platform.charge(place.account, name, place.price, now)
        purse.settle(resource, place.price, names, moment)
        self.learnt[place.key] = pacing.learn(self.learnt[place.key], len(brought), moment)
        return 0.0

    def _pause(self, place: Place, now: float) -> float:
        moment = at(now)
        shared: dict[str, Allowance] = {}
        scopes = []
        for one in self.setting.places:
            held = self._held(one)
            groups: tuple[str, ...] = ()
            if self.setting.shared_calls:
                shared["app"] = _allowance(held.pop(), moment)
                groups = ("app",)
            own = tuple(_allowance(stand, moment) for stand in held)
            scopes.append(Scope(one.key, self.learnt[one.key], 1.0, one.soonest, own, groups))
        return pacing.pauses(scopes, shared, moment)[place.key]

    def _send(self, account: int, now: float) -> None:
        moment, purse = at(now), self.purses[account]
        if purse.units("note.create", self.setting.send_price, 1, 0, moment) < 1:
            self.blocked += 1
            return
        purse.settle("note.create", self.setting.send_price, [f"answer {now}"], moment)
        self.platform.charge(account, f"answer {account} {now}", self.setting.send_price, now)
        key = account, moment.date()
        self.sent[key] = self.sent.get(key, 0) + self.setting.send_price

    # --- What became of it ------------------------------------------------------------------------------------------

    def staleness(self, places: list[Place] | None = None) -> tuple[float, int]:
        """(seconds that all arrivals waited, their number); what is unread at the end waited until then."""
        total, count = 0.0, 0
        for place in places or self.setting.places:
            waiting = self.waiting[place.key]
            count += len(waiting.arrivals)
            total += sum(
                waiting.read_at.get(number, self.seconds) - moment for number, moment in enumerate(waiting.arrivals)
            )
        return total, count

    def counted(self) -> int:
        return sum(sum(purse.used.values()) for purse in self.purses.values())

    def charged(self) -> int:
        return sum(self.platform.charged.values())


def _allowance(stand: Stand, now: datetime) -> Allowance:
    if stand.resets_at is not None and stand.resets_at > now:
        return Allowance(stand.remaining, stand.resets_at, stand.seconds)
    return pacing.fresh(stand.calls, stand.seconds, now)


def arrivals(rates: list[float], seconds: int, chance: random.Random) -> Iterator[float]:
    """Moments of a Poisson process whose rate is constant within each block."""
    for number, rate in enumerate(rates):
        moment = number * BLOCK
        while rate > 0:
            moment += chance.expovariate(rate)
            if moment >= min((number + 1) * BLOCK, seconds):
                break
            yield moment


def bursty(a_day: float, days: int, bursts: int, times: float, chance: random.Random) -> list[float]:
    """Busy by day, quiet by night, with bursts of one to three hours in which it is `times` as busy."""
    blocks = days * 96
    rates = []
    for number in range(blocks):
        hour = (number % 96) / 4
        rates.append(a_day / 86_400 * (1 + 0.85 * math.sin((hour - 9) / 24 * 2 * math.pi)))
    for _ in range(bursts):
        first, length = chance.randrange(blocks), chance.randint(4, 12)
        for number in range(first, min(first + length, blocks)):
            rates[number] *= times
    return rates
