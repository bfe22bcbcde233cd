"""Turns of asking a server of one's own: few mailboxes, twenty questions a second in all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from workers import probing
from workers.probing import MOST_HOT, PROBES_A_SECOND, Probes


def run(work: Coroutine[Any, Any, Any]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def test_all_mailboxes_together_ask_at_most_twenty_times_a_second() -> None:
    async def ask(probes: Probes, turns: list[float]) -> None:
        for _ in range(4):
            await probes.turn()
            turns.append(asyncio.get_running_loop().time())

    async def work() -> None:
        probes, turns = Probes(), list[float]()
        await asyncio.gather(*(ask(probes, turns) for _ in range(5)))
        turns.sort()
        assert turns[-1] - turns[0] >= (len(turns) - 1) / PROBES_A_SECOND - 0.01

    run(work())


def test_the_few_that_had_news_last_are_hot_and_the_others_wait() -> None:
    async def work() -> None:
        probes = Probes()
        for account in range(MOST_HOT + 3):
            probes.stir(account)
            await asyncio.sleep(0.002)
        assert [account for account in range(MOST_HOT + 3) if probes.is_hot(account)] == list(range(3, MOST_HOT + 3))
        probes.stir(0)
        assert probes.is_hot(0)
        assert not probes.is_hot(3)
        probes.forget(0)
        assert probes.is_hot(3)

    run(work())


def test_a_mailbox_without_news_for_long_is_asked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "HOT_SECONDS", 0.01)

    async def work() -> None:
        probes = Probes()
        probes.stir(1)
        assert probes.is_hot(1)
        await asyncio.sleep(0.02)
        assert not probes.is_hot(1)

    run(work())
