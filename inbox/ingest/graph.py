"""The reference graph: which messages name each other, whoever wrote them. One graph per kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.db.backends.utils import CursorWrapper

from inbox.ids import new_ids
from inbox.ingest.letters import Letter, Node
from inbox.sql import execute_in, insert, locking, select_in


class Graph:
    """The threads that a batch touches, as a forest: `find` gives the thread that a node lies in now."""

    def __init__(self, cursor: CursorWrapper, ids: Iterator[int]) -> None:
        self._cursor, self._ids = cursor, ids
        self._thread: dict[Node, int] = {}
        self._parent: dict[int, int] = {}
        self._named_before: set[Node] = set()
        self._new_threads: dict[int, str] = {}
        self._new_nodes: list[Node] = []

    def load(self, nodes: Iterable[Node]) -> None:
        """Reads and locks the rows of these nodes: whoever else digests one of them waits."""
        by_kind: dict[str, set[str]] = defaultdict(set)
        for kind, name in nodes:
            by_kind[kind].add(name)
        for kind, names in by_kind.items():
            sql = (
                "SELECT reference, thread_id FROM inbox_threadreference WHERE kind = %s AND reference IN ({in})"
                " ORDER BY id"
            )
            for name, thread in select_in(self._cursor, sql + locking(), sorted(names), (kind,)):
                self._thread.setdefault((kind, name), thread)
                self._parent.setdefault(thread, thread)
                self._named_before.add((kind, name))

    def adopt(self, node: Node, thread: int) -> None:
        """A message that is here although the graph does not know its name yet."""
        if node not in self._thread:
            self._thread[node] = thread
            self._parent.setdefault(thread, thread)
            self._new_nodes.append(node)

    def join(self, letter: Letter, thread: int | None = None) -> int:
        """Makes one thread of everything that the letter names, and of the `thread` in which it lies."""
        nodes = (letter.node, *letter.answers)
        roots = {self._root(self._thread[node]) for node in nodes if node in self._thread}
        if thread is not None:
            self._parent.setdefault(thread, thread)
            roots.add(self._root(thread))
        if roots:
            root = min(roots)
        else:
            root = next(self._ids)
            self._new_threads[root] = letter.kind
            self._parent[root] = root
        for other in roots:
            self._parent[other] = root
        for node in nodes:
            if node not in self._thread:
                self._thread[node] = root
                self._new_nodes.append(node)
        return root

    def was_named(self, node: Node) -> bool:
        """Whether an earlier message, or the message itself, had been known under this name before the batch."""
        return node in self._named_before

    def thread_of(self, node: Node) -> int:
        return self._root(self._thread[node])

    def root(self, thread: int) -> int:
        """Of a stored thread, whether or not this batch touched it."""
        return self._root(thread) if thread in self._parent else thread

    def _root(self, thread: int) -> int:
        while self._parent[thread] != thread:
            self._parent[thread] = self._parent[self._parent[thread]]
            thread = self._parent[thread]
        return thread

    def stored_threads(self) -> dict[int, int]:
        """Stored thread → its root now."""
        return {thread: self._root(thread) for thread in self._parent if thread not in self._new_threads}

    def merged(self) -> dict[int, int]:
        """Stored threads that ceased to be roots."""
        return {thread: root for thread, root in self.stored_threads().items() if thread != root}

    def write(self) -> None:
        living = [(thread, kind) for thread, kind in self._new_threads.items() if self._parent[thread] == thread]
        insert(self._cursor, "inbox_thread", "id kind", living)
        rows = [
            (row_id, *node, self.thread_of(node))
            for row_id, node in zip(new_ids(len(self._new_nodes)), self._new_nodes, strict=True)
        ]
        insert(self._cursor, "inbox_threadreference", "id kind reference thread_id", rows)
        losers: dict[int, list[int]] = defaultdict(list)
        for thread, root in self.merged().items():
            losers[root].append(thread)
        for root, threads in losers.items():
            sql = "UPDATE inbox_threadreference SET thread_id = %s WHERE thread_id IN ({in})"
            execute_in(self._cursor, sql, threads, (root,))
            # Every merged thread points at its root directly, those of earlier merges too.
            sql = "UPDATE inbox_thread SET merged_into_id = %s WHERE id IN ({in})"
            execute_in(self._cursor, sql, threads, (root,))
            sql = "UPDATE inbox_thread SET merged_into_id = %s WHERE merged_into_id IN ({in})"
            execute_in(self._cursor, sql, threads, (root,))
