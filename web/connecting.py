"""What waits while the owner of an account says yes at its platform, sealed in the session; and sums of money as typed.

Only the browser that began can end it, once, within a quarter of an hour. What was entered may hold secrets: nobody
who reads the table of sessions learns them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string

from web.access import SignedIn
from web.passes import make_pass, read_pass

_KEY = "connecting"
_MOST = 4
_SECONDS = 15 * 60
_PURPOSE = "connecting"


def return_address(request: SignedIn) -> str:
    """Where platforms send the browser back to: to be registered there, letter by letter."""
    base = settings.BALAS.public_url.rstrip("/") or request.build_absolute_uri("/").rstrip("/")
    return f"{base}{reverse('connect-returned')}"


def put_aside(request: SignedIn, address: str, waiting: Mapping[str, Any]) -> str:
    """Keeps what waits; the address to go to, with the state by which the browser is known when it comes back."""
    parts = urlsplit(address)
    state = (parse_qs(parts.query).get("state") or [""])[0]
    if not state:
        state = get_random_string(32)
        query = f"{parts.query}&" if parts.query else ""
        address = urlunsplit(parts._replace(query=query + urlencode({"state": state})))
    kept = request.session.get(_KEY, {})
    newest = sorted(kept.items(), key=lambda item: item[1]["at"])[-(_MOST - 1) :]
    sealed = make_pass(request.session.session_key or "", _PURPOSE, json.dumps(waiting))
    request.session[_KEY] = {**dict(newest), state: {"at": timezone.now().timestamp(), "sealed": sealed}}
    return address


def take_up(request: SignedIn) -> dict[str, Any] | None:
    """What waits for the state in this address, once; None for one that this session did not give out."""
    kept = request.session.get(_KEY, {})
    entry = kept.pop(request.GET.get("state", ""), None)
    request.session[_KEY] = kept
    if entry is None or timezone.now().timestamp() - entry["at"] > _SECONDS:
        return None
    found = read_pass(entry["sealed"], _PURPOSE)
    if found is None or found[0] != (request.session.session_key or ""):
        return None
    waiting: dict[str, Any] = json.loads(str(found[1][0]))
    return waiting


def read_micros(text: str) -> int | None:
    """A sum in dollars as people type it, in millionths; None for nothing. Raises ValueError."""
    text = text.strip().replace("$", "").replace(" ", "").replace(",", ".")
    if not text:
        return None
    try:
        sum_ = Decimal(text)
    except InvalidOperation:
        raise ValueError(text[:40]) from None
    if not sum_.is_finite() or not 0 <= sum_ < 1_000_000:
        raise ValueError(text[:40])
    return int(sum_ * 1_000_000)


def plain_dollars(micros: int | None) -> str:
    """As it stands in a field: "5.00", "" for no limit."""
    return "" if micros is None else f"{micros / 1_000_000:.2f}"
