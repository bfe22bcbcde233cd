"""The only place that knows which kinds exist; others come in by the entry-point group `balas.connectors`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from connectors.base import Connector, ConnectorError, TokenSource
from connectors.metering import Meter
from connectors.social import KindCard


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """What a connector is built from. `secrets` never appears in a repr."""

    kind: str
    address: str
    settings: Mapping[str, Any]
    spool: Path  # a folder on the home's own disk for large items
    tokens: TokenSource | None = field(default=None, repr=False)  # for accounts that sign in by OAuth 2
    meter: Meter | None = field(default=None, repr=False)  # counts what calls use up; None: nobody does

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", dict(self.settings))


class SecretText(str):
    """A credential. Its repr is ***, so that it cannot slip into a log or a traceback."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


_BUILT_IN = {
    "bluesky": "connectors.bluesky:BlueskyConnector",
    "email": "connectors.mail:EmailConnector",
    "mastodon": "connectors.mastodon:MastodonConnector",
    "x": "connectors.x:XConnector",
}


@cache
def _factories() -> dict[str, str]:
    found = dict(_BUILT_IN)
    for entry in entry_points(group="balas.connectors"):
        found.setdefault(entry.name, entry.value)
    return found


def kinds() -> list[str]:
    return sorted(_factories())


def connector_class(kind: str) -> Any:
    """The class of a kind, imported on first use. Raises ConnectorError for an unknown kind."""
    try:
        module, _, name = _factories()[kind].partition(":")
    except KeyError:
        raise ConnectorError(f"There is no connector for “{kind}”. Known kinds: {', '.join(kinds())}.") from None
    return getattr(import_module(module), name)


def make_connector(account: AccountSettings, secrets: Mapping[str, SecretText]) -> Connector:
    connector: Connector = connector_class(account.kind)(account, secrets)
    return connector


def ringing_kinds() -> list[str]:
    """Those whose platform can say by itself that something is new."""
    return [kind for kind in kinds() if hasattr(connector_class(kind), "open_doorbell")]


def card_of(kind: str) -> KindCard:
    """How a kind is drawn; also for one that does not say, or whose connector is no longer installed."""
    plain = KindCard(kind.capitalize() or "?", kind[:1].upper())
    card: KindCard = getattr(connector_class(kind), "card", plain) if kind in _factories() else plain
    return card
