"""OAuth 2 as mail providers want it: authorization code with PKCE (RFC 7636), refresh tokens, discovery (RFC 8414).

    flow = new_flow()
    consent_url(issuer, redirect_uri, flow, address)     the owner's browser goes there and comes back with a code
    grant = exchange(issuer, code, flow.verifier, redirect_uri)   code → access token and refresh token
    grant = refresh(issuer, refresh_token)               …and so on, for years

Only `invalid_grant` from the token endpoint proves that a permission has ended; whatever else happens may pass.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from connectors.base import AuthFailed, ConnectorError, Refused, RetryLater
from connectors.mail.sentences import one_line
from connectors.registry import SecretText
from connectors.webcall import Answer, call, is_safe

_USUAL_LIFE = 3600  # seconds, where the issuer does not say (RFC 6749 §5.1)
_LONGEST_LIFE = 90 * 24 * 3600
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_DISCOVERY = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who hands out tokens, and who we are there. `name` is for sentences; `site` names where to look it up."""

    name: str
    authorize_url: str
    token_url: str
    scope: str
    client_id: str = ""
    client_secret: SecretText = field(default_factory=lambda: SecretText(""))
    extra: tuple[tuple[str, str], ...] = ()  # more parameters of the consent address
    uses_basic: bool = False  # the client's log-in goes into a header instead of the form
    setting: str = "BALAS_OAUTH"  # the settings' names begin with this
    ended_words: tuple[str, ...] = ()  # by which this issuer describes what RFC 6749 calls invalid_grant; lower case

    @property
    def site(self) -> str:
        return urlsplit(self.authorize_url).netloc


@dataclass(frozen=True, slots=True)
class Flow:
    """What one consent is bound to: both are secret until it comes back."""

    state: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token endpoint gave. `refresh_token` is "" when the one before stays good."""

    access_token: SecretText
    refresh_token: SecretText
    seconds: int  # how long the access token lives


GOOGLE = Issuer(
    name="Google",
    authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
    token_url="https://oauth2.googleapis.com/token",
    scope="https://mail.google.com/",
    # Without both, Google gives a refresh token only the very first time.
    extra=(("access_type", "offline"), ("prompt", "consent")),
    setting="BALAS_GOOGLE",
)
_MICROSOFT_SCOPE = (
    "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"
)


def microsoft(tenant: str) -> Issuer:
    """`tenant` is a directory's id or domain, or "common" for every account, also private ones."""
    base = f"https://login.microsoftonline.com/{quote(tenant, safe='')}/oauth2/v2.0"
    return Issuer("Microsoft", f"{base}/authorize", f"{base}/token", _MICROSOFT_SCOPE, setting="BALAS_MICROSOFT")


# --- Consent --------------------------------------------------------------------------------------------------------


def new_flow() -> Flow:
    return Flow(secrets.token_urlsafe(32), secrets.token_urlsafe(64))


def consent_url(issuer: Issuer, redirect_uri: str, flow: Flow, address: str) -> str:
    """Where the owner says yes. `address` is offered as the one to sign in with."""
    digest = hashlib.sha256(flow.verifier.encode()).digest()
    values = {
        "response_type": "code",
        "client_id": issuer.client_id,
        "redirect_uri": redirect_uri,
        "scope": issuer.scope,
        "state": flow.state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "login_hint": address,
        **dict(issuer.extra),
    }
    joint = "&" if urlsplit(issuer.authorize_url).query else "?"
    return f"{issuer.authorize_url}{joint}{urlencode(values)}"


