"""How many calls the platforms still allow, kept per account and endpoint, so that none is made that would be refused.

Each call takes one from what the platform said was left, before it is made: two processes never both take the last
one. What the answer says then counts, unless it is older than what we know. Kept across restarts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from connectors.metering import Paced, PollPlace, Quota, WindowUsedUp
from connectors.registry import connector_class
from connectors.social import Window
from inbox.models import Account, EndpointWindow
from inbox.rules import windows as rules
from inbox.transactions import retried, unsynced

_REFUSALS = 0  # the key (seconds) of a row that speaks of refusals, or of a window whose length nobody told


def places_of(kind: str) -> tuple[PollPlace, ...]:
    """The scopes that polls of a kind look at one by one; none for kinds that are always looked at as a whole."""
    found = connector_class(kind)
    return found.poll_places if isinstance(found, Paced) else ()


def quotas_of(kind: str, endpoint: str) -> tuple[Quota, ...]:
    return next((place.quotas for place in places_of(kind) if place.endpoint == endpoint), ())


def find_keeper(account_id: int, kind: str, settings: dict[str, object]) -> int:
    """The account at which limits are kept that all accounts of an app share: the oldest of them."""
    app = _app_of(settings)
    rows = Account.objects.filter(kind=kind, removed_at=None).order_by("id").values_list("id", "settings")
    return next((row_id for row_id, other in rows if _app_of(other) == app), account_id)


def _app_of(settings: dict[str, object]) -> tuple[object, object]:
    return settings.get("client_id"), settings.get("base_url")


def take(account_id: int, keeper_id: int, endpoint: str, quotas: Iterable[Quota], now: datetime) -> None:
    """One call is about to be made. Raises WindowUsedUp; then nothing was taken."""
    declared = {(keeper_id if one.is_shared else account_id, _key(endpoint, one), one.seconds): one for one in quotas}
    names = {name for _owner, name, _seconds in declared} | {endpoint}

    def run() -> None:
        with unsynced():
            rows = {(row.account_id, row.endpoint, row.seconds): row for row in _locked({account_id, keeper_id}, names)}
            mine = {key: row for key, row in rows.items() if key in declared or key[:2] == (account_id, endpoint)}
            until = rules.closed_until(mine.values(), now)
            if until is not None:
                raise WindowUsedUp(sentence_of(until), until - now)
            for key, quota in declared.items():
                if key not in mine:
                    mine[key] = _new(*key, calls=quota.calls, remaining=quota.calls, resets_at=now)
            for row in mine.values():
                if rules.count(row, now):
                    row.save()

    retried(run)


def _new(account_id: int, endpoint: str, seconds: int, **columns: Any) -> EndpointWindow:
    return EndpointWindow(account_id=account_id, endpoint=endpoint, seconds=seconds, **columns)


def _key(endpoint: str, quota: Quota) -> str:
    return f"app {endpoint}" if quota.is_shared else endpoint


def _locked(account_ids: set[int], endpoints: set[str]) -> list[EndpointWindow]:
    rows = EndpointWindow.objects.select_for_update().filter(account_id__in=account_ids, endpoint__in=endpoints)
    return list(rows.order_by("account_id", "endpoint", "seconds"))


def sentence_of(until: datetime) -> str:
    return _("The platform allows no more calls of this kind until %(time)s UTC. It goes on by itself then.") % {
        "time": f"{until:%H:%M}"
    }


def record(
    account_id: int, endpoint: str, windows: Sequence[Window], refused_for: timedelta | None, now: datetime
) -> None:
    """What an answer said. `refused_for`: the platform did refuse, and named or implied this wait; zero: it did not."""
    if not windows and refused_for is None and not _is_refused(account_id, endpoint):
        return

    def run() -> None:
        with unsynced():
            known = {row.seconds: row for row in _locked({account_id}, {endpoint})}
            changed = []
            for window in windows:
                row = known.setdefault(window.seconds, _new(account_id, endpoint, window.seconds))
                rules.learn(row, window, now)
                changed.append(row)
            refusing = known.get(_REFUSALS) or _new(account_id, endpoint, _REFUSALS)
            if refused_for is not None:
                rules.refuse(refusing, refused_for, windows, now)
                changed.append(refusing)
            elif rules.forgive(refusing, now):
                changed.append(refusing)
            for row in changed:
                row.save()

    retried(run)


def _is_refused(account_id: int, endpoint: str) -> bool:
    return EndpointWindow.objects.filter(account_id=account_id, endpoint=endpoint, refusals__gt=0).exists()


def find_open(account_ids: Iterable[int]) -> dict[tuple[int, str], list[EndpointWindow]]:
    """All that is known, by account and endpoint (shared ones as “app …” at their keeper): for the plan of polls."""
    found: dict[tuple[int, str], list[EndpointWindow]] = {}
    for row in EndpointWindow.objects.filter(account_id__in=list(account_ids)):
        found.setdefault((row.account_id, row.endpoint), []).append(row)
    return found
