"""The commands about mails: FETCH, SEARCH, STORE, EXPUNGE, APPEND (RFC 9051 §6.4, UIDPLUS RFC 4315)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from connectors.simulators.imap_fetch import Item, fetch_line, parse_internal_date, parse_items
from connectors.simulators.imap_search import Search
from connectors.simulators.imap_syntax import Command, SyntaxFault, Token, choose, text_of
from connectors.simulators.imap_talk import Refusal, Talk


class MailCommands(Talk):
    def _chosen(self, command: Command, by_uid: bool) -> list[tuple[int, int]]:
        """(sequence number, UID) of the mails that the first argument names."""
        if not command.args:
            raise SyntaxFault("A number set is missing")
        text = text_of(command.args[0])
        numbers = {uid: number for number, uid in enumerate(self.view, 1)}
        if by_uid:
            return [(numbers[uid], uid) for uid in choose(text, self.view)]
        return [(number, self.view[number - 1]) for number in choose(text, list(numbers.values()))]

    async def do_check(self, command: Command) -> None:
        self._selected()

    async def do_fetch(self, command: Command) -> None:
        await self._fetch(command, False)

    async def do_uid_fetch(self, command: Command) -> None:
        await self._fetch(command, True)

    async def _fetch(self, command: Command, by_uid: bool) -> None:
        mailbox = self._selected()
        if len(command.args) < 2:
            raise SyntaxFault("FETCH takes a set and items")
        items = parse_items(command.args[1])
        if by_uid and not any(item.label == "UID" for item in items):
            items.insert(0, Item("UID"))
        marks = any(item.marks_seen for item in items) and not self.is_read_only
        for number, uid in self._chosen(command, by_uid):
            with self.store.lock:
                mail = mailbox.mails.get(uid)
                if mail is None:
                    continue
                if marks and "\\Seen" not in mail.flags:
                    mailbox.set_flags(uid, mail.flags | {"\\Seen"})
                line = fetch_line(number, items, mailbox, mail)
            self.writer.write(line)
            await self.writer.drain()

    async def do_search(self, command: Command) -> None:
        self._search(command, False)

    async def do_uid_search(self, command: Command) -> None:
        self._search(command, True)

    def _search(self, command: Command, by_uid: bool) -> None:
        mailbox = self._selected()
        tokens = list(command.args)
        if tokens and text_of_key(tokens[0]) == "CHARSET":
            del tokens[:2]
        numbers = {uid: number for number, uid in enumerate(self.view, 1)}
        with self.store.lock:
            found = Search(mailbox, numbers).uids(tokens or ["ALL"])
        self.say(" ".join(["* SEARCH", *(str(uid if by_uid else numbers[uid]) for uid in found)]))

    async def do_store(self, command: Command) -> None:
        self._store(command, False)

    async def do_uid_store(self, command: Command) -> None:
        self._store(command, True)

    def _store(self, command: Command, by_uid: bool) -> None:
        mailbox = self._writable()
        if len(command.args) < 3:
            raise SyntaxFault("STORE takes a set, what to do and flags")
        verb = text_of(command.args[1]).upper()
        given = flags_of(command.args[2:])
        if verb.removesuffix(".SILENT").lstrip("+-") != "FLAGS":
            raise SyntaxFault("STORE changes FLAGS only")
        for number, uid in self._chosen(command, by_uid):
            mail = mailbox.mails.get(uid)
            if mail is None:
                continue
            flags = mail.flags | given if verb[0] == "+" else mail.flags - given if verb[0] == "-" else given
            self.store.set_flags(mailbox.name, uid, flags)
            if not verb.endswith(".SILENT"):
                self.say(f"* {number} FETCH (UID {uid} FLAGS ({' '.join(sorted(mail.flags))}))")

    async def do_expunge(self, command: Command) -> None:
        mailbox = self._writable()
        self.store.expunge(mailbox.name, self._deleted(mailbox))

    async def do_uid_expunge(self, command: Command) -> None:
        mailbox = self._writable()
        named = {uid for _, uid in self._chosen(command, True)}
        self.store.expunge(mailbox.name, [uid for uid in self._deleted(mailbox) if uid in named])

    async def do_append(self, command: Command) -> str:
        if self.store.find(text_of(command.args[0]) if command.args else "") is None:
            raise Refusal("[TRYCREATE] There is no such mailbox")
        mailbox = self._mailbox(command)
        content = command.args[-1]
        if not isinstance(content, bytes) or len(command.args) > 4:
            raise SyntaxFault("APPEND takes one mail as a literal")
        between = command.args[1:-1]
        lists = [part for part in between if isinstance(part, list)]
        dates = [text_of(part) for part in between if not isinstance(part, list)]
        received_at = parse_internal_date(dates[0]) if dates else datetime.now(UTC)
        uid = self.store.append(mailbox.name, content, flags_of(lists), received_at)
        return f"[APPENDUID {mailbox.uidvalidity} {uid}] Stored"


def text_of_key(token: Token) -> str:
    return token.upper() if isinstance(token, str) else ""


def flags_of(tokens: Iterable[Token]) -> frozenset[str]:
    """Flags from `(\\Seen \\Answered)` or bare words, in the spelling the store uses; unknown ones are dropped."""
    words = [text_of(word) for token in tokens for word in (token if isinstance(token, list) else [token])]
    return frozenset(word.capitalize() if word[0] != "\\" else "\\" + word[1:].capitalize() for word in words if word)
