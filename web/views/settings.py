"""Settings: the connected mailboxes, people, and one's own choices."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from inbox.connecting import find_introduction, offered
from inbox.issuers import issuer_of
from inbox.models import Account, User
from inbox.offers import relays
from inbox.rules.states import AccountState
from web import access
from web.access import SignedIn, needs
from web.formatting import Clock, find_zone
from web.rows import channel_of
from web.views.automatic import class_rows
from web.views.page import clock_of, render, role_word
from web.views.vouching import vouching_row


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
        {
            "account": account,
            "channel": channel_of(account.kind),
            "state": state_words(account, clock),
            "signs_in": bool(issuer_of(account)) or find_introduction(account.kind) is not None,
            "is_channel": find_introduction(account.kind) is not None,
            "vouching": vouching_row(account) if access.may(request.user, "accounts") else None,
        }
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
        {
            "rows": rows,
            "offers_channels": bool(offered()),
            "people": people_rows,
            "mail_classes": class_rows(),
            "relays": relays() if access.may(request.user, "accounts") else [],
            **own_choices(request.user),
        },
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
