"""The guided way to one more mailbox: address → provider → what it needs → log-in, tested before anything is saved.

Where the provider wants its own sign-in (OAuth 2), the browser goes there and comes back to
`signed_in` (web/consent.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from inbox import accounts, issuers, people
from inbox.models import Account
from web import access, consent
from web.access import SignedIn, needs
from web.formatting import Clock
from web.views.page import clock_of, render
from workers import bells, mailboxes

KIND = "email"
SAFETY = {"imap": ("imaps", "imap+starttls", "imap"), "smtp": ("smtps", "smtp+starttls", "smtp")}
_KEPT = ("profile", "name", "display_name", "imap", "smtp", "file_sent", "since")  # while the provider is asked


def _step(request: SignedIn, step: str, values: Mapping[str, Any], status: int = 200) -> HttpResponse:
    context = {"step": step, "problem": "", "safety": SAFETY, **values}
    if step == "log-in":
        context |= _ways_in(values)
    return render(request, "settings/mailbox.html", context, here="settings", status=status)


def _ways_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """How this provider lets somebody in, and whether signing in there is set up here."""
    issuer = values["issuer"] or issuers.own_issuer()
    may_sign_in = "oauth" in values["means"] and bool(issuer)
    is_ready = may_sign_in and issuers.is_set_up(issuer)
    takes_password = any(means != "oauth" for means in values["means"])
    return {
        "profiles": mailboxes.profiles(KIND),
        "may_sign_in": may_sign_in,
        "is_ready": is_ready,
        "sign_in_name": issuers.name_of(issuer) if may_sign_in else "",
        "client_setting": issuers.client_setting(issuer) if may_sign_in else "",
        "redirect_uri": values.get("redirect_uri", ""),
        "takes_password": takes_password,
        "wants_app_password": "app-password" in values["means"],
    }


def endpoint(data: Mapping[str, Any], key: str, address: str) -> dict[str, Any]:
    scheme = str(data.get(f"{key}_scheme", ""))
    port = str(data.get(f"{key}_port", ""))
    return {
        "scheme": scheme if scheme in SAFETY[key] else SAFETY[key][0],
        "host": str(data.get(f"{key}_host", "")).strip()[:255],
        "port": int(port) if port.isdecimal() and 0 < int(port[:6]) < 65536 else 0,
        "user": str(data.get(f"{key}_user", "")).strip()[:320] or address,
    }


def _cut(text: str, clock: Clock) -> datetime:
    """The start of the chosen day in the organisation's zone; 14 days ago when none was chosen."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return clock.now - timedelta(days=accounts.HISTORY_DAYS)
    return min(datetime(day.year, day.month, day.day, tzinfo=clock.zone), clock.now)


def _profile_values(request: SignedIn, address: str, key: str = "") -> dict[str, Any]:
    """What the second step starts with: the chosen provider, or the best guess for this address."""
    chosen = mailboxes.profile_settings(KIND, key, address) if key else None
    found = chosen or next(iter(mailboxes.guess(KIND, address)), None)
    profile = found or mailboxes.profile_settings(KIND, "generic", address) or {}
    clock = clock_of(request.user)
    since = (clock.local(clock.now) - timedelta(days=accounts.HISTORY_DAYS)).date()
    return {
        **profile,
        "address": address,
        "name": address,
        "display_name": "",
        "since": since.isoformat(),
        "today": clock.local(clock.now).date().isoformat(),
        "redirect_uri": consent.return_address(request),
    }


def _typed_values(request: SignedIn, address: str) -> dict[str, Any]:
    data = request.POST
    key = data.get("profile", "")[:40]
    profile = mailboxes.profile_settings(KIND, key, address) or mailboxes.profile_settings(KIND, "generic", address)
    return {
        **(profile or {}),
        "address": address,
        "name": data.get("name", "").strip()[:80] or address,
        "display_name": data.get("display_name", "").strip()[:120],
        "imap": endpoint(data, "imap", address),
        "smtp": endpoint(data, "smtp", address),
        "file_sent": data.get("file_sent") == "1",
        "since": data.get("since", "")[:10],
        "today": clock_of(request.user).now.date().isoformat(),
        "redirect_uri": consent.return_address(request),
    }


def _settings_of(values: Mapping[str, Any], issuer: str = "") -> dict[str, Any]:
    found = {
        "imap": values["imap"],
        "smtp": values["smtp"],
        "folders": list(values.get("folders") or ["INBOX"]),
        "file_sent": values["file_sent"],
        "display_name": values["display_name"],
        "profile": values["profile"],
    }
    return {**found, "oauth": {"issuer": issuer}} if issuer else found


@needs("accounts")
@never_cache
@sensitive_post_parameters("password", "smtp_password")
@require_http_methods(["GET", "POST"])
def connect_mailbox(request: SignedIn) -> HttpResponse:
    """Address → provider and log-in, tested against both servers → connected. Nothing is saved before."""
    if request.method == "GET":
        return _step(request, "address", {"address": ""})
    address = request.POST.get("address", "").strip()[:320]
    try:
        validate_email(address)
    except ValidationError:
        return _step(request, "address", {"address": address, "problem": _("This is not an e-mail address.")}, 422)
    if accounts.is_connected(KIND, address):
        return _step(request, "address", {"address": address, "problem": _("This mailbox is already connected.")}, 422)
    step = request.POST.get("step", "")
    if step not in ("log-in", "sign-in"):
        return _step(request, "log-in", _profile_values(request, address, request.POST.get("profile", "")[:40]))
    values = _typed_values(request, address)
    if accounts.is_name_taken(values["name"]):
        return _step(request, "log-in", {**values, "problem": _("Another mailbox has this name.")}, 422)
    if step == "sign-in" and not request.POST.get("password"):  # Enter in the password's field presses the first button
        issuer = values["issuer"] or issuers.own_issuer()
        try:
            return consent.begin(request, issuer, {"address": address, **{name: values[name] for name in _KEPT}})
        except mailboxes.SignInProblem as problem:
            return _step(request, "log-in", {**values, "problem": str(problem)}, 422)
    return _with_password(request, values)


