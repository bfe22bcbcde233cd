"""However the items of a kind arrive, the inbox is the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction

from connectors.messages import RawItem
from inbox import accounts
from inbox.ingest import parsing
from tests.builders import NOW, digest_all, put
from tests.connectors.contract import Harness
from tests.connectors.contract.conftest import TOY
from tests.connectors.contract.test_contract import all_of
from tests.inbox.inbox_picture import assert_sums_hold, take_picture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def children_that_know_the_kind(harness: Harness) -> Iterator[None]:
    """Those that linger from earlier tests were started before the toy was installed."""
    is_new = harness.kind == TOY
    if is_new:
        parsing.close()
    yield
    if is_new:
        parsing.close()


class Undone(Exception):
    """Ends a transaction that shall leave nothing."""


def picture_of(harness: Harness, spool: Path, batches: list[list[RawItem]]) -> list[dict[str, object]]:
    known = harness.account(spool)
    try:
        with transaction.atomic():
            account = accounts.connect(
                kind=harness.kind,
                name="shop",
                address=known.address,
                settings_=known.settings,
                secrets={},
                cut_at=NOW - timedelta(days=10_000),
                now=NOW,
                external_id=harness.our_id,
            )
            for batch in batches:
                put(account, *batch)
                digest_all()
            assert_sums_hold()
            picture = take_picture()
            raise Undone
    except Undone:
        return picture


def test_any_order_of_arrival_gives_the_same_inbox(harness: Harness, tmp_path: Path) -> None:
    harness.arrive(7)
    items = sorted(all_of(harness, tmp_path).versions.values(), key=lambda one: (one.received_at, one.external_id))
    in_order = picture_of(harness, tmp_path, [[item] for item in items])
    assert sum(len(one["messages"]) for one in in_order) >= 7  # type: ignore[arg-type]
    assert picture_of(harness, tmp_path, [items, items]) == in_order
    assert picture_of(harness, tmp_path, [[item] for item in reversed(items)]) == in_order
    for seed in range(2):
        chance = random.Random(seed)
        shuffled = chance.sample(items, len(items))
        assert picture_of(harness, tmp_path, [shuffled[:3], shuffled[3:]]) == in_order
