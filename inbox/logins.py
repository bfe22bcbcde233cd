"""What an account logs in with: its password, or an access token that is good now.

    login = get_login(account)                        Login(secret, is_token)
    login = get_login(account, refused=login.secret)  another token, after the server refused this one
    tokens = find_tokens(account)                     the same for a connector, of whatever kind (None: no tokens)

Mail providers are asked as OAuth 2 issuers (`inbox.issuers`); every other kind whose accounts keep a `refresh_token`
renews its own (`connectors.introducing.Renews`).

A refresh goes: lease → ask the issuer → commit → use. The new refresh token is durable before its access token meets
any server, so that a crash costs nothing; one refreshes at a time, whoever comes meanwhile gets what that one got. A
token is renewed when half its life is over, so a token endpoint may be away for a while without anybody noticing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from django.db import transaction

from connectors import oauth
from connectors.base import AuthFailed, RetryLater
from connectors.introducing import Renews
from connectors.oauth import Grant
from connectors.registry import SecretText, connector_class, kinds
from inbox import issuers, leases
from inbox.credentials import seal_secrets, unseal, unseal_secrets
from inbox.killpoints import reach
from inbox.models import Account
from inbox.spool import settings_of
from inbox.transactions import retried

log = logging.getLogger(__name__)

_LEASE_SECONDS = 90  # longer than a token endpoint may take, discovery included
_WAIT_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_SKEW = timedelta(seconds=120)  # so much may clocks differ
_PAUSE_SECONDS = 60.0  # after a token endpoint failed, while the old token serves
_LONG_AGO, _FAR_AHEAD = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
RENEWED = frozenset({"refresh_token", "access_token", "access_since", "access_until"})
_pauses: dict[int, float] = {}  # account → when its token endpoint may be asked again, in this process


@dataclass(frozen=True, slots=True)
class Login:
    """`secret` is a password, or with `is_token` an access token for XOAUTH2. Shown as *** in every repr."""

    secret: SecretText
    is_token: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an account's sealed secrets say about its tokens."""

    refresh: SecretText
    access: SecretText
    since: datetime
    until: datetime

    def is_young(self, now: datetime) -> bool:
        """In the first half of its life, with room for clocks that differ."""
        return self.since - _SKEW <= now < self.since + (self.until - self.since) / 2

    def is_alive(self, now: datetime) -> bool:
        return now < self.until


@cache
def is_renewable(kind: str) -> bool:
    """Whether accounts of a kind may have tokens that its connector renews."""
    return kind in kinds() and isinstance(connector_class(kind), Renews)


def find_tokens(account: Account) -> AccountTokens | None:
    """Where an account's access tokens come from; None when its log-in never changes. Raises KeyMissing."""
    if issuers.issuer_of(account):
        return AccountTokens(account.id)
    has_lasting = is_renewable(account.kind) and "refresh_token" in unseal_secrets(account)
    return AccountTokens(account.id) if has_lasting else None


def lasting_secrets(account: Account) -> dict[str, SecretText]:
    """An account's secrets but for those that are renewed all the time. Raises KeyMissing."""
    secrets = unseal_secrets(account)
    is_renewed = bool(issuers.issuer_of(account)) or (is_renewable(account.kind) and "refresh_token" in secrets)
    return {name: value for name, value in secrets.items() if name not in RENEWED} if is_renewed else secrets


def get_login(account: Account, refused: str = "") -> Login:
    """The secret with which to log in now; `refused` is a token that the server has just refused.

    May ask the token endpoint and wait for another process that does: never call it inside a transaction.
    Raises AuthFailed when the permission has ended, RetryLater when no token is to be had now, and KeyMissing.
    """
    if not issuers.issuer_of(account):
        return Login(unseal_secrets(account).get("password") or SecretText(""))
    tokens = AccountTokens(account.id)
    return Login(SecretText(tokens.renewed(refused) if refused else tokens.current()), is_token=True)


def keep_fresh(account: Account) -> None:
    """Renews a token whose half-life is over, though nobody logs in just now: a permission must not rust unused.

    Raises AuthFailed when the permission has ended, and KeyMissing; that no token is to be had now can wait.
    """
    tokens = find_tokens(account)
    if tokens is None:
        return
    try:
        tokens.current()
    except RetryLater as error:
        log.warning("account %s: %s", account.name, error.sentence)


