"""Which messages are already here: found by name or content, so that one message stays one message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

from connectors.messages import Direction, Flag
from inbox.ids import new_ids
from inbox.ingest.accounts import AccountFacts, Ground
from inbox.ingest.arrivals import Arrival
from inbox.ingest.echoes import Echoes
from inbox.ingest.letterrows import COLUMNS, TABLES, letter_of_row
from inbox.ingest.letters import Letter, Node, letter_of
from inbox.ingest.versions import revision_order, take_version
from inbox.sql import select_in


class Library:
    """Letters of one batch, by the names they carry; rows are read with a few IN (…) queries."""

    def __init__(self, cursor: CursorWrapper, ground: Ground, now: datetime) -> None:
        self._cursor, self._ground, self._now = cursor, ground, now
        self._echoes = Echoes(cursor)
        self.drafts: list[Letter] = []  # every post as it arrived, also of posts that are here
        self._any_account = {account.kind: account for account in ground.accounts.values()}
        self.letters: dict[int, Letter] = {}
        self.by_node: dict[Node, list[Letter]] = defaultdict(list)
        self.new: list[Letter] = []
        self._scopes: dict[int, set[tuple[Any, ...]]] = defaultdict(set)  # of letters without a usable id

    def read(self, arrivals: Iterable[Arrival]) -> list[Letter]:
        """Matches arrivals with the messages that are here; the new letters."""
        known = list(arrivals)
        drafts = [
            letter_of(arrival, self._ground.accounts[arrival.account_id], message_id, self._ground.aside)
            for arrival, message_id in zip(known, new_ids(len(known)), strict=True)
        ]
        self.load_nodes({node for draft in drafts for node in (draft.node, *draft.answers)})
        self._load_unnamed(drafts)
        for draft in sorted(drafts, key=lambda draft: (draft.received_at, revision_order(draft.revision), draft.id)):
            self._place(draft)
        return self.new

    def _load_unnamed(self, drafts: Iterable[Letter]) -> None:
        """Our sends that one of these may be, though it has another name."""
        known = self._ground.accounts
        ours = [one for one in drafts if one.is_post and not one.is_inbound and not self.by_node.get(one.node)]
        accounts = {one.account_id: one.kind for one in ours if known[one.account_id].names_sends}
        if not accounts:
            return
        ids = self._echoes.load(accounts, self._now)
        sql = f"SELECT {COLUMNS} FROM {TABLES} WHERE m.id IN ({{in}})"  # noqa: S608
        for row in select_in(self._cursor, sql, ids):
            self._add_rows(row[1], iter([row]))

    def load_nodes(self, nodes: Iterable[Node]) -> None:
        by_name: dict[str, set[str]] = defaultdict(set)
        by_content: dict[str, set[str]] = defaultdict(set)
        for kind, name in nodes:
            if name.startswith("stable:"):
                by_content[kind].add(name.removeprefix("stable:"))
            else:
                by_name[kind].add(name)
        sql = f"SELECT {COLUMNS} FROM {TABLES} WHERE m.kind = %s AND "  # noqa: S608
        for kind, names in by_name.items():
            self._add_rows(kind, select_in(self._cursor, sql + "m.reference IN ({in})", names, (kind,)))
        for kind, hashes in by_content.items():
            self._add_rows(kind, select_in(self._cursor, sql + "m.stable_sha256 IN ({in})", hashes, (kind,)))
        self._read_scopes()

    def _read_scopes(self) -> None:
        """Where messages without a usable id have been seen: a form that twice sends the same words has asked twice."""
        nameless = [letter.id for letter in self.letters.values() if letter.node[1].startswith("stable:")]
        sql = (
            "SELECT d.message_id, r.account_id, r.place, r.epoch FROM inbox_delivery d"
            " JOIN inbox_rawitem r ON r.id = d.raw_item_id WHERE d.message_id IN ({in})"
        )
        for message_id, *scope in select_in(self._cursor, sql, nameless):
            self._scopes[message_id].add(tuple(scope))

    def load_strands(self, kind: str, strand_ids: Iterable[int]) -> None:
        sql = f"SELECT {COLUMNS} FROM {TABLES} WHERE m.strand_id IN ({{in}})"  # noqa: S608
        self._add_rows(kind, select_in(self._cursor, sql, set(strand_ids)))

    def _add_rows(self, kind: str, rows: Iterator[tuple[Any, ...]]) -> None:
        for row in rows:
            if row[0] not in self.letters and row[2] != Direction.NOTE:
                self._add(letter_of_row(row, self._ground, self._any_account[kind]))

    def _add(self, letter: Letter) -> None:
        self.letters[letter.id] = letter
        self.by_node[letter.node].append(letter)

    def _place(self, draft: Letter) -> None:
        if draft.is_post:
            self.drafts.append(draft)
        same = self._same(draft)
        is_nameless = draft.node[1].startswith("stable:")
        self._scopes[same.id if same else draft.id].add(draft.sightings[0].scope)
        if same is None:
            others = [] if is_nameless else self.by_node[draft.node]
            if others:
                _flag([*others, draft])
            self._add(draft)
            self.new.append(draft)
            return
        same.accounts |= draft.accounts
        same.sightings += draft.sightings
        if draft.is_post:
            take_version(same, draft)
        own = self._ground.accounts[draft.account_id]
        _settle_direction(same, draft, own)

    def _same(self, draft: Letter) -> Letter | None:
        if draft.is_post:
            return self._same_post(draft)
        for letter in self.by_node[draft.node]:
            if letter.stable == draft.stable:
                if draft.node[1].startswith("stable:") and draft.sightings[0].scope in self._scopes[letter.id]:
                    continue
                return letter
            # The provider's own copy of what we composed; it may have been rewritten on its way there.
            if letter.is_frozen_send and draft.direction == Direction.OUTBOUND:
                return letter
        return None

    def _same_post(self, draft: Letter) -> Letter | None:
        """The platform vouches for the id; whatever else it says is another version."""
        if known := self.by_node[draft.node]:
            return known[0]
        number = None if draft.is_inbound else self._echoes.take(draft)
        letter = self.letters.get(number) if number else None
        if letter is not None:
            self.by_node[letter.node].remove(letter)
            letter.reference, letter.node, letter.is_renamed = draft.reference, draft.node, True
            self.by_node[letter.node].append(letter)
        return letter


def _flag(letters: list[Letter]) -> None:
    """The same Message-ID over other content. Which of them is the true one cannot be told from who came first:
    whoever wants to hide a mail sends its id beforehand. Only what we froze ourselves is above doubt."""
    flag = Flag.SAME_ID_OTHER_CONTENT.value
    for letter in letters:
        if flag not in letter.flags and not letter.is_frozen_send:
            letter.flags.append(flag)
            letter.is_changed = True


def _settle_direction(letter: Letter, sighting: Letter, account: AccountFacts) -> None:
    """Outbound is what lies in Sent, unless somebody else wrote it and it lies in an inbox too."""
    if letter.direction == sighting.direction or letter.is_frozen_send:
        return
    direction = Direction.OUTBOUND if letter.author.key in account.own else Direction.INBOUND
    if letter.direction == direction:
        return
    letter.direction, letter.is_turned = direction.value, True
    flag = Flag.FROM_OWN_ADDRESS.value
    if direction is Direction.OUTBOUND and flag in letter.flags:
        letter.flags.remove(flag)
    letter.is_changed = True
