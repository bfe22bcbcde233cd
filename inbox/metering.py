"""The durable meter of one account (connectors.metering.Meter): what calls use up of limits and of the owner's budget.

    reserve ── counts at once, under the lock of the budget's row: two processes never exceed a hard stop together
    the call
    settle ─── what was used takes the place of what was reserved

A crash between the two leaves the reservation counted: too much is on the safe side. Days and months are UTC, as the
platforms count them; the price is that of the day on which it was reserved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from connectors.base import Speaks
from connectors.metering import BudgetReached
from connectors.registry import card_of, kinds
from connectors.social import Outline, Price, Window
from inbox import budgets, prices, windows
from inbox.leases import database_now
from inbox.models import Account
from inbox.rules import metering as rules
from inbox.sql import insert, is_sqlite, moment
from inbox.transactions import retried

_KEEP_SECONDS = 60.0  # prices, and who keeps shared limits, are looked up that often at most
_COLUMNS = "account_id day resource count micros reserved reserved_micros reserved_at"
_ADD = (
    "ON CONFLICT (account_id, day, resource) DO UPDATE SET reserved = inbox_spend.reserved + EXCLUDED.reserved,"
    " reserved_micros = inbox_spend.reserved_micros + EXCLUDED.reserved_micros, reserved_at = EXCLUDED.reserved_at"
)


@dataclass(frozen=True, slots=True)
class _Open:
    """A reservation that is not settled yet."""

    day: date
    count: int
    price: int


def meter_of(account: Account) -> AccountMeter | None:
    """The meter to build an account's connector with; None for kinds without limits to keep."""
    if account.kind not in kinds() or not card_of(account.kind).is_social:
        return None
    return AccountMeter(account)


def clock() -> datetime:
    """The database's: hosts whose clocks differ spend from the same day."""
    return datetime.now(UTC) if is_sqlite() else database_now()


