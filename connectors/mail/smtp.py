"""One SMTP connection on the process's one event loop, with a DATA step that stops before the final dot.

aiosmtplib raises the same exception whether a connection died before or after the dot, so its send functions cannot
tell "surely not sent" from "perhaps sent". Here `begin` goes as far as the body and returns; nothing has been accepted
yet (RFC 5321 §4.1.1.4). The caller makes its decision durable on its own thread, then `finish` writes the dot.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

from aiosmtplib import SMTPReadTimeoutError, SMTPResponse, SMTPResponseException, SMTPServerDisconnected

from connectors.base import Refused, RetryLater
from connectors.killpoints import reach
from connectors.mail.endpoint import Endpoint, tls_context
from connectors.mail.loop import call_soon
from connectors.mail.sentences import login_error, one_line
from connectors.mail.smtpwire import COMMANDS_AT_ONCE, DataProtocol, transparent
from connectors.mail.xoauth2 import initial_response

_MAX_COMMAND = 510  # RFC 5321 §4.5.3.1.4, without the line's end


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds per step (RFC 5321 §4.5.3.2); `dot` is long because giving up there means not knowing."""

    connect: float = 30
    greeting: float = 300
    mail: float = 300
    recipient: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600


@dataclass(frozen=True, slots=True)
class Begun:
    """How far `begin` came. `is_open` says that the body is written and only the dot is missing."""

    is_open: bool
    sender: SMTPResponse
    recipients: tuple[SMTPResponse, ...] = ()
    data: SMTPResponse | None = None  # the answer that ended the attempt at DATA or during the body
    is_midway: bool = False  # the body had begun, so the connection cannot be used for anything else


class EndedBeforeDot(Exception):
    """The server refused, or left, after the body and before the dot was written: nothing was accepted."""

    def __init__(self, answer: SMTPResponse | None) -> None:
        super().__init__(answer)
        self.answer = answer  # None: it left without a word


