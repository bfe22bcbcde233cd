"""Sends a frozen message over reused SMTP connections and says what became of each recipient.

Before `commit` every failure is harmless: without the dot nothing was accepted. After it, only a clear answer of the
server counts; everything else is OutcomeUnknown.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import idna
from aiosmtplib import SMTPException, SMTPReadTimeoutError, SMTPResponse, SMTPServerDisconnected

from connectors.base import AuthFailed, ConnectorError, OutcomeUnknown, RetryLater
from connectors.killpoints import reach
from connectors.mail.endpoint import Endpoint
from connectors.mail.loop import run
from connectors.mail.sentences import network_error, one_line
from connectors.mail.smtp import Begun, SmtpSession, Timeouts, describe
from connectors.messages import OutboundMessage, Outcome, Receipt, RecipientOutcome

_Work = Coroutine[Any, Any, Begun]

MAX_CONNECTIONS = 4
_PROBE_AFTER = 5.0
_FORGET_AFTER = 240.0
_UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")
_QUEUE_ID = re.compile(
    r"queued as ([\w.-]{4,80})|\bid[=: ]\s*<?([\w.@-]{4,120})|Ok:? ([A-Za-z0-9]{8,80})\b", re.IGNORECASE
)


class Submission:
    """The sending side of one account. Thread-safe: up to MAX_CONNECTIONS messages at once."""

    def __init__(self, endpoint: Endpoint, password: str, timeouts: Timeouts) -> None:
        self.endpoint = endpoint
        self._password = password
        self._timeouts = timeouts
        self._idle: list[tuple[SmtpSession, float]] = []
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self.max_size = 0  # what the server said it takes; 0 until asked, or when it names no limit

    def check(self) -> tuple[str, ...]:
        """Connect and log in. Returns sentences worth showing; raises the contract's errors."""
        session = self._open()
        self._put_back(session)
        if self._password and not session.has_logged_in:
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
        wanted = [recipient for recipient in message.recipients if _envelope_address(recipient)]
        bad = {
            recipient: RecipientOutcome(recipient, Outcome.REFUSED, "553 5.1.3", "This is no mail address.")
            for recipient in message.recipients
            if recipient not in wanted
        }
        if not wanted or not _envelope_address(message.sender):
            return Receipt(tuple(bad.get(one) or _refused_sender(one) for one in message.recipients))
        with self._slots:
            session, begun = self._begin(message, wanted)
            outcomes, receipt_id, words = self._conclude(session, begun, wanted, commit)
        outcomes |= bad
        return Receipt(tuple(outcomes[one] for one in message.recipients), receipt_id, words)

    # --- Before the point of no return ------------------------------------------------------------------------------

    def _begin(self, message: OutboundMessage, wanted: list[str]) -> tuple[SmtpSession, Begun]:
        session = self._take_idle()
        if session is not None:
            try:
                begun = run(self._coroutine(session, message, wanted))
                if begun.is_open or begun.sender.code != 421:
                    return session, begun
            except (OSError, SMTPException, ValueError):
                pass  # An old connection may have died of age; nothing was accepted, so a new one may try.
            session.abort_soon()
        session = self._open()
        try:
            return session, run(self._coroutine(session, message, wanted))
        except (OSError, SMTPException, ValueError) as error:
            session.abort_soon()
            raise self._harmless(error) from error

    def _coroutine(self, session: SmtpSession, message: OutboundMessage, wanted: list[str]) -> _Work:
        addresses = [_envelope_address(recipient) for recipient in wanted]
        sender = _envelope_address(message.sender)
        needs_utf8 = not all(address.isascii() for address in [sender, *addresses])
        return session.begin(sender, addresses, message.content, needs_utf8)

    def _open(self) -> SmtpSession:
        session = SmtpSession(self.endpoint, self._timeouts)
        try:
            run(session.open(self._password))
        except (OSError, SMTPException, ValueError) as error:
            raise self._harmless(error) from error
        reach("smtp.connected")
        self.max_size = session.max_size
        return session

    def _take_idle(self) -> SmtpSession | None:
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
            if session.is_usable and age < _FORGET_AFTER and (age < _PROBE_AFTER or run(session.reset(10))):
                return session
            session.abort_soon()

    def _put_back(self, session: SmtpSession) -> None:
        if session.is_usable:
            with self._lock:
                self._idle.append((session, time.monotonic()))
        else:
            session.abort_soon()

    def _harmless(self, error: BaseException) -> ConnectorError:
        if isinstance(error, SMTPReadTimeoutError):
            return network_error(self.endpoint, TimeoutError(), "taking a mail")
        if isinstance(error, OSError) and not isinstance(error, SMTPException):
            return network_error(self.endpoint, error, "taking a mail")
        if isinstance(error, SMTPServerDisconnected):
            return RetryLater(f"{self.endpoint.name} closed the connection before it took the mail.")
        return RetryLater(f"{self.endpoint.name} gave no proper answer: “{one_line(error)}”.")

    # --- The point of no return and after ---------------------------------------------------------------------------

    def _conclude(
        self, session: SmtpSession, begun: Begun, wanted: list[str], commit: Callable[[], None]
    ) -> tuple[dict[str, RecipientOutcome], str, str]:
        if not begun.is_open:
            return self._stopped(session, begun, wanted), "", ""
        try:
            commit()
        except BaseException:
            session.abort_soon()
            raise
        try:
            answer = run(session.finish())
        except BaseException as error:
            session.abort_soon()
            if not isinstance(error, Exception):
                raise
            raise OutcomeUnknown(
                f"{self.endpoint.name} got the mail but gave no clear answer; it may have been delivered."
            ) from error
        reach("smtp.answered")
        if answer.code // 100 not in {2, 4, 5}:
            session.abort_soon()
            raise OutcomeUnknown(f"{self.endpoint.name} got the mail and answered “{describe(answer)}”.")
        self._put_back(session)
        outcomes = {
            recipient: _final(recipient, answer) if _is_accepted(reply) else _refusal(recipient, reply)
            for recipient, reply in zip(wanted, begun.recipients, strict=True)
        }
        return outcomes, _queue_id(answer), describe(answer)

    def _stopped(self, session: SmtpSession, begun: Begun, wanted: list[str]) -> dict[str, RecipientOutcome]:
        """The server refused sender, recipients or data. A server that is closing (421) will take it later."""
        ended = begun.data or begun.sender
        if begun.sender.code == 250 and begun.data is None:
            self._leave(session, begun)
            replies = zip(wanted, begun.recipients, strict=True)
            return {recipient: _refusal(recipient, reply) for recipient, reply in replies}
        if ended.code in {530, 535}:
            session.abort_soon()
            raise AuthFailed(f"{self.endpoint.name} wants a log-in before it takes mail: “{describe(ended)}”.")
        if ended.code == 421 or not 400 <= ended.code < 600:
            session.abort_soon()
            raise RetryLater(f"{self.endpoint.name} does not take the mail now: “{describe(ended)}”.")
        self._leave(session, begun)
        replies = zip(wanted, begun.recipients or [ended] * len(wanted), strict=True)
        return {one: _refusal(one, ended if _is_accepted(reply) else reply) for one, reply in replies}

    def _leave(self, session: SmtpSession, begun: Begun) -> None:
        """Give up a half-made envelope; the connection stays in use where RSET clears it."""
        if begun.is_midway or not run(session.reset(30)):
            session.abort_soon()
        else:
            self._put_back(session)


