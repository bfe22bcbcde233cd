"""One connected mailbox: its names and servers, a new password, pause and removal."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from inbox import accounts, aftercare, connecting, issuers, people
from inbox.aftercare import wanted_of
from inbox.models import Account
from web import access
from web.access import SignedIn, needs
from web.views.channel import account_page
from web.views.connecting import SAFETY, connect_again, endpoint
from web.views.page import clock_of, render
from web.views.settings import state_words
from workers import bells, mailboxes

MAX_UNDO_SECONDS = 120
MAX_FOLDERS = 100
_SERVERS = ("imap", "smtp")
_KEPT = (*_SERVERS, "file_sent", "display_name", "probe", "folders", "mark_seen", "move_to")  # of what is typed


def _form(request: SignedIn, account: Account, values: dict[str, Any], status: int = 200) -> HttpResponse:
    context = {
        "account": account,
        "safety": SAFETY,
        "problem": "",
        "state": state_words(account, clock_of(request.user)),
        **_about(account),
    }
    return render(request, "settings/account.html", {**context, **values}, here="settings", status=status)


def _about(account: Account) -> dict[str, Any]:
    """What the page says of the log-in and the folders."""
    issuer = issuers.issuer_of(account)
    profile = (
        mailboxes.profile_settings(account.kind, str(account.settings.get("profile") or ""), account.address) or {}
    )
    return {
        "signs_in_with": issuers.name_of(issuer) if issuer else "",
        "about_folders": profile.get("about_folders", ""),
        "known_folders": _known_folders(account, profile.get("repeats", [])),
    }


def _known_folders(account: Account, repeats: list[str]) -> list[dict[str, Any]]:
    """The folders that the server named when it was last asked, and those that are read. Sent is read anyway."""
    listed = [(str(name), set(marks)) for name, marks in account.settings.get("known_folders") or []]
    names = {name for name, _marks in listed}
    listed += [(name, set()) for name in account.settings.get("folders") or ["INBOX"] if name not in names]
    return [
        {"name": name, "repeats": bool(marks & set(repeats)), "word": _mark_words(marks)}
        for name, marks in listed
        if "\\sent" not in marks
    ]


def _mark_words(marks: set[str]) -> str:
    words = {
        "\\all": _("all mail"),
        "\\archive": _("archive"),
        "\\junk": _("junk"),
        "\\trash": _("deleted mail"),
        "\\drafts": _("drafts"),
        "\\flagged": _("starred"),
        "\\important": _("important"),
    }
    return next((word for mark, word in words.items() if mark in marks), "")


def _values(account: Account) -> dict[str, Any]:
    return {
        "display_name": account.display_name,
        "undo_seconds": account.undo_seconds,
        "imap": account.settings.get("imap", {}),
        "smtp": account.settings.get("smtp", {}),
        "file_sent": bool(account.settings.get("file_sent")),
        "probe": bool(account.settings.get("probe")),
        "folders": list(account.settings.get("folders") or ["INBOX"]),
        "mark_seen": bool(account.settings.get("mark_seen")),
        "move_to": str(account.settings.get("move_to") or ""),
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
        "folders": _typed_folders(request, account),
        "mark_seen": data.get("mark_seen") == "1",
        "move_to": data.get("move_to", "").strip()[:200],
    }


def _typed_folders(request: SignedIn, account: Account) -> list[str]:
    """Those that are ticked, and one more by its name; INBOX when there is none."""
    if "folders_shown" not in request.POST:
        return list(account.settings.get("folders") or ["INBOX"])
    typed = [name.strip()[:200] for name in (*request.POST.getlist("folders"), request.POST.get("more_folder", ""))]
    return list(dict.fromkeys(name for name in typed if name))[:MAX_FOLDERS] or ["INBOX"]


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


def _problem(request: SignedIn, row: Account, typed: dict[str, Any], settings_: dict[str, Any], is_new: bool) -> str:
    """What touches the servers is tried; "" when all is well."""
    signs_in = bool(issuers.issuer_of(row))
    if not signs_in and _would_give_away(request, typed, row):
        return _("The server is another one now: type the password once more.")
    before = _values(row)
    if not is_new and all(typed[key] == before[key] for key in (*_SERVERS, "folders")):
        return ""
    if signs_in:
        login = mailboxes.test_account(row, settings_)
    else:
        login = mailboxes.test_login(row.kind, row.address, settings_, _secrets(request, row))
    return "" if login.is_ok else login.sentence


@needs("accounts")
@never_cache
@sensitive_post_parameters("password", "smtp_password")
@require_http_methods(["GET", "POST"])
def account(request: SignedIn, id: int) -> HttpResponse:
    """What touches the servers is tried against both before it is saved."""
    row = access.get_account(request.user, id)
    if connecting.find_introduction(row.kind) is not None:
        return account_page(request, row)
    if request.method == "GET":
        return _form(request, row, _values(row))
    typed, now = _typed(request, row), timezone.now()
    settings_ = {**row.settings, **{name: typed[name] for name in _KEPT}}
    is_new = bool(request.POST.get("password") or request.POST.get("smtp_password"))
    if issuers.issuer_of(row) and any(_is_elsewhere(typed, row, key) for key in _SERVERS):
        # A permission that is kept goes only where it has always gone, as a password does.
        return connect_again(request, row, {key: typed[key] for key in _SERVERS})
    problem = _problem(request, row, typed, settings_, is_new)
    if problem:
        return _form(request, row, {**typed, "problem": problem}, 422)
    secrets = _secrets(request, row) if is_new else None
    if not wanted_of(settings_).is_any:
        aftercare.drop(row.id)
    accounts.change(
        row.id,
        now,
        settings_=settings_,
        display_name=typed["display_name"],
        undo_seconds=typed["undo_seconds"],
        secrets=secrets,
    )
    people.audit("account.changed", f"account:{row.id}", request.user, now, {"name": row.name, "password": is_new})
    bells.ring("fetch", "accounts")
    messages.success(request, _("%(name)s is kept.") % {"name": row.name})
    return redirect("settings")


@needs("accounts")
@require_POST
def account_act(request: SignedIn, id: int, name: str) -> HttpResponse:
    row, now = access.get_account(request.user, id), timezone.now()
    if name == "connect-again" and connecting.find_introduction(row.kind) is not None:
        return redirect(f"{reverse('connect-kind', args=[row.kind])}?again={row.id}")
    if name == "connect-again":
        return connect_again(request, row)
    if name == "folders":
        return _list_folders(request, row)
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


def _list_folders(request: SignedIn, row: Account) -> HttpResponse:
    """Asks the server for its folders, so that some can be chosen."""
    try:
        found = mailboxes.list_places(row)
    except mailboxes.SignInProblem as problem:
        messages.error(request, str(problem))
    else:
        accounts.remember(row.id, known_folders=[[name, sorted(marks)] for name, marks in found[:500]])
    return redirect(reverse("account", args=[row.id]) + "#p-folders")
