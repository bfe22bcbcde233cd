"""Connecting a mailbox, for pages and the command line: which servers an address has, and whether a log-in works.

A probe asks the network with a deadline; it never runs inside a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base import ConnectorError
from connectors.messages import Party
from connectors.registry import AccountSettings, SecretText, connector_class, make_connector
from inbox.accounts import spool_folder


@dataclass(frozen=True, slots=True)
class LoginResult:
    is_ok: bool
    sentence: str = ""  # exactly what failed, and what to do
    party: Party | None = None
    code: str = ""  # auth | later | refused


def guess(kind: str, address: str) -> list[dict[str, Any]]:
    """Likely settings for an address, best first: dicts that fit `Account.settings`, plus "label" and "hint"."""
    guesses: list[dict[str, Any]] = connector_class(kind).guess_settings(address)
    return guesses


def test_login(kind: str, address: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> LoginResult:
    account = AccountSettings(kind, address, settings, spool_folder())
    try:
        connector = make_connector(account, {name: SecretText(value) for name, value in secrets.items()})
    except ConnectorError as error:
        return LoginResult(False, error.sentence, code="refused")
    try:
        return LoginResult(True, party=connector.check())
    except ConnectorError as error:
        return LoginResult(False, error.sentence, code=type(error).__name__)
    finally:
        connector.close()
