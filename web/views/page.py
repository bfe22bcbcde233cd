"""What every page of the inside shares: who reads it, their clock, the rail, notices; and how it is rendered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from inbox import worklist
from inbox.models import Organisation, User
from inbox.rules.states import Role
from web import access
from web.access import SignedIn
from web.formatting import Clock, find_zone

_ORGANISATION_SECONDS = 10.0
_remembered: tuple[float, Organisation] | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What was done, and its way back. `until` (Unix seconds) makes it count down."""

    text: str
    undo: str = ""  # address to post to
    kind: str = "done"  # done | bad
    until: float = 0.0
    seconds: int = 0


def organisation() -> Organisation:
    """The one row, remembered for seconds: every page names it, and it hardly ever changes."""
    global _remembered
    if _remembered is None or time.monotonic() - _remembered[0] > _ORGANISATION_SECONDS:
        _remembered = (time.monotonic(), access.organisation())
    return _remembered[1]


def forget_organisation() -> None:
    global _remembered
    _remembered = None


def role_word(role: str) -> str:
    return {Role.OWNER: _("Owner"), Role.MANAGER: _("Manager")}.get(Role(role), _("Agent"))


def clock_of(user: User) -> Clock:
    zone = find_zone(user.zone) or find_zone(organisation().zone) or ZoneInfo("UTC")
    return Clock(zone, timezone.now())


def is_fragment(request: HttpRequest) -> bool:
    """Asked by htmx for a part of a page; a restored history entry wants the whole."""
    return bool(request.headers.get("HX-Request")) and not request.headers.get("HX-History-Restore-Request")


def cursor_of(request: HttpRequest, name: str) -> str:
    """Where a list goes on, as our own page before it said. Raises BadRequest for what we never gave out."""
    text = request.GET.get(name, "")
    try:
        worklist.read_cursor(text)
    except ValueError:
        raise BadRequest from None
    return text


def notices_of(request: HttpRequest) -> list[Notice]:
    """What the request before this one left to be said (pages without scripts)."""
    return [
        Notice(
            text=str(message), undo=message.extra_tags or "", kind="bad" if message.level >= messages.ERROR else "done"
        )
        for message in messages.get_messages(request)
    ]


def counts_of(user: User) -> dict[str, int]:
    return worklist.counts(access.scope(user), user)


def me(user: User) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "label": user.name or user.email,
        "email": user.email,
        "role_word": role_word(user.role),
    }


def shared(request: SignedIn) -> dict[str, Any]:
    user = request.user
    return {
        "me": me(user),
        "may": lambda permission: access.may(user, permission),
        "clock": clock_of(user),
        "organisation": organisation(),
    }


def language() -> dict[str, Any]:
    return {
        "language": translation.get_language() or "en",
        "is_rtl": translation.get_language_bidi(),
        "theme": "",
        "density": "",
        "font": static("fonts/public-sans-latin.woff2"),
        "organisation": organisation(),
    }


def palette_acts() -> list[dict[str, str]]:
    acts = [
        ("r", "reply", _("Reply"), "conversation"),
        ("m", "sticky-note", _("Write an internal note"), "conversation"),
        ("e", "check", _("Resolve"), "conversation"),
        ("w", "ban", _("No answer needed"), "conversation"),
        ("s", "moon", _("Snooze"), "conversation"),
        ("a", "user-plus", _("Assign"), "conversation"),
        ("t", "tag", _("Tag"), "conversation"),
        ("!", "shield-alert", _("Spam"), "conversation"),
        ("n", "arrow-right", _("Open the one that needs you most"), "queue"),
        ("z", "undo-2", _("Undo the last act"), ""),
        ("?", "keyboard", _("All keys"), ""),
    ]
    return [{"key": key, "icon": icon, "text": text, "needs": needs} for key, icon, text, needs in acts]


def render(
    request: SignedIn, template: str, context: Mapping[str, Any], *, here: str = "", status: int = 200
) -> HttpResponse:
    """A whole page of the inside."""
    from_outside = dict(context)
    values: dict[str, Any] = {
        **language(),
        **shared(request),
        "here": here,
        "tab": here,
        "notices": notices_of(request),
        "palette_acts": palette_acts(),
        "palette_places": places(),
    }
    if "counts" not in from_outside:
        values["counts"] = counts_of(request.user)
    preferences = request.user.preferences if isinstance(request.user.preferences, dict) else {}
    values["theme"], values["density"] = preferences.get("theme", ""), preferences.get("density", "")
    values.update(from_outside)
    return HttpResponse(render_to_string(template, values, request), status=status)


def render_part(request: SignedIn, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """A fragment for htmx."""
    return HttpResponse(render_to_string(template, {**shared(request), **context}, request), status=status)


def render_outside(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """A page for somebody who is not signed in."""
    return HttpResponse(render_to_string(template, {**language(), **context}, request), status=status)


def places() -> list[dict[str, str]]:
    found = [
        (_("Queue"), "inbox", reverse("queue", args=["open"])),
        (_("Mine"), "user", reverse("queue", args=["mine"])),
        (_("Waiting"), "hourglass", reverse("queue", args=["waiting"])),
        (_("Snoozed"), "moon", reverse("queue", args=["snoozed"])),
        (_("Resolved"), "check", reverse("queue", args=["resolved"])),
        (_("All conversations"), "layers", reverse("queue", args=["all"])),
        (_("Spam"), "shield-alert", reverse("queue", args=["spam"])),
        (_("Health"), "activity", reverse("health")),
        (_("Templates"), "zap", reverse("templates")),
        (_("Settings"), "settings", reverse("settings")),
    ]
    return [{"text": text, "icon": icon, "url": url} for text, icon, url in found]
