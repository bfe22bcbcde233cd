"""From letters to strands with rows: loads what the graph says is concerned, lets `Placing` decide, writes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta

from django.db.backends.utils import CursorWrapper

from inbox.ingest.accounts import Ground
from inbox.ingest.book import NOBODY, Book, counterparty_of
from inbox.ingest.graph import Graph
from inbox.ingest.letters import Letter, Person
from inbox.ingest.library import Library
from inbox.ingest.matters import Matter
from inbox.ingest.strands import Placing, Strand, bind
from inbox.sql import execute_in, insert, moment, select_in

MAX_FORMED_AGAIN = 2_000
"""Letters of one thread up to which its strands are formed again when a missing link comes late."""

PARTICIPANTS = 50  # of one message

FindMatter = Callable[[int], Matter | None]


def _nothing(conversation_id: int) -> Matter | None:
    return None


class Threads:
    def __init__(
        self,
        cursor: CursorWrapper,
        ground: Ground,
        library: Library,
        book: Book,
        graph: Graph,
        ids: Iterator[int],
    ) -> None:
        self._cursor, self._ground, self._library = cursor, ground, library
        self._book, self._graph, self._ids = book, graph, ids
        self.stored: dict[int, Strand] = {}
        self.free: dict[int, Strand] = {}  # stored strands whose letters may move
        self.emptied: list[Strand] = []
        self._taken: dict[tuple[int, str], int] = {}  # (thread, counterparty key) → highest sequence
        self._successors: dict[int, Strand | None] = {}
        self._participants: dict[tuple[int, int], int] = {}
        self._placing: Placing | None = None
        self._find_matter: FindMatter = _nothing

    # --- loading

    def load(self, flipped: Iterable[Letter]) -> None:
        """Joins the graph, then reads the strands of every letter and of the threads that are formed again."""
        for letter in self._library.new:
            self._graph.join(letter)
        renamed = [letter for letter in self._library.letters.values() if letter.is_renamed]
        for letter in renamed:
            self._graph.join(letter, self.stored[letter.strand_id or 0].thread)
        self.load_strands({letter.strand_id for letter in self._library.letters.values() if letter.strand_id})
        late = [letter for letter in self._library.new if self._graph.was_named(letter.node)]
        roots = {self._graph.thread_of(letter.node) for letter in (*late, *renamed)}
        roots |= self._roots_of_posts()
        for letter in flipped:
            roots.add(self.stored[letter.strand_id or 0].thread)
        self._free_strands(roots)
        self._load_pairs()

    def _roots_of_posts(self) -> set[int]:
        """Threads whose strands a post may have shown to be one: two of them became one, or a send has come back."""
        posts = [letter for letter in self._library.letters.values() if letter.is_post]
        roots = {self._graph.thread_of(letter.node) for letter in posts if letter.is_frozen_send and letter.sightings}
        if posts:
            own = {self._graph.thread_of(letter.node) for letter in posts if letter.is_new}
            roots |= own & set(self._graph.merged().values())
        return roots

    def _load_pairs(self) -> None:
        """Of posts: every strand that the same two have in the same thread."""
        wanted: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for letter in self._library.new:
            if letter.is_post:
                person = counterparty_of(letter, self._ground.accounts[letter.account_id].own)
                wanted[self._graph.thread_of(letter.node)].add((letter.kind, person.key))
        if not wanted:
            return
        threads = [one for one, root in self._graph.stored_threads().items() if root in wanted]
        keys = {key for pairs in wanted.values() for _, key in pairs}
        found: set[int] = set()
        for part in (threads[at : at + 500] for at in range(0, len(threads), 500)):
            places = ", ".join(["%s"] * len(part))
            sql = (
                "SELECT s.id FROM inbox_identity i JOIN inbox_strand s ON s.counterparty_id = i.id"  # noqa: S608
                f' WHERE s.thread_id IN ({places}) AND i."key" IN ({{in}})'
            )
            found |= {row[0] for row in select_in(self._cursor, sql, keys, part)}
        self.load_strands(found)

    def _pairs(self) -> dict[tuple[int, str], Strand]:
        staying = (strand for strand in self.stored.values() if strand.id not in self.free)
        ordered = sorted(staying, key=lambda strand: strand.sequence)
        return {(self._graph.root(strand.thread), strand.counterparty.key): strand for strand in ordered}

    def load_strands(self, ids: Iterable[int]) -> None:
        sql = (
            'SELECT s.id, t.kind, s.thread_id, i."key", i.address, i.display, s.sequence, l.conversation_id'
            " FROM inbox_strand s JOIN inbox_thread t ON t.id = s.thread_id JOIN inbox_identity i"
            " ON i.id = s.counterparty_id LEFT JOIN inbox_strandlink l ON l.strand_id = s.id AND l.ended_at IS NULL"
            " WHERE s.id IN ({in})"
        )
        missing = set(ids) - self.stored.keys()
        for row in select_in(self._cursor, sql, missing):
            person = Person("counterparty", row[3], row[4], row[5])
            self.stored[row[0]] = Strand(row[0], row[1], self._graph.root(row[2]), person, row[6], row[7] or 0)

    def _free_strands(self, roots: set[int]) -> None:
        if not roots:
            return
        threads = [thread for thread, root in self._graph.stored_threads().items() if root in roots]
        sql = (
            "SELECT s.id, s.thread_id, COUNT(m.id) FROM inbox_strand s LEFT JOIN inbox_message m ON m.strand_id = s.id"
            " WHERE s.thread_id IN ({in}) GROUP BY s.id, s.thread_id"
        )
        sizes: dict[int, int] = defaultdict(int)
        strands: dict[int, int] = {}
        for strand_id, thread, size in select_in(self._cursor, sql, threads):
            strands[strand_id] = self._graph.root(thread)
            sizes[strands[strand_id]] += size
        wanted = {one for one, root in strands.items() if sizes[root] <= MAX_FORMED_AGAIN}
        self.load_strands(wanted)
        untouched = _untouched(self._cursor, {self.stored[one].conversation_id for one in wanted})
        kinds: dict[str, set[int]] = defaultdict(set)
        for one in wanted:
            strand = self.stored[one]
            kinds[strand.kind].add(one)
            if strand.conversation_id in untouched:
                self.free[one] = strand
        for kind, ids in kinds.items():
            self._library.load_strands(kind, ids)
        freed = [letter for letter in self._library.letters.values() if letter.strand_id in self.free]
        self._graph.load({letter.node for letter in freed})
        for letter in freed:
            self._graph.adopt(letter.node, self.free[letter.strand_id or 0].thread)

    # --- placing

    def place(self, find_matter: FindMatter, reopen_within: timedelta) -> None:
        """Afterwards `strand_of` knows every new and every free letter. The book holds all counterparties' keys."""
        self._load_sequences()
        moving = [letter for letter in self._library.letters.values() if letter.is_new or letter.strand_id in self.free]
        placed = {
            letter.id: self.stored[letter.strand_id]
            for letter in self._library.letters.values()
            if letter.strand_id and letter.strand_id not in self.free
        }
        for strand in self.free.values():
            strand.letters = []
        self._find_matter, self._reopen_within = find_matter, reopen_within
        self._placing = Placing(
            self._ground, self._library.by_node, placed, self._graph.thread_of, self._successor, self._pairs()
        )
        self._placing.place(moving)
        bind(self._placing.formed, self.free)
        bound = {strand.id for strand in self._placing.formed}
        self.emptied = [strand for strand in self.free.values() if strand.id not in bound]
        for strand in self._placing.formed:
            if not strand.id:
                self._number(strand)

    def let_go(self) -> None:
        """What is placed is forgotten: this, the placing and the batch hold each other."""
        self._placing, self._find_matter = None, _nothing

    def strand_of(self, letter: Letter) -> Strand:
        if self._placing is None:
            raise RuntimeError("nothing has been placed yet")
        return self._placing.strand_of(letter)

    @property
    def formed(self) -> list[Strand]:
        return self._placing.formed if self._placing else []

    def concerned(self) -> set[tuple[str, str]]:
        """(kind, key) of everybody whose identity this batch may write down."""
        found = {(strand.kind, strand.counterparty.key) for strand in self.stored.values()}
        for letter in self._library.letters.values():
            if letter.is_new or letter.strand_id in self.free:
                own = self._ground.accounts[letter.account_id].own
                found.add((letter.kind, counterparty_of(letter, own).key))
                found |= {(letter.kind, person.key) for person in letter.people[: PARTICIPANTS + 1]}
        return found

    def _load_sequences(self) -> None:
        threads = self._graph.stored_threads()
        sql = (
            'SELECT s.thread_id, i."key", MAX(s.sequence) FROM inbox_strand s JOIN inbox_identity i'
            ' ON i.id = s.counterparty_id WHERE s.thread_id IN ({in}) GROUP BY s.thread_id, i."key"'
        )
        for thread, key, sequence in select_in(self._cursor, sql, threads):
            pair = (threads[thread], key)
            self._taken[pair] = max(self._taken.get(pair, -1), sequence)

    def _number(self, strand: Strand) -> None:
        pair = (strand.thread, strand.counterparty.key)
        self._taken[pair] = strand.sequence = self._taken.get(pair, -1) + 1
        strand.id = next(self._ids)

    def _successor(self, letter: Letter, strand: Strand) -> Strand | None:
        """Where a late answer goes: None unless a person closed this matter longer ago than answers reopen it."""
        if not letter.is_new or not letter.is_inbound or letter.is_aside or letter.is_history:
            return None
        for _ in range(20):
            matter = self._find_matter(strand.conversation_id) if strand.conversation_id else None
            if matter is None or not matter.is_closed_for(letter, self._reopen_within):
                return strand
            if strand.id not in self._successors:
                self._successors[strand.id] = self._stored_successor(strand)
            following = self._successors[strand.id]
            if following is None:
                following = Strand(
                    0, strand.kind, strand.thread, strand.counterparty, follows=strand.conversation_id, is_new=True
                )
                self._successors[strand.id] = following
                assert self._placing is not None
                self._placing.formed.append(following)
                return following
            strand = following
        return strand

    def _stored_successor(self, strand: Strand) -> Strand | None:
        self._cursor.execute(
            "SELECT s.id FROM inbox_conversation c JOIN inbox_strandlink l ON l.conversation_id = c.id"
            " AND l.ended_at IS NULL JOIN inbox_strand s ON s.id = l.strand_id JOIN inbox_identity i"
            ' ON i.id = s.counterparty_id WHERE c.follows_id = %s AND i."key" = %s ORDER BY c.id DESC LIMIT 1',
            [strand.conversation_id, strand.counterparty.key],
        )
        row = self._cursor.fetchone()
        if row is None:
            return None
        self.load_strands([row[0]])
        return self.stored[row[0]]

    # --- writing

    def book_participants(self) -> None:
        """Who takes part in which strand since which message; makes the identities that are missing."""
        for strand in self.formed_or_joined():
            self._book.identity(strand.kind, strand.counterparty)
            for letter in strand.letters:
                own = self._ground.accounts[letter.account_id].own
                people = [strand.counterparty] if letter.is_mailing else [strand.counterparty, *letter.people]
                for person in people[:PARTICIPANTS]:
                    if person.key and person.key not in own and not person.key.startswith(NOBODY):
                        identity = self._book.identity(letter.kind, person)
                        self._participants.setdefault((strand.id, identity.id), letter.id)

    def write(self, now: datetime) -> None:
        """Foreign keys are checked at the commit, so what is gone may go before its messages have moved."""
        self._remove_emptied()
        self._graph.write()
        self._write_merged()
        at = moment(now)
        strands = [strand for strand in self.formed if strand.is_new]
        rows = [
            (one.id, one.thread, self._book.identity(one.kind, one.counterparty).id, one.sequence) for one in strands
        ]
        insert(self._cursor, "inbox_strand", "id thread_id counterparty_id sequence", rows)
        columns = "id strand_id conversation_id evidence actor linked_at ended_at ended_by"
        linked = [one for one in self.formed_or_joined() if one.is_new or one.needs_link]
        links = [
            (next(self._ids), one.id, one.conversation_id, '{"rule":"new"}', "balas", at, None, "") for one in linked
        ]
        insert(self._cursor, "inbox_strandlink", columns, links)
        columns = "strand_id identity_id since_message"
        people = [(*pair, since) for pair, since in self._participants.items()]
        insert(self._cursor, "inbox_strandparticipant", columns, people, "ON CONFLICT DO NOTHING")

    def _write_merged(self) -> None:
        """The strands of threads that turned out to be one get the thread that stays, and a free sequence."""
        merged = self._graph.merged()
        sql = (
            'SELECT s.id, s.thread_id, i."key", s.sequence FROM inbox_strand s JOIN inbox_identity i'
            " ON i.id = s.counterparty_id WHERE s.thread_id IN ({in}) ORDER BY s.id"
        )
        rows = list(select_in(self._cursor, sql, set(merged) | set(merged.values())))
        used = {(row[1], row[2], row[3]) for row in rows if row[1] not in merged}
        used |= {(one.thread, one.counterparty.key, one.sequence) for one in self.formed if one.is_new}
        for strand_id, thread, key, sequence in rows:
            if thread not in merged:
                continue
            root = merged[thread]
            if (root, key, sequence) in used:
                sequence = self._taken[root, key] = self._taken.get((root, key), -1) + 1
            used.add((root, key, sequence))
            self._cursor.execute(
                "UPDATE inbox_strand SET thread_id = %s, sequence = %s WHERE id = %s", [root, sequence, strand_id]
            )

    def formed_or_joined(self) -> list[Strand]:
        joined = {
            id(strand): strand for strand in self.stored.values() if strand.letters and strand.id not in self.free
        }
        return [*self.formed, *joined.values()]

    def _remove_emptied(self) -> None:
        """Strands that the late link dissolved; nobody had touched them."""
        ids = [strand.id for strand in self.emptied]
        for table in ("inbox_strandparticipant", "inbox_strandlink"):
            execute_in(self._cursor, f"DELETE FROM {table} WHERE strand_id IN ({{in}})", ids)  # noqa: S608
        execute_in(self._cursor, "DELETE FROM inbox_strand WHERE id IN ({in})", ids)


