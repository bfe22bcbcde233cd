"""What the channels cost, for whoever looks after them; and the prices that somebody here knows better."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from inbox import budgets, prices, spending
from inbox.ids import read_id
from inbox.spending import Channel
from web import access
from web.access import SignedIn, needs
from web.rows import channel_of
from web.views.page import clock_of, render

_HEIGHT, _FOOT = 300, 24  # of the chart, in pixels: bars, and the days beneath them
_FIRST = 8.0  # percent: left of it stand the sums


@needs("accounts")
@require_GET
def manage(request: SignedIn) -> HttpResponse:
    """A line per channel: this month, per answered conversation, and the last thirty days."""
    clock = clock_of(request.user)
    found = spending.channels(list(access.accounts(request.user)), clock.now)
    if request.GET.get("as") == "csv":
        return _csv(found)
    context = {
        "rows": [_row(one) for one in found],
        "total": budgets.cents(sum(one.micros for one in found)),
        "month": formats.date_format(clock.now.date(), "F Y"),
        "chart": _chart(found),
    }
    return render(request, "spending.html", context, here="spending")


def _row(one: Channel) -> dict[str, Any]:
    each = one.micros_each
    newest = sum(micros for _day, micros in one.days[-7:])
    before = sum(micros for _day, micros in one.days[-14:-7])
    return {
        "id": one.account_id,
        "name": one.name,
        "channel": channel_of(one.kind),
        "spent": budgets.cents(one.micros),
        "limit": budgets.dollars(one.monthly_micros) if one.monthly_micros is not None else "",
        "answered": one.answered,
        "each": budgets.cents(each) if each is not None else "",
        "newest": budgets.cents(newest),
        "before": budgets.cents(before),
        "trend": "up" if newest > before * 1.1 else "down" if newest < before * 0.9 else "same",
    }


def _chart(found: list[Channel]) -> dict[str, Any] | None:
    """All channels together, a bar a day. None where nothing was spent."""
    days: dict[date, int] = {}
    for one in found:
        for day, micros in one.days:
            days[day] = days.get(day, 0) + micros
    most = max(days.values(), default=0)
    if not most:
        return None
    step = (100 - _FIRST) / len(days)
    bars = []
    for number, (day, micros) in enumerate(sorted(days.items())):
        height = (_HEIGHT - 28) * micros / most
        bars.append(
            {
                "day": formats.date_format(day, "j M"),
                "iso": day.isoformat(),
                "sum": budgets.cents(micros),
                "x": f"{_FIRST + number * step + step * 0.15:.2f}%",
                "middle": f"{_FIRST + (number + 0.5) * step:.2f}%",
                "width": f"{step * 0.7:.2f}%",
                "y": f"{_HEIGHT - height:.1f}",
                "height": f"{height:.1f}",
                "is_named": (len(days) - 1 - number) % 7 == 0,
                "is_most": micros == most,
            }
        )
    return {"bars": bars, "base": _HEIGHT, "height": _HEIGHT + _FOOT}


def _csv(found: list[Channel]) -> HttpResponse:
    """A row a channel and day, in dollars."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(["channel", "kind", "day", "dollars"])
    for one in found:
        # A spreadsheet would run a name that begins like a formula.
        name = f"'{one.name}" if one.name[:1] in "=+-@\t\r" else one.name
        writer.writerows([name, one.kind, day.isoformat(), f"{micros / 1e6:.6f}"] for day, micros in one.days)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="spending.csv"'
    return response


# --- Prices of our own ----------------------------------------------------------------------------------------------


def price_table(kind: str, now: Any) -> dict[str, Any]:
    """What is shown, and may be changed, of a kind's prices."""
    today = now.date()
    held = list(prices.prices_on(kind, today).values())
    return {
        "held": [_price(one) for one in held],
        "planned": [_price(one) for one in prices.find_planned(kind, today)],
        "today": today.isoformat(),
        "latest": (today + timedelta(days=366)).isoformat(),
    }


def _price(one: prices.PriceHeld) -> dict[str, Any]:
    before = budgets.dollars(one.built_in) if one.own_id and one.built_in is not None else ""
    return {"held": one, "price": budgets.dollars(one.micros), "before": before}


@needs("accounts")
@require_POST
def enter_price(request: SignedIn, id: int) -> HttpResponse:
    """A price that holds from a day on, for every account of this kind."""
    account = access.get_account(request.user, id)
    posted = request.POST
    try:
        micros = _micros(posted.get("price", ""))
        day = _day(posted.get("valid_from", ""))
        resource, source = posted.get("resource", "")[:60], posted.get("source", "")
        prices.enter(account.kind, resource, micros, day, source, request.user, timezone.now())
    except prices.PriceProblem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("The new price is kept."))
    return redirect(reverse("account", args=[account.id]) + "#p-prices")


@needs("accounts")
@require_POST
def drop_price(request: SignedIn, id: int) -> HttpResponse:
    """One of our prices counts no more: what the program knows holds again."""
    account = access.get_account(request.user, id)
    try:
        prices.take_back(account.kind, read_id(request.POST.get("price")), request.user, timezone.now())
    except prices.PriceProblem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("Your price is taken back."))
    return redirect(reverse("account", args=[account.id]) + "#p-prices")


def _micros(text: str) -> int:
    """Raises PriceProblem."""
    try:
        value = Decimal(text.strip().lstrip("$").strip().replace(",", "."))
        return int((value * 1_000_000).to_integral_value()) if abs(value) < 10**6 else -1
    except (InvalidOperation, ValueError):
        raise prices.PriceProblem(_("A price is a sum in dollars, such as 0.015.")) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise prices.PriceProblem(_("Choose the day from which it holds.")) from None
