"""The way to a server's stream of news: its address, one checked connection, and the head of an answer."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.base import AuthFailed, RetryLater, Unsupported
from connectors.egress import is_public
from connectors.lookup import is_loopback
from connectors.mail.channel import Channel
from connectors.mail.endpoint import Endpoint
from connectors.mail.literals import Garbled
from connectors.route import chosen_route

ROOT = "/api/v1/streaming"
CONNECT_WITHIN = 20.0
_MOST_HEADERS = 100


@dataclass(frozen=True, slots=True)
class Target:
    is_secure: bool
    host: str
    port: int
    root: str  # of the path
    is_own_machine: bool = False

    @property
    def name(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == (443 if self.is_secure else 80) else f"{shown}:{self.port}"


def stream_target(base_url: str, streaming: str) -> Target:
    """`streaming` is what the instance document names, "" for nothing. Raises Unsupported for where no token may go."""
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
    if chosen_route().proxy and not is_loopback(host):
        raise Unsupported("Through a proxy no stream of news is kept open.")
    root = parts.path.rstrip("/").removesuffix(ROOT) + ROOT
    return Target(is_secure, host, port, root, is_loopback(base.hostname or ""))


async def ask(target: Target, path: str, headers: dict[str, str]) -> tuple[Channel, int, dict[bytes, bytes]]:
    """An open connection on which this was asked for; status and headers of the answer (names in lower case).

    Raises RetryLater, Unsupported for an address that is not allowed.
    """
    until = asyncio.get_running_loop().time() + CONNECT_WITHIN
    lines = [f"GET {path} HTTP/1.1", f"Host: {target.name}", *(f"{name}: {value}" for name, value in headers.items())]
    try:
        channel = await _connect(target, until)
    except OSError as error:
        raise RetryLater(f"{target.name} could not be reached ({type(error).__name__}).") from error
    try:
        await channel.send(("\r\n".join([*lines, "User-Agent: Balas"]) + "\r\n\r\n").encode("latin-1"), until)
        status, found = await _read_head(channel, target.name, until)
    except (OSError, EOFError, Garbled, UnicodeError) as error:
        channel.close()
        raise RetryLater(f"{target.name} ended the connection on which news was to come.") from error
    except BaseException:
        channel.close()
        raise
    return channel, status, found


async def _connect(target: Target, until: float) -> Channel:
    """Every address of the name must be allowed, and one of these very addresses is connected to."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout_at(until):
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    may_reach = is_loopback if target.is_own_machine else is_public
    if not found or not all(may_reach(str(one[4][0])) for one in found):
        raise Unsupported(f"{target.host} is no server of the public internet.")
    problem: OSError = OSError(f"{target.host} has no address")
    for family, sort, protocol, _, address in found[:4]:
        sock = socket.socket(family, sort, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            async with asyncio.timeout_at(min(until, loop.time() + CONNECT_WITHIN / 2)):
                await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
        else:
            return await _secured(Channel(sock), target, until)
    raise problem


async def _secured(channel: Channel, target: Target, until: float) -> Channel:
    try:
        if target.is_secure:
            endpoint = Endpoint("imaps", target.host, target.port, "", chosen_route().ca_file)
            await channel.start_tls(endpoint, until)
    except BaseException:
        channel.close()
        raise
    return channel


async def _read_head(channel: Channel, name: str, until: float) -> tuple[int, dict[bytes, bytes]]:
    match = re.match(rb"HTTP/1\.[01] (\d{3})", await channel.line(until) or b"")
    if not match:
        raise RetryLater(f"{name} did not answer when asked for a stream of news.")
    headers: dict[bytes, bytes] = {}
    for _ in range(_MOST_HEADERS):
        line = await channel.line(until)
        if not line:
            break
        label, _, value = line.partition(b":")
        headers[label.strip().lower()] = value.strip()
    status = int(match[1])
    if status == 401:
        raise AuthFailed(f"{name} no longer accepts this log-in. Connect the account again.")
    if status == 429 or status >= 500:
        raise RetryLater(f"{name} has no stream of news just now ({status}).")
    return status, headers
