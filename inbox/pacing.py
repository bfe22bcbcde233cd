"""The pace of polls, kept: how busy each scope of a social account is, and when it is looked at again.

Kinds that cannot look at their scopes one by one (mail) are asked as a whole, as inbox/doorbells.py plans it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.metering import PollPlace
from inbox import doorbells, windows
from inbox.models import Account, EndpointWindow, PollPace
from inbox.rules import pacing as rules
from inbox.rules.pacing import Allowance, Scope, learnt_of
from inbox.rules.polling import SAFETY_POLL_SECONDS
from inbox.rules.states import AccountState


def find_due(account: Account, now: datetime) -> frozenset[str] | None:
    """Which places to look at now; None: all of them (also when somebody asked, or a doorbell rang)."""
    places = windows.places_of(account.kind)
    if not places:
        return None
    known = {row.place: row for row in PollPace.objects.filter(account_id=account.id)}
    due = rules.find_due(
        [
            (one.place, known[one.place].due_at, _pause(known[one.place]))
            if one.place in known
            else (one.place, None, 0)
            for one in places
        ],
        now,
    )
    return due or None


def _pause(row: PollPace) -> float:
    return (row.due_at - row.polled_at).total_seconds() if row.due_at and row.polled_at else 0.0


def note(account: Account, looked: frozenset[str] | None, arrived: Mapping[str, int], now: datetime) -> datetime | None:
    """After a look at these places (None: all): learns, plans, and says when the next one is due.

    None for kinds that are asked as a whole. Inside the transaction that writes the account's next poll.
    """
    places = windows.places_of(account.kind)
    if not places:
        return None
    rows = {(row.account_id, row.place): row for row in PollPace.objects.filter(account__in=_with(account, places))}
    for place in places:
        key = (account.id, place.place)
        row = rows.setdefault(key, PollPace(account_id=account.id, place=place.place))
        if looked is None or place.place in looked:
            learnt = rules.learn(learnt_of(row.learnt), arrived.get(place.place, 0), now)
            row.learnt, row.polled_at = rules.plain(learnt), now
    pauses = _plan(account, places, rows, now)
    mine = [rows[account.id, place.place] for place in places]
    for row in mine:
        if looked is None or row.place in looked or row.due_at is None:
            row.due_at = now + timedelta(seconds=pauses[account.id, row.place])
    PollPace.objects.bulk_create(
        mine,
        update_conflicts=True,
        unique_fields=["account_id", "place"],
        update_fields=["learnt", "polled_at", "due_at"],
    )
    return min(row.due_at for row in mine if row.due_at is not None)


def _with(account: Account, places: tuple[PollPlace, ...]) -> list[int]:
    """The accounts that a plan must look at: those that share a limit, or this installation's own capacity."""
    live = Account.objects.filter(removed_at=None, state__in=(AccountState.OK, AccountState.RETRYING))
    kinds = [kind for kind in set(live.values_list("kind", flat=True)) if windows.places_of(kind)]
    return [account.id, *live.filter(kind__in=kinds).exclude(id=account.id).values_list("id", flat=True)]


def _plan(
    account: Account, places: tuple[PollPlace, ...], rows: Mapping[tuple[int, str], PollPace], now: datetime
) -> dict[tuple[int, str], float]:
    keeper = windows.find_keeper(account.id, account.kind, account.settings)
    open_ = windows.find_open({account.id, keeper})
    shared: dict[str, Allowance] = {}
    heard = doorbells.is_heard(account.id)
    scopes = []
    for place in places:
        own = tuple(_allowances(open_.get((account.id, place.endpoint), ()), place, now, is_shared=False))
        groups = []
        for allowance in _allowances(open_.get((keeper, f"app {place.endpoint}"), ()), place, now, is_shared=True):
            name = f"{account.kind} {place.place} {allowance.seconds}"
            shared[name] = allowance
            groups.append(name)
        soonest = _soonest(account, place, heard)
        learnt = learnt_of(rows[account.id, place.place].learnt)
        scopes.append(Scope((account.id, place.place), learnt, place.weight, soonest, own, tuple(groups)))
    scopes += _others(account, places, rows, now)
    return rules.pauses(scopes, shared, now)


def _soonest(account: Account, place: PollPlace, is_heard: bool) -> float:
    wished = account.settings.get("poll_seconds")
    if wished is not None:
        return max(float(wished), 1.0)
    return max(place.soonest, SAFETY_POLL_SECONDS) if is_heard else place.soonest


def _others(
    account: Account, places: tuple[PollPlace, ...], rows: Mapping[tuple[int, str], PollPace], now: datetime
) -> list[Scope]:
    """The scopes of other accounts, as far as they are known: at the pace that the documents allow."""
    by_name = {place.place: place for place in places}
    found = []
    kinds = dict(Account.objects.filter(id__in={key[0] for key in rows}).values_list("id", "kind"))
    for (account_id, name), row in rows.items():
        if account_id == account.id:
            continue
        kind = kinds.get(account_id, "")
        place = by_name.get(name) if kind == account.kind else None
        if place is None:
            place = next((one for one in windows.places_of(kind) if one.place == name), None)
        if place is None:
            continue
        own = tuple(_allowances((), place, now, is_shared=False))
        groups = tuple(f"{kind} {name} {one.seconds}" for one in place.quotas if one.is_shared)
        found.append(Scope((account_id, name), learnt_of(row.learnt), place.weight, place.soonest, own, groups))
    return found


def _allowances(
    known: list[EndpointWindow] | tuple[()], place: PollPlace, now: datetime, *, is_shared: bool
) -> list[Allowance]:
    """What is left: as the platform said, else as documented. A window that is over begins anew with the next call."""
    found: dict[int, Allowance] = {
        one.seconds: rules.fresh(one.calls, one.seconds, now) for one in place.quotas if one.is_shared == is_shared
    }
    for row in known:
        if row.refused_until is not None and row.refused_until > now:
            found[-1] = Allowance(0, row.refused_until, 0)
        if row.resets_at is None:
            continue
        if row.resets_at > now:
            found[row.seconds] = Allowance(row.remaining, row.resets_at, row.seconds)
        elif row.seconds and row.calls:
            found[row.seconds] = rules.fresh(row.calls, row.seconds, now)
    return list(found.values())
