"""One transaction of the digest (TX 2): a batch of parsed items becomes messages, conversations and their ledger.

    library (which messages are here) → graph (which name each other) → strands (whose exchange) → matters (what that
    changes) → rows, counters, index and live events

No object per row, a handful of IN (…) reads whatever the size of the batch; every decision is made in memory by
functions that know no database. There is no other way for a message to come in: live mail, history, imports and
replays all pass here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from connectors.messages import Flag, ParsedMessage
from inbox import changes, counters, outbox
from inbox.ids import id_stream
from inbox.ingest import postrows, promises, telling, writing
from inbox.ingest.accounts import Ground
from inbox.ingest.arrivals import Arrival
from inbox.ingest.book import Book
from inbox.ingest.graph import Graph
from inbox.ingest.letters import Letter
from inbox.ingest.library import Library
from inbox.ingest.matters import COLUMNS, Matter, matter_of_row, new_matter
from inbox.ingest.posts import Posts
from inbox.ingest.strands import Strand
from inbox.ingest.threads import Threads
from inbox.killpoints import reach
from inbox.rules.states import RawState
from inbox.sql import execute_in, locking, select_in

_ONE_AT_A_TIME = 0x62616C62
"""Advisory lock of the transaction: two digests that met would only make each other start again."""


def digest_batch(arrivals: Sequence[Arrival], ground: Ground, now: datetime) -> int:
    """How many messages are new. Raises whatever goes wrong, with nothing written."""
    with transaction.atomic(), connection.cursor() as cursor:
        reach("digest.transaction-open")
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        waiting = _claim(cursor, arrivals)
        reach("digest.claimed")
        if not waiting:
            return 0
        batch = _Batch(cursor, ground, now)
        try:
            return batch.run(waiting)
        finally:
            batch.let_go()


def _claim(cursor: CursorWrapper, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Those that nobody has digested in the meantime; their rows stay locked."""
    sql = "SELECT id FROM inbox_rawitem WHERE id IN ({in}) AND state = 'stored' AND due_at IS NOT NULL ORDER BY id"
    ids = {row[0] for row in select_in(cursor, sql + locking(), sorted(one.raw_id for one in arrivals))}
    return [one for one in arrivals if one.raw_id in ids]


