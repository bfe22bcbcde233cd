"""Who hands out access tokens to which account, and our client id and secret there, from the settings.

An account that signs in by OAuth 2 has `settings["oauth"] = {"issuer": …}`: "google", "microsoft", or the address of
an issuer that publishes its endpoints (RFC 8414). What is set in the environment counts at once, also for old accounts.
"""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings

from connectors import oauth
from connectors.base import Refused
from connectors.oauth import Issuer
from connectors.registry import SecretText
from connectors.webcall import is_safe
from inbox.models import Account

_KEEP_SECONDS = 3600
_discovered: dict[str, tuple[float, Issuer]] = {}


class NotSetUp(Refused):
    """There is no client id for this issuer: the sentence names the setting."""


def issuer_of(account: Account) -> str:
    """The name or address of an account's issuer, "" for one that logs in with a password."""
    chosen = account.settings.get("oauth")
    return str(chosen.get("issuer") or "") if isinstance(chosen, dict) else ""


def is_set_up(name: str) -> bool:
    return bool(name) and bool(_known(name).client_id)


def own_issuer() -> str:
    """The address in BALAS_OAUTH_ISSUER, "" without one."""
    return str(settings.BALAS.oauth_issuer).rstrip("/")


def name_of(name: str) -> str:
    """For people: “Google”, or the host of an address."""
    return _known(name).name


def client_setting(name: str) -> str:
    """The setting that holds our client id there."""
    return f"{_known(name).setting}_CLIENT_ID"


def _known(name: str) -> Issuer:
    """Without asking anybody: an own issuer's endpoints are still unknown."""
    env = settings.BALAS
    if name == "google":
        return replace(oauth.GOOGLE, client_id=env.google_client_id, client_secret=SecretText(env.google_client_secret))
    if name == "microsoft":
        found = oauth.microsoft(env.microsoft_tenant or "common")
        return replace(found, client_id=env.microsoft_client_id, client_secret=SecretText(env.microsoft_client_secret))
    return Issuer(
        name=urlsplit(name).netloc or name,
        authorize_url="",
        token_url="",
        scope=env.oauth_scope or "openid email offline_access",
        client_id=env.oauth_client_id,
        client_secret=SecretText(env.oauth_client_secret),
    )


def _endpoints_from(name: str) -> str:
    """Where this issuer's endpoints are published, "" for those that we know by heart."""
    if name == "google":
        return str(settings.BALAS.google_issuer)
    if name == "microsoft":
        return str(settings.BALAS.microsoft_issuer)
    return name


def get_issuer(name: str) -> Issuer:
    """Ready to be asked. Raises NotSetUp without a client id, RetryLater when its endpoints cannot be found now."""
    known = _known(name)
    if not known.client_id:
        raise NotSetUp(f"Signing in with {known.name} is not set up: {known.setting}_CLIENT_ID is empty.")
    base = _endpoints_from(name)
    if not base:
        return known
    if not is_safe(base):
        raise NotSetUp(f"“{base}” is no issuer: it must begin with https://, or be on this machine.")
    key = f"{name} {base}"
    at, found = _discovered.get(key, (0.0, known))
    if not at or time.monotonic() - at > _KEEP_SECONDS:
        found = oauth.discover(base, known)
        _discovered[key] = (time.monotonic(), found)
    return replace(known, authorize_url=found.authorize_url, token_url=found.token_url, uses_basic=found.uses_basic)
