"""What platforms charge: the connector's own list, dated and with its source, and what somebody here knows better.

A row of ours holds from its day (UTC) on until a newer one replaces it or it is taken back. What was counted before
keeps the price of its moment (`Spend.micros`), so no later change rewrites what a month has cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from connectors.metering import Charges, PriceList
from connectors.registry import connector_class, kinds
from inbox.models import OwnPrice
from inbox.people import Actor, actor_name, audit
from inbox.rules.metering import day_of

MOST_MICROS = 1_000_000_000  # a thousand dollars for one call: more is a slip of the finger


class PriceProblem(Exception):
    """str() is one sentence for the person who entered it."""


@dataclass(frozen=True, slots=True)
class PriceHeld:
    """One line of the table as it holds on a day. `own_id` is 0 for the program's own."""

    resource: str
    words: str
    micros: int
    valid_from: date
    source: str
    own_id: int = 0
    built_in: int | None = None  # what the program says where somebody here knows better


def find_list(kind: str) -> PriceList | None:
    """What the program knows of a kind's prices; None for kinds that charge nothing or are not installed."""
    if kind not in kinds():
        return None
    found = connector_class(kind)
    return found.price_list if isinstance(found, Charges) else None


def prices_on(kind: str, day: date) -> dict[str, PriceHeld]:
    """All prices of a kind as they hold, or held, on a day, by resource, in the program's order."""
    known = find_list(kind)
    if known is None:
        return {}
    held = {
        name: PriceHeld(name, known.words.get(name, name), micros, known.as_of, known.source)
        for name, micros in known.micros.items()
    }
    ended = datetime.combine(day + timedelta(days=1), time(), UTC)
    held_then = Q(removed_at=None) | Q(removed_at__gte=ended)
    for row in OwnPrice.objects.filter(held_then, kind=kind, valid_from__lte=day).order_by(
        "valid_from", "created_at", "id"
    ):
        before = known.micros.get(row.resource)
        words = known.words.get(row.resource, row.resource)
        held[row.resource] = PriceHeld(row.resource, words, row.micros, row.valid_from, row.source, row.id, before)
    return held


def find_planned(kind: str, day: date) -> list[PriceHeld]:
    """Our rows that hold only later."""
    known = find_list(kind)
    words = known.words if known else {}
    rows = OwnPrice.objects.filter(kind=kind, valid_from__gt=day, removed_at=None).order_by("valid_from", "resource")
    return [
        PriceHeld(row.resource, words.get(row.resource, row.resource), row.micros, row.valid_from, row.source, row.id)
        for row in rows
    ]


def enter(kind: str, resource: str, micros: int, valid_from: date, source: str, actor: Actor, now: datetime) -> None:
    """A price that holds from a day on, today at the earliest. Raises PriceProblem."""
    known = find_list(kind)
    if known is None or resource not in known.micros:
        raise PriceProblem(_("There is no such price."))
    if not 0 <= micros <= MOST_MICROS:
        raise PriceProblem(_("A price lies between $0 and $1,000."))
    today = day_of(now)
    if not today <= valid_from <= today + timedelta(days=366):
        raise PriceProblem(_("A new price holds from today (UTC) or a day within a year: what was counted stays."))
    with transaction.atomic():
        row = OwnPrice.objects.create(
            kind=kind,
            resource=resource,
            micros=micros,
            valid_from=valid_from,
            source=source.strip()[:300],
            actor=actor_name(actor),
            created_at=now,
        )
        data = {"resource": resource, "micros": micros, "valid_from": valid_from.isoformat(), "source": row.source}
        audit("price.enter", f"kind:{kind}", actor, now, data)


def take_back(kind: str, own_id: int, actor: Actor, now: datetime) -> None:
    """One of our rows counts no more from now on: the one before, or the program's, holds again."""
    with transaction.atomic():
        row = OwnPrice.objects.select_for_update().filter(id=own_id, kind=kind, removed_at=None).first()
        if row is None:
            raise PriceProblem(_("This price is no longer there."))
        row.removed_at = now
        row.save(update_fields=["removed_at"])
        audit("price.take-back", f"kind:{kind}", actor, now, {"resource": row.resource, "micros": row.micros})
