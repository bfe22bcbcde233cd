"""The guided way to an account of any kind that introduces itself, and to its first message.

Choose a channel → what to do there, what to enter and why → say yes there, or enter what it gave → its first mention.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from inbox import accounts, budgets, connecting, prices, worklist
from inbox.connecting import ConnectProblem
from inbox.ids import read_id
from inbox.rules.metering import DAILY_MICROS, MONTHLY_MICROS
from web import access
from web.access import SignedIn, needs
from web.connecting import (
    plain_dollars,
    put_aside,
    read_micros,
    return_address,
    take_up,
)
from web.formatting import Clock
from web.rows import channel_of, queue_row
from web.views.page import clock_of, is_fragment, render, render_part
from web.views.settings import state_words
from workers import bells

_STOP_POLLING = 286  # htmx: shown, and not asked again
_SHOWN = 5


@needs("accounts")
@require_GET
def connect(request: SignedIn) -> HttpResponse:
    """Which channel?"""
    offered = [{"kind": one, "channel": channel_of(one.kind)} for one in connecting.offered()]
    return render(request, "settings/connect.html", {"offered": offered}, here="settings")


# --- Entering -------------------------------------------------------------------------------------------------------


def _form(
    request: SignedIn, kind: str, typed: Mapping[str, str], problem: ConnectProblem | None = None, again: int = 0
) -> HttpResponse:
    try:
        introduction = connecting.get_introduction(kind, typed)
    except ConnectProblem:
        raise Http404 from None
    clock = clock_of(request.user)
    since = (clock.local(clock.now) - timedelta(days=accounts.HISTORY_DAYS)).date().isoformat()
    context = {
        "kind": kind,
        "channel": channel_of(kind),
        "introduction": introduction,
        "typed": typed,
        "problem": str(problem) if problem else "",
        "wrong": problem.field if problem else "",
        "again": access.get_account(request.user, again) if again else None,
        "since": typed.get("since", since),
        "today": clock.local(clock.now).date().isoformat(),
        "redirect_uri": return_address(request),
        **_money(kind, typed, clock.now),
    }
    return render(request, "settings/connect_kind.html", context, here="settings", status=422 if problem else 200)


def _money(kind: str, typed: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """What the platform charges, and the budget that is proposed."""
    if prices.find_list(kind) is None:
        return {"prices": [], "daily": "", "monthly": ""}
    return {
        "prices": price_rows(kind, now),
        "daily": typed.get("daily", plain_dollars(DAILY_MICROS)),
        "monthly": typed.get("monthly", plain_dollars(MONTHLY_MICROS)),
    }


def price_rows(kind: str, now: datetime) -> list[dict[str, Any]]:
    held = prices.prices_on(kind, now.date()).values()
    return [{"held": one, "price": budgets.dollars(one.micros)} for one in held]


@needs("accounts")
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def connect_kind(request: SignedIn, kind: str) -> HttpResponse:
    """What is entered is tried at the platform before anything is saved."""
    if request.method == "GET":
        again = read_id(request.GET.get("again"))
        kept = access.get_account(request.user, again).settings if again else {}
        return _form(
            request, kind, {name: value for name, value in kept.items() if isinstance(value, str)}, None, again
        )
    typed = {name: request.POST.get(name, "") for name in list(request.POST)[:60]}
    again = read_id(typed.pop("again", ""))
    typed.pop("csrfmiddlewaretoken", None)
    try:
        introduction = connecting.get_introduction(kind, typed)
        values = connecting.read_values(introduction, typed)
        read_budget(typed)
        extra = {name: typed.get(name, "")[:80] for name in ("since", "daily", "monthly")}
        waiting = {"kind": kind, "values": values, "extra": extra, "again": again}
        if introduction.uses_consent and not connecting.is_brought(introduction, typed):
            address, kept = connecting.begin(kind, values, return_address(request))
            return _leave(request, kind, put_aside(request, address, {**waiting, "kept": kept}))
        return _finish(request, waiting, {}, "")
    except ConnectProblem as problem:
        return _form(request, kind, _shown_again(typed, kind), problem, again)


def _shown_again(typed: Mapping[str, str], kind: str) -> dict[str, str]:
    """What was typed, but no secret: it is typed anew."""
    known = connecting.find_introduction(kind, typed)
    secret = {one.name for one in (*known.fields, *known.brings) if one.is_secret} if known else set()
    return {name: value[: connecting.MAX_VALUE] for name, value in typed.items() if name not in secret}


def read_budget(typed: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Raises ConnectProblem beside the field that is no sum."""
    found = []
    for name in ("daily", "monthly"):
        try:
            found.append(read_micros(typed.get(name, "")))
        except ValueError:
            raise ConnectProblem(_("A sum in dollars, such as 5.00; leave it empty for no limit."), name) from None
    return found[0], found[1]


