"""What every IMAP command stands on: the connection, the open mailbox, and what the client knows of it."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from connectors.simulators.imap_store import Mailbox
from connectors.simulators.imap_syntax import Command, SyntaxFault, text_of

if TYPE_CHECKING:
    from connectors.simulators.imap_server import ImapServer


class Refusal(Exception):
    """The server says NO, with this sentence."""


class Talk:
    def __init__(self, server: ImapServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.store = server.store
        self.reader = reader
        self.writer = writer
        self.is_logged_in = False
        self.is_closing = False
        self.mailbox: Mailbox | None = None
        self.is_read_only = True
        self.view: list[int] = []  # the UIDs the client knows of, in order: what sequence numbers mean
        self.epoch = 0
        self.changed = asyncio.Event()

    def say(self, line: str) -> None:
        # A client's own text may come back in a sentence; it must not end the line early.
        self.writer.write(re.sub(r"[\r\n]+", " ", line).encode("utf-8", "surrogateescape") + b"\r\n")

    def _announce(self, may_expunge: bool = True) -> None:
        """Tell of mails that came or went since the client last heard; numbers change only here."""
        if self.mailbox is None:
            return
        if self.mailbox.uidvalidity != self.epoch:
            self.say("* BYE The mailbox was numbered anew, please select it again")
            self.is_closing = True
            return
        with self.store.lock:
            present = self.mailbox.mails
            gone = [number for number, uid in enumerate(self.view, 1) if uid not in present] if may_expunge else []
            for number in reversed(gone):
                self.say(f"* {number} EXPUNGE")
                del self.view[number - 1]
            last = self.view[-1] if self.view else 0
            fresh = [uid for uid in present if uid > last]
        if fresh:
            self.view += fresh
            self.say(f"* {len(self.view)} EXISTS")

    def _mailbox(self, command: Command) -> Mailbox:
        if not command.args:
            raise SyntaxFault("A mailbox is missing")
        mailbox = self.store.find(text_of(command.args[0]))
        if mailbox is None:
            raise Refusal("[NONEXISTENT] There is no such mailbox")
        return mailbox

    def _selected(self) -> Mailbox:
        if self.mailbox is None:
            raise Refusal("Select a mailbox first")
        return self.mailbox

    def _writable(self) -> Mailbox:
        mailbox = self._selected()
        if self.is_read_only:
            raise Refusal("[READ-ONLY] The mailbox is open for reading only")
        return mailbox

    def _deleted(self, mailbox: Mailbox) -> list[int]:
        return [mail.uid for mail in mailbox.mails.values() if "\\Deleted" in mail.flags]