def exchange(issuer: Issuer, code: str, verifier: str, redirect_uri: str) -> Grant:
    """Raises Refused when the code is no longer good or no lasting permission came, RetryLater for what passes."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    try:
        grant = _ask(issuer, form)
    except AuthFailed:
        raise Refused(f"{issuer.name} no longer takes this sign-in. Begin it again.") from None
    if not grant.refresh_token:
        raise Refused(
            f"{issuer.name} gave a permission that ends within the hour, without a refresh token. "
            "Allow offline access for this client, then sign in again."
        )
    return grant


def refresh(issuer: Issuer, refresh_token: str) -> Grant:
    """Raises AuthFailed only for `invalid_grant`: the permission was withdrawn or has run out. Else RetryLater."""
    return _ask(issuer, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def kept_of(grant: Grant, now: datetime, before: str = "") -> dict[str, str]:
    """How a grant is kept among an account's secrets, of any kind whose tokens are renewed.

    `before` is the refresh token that stays where none came; the times are RFC 3339.
    """
    return {
        "refresh_token": str(grant.refresh_token or before),
        "access_token": str(grant.access_token),
        "access_since": now.isoformat(),
        "access_until": (now + timedelta(seconds=grant.seconds)).isoformat(),
    }


def _ask(issuer: Issuer, form: Mapping[str, str]) -> Grant:
    sent = dict(form)
    headers = {}
    if issuer.uses_basic:
        pair = f"{quote(issuer.client_id, safe='')}:{quote(issuer.client_secret, safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        sent["client_id"] = issuer.client_id
        if issuer.client_secret:
            sent["client_secret"] = str(issuer.client_secret)
    answer = call(issuer.token_url, sent, headers)
    if 200 <= answer.status < 300 and answer.is_json and "error" not in answer.data:
        return _grant(issuer, answer.data)
    raise _refusal(issuer, answer)


def _grant(issuer: Issuer, data: Mapping[str, Any]) -> Grant:
    access, lasting = data.get("access_token"), data.get("refresh_token") or ""
    if not isinstance(access, str) or not _TOKEN.fullmatch(access):
        raise RetryLater(f"{issuer.name} answered without an access token.")
    if not isinstance(lasting, str) or (lasting and not _TOKEN.fullmatch(lasting)):
        raise RetryLater(f"{issuer.name} answered with a refresh token that is none.")
    try:
        seconds = int(float(data.get("expires_in") or _USUAL_LIFE))
    except (TypeError, ValueError, OverflowError):
        seconds = _USUAL_LIFE
    return Grant(SecretText(access), SecretText(lasting), min(max(seconds, 1), _LONGEST_LIFE))


def _refusal(issuer: Issuer, answer: Answer) -> ConnectorError:
    """The error of the contract for everything that is no token (RFC 6749 §5.2)."""
    if not answer.is_json:
        return RetryLater(f"{issuer.name} gave no proper answer when asked for an access token ({answer.status}).")
    error = one_line(answer.data.get("error") or "", 60)
    words = one_line(answer.data.get("error_description") or error or answer.status).rstrip(".")
    is_ended = error == "invalid_grant" or any(one in words.lower() for one in issuer.ended_words)
    if is_ended and 400 <= answer.status < 500:
        return AuthFailed(f"{issuer.name} has ended the permission to read this mailbox: “{words}”. Connect it again.")
    if error in {"invalid_client", "unauthorized_client"}:
        return RetryLater(
            f"{issuer.name} refuses this client: “{words}”. "
            f"Look at {issuer.setting}_CLIENT_ID and {issuer.setting}_CLIENT_SECRET."
        )
    return RetryLater(f"{issuer.name} gave no access token just now: “{words}”.")


# --- Discovery ------------------------------------------------------------------------------------------------------


def discover(base: str, issuer: Issuer) -> Issuer:
    """`issuer` with the endpoints that the one at `base` publishes. Raises RetryLater."""
    found: Mapping[str, Any] = {}
    for path in _DISCOVERY:
        answer = call(base.rstrip("/") + path)
        if answer.status == 200 and answer.data.get("token_endpoint"):
            found = answer.data
            break
    authorize, token = str(found.get("authorization_endpoint") or ""), str(found.get("token_endpoint") or "")
    if not is_safe(authorize) or not is_safe(token):
        raise RetryLater(f"{base} does not say where its OAuth 2 endpoints are (no discovery document).")
    methods = found.get("token_endpoint_auth_methods_supported")
    named = methods if isinstance(methods, list) else []
    uses_basic = "client_secret_basic" in named and "client_secret_post" not in named and bool(issuer.client_secret)
    return replace(issuer, authorize_url=authorize, token_url=token, uses_basic=uses_basic)
