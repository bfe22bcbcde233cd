"""Full-text search by Elasticsearch: the same tokens, order and answers as the database's own.

The transaction that changes something only notes it (IndexChange); search/sync.py brings it to the index. Between the
two, what is noted and not yet indexed is looked through here, so that a message is found as soon as it is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox.changes import MessageFacts
from inbox.models import Message
from search import noting, sync
from search.backend import Drained, Drift, Hits, IndexStatus, SearchUnavailable, remembered
from search.cluster import CONVERSATION, MESSAGE, Cluster
from search.document import NO_ACCOUNT, allows, matches
from search.hits import collect
from search.query import FROM, All, Either, Node, Phrase, Query, Word, parse_query
from search.rows import load_documents, place

TAIL = 100  # newest messages that wait for the index and are looked through in the meantime
SCANNED = 2_000  # newest messages that are looked through while the index is away
_AT_ONCE = 200


class ElasticBackend:
    name = "elasticsearch"

    def __init__(self, cluster: Cluster | None = None) -> None:
        self.cluster = cluster or Cluster()

    def search(
        self, query: Query | str, *, accounts: set[int] | None, limit: int = 50, cursor: str | None = None
    ) -> Hits:
        asked = parse_query(query) if isinstance(query, str) else query
        root = asked.root
        if root is None:
            return Hits()
        body = query_body(root, accounts)
        waiting = noting.waiting(MESSAGE, TAIL)
        tail = _matching(waiting, root, accounts)

        def ask(before: int | None, count: int) -> Sequence[int]:
            found = set(self.cluster.search(MESSAGE, body, before, count))
            found.update(rowid for rowid in tail if before is None or rowid < before)
            return sorted(found, reverse=True)[:count]

        try:
            hits = collect(asked, accounts, limit, cursor, ask)
        except SearchUnavailable:
            hits = collect(asked, accounts, limit, cursor, lambda before, count: _scan(root, accounts, before, count))
            notice = _("The search index is away; the newest %(count)s messages were looked through.")
            return replace(hits, notice=notice % {"count": SCANNED})
        if len(waiting) == TAIL:
            return replace(hits, notice=_("The search index is still being filled; older messages may be missing."))
        return hits

    def index(self, messages: Iterable[int]) -> int:
        ids = list(messages)
        noting.mark(MESSAGE, ids)
        return sync.drain(len(ids), cluster=self.cluster).indexed

    def drain(self, limit: int = 500) -> Drained:
        sync.drop_retired(self.cluster, timezone.now())
        return sync.drain(limit, cluster=self.cluster)

    def check(self) -> list[str]:
        try:
            health = self.cluster.health()
        except SearchUnavailable as error:
            return [_("%s Check BALAS_ELASTICSEARCH_URL and that the server is running.") % error]
        if health == "red":
            return [_("Elasticsearch says that it is red: part of its data is away. Look into its own log.")]
        return []

    def status(self, now: datetime) -> IndexStatus:
        pending, oldest = noting.pending()
        seconds = max(int((now - oldest).total_seconds()), 0) if oldest else None
        return IndexStatus(self.name, pending, seconds, remembered())

    def drift(self) -> Drift:
        return sync.audit(self.cluster)

    def repair(self) -> Drift:
        return sync.repair(self.cluster)

    def rebuild(self, progress: Callable[[int], None] = lambda _: None) -> int:
        return sync.rebuild(self.cluster, progress)


class ElasticSink:
    def record(self, messages: Sequence[MessageFacts], conversations: Sequence[int]) -> None:
        """Notes what changed, for every generation of the index that is building or live."""
        with connection.cursor() as cursor:
            targets = noting.targets(cursor)
            places, new = place(cursor, [(facts.id, facts.sent_at) for facts in messages])
            changed = dict.fromkeys(new, 1) | noting.raise_versions(cursor, sorted(set(places) - new))
            noting.note(cursor, targets, MESSAGE, changed)
            noting.note(cursor, targets, CONVERSATION, noting.current_versions(cursor, CONVERSATION, conversations))


def sink() -> ElasticSink:
    return ElasticSink()


def query_body(root: Node, accounts: set[int] | None) -> dict[str, Any]:
    filters: list[dict[str, Any]] = [_clause(root), {"term": {"deleted": False}}]
    if accounts is not None:
        filters.append({"terms": {"accounts": sorted({*accounts, NO_ACCOUNT})}})
    return {"bool": {"filter": filters}}


def _clause(node: Node) -> dict[str, Any]:
    if isinstance(node, All):
        return {"bool": {"filter": [_clause(part) for part in node.parts]}}
    if isinstance(node, Either):
        return _any([_clause(part) for part in node.parts])
    fields = ["sender"] if node.field == FROM else ["text", "people"]
    if isinstance(node, Phrase):
        return _any([{"match_phrase": {field: " ".join(node.tokens)}} for field in fields])
    fields.append("sender_wholes" if node.field == FROM else "wholes")
    kind = "term" if isinstance(node, Word) else "prefix"
    return _any([{kind: {field: node.token}} for field in fields])


def _any(clauses: list[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _matching(ids: Sequence[int], root: Node, accounts: set[int] | None) -> list[int]:
    """Places of those of a few messages that answer, by looking at each."""
    if not ids:
        return []
    documents = load_documents(ids)
    return [each.rowid for each in documents if allows(accounts, each) and matches(root, each)]


def _scan(root: Node, accounts: set[int] | None, before: int | None, count: int) -> Sequence[int]:
    """The last resort: no index, so the newest messages one by one, and no further back than SCANNED."""
    newest = Message.objects.filter(search_rowid__isnull=False).order_by("-search_rowid")
    places = list(newest.values_list("search_rowid", "id")[:SCANNED])
    found: list[int] = []
    rest = [(rowid, id) for rowid, id in places if rowid is not None and (before is None or rowid < before)]
    for at in range(0, len(rest), _AT_ONCE):
        found += _matching([id for _, id in rest[at : at + _AT_ONCE]], root, accounts)
        if len(found) >= count:
            break
    return sorted(found, reverse=True)[:count]
