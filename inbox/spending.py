"""What accounts have cost, for people: by resource, by day, and per conversation that was answered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, Q, Sum

from inbox import prices
from inbox.models import Account, Budget, Envelope, Spend
from inbox.rules import metering as rules
from inbox.rules.states import SendState

TREND_DAYS = 30


@dataclass(frozen=True, slots=True)
class Used:
    """One resource, today and in this month. `open_micros`: reserved today and never settled."""

    resource: str
    words: str
    today: int
    today_micros: int
    month: int
    month_micros: int
    open_micros: int


@dataclass(frozen=True, slots=True)
class Channel:
    """A manager's line: what an account cost this month, and what came of it."""

    account_id: int
    name: str
    kind: str
    micros: int  # of this month, reservations included
    answered: int  # conversations in this month
    days: tuple[tuple[date, int], ...]  # the last TREND_DAYS days, today last: (day, micros)
    monthly_micros: int | None

    @property
    def micros_each(self) -> int | None:
        """For one answered conversation; None without any."""
        return round(self.micros / self.answered) if self.answered else None


def by_resource(account: Account, now: datetime) -> list[Used]:
    """The dearest of the month first."""
    today = rules.day_of(now)
    is_today = Q(day=today)
    rows = (
        Spend.objects.filter(account_id=account.id, day__gte=rules.first_of_month(today))
        .values("resource")
        .annotate(
            today=Sum("count", filter=is_today, default=0),
            today_micros=Sum("micros", filter=is_today, default=0),
            month=Sum("count", default=0),
            month_micros=Sum("micros", default=0),
            open_micros=Sum("reserved_micros", filter=is_today, default=0),
        )
    )
    known = prices.find_list(account.kind)
    words = known.words if known else {}
    found = [Used(words=words.get(row["resource"], row["resource"]), **row) for row in rows]
    return sorted(found, key=lambda one: (-one.month_micros, one.resource))


def channels(accounts: Collection[Account], now: datetime) -> list[Channel]:
    """Those whose platform charges, or that have cost something lately; the dearest of the month first."""
    today = rules.day_of(now)
    first, since = rules.first_of_month(today), today - timedelta(days=TREND_DAYS - 1)
    ids = [account.id for account in accounts]
    days: dict[int, dict[date, int]] = {}
    rows = Spend.objects.filter(account_id__in=ids, day__gte=min(first, since))
    for account_id, day, micros, reserved in rows.values_list("account_id", "day", "micros", "reserved_micros"):
        kept = days.setdefault(account_id, {})
        kept[day] = kept.get(day, 0) + micros + reserved
    answered = _answered(ids, first)
    limits = dict(Budget.objects.filter(account_id__in=ids).values_list("account_id", "monthly_micros"))
    found = [
        Channel(
            account.id,
            account.name,
            account.kind,
            sum(micros for day, micros in days.get(account.id, {}).items() if day >= first),
            answered.get(account.id, 0),
            tuple((day, days.get(account.id, {}).get(day, 0)) for day in _span(since, today)),
            limits.get(account.id),
        )
        for account in accounts
        if account.id in days or prices.find_list(account.kind) is not None
    ]
    return sorted(found, key=lambda one: (-one.micros, one.name))


def _answered(account_ids: Collection[int], first: date) -> dict[int, int]:
    begun = datetime.combine(first, time(), UTC)
    sent = Envelope.objects.filter(account_id__in=account_ids, state=SendState.SENT, finished_at__gte=begun)
    rows = sent.values("account_id").annotate(n=Count("conversation_id", distinct=True))
    return dict(rows.values_list("account_id", "n"))


def _span(since: date, until: date) -> list[date]:
    return [since + timedelta(days=number) for number in range((until - since).days + 1)]


def summary(account_ids: Collection[int], now: datetime) -> dict[int, dict[str, object]]:
    """For `balas status` and the health page: sums in millionths of a dollar, and until when reading waits."""
    today = rules.day_of(now)
    rows = Spend.objects.filter(account_id__in=account_ids, day__gte=rules.first_of_month(today))
    sums: dict[int, dict[str, int]] = {}
    for account_id, day, micros, reserved in rows.values_list("account_id", "day", "micros", "reserved_micros"):
        kept = sums.setdefault(account_id, {"today": 0, "month": 0})
        kept["month"] += micros + reserved
        kept["today"] += micros + reserved if day == today else 0
    limits = {row.account_id: row for row in Budget.objects.filter(account_id__in=account_ids)}
    return {
        account_id: _summed(sums.get(account_id, {"today": 0, "month": 0}), limits.get(account_id), now)
        for account_id in sums.keys() | limits.keys()
    }


def _summed(sums: dict[str, int], budget: Budget | None, now: datetime) -> dict[str, object]:
    limits = [(sums["today"], budget.daily_micros), (sums["month"], budget.monthly_micros)] if budget else []
    percent = budget.soft_percent if budget else 100
    waits = budget.stopped_until if budget and budget.stopped_until and budget.stopped_until > now else None
    return {
        "today_micros": sums["today"],
        "month_micros": sums["month"],
        "daily_micros": budget.daily_micros if budget else None,
        "monthly_micros": budget.monthly_micros if budget else None,
        "is_soft": any(limit is not None and spent * 100 >= limit * percent for spent, limit in limits),
        "stopped_until": waits,
    }
