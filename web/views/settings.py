"""Settings: the connected mailboxes, and the guided way to one more."""

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
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from inbox import accounts, people
from inbox.models import Account, User
from inbox.rules.states import AccountState
from web import access
from web.access import SignedIn, needs
from web.formatting import Clock, find_zone
from web.rows import channel_of
from web.views.page import clock_of, render, role_word
from workers import bells, mailboxes

KIND = "email"
SAFETY = {"imap": ("imaps", "imap+starttls", "imap"), "smtp": ("smtps", "smtp+starttls", "smtp")}


def state_words(account: Account, clock: Clock) -> dict[str, str]:
    """How an account is, in a word, a tone and a sentence."""
    words = {
        AccountState.OK: (_("Reading"), "good", "circle-check"),
        AccountState.RETRYING: (_("Tries again by itself"), "warn", "refresh-cw"),
        AccountState.NEEDS_LOGIN: (_("Needs a new log-in"), "late", "octagon-alert"),
        AccountState.PAUSED: (_("Paused"), "", "pause"),
    }
    word, tone, icon = words[AccountState(account.state)]
    sentence = account.sentence
    if not sentence and account.state == AccountState.OK:
        if account.remaining:
            sentence = ngettext(
                "%(n)s mail of the history is still to come.",
                "%(n)s mails of the history are still to come.",
                account.remaining,
            ) % {"n": f"{account.remaining:,}"}
        elif account.last_success_at:
            sentence = _("Looked %(age)s ago.") % {"age": clock.age(account.last_success_at)}
        else:
            sentence = _("The first look is on its way.")
    return {"word": word, "tone": tone, "icon": icon, "sentence": sentence}


@needs("read")
@require_GET
def settings(request: SignedIn) -> HttpResponse:
    clock = clock_of(request.user)
    rows = [
        {"account": account, "channel": channel_of(account.kind), "state": state_words(account, clock)}
        for account in access.accounts(request.user)
    ]
    people_rows = []
    if access.may(request.user, "accounts"):
        people_rows = [
            {"name": str(one), "email": one.email, "role": role_word(one.role)} for one in access.colleagues()[:200]
        ]
    return render(
        request,
        "settings/settings.html",
        {"rows": rows, "people": people_rows, **own_choices(request.user)},
        here="settings",
    )


# --- One's own ------------------------------------------------------------------------------------------------------


THEMES = ("", "light", "dark", "contrast", "contrast-dark")
DENSITIES = ("", "compact")


def own_choices(user: User) -> dict[str, Any]:
    words = {
        "": _("As the system says"),
        "light": _("Light"),
        "dark": _("Dark"),
        "contrast": _("High contrast, light"),
        "contrast-dark": _("High contrast, dark"),
    }
    chosen = user.preferences if isinstance(user.preferences, dict) else {}
    return {
        "themes": [(theme, words[theme]) for theme in THEMES],
        "densities": [("", _("Comfortable: three lines a row")), ("compact", _("Compact: two"))],
        "chosen_theme": chosen.get("theme", ""),
        "chosen_density": chosen.get("density", ""),
        "zone": user.zone,
    }


@needs("read")
@require_POST
def me(request: SignedIn) -> HttpResponse:
    """How the pages look to one person, and the zone their times are told in."""
    user = request.user
    theme, density = request.POST.get("theme", ""), request.POST.get("density", "")
    zone = request.POST.get("zone", "").strip()[:64]
    if zone and find_zone(zone) is None:
        messages.error(request, _("“%(zone)s” is no time zone. Such as: Europe/Bucharest.") % {"zone": zone})
        return redirect("settings")
    known = user.preferences if isinstance(user.preferences, dict) else {}
    user.preferences = {
        **known,
        "theme": theme if theme in THEMES else "",
        "density": density if density in DENSITIES else "",
    }
    user.zone = zone
    user.save(update_fields=["preferences", "zone"])
    messages.success(request, _("Kept."))
    return redirect("settings")


