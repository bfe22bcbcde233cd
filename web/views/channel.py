"""One connected account of a kind that introduces itself: its name, its permission, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inbox import accounts, budgets, connecting, people, prices, spending
from inbox.connecting import ConnectProblem
from inbox.models import Account
from web import access
from web.access import SignedIn, needs
from web.connecting import plain_dollars
from web.rows import channel_of
from web.views.channels import read_budget
from web.views.page import clock_of, render
from web.views.settings import state_words
from web.views.spending import price_table
from workers import bells

MAX_UNDO_SECONDS = 120


def account_page(request: SignedIn, account: Account) -> HttpResponse:
    """Of a kind that introduces itself: its name, its permission, what it may cost."""
    now = timezone.now()
    if request.method == "POST":
        undo = request.POST.get("undo_seconds", "")
        seconds = min(int(undo), MAX_UNDO_SECONDS) if undo.isdecimal() and len(undo) < 5 else account.undo_seconds
        name = request.POST.get("display_name", "").strip()[:120]
        accounts.change(account.id, now, settings_=account.settings, display_name=name, undo_seconds=seconds)
        people.audit("account.changed", f"account:{account.id}", request.user, now, {"name": account.name})
        messages.success(request, _("%(name)s is kept.") % {"name": account.name})
        return redirect("settings")
    return _channel(request, account)


def _channel(
    request: SignedIn, account: Account, problem: str = "", typed: Mapping[str, str] | None = None
) -> HttpResponse:
    clock = clock_of(request.user)
    budget = budgets.find_budget(account.id)
    purse = budgets.purse_of(budget, 0, clock.now)
    limits = [
        {
            "is_month": limit.is_month,
            "spent": budgets.cents(limit.spent),
            "limit": budgets.dollars(limit.micros) if limit.micros is not None else "",
            "percent": min(100, round(100 * limit.spent / limit.micros)) if limit.micros else 0,
            "is_soft": limit.is_soft(budget.soft_percent),
            "renewed": clock.moment(limit.renewed_at),
        }
        for limit in purse.limits
    ]
    context = {
        "account": account,
        "channel": channel_of(account.kind),
        "state": state_words(account, clock),
        "introduction": connecting.find_introduction(account.kind, account.settings),
        "has_prices": prices.find_list(account.kind) is not None,
        "price_table": price_table(account.kind, clock.now),
        "used": spending.by_resource(account, clock.now),
        "dollars": budgets.cents,
        "limits": limits,
        "daily": (typed or {}).get("daily", plain_dollars(budget.daily_micros)),
        "monthly": (typed or {}).get("monthly", plain_dollars(budget.monthly_micros)),
        "soft": (typed or {}).get("soft", str(budget.soft_percent)),
        "problem": problem,
    }
    return render(request, "settings/channel.html", context, here="settings", status=422 if problem else 200)


@needs("accounts")
@require_POST
def account_budget(request: SignedIn, id: int) -> HttpResponse:
    """What an account may cost a day and a month; nobody is asked."""
    account, now = access.get_account(request.user, id), timezone.now()
    soft = request.POST.get("soft", "")
    try:
        daily, monthly = read_budget({name: request.POST.get(name, "") for name in ("daily", "monthly")})
        percent = int(soft) if soft.isdecimal() and len(soft) < 4 else 0
        budgets.change(
            account.id, daily_micros=daily, monthly_micros=monthly, soft_percent=percent, actor=request.user, now=now
        )
    except (ConnectProblem, budgets.BudgetProblem) as problem:
        return _channel(
            request, account, str(problem), {name: request.POST.get(name, "")[:40] for name in request.POST}
        )
    bells.ring("fetch", "accounts")
    messages.success(request, _("The budget of %(name)s is kept.") % {"name": account.name})
    return redirect(reverse("account", args=[account.id]) + "#p-budget")
