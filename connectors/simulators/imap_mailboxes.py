"""The commands about mailboxes: LIST, STATUS, SELECT and their like (RFC 9051 §6.3, SPECIAL-USE RFC 6154)."""

from __future__ import annotations

import re

from connectors.simulators.imap_store import FLAG_LETTERS
from connectors.simulators.imap_syntax import Command, SyntaxFault, quote, text_of
from connectors.simulators.imap_talk import Refusal, Talk

STATUS_ITEMS = {"MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN"}
MAX_MAILBOXES = 200


class MailboxCommands(Talk):
    async def do_namespace(self, command: Command) -> None:
        self.say('* NAMESPACE (("" "/")) NIL NIL')

    async def do_list(self, command: Command) -> None:
        args = [part for part in command.args if not isinstance(part, list)]
        if len(args) < 2:
            raise SyntaxFault("LIST takes a reference and a pattern")
        pattern = text_of(args[0]) + text_of(args[1])
        if not text_of(args[1]):
            self.say('* LIST (\\Noselect) "/" ""')
            return
        shape = "".join(".*" if c == "*" else "[^/]*" if c == "%" else re.escape(c) for c in pattern[:500])
        for name, mailbox in list(self.store.mailboxes.items()):
            if re.fullmatch(shape, name, re.IGNORECASE if name == "INBOX" else 0):
                marks = f"\\HasNoChildren {mailbox.special_use}".strip()
                self.say(f'* {command.name} ({marks}) "/" {quote(name)}')

    do_lsub = do_list

    async def do_create(self, command: Command) -> None:
        name = text_of(command.args[0]) if command.args else ""
        if not name or self.store.find(name) or len(self.store.mailboxes) >= MAX_MAILBOXES:
            raise Refusal("That mailbox cannot be made")
        self.store.create(name)

    async def do_subscribe(self, command: Command) -> None:
        pass

    async def do_status(self, command: Command) -> None:
        mailbox = self._mailbox(command)
        wanted = command.args[1] if len(command.args) > 1 else []
        names = [text_of(name).upper() for name in wanted] if isinstance(wanted, list) else []
        if not names or not set(names) <= STATUS_ITEMS:
            raise SyntaxFault("STATUS takes a mailbox and a list of known items")
        with self.store.lock:
            values = {
                "MESSAGES": len(mailbox.mails),
                "RECENT": 0,
                "UIDNEXT": mailbox.uidnext,
                "UIDVALIDITY": mailbox.uidvalidity,
                "UNSEEN": sum("\\Seen" not in mail.flags for mail in mailbox.mails.values()),
            }
        self.say(f"* STATUS {quote(mailbox.name)} ({' '.join(f'{name} {values[name]}' for name in names)})")

    async def do_select(self, command: Command) -> str:
        return self._open(command, False)

    async def do_examine(self, command: Command) -> str:
        return self._open(command, True)

    def _open(self, command: Command, is_read_only: bool) -> str:
        self.mailbox = None
        mailbox = self._mailbox(command)
        with self.store.lock:
            self.mailbox, self.is_read_only, self.epoch = mailbox, is_read_only, mailbox.uidvalidity
            self.view = list(mailbox.mails)
            flags = " ".join(FLAG_LETTERS)
            self.say(f"* FLAGS ({flags})")
            self.say(f"* OK [PERMANENTFLAGS ({'' if is_read_only else flags})] Flags that stay")
            self.say(f"* {len(self.view)} EXISTS")
            self.say("* 0 RECENT")
            self.say(f"* OK [UIDVALIDITY {mailbox.uidvalidity}] This numbering")
            self.say(f"* OK [UIDNEXT {mailbox.uidnext}] The next number")
        return "[READ-ONLY] Opened" if is_read_only else "[READ-WRITE] Opened"

    async def do_close(self, command: Command) -> None:
        mailbox = self._selected()
        if not self.is_read_only:
            self.store.expunge(mailbox.name, self._deleted(mailbox))
        self.mailbox = None

    async def do_unselect(self, command: Command) -> None:
        self._selected()
        self.mailbox = None