# --- Connecting a mailbox -------------------------------------------------------------------------------------------


def _step(request: SignedIn, step: str, values: Mapping[str, Any], status: int = 200) -> HttpResponse:
    context = {"step": step, "problem": "", "hint": "", "safety": SAFETY, **values}
    return render(request, "settings/mailbox.html", context, here="settings", status=status)


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


def _address_values(request: SignedIn, address: str) -> dict[str, Any]:
    """What the second step starts with: the best guess for this address."""
    clock = clock_of(request.user)
    guesses = mailboxes.guess(KIND, address)
    best: dict[str, Any] = guesses[0] if guesses else {"imap": {}, "smtp": {}}
    since = (clock.local(clock.now) - timedelta(days=accounts.HISTORY_DAYS)).date()
    return {
        "address": address,
        "name": address,
        "display_name": "",
        "imap": {"scheme": "imaps", "host": "", "port": 993, "user": address, **best.get("imap", {})},
        "smtp": {"scheme": "smtps", "host": "", "port": 465, "user": address, **best.get("smtp", {})},
        "label": str(best.get("label") or best.get("provider") or ""),
        "hint": str(best.get("hint") or best.get("note") or ""),
        "file_sent": not best.get("files_sent_itself", False),
        "since": since.isoformat(),
        "today": clock.local(clock.now).date().isoformat(),
    }


def _typed_values(request: SignedIn, address: str) -> dict[str, Any]:
    data = request.POST
    return {
        "address": address,
        "name": data.get("name", "").strip()[:80] or address,
        "display_name": data.get("display_name", "").strip()[:120],
        "imap": endpoint(data, "imap", address),
        "smtp": endpoint(data, "smtp", address),
        "label": "",
        "file_sent": data.get("file_sent") == "1",
        "since": data.get("since", "")[:10],
        "today": clock_of(request.user).now.date().isoformat(),
    }


@needs("accounts")
@never_cache
@sensitive_post_parameters("password", "smtp_password")
@require_http_methods(["GET", "POST"])
def connect_mailbox(request: SignedIn) -> HttpResponse:
    """Address → servers and log-in, tested against both → connected. Nothing is saved before both have said yes."""
    if request.method == "GET":
        return _step(request, "address", {"address": ""})
    address = request.POST.get("address", "").strip()[:320]
    try:
        validate_email(address)
    except ValidationError:
        return _step(request, "address", {"address": address, "problem": _("This is not an e-mail address.")}, 422)
    if accounts.is_connected(KIND, address):
        return _step(request, "address", {"address": address, "problem": _("This mailbox is already connected.")}, 422)
    if request.POST.get("step") != "log-in":
        return _step(request, "log-in", _address_values(request, address))
    return _connect(request, _typed_values(request, address))


def _connect(request: SignedIn, values: dict[str, Any]) -> HttpResponse:
    secrets = {"password": request.POST.get("password", "")[:1000]}
    if request.POST.get("smtp_password"):
        secrets["smtp_password"] = request.POST["smtp_password"][:1000]
    if not secrets["password"]:
        return _step(request, "log-in", {**values, "problem": _("The password is missing.")}, 422)
    if accounts.is_name_taken(values["name"]):
        return _step(request, "log-in", {**values, "problem": _("Another mailbox has this name.")}, 422)
    settings_ = {
        "imap": values["imap"],
        "smtp": values["smtp"],
        "folders": ["INBOX"],
        "file_sent": values["file_sent"],
        "display_name": values["display_name"],
    }
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
    bells.ring("fetch")
    places = ", ".join(login.party.places) if login.party else "INBOX"
    messages.success(
        request,
        _("%(address)s is connected. Reading %(places)s, the newest first.")
        % {"address": account.address, "places": places},
    )
    for note in (login.party.notes if login.party else ())[:3]:
        messages.info(request, note)
    return redirect(reverse("settings"))
