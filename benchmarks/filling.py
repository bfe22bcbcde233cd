"""Fills a home with finished rows by bulk SQL: as many messages as wanted, five to a conversation, five per cent open.

Only what the queue and the conversation page read: no raw bytes and no full-text rows. Needs Django set up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from inbox import sla
from inbox.ids import new_id, new_ids
from inbox.ledger import Entry
from inbox.models import Account
from inbox.rules.states import SlaKind
from inbox.sql import dump_json, insert, moment

PER_CONVERSATION = 5
OPEN_SHARE = 0.05
LONG = 1_000  # messages of the one long conversation
_AT_ONCE = 1_000  # conversations of one transaction

_TABLES = {
    "inbox_customer": "id name language zone is_vip attributes note created_at",
    "inbox_identity": "id kind key address external_id display is_own is_blocked reach verified created_at",
    "inbox_identitylink": "id identity_id customer_id evidence actor linked_at ended_at ended_by",
    "inbox_thread": "id kind",
    "inbox_strand": "id thread_id counterparty_id sequence",
    "inbox_conversation": (
        "id customer_id subject status status_reason account_id kind due_at due_for sla policy_version_id"
        " calendar_version_id priority is_vip reach language preview last_direction messages_count opened_at"
        " last_inbound_at last_outbound_at last_activity_at resolved_at reopened_count is_unseen version"
    ),
    "inbox_strandlink": "id strand_id conversation_id evidence actor linked_at ended_at ended_by",
    "inbox_conversationaccount": "conversation_id account_id",
    "inbox_rawitem": (
        "id account_id place epoch external_id version is_sent is_import too_large size sha256 received_at stored_at"
        " state attempts error"
    ),
    "inbox_message": (
        "id kind direction strand_id account_id author_id author_name author_address recipients subject text passages"
        " has_html language language_confidence written_at received_at reference in_reply_to references stable_sha256"
        " raw_sha256 raw_item_id automatic flags reach created_at"
    ),
    "inbox_delivery": "id message_id account_id raw_item_id received_at",
    "inbox_slaevent": (
        "id conversation_id kind occurred_at recorded_at actor message_id policy_version_id calendar_version_id due_at"
        " due_for data"
    ),
}
_TEXT = "Hello, my parcel has not come yet and the invoice names another address. Could you have a look? Thanks. " * 6


@dataclass
class Filler:
    account: Account
    until: datetime = field(default_factory=lambda: datetime.now(UTC))
    seed: int = 7

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._policy, self._calendar = sla.versions_for(self.account, self.until)
        self._rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _TABLES}

    def fill(self, messages: int) -> dict[str, int]:
        """Returns the ids of a long conversation (of LONG messages) and of a short one (of ten)."""
        short = self._conversation(self.until - timedelta(minutes=7), 10, True)
        long = self._conversation(self.until - timedelta(minutes=9), min(LONG, messages), True)
        spacing = timedelta(days=720) / max(messages // PER_CONVERSATION, 1)
        sizes = self._sizes(max(messages - 10 - min(LONG, messages), 0))
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")
        for number, size in enumerate(sizes):
            self._conversation(self.until - spacing * number, size, self._random.random() < OPEN_SHARE)
            if number % _AT_ONCE == 0:
                self._flush()
        self._flush()
        _recount()
        return {"short": short, "long": long}

    def _sizes(self, left: int) -> Iterator[int]:
        while left > 0:
            size = min(left, self._random.choice((1, 2, 3, 4, 5, 6, 7, 12)))
            left -= size
            yield size

    def _flush(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for table, columns in _TABLES.items():
                insert(cursor, table, columns, self._rows[table])
                self._rows[table].clear()

    def _conversation(self, last_at: datetime, size: int, is_open: bool) -> int:
        rows, number = self._rows, new_id()
        customer, identity, thread, strand = new_ids(4)
        name, address = f"Customer {number % 99_991}", f"customer{number}@mail.example"
        at = moment(last_at)
        rows["inbox_customer"].append((customer, name, "en", "", False, "{}", "", at))
        rows["inbox_identity"].append((identity, "email", address, address, "", name, False, False, None, None, at))
        rows["inbox_identitylink"].append(
            (new_id(), identity, customer, '{"rule":"first-seen"}', "balas", at, None, "")
        )
        rows["inbox_thread"].append((thread, "email"))
        rows["inbox_strand"].append((strand, thread, identity, 0))
        rows["inbox_strandlink"].append((new_id(), strand, number, '{"rule":"new"}', "balas", at, None, ""))
        rows["inbox_conversationaccount"].append((number, self.account.id))
        first_at = last_at - timedelta(minutes=11) * (size - 1)
        for position, message in enumerate(new_ids(size)):
            written_at = first_at + timedelta(minutes=11) * position
            is_ours = position % 2 == 1 and not (is_open and position == size - 1)
            self._message(message, strand, identity, name, address, written_at, is_ours)
        self._matter(number, customer, message, first_at, last_at, size, is_open)
        return number

    def _message(
        self, message: int, strand: int, identity: int, name: str, address: str, written_at: datetime, is_ours: bool
    ) -> None:
        rows, at, raw = self._rows, moment(written_at), new_id()
        place = "Sent" if is_ours else "INBOX"
        head = (raw, self.account.id, place, "1", str(raw), "0", is_ours, False, False, 4_000, f"{raw:064x}", at, at)
        rows["inbox_rawitem"].append((*head, "digested", 0, ""))
        author = (None, "", self.account.address) if is_ours else (identity, name, address)
        people = dump_json([{"role": "to", "name": "", "address": address if is_ours else self.account.address}])
        start = self._random.randrange(80)
        text = _TEXT[start : start + self._random.randrange(100, 500)]
        rows["inbox_message"].append(
            (
                *(message, "email", "outbound" if is_ours else "inbound", strand, self.account.id, *author, people),
                *("Parcel", text, "[]", False, "en", 0.0, at, at, f"{message}@mail.example", "", "[]"),
                *(f"{message:064x}", f"{raw:064x}", raw, "", "[]", 0, at),
            )
        )
        rows["inbox_delivery"].append((new_id(), message, self.account.id, raw, at))

    def _matter(
        self, number: int, customer: int, message: int, first_at: datetime, last_at: datetime, size: int, is_open: bool
    ) -> None:
        standing = sla.Standing(number, self._policy, self._calendar)
        if is_open:
            entry = Entry(SlaKind.CUSTOMER_WROTE, last_at, last_at, message_id=message)
            standing, (event,) = sla.extend(standing, [entry], list)
            at = moment(last_at)
            self._rows["inbox_slaevent"].append(
                (
                    *(event.id, number, event.kind.value, at, at, "balas", message, self._policy, self._calendar),
                    *(moment(event.due_at), event.due_for, "{}"),
                )
            )
        status = ("open", "new") if is_open else ("resolved", "done")
        self._rows["inbox_conversation"].append(
            (
                *(number, customer, f"Parcel {number % 9_973}", *status, self.account.id, "email"),
                *(moment(standing.due_at), standing.due_for, dump_json(dict(standing.state)), self._policy),
                *(self._calendar, 0, False, 0, "en", _TEXT[:120], "inbound", size, moment(first_at), moment(last_at)),
                *(None, moment(last_at), None if is_open else moment(last_at), 0, False, 1),
            )
        )


def _recount() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM inbox_counter")
        cursor.execute(
            "INSERT INTO inbox_counter (account_id, team_id, status, owner_id, conversations)"
            " SELECT account_id, COALESCE(team_id, 0), status, COALESCE(owner_id, 0), COUNT(*)"
            " FROM inbox_conversation GROUP BY 1, 2, 3, 4"
        )
