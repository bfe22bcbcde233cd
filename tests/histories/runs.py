"""A run: histories drawn by Hypothesis from one seed. The same seed draws the same histories.

python -m tests.histories SEED [HISTORIES]
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from copy import copy
from datetime import timedelta
from typing import Final

from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from inbox.ids import new_id
from inbox.ingest import digest_due
from inbox.models import Account, Delivery, Message, RawItem
from tests.builders import NOW, make_account
from tests.histories.acts import ACTS, ONLY_A_PROOF_HEALS
from tests.histories.world import World
from tests.servers.model_imap import listening

A_RUN: Final = 250
_STEPS = {
    has_proof: st.lists(st.tuples(st.sampled_from(acts), st.integers(0, 60)), min_size=4, max_size=9)
    for has_proof, acts in ((True, ACTS + ONLY_A_PROOF_HEALS), (False, ACTS))
}


def run(number: int, histories: int = A_RUN) -> list[World]:
    """Odd runs do without the daily listing, so that it hides nothing that the polls overlook.

    Raises AssertionError with the smallest history that goes wrong. Needs a database of its own.
    """
    worlds: list[World] = []
    has_proof = number % 2 == 0
    accounts = _accounts()
    with listening() as standing:

        @seed(number)
        @settings(
            max_examples=histories,
            deadline=None,
            database=None,
            derandomize=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        @given(_STEPS[has_proof])
        def hold(steps: list[tuple[Callable[[World, int], None], int]]) -> None:
            note(f"one of run {number}: python -m tests.histories {number} draws it again")
            world = World(
                standing, next(accounts), seed=len(steps) * 61 + sum(value for _, value in steps), has_proof=has_proof
            )
            try:
                for act, value in steps:
                    act(world, value)
                    if value % 2:
                        world.poll()
                world.rest()
            finally:
                world.drop_connection()
            worlds.append(world)

        hold()
    return worlds


def _accounts() -> Iterator[Account]:
    """A mailbox for each history; made many at once, which costs a fraction."""
    first = make_account("history")
    for number in itertools.count(1):
        rows = []
        for name in range(A_RUN):
            row = copy(first)
            row.id, row.name = new_id(), f"history-{number}-{name}"
            rows.append(row)
        yield from Account.objects.bulk_create(rows)


def check_messages(worlds: list[World]) -> None:
    """Every mail of the histories, once it is digested, is one message, and every sighting one delivery."""
    Account.objects.update(next_poll_at=None)
    for minutes in range(10):  # what takes too long at first is read again
        while digest_due(2000, NOW + timedelta(minutes=minutes)).taken:
            pass
    assert not RawItem.objects.filter(state="stored").exists()
    told = dict[str, int]()
    for reference in Message.objects.values_list("reference", flat=True):
        told[reference] = told.get(reference, 0) + 1
    assert {reference: count for reference, count in told.items() if count > 1} == {}, "shown twice"
    for world in worlds:
        owed = {f"{number}.{world.account.id}@shop.example" for number in world.owed}
        assert owed <= told.keys(), "lost on the way to a message"
    assert Delivery.objects.count() == RawItem.objects.count()