def _untouched(cursor: CursorWrapper, conversation_ids: Collection[int]) -> set[int]:
    """Those that no person has done anything to and that nothing was written or sent from.

    One that a bounce brought back is among them: without an envelope it speaks of mail that left elsewhere, and is
    told of again.
    """
    sql = """SELECT c.id FROM inbox_conversation c WHERE c.id IN ({in}) AND c.owner_id IS NULL AND c.follows_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM inbox_slaevent e WHERE e.conversation_id = c.id AND e.actor <> 'balas')
        AND NOT EXISTS (SELECT 1 FROM inbox_envelope v WHERE v.conversation_id = c.id)
        AND NOT EXISTS (SELECT 1 FROM inbox_draft d WHERE d.conversation_id = c.id)
        AND NOT EXISTS (SELECT 1 FROM inbox_conversationtag g WHERE g.conversation_id = c.id)
        AND NOT EXISTS (SELECT 1 FROM inbox_conversation f WHERE f.follows_id = c.id)
        AND NOT EXISTS (SELECT 1 FROM inbox_workrecord w WHERE w.conversation_id = c.id)
        AND NOT EXISTS (SELECT 1 FROM inbox_strandlink l JOIN inbox_message m ON m.strand_id = l.strand_id
            WHERE l.conversation_id = c.id AND l.ended_at IS NULL AND m.direction = 'note')
        AND NOT EXISTS (SELECT 1 FROM inbox_strandlink l WHERE l.conversation_id = c.id AND l.actor <> 'balas')
        AND c.status IN ('open', 'waiting', 'resolved')
        AND c.status_reason
            IN ('new', 'customer-wrote', 'answered', 'history', 'automatic', 'send-failed', 'context')"""
    return {row[0] for row in select_in(cursor, sql, conversation_ids)}
