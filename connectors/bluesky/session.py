"""From a handle and an app password to a session, and from one access token to the next.

A session is created once, when somebody connects the account: `createSession` is limited to 300 a day, and 100 have
been seen (https://docs.bsky.app/docs/advanced-guides/rate-limits). Afterwards `refreshSession` gives a new pair of
tokens; the app password is kept for the day on which the refresh token has run out as well, after two months of rest.

Where an account lives is in its identity: handle → DID → DID document → service (https://atproto.com/specs/did).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from connectors.answers import Gone
from connectors.base import AuthFailed, ConnectorError, Refused, RetryLater
from connectors.bluesky.values import rows, text
from connectors.bluesky.xrpc import DIALECT, HOME, Xrpc
from connectors.mail.sentences import one_line
from connectors.oauth import Grant
from connectors.registry import AccountSettings, SecretText
from connectors.wire import Answer, Dialect, Wire

DIRECTORY = "https://plc.directory"  # where did:plc is looked up, unless the settings name another
_HANDLE = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_DID = re.compile(r"did:(plc:[a-z2-7]{24}|web:[a-zA-Z0-9.:%-]{1,250})")
_USUAL_SECONDS = 3600
_LONGEST_SECONDS = 90 * 24 * 3600
_ENDED = {"ExpiredToken", "InvalidToken", "AccountTakedown", "AuthMissing", "AuthenticationRequired"}


@dataclass(frozen=True, slots=True)
class Session:
    did: str
    handle: str
    grant: Grant


def read_handle(written: str) -> str:
    """Of whatever people type: “@Shop.bsky.social ”. Raises Refused for what is no handle."""
    handle = written.strip().removeprefix("@").strip().lower().rstrip(".")
    if not handle.isascii() or len(handle) > 253 or not _HANDLE.fullmatch(handle):
        raise Refused("That is no Bluesky handle. It looks like shop.bsky.social, or like your own domain.")
    return handle


# --- Where an account lives -----------------------------------------------------------------------------------------


def find_home(handle: str, directory: str = DIRECTORY) -> str:
    """The address of the PDS that holds an account. Raises Refused when nobody has the handle, RetryLater."""
    with_session = Xrpc(Wire(DIALECT))
    try:
        did = text(with_session.query("com.atproto.identity.resolveHandle", [("handle", handle)]), "did", most=300)
    except Gone:
        did = ""
    except Refused as error:
        raise Refused(f"Nobody at Bluesky has the handle “{handle}”.") from error
    finally:
        with_session.close()
    if not _DID.fullmatch(did):
        raise Refused(f"Nobody at Bluesky has the handle “{handle}”.")
    return service_of(find_document(did, directory)) or HOME


def find_document(did: str, directory: str = DIRECTORY) -> Mapping[str, Any]:
    """A DID's document. Raises Refused for a DID that is not there, RetryLater."""
    method, _, name = did.removeprefix("did:").partition(":")
    if method == "web":
        host, *path = name.split(":")
        base, way = f"https://{host.replace('%3A', ':')}", "/".join(quote(one) for one in path) or ".well-known"
        address = f"/{way}/did.json"
    else:
        base, address = directory, f"/{quote(did)}"
    wire = Wire(Dialect("The directory of accounts", base_url=base), base)
    try:
        return wire.call("GET", address, token="", max_bytes=256 * 1024).object
    finally:
        wire.close()


def service_of(document: Mapping[str, Any]) -> str:
    """The address of the personal data server in a DID document, "" when it names none."""
    for service in rows(document, "service", most=50):
        is_home = text(service, "id").endswith("#atproto_pds")
        address = text(service, "serviceEndpoint", most=500)
        if is_home and address.startswith(("https://", "http://")):
            return address.rstrip("/")
    return ""


# --- Tokens ---------------------------------------------------------------------------------------------------------


def create_session(xrpc: Xrpc, identifier: str, password: str) -> Session:
    """Raises AuthFailed for a wrong password, Refused, RetryLater."""
    xrpc.wire.hide(password)
    answer = xrpc.wire.call(
        "POST",
        "/xrpc/com.atproto.server.createSession",
        json={"identifier": identifier, "password": password},
        token="",
        takes=(400, 401, 403),
    )
    if not answer.status < 300:
        raise _log_in_failure(xrpc, answer)
    return _session_of(answer.object)


def _log_in_failure(xrpc: Xrpc, answer: Answer) -> ConnectorError:
    name = text(answer.data, "error")
    if name == "AuthFactorTokenRequired":
        return AuthFailed(
            "This is the password of the account itself, which asks for a code by e-mail. "
            "Make an app password in Bluesky's settings and use that."
        )
    if name in {"AccountTakedown", "AccountSuspended"}:
        return AuthFailed("Bluesky has suspended this account.")
    if answer.status == 401:
        return AuthFailed("Bluesky does not accept this handle and app password. Make a new app password and try that.")
    return xrpc.wire.failure(answer)


def refresh_session(xrpc: Xrpc, refresh_token: str) -> Session:
    """Raises AuthFailed when the session is over for good, RetryLater for what passes."""
    xrpc.wire.hide(refresh_token)
    answer = xrpc.wire.call(
        "POST", "/xrpc/com.atproto.server.refreshSession", token=refresh_token, takes=(400, 401, 403)
    )
    if not answer.status < 300:
        name = text(answer.data, "error")
        if answer.status == 401 or name in _ENDED:
            words = one_line(text(answer.data, "message") or name, 120).rstrip(".")
            raise AuthFailed(f"Bluesky has ended the session: “{words}”. Connect the account again.")
        failure = xrpc.wire.failure(answer)
        raise RetryLater(failure.sentence)
    status = text(answer.object, "status")
    if answer.object.get("active") is False and status in {"takendown", "suspended"}:
        raise AuthFailed("Bluesky has suspended this account.")
    return _session_of(answer.object)


def renew(account: AccountSettings, secrets: Mapping[str, SecretText]) -> Grant:
    """The next pair of tokens; only when the refresh token has ended, a new session by the app password."""
    xrpc = Xrpc(Wire(DIALECT, str(account.settings.get("base_url") or ""), is_insecure=_is_insecure(account.settings)))
    try:
        try:
            return refresh_session(xrpc, secrets.get("refresh_token") or "").grant
        except AuthFailed as error:
            password = secrets.get("password")
            if not password or "suspended" in error.sentence:
                raise
            identifier = str(account.settings.get("did") or account.address)
            return create_session(xrpc, identifier, password).grant
    finally:
        xrpc.close()


def _is_insecure(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get("insecure"))


def _session_of(data: Mapping[str, Any]) -> Session:
    did, handle = text(data, "did", most=300), text(data, "handle", most=300)
    access, lasting = text(data, "accessJwt", most=16384), text(data, "refreshJwt", most=16384)
    if not did.startswith("did:") or not access or not lasting:
        raise RetryLater("The server answered the log-in without a session.")
    return Session(did, handle, Grant(SecretText(access), SecretText(lasting), _life(access)))


def _life(token: str) -> int:
    """Seconds until a token ends, as it says itself (RFC 7519 `exp`, against `iat`: clocks differ)."""
    claims = claims_of(token)
    ends, begins = claims.get("exp"), claims.get("iat")
    if not isinstance(ends, int | float):
        return _USUAL_SECONDS
    since = begins if isinstance(begins, int | float) else datetime.now(UTC).timestamp()
    return int(min(max(ends - since, 1), _LONGEST_SECONDS))


def claims_of(token: str) -> Mapping[str, Any]:
    """What a JWT claims, unchecked: only for what does no harm when it is wrong."""
    parts = token.split(".")
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
