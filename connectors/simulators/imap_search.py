"""SEARCH (RFC 9051 §6.4.4) over one mailbox, read as a list of conditions that must all hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from email.header import decode_header
from email.utils import parsedate_to_datetime

from connectors.simulators.imap_fetch import MONTHS
from connectors.simulators.imap_store import Mailbox, StoredMail
from connectors.simulators.imap_structure import header_fields
from connectors.simulators.imap_syntax import MAX_DEPTH, SyntaxFault, Token, choose, is_number_set, text_of

Condition = Callable[[StoredMail], bool]

FLAG_KEYS = {
    "ANSWERED": "\\Answered",
    "DELETED": "\\Deleted",
    "DRAFT": "\\Draft",
    "FLAGGED": "\\Flagged",
    "SEEN": "\\Seen",
}
HEADER_KEYS = {"FROM", "TO", "CC", "BCC", "SUBJECT"}


def _day(text: str) -> date:
    try:
        day, month, year = text.strip('"').split("-")
        return date(int(year), [name.lower() for name in MONTHS].index(month.lower()) + 1, int(day))
    except ValueError:
        raise SyntaxFault("Not a date") from None


def _decoded(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    try:
        pieces = decode_header(text)
        return "".join(
            piece.decode(charset or "utf-8", "replace") if isinstance(piece, bytes) else piece
            for piece, charset in pieces
        )
    except (LookupError, ValueError):
        return text


class Search:
    """Reads the keys once, then tests each mail."""

    def __init__(self, mailbox: Mailbox, numbers: dict[int, int]) -> None:
        """`numbers` maps each UID of the session's view to its sequence number."""
        self.mailbox = mailbox
        self.numbers = numbers

    def uids(self, tokens: Sequence[Token]) -> list[int]:
        conditions = self._read_all(list(tokens))
        known = (self.mailbox.mails[uid] for uid in self.numbers if uid in self.mailbox.mails)
        return [mail.uid for mail in known if all(condition(mail) for condition in conditions)]

    def _read_all(self, tokens: list[Token], depth: int = 0) -> list[Condition]:
        if depth > MAX_DEPTH:
            raise SyntaxFault("Too many brackets")
        conditions = []
        while tokens:
            conditions.append(self._read(tokens, depth))
        return conditions

    def _read(self, tokens: list[Token], depth: int = 0) -> Condition:
        if not tokens or depth > MAX_DEPTH:
            raise SyntaxFault("A search key is missing")
        token = tokens.pop(0)
        if isinstance(token, list):
            inner = self._read_all(list(token), depth + 1)
            return lambda mail: all(condition(mail) for condition in inner)
        key = text_of(token).upper()
        if key == "NOT":
            condition = self._read(tokens, depth + 1)
            return lambda mail: not condition(mail)
        if key == "OR":
            left, right = self._read(tokens, depth + 1), self._read(tokens, depth + 1)
            return lambda mail: left(mail) or right(mail)
        return self._read_simple(key, tokens)

    def _read_simple(self, key: str, tokens: list[Token]) -> Condition:
        if key == "ALL":
            return lambda mail: True
        if key in {"NEW", "RECENT"}:
            return lambda mail: False
        if key == "OLD":
            return lambda mail: True
        if key in FLAG_KEYS:
            return lambda mail: FLAG_KEYS[key] in mail.flags
        if key.startswith("UN") and key[2:] in FLAG_KEYS:
            return lambda mail: FLAG_KEYS[key[2:]] not in mail.flags
        if is_number_set(key):
            wanted = set(choose(key, list(self.numbers.values())))
            return lambda mail: self.numbers[mail.uid] in wanted
        if not tokens:
            raise SyntaxFault(f"Search key {key[:40]} is unknown or lacks its value")
        value = text_of(tokens.pop(0))
        if key == "HEADER":
            return self._header(value, text_of(tokens.pop(0)) if tokens else "")
        return self._read_valued(key, value)

    def _read_valued(self, key: str, value: str) -> Condition:
        if key == "UID":
            uids = set(choose(value, list(self.numbers)))
            return lambda mail: mail.uid in uids
        if key in {"LARGER", "SMALLER"} and value.isdigit():
            return lambda mail: mail.size > int(value) if key == "LARGER" else mail.size < int(value)
        if key in {"SINCE", "BEFORE", "ON"}:
            day = _day(value)
            return lambda mail: _compare(key, mail.received_at.date(), day)
        if key in {"SENTSINCE", "SENTBEFORE", "SENTON"}:
            day = _day(value)
            return lambda mail: self._sent(key.removeprefix("SENT"), mail, day)
        if key in HEADER_KEYS:
            return self._header(key, value)
        if key in {"TEXT", "BODY"}:
            needle = value.lower().encode("utf-8", "surrogateescape")
            return lambda mail: needle in self.mailbox.read(mail.uid).lower()
        if key in {"KEYWORD", "UNKEYWORD"}:
            return lambda mail: key == "UNKEYWORD"
        raise SyntaxFault(f"Unknown search key {key[:40]}")

    def _header(self, name: str, value: str) -> Condition:
        needle = value.lower()

        def holds(mail: StoredMail) -> bool:
            found = header_fields(self.mailbox.read_header(mail.uid), [name]).strip()
            return bool(found) and needle in _decoded(found.split(b":", 1)[1]).lower()

        return holds

    def _sent(self, key: str, mail: StoredMail, day: date) -> bool:
        found = header_fields(self.mailbox.read_header(mail.uid), ["date"]).strip()
        try:
            sent = parsedate_to_datetime(found.split(b":", 1)[1].decode("latin-1").strip()).date()
        except (IndexError, ValueError, TypeError):
            return False
        return _compare(key, sent, day)


def _compare(key: str, found: date, wanted: date) -> bool:
    if key == "SINCE":
        return found >= wanted
    return found < wanted if key == "BEFORE" else found == wanted
