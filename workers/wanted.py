"""Which accounts there are to listen to, looked up often and cheaply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import DatabaseError
from django.db import connections as database_connections
from django.db.models import TextField
from django.db.models.functions import Cast

from connectors import registry
from inbox import logins
from inbox.models import Account
from inbox.rules.states import AccountState
from inbox.sealing import KeyMissing

_AS_TEXT = Cast("settings", TextField())  # compared far more often than read


@dataclass(frozen=True, slots=True)
class Wanted:
    """An account to listen to; another `signature` means another connection. `written`: as its row was."""

    signature: int
    written: int
    is_probing: bool


def find_wanted(before: Mapping[int, Wanted]) -> dict[int, Wanted]:
    """Accounts that are read, of kinds whose provider can ring; what has not changed is taken from `before`."""
    rows = Account.objects.filter(removed_at=None, state__in=(AccountState.OK, AccountState.RETRYING))
    found = {}
    for row in rows.filter(kind__in=registry.ringing_kinds()).values_list(
        "id", "kind", "address", _AS_TEXT, "sealed_secrets"
    ):
        known, written = before.get(row[0]), hash((*row[1:4], bytes(row[4])))
        found[row[0]] = known if known and known.written == written else _read_wanted(row, written)
    return found


def _read_wanted(row: tuple[int, str, str, str, bytes], written: int) -> Wanted:
    account_id, kind, address, text, secrets = row
    settings = json.loads(text)
    # Tokens are renewed all the time; a connection outlives the one it was opened with.
    account = Account(id=account_id, kind=kind, settings=settings, sealed_secrets=bytes(secrets))
    try:
        lasting = json.dumps(logins.lasting_secrets(account), sort_keys=True)
    except KeyMissing:  # opening it will say so
        lasting = ""
    signature = hash((kind, address, text, lasting))
    return Wanted(signature, written, bool(settings.get("probe")))


def is_anybody_to_hear() -> bool:
    """Whether there is an account for which a listener is worth its memory. Closes the thread's connection."""
    try:
        return bool(find_wanted({}))
    except DatabaseError:
        return False
    finally:
        database_connections.close_all()
