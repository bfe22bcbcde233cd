"""One connected mailbox: its names and servers, a new password, pause and removal."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from inbox import accounts, people
from inbox.models import Account
from web import access
from web.access import SignedIn, needs
from web.views.connecting import SAFETY, endpoint
from web.views.page import clock_of, render
from web.views.settings import state_words
from workers import bells, mailboxes

MAX_UNDO_SECONDS = 120


def _form(request: SignedIn, account: Account, values: dict[str, Any], status: int = 200) -> HttpResponse:
    context = {
        "account": account,
        "safety": SAFETY,
        "problem": "",
        "state": state_words(account, clock_of(request.user)),
    }
    return render(request, "settings/account.html", {**context, **values}, here="settings", status=status)


def _values(account: Account) -> dict[str, Any]:
    return {
        "display_name": account.display_name,
        "undo_seconds": account.undo_seconds,
        "imap": account.settings.get("imap", {}),
        "smtp": account.settings.get("smtp", {}),
        "file_sent": bool(account.settings.get("file_sent")),
        "probe": bool(account.settings.get("probe")),
    }


def _typed(request: SignedIn, account: Account) -> dict[str, Any]:
    data = request.POST
    undo = data.get("undo_seconds", "")
    return {
        "display_name": data.get("display_name", "").strip()[:120],
        "undo_seconds": min(int(undo), MAX_UNDO_SECONDS)
        if undo.isdecimal() and len(undo) < 5
        else account.undo_seconds,
        "imap": endpoint(data, "imap", account.address),
        "smtp": endpoint(data, "smtp", account.address),
        "file_sent": data.get("file_sent") == "1",
        "probe": data.get("probe") == "1" if _may_probe(request) else bool(account.settings.get("probe")),
    }


def _may_probe(request: SignedIn) -> bool:
    """Asking a server many times a second is for who owns it."""
    return access.may(request.user, "organisation")


def _secrets(request: SignedIn, account: Account) -> dict[str, str]:
    """What is typed replaces what is kept; an empty field leaves it."""
    known = {name: str(value) for name, value in accounts.unseal_secrets(account).items()}
    typed = {name: request.POST.get(name, "")[:1000] for name in ("password", "smtp_password")}
    return known | {name: value for name, value in typed.items() if value}


def _is_elsewhere(typed: dict[str, Any], account: Account, key: str) -> bool:
    """Whether a server, or how safely it is spoken to, is another than before."""
    before = account.settings.get(key, {})
    return any((typed[key][part] or "") != (before.get(part) or "") for part in ("scheme", "host", "port"))


def _would_give_away(request: SignedIn, typed: dict[str, Any], account: Account) -> bool:
    """A password that is kept goes only where it has always gone: nobody may have it sent to a server of their own."""
    has_new = bool(request.POST.get("password"))
    has_new_for_sending = has_new or bool(request.POST.get("smtp_password"))
    return (_is_elsewhere(typed, account, "imap") and not has_new) or (
        _is_elsewhere(typed, account, "smtp") and not has_new_for_sending
    )


@needs("accounts")
@never_cache
@sensitive_post_parameters("password", "smtp_password")
@require_http_methods(["GET", "POST"])
def account(request: SignedIn, id: int) -> HttpResponse:
    """What touches the servers is tried against both before it is saved."""
    row = access.get_account(request.user, id)
    if request.method == "GET":
        return _form(request, row, _values(row))
    typed, now = _typed(request, row), timezone.now()
    if _would_give_away(request, typed, row):
        problem = _("The server is another one now: type the password once more.")
        return _form(request, row, {**typed, "problem": problem}, 422)
    settings_ = {**row.settings, "imap": typed["imap"], "smtp": typed["smtp"], "file_sent": typed["file_sent"]}
    settings_["display_name"], settings_["probe"] = typed["display_name"], typed["probe"]
    secrets = _secrets(request, row)
    is_new = bool(request.POST.get("password") or request.POST.get("smtp_password"))
    if is_new or any(typed[key] != row.settings.get(key) for key in ("imap", "smtp")):
        login = mailboxes.test_login(row.kind, row.address, settings_, secrets)
        if not login.is_ok:
            return _form(request, row, {**typed, "problem": login.sentence}, 422)
    accounts.change(
        row.id,
        now,
        settings_=settings_,
        display_name=typed["display_name"],
        undo_seconds=typed["undo_seconds"],
        secrets=secrets if is_new else None,
    )
    people.audit("account.changed", f"account:{row.id}", request.user, now, {"name": row.name, "password": is_new})
    bells.ring("fetch", "accounts")
    messages.success(request, _("%(name)s is kept.") % {"name": row.name})
    return redirect("settings")


@needs("accounts")
@require_POST
def account_act(request: SignedIn, id: int, name: str) -> HttpResponse:
    row, now = access.get_account(request.user, id), timezone.now()
    if name == "pause":
        accounts.pause(row.id, now)
        said = _("%(name)s is paused. Nothing is read or lost meanwhile.")
    elif name == "resume":
        accounts.resume(row.id, now)
        said = _("%(name)s is read again.")
    elif name == "remove":
        if request.POST.get("confirmed") != "1":
            return render(request, "settings/remove.html", {"account": row}, here="settings")
        accounts.remove(row.id, now)
        said = _("%(name)s is no longer read. Its history stays; its password is erased.")
    else:
        raise Http404
    bells.ring("fetch", "accounts")
    people.audit(f"account.{name}", f"account:{row.id}", request.user, now, {"name": row.name})
    messages.success(request, said % {"name": row.name})
    return redirect("settings")