class SmtpSession:
    """A greeted, encrypted and logged-in connection. Its coroutines run on `run`'s loop only."""

    def __init__(self, endpoint: Endpoint, timeouts: Timeouts) -> None:
        self.endpoint = endpoint
        self.timeouts = timeouts
        self.extensions: dict[str, str] = {}
        self.has_logged_in = False
        self._protocol: DataProtocol = None  # type: ignore[assignment]

    @property
    def is_usable(self) -> bool:
        return self._protocol is not None and self._protocol.is_connected and not self._protocol.has_spoken

    @property
    def max_size(self) -> int:
        """The largest mail the server takes in bytes, 0 when it names none (RFC 1870)."""
        size = self.extensions.get("SIZE", "")
        return int(size) if size.isdecimal() else 0

    async def open(self, secret: str, *, is_token: bool = False) -> None:
        """Connect, greet, encrypt, log in. Raises the contract's errors, OSError or aiosmtplib's errors."""
        loop = asyncio.get_running_loop()
        context = tls_context(self.endpoint.ca_file) if self.endpoint.is_tls_from_start else None
        async with asyncio.timeout(self.timeouts.connect):
            _, self._protocol = await loop.create_connection(
                lambda: DataProtocol(loop),
                self.endpoint.host,
                self.endpoint.port,
                ssl=context,
                server_hostname=self.endpoint.host if context else None,
            )
        try:
            self._expect(await self._protocol.read_response(self.timeouts.greeting), 220)
            await self._greet()
            if self.endpoint.is_starttls:
                await self._encrypt()
            if secret:
                await self._log_in(secret, is_token)
        except BaseException:
            self.abort()
            raise

    def _expect(self, response: SMTPResponse, code: int) -> None:
        if response.code != code:
            raise RetryLater(f"{self.endpoint.name} does not take mail now: “{describe(response)}”.")

    async def _greet(self) -> None:
        name = _literal(self._protocol.transport.get_extra_info("sockname") if self._protocol.transport else None)
        [response] = await self._protocol.exchange([b"EHLO " + name], self.timeouts.greeting)
        if response.code in {500, 501, 502, 504, 550}:
            [response] = await self._protocol.exchange([b"HELO " + name], self.timeouts.greeting)
        self._expect(response, 250)
        lines = [line.partition(" ") for line in response.message.splitlines()[1:]]
        self.extensions = {name.upper(): rest for name, _, rest in lines}

    async def _encrypt(self) -> None:
        if "STARTTLS" not in self.extensions:
            raise Refused(f"{self.endpoint.name} offers no encryption (STARTTLS). Try smtps.")
        context = tls_context(self.endpoint.ca_file)
        await self._protocol.start_encryption(context, self.endpoint.host, self.timeouts.connect)
        await self._greet()

    async def _log_in(self, password: str, is_token: bool) -> None:
        mechanisms = self.extensions.get("AUTH", "").upper().split()
        if not mechanisms:
            return
        user, secret = self.endpoint.user.encode(), password.encode()
        if is_token:
            if "XOAUTH2" not in mechanisms:
                raise Refused(f"{self.endpoint.name} takes no access tokens (it offers {', '.join(mechanisms)}).")
            first = b"AUTH XOAUTH2 " + base64.b64encode(initial_response(self.endpoint.user, password))
            # Too long for a command line (RFC 4954 §4) it goes after it. A refusal is a challenge, answered by nothing.
            steps = [first, b""] if len(first) <= _MAX_COMMAND else [first[:12], first[13:], b""]
        elif "PLAIN" in mechanisms:
            steps = [b"AUTH PLAIN " + base64.b64encode(b"\0" + user + b"\0" + secret)]
        elif "LOGIN" in mechanisms:
            steps = [b"AUTH LOGIN", base64.b64encode(user), base64.b64encode(secret)]
        else:
            raise Refused(f"{self.endpoint.name} takes no password log-in (it offers {', '.join(mechanisms)}).")
        for step in steps:
            [response] = await self._protocol.exchange([step], self.timeouts.greeting)
            if response.code != 334:
                break
        if 200 <= response.code < 300:  # 235 by RFC 4954; some servers say a plain 250
            self.has_logged_in = True
            return
        if response.code > 504:  # below, the command was not understood: that says nothing of the credentials
            is_proven = response.code in {534, 535} and response.message.startswith("5.7.")
            raise login_error(self.endpoint, describe(response), is_proven, is_token)
        what = "access token" if is_token else "password"
        raise RetryLater(f"{self.endpoint.name} could not check the {what} just now: “{describe(response)}”.")

    async def begin(self, sender: str, recipients: list[str], content: bytes, needs_utf8: bool) -> Begun:
        """Envelope and body, without the dot. Nothing is accepted by the server yet, whatever happens here."""
        protocol, timeouts = self._protocol, self.timeouts
        reach("smtp.before-envelope")
        answers = await self._envelope(sender, recipients, content, needs_utf8)
        said, replies = answers[0], tuple(answers[1 : len(recipients) + 1])
        # Where DATA went along and was welcomed, only cutting the connection ends the mail without a dot.
        is_welcomed = answers[-1].code == 354
        closing = next((answer for answer in answers if answer.code == 421), None)
        if closing or said.code != 250:
            return Begun(False, closing or said, is_midway=is_welcomed)
        if not any(_is_taken(reply) for reply in replies):
            return Begun(False, said, replies, is_midway=is_welcomed)
        if len(answers) == len(recipients) + 1:
            answers += await protocol.exchange([b"DATA"], timeouts.data)
        if answers[-1].code != 354:
            return Begun(False, said, replies, answers[-1])
        reach("smtp.envelope-taken")
        early = await protocol.write_body(transparent(content), timeouts.block)
        reach("smtp.body-written")
        return Begun(early is None, said, replies, early, is_midway=early is not None)

    async def _envelope(
        self, sender: str, recipients: list[str], content: bytes, needs_utf8: bool
    ) -> list[SMTPResponse]:
        """Answers to MAIL, each RCPT and, where the server takes commands together, DATA; cut short by a refusal."""
        mail = b"MAIL FROM:<%s>%s" % (sender.encode(), self._parameters(content, needs_utf8))
        commands = [mail, *(b"RCPT TO:<%s>" % recipient.encode() for recipient in recipients)]
        together = COMMANDS_AT_ONCE if "PIPELINING" in self.extensions else 1
        if len(commands) < together:
            return await self._protocol.exchange([*commands, b"DATA"], self.timeouts.recipient)
        answers: list[SMTPResponse] = []
        for start in range(0, len(commands), together):
            answers += await self._protocol.exchange(commands[start : start + together], self.timeouts.recipient)
            if answers[-1].code == 421 or answers[0].code != 250:
                break
        return answers

    def _parameters(self, content: bytes, needs_utf8: bool) -> bytes:
        parts = []
        if "SIZE" in self.extensions:
            parts.append(b" SIZE=%d" % len(content))
        if "8BITMIME" in self.extensions and not content.isascii():
            parts.append(b" BODY=8BITMIME")
        if needs_utf8:
            parts.append(b" SMTPUTF8")
        return b"".join(parts)

    async def finish(self) -> SMTPResponse:
        """The dot and its answer. Any exception but EndedBeforeDot means that nobody knows."""
        if self._protocol.has_spoken:
            raise EndedBeforeDot(self._protocol.take_spoken())
        reach("smtp.before-dot")
        self._protocol.write(b".\r\n")
        reach("smtp.dot-written")
        return await self._protocol.read_response(self.timeouts.dot)

    async def reset(self, timeout: float) -> bool:
        """Clear a half-made envelope, which also shows whether the connection still lives."""
        try:
            [response] = await self._protocol.exchange([b"RSET"], timeout)
        except (OSError, SMTPResponseException, SMTPServerDisconnected, SMTPReadTimeoutError):
            self.abort()
            return False
        if response.code != 250:
            self.abort()
        return response.code == 250

    async def quit(self) -> None:
        """A polite end; never raises for the server's sake."""
        try:
            if self.is_usable:
                await self._protocol.exchange([b"QUIT"], 2)
        except (OSError, ValueError, SMTPResponseException, SMTPServerDisconnected, SMTPReadTimeoutError):
            pass
        self.abort()

    def abort_soon(self) -> None:
        """`abort` from any thread: transports belong to the loop's."""
        call_soon(self.abort)

    def abort(self) -> None:
        """Cut the connection at once. Before the dot this surely sends nothing."""
        transport = self._protocol.transport if self._protocol is not None else None
        # Asked by name: uvloop's transports are no subclass of asyncio's.
        if abort := getattr(transport, "abort", None):
            abort()


def _is_taken(reply: SMTPResponse) -> bool:
    return 250 <= reply.code <= 252


def describe(response: SMTPResponse) -> str:
    """Code and words of an answer as one line."""
    words = response.message.encode("utf-8", "replace").decode("utf-8", "replace")
    return one_line(f"{response.code} {words}")


def _literal(name: Any) -> bytes:
    """Our own address as RFC 5321 §4.1.3 writes it: better than a host name that nobody can look up."""
    address = str(name[0]) if isinstance(name, tuple) and name else "127.0.0.1"
    address = address.partition("%")[0]
    return (f"[IPv6:{address}]" if ":" in address else f"[{address}]").encode("ascii")
