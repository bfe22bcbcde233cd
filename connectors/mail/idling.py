"""The doorbell of a mailbox: IDLE on one folder over a connection of its own (RFC 2177), for an event loop.

It says that something may be new and carries no truth: what is new is found by a poll, and polls run anyway. IDLE is
begun anew at least every four minutes, every read has a deadline, DONE's too, and a peer that went away without a word
is noticed within two minutes: by the kernel where packets are lost, and where somebody between us still acknowledges
them, by an unanswered DONE, for which the listener calls `hurry`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from sys import intern

from imapclient import imap_utf7

from connectors.base import RetryLater, Unsupported
from connectors.mail.credential import Credential
from connectors.mail.endpoint import Endpoint
from connectors.mail.literals import Garbled
from connectors.mail.sentences import one_line, refused_command_error
from connectors.mail.talk import Talk, Told, checked, open_talk, quoted, translated

RENEW_AFTER = 240.0
_NEWS = re.compile(rb"\* \d+ (EXISTS|RECENT|EXPUNGE)\b", re.IGNORECASE)
_FACT = re.compile(rb"\* OK \[(UIDVALIDITY|UIDNEXT) (\d+)\]", re.IGNORECASE)


class MailDoorbell:
    """One logged-in connection, for one task; `hurry` may come from any task of the same loop."""

    __slots__ = ("_renew_at", "_tag", "_talk", "host", "is_whole", "mark")

    def __init__(self, talk: Talk, is_whole: bool) -> None:
        self._talk = talk
        self._tag = b""  # of the IDLE that runs
        self._renew_at = 0.0
        self.host = intern(f"{talk.endpoint.host}:{talk.endpoint.port}")
        self.is_whole = is_whole
        self.mark: tuple[int, ...] | None = None

    @property
    def heard_at(self) -> float:
        return self._talk.channel.heard_at

    async def wait(self, seconds: float | None = None) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds if seconds is not None else float("inf")
        with translated(self._talk.endpoint, "waiting for news"):
            while loop.time() < until:
                if not self._tag and await self._begin():
                    return True
                line = await self._talk.channel.line(min(self._renew_at, until))
                if line is not None and self._is_news(line):
                    while self._talk.channel.has_line:
                        self._is_news(await self._talk.channel.line(until) or b"")
                    return True
                if line is None and loop.time() >= self._renew_at and await self._end():
                    return True
        return False

    async def look(self) -> bool:
        with translated(self._talk.endpoint, "asking for news"):
            is_news = await self._end()
            told = await self._talk.command(b"NOOP")
            return _has_news(told.lines) or is_news

    def hurry(self) -> None:
        self._renew_at = 0.0
        self._talk.channel.nudge()

    def close(self) -> None:
        self._talk.channel.close()

    async def open(self, folder: str) -> None:
        """Examines the folder and begins to wait. Raises RetryLater."""
        name = imap_utf7.encode(folder)
        told = await self._talk.command(b"EXAMINE " + quoted(name.decode("ascii")))
        if told.status != "OK":
            raise RetryLater(
                f"The folder {folder} of {self._talk.endpoint.user} cannot be opened: “{one_line(told.words)}”."
            )
        lines = [*told.lines, b"* OK " + told.words.encode()]
        facts = {match[1].upper(): int(match[2]) for line in lines if (match := _FACT.match(line))}
        is_news = await self._begin()
        if len(facts) == 2 and not is_news:
            self.mark = (facts[b"UIDVALIDITY"], facts[b"UIDNEXT"])

    async def _begin(self) -> bool:
        """Begins IDLE; whether news came before the server was ready for it."""
        tag = await self._talk.say(b"IDLE")
        line, lines = await self._talk.prompt(tag)
        if not line.startswith(b"+"):
            raise refused_command_error(self._talk.endpoint, "starting to wait for news", line[len(tag) :])
        self._tag = tag
        self._renew_at = asyncio.get_running_loop().time() + RENEW_AFTER
        return _has_news(lines)

    async def _end(self) -> bool:
        """Ends IDLE, if it runs; whether there was news meanwhile."""
        if not self._tag:
            return False
        tag, self._tag = self._tag, b""
        await self._talk.write(b"DONE")
        told: Told = await self._talk.answer(tag)
        if told.status != "OK":
            raise refused_command_error(self._talk.endpoint, "ending the wait for news", told.words)
        return _has_news(told.lines)

    def _is_news(self, line: bytes) -> bool:
        if checked(line).startswith(self._tag):
            raise Garbled(line.decode("utf-8", "replace"))  # it ended IDLE by itself
        return _NEWS.match(line) is not None


def _has_news(lines: list[bytes]) -> bool:
    return any(_NEWS.match(line) for line in lines)


async def open_doorbell(endpoint: Endpoint, folders: Sequence[str], credential: Credential) -> MailDoorbell:
    """Connects, logs in and begins to wait for news of the first of these folders.

    Raises Unsupported without IDLE, AuthFailed, RetryLater, Refused.
    """
    talk, capabilities = await open_talk(endpoint, credential)
    bell = MailDoorbell(talk, is_whole=len(folders) == 1)
    try:
        if "IDLE" not in capabilities:
            raise Unsupported(f"{endpoint.name} has no doorbell (IDLE).")
        with translated(endpoint, "starting to wait for news"):
            await bell.open(folders[0])
    except BaseException:
        bell.close()
        raise
    return bell
