"""A few small IMAP commands inside an event loop: greet, encrypt, log in, ask and answer, each with a deadline.

For connections that mostly wait. What is read in bulk goes through connectors/mail/imap.py.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.base import AuthFailed, ConnectorError, Refused, RetryLater
from connectors.mail.channel import Channel, open_channel
from connectors.mail.credential import Credential
from connectors.mail.endpoint import Endpoint
from connectors.mail.literals import Garbled, Goodbye
from connectors.mail.sentences import goodbye_error, login_error, network_error, one_line
from connectors.mail.xoauth2 import Answers

ANSWER_WITHIN = 25.0
CONNECT_WITHIN = 20.0
_MOST_LINES = 10_000  # of one answer
_MOST_QUESTIONS = 5


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: OK, NO or BAD, the words after it, and the untagged lines before."""

    status: str
    words: str
    lines: list[bytes]


class Talk:
    __slots__ = ("_number", "channel", "endpoint")

    def __init__(self, endpoint: Endpoint, channel: Channel) -> None:
        self.endpoint = endpoint
        self.channel = channel
        self._number = 0

    async def say(self, words: bytes) -> bytes:
        """Writes a command; returns its tag."""
        self._number += 1
        tag = b"B%d " % self._number
        await self.write(tag + words)
        return tag

    async def write(self, line: bytes) -> None:
        await self.channel.send(line + b"\r\n", _soon())

    async def command(self, words: bytes) -> Told:
        return await self.answer(await self.say(words))

    async def answer(self, tag: bytes) -> Told:
        until = _soon()
        lines: list[bytes] = []
        for _ in range(_MOST_LINES):
            line = await self.line(until)
            if line.startswith(tag):
                status, _, words = line[len(tag) :].decode("utf-8", "replace").partition(" ")
                return Told(status.upper(), words, lines)
            lines.append(line)
        raise Garbled("no end of an answer")

    async def prompt(self, tag: bytes) -> tuple[bytes, list[bytes]]:
        """The server's “+” line, or the tagged one that refuses, and the untagged lines before."""
        until = _soon()
        lines: list[bytes] = []
        for _ in range(_MOST_LINES):
            line = await self.line(until)
            if line.startswith((b"+", tag)):
                return line, lines
            lines.append(line)
        raise Garbled("no end of words before its “+”")

    async def line(self, until: float) -> bytes:
        """The next line. Raises Goodbye, TimeoutError, EOFError."""
        while (line := await self.channel.line(until)) is None:
            if asyncio.get_running_loop().time() >= until:
                raise TimeoutError
        return checked(line)


def checked(line: bytes) -> bytes:
    """Raises Goodbye for the server's last word."""
    if line[:5].upper() == b"* BYE":
        raise Goodbye(line[6:].decode("utf-8", "replace"))
    return line


def _soon() -> float:
    return asyncio.get_running_loop().time() + ANSWER_WITHIN


@contextmanager
def translated(endpoint: Endpoint, doing: str) -> Iterator[None]:
    """Turns whatever a wire can do into one error of the contract."""
    try:
        yield
    except ConnectorError:
        raise
    except Goodbye as error:
        raise goodbye_error(endpoint, error) from error
    except (OSError, EOFError) as error:
        raise network_error(endpoint, error, doing) from error
    except (Garbled, ValueError) as error:
        raise RetryLater(f"{endpoint.name} gave no proper answer while {doing}: “{one_line(error)}”.") from error


async def open_talk(endpoint: Endpoint, credential: Credential) -> tuple[Talk, set[str]]:
    """A logged-in connection and what the server says it can do. Raises AuthFailed, RetryLater, Refused."""
    # A token may have to be renewed, over the network and in the database: not on the loop's thread.
    secret = await asyncio.to_thread(credential.current) if credential.is_token else credential.current()
    try:
        return await _open(endpoint, secret, credential.is_token)
    except AuthFailed:
        if not credential.is_token:
            raise
    return await _open(endpoint, await asyncio.to_thread(credential.renewed), True)


async def _open(endpoint: Endpoint, secret: str, is_token: bool) -> tuple[Talk, set[str]]:
    with translated(endpoint, "connecting"):
        channel = await open_channel(endpoint, asyncio.get_running_loop().time() + CONNECT_WITHIN)
    talk = Talk(endpoint, channel)
    try:
        with translated(endpoint, "connecting"):
            await talk.line(_soon())  # the greeting
            await _secure(talk)
        with translated(endpoint, "logging in"):
            told = await (_log_in_with_token if is_token else _log_in)(talk, secret)
            if told.status != "OK":
                raise login_error(endpoint, told.words, is_token=is_token)
            return talk, await _capabilities(talk, told)
    except BaseException:
        channel.close()
        raise


async def _secure(talk: Talk) -> None:
    if not talk.endpoint.is_starttls:
        return
    if (await talk.command(b"STARTTLS")).status != "OK":
        raise Refused(f"{talk.endpoint.name} offers no encryption (STARTTLS). Try imaps.")
    await talk.channel.start_tls(talk.endpoint, _soon())


async def _log_in(talk: Talk, password: str) -> Told:
    user = talk.endpoint.user
    if any(sign in password or sign in user for sign in "\r\n\0"):
        raise Refused(f"The user name or password for {talk.endpoint.name} holds a line break.")
    return await talk.command(b"LOGIN " + quoted(user) + b" " + quoted(password))


async def _log_in_with_token(talk: Talk, token: str) -> Told:
    answers = Answers(talk.endpoint.user, token)
    tag = await talk.say(b"AUTHENTICATE XOAUTH2")
    for _ in range(_MOST_QUESTIONS):
        line, lines = await talk.prompt(tag)
        if not line.startswith(b"+"):
            status, _, words = line[len(tag) :].decode("utf-8", "replace").partition(" ")
            return Told(status.upper(), words, lines)
        await talk.write(base64.b64encode(answers(base64.b64decode(line[1:].strip()))))
    raise Garbled("no end of questions while logging in")


async def _capabilities(talk: Talk, told: Told) -> set[str]:
    """As told with the log-in, or asked for."""
    _, sign, rest = told.words.upper().partition("[CAPABILITY ")
    if sign:
        return set(rest.partition("]")[0].split())
    lines = (await talk.command(b"CAPABILITY")).lines
    return {
        word for line in lines if line[:13].upper() == b"* CAPABILITY " for word in line[13:].decode().upper().split()
    }


def quoted(text: str) -> bytes:
    """A quoted string (RFC 3501 §4.3). Servers take 8-bit credentials as UTF-8."""
    return b'"' + text.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
