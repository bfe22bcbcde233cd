"""When each scope of each social account is looked at again: the least mean wait of what arrives, within the limits.

An arrival waits on average half the pause between two looks. With arrivals at the rate λ and looks at the rate x, the
waiting is λ/(2x) a second; among scopes that share a limit Σx ≤ R the least is reached at x ∝ √(weight·λ). Scopes with
a limit of their own use it evenly: what is left of it, over what is left of its window. Looks that bring nothing cost
nothing (X charges for what is in an answer), so money does not set the pace: each thing is paid for once, whenever it
is read, and reading it at once is never dearer. Pure: `now` is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

FAST_SECONDS = 1_800.0  # how soon a burst counts, and is forgotten
SLOW_SECONDS = 2 * 86_400.0
ROOT_SECONDS = 86_400.0
FLOOR_RATE = 1 / 86_400  # arrivals a second: a quiet scope is thought to bring one thing a day
LONGEST_SECONDS = 900.0
CAPACITY = 4.0  # looks a second that this installation makes at social platforms, all accounts together
_STEPS = 50
_LEAST_SHARE, _MOST_SHARE = 0.25, 4.0  # of the even pace, while a day's window is shared out over its hours


# --- How busy -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Learnt:
    """How busy a scope is, in arrivals a second: `fast` and `slow` forget at different speeds; `root` is the mean of
    the square root of the rate over the last day. `since`: when it was first looked at."""

    fast: float = 0.0
    slow: float = 0.0
    root: float = 0.0
    since: datetime | None = None
    at: datetime | None = None

    def rate(self, now: datetime) -> float:
        """Expected arrivals a second."""
        if self.at is None or self.since is None:
            return FLOOR_RATE
        idle = max(0.0, (now - self.at).total_seconds())
        age = max(1.0, (now - self.since).total_seconds())
        fast = self.fast * math.exp(-idle / FAST_SECONDS) / -math.expm1(-max(age, 600.0) / FAST_SECONDS)
        slow = self.slow * math.exp(-idle / SLOW_SECONDS) / -math.expm1(-max(age, 600.0) / SLOW_SECONDS)
        return max(0.75 * fast + 0.25 * slow, FLOOR_RATE)


def learn(before: Learnt, arrived: int, now: datetime) -> Learnt:
    """After a look that brought `arrived` new things."""
    if before.at is None or before.since is None:
        return Learnt(since=now, at=now)  # what lay there at the first look says nothing about the pace
    idle = max(0.0, (now - before.at).total_seconds())
    fast = before.fast * math.exp(-idle / FAST_SECONDS) + arrived / FAST_SECONDS
    slow = before.slow * math.exp(-idle / SLOW_SECONDS) + arrived / SLOW_SECONDS
    now_known = Learnt(fast, slow, before.root, before.since, now)
    age = max((now - before.since).total_seconds(), 1.0)
    part = -math.expm1(-idle / min(ROOT_SECONDS, age))
    root = before.root + (math.sqrt(now_known.rate(now)) - before.root) * part
    return Learnt(fast, slow, root, before.since, now)


def plain(learnt: Learnt) -> dict[str, Any]:
    return {
        "fast": learnt.fast,
        "slow": learnt.slow,
        "root": learnt.root,
        "since": learnt.since.isoformat() if learnt.since else None,
        "at": learnt.at.isoformat() if learnt.at else None,
    }


def learnt_of(data: Mapping[str, Any]) -> Learnt:
    since, at = data.get("since"), data.get("at")
    return Learnt(
        float(data.get("fast") or 0.0),
        float(data.get("slow") or 0.0),
        float(data.get("root") or 0.0),
        datetime.fromisoformat(since) if since else None,
        datetime.fromisoformat(at) if at else None,
    )


# --- How often ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Allowance:
    """Calls that are left until a moment, of a window of so many seconds."""

    remaining: int
    until: datetime
    seconds: int


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope to look at. `groups`: names of limits that it shares with others."""

    key: tuple[int, str]  # account, place
    learnt: Learnt
    weight: float = 1.0
    soonest: float = 1.0  # seconds
    own: tuple[Allowance, ...] = ()
    groups: tuple[str, ...] = field(default=())