class AccountMeter:
    """Serves one connector on one thread at a time; any number of them may serve an account at once."""

    def __init__(self, account: Account, clock: Callable[[], datetime] = clock) -> None:
        self._id, self._kind, self._settings, self._clock = account.id, account.kind, account.settings, clock
        self._label = account.name
        known = prices.find_list(account.kind)
        self._is_priced = known is not None
        self._same_as = known.same_as if known else {}
        self._open: dict[str, list[_Open]] = {}
        self._prices: tuple[float, date, dict[str, prices.PriceHeld]] | None = None
        self._keeper: tuple[float, int] | None = None

    # --- Limits -----------------------------------------------------------------------------------------------------

    def open(self, endpoint: str) -> None:
        quotas = windows.quotas_of(self._kind, endpoint)
        keeper = self._keeper_id() if any(one.is_shared for one in quotas) else self._id
        windows.take(self._id, keeper, endpoint, quotas, self._clock())

    def note(self, endpoint: str, windows_: Sequence[Window], refused_for: timedelta | None = None) -> None:
        windows.record(self._id, endpoint, windows_, refused_for, self._clock())

    def _keeper_id(self) -> int:
        if self._keeper is None or time.monotonic() - self._keeper[0] > _KEEP_SECONDS:
            self._keeper = time.monotonic(), windows.find_keeper(self._id, self._kind, self._settings)
        return self._keeper[1]

    # --- Money ------------------------------------------------------------------------------------------------------

    def reserve(self, resource: str, most: int) -> int:
        if not self._is_priced:
            return most
        now = self._clock()
        day = rules.day_of(now)
        price = self._price(resource, day)
        count = retried(lambda: self._reserve(resource, most, price, now))
        self._open.setdefault(resource, []).append(_Open(day, count, price))
        return count

    def _reserve(self, resource: str, most: int, price: int, now: datetime) -> int:
        count, refusal = most, None
        with transaction.atomic():
            budget = budgets.find_locked(self._id) if price else None
            if budget is not None:
                purse = budgets.purse_of(budget, self._one_answer(), now)
                count = purse.units(resource, price, most)
                refusal = None if count else budgets.refusal_of(purse, self._label, resource, price)
            if refusal is None:
                self._add(resource, rules.day_of(now), count, price, now)
            elif isinstance(refusal, BudgetReached) and refusal.after and rules.is_reading(resource):
                budgets.note_stop(self._id, now + refusal.after)
        if refusal is not None:
            raise refusal
        return count

    def _one_answer(self) -> int:
        held = self._held(rules.day_of(self._clock())).values()
        return min((one.micros for one in held if one.resource.endswith(".create")), default=0)

    def settle(self, resource: str, reserved: int, used: int, ids: Sequence[str] = ()) -> None:
        if not self._is_priced:
            return
        now = self._clock()
        open_ = self._find_open(resource, reserved, now)
        retried(lambda: self._settle(open_, used, ids, resource, now))

    def _find_open(self, resource: str, reserved: int, now: datetime) -> _Open:
        """The oldest reservation of that size that this meter made; one made elsewhere counts for today."""
        waiting = self._open.get(resource, [])
        for one in waiting:
            if one.count == reserved:
                waiting.remove(one)
                return one
        today = rules.day_of(now)
        return _Open(today, reserved, self._price(resource, today))

    def _settle(self, open_: _Open, used: int, ids: Sequence[str], resource: str, now: datetime) -> None:
        with transaction.atomic():
            budget = budgets.find_locked(self._id) if open_.price else None
            with connection.cursor() as cursor:
                if ids:
                    thing = self._same_as.get(resource, resource)
                    rows = [(self._id, open_.day, thing, one[:200]) for one in dict.fromkeys(ids)]
                    names = "account_id day resource item"
                    new = insert(cursor, "inbox_paiditem", names, rows, "ON CONFLICT DO NOTHING")
                    used = new + max(0, used - len(ids))
                self._take_place(cursor, open_, used, resource)
            if budget is not None and used:
                budgets.warn_if_soft(budget, now)

    def _take_place(self, cursor: CursorWrapper, open_: _Open, used: int, resource: str) -> None:
        """What was used instead of what was reserved. A reservation that nobody knows takes nothing away."""
        key = (self._id, open_.day, resource)
        less, less_micros = open_.count, open_.count * open_.price
        cursor.execute(
            "UPDATE inbox_spend SET count = count + %s, micros = micros + %s,"
            " reserved = CASE WHEN reserved > %s THEN reserved - %s ELSE 0 END,"
            " reserved_micros = CASE WHEN reserved_micros > %s THEN reserved_micros - %s ELSE 0 END"
            " WHERE account_id = %s AND day = %s AND resource = %s",
            (used, used * open_.price, less, less, less_micros, less_micros, *key),
        )
        if not cursor.rowcount:
            row = (*key, used, used * open_.price, 0, 0, None)
            insert(cursor, "inbox_spend", _COLUMNS, [row])

    def _add(self, resource: str, day: date, count: int, price: int, now: datetime) -> None:
        row = (self._id, day, resource, 0, 0, count, count * price, moment(now))
        with connection.cursor() as cursor:
            insert(cursor, "inbox_spend", _COLUMNS, [row], _ADD)

    # --- Prices -----------------------------------------------------------------------------------------------------

    def _held(self, day: date) -> dict[str, prices.PriceHeld]:
        if self._prices is None or self._prices[1] != day or time.monotonic() - self._prices[0] > _KEEP_SECONDS:
            self._prices = time.monotonic(), day, prices.prices_on(self._kind, day)
        return self._prices[2]

    def _price(self, resource: str, day: date) -> int:
        held = self._held(day).get(resource)
        return held.micros if held else 0


def price_of(account: Account, speaker: object, outline: Outline, now: datetime | None = None) -> Price | None:
    """What a reply would cost by the table as it holds today; `speaker` is the account's bare connector. Free: None."""
    told = speaker.price(outline) if isinstance(speaker, Speaks) else None
    if told is None or not told.resource:
        return told
    held = prices.prices_on(account.kind, rules.day_of(now or clock())).get(told.resource)
    return replace(told, micros=held.micros) if held else told