def _with_password(request: SignedIn, values: dict[str, Any]) -> HttpResponse:
    secrets = {"password": request.POST.get("password", "")[:1000]}
    if request.POST.get("smtp_password"):
        secrets["smtp_password"] = request.POST["smtp_password"][:1000]
    if not secrets["password"]:
        return _step(request, "log-in", {**values, "problem": _("The password is missing.")}, 422)
    return _connect(request, values, _settings_of(values), secrets)


def _connect(
    request: SignedIn, values: dict[str, Any], settings_: dict[str, Any], secrets: dict[str, str]
) -> HttpResponse:
    login = mailboxes.test_login(KIND, values["address"], settings_, secrets)
    if not login.is_ok:
        return _step(request, "log-in", {**values, "problem": login.sentence}, 422)
    now, clock = timezone.now(), clock_of(request.user)
    account = accounts.connect(
        kind=KIND,
        name=values["name"],
        address=values["address"],
        display_name=values["display_name"],
        settings_=settings_,
        secrets=secrets,
        cut_at=_cut(values["since"], clock),
        now=now,
    )
    people.audit("account.connected", f"account:{account.id}", request.user, now, {"name": account.name})
    bells.ring("fetch", "accounts")
    places = ", ".join(login.party.places) if login.party else "INBOX"
    messages.success(
        request,
        _("%(address)s is connected. Reading %(places)s, the newest first.")
        % {"address": account.address, "places": places},
    )
    for note in (login.party.notes if login.party else ())[:3]:
        messages.info(request, note)
    return redirect(reverse("settings"))


# --- Back from the provider's own sign-in ---------------------------------------------------------------------------


@needs("accounts")
@never_cache
@require_GET
def signed_in(request: SignedIn) -> HttpResponse:
    """The provider sends the browser here with a code; it is changed for tokens and both log-ins are tried."""
    entry = consent.take(request)
    if entry is None:
        problem = _("This sign-in was not begun here, or more than a quarter of an hour ago. Begin it again.")
        return _step(request, "address", {"address": "", "problem": problem}, 422)
    waiting, secrets, problem = entry["waiting"], {}, ""
    code = request.GET.get("code", "")
    if code:
        try:
            secrets = mailboxes.finish_sign_in(
                entry["issuer"], code, entry["verifier"], entry["redirect_uri"], timezone.now()
            )
        except mailboxes.SignInProblem as error:
            problem = str(error)
    else:
        said = request.GET.get("error_description") or request.GET.get("error") or _("nothing")
        problem = _("%(issuer)s did not allow it. It said: “%(said)s”.") % {
            "issuer": issuers.name_of(entry["issuer"]),
            "said": " ".join(said.split())[:200],
        }
    if waiting.get("account"):
        servers = {key: waiting[key] for key in SAFETY if key in waiting}
        return _connect_again(request, int(waiting["account"]), servers, secrets, problem)
    profile = mailboxes.profile_settings(KIND, waiting["profile"], waiting["address"]) or {}
    clock = clock_of(request.user)
    values = {**profile, **waiting, "today": clock.now.date().isoformat(), "redirect_uri": entry["redirect_uri"]}
    if accounts.is_connected(KIND, values["address"]):
        problem = problem or _("This mailbox is already connected.")
    if problem:
        return _step(request, "log-in", {**values, "problem": problem}, 422)
    return _connect(request, values, _settings_of(values, entry["issuer"]), secrets)


def _connect_again(
    request: SignedIn, account_id: int, servers: dict[str, Any], secrets: dict[str, str], problem: str
) -> HttpResponse:
    """The same mailbox with a new permission: its cursor, its mail and its history stay as they are."""
    account, now = access.get_account(request.user, account_id), timezone.now()
    settings_ = {**account.settings, **servers}
    if not problem:
        login = mailboxes.test_login(account.kind, account.address, settings_, secrets)
        problem = "" if login.is_ok else login.sentence
    if problem:
        messages.error(request, problem)
        return redirect("account", account.id)
    accounts.change(
        account.id,
        now,
        settings_=settings_,
        display_name=account.display_name,
        undo_seconds=account.undo_seconds,
        secrets=secrets,
    )
    people.audit("account.connected-again", f"account:{account.id}", request.user, now, {"name": account.name})
    bells.ring("fetch", "accounts")
    messages.success(request, _("%(name)s is connected again and goes on where it stopped.") % {"name": account.name})
    return redirect("health")


def connect_again(request: SignedIn, account: Account, servers: dict[str, Any] | None = None) -> HttpResponse:
    """To the provider's sign-in, perhaps for other servers, or to the place where a new password is typed."""
    issuer = issuers.issuer_of(account)
    if not issuer:
        return redirect(reverse("account", args=[account.id]) + "#p-login")
    try:
        return consent.begin(
            request, issuer, {"address": account.address, "account": str(account.id), **(servers or {})}
        )
    except mailboxes.SignInProblem as problem:
        messages.error(request, str(problem))
        return redirect("account", account.id)
