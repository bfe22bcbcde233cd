"""The doorbell: the stream of notifications rings, is lost in a way that is noticed, or is not there."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path

import pytest

from connectors.base import AuthFailed, HasDoorbell, RetryLater, Unsupported
from connectors.mastodon.frames import Frames, frame
from connectors.mastodon.streaming import open_stream
from connectors.mastodon.streamline import ROOT, Target, stream_target
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
        ("https://a.example", "wss://s.a.example", Target(True, "s.a.example", 443, ROOT)),
        ("https://a.example", "", Target(True, "a.example", 443, ROOT)),
        ("https://a.example", "gopher://x", Target(True, "a.example", 443, ROOT)),
        ("https://a.example", "wss://a.example/api/v1/streaming", Target(True, "a.example", 443, ROOT)),
        ("http://127.0.0.1:81", "ws://127.0.0.1:81", Target(False, "127.0.0.1", 81, ROOT, True)),
    ],
)
def test_where_the_stream_is(base: str, named: str, expected: Target) -> None:
    assert stream_target(base, named) == expected


def test_a_token_never_goes_where_the_way_is_weaker_than_to_the_server_itself() -> None:
    with pytest.raises(Unsupported):
        stream_target("https://a.example", "ws://a.example")
    with pytest.raises(Unsupported):
        asyncio.run(open_stream("https://a.example", "wss://127.0.0.1:9", "token"))
    with pytest.raises(AuthFailed):
        asyncio.run(open_stream("https://a.example", "", "two\r\nlines"))


def served(opcode: int, content: bytes) -> bytes:
    """A frame as a server sends it."""
    length = len(content)
    if length >= 2**16:
        head = b"\x7f" + length.to_bytes(8, "big")
    else:
        head = bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + head + content


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100_000])
def test_frames_are_understood_in_whatever_pieces_they_come(size: int) -> None:
    messages = served(1, b"x" * 200) + served(1, b"y" * 70_000)
    said = served(9, b"are you there") + messages + served(9, b"") + served(8, b"")
    frames = Frames()
    told = [frames.read(said[at : at + size]) for at in range(0, len(said), size)]
    assert [len(pong) for one in told for pong in one.pongs] == [6 + 13, 6]
    assert any(one.is_news for one in told) and told[-1].is_closed


async def websocket_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if b"Upgrade" not in head:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        return
    key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")).split()[1]
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    accept = base64.b64encode(digest)
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    writer.write(served(9, b"beat"))
    pong = await reader.readexactly(10)
    assert pong[0] == 0x8A
    writer.write(served(1, b'{"stream":["user:notification"],"event":"notification","payload":"{}"}'))
    ping = await reader.readexactly(6)
    assert ping[0] == 0x89
    writer.write(served(10, b""))
    await reader.readexactly(6)
    writer.write(served(8, b""))
    await writer.drain()
    writer.close()


def test_a_server_that_streams_over_websocket_alone_rings_too() -> None:
    async def listen() -> None:
        server = await asyncio.start_server(websocket_server, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        bell = await open_stream(f"http://127.0.0.1:{port}", "", "a-token")
        assert await bell.wait(10) is True
        for _ in range(2):  # one is answered, at the other the server goes
            waiting = asyncio.create_task(bell.wait(10))
            await asyncio.sleep(0)
            bell.hurry()
            await asyncio.sleep(0.05)
        with pytest.raises(RetryLater):
            await waiting
        bell.close()
        server.close()

    asyncio.run(listen())


def test_what_we_send_is_masked() -> None:
    sent = frame(10, b"beat")
    assert (sent[0] == 0x8A and sent[1] == 0x84 and sent[6:] != b"beat") or sent[2:6] == b"\0\0\0\0"