def _is_accepted(answer: SMTPResponse) -> bool:
    return 250 <= answer.code <= 252


def _told(recipient: str, outcome: Outcome, answer: SMTPResponse) -> RecipientOutcome:
    enhanced = _ENHANCED.match(answer.message)
    code = f"{answer.code} {enhanced[1]}" if enhanced else str(answer.code)
    return RecipientOutcome(recipient, outcome, code, describe(answer).partition(" ")[2])


def _refusal(recipient: str, answer: SMTPResponse) -> RecipientOutcome:
    return _told(recipient, Outcome.REFUSED if 500 <= answer.code < 600 else Outcome.REFUSED_FOR_NOW, answer)


def _final(recipient: str, answer: SMTPResponse) -> RecipientOutcome:
    """What the answer to the dot, already known to be 2xx, 4xx or 5xx, means for a recipient that was accepted."""
    return _told(recipient, Outcome.SENT, answer) if answer.code < 300 else _refusal(recipient, answer)


def _refused_sender(recipient: str) -> RecipientOutcome:
    return RecipientOutcome(recipient, Outcome.REFUSED, "553 5.1.7", "The sender's address is no mail address.")


def _queue_id(answer: SMTPResponse) -> str:
    found = _QUEUE_ID.search(answer.message)
    return next((group for group in found.groups() if group), "") if found else ""


def _envelope_address(address: str) -> str:
    """The address as an envelope holds it, its domain in ASCII; "" when it is none or could smuggle a command."""
    local, at, domain = address.strip().rpartition("@")
    if not local or not at or not domain or _UNSAFE.search(address.strip()) or len(address) > 320:
        return ""
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            return ""
    return f"{local}@{domain}"
