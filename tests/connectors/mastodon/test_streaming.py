"""The doorbell: the stream of notifications rings, is lost in a way that is noticed, or is not there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from connectors.base import AuthFailed, HasDoorbell, RetryLater, Unsupported
from connectors.mastodon import streaming
from connectors.mastodon.streaming import stream_address
from connectors.simulators.faults import Fault
from tests.connectors.mastodon.conftest import World, connect

ROUTE = "GET /api/v1/streaming/user/notification"


def test_the_doorbell_rings_for_a_mention_and_not_for_a_heartbeat(world: World) -> None:
    world.server.beat_seconds = 0.2
    assert isinstance(world.connector, HasDoorbell)

    async def listen() -> None:
        bell = await world.connector.open_doorbell()
        assert bell.is_whole and bell.mark is None and bell.host.startswith("127.0.0.1:")
        assert await bell.wait(0.6) is False
        heard = bell.heard_at
        waiting = asyncio.create_task(bell.wait(10))
        await asyncio.to_thread(world.server.say, "ana@far.example", "event: here")
        assert await waiting is True
        assert bell.heard_at > heard
        await asyncio.to_thread(world.server.say, "bogdan", "another")
        assert await bell.wait(10) is True
        bell.close()

    asyncio.run(listen())


def test_a_stream_that_ends_is_lost_and_says_so(world: World) -> None:
    async def listen() -> None:
        bell = await world.connector.open_doorbell()
        while not world.server.listeners:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(world.server.stop)
        with pytest.raises(RetryLater):
            await bell.wait(10)
        bell.close()

    asyncio.run(listen())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=404, body=b"{}"), Unsupported),
        (Fault(is_html=True), Unsupported),
        (Fault(status=503), RetryLater),
        (Fault(status=429), RetryLater),
        (Fault(cut_after=0), RetryLater),
        (Fault(status=401), AuthFailed),
    ],
)
def test_a_server_without_a_stream_is_told_from_one_in_trouble(
    world: World, fault: Fault, error: type[Exception]
) -> None:
    world.server.faults.add(ROUTE, fault)
    with pytest.raises(error):
        asyncio.run(world.connector.open_doorbell())


def test_a_connector_that_was_told_nothing_asks_where_news_is_told(world: World, tmp_path: Path) -> None:
    async def listen() -> None:
        fresh = connect(world.server, tmp_path)
        bell = await fresh.open_doorbell()
        bell.close()
        fresh.close()

    asyncio.run(listen())


@pytest.mark.parametrize(
    ("base", "named", "expected"),
    [
        ("https://a.example", "wss://s.a.example", (True, "s.a.example", 443, streaming.PATH)),
        ("https://a.example", "", (True, "a.example", 443, streaming.PATH)),
        ("https://a.example", "gopher://x", (True, "a.example", 443, streaming.PATH)),
        ("https://a.example", "wss://a.example/api/v1/streaming", (True, "a.example", 443, streaming.PATH)),
        ("http://127.0.0.1:81", "ws://127.0.0.1:81", (False, "127.0.0.1", 81, streaming.PATH)),
    ],
)
def test_where_the_stream_is(base: str, named: str, expected: tuple[bool, str, int, str]) -> None:
    assert stream_address(base, named) == expected


def test_a_token_never_goes_where_the_way_is_weaker_than_to_the_server_itself() -> None:
    with pytest.raises(Unsupported):
        stream_address("https://a.example", "ws://a.example")
    with pytest.raises(Unsupported):
        asyncio.run(streaming.open_stream("https://a.example", "wss://127.0.0.1:9", "token"))
