"""The doorbell of an account: the stream of its notifications, for an event loop.

https://docs.joinmastodon.org/methods/streaming/: as server-sent events (GET /api/v1/streaming/user/notification), or
over WebSocket (GET /api/v1/streaming?stream=user:notification), which is all that Pleroma, Akkoma and GoToSocial have
(https://docs.gotosocial.org/en/latest/api/swagger/); both at the address that the instance document names. What an
event says is not read: it only means “look now”.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import secrets
from sys import intern

from connectors.base import AuthFailed, RetryLater, Unsupported
from connectors.mail.channel import Channel
from connectors.mastodon.frames import Frames, frame
from connectors.mastodon.streamline import Target, ask, stream_target

SILENT_FOR = 75.0  # Mastodon says ":thump" every 15 seconds
_SILENT_WITHOUT_BEATS = 600.0
_ANSWER_WITHIN = 25.0
_EVENT = re.compile(rb"(?:^|\n)event:")
_TAIL = 8
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
_NO_STREAM = frozenset({400, 404, 405, 406, 410, 426, 501})


class StreamDoorbell:
    """One open stream, for one task; `hurry` may come from any task of the same loop."""

    __slots__ = ("_answer_by", "_beats", "_channel", "_frames", "_is_hurried", "_tail", "host", "is_whole", "mark")

    def __init__(self, channel: Channel, host: str, frames: Frames | None = None) -> None:
        self._channel = channel
        self._frames = frames  # of a WebSocket
        self._beats = False
        self._is_hurried = False
        self._answer_by = float("inf")
        self._tail = b"\n"
        self.host = intern(host)
        self.is_whole = True
        self.mark: tuple[int, ...] | None = None

    @property
    def heard_at(self) -> float:
        return self._channel.heard_at

    async def wait(self, seconds: float | None = None) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds if seconds is not None else float("inf")
        try:
            while True:
                limit = SILENT_FOR if self._beats else _SILENT_WITHOUT_BEATS
                silent_at = min(self.heard_at + limit, self._answer_by)
                if loop.time() >= silent_at:
                    raise RetryLater(f"{self.host} has gone silent while we waited for news.")
                data = await self._channel.piece(min(until, silent_at))
                if data is not None:
                    self._answer_by = float("inf")
                    if await self._is_news(data):
                        return True
                elif loop.time() >= until:
                    return False
                elif self._is_hurried:
                    await self._ping()
        except (OSError, EOFError) as error:
            raise RetryLater(f"{self.host} ended the stream of news.") from error

    async def look(self) -> bool:
        """A stream cannot be asked: only what has come already is seen."""
        return await self.wait(0.0)

    def hurry(self) -> None:
        """A WebSocket is pinged; on a stream of events beats come by themselves."""
        self._is_hurried = True
        self._channel.nudge()

    def close(self) -> None:
        self._channel.close()

    async def _ping(self) -> None:
        self._is_hurried = False
        if self._frames is not None:
            loop = asyncio.get_running_loop()
            self._answer_by = loop.time() + _ANSWER_WITHIN
            await self._channel.send(frame(9, b""), self._answer_by)

    async def _is_news(self, data: bytes) -> bool:
        if self._frames is not None:
            told = self._frames.read(data)
            for pong in told.pongs:
                await self._channel.send(pong, asyncio.get_running_loop().time() + _ANSWER_WITHIN)
            if told.is_closed:
                raise EOFError("the server closed the stream")
            return told.is_news
        # An event begins a line. Whatever else comes is a beat, or what an event says.
        seen = self._tail + data
        self._tail = seen[-_TAIL:]
        self._beats = self._beats or b":thump" in seen
        found = _EVENT.search(seen)
        if found:
            self._tail = b"\0"
        return found is not None


async def open_stream(base_url: str, streaming: str, token: str) -> StreamDoorbell:
    """Connects and begins to listen. Raises Unsupported where there is no such stream, AuthFailed, RetryLater."""
    if not token.isascii() or not token.isprintable():
        raise AuthFailed("The access token of this account is none. Connect it again.")
    target = stream_target(base_url, streaming)
    channel = await _open_events(target, token)
    if channel is not None:
        return StreamDoorbell(channel, target.name)
    return StreamDoorbell(await _open_websocket(target, token), target.name, Frames())


async def _open_events(target: Target, token: str) -> Channel | None:
    """None for a server that has no server-sent events."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream", "Cache-Control": "no-store"}
    channel, status, found = await ask(target, f"{target.root}/user/notification", headers)
    if status == 200 and found.get(b"content-type", b"").lower().startswith(b"text/event-stream"):
        return channel
    channel.close()
    if status == 200 or status in _NO_STREAM:
        return None
    raise Unsupported(f"{target.name} gives no stream of news ({status}).")


async def _open_websocket(target: Target, token: str) -> Channel:
    """RFC 6455 §4.1. The token goes as a subprotocol, as documented: an address with it would stand in logs."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Protocol": token,
        "Authorization": f"Bearer {token}",
    }
    channel, status, found = await ask(target, f"{target.root}?stream=user:notification", headers)
    wanted = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    if status != 101 or found.get(b"sec-websocket-accept") != wanted:
        channel.close()
        raise Unsupported(f"{target.name} has no stream of news ({status}).")
    return channel
