"""The doorbell of an account: the stream of its notifications as server-sent events, for an event loop.

GET /api/v1/streaming/user/notification at the address that the instance document names
(https://docs.joinmastodon.org/methods/streaming/#notification, #http). What an event says is not read: it only means
“look now”. Servers that stream over WebSocket alone (Pleroma, GoToSocial) have no doorbell here and are polled.
"""

from __future__ import annotations

import asyncio
import re
import socket
from sys import intern
from urllib.parse import urlsplit

from connectors.base import AuthFailed, RetryLater, Unsupported
from connectors.egress import is_public
from connectors.lookup import is_loopback
from connectors.mail.channel import Channel
from connectors.mail.endpoint import Endpoint
from connectors.mail.literals import Garbled
from connectors.route import chosen_route

PATH = "/api/v1/streaming/user/notification"
CONNECT_WITHIN = 20.0
SILENT_FOR = 75.0  # Mastodon says ":thump" every 15 seconds
_SILENT_WITHOUT_BEATS = 600.0
_MOST_HEADERS = 100
_EVENT = re.compile(rb"(?:^|\n)event:")
_TAIL = 8


class StreamDoorbell:
    """One open stream, for one task; `hurry` may come from any task of the same loop."""

    __slots__ = ("_beats", "_channel", "_tail", "host", "is_whole", "mark")

    def __init__(self, channel: Channel, host: str) -> None:
        self._channel = channel
        self._beats = False
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
        while True:
            silent_at = self.heard_at + (SILENT_FOR if self._beats else _SILENT_WITHOUT_BEATS)
            if loop.time() >= silent_at:
                raise RetryLater(f"{self.host} has gone silent while we waited for news.")
            try:
                data = await self._channel.piece(min(until, silent_at))
            except (OSError, EOFError) as error:
                raise RetryLater(f"{self.host} ended the stream of news.") from error
            if data is not None and self._is_news(data):
                return True
            if data is None and loop.time() >= until:
                return False

    async def look(self) -> bool:
        """A stream cannot be asked: only what has come already is seen."""
        return await self.wait(0.0)

    def hurry(self) -> None:
        self._channel.nudge()

    def close(self) -> None:
        self._channel.close()

    def _is_news(self, data: bytes) -> bool:
        """An event begins a line. Whatever else comes is a beat or what an event says."""
        seen = self._tail + data
        self._tail = seen[-_TAIL:]
        self._beats = self._beats or b":thump" in seen or b"\n:" in seen
        found = _EVENT.search(seen)
        if found:
            self._tail = b"\0"
        return found is not None


def stream_address(base_url: str, streaming: str) -> tuple[bool, str, int, str]:
    """(with TLS, host, port, path). Raises Unsupported for an address to which no token may go."""
    try:
        named = urlsplit(streaming) if streaming else None
        base = urlsplit(base_url)
        parts = named if named and named.scheme in {"wss", "https", "ws", "http"} and named.hostname else base
        is_secure = parts.scheme in {"wss", "https"}
        host, port = parts.hostname or "", parts.port or (443 if is_secure else 80)
    except ValueError:
        raise Unsupported("The server names no proper address for its stream of news.") from None
    # No weaker than the way to the server itself.
    if not is_secure and base.scheme == "https":
        raise Unsupported(f"{host} would get the log-in unencrypted.")
    return is_secure, host, port, parts.path.rstrip("/").removesuffix("/api/v1/streaming") + PATH


async def open_stream(base_url: str, streaming: str, token: str) -> StreamDoorbell:
    """Connects and begins to listen. Raises Unsupported where there is no such stream, AuthFailed, RetryLater."""
    is_secure, host, port, path = stream_address(base_url, streaming)
    if chosen_route().proxy and not is_loopback(host):
        raise Unsupported("Through a proxy no stream of news is kept open.")
    until = asyncio.get_running_loop().time() + CONNECT_WITHIN
    shown = f"[{host}]" if ":" in host else host
    name = shown if port in {80, 443} else f"{shown}:{port}"
    try:
        channel = await _connect(host, port, is_secure, is_loopback(urlsplit(base_url).hostname or ""), until)
    except OSError as error:
        raise RetryLater(f"{name} could not be reached ({type(error).__name__}).") from error
    try:
        await channel.send(
            (
                f"GET {path} HTTP/1.1\r\nHost: {name}\r\nAuthorization: Bearer {token}\r\n"
                "Accept: text/event-stream\r\nUser-Agent: Balas\r\nCache-Control: no-store\r\n\r\n"
            ).encode("latin-1", "replace"),
            until,
        )
        await _read_head(channel, name, until)
    except (OSError, EOFError, Garbled) as error:
        channel.close()
        raise RetryLater(f"{name} ended the connection on which news was to come.") from error
    except BaseException:
        channel.close()
        raise
    return StreamDoorbell(channel, f"{name}")


async def _connect(host: str, port: int, is_secure: bool, is_own_machine: bool, until: float) -> Channel:
    """Every address of the name must be allowed, and one of these very addresses is connected to."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout_at(until):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    may_reach = is_loopback if is_own_machine else is_public
    if not found or not all(may_reach(str(one[4][0])) for one in found):
        raise Unsupported(f"{host} is no server of the public internet.")
    problem: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in found[:4]:
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            async with asyncio.timeout_at(min(until, loop.time() + CONNECT_WITHIN / 2)):
                await loop.sock_connect(sock, address)
            channel = Channel(sock)
            if is_secure:
                await channel.start_tls(Endpoint("imaps", host, port, "", chosen_route().ca_file), until)
            return channel
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
    raise problem


async def _read_head(channel: Channel, name: str, until: float) -> None:
    status_line = await channel.line(until)
    match = re.match(rb"HTTP/1\.[01] (\d{3})", status_line or b"")
    if not match:
        raise RetryLater(f"{name} did not answer when asked for a stream of news.")
    headers: dict[bytes, bytes] = {}
    for _ in range(_MOST_HEADERS):
        line = await channel.line(until)
        if not line:
            break
        label, _, value = line.partition(b":")
        headers[label.strip().lower()] = value.strip().lower()
    status = int(match[1])
    if status == 401:
        raise AuthFailed(f"{name} no longer accepts this log-in. Connect the account again.")
    if status == 429 or status >= 500:
        raise RetryLater(f"{name} has no stream of news just now ({status}).")
    if status != 200 or not headers.get(b"content-type", b"").startswith(b"text/event-stream"):
        raise Unsupported(f"{name} has no stream of news as server-sent events ({status}).")
