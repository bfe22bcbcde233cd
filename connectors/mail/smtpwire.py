"""aiosmtplib's protocol, taught to have several commands in flight and to write a body without its end."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque

from aiosmtplib import SMTPReadTimeoutError, SMTPResponse, SMTPResponseException, SMTPServerDisconnected
from aiosmtplib.protocol import SMTPProtocol

_LONE_LINE_END = re.compile(rb"\r\n|\n|\r")
_BLOCK = 64 * 1024
_MAX_REPLY = 32 * 1024
COMMANDS_AT_ONCE = 100


class DataProtocol(SMTPProtocol):
    """aiosmtplib's protocol with answers in a queue, so that several commands can be in flight (RFC 2920)."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._ready: deque[SMTPResponse] = deque()
        self._broken: Exception | None = None
        self._news: asyncio.Future[None] | None = None
        self._is_gone = False

    def data_received(self, data: bytes) -> None:
        self._buffer.extend(data)
        try:
            while self._buffer and (response := self._read_response_from_buffer()) is not None:
                self._ready.append(response)
            if len(self._buffer) > _MAX_REPLY or len(self._ready) > 2 * COMMANDS_AT_ONCE:
                raise SMTPResponseException(-1, "far more was said than asked for")
        except SMTPResponseException as error:
            self._broken = error
        if self._ready or self._broken:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._is_gone = True
        self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def read_response(self, timeout: float | None = None) -> SMTPResponse:
        if not self._ready:
            alarm = None if timeout is None else self._loop.call_later(timeout, self._give_up)
            try:
                await self._wait()
            finally:
                if alarm is not None:
                    alarm.cancel()
        return self._ready.popleft()

    def _give_up(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_exception(SMTPReadTimeoutError("no answer in time"))

    async def _wait(self) -> None:
        while not self._ready:
            if self._broken is not None:
                raise self._broken
            if self._is_gone:
                raise SMTPServerDisconnected("the connection was closed")
            self._news = self._loop.create_future()
            await self._news

    @property
    def has_spoken(self) -> bool:
        """The server has said something that nobody has read yet, or has gone."""
        return bool(self._ready) or self._broken is not None or self._is_gone

    def take_spoken(self) -> SMTPResponse | None:
        """What it said, if it said something that can be read."""
        return self._ready.popleft() if self._ready else None

    async def exchange(self, commands: list[bytes], timeout: float) -> list[SMTPResponse]:
        """Write commands in one go and read one answer for each. Stray answers make the connection unusable."""
        if any(b"\r" in command or b"\n" in command for command in commands):
            raise ValueError("a command holds a line break")
        if self._ready:
            stray = self._ready.popleft()
            if stray.code != 421:
                raise SMTPResponseException(stray.code, f"unasked: {stray.message}")
            return [stray]
        self.write(b"\r\n".join([*commands, b""]))
        answers = []
        for _ in commands:
            answers.append(await self.read_response(timeout))
            if answers[-1].code == 421:
                break
        return answers

    async def start_encryption(self, context: ssl.SSLContext, host: str, timeout: float) -> SMTPResponse:
        response = await self.start_tls(context, server_hostname=host, timeout=timeout)
        if self._ready:
            raise SMTPResponseException(-1, "something was said in the clear after STARTTLS")
        return response

    async def write_body(self, content: bytes, timeout: float) -> SMTPResponse | None:
        """Write everything but the dot. Returns an answer that came too early, which ends the attempt."""
        for start in range(0, len(content), _BLOCK):
            self.write(content[start : start + _BLOCK])
            if self._paused:
                async with asyncio.timeout(timeout):
                    await self._drain_helper()
            if self.has_spoken:
                return await self.read_response(timeout)
        return None


def transparent(content: bytes) -> bytes:
    """CRLF line ends, leading dots doubled, a line end at the end (RFC 5321 §4.5.2)."""
    whole = content.count(b"\r\n")
    if content.count(b"\n") != whole or content.count(b"\r") != whole:
        content = _LONE_LINE_END.sub(b"\r\n", content)
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    if content.startswith(b"."):
        content = b"." + content
    return content.replace(b"\r\n.", b"\r\n..")
