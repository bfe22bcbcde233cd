"""What happens to posts besides being written: their authors edit and delete them, others carry them further.

Every one of these may come before the post itself, and again: a tombstone holds for ever, an earlier version changes
nothing that is shown, and the same person's boost counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from connectors.messages import ParsedDeletion, ParsedReach
from inbox.enclosed import redacted
from inbox.ids import new_ids
from inbox.ingest.accounts import Ground
from inbox.ingest.arrivals import Arrival
from inbox.ingest.letters import Letter, Node, deleted_words, short_reference
from inbox.ingest.library import Library
from inbox.ingest.matters import Matter
from inbox.sql import insert, moment, read_moment, select_in
from inbox.text import clean


class Posts:
    """Of one batch. `touched`: known letters whose conversation shows something else now, without being work."""

    def __init__(self, cursor: CursorWrapper, ground: Ground, library: Library, now: datetime) -> None:
        self._cursor, self._ground, self._library, self._now = cursor, ground, library, now
        self._deleted: dict[Node, tuple[datetime, str]] = {}
        self._carried: set[Node] = set()
        self.touched: dict[int, Letter] = {}
        self.redacted: list[Letter] = []  # known ones whose row still holds what is to go
        self.reached: list[Letter] = []

    def note(self, arrivals: Sequence[Arrival]) -> None:
        """Before the library is read: keeps what was deleted and carried, and has the posts concerned read, too."""
        reaches: list[tuple[str, str, str, str, int, datetime | None]] = []
        for arrival in arrivals:
            kind, parsed = self._ground.accounts[arrival.account_id].kind, arrival.parsed
            if isinstance(parsed, ParsedDeletion) and (name := short_reference(parsed.message_id)):
                at = min(arrival.received_at, self._now)
                self._deleted.setdefault((kind, name), (at, clean(parsed.sentence)[:300]))
            elif isinstance(parsed, ParsedReach) and (name := short_reference(parsed.message_id)):
                actor = self._ground.accounts[arrival.account_id].connector.identity_key(parsed.actor)[:320]
                if actor:
                    followers = max(parsed.followers, 0)
                    reaches.append((kind, name, actor, clean(parsed.action)[:12], followers, parsed.at))
        self._keep(reaches)
        self._library.load_nodes({*self._deleted, *self._carried})

    def _keep(self, reaches: Sequence[tuple[str, str, str, str, int, datetime | None]]) -> None:
        at = moment(self._now)
        rows = [
            (number, kind, name, sentence, moment(when) or at)
            for number, ((kind, name), (when, sentence)) in zip(
                new_ids(len(self._deleted)), self._deleted.items(), strict=True
            )
        ]
        insert(self._cursor, "inbox_tombstone", "id kind reference sentence deleted_at", rows, "ON CONFLICT DO NOTHING")
        once = {one[:4]: one for one in sorted(reaches, key=lambda one: one[4])}
        conflict = (
            "ON CONFLICT (kind, reference, actor_key, action) DO UPDATE SET followers = CASE WHEN EXCLUDED.followers"
            " > inbox_postreach.followers THEN EXCLUDED.followers ELSE inbox_postreach.followers END"
        )
        columns = "id kind reference actor_key action followers at"
        found = [
            (number, *one[:5], moment(one[5])) for number, one in zip(new_ids(len(once)), once.values(), strict=True)
        ]
        insert(self._cursor, "inbox_postreach", columns, found, conflict)
        self._carried = {(kind, name) for kind, name, *_ in once}

    def settle(self) -> None:
        """After the library was read: what is gone loses its content, what was carried has its reach."""
        letters = [one for one in self._library.letters.values() if one.is_post]
        if not letters:
            return
        stirred = [one for one in letters if one.is_new or one.is_renamed]
        self._read_tombstones({one.node for one in letters if one.is_new or one.is_renamed or one.sightings})
        for letter in letters:
            if letter.deleted_at is not None:
                letter.current, letter.older, letter.is_archived, letter.preview = None, [], False, deleted_words()
                letter.revision = ""
            elif letter.node in self._deleted:
                self._redact(letter, self._deleted[letter.node][0])
            elif letter.current is not None:
                self.touched[letter.id] = letter
        self._read_reach([one for one in letters if one.node in self._carried or one in stirred])

    def _read_tombstones(self, nodes: Iterable[Node]) -> None:
        by_kind: dict[str, set[str]] = defaultdict(set)
        for kind, name in nodes:
            by_kind[kind].add(name)
        sql = "SELECT reference, deleted_at, sentence FROM inbox_tombstone WHERE kind = %s AND reference IN ({in})"
        for kind, names in by_kind.items():
            for name, at, sentence in select_in(self._cursor, sql, names, (kind,)):
                self._deleted[kind, name] = (read_moment(at) or self._now, sentence)

    def _redact(self, letter: Letter, at: datetime) -> None:
        letter.deleted_at, letter.preview = at, deleted_words()
        letter.current, letter.older, letter.is_archived, letter.revision = None, [], False, ""
        if letter.parsed is None:
            self.redacted.append(letter)
            self.touched[letter.id] = letter
            return
        letter.passages, letter.language = [], ""
        assert letter.parsed.post is not None
        letter.parsed = replace(
            letter.parsed,
            text="",
            visible_text="",
            subject="",
            passages=(),
            attachments=(),
            has_html=False,
            words=None,
            post=redacted(letter.parsed.post),
        )

    def _read_reach(self, letters: Sequence[Letter]) -> None:
        by_node: dict[Node, list[Letter]] = defaultdict(list)
        for letter in letters:
            by_node[letter.node].append(letter)
        by_kind: dict[str, set[str]] = defaultdict(set)
        for kind, name in by_node:
            by_kind[kind].add(name)
        sql = (
            "SELECT reference, SUM(followers) FROM inbox_postreach WHERE kind = %s AND action = 'repost'"
            " AND reference IN ({in}) GROUP BY reference"
        )
        for kind, names in by_kind.items():
            for name, total in select_in(self._cursor, sql, names, (kind,)):
                for letter in by_node[kind, name]:
                    letter.carried = int(total)
        for letter in letters:
            if not letter.is_new:
                self.reached.append(letter)
                if letter.node in self._carried:
                    self.touched[letter.id] = letter

    def show(self, letter: Letter, matter: Matter) -> None:
        """The conversation of a touched letter: it is told, and nothing of it becomes work."""
        matter.has_news, matter.reach = True, max(matter.reach, letter.reach)
        is_newest = matter.last_activity_at == letter.written_at and matter.last_direction == letter.direction
        if is_newest and not (letter.current and letter.current.keeps_words):
            matter.preview = letter.preview
