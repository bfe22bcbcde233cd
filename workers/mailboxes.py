"""Connecting a mailbox, for pages and the command line: its provider, whether a log-in works, and signing in (OAuth 2).

What asks the network has a deadline and never runs inside a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors import oauth
from connectors.base import Connector, ConnectorError, ListsPlaces
from connectors.messages import Party
from connectors.registry import AccountSettings, SecretText, connector_class, make_connector
from inbox import accounts, issuers
from inbox.accounts import spool_folder
from inbox.logins import RENEWED, secrets_of
from inbox.models import Account
from inbox.sealing import KeyMissing


@dataclass(frozen=True, slots=True)
class LoginResult:
    is_ok: bool
    sentence: str = ""  # exactly what failed, and what to do
    party: Party | None = None
    code: str = ""  # auth | later | refused


# --- Providers ------------------------------------------------------------------------------------------------------


def guess(kind: str, address: str) -> list[dict[str, Any]]:
    """Likely settings for an address, best first, with what the provider asks of its owner (`profile_settings`)."""
    guesses: list[dict[str, Any]] = connector_class(kind).guess_settings(address)
    return guesses


def profile_settings(kind: str, key: str, address: str) -> dict[str, Any] | None:
    """The settings of a chosen provider; None when there is no such provider."""
    found: dict[str, Any] | None = connector_class(kind).profile_settings(key, address)
    return found


def profiles(kind: str) -> list[tuple[str, str]]:
    """(key, name) of the providers to choose from."""
    found: list[tuple[str, str]] = connector_class(kind).profiles()
    return found


# --- Log-in ---------------------------------------------------------------------------------------------------------


class _FixedTokens:
    """The token that has just been given: nothing is stored yet, so there is nothing to renew."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        return self._token

    def renewed(self, refused: str) -> str:
        return self._token  # the second refusal is then the server's own sentence


def test_login(kind: str, address: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> LoginResult:
    """Logs in to every server with these secrets, which nobody has stored yet."""
    token = secrets.get("access_token", "") if "refresh_token" in secrets else ""
    tokens = _FixedTokens(token) if token else None
    kept = {name: SecretText(value) for name, value in secrets.items() if not token or name not in RENEWED}
    return _try(lambda: make_connector(AccountSettings(kind, address, settings, spool_folder(), tokens), kept))


def test_account(account: Account, settings: Mapping[str, Any] | None = None) -> LoginResult:
    """Logs in as an account does, perhaps with other settings; its tokens are renewed if need be."""
    try:
        return _try(lambda: accounts.open_connector(account, settings or None))
    except KeyMissing as error:
        return LoginResult(False, f"{error} Restore the keyring, or connect the account again.", code="KeyMissing")


def _try(opened: Callable[[], Connector]) -> LoginResult:
    try:
        connector = opened()
    except ConnectorError as error:
        return LoginResult(False, error.sentence, code="refused")
    try:
        return LoginResult(True, party=connector.check())
    except (ConnectorError, KeyMissing) as error:
        return LoginResult(False, str(error), code=type(error).__name__)
    finally:
        connector.close()


def list_places(account: Account) -> list[tuple[str, frozenset[str]]]:
    """The folders that an account may choose from. Raises SignInProblem with what went wrong."""
    try:
        connector = accounts.open_connector(account)
        try:
            return connector.list_places() if isinstance(connector, ListsPlaces) else []
        finally:
            connector.close()
    except (ConnectorError, KeyMissing) as error:
        raise SignInProblem(str(error)) from error


# --- Signing in (OAuth 2) -------------------------------------------------------------------------------------------


class SignInProblem(Exception):
    """Something at the provider did not work; the exception's text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One consent under way. `state` and `verifier` are bound to whoever began it; `url` is where they say yes."""

    issuer: str
    state: str
    verifier: str
    redirect_uri: str
    url: str


def begin_sign_in(issuer: str, redirect_uri: str, address: str) -> SignIn:
    """Raises SignInProblem when the issuer is not set up or cannot be asked."""
    flow = oauth.new_flow()
    try:
        url = oauth.consent_url(issuers.get_issuer(issuer), redirect_uri, flow, address)
    except ConnectorError as error:
        raise SignInProblem(error.sentence) from error
    return SignIn(issuer, flow.state, flow.verifier, redirect_uri, url)


def finish_sign_in(issuer: str, code: str, verifier: str, redirect_uri: str, now: datetime) -> dict[str, str]:
    """The secrets to seal. Raises SignInProblem."""
    try:
        grant = oauth.exchange(issuers.get_issuer(issuer), code, verifier, redirect_uri)
    except ConnectorError as error:
        raise SignInProblem(error.sentence) from error
    return secrets_of(grant, now)
