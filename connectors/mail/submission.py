"""Sends frozen messages over reused SMTP connections and says what became of each recipient.

Before `commit` every failure is harmless: without the dot nothing was accepted. After it, only a clear answer of the
server counts; everything else is OutcomeUnknown.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aiosmtplib import SMTPException, SMTPReadTimeoutError, SMTPResponse, SMTPServerDisconnected

from connectors.base import AuthFailed, ConnectorError, OutcomeUnknown, RetryLater
from connectors.killpoints import reach
from connectors.mail.credential import Credential
from connectors.mail.endpoint import Endpoint
from connectors.mail.loop import run
from connectors.mail.outcomes import addressees, after_dot, after_refusal, envelope_address, receipt
from connectors.mail.sentences import network_error, one_line
from connectors.mail.smtp import Begun, EndedBeforeDot, SmtpSession, Timeouts, describe
from connectors.messages import OutboundMessage, Receipt

MAX_CONNECTIONS = 4
_PROBE_AFTER = 5.0
_FORGET_AFTER = 240.0
_WIRE_ERRORS = (OSError, SMTPException, ValueError)


@dataclass
class _Attempt:
    """One message on its way: `begun` once the server has said what it thinks of the envelope, then `result`."""

    message: OutboundMessage
    wanted: list[str]
    session: SmtpSession | None = None
    begun: Begun | None = None
    result: Receipt | ConnectorError | None = None


def _shifted(commit: Callable[[list[int]], None], start: int, positions: list[int]) -> None:
    commit([start + one for one in positions])


class Submission:
    """The sending side of one account. Thread-safe: up to MAX_CONNECTIONS messages at once."""

    def __init__(self, endpoint: Endpoint, credential: Credential, timeouts: Timeouts) -> None:
        self.endpoint = endpoint
        self._credential = credential
        self._timeouts = timeouts
        self._idle: list[tuple[SmtpSession, float]] = []
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self.max_size = 0  # what the server said it takes; 0 until asked, or when it names no limit

    def check(self) -> tuple[str, ...]:
        """Connect and log in. Returns sentences worth showing; raises the contract's errors."""
        secret = self._credential.current()
        try:
            session = run(self._open(secret))
        except AuthFailed:
            if not self._credential.is_token:
                raise
            session = run(self._open(self._credential.renewed()))
        self._put_back(session)
        if secret and not session.has_logged_in:
            return (f"{self.endpoint.name} takes mail without a log-in.",)
        return ()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for session, _ in idle:
            run(session.quit())

    def __del__(self) -> None:
        if self._process == os.getpid():
            for session, _ in self._idle:
                session.abort_soon()

    def send(self, message: OutboundMessage, commit: Callable[[], None]) -> Receipt:
        """Raises RetryLater or AuthFailed before `commit`, OutcomeUnknown only after it, and what `commit` raises."""
        [result] = self._send_group([message], lambda _: commit())
        if isinstance(result, ConnectorError):
            raise result
        return result

    def send_together(
        self,
        messages: Sequence[OutboundMessage],
        commit: Callable[[list[int]], None],
        meanwhile: Callable[[], None] | None = None,
    ) -> list[Receipt | ConnectorError]:
        """Send several messages, up to MAX_CONNECTIONS side by side, with one `commit` for each such group.

        `commit` gets the positions whose bodies are written and makes them all durable in one transaction; what it
        raises ends everything, with nothing of its group sent. Errors of single messages are returned, not raised.
        `meanwhile` is called once, on this thread, while the first bodies are on their way; it may not raise.
        """
        results: list[Receipt | ConnectorError] = []
        for start in range(0, len(messages), MAX_CONNECTIONS):
            group = messages[start : start + MAX_CONNECTIONS]
            results += self._send_group(group, partial(_shifted, commit, start), meanwhile if start == 0 else None)
        return results

    def _send_group(
        self,
        messages: Sequence[OutboundMessage],
        commit: Callable[[list[int]], None],
        meanwhile: Callable[[], None] | None = None,
    ) -> list[Receipt | ConnectorError]:
        attempts = [_Attempt(message, addressees(message)) for message in messages]
        self._take_slots(len(attempts))
        try:
            self._begin_group(attempts, meanwhile)
            ready = [number for number, attempt in enumerate(attempts) if attempt.result is None]
            if ready:
                self._commit(attempts, ready, commit)
                run(self._finish_all([attempts[number] for number in ready]))
                reach("smtp.answered")
        finally:
            for _ in attempts:
                self._slots.release()
        return [attempt.result for attempt in attempts if attempt.result is not None]

    def _take_slots(self, wanted: int) -> None:
        # One at a time, so that two groups never wait for each other with half their connections each.
        with self._turn:
            for _ in range(wanted):
                self._slots.acquire()

    def _commit(self, attempts: list[_Attempt], ready: list[int], commit: Callable[[list[int]], None]) -> None:
        try:
            commit(ready)
        except BaseException:
            for number in ready:
                session = attempts[number].session
                if session is not None:
                    session.abort_soon()
            raise

    # --- Before the point of no return ------------------------------------------------------------------------------

    def _begin_group(self, attempts: list[_Attempt], meanwhile: Callable[[], None] | None = None) -> None:
        """Bring each as far as its body; a refused token is renewed once, here, on the caller's thread."""
        try:
            run(self._begin_all(attempts, self._credential.current()), meanwhile)
            refused = [attempt for attempt in attempts if isinstance(attempt.result, AuthFailed)]
            if refused and self._credential.is_token:
                secret = self._credential.renewed()
                for attempt in refused:
                    attempt.result = None
                run(self._begin_all(refused, secret))
        except ConnectorError as error:  # no token is to be had
            for attempt in attempts:
                if attempt.session is None and not isinstance(attempt.result, Receipt):
                    attempt.result = error

    async def _begin_all(self, attempts: list[_Attempt], secret: str) -> None:
        if len(attempts) == 1:
            await self._begin(attempts[0], secret)
        else:
            await asyncio.gather(*(self._begin(attempt, secret) for attempt in attempts))

    async def _begin(self, attempt: _Attempt, secret: str) -> None:
        """Bring one message as far as its body; what ends earlier has its result already."""
        if not attempt.wanted:
            attempt.result = receipt(attempt.message, {})
            return
        try:
            session, begun = await self._begun(attempt, secret)
            if begun.is_open:
                attempt.session, attempt.begun = session, begun
                return
            await self._leave(session, begun)
            attempt.result = receipt(attempt.message, after_refusal(self.endpoint.name, begun, attempt.wanted))
        except ConnectorError as error:
            attempt.result = error

    async def _begun(self, attempt: _Attempt, secret: str) -> tuple[SmtpSession, Begun]:
        session = await self._take_idle()
        if session is not None:
            try:
                begun = await self._write(session, attempt)
                if begun.is_open or begun.sender.code != 421:
                    return session, begun
            except _WIRE_ERRORS:
                pass  # An old connection may have died of age; nothing was accepted, so a new one may try.
            session.abort()
        session = await self._open(secret)
        try:
            return session, await self._write(session, attempt)
        except _WIRE_ERRORS as error:
            session.abort()
            raise self._harmless(error) from error

    async def _write(self, session: SmtpSession, attempt: _Attempt) -> Begun:
        addresses = [envelope_address(recipient) for recipient in attempt.wanted]
        sender = envelope_address(attempt.message.sender)
        needs_utf8 = not all(address.isascii() for address in [sender, *addresses])
        return await session.begin(sender, addresses, attempt.message.content, needs_utf8)

    async def _open(self, secret: str) -> SmtpSession:
        session = SmtpSession(self.endpoint, self._timeouts)
        try:
            await session.open(secret, is_token=self._credential.is_token)
        except _WIRE_ERRORS as error:
            raise self._harmless(error) from error
        reach("smtp.connected")
        self.max_size = session.max_size
        return session

    async def _take_idle(self) -> SmtpSession | None:
        """A connection that was used before and still lives."""
        while True:
            with self._lock:
                if self._process != os.getpid():
                    # A forked child must not speak on its parent's connections, nor end them.
                    self._idle, self._process = [], os.getpid()
                if not self._idle:
                    return None
                session, since = self._idle.pop()
            age = time.monotonic() - since
            if session.is_usable and age < _FORGET_AFTER and (age < _PROBE_AFTER or await session.reset(10)):
                return session
            session.abort()

    def _put_back(self, session: SmtpSession) -> None:
        if session.is_usable:
            with self._lock:
                self._idle.append((session, time.monotonic()))
        else:
            session.abort_soon()

    async def _leave(self, session: SmtpSession, begun: Begun) -> None:
        """Give up a half-made envelope; the connection stays in use where RSET clears it."""
        if begun.is_midway or begun.sender.code == 421 or not await session.reset(30):
            session.abort()
        else:
            self._put_back(session)

    def _harmless(self, error: BaseException) -> ConnectorError:
        if isinstance(error, SMTPReadTimeoutError):
            return network_error(self.endpoint, TimeoutError(), "taking a mail")
        if isinstance(error, OSError) and not isinstance(error, SMTPException):
            return network_error(self.endpoint, error, "taking a mail")
        if isinstance(error, SMTPServerDisconnected):
            return RetryLater(f"{self.endpoint.name} closed the connection before it took the mail.")
        return RetryLater(f"{self.endpoint.name} gave no proper answer: “{one_line(error)}”.")

    # --- After it ---------------------------------------------------------------------------------------------------

    async def _finish_all(self, attempts: list[_Attempt]) -> None:
        if len(attempts) == 1:
            await self._finish(attempts[0])
        else:
            await asyncio.gather(*(self._finish(attempt) for attempt in attempts))

    async def _finish(self, attempt: _Attempt) -> None:
        """The dot and what its answer means. Whatever goes wrong here is unknown."""
        session, begun = attempt.session, attempt.begun
        assert session is not None and begun is not None
        try:
            answer = await session.finish()
            outcomes = after_dot(self.endpoint.name, begun, attempt.wanted, answer)
        except EndedBeforeDot as ended:
            attempt.result = self._unsent(attempt, begun, ended.answer)
        except OutcomeUnknown as error:
            attempt.result = error
        except Exception as error:
            sentence = f"{self.endpoint.name} got the mail but gave no clear answer; it may have been delivered."
            attempt.result = OutcomeUnknown(sentence)
            attempt.result.__cause__ = error
        else:
            self._put_back(session)
            attempt.result = receipt(attempt.message, outcomes, answer)
            return
        session.abort()

    def _unsent(self, attempt: _Attempt, begun: Begun, answer: SMTPResponse | None) -> Receipt | ConnectorError:
        if answer is None:
            return RetryLater(f"{self.endpoint.name} closed the connection before it took the mail.")
        if answer.code // 100 not in {4, 5}:
            said = f"{self.endpoint.name} answered “{describe(answer)}” before the end of the mail"
            return OutcomeUnknown(f"{said}; it may have been delivered.")
        try:
            ended = replace(begun, is_open=False, data=answer)
            return receipt(attempt.message, after_refusal(self.endpoint.name, ended, attempt.wanted))
        except ConnectorError as error:
            return error
