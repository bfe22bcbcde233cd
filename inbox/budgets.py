"""What an account may cost, what it has cost, and when somebody is told.

No limit is the beginning. From a share of a limit on somebody is told, once a day. At the limit everything stops until
the next day or month (UTC). Reading stops a little earlier, so that answers can still be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from connectors.base import RetryLater
from connectors.metering import BudgetReached
from inbox import changes
from inbox.changes import Live
from inbox.models import Account, Budget, PaidItem, Spend
from inbox.people import Actor, audit
from inbox.rules import metering as rules
from inbox.rules.states import AccountState

MOST_MICROS = 1_000_000_000_000
_ANSWERS_OF = timedelta(days=7)  # answers will cost what they cost in the last week
_UNDER_WAY = timedelta(minutes=10)  # an older reservation was left by a crash
_SOON = timedelta(seconds=20)


class BudgetProblem(Exception):
    """str() is one sentence for the person who entered it."""


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
        return rules.units_within(self.micros, spent, self.kept if is_reading else 0, price, most)


@dataclass(frozen=True, slots=True)
class State:
    account: str  # its name
    now: datetime
    day: Limit
    month: Limit

    @property
    def limits(self) -> tuple[Limit, Limit]:
        return self.day, self.month

    def units(self, resource: str, price: int, most: int) -> int:
        is_reading = rules.is_reading(resource)
        return min(limit.units(price, most, is_reading=is_reading) for limit in self.limits)

    def refusal(self, resource: str, price: int) -> RetryLater:
        """Why not even one unit was allowed."""
        is_reading = rules.is_reading(resource)
        full = [one for one in self.limits if not one.units(price, 1, is_reading=is_reading, is_settled=True)]
        if not full:
            return RetryLater(_("Another call is using what is left of the budget just now."), _SOON)
        limit = max(full, key=lambda one: one.renewed_at)
        sentence = sentence_of(self.account, limit, is_reading=is_reading)
        return BudgetReached(sentence, limit.renewed_at - self.now)


def dollars(micros: int) -> str:
    """Such as $5.00 or $0.015: as many digits as it takes, two at least."""
    text = f"{micros / 1_000_000:.6f}".rstrip("0")
    whole, _dot, part = text.partition(".")
    return f"${whole}.{part:0<2}"


def sentence_of(account: str, limit: Limit, *, is_reading: bool) -> str:
    words = {"account": account, "limit": dollars(limit.micros or 0), "until": f"{limit.renewed_at:%-d %B, %H:%M}"}
    if limit.is_month:
        first = _("The monthly budget of %(account)s (%(limit)s) is used up until %(until)s UTC.")
    else:
        first = _("The daily budget of %(account)s (%(limit)s) is used up until %(until)s UTC.")
    if is_reading and limit.kept and (limit.left or 0) > 0:
        if limit.is_month:
            first = _(
                "Reading has used its part of the monthly budget of %(account)s (%(limit)s) and waits until"
                " %(until)s UTC; the rest is kept for answers."
            )
        else:
            first = _(
                "Reading has used its part of the daily budget of %(account)s (%(limit)s) and waits until"
                " %(until)s UTC; the rest is kept for answers."
            )
    last = _("To go on now, raise it under Settings, Mailboxes, %(account)s, Budget and spending.")
    return f"{first} {last}" % words


# --- While calls are made -------------------------------------------------------------------------------------------


def find_locked(account_id: int) -> Budget | None:
    """The budget, held by the running transaction; None where nothing is limited, and nobody needs to wait."""
    budget = Budget.objects.select_for_update().filter(account_id=account_id).first()
    return budget if budget and _is_limited(budget) else None


def _is_limited(budget: Budget) -> bool:
    return budget.daily_micros is not None or budget.monthly_micros is not None


def state_of(budget: Budget, account: str, one_answer: int, now: datetime) -> State:
    """One statement. `one_answer`: what an answer costs, so much is always kept where a limit has room for it."""
    today = rules.day_of(now)
    first = rules.first_of_month(today)
    since = min(first, today - _ANSWERS_OF)
    rows = Spend.objects.filter(account_id=budget.account_id, day__gte=since).values_list(
        "day", "resource", "micros", "reserved_micros", "reserved_at"
    )
    spent, under_way, answers = {True: 0, False: 0}, {True: 0, False: 0}, 0
    for day, resource, micros, reserved, reserved_at in rows:
        if day < today and day >= today - _ANSWERS_OF and not rules.is_reading(resource):
            answers += micros
        is_young = reserved_at is not None and now - reserved_at < _UNDER_WAY
        for is_month in (False, True):
            if day >= (first if is_month else today):
                spent[is_month] += micros + reserved
                under_way[is_month] += reserved if is_young else 0
    daily = answers / _ANSWERS_OF.days
    limits: list[Limit] = []
    for is_month, limit in ((False, budget.daily_micros), (True, budget.monthly_micros)):
        left = rules.share_left(now, of_month=is_month)
        sends = daily * 30 if is_month else daily
        kept = rules.kept_for_answers(limit, sends, one_answer, left) if limit is not None else 0
        renewed_at = rules.next_month(now) if is_month else rules.next_day(now)
        limits.append(Limit(is_month, limit, spent[is_month], under_way[is_month], kept, renewed_at))
    return State(account, now, *limits)


def note_stop(account_id: int, until: datetime) -> None:
    """Reading waits for this renewal: said on the health page."""
    Budget.objects.filter(account_id=account_id).exclude(stopped_until=until).update(stopped_until=until)


def warn_if_soft(budget: Budget, account: str, now: datetime) -> bool:
    """Inside the transaction that counted: tells whoever looks on, once a day, that a soft limit was passed."""
    today = rules.day_of(now)
    if budget.soft_told_on is not None and budget.soft_told_on >= today:
        return False
    state = state_of(budget, account, 0, now)
    if not any(is_soft(limit, budget.soft_percent) for limit in state.limits):
        return False
    Budget.objects.filter(account_id=budget.account_id).update(soft_told_on=today)
    event = Live("account", budget.account_id, (budget.account_id,), {"budget": "soft"})
    changes.announce(now=now, events=[event])
    return True


def is_soft(limit: Limit, percent: int) -> bool:
    return limit.micros is not None and limit.spent * 100 >= limit.micros * percent


# --- For people -----------------------------------------------------------------------------------------------------


def find_budget(account_id: int) -> Budget:
    """The budget as it is, unsaved where nobody has set one."""
    return Budget.objects.filter(account_id=account_id).first() or Budget(account_id=account_id)


def change(
    account_id: int,
    *,
    daily_micros: int | None,
    monthly_micros: int | None,
    soft_percent: int,
    actor: Actor,
    now: datetime,
) -> None:
    """Sets both limits (None: no limit). What waited for a renewal is tried again at once. Raises BudgetProblem."""
    for micros in (daily_micros, monthly_micros):
        if micros is not None and not 0 <= micros <= MOST_MICROS:
            raise BudgetProblem(_("A budget is a sum in dollars, $0 or more; leave it empty for no limit."))
    if not 1 <= soft_percent <= 100:
        raise BudgetProblem(_("The warning comes at 1 to 100 percent."))
    fresh = {
        "daily_micros": daily_micros,
        "monthly_micros": monthly_micros,
        "soft_percent": soft_percent,
    }
    with transaction.atomic():
        Account.objects.select_for_update().get(id=account_id)
        before = find_budget(account_id)
        old = {name: getattr(before, name) for name in fresh}
        if old == fresh:
            return
        Budget.objects.update_or_create(
            account_id=account_id,
            defaults={**fresh, "changed_at": now, "stopped_until": None, "soft_told_on": None},
        )
        audit("budget.change", f"account:{account_id}", actor, now, {"from": old, "to": fresh})
        waiting = Account.objects.filter(id=account_id, next_poll_at__gt=now)
        if before.stopped_until is not None and before.stopped_until > now:
            waiting.filter(state__in=(AccountState.OK, AccountState.RETRYING)).update(next_poll_at=now)


def find_stopped(account_ids: Sequence[int], now: datetime) -> dict[int, datetime]:
    """Accounts whose reading waits for a renewal of their budget, and until when."""
    rows = Budget.objects.filter(account_id__in=account_ids, stopped_until__gt=now)
    return {account_id: until for account_id, until in rows.values_list("account_id", "stopped_until") if until}


def prune(before: date) -> None:
    """Forgets which single things were paid for on days that are over; the sums stay."""
    PaidItem.objects.filter(day__lt=before).delete()
