"""Bringing changes to Elasticsearch, and finding out whether they all arrived.

A change is a row that names a document and its version. Draining reads the *current* rows, indexes whole documents
under their versions, and removes a row only when that version, or a newer one, is in the index: whatever is lost,
doubled or late on the way does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from inbox.models import Conversation, IndexChange, Message
from search.backend import Drained, Drift, SearchUnavailable, chunks, remember
from search.cluster import CONVERSATION, KINDS, MESSAGE, Cluster, Item, Outcome, conversation_source, message_source
from search.models import IndexGeneration
from search.noting import ACTIVE, GONE, REFUSED, current_versions, first_generation, mark
from search.rows import load_conversations, load_documents

_AT_ONCE = 500
_KEPT = timedelta(hours=24)  # a retired generation, should the new one disappoint
_ROUNDS = 10  # of audit and repair before a new generation is given up


def drain(limit: int = _AT_ONCE, *, cluster: Cluster | None = None) -> Drained:
    """Indexes up to `limit` waiting changes of each generation, those that failed least and wait longest first.

    Raises SearchUnavailable when Elasticsearch does not answer; the changes stay. Never call it in a transaction.
    """
    cluster = cluster or Cluster()
    indexed = failed = 0
    is_done = True
    standing = _standing(cluster)
    live = _names(IndexGeneration.LIVE)
    for name in standing:
        rows = list(
            IndexChange.objects.filter(target=name, attempts__lt=REFUSED)
            .order_by("attempts", "changed_at")
            .values_list("kind", "document_id")[:limit]
        )
        is_done = is_done and len(rows) < limit
        outcomes = {kind: _bring(cluster, kind, name, [id for found, id in rows if found == kind]) for kind in KINDS}
        if rows and name in live:
            # What is no longer noted must be found through the index: its own refresh comes up to a second later.
            cluster.refresh(name)
        for kind, found in outcomes.items():
            good = [outcome for outcome in found if not outcome.error]
            _settle(name, kind, good)
            _put_back(name, kind, [outcome for outcome in found if outcome.error])
            indexed += len(good)
            failed += len(found) - len(good)
    return Drained(indexed, failed, is_done)


def _bring(cluster: Cluster, kind: str, name: str, ids: Sequence[int]) -> list[Outcome]:
    return [out for some in chunks(ids, _AT_ONCE) for out in cluster.bulk(kind, name, _items(kind, some))]


def drain_all(cluster: Cluster | None = None, progress: Callable[[int], None] = lambda _: None) -> int:
    """Drains until nothing is left that succeeds; returns how many were indexed."""
    count = 0
    while True:
        drained = drain(cluster=cluster)
        count += drained.indexed
        progress(count)
        if drained.is_done or not drained.indexed:
            return count


def audit(cluster: Cluster) -> Drift:
    """Compares every row with the live index and remembers the outcome."""
    drift = Drift()
    for name in _names(IndexGeneration.LIVE):
        drift = _counted(differences(cluster, name))
    remember(drift)
    return drift


def repair(cluster: Cluster) -> Drift:
    """Marks what differs and drains it."""
    drift = Drift()
    for name in _standing(cluster):
        found = list(differences(cluster, name))
        drift = _counted(found)
        _mark_differences(name, found)
    drain_all(cluster)
    return drift


def rebuild(cluster: Cluster, progress: Callable[[int], None] = lambda _: None) -> int:
    """Builds a new generation beside the live one and then points searches at it, in one step.

    Raises SearchUnavailable when the new one cannot be made equal to the rows; the old one then stays.
    """
    for name in _names(IndexGeneration.BUILDING):
        _forget(cluster, name)
    name = _add_generation()
    cluster.create(name)
    mark_everything(name)
    count = drain_all(cluster, progress)
    for _round in range(_ROUNDS):
        cluster.refresh(name)
        found = list(differences(cluster, name))
        if not found:
            break
        _mark_differences(name, found)
        drain_all(cluster)
    else:
        raise SearchUnavailable(f"{len(found)} documents differ from their rows.")
    cluster.point_at(name)
    now = timezone.now()
    with transaction.atomic():
        old = IndexGeneration.objects.filter(state=IndexGeneration.LIVE).exclude(name=name)
        IndexChange.objects.filter(target__in=list(old.values_list("name", flat=True))).delete()
        old.update(state=IndexGeneration.RETIRED, retired_at=now)
        IndexGeneration.objects.filter(name=name).update(state=IndexGeneration.LIVE)
    return count


def drop_retired(cluster: Cluster, now: datetime) -> int:
    """Deletes the indices of generations that were replaced a day ago; returns how many."""
    names = list(
        IndexGeneration.objects.filter(state=IndexGeneration.RETIRED, retired_at__lt=now - _KEPT).values_list(
            "name", flat=True
        )
    )
    for name in names:
        _forget(cluster, name)
    return len(names)


def mark_everything(name: str) -> None:
    """Notes every message and conversation for one generation, by primary key, in small transactions."""
    for kind, model in ((MESSAGE, Message), (CONVERSATION, Conversation)):
        for ids in _ids(model):
            mark(kind, ids, [name])


def differences(cluster: Cluster, name: str) -> Iterator[tuple[str, int, str]]:
    """(kind, id, missing | stale | extra) of every document that differs and does not wait to be indexed."""
    cluster.refresh(name)
    for kind, model in ((MESSAGE, Message), (CONVERSATION, Conversation)):
        last = -1
        for ids in _ids(model):
            yield from _compare(cluster, name, kind, ids, last, ids[-1])
            last = ids[-1]
        yield from _compare(cluster, name, kind, [], last, None)


def _compare(
    cluster: Cluster, name: str, kind: str, ids: Sequence[int], low: int, high: int | None
) -> Iterator[tuple[str, int, str]]:
    with connection.cursor() as cursor:
        rows = current_versions(cursor, kind, ids)
    held = dict(cluster.versions(kind, name, low, high))
    different = {id: "missing" if id not in held else "stale" for id in rows if held.get(id, -1) < rows[id] < GONE}
    different |= {id: "extra" for id in held if rows.get(id, GONE) == GONE}
    if not different:
        return
    awaited = IndexChange.objects.filter(target=name, kind=kind, document_id__in=list(different))
    waiting_ids = set(awaited.values_list("document_id", flat=True))
    yield from ((kind, id, what) for id, what in different.items() if id not in waiting_ids)


def _items(kind: str, ids: Sequence[int]) -> Iterator[Item]:
    """Documents as the rows stand now. Versions are read first: what is read later can only be newer."""
    with connection.cursor() as cursor:
        versions = current_versions(cursor, kind, ids)
    if kind == CONVERSATION:
        found = {each.id: (each.version, conversation_source(each)) for each in load_conversations(ids)}
    else:
        with transaction.atomic():
            documents = load_documents(ids)
        found = {each.id: (versions[each.id], message_source(each)) for each in documents}
    for id in ids:
        version, source = found.get(id, (GONE, None))
        yield Item(id, version, source)


def _settle(name: str, kind: str, outcomes: Sequence[Outcome]) -> None:
    sql = "DELETE FROM inbox_indexchange WHERE target = %s AND kind = %s AND document_id = %s AND version <= %s"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(sql, [(name, kind, outcome.id, outcome.version) for outcome in outcomes])


def _put_back(name: str, kind: str, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        row = IndexChange.objects.filter(target=name, kind=kind, document_id=outcome.id).first()
        if row is not None:
            attempts = REFUSED if outcome.is_final else min(row.attempts + 1, REFUSED - 1)
            IndexChange.objects.filter(target=name, kind=kind, document_id=outcome.id, version=row.version).update(
                attempts=attempts, error=outcome.error
            )


def _standing(cluster: Cluster) -> list[str]:
    """The active generations, live first. One whose indices are gone is made anew and filled from the rows."""
    if not _names(*ACTIVE):
        first_generation()
    live = _names(IndexGeneration.LIVE)
    for name in live:
        if not cluster.has(name):
            mark_everything(name)  # first: who is killed after this leaves no index that nobody fills
            cluster.create(name)
            cluster.point_at(name)
    return [*live, *(name for name in _names(IndexGeneration.BUILDING) if cluster.has(name))]


def _names(*states: str) -> list[str]:
    return list(IndexGeneration.objects.filter(state__in=states).order_by("name").values_list("name", flat=True))


def _add_generation() -> str:
    with transaction.atomic():
        # Touching the live row lets writers that are under way commit first, and later ones see the new generation.
        IndexGeneration.objects.filter(state=IndexGeneration.LIVE).update(state=IndexGeneration.LIVE)
        taken = {int(name[1:]) for name in IndexGeneration.objects.values_list("name", flat=True)}
        name = f"g{max(taken, default=0) + 1}"
        IndexGeneration.objects.create(name=name, state=IndexGeneration.BUILDING, created_at=timezone.now())
    return name


def _forget(cluster: Cluster, name: str) -> None:
    cluster.drop(name)
    IndexChange.objects.filter(target=name).delete()
    IndexGeneration.objects.filter(name=name).delete()


def _ids(model: type[Message] | type[Conversation]) -> Iterator[list[int]]:
    last = -1
    while ids := list(model.objects.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:_AT_ONCE]):
        yield ids
        last = ids[-1]


def _mark_differences(name: str, found: Sequence[tuple[str, int, str]]) -> None:
    for kind in KINDS:
        mark(kind, [id for each, id, _ in found if each == kind], [name])


def _counted(found: Iterable[tuple[str, int, str]]) -> Drift:
    whats = [what for _, _, what in found]
    return Drift(whats.count("missing"), whats.count("stale"), whats.count("extra"))
