"""Accounts: connecting, opening, parking and naming what is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from connectors.base import Connector
from connectors.messages import Address
from connectors.registry import card_of, make_connector
from inbox import sla
from inbox.credentials import keyring, seal_secrets, unseal_secrets
from inbox.ids import new_id
from inbox.logins import find_tokens, lasting_secrets
from inbox.metering import meter_of
from inbox.models import Account, Identity
from inbox.rules.states import AccountState
from inbox.spool import settings_of, spool_folder

# Kept apart in inbox.credentials and inbox.spool.
__all__ = ["keyring", "seal_secrets", "settings_of", "spool_folder", "unseal_secrets"]

HISTORY_DAYS = 14  # how far back mail is still work, unless somebody says otherwise
_BACKOFF_SECONDS = (15, 30, 60, 120, 300)


def open_connector(account: Account, settings_: Mapping[str, Any] | None = None) -> Connector:
    """A connector with this account's credentials; the caller closes it. Raises KeyMissing, ConnectorError.

    `settings_`: with other settings than the account has. What its tokens are made of stays here.
    """
    found = settings_of(account)
    if settings_ is not None:
        found = replace(found, settings=settings_)
    found = replace(found, tokens=find_tokens(account), meter=meter_of(account))
    return make_connector(found, lasting_secrets(account))


def bare_connector(account: Account) -> Connector:
    """A connector without credentials: for the pure parts (parse, compose, limits, identity_key)."""
    return make_connector(settings_of(account), {})


def connect(
    *,
    kind: str,
    name: str,
    address: str,
    settings_: Mapping[str, Any],
    secrets: Mapping[str, str],
    cut_at: datetime,
    now: datetime,
    team_id: int | None = None,
    display_name: str = "",
    undo_seconds: int = 10,
    external_id: str = "",
) -> Account:
    """Saves a new account with its credentials sealed from the first write. The caller has checked the log-in.

    `external_id`: our own stable id at a platform that has them.
    """
    row = new_id()
    account = Account(
        id=row,
        kind=kind,
        name=name,
        address=address,
        display_name=display_name,
        settings=dict(settings_),
        sealed_secrets=seal_secrets(row, secrets) if secrets else b"",
        team_id=team_id,
        cut_at=cut_at,
        undo_seconds=undo_seconds,
        next_poll_at=now,
        state=AccountState.OK,
        state_since=now,
    )
    connector = bare_connector(account)
    own_address = Address(address, display_name, external_id)
    own = {connector.identity_key(one) for one in (own_address, *map(Address, settings_.get("aliases", ())))}
    account.own_addresses = sorted(own - {""})
    with transaction.atomic():
        if within := card_of(kind).answers_within:
            account.policy_id = sla.policy_within(within, now)
        account.save(force_insert=True)
        for own_key in account.own_addresses:
            # The key of a mail address is the address; of an id nobody can tell the handle.
            named = {"address": address, "external_id": external_id} if external_id else {"address": own_key}
            Identity.objects.update_or_create(
                kind=kind,
                key=own_key,
                defaults={"is_own": True},
                create_defaults={"is_own": True, "created_at": now, **named},
            )
    return account


def is_connected(kind: str, address: str) -> bool:
    return Account.objects.filter(kind=kind, address__iexact=address, removed_at=None).exists()


def is_name_taken(name: str) -> bool:
    return Account.objects.filter(name=name, removed_at=None).exists()


def find_failing(account_ids: Collection[int]) -> set[int]:
    """Those whose last poll failed."""
    return set(Account.objects.filter(id__in=account_ids, failures__gt=0).values_list("id", flat=True))


def succeeded(account_id: int, now: datetime, next_poll_at: datetime, remaining: int | None) -> None:
    account = Account.objects.get(id=account_id)
    was_ok = account.state == AccountState.OK
    Account.objects.filter(id=account_id).exclude(state=AccountState.PAUSED).update(
        state=AccountState.OK,
        sentence="",
        failures=0,
        state_since=account.state_since if was_ok else now,
        last_success_at=now,
        next_poll_at=next_poll_at,
        remaining=remaining,
    )


def succeeded_in_part(account_id: int, sentence: str, now: datetime, next_poll_at: datetime) -> None:
    """Some places cannot be opened, the others were read: looked for again with every poll, which keeps its pace."""
    account = Account.objects.get(id=account_id)
    Account.objects.filter(id=account_id).exclude(state=AccountState.PAUSED).update(
        state=AccountState.RETRYING,
        sentence=sentence[:500],
        failures=0,
        state_since=account.state_since if account.state == AccountState.RETRYING else now,
        last_success_at=now,
        next_poll_at=next_poll_at,
        remaining=None,
    )


def waiting(account_id: int, sentence: str, now: datetime, next_poll_at: datetime) -> None:
    """Nothing is wrong at the provider: the owner's budget, or a limit, lets reading go on only then. `sentence`: what
    people should know; "" when it is over before anybody would look."""
    account = Account.objects.get(id=account_id)
    rows = Account.objects.filter(id=account_id).exclude(state=AccountState.PAUSED)
    if not sentence:
        rows.update(next_poll_at=next_poll_at)
        return
    is_new = account.state != AccountState.RETRYING or account.sentence != sentence
    rows.update(
        state=AccountState.RETRYING,
        sentence=sentence[:500],
        failures=0,
        state_since=now if is_new else account.state_since,
        next_poll_at=next_poll_at,
    )


def note_places(account: Account, read: Collection[str], missing: Mapping[str, str], now: datetime) -> None:
    """Which places a whole look went over, and which of them could not be opened (name → sentence) since when."""
    before: dict[str, dict[str, str]] = account.places
    places: dict[str, dict[str, str]] = {name: {} for name in read if name not in missing}
    for name, sentence in missing.items():
        since = before.get(name, {}).get("since") or now.isoformat()
        places[name] = {"since": since, "sentence": sentence[:300]}
    if places != before:
        account.places = places
        Account.objects.filter(id=account.id).update(places=places)


def failed_for_now(account_id: int, sentence: str, now: datetime, after: timedelta | None = None) -> None:
    """Anything but refused credentials: tried again for ever, at most five minutes apart unless the server asked."""
    account = Account.objects.get(id=account_id)
    step = timedelta(seconds=_BACKOFF_SECONDS[min(account.failures, len(_BACKOFF_SECONDS) - 1)])
    Account.objects.filter(id=account_id).exclude(state=AccountState.PAUSED).update(
        state=AccountState.RETRYING,
        sentence=sentence[:500],
        state_since=now if account.state != AccountState.RETRYING else account.state_since,
        failures=account.failures + 1,
        next_poll_at=now + max(step, min(after or step, timedelta(hours=24))),
    )


def park(account_id: int, sentence: str, now: datetime) -> None:
    """The provider refused the credentials: nothing is tried until somebody signs in again."""
    Account.objects.filter(id=account_id).exclude(state=AccountState.PAUSED).update(
        state=AccountState.NEEDS_LOGIN, sentence=sentence[:500], state_since=now, next_poll_at=None
    )


def pause(account_id: int, now: datetime) -> None:
    Account.objects.filter(id=account_id).update(
        state=AccountState.PAUSED, sentence="", state_since=now, next_poll_at=None
    )


def resume(account_id: int, now: datetime) -> None:
    Account.objects.filter(id=account_id).update(
        state=AccountState.OK, sentence="", state_since=now, failures=0, next_poll_at=now
    )


def change(
    account_id: int,
    now: datetime,
    *,
    settings_: Mapping[str, Any],
    display_name: str,
    undo_seconds: int,
    secrets: Mapping[str, str] | None = None,
) -> None:
    """Saves what somebody changed. New credentials, which the caller has checked, end a refused log-in."""
    with transaction.atomic():
        account = Account.objects.select_for_update().get(id=account_id)
        account.settings, account.display_name, account.undo_seconds = dict(settings_), display_name, undo_seconds
        if secrets:
            account.sealed_secrets = seal_secrets(account.id, secrets)
        account.save(update_fields=["settings", "display_name", "undo_seconds", "sealed_secrets"])
    if secrets and account.state != AccountState.PAUSED:
        resume(account_id, now)


def remember(account_id: int, **facts: Any) -> None:
    """Keeps what was learnt of the provider beside the settings, such as the names of its folders."""
    with transaction.atomic():
        account = Account.objects.select_for_update().get(id=account_id)
        account.settings = {**account.settings, **facts}
        account.save(update_fields=["settings"])


def remove(account_id: int, now: datetime) -> None:
    """Stops reading and sending; the history stays. The credentials go."""
    account = Account.objects.get(id=account_id)
    account.state, account.state_since, account.next_poll_at = AccountState.PAUSED, now, None
    account.removed_at, account.sealed_secrets = now, b""
    account.name = f"{account.name[:60]} (removed {now:%Y-%m-%d %H:%M})"
    account.save()


def reseal() -> int:
    """Seals every credential with the newest key; how many it changed. Resumable at any row. Raises KeyMissing."""
    changed = 0
    newest = f"v1|{keyring().newest}|".encode()
    for account in Account.objects.exclude(sealed_secrets=b"").order_by("id"):
        if bytes(account.sealed_secrets).startswith(newest):
            continue
        sealed = seal_secrets(account.id, unseal_secrets(account))
        # Conditional: a password that somebody enters meanwhile wins.
        changed += Account.objects.filter(id=account.id, sealed_secrets=account.sealed_secrets).update(
            sealed_secrets=sealed
        )
    return changed