class _Batch:
    def __init__(self, cursor: CursorWrapper, ground: Ground, now: datetime) -> None:
        self.cursor, self.ground, self.now = cursor, ground, now
        self.ids = id_stream()
        self.library = Library(cursor, ground, now)
        self.posts = Posts(cursor, ground, self.library, now)
        self.book, self.graph = Book(cursor, now, self.ids), Graph(cursor, self.ids)
        self.threads = Threads(cursor, ground, self.library, self.book, self.graph, self.ids)
        self.matters: dict[int, Matter] = {}
        self.removed: list[Matter] = []
        self.moved: list[Letter] = []
        self.left: set[int] = set()  # customers who may have no conversation any more

    def run(self, arrivals: list[Arrival]) -> int:
        messages = [one for one in arrivals if isinstance(one.parsed, ParsedMessage)]
        self.posts.note(arrivals)
        new = self.library.read(messages)
        self.posts.settle()
        self._read_threads()
        self.book.load(self.threads.concerned())
        self._mark_blocked()
        reach("digest.loaded")
        self.threads.place(self._find_matter, self.ground.reopen_within)
        self._form_matters()
        self._write(new)
        self._settle_items(arrivals)
        postrows.erase_bodies(self.cursor, self.library.letters.values())
        reach("digest.items-settled")
        self._tell_outbox(new)
        self._announce(new)
        reach("digest.announced")
        return len(new)

    def let_go(self) -> None:
        """Opens the circles of references, so that a batch leaves the memory at once and without a collector."""
        self.threads.let_go()

    # --- reading

    def _read_threads(self) -> None:
        letters = list(self.library.letters.values())
        joining = [one for one in letters if one.is_new or one.is_renamed]
        self.graph.load({one.node for one in letters} | {node for one in joining for node in one.answers})
        self.threads.load_strands({letter.strand_id for letter in letters if letter.strand_id})
        for letter in letters:
            if letter.strand_id:
                self.graph.adopt(letter.node, self.threads.stored[letter.strand_id].thread)
        self.threads.load([one for one in letters if one.is_turned and not one.is_new])
        ids = {strand.conversation_id for strand in self.threads.stored.values() if strand.conversation_id}
        self._load_matters(ids)

    def _load_matters(self, ids: Iterable[int]) -> None:
        sql = f"SELECT {COLUMNS} FROM inbox_conversation WHERE id IN ({{in}}) ORDER BY id{locking()}"  # noqa: S608
        for row in select_in(self.cursor, sql, sorted(set(ids) - self.matters.keys())):
            self.matters[row[0]] = matter_of_row(row, self.ground)

    def _find_matter(self, conversation_id: int) -> Matter | None:
        if conversation_id not in self.matters:
            self._load_matters([conversation_id])
        return self.matters.get(conversation_id)

    def _mark_blocked(self) -> None:
        for letter in self.library.letters.values():
            if letter.is_inbound:
                found = self.book.find(letter.kind, letter.author.key)
                letter.is_blocked = found is not None and bool(found.is_blocked)

    # --- deciding

    def _form_matters(self) -> None:
        """Every strand gets its conversation, every conversation the letters that are new to it."""
        strands = self.threads.formed_or_joined()
        self.moved = [
            letter
            for strand in strands
            for letter in strand.letters
            if not letter.is_new and (letter.strand_id != strand.id or letter.is_changed)
        ]
        stirred = self._stirred(strands)
        old = [
            one for strand in strands if strand.conversation_id in stirred for one in strand.letters if not one.is_new
        ]
        seen_in = telling.seen_in(self.cursor, [*old, *self.moved])
        self._remove_emptied(strands)
        for strand in strands:
            matter = self._matter_of(strand)
            letters = strand.letters
            if matter.id in stirred and not matter.is_new:
                self.left.add(matter.customer_id)
                matter.customer_id = self._customer(strand)
                matter.reset()
            elif not matter.is_new:
                letters = [one for one in letters if one.is_new or one.strand_id != strand.id]
            matter.apply(letters, self.now)
            for letter in letters:
                matter.accounts |= letter.accounts | seen_in[letter.id]
        self._turn()
        for letter in self.library.letters.values():
            if not letter.is_new and letter.accounts:
                matter = self.matters[self.threads.strand_of(letter).conversation_id]
                matter.accounts |= letter.accounts
        for letter in self.posts.touched.values():
            self.posts.show(letter, self.matters[self.threads.strand_of(letter).conversation_id])

    def _turn(self) -> None:
        """Mail that proves to be ours only now, in conversations that people have touched: it moves nowhere."""
        turned = {one.id: one for one in self.library.letters.values() if one.is_turned and not one.is_new}
        staying = {number: one for number, one in turned.items() if one.strand_id not in self.threads.free}
        sql = "SELECT id, message_id FROM inbox_slaevent WHERE kind = 'customer-wrote' AND message_id IN ({in})"
        events = {message_id: event for event, message_id in select_in(self.cursor, sql, staying)}
        for letter in staying.values():
            matter = self.matters[self.threads.strand_of(letter).conversation_id]
            matter.turn(letter, events.get(letter.id), self.now)

    def _stirred(self, strands: Sequence[Strand]) -> set[int]:
        """Conversations that lose a letter or see one change: what they are is worked out from all their letters."""
        stirred: set[int] = set()
        for strand in strands:
            for letter in strand.letters:
                old = self.threads.free.get(letter.strand_id or 0)
                if old is not None and (old.id != strand.id or letter.is_changed):
                    # What people have touched keeps its ledger; a letter that comes to it is like a new one.
                    stays = strand.id in self.threads.stored and strand.id not in self.threads.free
                    stirred |= {old.conversation_id} if stays else {old.conversation_id, strand.conversation_id}
        return stirred - {0}

    def _remove_emptied(self, strands: Sequence[Strand]) -> None:
        kept = {strand.conversation_id for strand in strands}
        for strand in self.threads.emptied:
            if strand.conversation_id not in kept and strand.conversation_id in self.matters:
                self.removed.append(self.matters.pop(strand.conversation_id))
                self.left.add(self.removed[-1].customer_id)

    def _matter_of(self, strand: Strand) -> Matter:
        if strand.conversation_id:
            return self.matters[strand.conversation_id]
        first = min(strand.letters, key=lambda letter: letter.order)
        account = self.ground.accounts[first.account_id]
        strand.conversation_id, strand.needs_link = next(self.ids), True
        matter = new_matter(strand.conversation_id, self._customer(strand), first, account, strand.follows)
        self.matters[matter.id] = matter
        return matter

    def _customer(self, strand: Strand) -> int:
        return self.book.customer(self.book.identity(strand.kind, strand.counterparty))

    # --- writing

    def _write(self, new: list[Letter]) -> None:
        strands = {
            letter.id: self.threads.strand_of(letter).id
            for letter in self.library.letters.values()
            if letter.is_new or letter.strand_id
        }
        changed = [matter for matter in self.matters.values() if self._is_changed(matter)]
        events = promises.extend(self.cursor, changed)
        for letter in new:
            if letter.author.key:
                self.book.identity(letter.kind, letter.author)
        self.threads.book_participants()
        self.book.write()
        reach("digest.people-made")
        writing.write_matters(self.cursor, changed)
        reach("digest.conversations-made")
        self.threads.write(self.now)
        reach("digest.threads-made")
        writing.write_messages(self.cursor, new, strands, self.book, self.now)
        writing.note_verified(self.cursor, new, self.book)
        self._write_posts(new)
        changed_letters = {one.id: one for one in (*self.moved, *self._relabelled())}
        writing.move_messages(self.cursor, changed_letters.values(), strands)
        writing.write_deliveries(self.cursor, [one for one in self.library.letters.values() if one.sightings])
        reach("digest.messages-written")
        reset = [matter.id for matter in changed if matter.is_reset]
        writing.clear_conversations(self.cursor, reset)
        writing.write_events(self.cursor, events)
        writing.write_access(self.cursor, changed)
        reach("digest.ledger-written")
        writing.forget_conversations(self.cursor, [matter.id for matter in self.removed])
        self.book.forget_unmet(self.left)
        self._count(changed)
        reach("digest.counters-written")

    def _write_posts(self, new: Sequence[Letter]) -> None:
        posts = [one for one in self.library.letters.values() if one.is_post]
        if not posts:
            return
        postrows.write_states(self.cursor, new, self.ground, self.now)
        postrows.write_versions(self.cursor, posts, self.now)
        postrows.write_names(self.cursor, posts)
        postrows.write_reach(self.cursor, self.posts.reached)
        postrows.note_authors(self.cursor, self.library.drafts, self.book)
        postrows.redact(self.cursor, self.posts.redacted)

    def _relabelled(self) -> list[Letter]:
        return [one for one in self.library.letters.values() if one.is_changed and not one.is_new]

    def _is_changed(self, matter: Matter) -> bool:
        return matter.is_new or matter.is_reset or bool(matter.accounts) or matter.has_news

    def _count(self, changed: Sequence[Matter]) -> None:
        deltas: Counter[counters.Key] = Counter()
        for matter in changed:
            deltas[matter.key()] += 1
            if matter.counted is not None:
                deltas[matter.counted] -= 1
        for matter in self.removed:
            if matter.counted is not None:
                deltas[matter.counted] -= 1
        counters.apply(deltas)

    def _settle_items(self, arrivals: Sequence[Arrival]) -> None:
        by_state: dict[RawState, list[int]] = defaultdict(list)
        for arrival in arrivals:
            parsed = arrival.parsed
            is_bad = isinstance(parsed, ParsedMessage) and Flag.UNREADABLE in parsed.flags
            by_state[RawState.UNREADABLE if is_bad else RawState.DIGESTED].append(arrival.raw_id)
        sql = "UPDATE inbox_rawitem SET state = %s, due_at = NULL WHERE id IN ({in})"
        for state, ids in by_state.items():
            execute_in(self.cursor, sql, ids, (state.value,))

    # --- telling

    def _tell_outbox(self, new: Sequence[Letter]) -> None:
        """Our own message seen in Sent, or a bounce that speaks of it, is evidence of what became of a send."""
        for letter in self.library.letters.values():
            if letter.is_frozen_send and letter.sightings:
                outbox.settle_by_message(letter.id, "found in Sent", self.now, is_named=letter.is_post)
        for letter in new:
            assert letter.parsed is not None
            if letter.is_inbound and not letter.is_refused and not letter.is_history:
                for report in letter.parsed.reports[:50]:
                    outbox.note_report(report, self.now)
        self._tell_of_earlier_reports(new)

    def _tell_of_earlier_reports(self, new: Sequence[Letter]) -> None:
        """Mail comes newest first, so a bounce may be here before the mail of ours that it speaks of; and what was
        formed again has forgotten its own."""
        again = {matter.id for matter in self.matters.values() if matter.is_reset}
        moving = [one for one in self.library.letters.values() if one.strand_id in self.threads.free]
        formed = [one for one in moving if self.threads.strand_of(one).conversation_id in again]
        sent = [one for one in (*new, *formed) if not one.is_inbound and not one.is_frozen_send and not one.is_history]
        ours = {one.reference: one for one in sent if one.reference}
        strands = {self.threads.strand_of(one).id for one in ours.values()}
        for report in telling.reports_in(self.cursor, strands, but={one.id for one in new}):
            if report.message_id in ours:
                outbox.note_report(report, self.now)

    def _announce(self, new: Sequence[Letter]) -> None:
        moved = {letter.id for letter in self.moved}
        told = moved | self.posts.touched.keys()
        known = [one for one in self.library.letters.values() if not one.is_new and (one.accounts or one.id in told)]
        changed = [matter for matter in self.matters.values() if self._is_changed(matter)]
        facts = telling.facts_of(self.cursor, [*new, *known], self.threads.strand_of)
        news = telling.news_of(self.cursor, changed, self.removed)
        changes.announce(now=self.now, messages=facts, conversations=news)
