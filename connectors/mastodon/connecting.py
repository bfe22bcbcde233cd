"""How an account on a Mastodon server is connected: by consent (OAuth 2), or with an access token that its owner has.

POST /api/v1/apps registers us at that one server (https://docs.joinmastodon.org/methods/apps/#create), then
/oauth/authorize and /oauth/token (https://docs.joinmastodon.org/methods/oauth/). Where no address can be come back to,
"urn:ietf:wg:oauth:2.0:oob" has the code shown to the owner. PKCE is asked for and ignored by servers before 4.3. Tokens
do not run out; whoever takes the permission back there ends them.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets as random
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from connectors.base import AuthFailed, Refused
from connectors.introducing import FieldRefused
from connectors.mastodon.instance import Instance, ask_instance
from connectors.mastodon.people import Us, domain_of, handle_of, identity_of
from connectors.mastodon.values import ident, text
from connectors.social import Connected, ConnectField, Introduction, Permit
from connectors.wire import MASTODON_HEADERS, Dialect, Gone, Wire

MASTODON = Dialect("Mastodon", windows=MASTODON_HEADERS)
PERMITS = (
    Permit("read:accounts", "to know which account this is, and show who writes to it"),
    Permit("read:notifications", "to bring mentions, answers and boosts into the inbox"),
    Permit("read:statuses", "to read the threads they stand in, and our own posts"),
    Permit("read:search", "to find a post again on this server when it was seen on another"),
    Permit("write:statuses", "to post answers"),
    Permit("write:media", "to attach pictures"),
)
SCOPES = " ".join(one.name for one in PERMITS)
OOB = "urn:ietf:wg:oauth:2.0:oob"
SERVER = ConnectField(
    "base_url", "Server", hint="Where the account lives: the part after the second @.", example="social.example"
)
TOKEN = ConnectField(
    "access_token",
    "Access token",
    is_secret=True,
    is_required=False,
    hint="From the server's Preferences, Development. Leave it empty to sign in there instead.",
)
STEPS = (
    "Sign in on the account's server in this browser first, with the account that is to be connected.",
    "Enter the server's name. Nothing has to be registered there: we do that.",
    "The server asks whether we may read and answer. Say yes; you can take it back there at any time.",
)
VERIFY = "GET /api/v1/accounts/verify_credentials"


def introduction(settings: Mapping[str, Any]) -> Introduction:
    return Introduction(
        fields=(SERVER,),
        permits=PERMITS,
        uses_consent=True,
        steps=STEPS,
        about_cost="Mastodon servers charge nothing.",
        docs="mastodon",
        brings=(TOKEN,),
    )


def read_server(values: Mapping[str, str]) -> str:
    """The address out of "social.example", "https://social.example/@us" or "@us@social.example"."""
    typed = values.get("base_url", "").strip().rstrip("/")
    if not typed:
        raise FieldRefused("Which server is the account on?", "base_url")
    scheme, _, rest = typed.partition("://") if "://" in typed else ("https", "", typed)
    host = rest.partition("/")[0].rpartition("@")[2]
    if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s/?#@\\:]+)(:\d{1,5})?", host) or scheme not in {"http", "https"}:
        raise FieldRefused("A server's name looks like social.example.", "base_url")
    return f"{scheme}://{host}"


def wire_for(values: Mapping[str, str], token: str = "") -> Wire:
    try:
        return Wire(MASTODON, read_server(values), bearer=token, is_insecure=bool(values.get("insecure")))
    except FieldRefused:
        raise
    except Refused as error:
        raise FieldRefused(error.sentence, "base_url") from None


def consent(values: Mapping[str, str], redirect_uri: str) -> tuple[str, Mapping[str, str]]:
    wire = wire_for(values)
    redirect_uri = redirect_uri or OOB
    form = {"client_name": "Balas", "redirect_uris": redirect_uri, "scopes": SCOPES}
    try:
        # A second registration does no harm: it is one more pair of a client's name and secret.
        answer = wire.call("POST", "/api/v1/apps", form=form, endpoint="POST /api/v1/apps", idempotent=True)
    except Gone:
        raise FieldRefused(
            f"{wire.host} does not speak Mastodon's client API. Is the name right?", "base_url"
        ) from None
    finally:
        wire.close()
    client_id, client_secret = text(answer.object, "client_id", 2000), text(answer.object, "client_secret", 2000)
    if not client_id:
        raise FieldRefused(f"{wire.host} did not register us. Is it a Mastodon server?", "base_url")
    state, verifier = random.token_urlsafe(32), random.token_urlsafe(64)
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPES,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    kept = {
        "client_id": client_id,
        "client_secret": client_secret,
        "redirect_uri": redirect_uri,
        "state": state,
        "verifier": verifier,
    }
    return f"{wire.base_url}/oauth/authorize?{urlencode(asked)}", kept


def connect(values: Mapping[str, str], kept: Mapping[str, str], code: str, spool: Path) -> Connected:
    secrets: dict[str, str] = {}
    if code:
        secrets = {name: kept[name] for name in ("client_id", "client_secret") if kept.get(name)}
        secrets["access_token"] = _exchange(values, kept, code.strip())
    else:
        secrets["access_token"] = values.get("access_token", "").strip()
        if not secrets["access_token"]:
            raise FieldRefused("Neither a code nor an access token was given.", "access_token")
    wire = wire_for(values, secrets["access_token"])
    try:
        instance = ask_instance(wire)
        us = ask_who(wire, instance)
    finally:
        wire.close()
    settings: dict[str, Any] = {"base_url": wire.base_url, "us": us.plain()}
    settings["instance"] = instance.plain()
    if values.get("insecure"):
        settings["insecure"] = True
    return Connected(us.handle, us.name, settings, secrets, us.uri)


def _exchange(values: Mapping[str, str], kept: Mapping[str, str], code: str) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": kept.get("client_id", ""),
        "client_secret": kept.get("client_secret", ""),
        "redirect_uri": kept.get("redirect_uri", "") or OOB,
        "scope": SCOPES,
        "code_verifier": kept.get("verifier", ""),
    }
    wire = wire_for(values)
    wire.hide(code, *kept.values())
    try:
        answer = wire.call("POST", "/oauth/token", form=form, endpoint="POST /oauth/token", takes={400, 401, 403})
    finally:
        wire.close()
    token = text(answer.object, "access_token", 16_384)
    if answer.status >= 400 or not token.isascii() or not token.isprintable() or not token:
        raise Refused(f"{wire.host} no longer takes this sign-in. Begin it again.")
    return token


def ask_who(wire: Wire, instance: Instance) -> Us:
    """https://docs.joinmastodon.org/methods/accounts/#verify_credentials. The instance's domain stands in handles; the
    address of an account may have another (https://docs.joinmastodon.org/entities/Instance/#domain)."""
    account = wire.call("GET", "/api/v1/accounts/verify_credentials", endpoint=VERIFY).object
    if not ident(account):
        raise AuthFailed(f"{wire.name} did not say whose account this is. Connect it again.")
    domain = instance.domain or domain_of(account, wire.host)
    name = text(account, "display_name", 400).strip() or text(account, "username", 200)
    return Us(ident(account), handle_of(account, domain), name, identity_of(account, wire.host), domain, wire.host)


def note_of(instance: Instance) -> str:
    program = instance.program.capitalize() if instance.program else "Mastodon"
    return f"{instance.title or instance.domain} runs {program} {instance.version}".strip() + "."
