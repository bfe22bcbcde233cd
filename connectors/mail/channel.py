"""Lines over one TCP or TLS connection inside an event loop, with a deadline on whatever waits.

asyncio's own TLS keeps a buffer of 256 KiB for each connection; a non-blocking `ssl.SSLSocket` beside the loop's
selector does with about 20. One task at a time; whoever reads may be woken by `nudge`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from connectors.mail.endpoint import Endpoint, tls_context
from connectors.mail.literals import Garbled

_MAX_LINE = 64 * 1024
_CHUNK = 16 * 1024
_MAX_ADDRESSES = 8
_ONE_ADDRESS = 8.0  # seconds
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
# Keepalive alone gives up at 60 + 4 × 15 = 120 s; with this, which also covers what we wrote, at its probe of 105 s.
_USER_TIMEOUT_MS = 100_000

T = TypeVar("T")


class Channel:
    """`heard_at` is the loop's time of the last byte that came."""

    __slots__ = ("_buffer", "_sock", "_waiting", "heard_at")

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""
        self._waiting: asyncio.Future[bool | None] | None = None
        self.heard_at = asyncio.get_running_loop().time()

    async def send(self, data: bytes, until: float) -> None:
        """Raises TimeoutError when it is not taken by `until`, a time of the loop."""
        while data:
            sent = await self._attempt(partial(self._sock.send, data), True, until)
            data = data[sent or 0 :]

    async def line(self, until: float) -> bytes | None:
        """The next line without its end; None when none came by `until` or somebody nudged. Raises EOFError."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _MAX_LINE:
                raise Garbled(f"a line of more than {_MAX_LINE} bytes")
            try:
                data = await self._attempt(partial(self._sock.recv, _CHUNK), False, until)
            except TimeoutError:
                return None
            if data is None:
                return None
            if not data:
                raise EOFError("the server closed the connection")
            self.heard_at = asyncio.get_running_loop().time()
            self._buffer += data
        line, self._buffer = self._buffer[:end].rstrip(b"\r"), self._buffer[end + 1 :]
        return line

    async def piece(self, until: float) -> bytes | None:
        """Whatever came, without waiting for the end of a line; None and errors as of `line`."""
        if not self._buffer:
            try:
                data = await self._attempt(partial(self._sock.recv, _CHUNK), False, until)
            except TimeoutError:
                return None
            if data is None:
                return None
            if not data:
                raise EOFError("the server closed the connection")
            self.heard_at = asyncio.get_running_loop().time()
            return data
        data, self._buffer = self._buffer, b""
        return data

    @property
    def has_line(self) -> bool:
        return b"\n" in self._buffer

    def nudge(self) -> None:
        """Whoever waits in `line` gets up at once without one."""
        if self._waiting is not None:
            _settle(self._waiting, False)

    async def start_tls(self, endpoint: Endpoint, until: float) -> None:
        """Raises Garbled when something came before encryption began: it could be anybody's."""
        if self._buffer:
            raise Garbled("words before encryption")
        context = tls_context(endpoint.ca_file)
        secure = context.wrap_socket(self._sock, server_hostname=endpoint.host, do_handshake_on_connect=False)
        self._sock = secure
        await self._attempt(secure.do_handshake, False, until)

    async def _attempt(self, act: Callable[[], T], wants_write: bool, until: float) -> T | None:
        """Does it as soon as the socket lets us. None when somebody nudged first. Raises TimeoutError at `until`."""
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                is_ready = await self._ready(False, until)
            except ssl.SSLWantWriteError:
                is_ready = await self._ready(True, until)
            except BlockingIOError:
                is_ready = await self._ready(wants_write, until)
            if not is_ready:
                return None

    async def _ready(self, to_write: bool, until: float) -> bool:
        """Waits until the socket can be read or written; False when somebody nudged."""
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        add, remove = (loop.add_writer, loop.remove_writer) if to_write else (loop.add_reader, loop.remove_reader)
        number = self._sock.fileno()
        add(number, _settle, self._waiting, True)
        timer = loop.call_at(until, _settle, self._waiting, None)
        try:
            is_ready = await self._waiting
        finally:
            timer.cancel()
            remove(number)
            self._waiting = None
        if is_ready is None:
            raise TimeoutError("no answer in time")
        return is_ready

    def close(self) -> None:
        """Lets go without a word; never blocks. Whoever waits must have been cancelled before."""
        self._sock.close()


def _settle(waiting: asyncio.Future[bool | None], how: bool | None) -> None:
    if not waiting.done():
        waiting.set_result(how)


async def open_channel(endpoint: Endpoint, until: float) -> Channel:
    """Connects, with TLS from the start where the scheme says so. Raises OSError, TimeoutError among them."""
    loop = asyncio.get_running_loop()
    # Not `wait_for`: before Python 3.12 it may swallow a cancellation that comes as the answer does.
    async with asyncio.timeout_at(until):
        found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    problem: OSError = OSError(f"{endpoint.host} has no address")
    for family, kind, protocol, _, address in found[:_MAX_ADDRESSES]:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            _tune(sock)
            # An address that does not answer must leave time for the next one.
            async with asyncio.timeout_at(min(until, loop.time() + _ONE_ADDRESS) if len(found) > 1 else until):
                await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
        else:
            return await _secured(Channel(sock), endpoint, until)
    raise problem


async def _secured(channel: Channel, endpoint: Endpoint, until: float) -> Channel:
    try:
        if endpoint.is_tls_from_start:
            await channel.start_tls(endpoint, until)
    except BaseException:
        channel.close()
        raise
    return channel


def _tune(sock: socket.socket) -> None:
    """Notice a peer that has gone without a word within two minutes (the options differ by platform)."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (*_KEEPALIVE, ("TCP_USER_TIMEOUT", _USER_TIMEOUT_MS)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
