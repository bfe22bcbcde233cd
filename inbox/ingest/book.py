"""The address book of a batch: identities by key, and the customer behind each who takes part in a conversation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from inbox.ingest.letters import Letter, Person
from inbox.sql import dump_json, insert, moment, select_in

NOBODY = "?"
"""Begins the key of a counterparty whose address could not be read: one per message, so that nobody is mistaken."""


@dataclass(slots=True)
class Identity:
    id: int
    kind: str
    key: str
    name: str
    customer_id: int | None = None


class Book:
    def __init__(self, cursor: CursorWrapper, now: datetime, ids: Iterator[int]) -> None:
        self._cursor, self._now, self._ids = cursor, now, ids
        self._known: dict[tuple[str, str], Identity] = {}
        self._new: list[tuple[object, ...]] = []
        self._new_customers: list[tuple[object, ...]] = []
        self._new_links: list[tuple[object, ...]] = []

    def load(self, keys: Iterable[tuple[str, str]]) -> None:
        by_kind: dict[str, set[str]] = defaultdict(set)
        for kind, key in keys:
            if key and (kind, key) not in self._known:
                by_kind[kind].add(key)
        for kind, wanted in by_kind.items():
            sql = (
                'SELECT i.id, i.kind, i."key", i.display, l.customer_id FROM inbox_identity i'
                " LEFT JOIN inbox_identitylink l ON l.identity_id = i.id AND l.ended_at IS NULL"
                ' WHERE i.kind = %s AND i."key" IN ({in})'
            )
            for row in select_in(self._cursor, sql, wanted, (kind,)):
                self._known[row[1], row[2]] = Identity(*row)

    def find(self, kind: str, key: str) -> Identity | None:
        return self._known.get((kind, key))

    def identity(self, kind: str, person: Person) -> Identity:
        """The identity of this key, made where it is missing."""
        found = self._known.get((kind, person.key))
        if found is None:
            found = Identity(next(self._ids), kind, person.key, person.name)
            self._known[kind, person.key] = found
            at = moment(self._now)
            self._new.append(
                (found.id, kind, person.key, person.address, "", person.name, False, False, None, None, at)
            )
        return found

    def customer(self, identity: Identity) -> int:
        """The customer behind an identity, made on first sight."""
        if identity.customer_id is None:
            identity.customer_id = next(self._ids)
            at = moment(self._now)
            self._new_customers.append((identity.customer_id, identity.name, "", "", False, "{}", "", at))
            evidence = dump_json({"rule": "first-seen"})
            self._new_links.append(
                (next(self._ids), identity.id, identity.customer_id, evidence, "balas", at, None, "")
            )
        return identity.customer_id

    def write(self) -> None:
        columns = "id kind key address external_id display is_own is_blocked reach verified created_at"
        insert(self._cursor, "inbox_identity", columns, self._new)
        columns = "id name language zone is_vip attributes note created_at"
        insert(self._cursor, "inbox_customer", columns, self._new_customers)
        columns = "id identity_id customer_id evidence actor linked_at ended_at ended_by"
        insert(self._cursor, "inbox_identitylink", columns, self._new_links)


def counterparty_of(letter: Letter, own: frozenset[str]) -> Person:
    """Whom a message of ours or of theirs is an exchange with. Its `key` is never empty."""
    author = letter.author
    if letter.is_inbound:
        return author if author.key else Person("author", f"{NOBODY}{letter.stable}", author.address, author.name)
    others = [person for person in letter.people[1:] if person.key]
    strangers = [person for person in others if person.key not in own]
    for person in (*strangers, *others):
        return person
    return Person("to", f"{NOBODY}{letter.stable}", "", "")
