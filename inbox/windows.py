"""How many calls the platforms still allow, kept per account and endpoint, so that none is made that would be refused.

Each call takes one from what the platform said was left, before it is made: two processes never both take the last
one. What the answer says then counts, unless it is older than what we know. Kept across restarts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from connectors.metering import Paced, PollPlace, Quota, WindowUsedUp
from connectors.registry import connector_class
from connectors.social import Window
from inbox.models import Account, EndpointWindow
from inbox.rules import metering as rules
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
            rows = _locked({account_id, keeper_id}, names)
            mine = {(row.account_id, row.endpoint, row.seconds): row for row in rows}
            mine = {key: row for key, row in mine.items() if key in declared or key[:2] == (account_id, endpoint)}
            _refuse_if_used_up(mine.values(), endpoint, now)
            for row in mine.values():
                _count(row, now)
            for (owner, name, seconds), quota in declared.items():
                if (owner, name, seconds) not in mine:
                    EndpointWindow.objects.create(
                        account_id=owner,
                        endpoint=name,
                        seconds=seconds,
                        calls=quota.calls,
                        remaining=quota.calls - 1,
                        resets_at=now + timedelta(seconds=seconds),
                    )

    retried(run)


def _key(endpoint: str, quota: Quota) -> str:
    return f"app {endpoint}" if quota.is_shared else endpoint


def _locked(account_ids: set[int], endpoints: set[str]) -> list[EndpointWindow]:
    rows = EndpointWindow.objects.select_for_update().filter(account_id__in=account_ids, endpoint__in=endpoints)
    return list(rows.order_by("account_id", "endpoint", "seconds"))


def _refuse_if_used_up(rows: Iterable[EndpointWindow], endpoint: str, now: datetime) -> None:
    ends = [row.refused_until for row in rows if row.refused_until and row.refused_until > now]
    ends += [row.resets_at for row in rows if row.resets_at and row.resets_at > now and row.remaining <= 0]
    if ends:
        until = max(ends)
        raise WindowUsedUp(sentence_of(until), until - now)


def sentence_of(until: datetime) -> str:
    return _("The platform allows no more calls of this kind until %(time)s UTC. It goes on by itself then.") % {
        "time": f"{until:%H:%M}"
    }


def _count(row: EndpointWindow, now: datetime) -> None:
    is_over = row.resets_at is not None and row.resets_at <= now
    if is_over and row.seconds:
        # Renewed, as far as we know; the answer will say exactly.
        row.remaining, row.resets_at = row.calls - 1, now + timedelta(seconds=row.seconds)
    elif row.resets_at is not None and not is_over:
        row.remaining -= 1
    else:
        return
    row.save(update_fields=["remaining", "resets_at"])


def record(
    account_id: int, endpoint: str, windows: Sequence[Window], refused_for: timedelta | None, now: datetime
) -> None:
    """What an answer said. `refused_for`: the platform did refuse, and named or implied this wait; zero: it did not."""
    if not windows and refused_for is None:
        return

    def run() -> None:
        with unsynced():
            known = {row.seconds: row for row in _locked({account_id}, {endpoint})}
            for window in windows:
                _learn(account_id, endpoint, known, window, now)
            if refused_for is not None:
                _note_refusal(account_id, endpoint, known.get(_REFUSALS), windows, refused_for, now)
            elif (row := known.get(_REFUSALS)) and row.refusals and not (row.refused_until and row.refused_until > now):
                row.refusals, row.waited, row.refused_until = 0, 0, None
                row.save(update_fields=["refusals", "waited", "refused_until"])

    retried(run)


def _learn(account_id: int, endpoint: str, known: dict[int, EndpointWindow], window: Window, now: datetime) -> None:
    seconds = window.seconds
    until = rules.renewed(window, now)
    remaining = max(0, window.remaining)
    row = known.get(seconds)
    if row is None:
        known[seconds] = EndpointWindow.objects.create(
            account_id=account_id,
            endpoint=endpoint,
            seconds=seconds,
            calls=max(window.limit, 0),
            remaining=remaining,
            resets_at=until,
        )
        return
    if rules.is_same_window(row.resets_at, until):
        remaining = min(remaining, row.remaining)  # answers may overtake each other
    row.calls, row.remaining, row.resets_at = max(window.limit, 0), remaining, until
    row.save(update_fields=["calls", "remaining", "resets_at"])


def _note_refusal(
    account_id: int,
    endpoint: str,
    row: EndpointWindow | None,
    windows: Sequence[Window],
    refused_for: timedelta,
    now: datetime,
) -> None:
    waited = timedelta(seconds=row.waited if row else 0)
    if row and row.refused_until and row.refused_until > now:
        waited /= 2  # several calls were under way: that is one refusal
    wait = rules.wait_after(refused_for, windows, waited, now)
    EndpointWindow.objects.update_or_create(
        account_id=account_id,
        endpoint=endpoint,
        seconds=_REFUSALS,
        defaults={
            "refused_until": now + wait,
            "refusals": min((row.refusals if row else 0) + 1, 30_000),
            "waited": int(wait.total_seconds()),
        },
    )


def find_open(account_ids: Iterable[int]) -> dict[tuple[int, str], list[EndpointWindow]]:
    """All that is known, by account and endpoint (shared ones as “app …”): for the plan of polls."""
    found: dict[tuple[int, str], list[EndpointWindow]] = {}
    for row in EndpointWindow.objects.filter(account_id__in=list(account_ids)):
        found.setdefault((row.account_id, row.endpoint), []).append(row)
    return found
