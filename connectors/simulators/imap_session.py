"""One IMAP connection: reads commands, logs in, idles (RFC 9051; IDLE RFC 2177, SASL-IR RFC 4959)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from contextlib import suppress
from typing import Any

from connectors.simulators.imap_mailboxes import MailboxCommands
from connectors.simulators.imap_mails import MailCommands
from connectors.simulators.imap_syntax import Command, SyntaxFault, TooMuch, read_command, text_of
from connectors.simulators.imap_talk import Refusal

CAPABILITIES = "IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ IDLE UIDPLUS UNSELECT NAMESPACE ID SPECIAL-USE CHILDREN"
WITHOUT_LOGIN = {"CAPABILITY", "NOOP", "LOGOUT", "LOGIN", "AUTHENTICATE", "ID"}
IDLE_LIMIT = 29 * 60.0
COMMAND_LIMIT = 31 * 60.0


class ImapSession(MailboxCommands, MailCommands):
    async def run(self) -> None:
        self.say(f"* OK [CAPABILITY {CAPABILITIES}] Tasbora rehearsal mail server, loopback only")
        while not self.is_closing:
            await self.writer.drain()
            try:
                command = await asyncio.wait_for(
                    read_command(self.reader, self.writer, self.is_logged_in), COMMAND_LIMIT
                )
            except SyntaxFault as fault:
                self.say(f"* BAD {fault}")
                continue
            except TooMuch as fault:
                self.say(f"{fault.tag} NO [TOOBIG] This server does not take that much")
                self.is_closing = not fault.is_recoverable
                continue
            if command is None:
                return
            await self._obey(command)
        await self.writer.drain()

    async def _obey(self, command: Command) -> None:
        self.server.commands.append(command.name)
        instead = self.server.fault(command) if self.server.fault else None
        if instead is not None:
            self.writer.write(instead)
            self.is_closing = not instead.endswith(b"\r\n")
            return
        method = getattr(self, "do_" + command.name.lower().replace(" ", "_"), None)
        try:
            if method is None:
                raise SyntaxFault(f"Unknown command {command.name[:40]}")
            if not self.is_logged_in and command.name not in WITHOUT_LOGIN:
                raise Refusal("Log in first")
            done = await method(command)
            self._announce(command.name not in {"FETCH", "STORE", "SEARCH"})
            self.say(f"{command.tag} OK {done or command.name + ' completed'}")
        except SyntaxFault as fault:
            self.say(f"{command.tag} BAD {fault}")
        except Refusal as refusal:
            self.say(f"{command.tag} NO {refusal}")
        except (LookupError, ValueError, OSError) as error:
            logging.getLogger(__name__).exception("IMAP command %s failed", command.name)
            self.say(f"{command.tag} NO [SERVERBUG] {type(error).__name__}")

    async def do_capability(self, command: Command) -> None:
        self.say(f"* CAPABILITY {CAPABILITIES}")

    async def do_noop(self, command: Command) -> None:
        pass

    async def do_id(self, command: Command) -> None:
        self.say('* ID ("name" "Tasbora rehearsal mail server")')

    async def do_logout(self, command: Command) -> None:
        self.say("* BYE Until next time")
        self.mailbox = None
        self.is_closing = True

    async def do_login(self, command: Command) -> str:
        if len(command.args) != 2:
            raise SyntaxFault("LOGIN takes a name and a password")
        return self._log_in(text_of(command.args[0]), text_of(command.args[1]))

    async def do_authenticate(self, command: Command) -> str:
        if not command.args or text_of(command.args[0]).upper() != "PLAIN":
            raise Refusal("Only PLAIN is spoken here")
        if len(command.args) > 1:
            answer = text_of(command.args[1])
        else:
            self.writer.write(b"+ \r\n")
            await self.writer.drain()
            answer = (await self.reader.readline()).decode("latin-1").strip()
        try:
            _, name, password = base64.b64decode(answer, validate=True).decode().split("\0")
        except (binascii.Error, ValueError):
            raise SyntaxFault("Not a PLAIN answer") from None
        return self._log_in(name, password)

    def _log_in(self, name: str, password: str) -> str:
        if not self.server.admits(name, password):
            raise Refusal("[AUTHENTICATIONFAILED] Invalid credentials")
        self.is_logged_in = True
        return f"[CAPABILITY {CAPABILITIES}] Logged in"

    async def do_idle(self, command: Command) -> str:
        self._selected()
        self.writer.write(b"+ idling\r\n")
        self.store.listen(self._ring)
        line = asyncio.ensure_future(self.reader.readline())
        deadline = asyncio.get_running_loop().time() + IDLE_LIMIT
        try:
            while not line.done() and not self.is_closing:
                self.changed.clear()
                self._announce()
                await self.writer.drain()
                if asyncio.get_running_loop().time() > deadline:
                    self.say("* BYE Idle for too long")
                    self.is_closing = True
                await self._wait(line)
        finally:
            self.store.unlisten(self._ring)
            line.cancel()
        if not self.is_closing and line.result().strip().upper() != b"DONE":
            raise SyntaxFault("IDLE ends with DONE")
        return "IDLE ended"

    async def _wait(self, line: asyncio.Future[bytes]) -> None:
        """Until the client speaks, the store rings, or half a minute has gone."""
        bell = asyncio.ensure_future(self.changed.wait())
        try:
            waited: set[asyncio.Future[Any]] = {line, bell}
            await asyncio.wait(waited, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        finally:
            bell.cancel()

    def _ring(self) -> None:
        """Called from any thread."""
        with suppress(RuntimeError):  # the loop has closed: nobody is left to hear
            self.server.loop.call_soon_threadsafe(self.changed.set)
