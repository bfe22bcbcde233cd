"""How an X account is connected: OAuth 2.0 with PKCE, or the four keys of OAuth 1.0a for those who have them.

https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code: `x.com/i/oauth2/authorize`, then
`POST /2/oauth2/token`; access tokens live two hours; with `offline.access` a refresh token comes along, and every
renewal brings another one and ends the one before. Confidential clients send their secret as Basic authorization.
The code is good for 30 seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors import oauth
from connectors.base import AuthFailed, Refused
from connectors.introducing import FieldRefused
from connectors.oauth import Flow, Grant, Issuer
from connectors.registry import AccountSettings, SecretText
from connectors.social import Connected, ConnectField, Introduction, Permit
from connectors.x.client import API, OAUTH1, XClient
from connectors.x.entries import id_of, part_of, text_of
from connectors.x.prices import PRICES
from connectors.x.reading import USER_FIELDS
from connectors.x.rules import dollars

PERMITS = (
    Permit("tweet.read", "to read mentions, replies and quotes, and our own posts"),
    Permit("tweet.write", "to answer and to post"),
    Permit("users.read", "to show who wrote: name, picture, followers"),
    Permit("dm.read", "to bring direct messages into the inbox"),
    Permit("dm.write", "to answer direct messages"),
    Permit("media.write", "to attach pictures and films"),
    Permit("offline.access", "to stay connected; without it the permission ends after two hours"),
)
STEPS = (
    "Open X's Developer Console, sign in with the account that is to be connected, and create an app.",
    "Buy credit there, and set a spending limit as a second fence behind the budget here.",
    "Under “User authentication settings”, choose “Read and write and Direct message” and “Web App”.",
    "Enter the address shown here as the callback address, exactly as it stands.",
    "Copy the Client ID and the Client Secret from “Keys and tokens” into the fields below.",
)
SERVER = ConnectField(
    "base_url", "Another server", is_required=False, hint="Leave it empty. Only for rehearsals with the simulated X."
)
FIELDS = (
    ConnectField("client_id", "Client ID", hint="Under “Keys and tokens”, OAuth 2.0."),
    ConnectField("client_secret", "Client Secret", is_secret=True, is_required=False, hint="Of a “Web App” only."),
    SERVER,
)
BRINGS = (
    ConnectField("access_token", "Access Token", is_secret=True, is_required=False),
    ConnectField("refresh_token", "Refresh Token", is_secret=True, is_required=False),
    ConnectField("api_key", "API Key", is_secret=True, is_required=False),
    ConnectField("api_secret", "API Key Secret", is_secret=True, is_required=False),
    ConnectField("access_token_secret", "Access Token Secret", is_secret=True, is_required=False),
)
OAUTH1_FIELDS = (
    ConnectField("api_key", "API Key", is_secret=True),
    ConnectField("api_secret", "API Key Secret", is_secret=True),
    ConnectField("access_token", "Access Token", is_secret=True, hint="With “Read, write and Direct message”."),
    ConnectField("access_token_secret", "Access Token Secret", is_secret=True),
    SERVER,
)


def about_cost() -> str:
    known = PRICES.micros
    return (
        f"X charges for every call: {dollars(known['owned.read'])} for a mention read and "
        f"{dollars(known['user.read'])} for its author (each once a day), {dollars(known['dm.read'])} for a direct "
        f"message read, {dollars(known['post.create'])} for an answer, "
        f"{dollars(known['post.create-with-link'])} for one with a link. As of {PRICES.as_of:%d %B %Y}; the Developer "
        "Console shows the prices of the day."
    )


def introduction(settings: Mapping[str, Any]) -> Introduction:
    """With `settings["sign_in"] == "oauth1"` for accounts that have the four keys; else by consent."""
    is_signed = settings.get("sign_in") == "oauth1"
    return Introduction(
        fields=OAUTH1_FIELDS if is_signed else FIELDS,
        permits=PERMITS,
        uses_consent=not is_signed,
        steps=STEPS,
        about_cost=about_cost(),
        docs="x",
        brings=() if is_signed else BRINGS,
    )


def issuer_of(values: Mapping[str, Any], client_secret: str) -> Issuer:
    base = str(values.get("base_url") or "").rstrip("/")
    return Issuer(
        name="X",
        authorize_url=f"{base or 'https://x.com'}/i/oauth2/authorize",
        token_url=f"{base or API}/2/oauth2/token",
        scope=" ".join(one.name for one in PERMITS),
        client_id=str(values.get("client_id") or ""),
        client_secret=SecretText(client_secret),
        uses_basic=bool(client_secret),
        setting="BALAS_X",
        # X answers invalid_request to a token or code that was used, replaced or withdrawn.
        ended_words=("value passed for the token was invalid", "value passed for the authorization code was invalid"),
    )


def consent(values: Mapping[str, str], redirect_uri: str) -> tuple[str, Mapping[str, str]]:
    if not values.get("client_id"):
        raise FieldRefused("The Client ID is missing.", "client_id")
    flow = oauth.new_flow()
    issuer = issuer_of(values, values.get("client_secret") or "")
    kept = {"state": flow.state, "verifier": flow.verifier, "redirect_uri": redirect_uri}
    return _without_hint(oauth.consent_url(issuer, redirect_uri, Flow(flow.state, flow.verifier), "")), kept


def _without_hint(address: str) -> str:
    """X knows no login_hint, and an empty one is none."""
    return address.replace("&login_hint=&", "&").removesuffix("&login_hint=")


def connect(values: Mapping[str, str], kept: Mapping[str, str], code: str, spool: Path) -> Connected:
    settings = {name: values[name] for name in ("base_url", "insecure", "client_id") if values.get(name)}
    secrets: dict[str, str] = {}
    if code:
        issuer = issuer_of(values, values.get("client_secret") or "")
        grant = oauth.exchange(issuer, code, kept.get("verifier", ""), kept.get("redirect_uri", ""))
        secrets |= oauth.kept_of(grant, datetime.now(UTC))
        if values.get("client_secret"):
            secrets["client_secret"] = values["client_secret"]
    else:
        secrets |= {name: values[name] for name in (*OAUTH1, "refresh_token", "client_secret") if values.get(name)}
        if all(values.get(name) for name in OAUTH1):
            settings["sign_in"] = "oauth1"
        elif not values.get("access_token"):
            raise Refused("Neither an access token nor the four keys of OAuth 1.0a were given.")
    account = AccountSettings("x", "", settings, spool)
    client = XClient(account, {name: SecretText(value) for name, value in secrets.items()})
    try:
        me = part_of(client.call("get_me", user_fields=USER_FIELDS).object, "data")
    finally:
        client.close()
    if not id_of(me) or not text_of(me, "username"):
        raise AuthFailed("X did not say whose account this is. Connect it again.")
    settings |= {"user_id": id_of(me), "handle": text_of(me, "username"), "name": text_of(me, "name")}
    return Connected(text_of(me, "username"), text_of(me, "name"), settings, secrets, id_of(me))


def renew(account: AccountSettings, secrets: Mapping[str, SecretText]) -> Grant:
    """A refresh token that is refused ends the permission: somebody must connect the account again."""
    lasting = str(secrets.get("refresh_token") or "")
    if not lasting:
        raise AuthFailed("X gave no lasting permission for this account. Connect it again.")
    issuer = issuer_of(account.settings, str(secrets.get("client_secret") or ""))
    try:
        return oauth.refresh(issuer, lasting)
    except AuthFailed:
        raise AuthFailed("X has ended the permission to use this account. Connect it again.") from None
