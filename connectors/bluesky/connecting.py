"""How a Bluesky account is connected: handle and app password, no consent in a browser.

https://docs.bsky.app/docs/api/com-atproto-server-create-session, and “App Passwords” in Bluesky's settings. Without a
server named, the handle leads to the one that holds the account (connectors/bluesky/session.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors import oauth
from connectors.base import AuthFailed, ConnectorError, Refused
from connectors.bluesky.chat import Chat
from connectors.bluesky.session import DIRECTORY, create_session, find_home, read_handle
from connectors.bluesky.values import text
from connectors.bluesky.xrpc import Xrpc
from connectors.introducing import FieldRefused
from connectors.registry import AccountSettings, SecretText
from connectors.social import Connected, ConnectField, Introduction, Permit

FIELDS = (
    ConnectField("handle", "Handle", hint="As it stands in your profile, without the @.", example="shop.bsky.social"),
    ConnectField(
        "password",
        "App password",
        is_secret=True,
        hint="Made for this inbox alone; you can take it back at any time.",
        example="abcd-efgh-ijkl-mnop",
    ),
    ConnectField(
        "base_url",
        "Server",
        is_required=False,
        hint="Leave it empty: your handle tells. Only for rehearsals, or when the server cannot be found.",
        example="https://bsky.social",
    ),
)
PERMITS = (
    Permit("app password", "to read mentions, replies and quotes, and to answer, without your account's own password"),
    Permit("access to direct messages", "to bring direct messages into the inbox; leave it off to keep them out"),
)
STEPS = (
    "Open Bluesky, then Settings, Privacy and security, App passwords.",
    "Add an app password. Allow access to direct messages if they are to be answered here.",
    "Copy the password that is shown, once, into the field below.",
)


def introduction(settings: Mapping[str, Any]) -> Introduction:
    return Introduction(FIELDS, PERMITS, steps=STEPS, about_cost="Bluesky charges nothing.", docs="bluesky")


def connect(values: Mapping[str, str], spool: Path) -> Connected:
    """Makes the one session. Raises FieldRefused, AuthFailed, RetryLater."""
    handle = _handle(values)
    password = (values.get("password") or "").strip()
    if not password:
        raise FieldRefused("The app password is missing.", "password")
    settings: dict[str, Any] = {name: values[name] for name in ("insecure", "chat_service") if values.get(name)}
    settings["base_url"] = (values.get("base_url") or "").strip().rstrip("/") or find_home(
        handle, values.get("directory") or DIRECTORY
    )
    account = AccountSettings("bluesky", handle, settings, spool)
    xrpc = Xrpc.of(account, {})
    try:
        session = create_session(xrpc, handle, password)
    finally:
        xrpc.close()
    secrets = {**oauth.kept_of(session.grant, datetime.now(UTC)), "password": password}
    bearer = Xrpc.of(account, {"access_token": SecretText(session.grant.access_token)})
    try:
        settings |= {"did": session.did, "handle": session.handle}
        settings["dms"] = _reads_direct(Chat(bearer, session.did, settings))
        name = _name(bearer, session.did)
    finally:
        bearer.close()
    settings["name"] = name
    return Connected(session.handle, name, settings, secrets, session.did)


def _handle(values: Mapping[str, str]) -> str:
    try:
        return read_handle(values.get("handle") or values.get("address") or "")
    except Refused as error:
        raise FieldRefused(error.sentence, "handle") from error


def _reads_direct(chat: Chat) -> bool:
    try:
        return chat.is_there()
    except AuthFailed:
        raise
    except ConnectorError:
        return False


def _name(xrpc: Xrpc, did: str) -> str:
    """A new account has no profile yet."""
    try:
        return text(xrpc.query("app.bsky.actor.getProfile", [("actor", did)]), "displayName", most=640)
    except AuthFailed:
        raise
    except ConnectorError:
        return ""