def _leave(request: SignedIn, kind: str, address: str) -> HttpResponse:
    """The page that leads to the platform: a form may not lead to another site (form-action), this may."""
    context = {"target": address, "name": channel_of(kind).word}
    response = render(request, "settings/leaving_kind.html", context, here="settings")
    response.headers["Refresh"] = f"0; url={address}"
    return response


@needs("accounts")
@never_cache
@require_GET
def returned(request: SignedIn) -> HttpResponse:
    """Back from the platform, with a code or with a no."""
    waiting = take_up(request)
    if waiting is None:
        messages.error(request, _("This was not begun here, or more than a quarter of an hour ago. Begin it again."))
        return redirect("connect")
    kind, code = str(waiting["kind"]), request.GET.get("code", "")
    shown = {**{str(name): str(value) for name, value in waiting["values"].items()}, **waiting["extra"]}
    try:
        if not code:
            said = request.GET.get("error_description") or request.GET.get("error") or _("nothing")
            words = _("%(name)s did not allow it. It said: “%(said)s”.")
            said = " ".join(said.split())[:200]
            raise ConnectProblem(words % {"name": channel_of(kind).word, "said": said})
        return _finish(request, waiting, waiting["kept"], code[:2000])
    except ConnectProblem as problem:
        return _form(request, kind, _shown_again(shown, kind), problem, int(waiting["again"]))


def _finish(request: SignedIn, waiting: Mapping[str, Any], kept: Mapping[str, str], code: str) -> HttpResponse:
    """Logs in there, then saves. Raises ConnectProblem."""
    kind, extra = str(waiting["kind"]), waiting["extra"]
    connected = connecting.finish(kind, waiting["values"], kept, code)
    now = timezone.now()
    if waiting["again"]:
        account = access.get_account(request.user, int(waiting["again"]))
        connecting.renew(account, connected, actor=request.user, now=now)
        bells.ring("fetch", "accounts")
        words = _("%(name)s is connected again and goes on where it stopped.")
        messages.success(request, words % {"name": account.name})
        return redirect("health")
    cut_at = _cut(extra.get("since", ""), clock_of(request.user))
    account = connecting.keep(kind, connected, actor=request.user, cut_at=cut_at, now=now)
    if prices.find_list(kind) is not None:
        daily, monthly = read_budget(extra)
        percent = budgets.find_budget(account.id).soft_percent
        budgets.change(
            account.id, daily_micros=daily, monthly_micros=monthly, soft_percent=percent, actor=request.user, now=now
        )
    bells.ring("fetch", "accounts")
    return redirect("account-arriving", account.id)


def _cut(text: str, clock: Clock) -> datetime:
    """The start of the chosen day in the organisation's zone."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return clock.now - timedelta(days=accounts.HISTORY_DAYS)
    return min(datetime(day.year, day.month, day.day, tzinfo=clock.zone), clock.now)


# --- The first message ----------------------------------------------------------------------------------------------


@needs("accounts")
@require_GET
def arriving(request: SignedIn, id: int) -> HttpResponse:
    """What has come since the account was connected, while it comes."""
    account, clock = access.get_account(request.user, id), clock_of(request.user)
    found = access.conversations(request.user).filter(conversationaccount__account_id=account.id)
    ids = list(found.order_by("-last_activity_at").values_list("id", flat=True)[:_SHOWN])
    rows = [row for one in ids if (row := worklist.row(one, access.scope(request.user))) is not None]
    context = {
        "account": account,
        "channel": channel_of(account.kind),
        "state": state_words(account, clock),
        "items": [queue_row(row, request.user, clock, "all") for row in rows],
        "is_read": account.last_success_at is not None,
    }
    if is_fragment(request):
        is_settled = bool(rows) and not account.remaining
        status = _STOP_POLLING if is_settled else 200
        return render_part(request, "fragments/arrived.html", context, status=status)
    return render(request, "settings/arriving.html", context, here="settings")