def secrets_of(grant: Grant, now: datetime, before: str = "") -> dict[str, str]:
    """How a grant is kept in sealed secrets; `before` is the refresh token that stays where none came."""
    return oauth.kept_of(grant, now, before)


def _read(secrets: Mapping[str, SecretText]) -> Tokens:
    """A token that somebody brought, whose times nobody knows, is good until it is refused."""
    refresh = secrets.get("refresh_token")
    if not refresh:
        raise AuthFailed("This account has no permission to sign in with any more. Connect it again.")
    try:
        since, until = (datetime.fromisoformat(secrets[f"access_{name}"]) for name in ("since", "until"))
        return Tokens(refresh, secrets["access_token"], since, until)
    except (KeyError, ValueError):
        access = secrets.get("access_token") or SecretText("")
        return Tokens(refresh, access, _LONG_AGO, _FAR_AHEAD if access else _LONG_AGO)


class AccountTokens:
    """The access tokens of one account, kept in its row (connectors.base.TokenSource). Safe on any thread."""

    def __init__(self, account_id: int) -> None:
        self._id = account_id

    def current(self) -> str:
        tokens, now = self._load(), leases.database_now()
        if tokens.is_young(now):
            return tokens.access
        if tokens.is_alive(now) and time.monotonic() < _pauses.get(self._id, 0.0):
            return tokens.access
        try:
            return self._refreshed(tokens).access
        except RetryLater as error:
            _pauses[self._id] = time.monotonic() + _PAUSE_SECONDS
            if not tokens.is_alive(now):
                raise
            log.warning("account %s: the old access token serves meanwhile: %s", self._id, error.sentence)
            return tokens.access

    def renewed(self, refused: str) -> str:
        tokens = self._load()
        if refused and tokens.access != refused:
            return tokens.access  # somebody else has already renewed it
        return self._refreshed(tokens).access

    def _load(self) -> Tokens:
        account = Account.objects.only("id", "sealed_secrets").get(id=self._id)
        return _read(unseal(account.id, bytes(account.sealed_secrets)))

    # --- Refreshing -------------------------------------------------------------------------------------------------

    def _refreshed(self, stale: Tokens) -> Tokens:
        """Tokens newer than `stale`: ours, or those that somebody else got meanwhile."""
        owner = f"{leases.owner_name()}:{threading.get_ident()}"
        ends_at = time.monotonic() + _WAIT_SECONDS
        while (held := leases.find_free(f"oauth:{self._id}", owner, _LEASE_SECONDS)) is None:
            if time.monotonic() > ends_at:
                raise RetryLater("Another process has been renewing this account's access token for a minute.")
            time.sleep(_LOOK_SECONDS)
        try:
            tokens = self._load()
            return tokens if tokens.access != stale.access else self._ask(tokens)
        finally:
            leases.release(held)

    def _ask(self, tokens: Tokens) -> Tokens:
        account = Account.objects.get(id=self._id)
        grant = self._granted(account, tokens)
        reach("oauth.answered")
        kept = retried(lambda: self._commit(tokens, grant))
        reach("oauth.committed")
        return kept

    def _granted(self, account: Account, tokens: Tokens) -> Grant:
        if issuer := issuers.issuer_of(account):
            return oauth.refresh(issuers.get_issuer(issuer), tokens.refresh)
        grant: Grant = connector_class(account.kind).renew(settings_of(account), unseal_secrets(account))
        return grant

    def _commit(self, before: Tokens, grant: Grant) -> Tokens:
        """Durable before it is used. What somebody connected anew meanwhile wins over what an old permission gave."""
        with transaction.atomic():
            row = Account.objects.select_for_update().only("id", "sealed_secrets").get(id=self._id)
            known = unseal(row.id, bytes(row.sealed_secrets))
            if known.get("refresh_token") != before.refresh:
                return _read(known)
            fresh = secrets_of(grant, leases.database_now(), before.refresh)
            row.sealed_secrets = seal_secrets(row.id, {**known, **fresh})
            row.save(update_fields=["sealed_secrets"])
        return _read({name: SecretText(value) for name, value in fresh.items()})
