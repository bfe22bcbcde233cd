"""What the digest needs to know of the accounts and the organisation, read once per run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import Connector, Rechecks
from connectors.messages import Address
from connectors.registry import AccountSettings, card_of
from inbox import sla
from inbox.accounts import bare_connector, settings_of
from inbox.automatic import classes_aside
from inbox.models import Account, Organisation
from inbox.rules.automatic import ASIDE_BY_DEFAULT


@dataclass(frozen=True, slots=True)
class AccountFacts:
    id: int
    kind: str
    settings: AccountSettings
    connector: Connector  # without credentials: for parse and identity_key
    own: frozenset[str]  # keys of our own addresses, of every account of the kind
    cut_at: datetime
    team_id: int | None
    policy_version: int
    calendar_version: int
    names_sends: bool = False  # what we sent gets its name from the platform
    rechecks: bool = False  # its platform does not tell of edits and deletions

    def key(self, address: str, name: str = "", external_id: str = "") -> str:
        return self.connector.identity_key(Address(address, name, external_id))[:320]


@dataclass(frozen=True, slots=True)
class Ground:
    """The settings under which a batch is digested."""

    accounts: dict[int, AccountFacts]
    reopen_within: timedelta
    aside: frozenset[str] = ASIDE_BY_DEFAULT  # classes of mail (rules/automatic.py) that stand in no queue


def read_ground(now: datetime) -> Ground:
    own: dict[str, set[str]] = {}
    rows = list(Account.objects.all())
    for row in rows:
        own.setdefault(row.kind, set()).update(row.own_addresses)
    accounts = {}
    for row in rows:
        policy, calendar = sla.versions_for(row, now)
        connector = bare_connector(row)
        accounts[row.id] = AccountFacts(
            id=row.id,
            kind=row.kind,
            settings=settings_of(row),
            connector=connector,
            own=frozenset(own[row.kind]),
            cut_at=row.cut_at,
            team_id=row.team_id,
            policy_version=policy,
            calendar_version=calendar,
            names_sends=card_of(row.kind).names_sends,
            rechecks=isinstance(connector, Rechecks),
        )
    organisation = Organisation.objects.filter(id=1).first()
    reopen_within = timedelta(days=organisation.reopen_days if organisation else 30)
    return Ground(accounts, reopen_within, classes_aside(organisation))
