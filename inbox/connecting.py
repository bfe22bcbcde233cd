"""Connecting an account of any kind that introduces itself, for the guided pages and for the command line.

    offered() ─▶ introduction(kind) ─▶ read_values(…) ─▶ begin(…) ─▶ the owner says yes ─▶ finish(…) ─▶ keep(…)
                                                       └──────────── no consent needed ─▶ finish(…) ─┘

`begin` and `finish` ask the platform and never run inside a transaction; only `keep` and `renew` write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from connectors.base import ConnectorError
from connectors.introducing import FieldRefused, Introduces
from connectors.messages import Address
from connectors.registry import card_of, connector_class, kinds
from connectors.social import Connected, Introduction
from inbox import accounts, people
from inbox.accounts import bare_connector
from inbox.metering import clock
from inbox.models import Account
from inbox.people import Actor
from inbox.prices import find_list
from inbox.spool import spool_folder

MAX_VALUE = 4000  # of one field; a token in JWT form has hundreds of characters


class ConnectProblem(Exception):
    """str() is one sentence for the person; `field` names the one that it is about, "" for none."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class OfferedKind:
    kind: str
    name: str
    has_prices: bool
    uses_consent: bool
    about_cost: str


def offered() -> list[OfferedKind]:
    """The kinds that can be connected in this way, by name."""
    found = []
    for kind in kinds():
        known = find_introduction(kind)
        if known is not None:
            priced = find_list(kind) is not None
            found.append(OfferedKind(kind, card_of(kind).name, priced, known.uses_consent, known.about_cost))
    return sorted(found, key=lambda one: one.name.casefold())


def find_introduction(kind: str, settings: Mapping[str, Any] | None = None) -> Introduction | None:
    """None for a kind that is not installed, or that is connected in a way of its own (mail)."""
    if kind not in kinds():
        return None
    found = connector_class(kind)
    if not isinstance(found, Introduces):
        return None
    return found.introduction(settings or {})


def get_introduction(kind: str, settings: Mapping[str, Any] | None = None) -> Introduction:
    found = find_introduction(kind, settings)
    if found is None:
        raise ConnectProblem(_("Accounts of this kind cannot be connected here."))
    return found


def read_values(introduction: Introduction, typed: Mapping[str, Any]) -> dict[str, str]:
    """What was entered, by field; a default stands for what was left out. Raises ConnectProblem for what is missing.

    With tokens that somebody brings nothing else is missing: whether they are enough, `finish` says.
    """
    brought = is_brought(introduction, typed)
    values = {}
    for one in (*introduction.fields, *(introduction.brings if brought else ())):
        value = str(typed.get(one.name) or "").strip() or one.default
        if len(value) > MAX_VALUE:
            raise ConnectProblem(_("This is too long."), one.name)
        if one.is_required and not value and not brought:
            raise ConnectProblem(_("This is missing."), one.name)
        values[one.name] = value
    return values


def is_brought(introduction: Introduction, typed: Mapping[str, Any]) -> bool:
    """Whether tokens were entered that stand in for a consent."""
    return any(str(typed.get(one.name) or "").strip() for one in introduction.brings)


def begin(kind: str, values: Mapping[str, str], redirect_uri: str) -> tuple[str, dict[str, str]]:
    """Where the owner's browser goes to say yes, and what `finish` needs when it comes back (secret)."""
    try:
        address, kept = connector_class(kind).consent(values, redirect_uri)
    except ConnectorError as error:
        raise _problem(error) from error
    return str(address), dict(kept)


def finish(kind: str, values: Mapping[str, str], kept: Mapping[str, str], code: str) -> Connected:
    """Logs in at the platform; nothing is saved here."""
    try:
        found: Connected = connector_class(kind).connect(values, kept, code, spool_folder())
    except ConnectorError as error:
        raise _problem(error) from error
    return found


def _problem(error: ConnectorError) -> ConnectProblem:
    return ConnectProblem(error.sentence, error.field if isinstance(error, FieldRefused) else "")


def keep(
    kind: str,
    connected: Connected,
    *,
    actor: Actor,
    cut_at: datetime,
    name: str = "",
    team_id: int | None = None,
    undo_seconds: int = 10,
    now: datetime | None = None,
) -> Account:
    """Saves the new account. `name` "": its handle. Raises ConnectProblem when it, or its name, is here already."""
    now = now or clock()
    name = (name or connected.address)[:80]
    if accounts.is_connected(kind, connected.address):
        raise ConnectProblem(_("%(address)s is already connected.") % {"address": connected.address})
    if accounts.is_name_taken(name):
        raise ConnectProblem(_("Another account has this name."), "name")
    account = accounts.connect(
        kind=kind,
        name=name,
        address=connected.address,
        display_name=connected.name[:120],
        settings_=connected.settings,
        secrets=connected.secrets,
        cut_at=cut_at,
        now=now,
        team_id=team_id,
        undo_seconds=undo_seconds,
        external_id=connected.external_id,
    )
    people.audit("account.connected", f"account:{account.id}", actor, now, {"name": account.name, "kind": kind})
    return account


def renew(account: Account, connected: Connected, *, actor: Actor, now: datetime | None = None) -> None:
    """The same account with a new permission: what was read, and how far, stays. Raises ConnectProblem for another."""
    now = now or clock()
    own = Address(connected.address, connected.name, connected.external_id)
    if bare_connector(account).identity_key(own) not in account.own_addresses:
        words = _("This is %(found)s; the account to connect again is %(wanted)s.")
        raise ConnectProblem(words % {"found": connected.address, "wanted": account.address})
    accounts.change(
        account.id,
        now,
        settings_={**account.settings, **connected.settings},
        display_name=account.display_name,
        undo_seconds=account.undo_seconds,
        secrets=dict(connected.secrets),
    )
    people.audit("account.connected-again", f"account:{account.id}", actor, now, {"name": account.name})
