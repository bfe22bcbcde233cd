"""The address book of a batch: identities by key, and the customer behind each who takes part in a conversation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from inbox.ingest.letters import Letter, Person
from inbox.sql import dump_json, execute_in, insert, moment, select_in

NOBODY = "?"
"""Begins the key of a counterparty whose address could not be read: one per message, so that nobody is mistaken."""


@dataclass(slots=True)
class Identity:
    id: int
    kind: str
    key: str
    name: str
    customer_id: int | None = None
    is_blocked: bool = False
    address: str = ""  # of new ones
    external_id: str = ""


class Book:
    def __init__(self, cursor: CursorWrapper, now: datetime, ids: Iterator[int]) -> None:
        self._cursor, self._now, self._ids = cursor, now, ids
        self._known: dict[tuple[str, str], Identity] = {}
        self._new: list[Identity] = []
        self._named: list[Identity] = []  # known without a name until now
        self._new_customers: list[Identity] = []

    def load(self, keys: Iterable[tuple[str, str]]) -> None:
        by_kind: dict[str, set[str]] = defaultdict(set)
        for kind, key in keys:
            if key and (kind, key) not in self._known:
                by_kind[kind].add(key)
        for kind, wanted in by_kind.items():
            sql = (
                'SELECT i.id, i.kind, i."key", i.display, l.customer_id, i.is_blocked FROM inbox_identity i'
                " LEFT JOIN inbox_identitylink l ON l.identity_id = i.id AND l.ended_at IS NULL"
                ' WHERE i.kind = %s AND i."key" IN ({in})'
            )
            for row in select_in(self._cursor, sql, wanted, (kind,)):
                self._known[row[1], row[2]] = Identity(*row)

    def find(self, kind: str, key: str) -> Identity | None:
        return self._known.get((kind, key))

    def identity(self, kind: str, person: Person) -> Identity:
        """The identity of this key, made where it is missing; the first name that it is given stays."""
        found = self._known.get((kind, person.key))
        if found is None:
            found = Identity(next(self._ids), kind, person.key, person.name)
            found.address, found.external_id = person.address, person.external_id
            self._known[kind, person.key] = found
            self._new.append(found)
        elif person.name and not found.name:
            found.name = person.name
            self._named.append(found)
        return found

    def customer(self, identity: Identity) -> int:
        """The customer behind an identity, made on first sight."""
        if identity.customer_id is None:
            identity.customer_id = next(self._ids)
            self._new_customers.append(identity)
        return identity.customer_id

    def write(self) -> None:
        at = moment(self._now)
        columns = "id kind key address external_id display is_own is_blocked reach verified created_at"
        identities = [
            (one.id, one.kind, one.key, one.address, one.external_id, one.name, False, False, None, None, at)
            for one in self._new
        ]
        insert(self._cursor, "inbox_identity", columns, identities)
        columns = "id name language zone is_vip attributes note created_at"
        customers = [(one.customer_id, one.name, "", "", False, "{}", "", at) for one in self._new_customers]
        insert(self._cursor, "inbox_customer", columns, customers)
        columns = "id identity_id customer_id evidence actor linked_at ended_at ended_by"
        evidence = dump_json({"rule": "first-seen"})
        links = [
            (next(self._ids), one.id, one.customer_id, evidence, "balas", at, None, "") for one in self._new_customers
        ]
        insert(self._cursor, "inbox_identitylink", columns, links)
        self._write_names()

    def _write_names(self) -> None:
        """Somebody to whom we wrote by address alone says their name: the customer without one gets it, too."""
        for one in self._named:
            sql = "UPDATE inbox_identity SET display = %s WHERE id = %s AND display = ''"
            self._cursor.execute(sql, [one.name, one.id])
            sql = "UPDATE inbox_customer SET name = %s WHERE id = %s AND name = ''"
            self._cursor.execute(sql, [one.name, one.customer_id])

    def forget_unmet(self, customer_ids: Iterable[int]) -> None:
        """Those whom a late link left without a conversation, and of whom nobody but the digest knows anything."""
        sql = """SELECT c.id FROM inbox_customer c WHERE c.id IN ({in}) AND c.note = '' AND NOT c.is_vip
            AND NOT EXISTS (SELECT 1 FROM inbox_conversation x WHERE x.customer_id = c.id)
            AND NOT EXISTS (SELECT 1 FROM inbox_identitylink l WHERE l.customer_id = c.id
                AND (l.actor <> 'balas' OR l.ended_at IS NOT NULL))"""
        unmet = [row[0] for row in select_in(self._cursor, sql, sorted(set(customer_ids)))]
        execute_in(self._cursor, "DELETE FROM inbox_identitylink WHERE customer_id IN ({in})", unmet)
        execute_in(self._cursor, "DELETE FROM inbox_customer WHERE id IN ({in})", unmet)


def counterparty_of(letter: Letter, own: frozenset[str]) -> Person:
    """Whom a message of ours or of theirs is an exchange with. Its `key` is never empty."""
    author = letter.author
    if letter.is_inbound:
        return author if author.key else author._replace(key=f"{NOBODY}{letter.stable}")
    others = [person for person in letter.people[1:] if person.key]
    strangers = [person for person in others if person.key not in own]
    for person in (*strangers, *others):
        return person
    return Person("to", f"{NOBODY}{letter.stable}", "", "")
