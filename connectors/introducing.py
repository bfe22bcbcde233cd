"""How accounts of a kind are connected, and how their access tokens are renewed: asked of the connector's class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from connectors.base import Refused
from connectors.oauth import Grant
from connectors.registry import AccountSettings, SecretText
from connectors.social import Connected, Introduction


class FieldRefused(Refused):
    """What was entered in one field is of no use; said beside it. `field` is its name in the introduction."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


@runtime_checkable
class Introduces(Protocol):
    """A connector class that says how one connects an account of its kind. Called on the class."""

    @classmethod
    def introduction(cls, settings: Mapping[str, Any]) -> Introduction: ...

    @classmethod
    def consent(cls, values: Mapping[str, str], redirect_uri: str) -> tuple[str, Mapping[str, str]]:
        """(address that the owner's browser goes to, what `connect` needs when it comes back; secret). May register
        us at the server. Only where the introduction says `uses_consent`. Raises ConnectorError."""
        ...

    @classmethod
    def connect(cls, values: Mapping[str, str], kept: Mapping[str, str], code: str, spool: Path) -> Connected:
        """Logs in with what was entered, or with the code that a consent brought (`kept` from `consent`). Tested
        against the platform before it returns. Raises ConnectorError."""
        ...


@runtime_checkable
class Renews(Protocol):
    """A connector class whose access tokens run out and are renewed with a lasting one. Called on the class."""

    @classmethod
    def renew(cls, account: AccountSettings, secrets: Mapping[str, SecretText]) -> Grant:
        """Asks the platform. A refresh token that comes back replaces the one before. Raises AuthFailed, RetryLater."""
        ...
