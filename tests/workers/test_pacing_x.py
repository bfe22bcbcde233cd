"""The real plan, meter and connector against the simulated X over HTTP, on one virtual clock, over midnight."""

from __future__ import annotations

import random
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.messages import Wish
from connectors.metering import WindowUsedUp
from connectors.registry import AccountSettings, SecretText, make_connector
from connectors.simulators.x.server import XServer
from inbox import accounts, pacing, shelf
from inbox.metering import AccountMeter
from inbox.models import Account, EndpointWindow, RawItem, Spend

BEGIN = datetime(2026, 11, 24, 23, 20, tzinfo=UTC)


class Clock:
    """Read by the server's threads as well."""

    def __init__(self) -> None:
        self._lock, self._now = threading.Lock(), BEGIN

    def __call__(self) -> datetime:
        with self._lock:
            return self._now

    def set(self, now: datetime) -> None:
        with self._lock:
            self._now = max(self._now, now)


def connected(server: XServer, clock: Clock, folder: Path) -> tuple[Account, object]:
    us = next(one for one in server.world.members.values() if one.username == "tasbora")
    settings = {"base_url": server.base_url, "user_id": us.id, "handle": "tasbora", "poll_seconds": 40}
    account = accounts.connect(
        kind="x", name="tasbora", address="tasbora", settings_=settings, secrets={}, cut_at=BEGIN, now=BEGIN
    )
    built = AccountSettings("x", "tasbora", settings, folder, meter=AccountMeter(account, clock))
    return account, make_connector(built, {"access_token": SecretText(server.grant("tasbora")["access_token"])})


def look(account: Account, connector: object, clock: Clock) -> datetime | None:
    """One poll, as workers/jobs.py does it."""
    due, arrived = pacing.find_due(account, clock()), Counter[str]()
    try:
        for page in connector.fetch(shelf.known(account.id), Wish(scopes=due)):  # type: ignore[attr-defined]
            arrived.update(item.scope.place for item in page.items)
            shelf.put(account.id, page, held=None, now=clock())
    except WindowUsedUp as error:
        return clock() + (error.after or timedelta())
    return pacing.note(account, due, arrived, clock())


@pytest.mark.django_db(transaction=True)
def test_what_we_counted_is_what_x_charged_and_nothing_was_refused(tmp_path: Path) -> None:
    clock, chance, looks = Clock(), random.Random(11), 0
    with XServer(now=clock) as server:
        server.join("tasbora", "Tasbora", is_ours=True)
        people = [server.join(f"customer{number}", f"Customer {number}") for number in range(9)]
        server.limits.quotas["GET /2/dm_events"] = type(server.limits.quotas["GET /2/dm_events"])(9)
        account, connector = connected(server, clock, tmp_path)
        due: datetime | None = BEGIN
        while due is not None and due < BEGIN + timedelta(minutes=75):
            clock.set(due)
            if chance.random() < 0.5:
                server.say(chance.choice(people).username, f"@tasbora where is order {looks}?")
            due, looks = look(account, connector, clock), looks + 1
        charged, refused = server.ledger.micros(), server.limits.refused
        connector.close()  # type: ignore[attr-defined]

    counted = sum(row.micros + row.reserved_micros for row in Spend.objects.all())
    assert looks > 80
    assert RawItem.objects.count() > 30
    assert refused == []
    assert charged > 200_000
    assert abs(counted - charged) <= charged / 100
    assert len({row.day for row in Spend.objects.all()}) == 2
    assert EndpointWindow.objects.filter(endpoint="GET /2/dm_events", seconds=900).get().calls == 9