def pauses(
    scopes: Sequence[Scope], shared: Mapping[str, Allowance], now: datetime, capacity: float = CAPACITY
) -> dict[tuple[int, str], float]:
    """Seconds until each scope is looked at again, counted from a look at `now`."""
    wants = {one.key: math.sqrt(one.weight * one.learnt.rate(now)) for one in scopes}
    caps = {one.key: _own_pace(one, now) for one in scopes}
    paces = caps
    for name, allowance in shared.items():
        members = [one.key for one in scopes if name in one.groups]
        if members:
            left = _pace(allowance, now)
            paces = {**paces, **share({key: (wants[key], paces[key]) for key in members}, left)}
    paces = share({key: (wants[key], pace) for key, pace in paces.items()}, capacity)
    closed = {one.key: _closed_for(one, shared, now) for one in scopes}
    return {
        one.key: max(min(1 / max(paces[one.key], 1e-9), LONGEST_SECONDS), one.soonest, closed[one.key])
        for one in scopes
    }


def share(members: Mapping[tuple[int, str], tuple[float, float]], total: float) -> dict[tuple[int, str], float]:
    """Paces that add up to `total` at most, each in proportion to its want as far as its own cap lets it.

    `members`: key → (want, cap). Where the caps together stay below, everybody has its cap.
    """
    if sum(cap for _want, cap in members.values()) <= total:
        return {key: cap for key, (_want, cap) in members.items()}
    paces: dict[tuple[int, str], float] = {}
    left, rest = total, dict(members)
    while rest:
        unit = left / sum(want for want, _cap in rest.values())
        full = {key: cap for key, (want, cap) in rest.items() if cap <= want * unit}
        if not full:
            return {**paces, **{key: want * unit for key, (want, _cap) in rest.items()}}
        for key, cap in full.items():
            paces[key] = cap
            left -= cap
            del rest[key]
    return paces


def _own_pace(scope: Scope, now: datetime) -> float:
    """Looks a second that its own limits allow."""
    found = [1 / scope.soonest]
    for allowance in scope.own:
        pace = _pace(allowance, now)
        if allowance.seconds > 3_600 and scope.learnt.root > 0:
            # A long window is shared out over its hours in the same proportion as among scopes.
            share_now = math.sqrt(scope.learnt.rate(now)) / scope.learnt.root
            pace *= min(max(share_now, _LEAST_SHARE), _MOST_SHARE)
        found.append(pace)
    return min(found)


def _pace(allowance: Allowance, now: datetime) -> float:
    """What is left, and the first call of the next window, at even pauses."""
    left = (allowance.until - now).total_seconds()
    return (max(0, allowance.remaining) + 1) / left if left > 0 else math.inf


def _closed_for(scope: Scope, shared: Mapping[str, Allowance], now: datetime) -> float:
    mine = [*scope.own, *(shared[name] for name in scope.groups if name in shared)]
    return max(((one.until - now).total_seconds() for one in mine if one.remaining <= 0), default=0.0)


def fresh(calls: int, seconds: int, now: datetime) -> Allowance:
    """A window of which nothing has been used, or that was renewed: it begins with the next call."""
    return Allowance(calls, now + timedelta(seconds=seconds), seconds)


def find_due(due: Iterable[tuple[str, datetime | None, float]], now: datetime) -> frozenset[str]:
    """Which places to look at now; those that would be due a moment later come along. (place, due at, last pause)."""
    return frozenset(
        place for place, at, pause in due if at is None or (at - now).total_seconds() <= min(1.0, 0.05 * pause)
    )
