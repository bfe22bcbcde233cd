"""What an account may cost, what it has cost, and when somebody is told.

No limit is the beginning. From a share of a limit on somebody is told, once a day. At the limit everything stops until
the next day or month (UTC). Reading stops a little earlier, so that answers can still be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from inbox.rules.metering import Limit, Purse, Used
from inbox.rules.states import AccountState

MOST_MICROS = 1_000_000_000_000
_SOON = timedelta(seconds=20)


class BudgetProblem(Exception):
    """str() is one sentence for the person who entered it."""


def dollars(micros: int) -> str:
    """Such as $5.00 or $0.015: as many digits as it takes, two at least."""
    text = f"{micros / 1_000_000:.6f}".rstrip("0")
    whole, _dot, part = text.partition(".")
    return f"${whole}.{part:0<2}"


def cents(micros: int) -> str:
    """A sum for people: $46.12. Anything at all is never shown as nothing."""
    return f"${micros / 1_000_000:,.2f}" if micros >= 5_000 or not micros else _("under $0.01")


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


def purse_of(budget: Budget, one_answer: int, now: datetime) -> Purse:
    """How both limits stand now; one statement."""
    rows = Spend.objects.filter(account_id=budget.account_id, day__gte=rules.counted_from(now))
    used = [Used(*row) for row in rows.values_list("day", "resource", "micros", "reserved_micros", "reserved_at")]
    return rules.purse_of(budget.daily_micros, budget.monthly_micros, used, one_answer, now)


def refusal_of(purse: Purse, account: str, resource: str, price: int) -> RetryLater:
    """Why not even one unit was allowed."""
    limit = purse.find_full(resource, price)
    if limit is None:
        return RetryLater(_("Another call is using what is left of the budget just now."), _SOON)
    sentence = sentence_of(account, limit, is_reading=rules.is_reading(resource))
    return BudgetReached(sentence, limit.renewed_at - purse.now)


def note_stop(account_id: int, until: datetime) -> None:
    """Reading waits for this renewal: said on the health page."""
    Budget.objects.filter(account_id=account_id).exclude(stopped_until=until).update(stopped_until=until)


def warn_if_soft(budget: Budget, now: datetime) -> bool:
    """Inside the transaction that counted: tells whoever looks on, once a day, that a soft limit was passed."""
    today = rules.day_of(now)
    if budget.soft_told_on is not None and budget.soft_told_on >= today:
        return False
    if not any(limit.is_soft(budget.soft_percent) for limit in purse_of(budget, 0, now).limits):
        return False
    Budget.objects.filter(account_id=budget.account_id).update(soft_told_on=today)
    event = Live("account", budget.account_id, (budget.account_id,), {"budget": "soft"})
    changes.announce(now=now, events=[event])
    return True


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
