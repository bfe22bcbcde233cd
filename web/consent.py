"""The way to a provider's own sign-in and back (OAuth 2): what waits meanwhile lies in the session, under its state.

Only the browser that began a sign-in can end it, once, within a quarter of an hour.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from inbox import issuers
from web.access import SignedIn
from web.views.page import render
from workers import mailboxes

_KEY = "sign-ins"  # in the session: state → what waits for it
_MOST = 4
_SECONDS = 15 * 60


def return_address(request: SignedIn) -> str:
    """Where providers send the browser back to: this has to be registered with them, letter by letter."""
    base = settings.BALAS.public_url.rstrip("/") or request.build_absolute_uri("/").rstrip("/")
    return f"{base}{reverse('signed-in')}"


def begin(request: SignedIn, issuer: str, waiting: dict[str, Any]) -> HttpResponse:
    """The page that leads to the provider. Raises mailboxes.SignInProblem."""
    sign_in = mailboxes.begin_sign_in(issuer, return_address(request), waiting["address"])
    kept = request.session.get(_KEY, {})
    newest = sorted(kept.items(), key=lambda item: item[1]["at"])[-(_MOST - 1) :]
    entry = {
        "verifier": sign_in.verifier,
        "redirect_uri": sign_in.redirect_uri,
        "issuer": issuer,
        "at": timezone.now().timestamp(),
        "waiting": waiting,
    }
    request.session[_KEY] = {**dict(newest), sign_in.state: entry}
    # A form may not lead to another site (form-action), a page that goes on by itself may.
    context = {"target": sign_in.url, "issuer": issuers.name_of(issuer), "address": waiting["address"]}
    response = render(request, "settings/leaving.html", context, here="settings")
    response.headers["Refresh"] = f"0; url={sign_in.url}"
    return response


def take(request: SignedIn) -> dict[str, Any] | None:
    """What waits for the state in this address, once; None for a state that this session did not give out."""
    kept = request.session.get(_KEY, {})
    entry: dict[str, Any] | None = kept.pop(request.GET.get("state", ""), None)
    request.session[_KEY] = kept
    if entry is None or timezone.now().timestamp() - entry["at"] > _SECONDS:
        return None
    return entry
