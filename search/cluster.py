"""Elasticsearch as it is spoken to: two strict indices for each generation, behind an alias each.

Nothing here depends on analyzers, scripts or modules beyond the core: text arrives folded and cut. Every request has a
timeout and is tried once; trying again is the business of the rows that remember what is to be indexed.
https://www.elastic.co/docs/api/doc/elasticsearch
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _

from search.backend import SearchUnavailable
from search.document import ConversationDocument, MessageDocument

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

MESSAGE, CONVERSATION = "message", "conversation"
KINDS = (MESSAGE, CONVERSATION)
BULK_BYTES = 4_000_000  # of one request; one document alone may be larger

_TOKENS = {"type": "text", "analyzer": "whitespace", "norms": False}
_SET = _TOKENS | {"index_options": "docs"}
_LONG, _FLAG, _WORD, _DATE = {"type": "long"}, {"type": "boolean"}, {"type": "keyword"}, {"type": "date"}
_COMMON = {"id": _LONG, "version": _LONG, "deleted": _FLAG, "accounts": _LONG}
_FOLDED = ("text", "people", "wholes", "sender", "sender_wholes")
_MAPPINGS: dict[str, dict[str, Any]] = {
    MESSAGE: {
        "dynamic": "strict",
        "_source": {"excludes": list(_FOLDED)},  # rebuilt from the rows, never read back
        "properties": _COMMON
        | {"rowid": _LONG, "strand": _LONG, "sent_at": _DATE, "truncated": _FLAG}
        | {"text": _TOKENS, "people": _TOKENS, "sender": _TOKENS, "wholes": _SET, "sender_wholes": _SET},
    },
    CONVERSATION: {
        "dynamic": "strict",
        "properties": _COMMON
        | {"strands": _LONG, "tags": _LONG, "status": _WORD, "owner": _LONG, "team": _LONG, "customer": _LONG}
        | {"due_at": _DATE, "last_activity_at": _DATE},
    },
}


@dataclass(frozen=True, slots=True)
class Item:
    """One document of a bulk request. `source` None: a tombstone, which later writes of an older form cannot pass."""

    id: int
    version: int
    source: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item: `error` is empty when the index holds this version or a newer one."""

    id: int
    version: int
    error: str = ""
    is_final: bool = False  # refused for what it is; trying again cannot help


@cache
def _connect(url: str) -> Elasticsearch:
    # Lazy: importing the client takes a second, and most processes never ask.
    from elasticsearch import Elasticsearch

    return Elasticsearch(url, request_timeout=30, max_retries=0, retry_on_timeout=False)


class Cluster:
    def __init__(self, url: str | None = None, prefix: str | None = None) -> None:
        self.url = url or str(settings.BALAS.elasticsearch_url)
        self.prefix = prefix or "balas"

    def index_name(self, kind: str, generation: str) -> str:
        return f"{self.prefix}-{kind}-{generation}"

    def alias(self, kind: str) -> str:
        return f"{self.prefix}-{kind}"

    def health(self) -> str:
        """green, yellow or red."""
        return str(self._ask("cluster.health", timeout=5)["status"])

    def has(self, generation: str) -> bool:
        names = ",".join(self.index_name(kind, generation) for kind in KINDS)
        return bool(self._ask("indices.exists", index=names))

    def create(self, generation: str) -> None:
        """Makes the generation's indices, those that are missing."""
        for kind in KINDS:
            name = self.index_name(kind, generation)
            if not self._ask("indices.exists", index=name):
                shards = {"number_of_shards": 1, "auto_expand_replicas": "0-1"}
                try:
                    self._ask("indices.create", index=name, mappings=_MAPPINGS[kind], settings=shards)
                except SearchUnavailable:
                    if not self._ask("indices.exists", index=name):
                        raise  # else another worker made it a moment ago

    def drop(self, generation: str) -> None:
        for kind in KINDS:
            self._ask("indices.delete", index=self.index_name(kind, generation), ignore_unavailable=True)

    def point_at(self, generation: str) -> None:
        """Searches go to this generation from here on, in one step for both indices."""
        actions: list[dict[str, Any]] = []
        for kind in KINDS:
            old = f"{self.index_name(kind, '')}*"
            actions.append({"remove": {"index": old, "alias": self.alias(kind), "must_exist": False}})
            actions.append({"add": {"index": self.index_name(kind, generation), "alias": self.alias(kind)}})
        self._ask("indices.update_aliases", actions=actions)

    def refresh(self, generation: str) -> None:
        self._ask("indices.refresh", index=",".join(self.index_name(kind, generation) for kind in KINDS))

    def search(self, kind: str, query: Mapping[str, Any], before: int | None, count: int) -> list[int]:
        """Places (sort values) of up to `count` documents below `before`, highest first."""
        after = {"search_after": [before]} if before is not None else {}
        answer = self._ask(
            "search",
            timeout=10,
            index=self.alias(kind),
            query=query,
            sort=[{"rowid": "desc"}],
            size=count,
            source=False,
            track_total_hits=False,
            **after,
        )
        return [int(hit["sort"][0]) for hit in answer["hits"]["hits"]]

    def versions(self, kind: str, generation: str, low: int, high: int | None) -> Iterator[tuple[int, int]]:
        """(id, version) of every document that is no tombstone with low < id <= high, ascending."""
        bounds = {"gt": low} | ({"lte": high} if high is not None else {})
        query = {"bool": {"filter": [{"range": {"id": bounds}}, {"term": {"deleted": False}}]}}
        after: dict[str, Any] = {}
        while True:
            answer = self._ask(
                "search",
                index=self.index_name(kind, generation),
                query=query,
                sort=[{"id": "asc"}],
                size=5000,
                source=False,
                docvalue_fields=["version"],
                **after,
            )
            hits = answer["hits"]["hits"]
            yield from ((int(hit["sort"][0]), int(hit["fields"]["version"][0])) for hit in hits)
            if len(hits) < 5000:
                return
            after = {"search_after": hits[-1]["sort"]}

    def bulk(self, kind: str, generation: str, items: Iterable[Item]) -> Iterator[Outcome]:
        """Indexes whole documents under their own versions, so that order of arrival does not matter."""
        name = self.index_name(kind, generation)
        lines: list[str] = []
        batch: list[Item] = []
        size = 0
        for item in items:
            body = _line(item)
            if batch and size + len(body) > BULK_BYTES:
                yield from self._send(lines, batch)
                lines, batch, size = [], [], 0
            head = {"_index": name, "_id": str(item.id), "version": item.version, "version_type": "external_gte"}
            lines += [json.dumps({"index": head}), body]
            batch.append(item)
            size += len(body.encode()) + 120
        if batch:
            yield from self._send(lines, batch)

    def _send(self, lines: Sequence[str], batch: Sequence[Item]) -> Iterator[Outcome]:
        answer = self._ask("bulk", operations=lines)
        for item, result in zip(batch, answer["items"], strict=True):
            yield _outcome(item, result["index"])

    def _ask(self, call: str, timeout: float | None = None, **arguments: Any) -> Any:
        from elasticsearch import ApiError, TransportError  # lazy: see _connect

        client: Any = _connect(self.url)
        if timeout is not None:
            client = client.options(request_timeout=timeout)
        for name in call.split("."):
            client = getattr(client, name)
        try:
            return client(**arguments)
        except (ApiError, TransportError) as error:
            raise SearchUnavailable(_("The search index does not answer: %s") % str(error)[:200]) from error


def message_source(document: MessageDocument) -> dict[str, Any]:
    return {
        "rowid": document.rowid,
        "strand": document.strand,
        "sent_at": document.sent_at.isoformat(),
        "accounts": list(document.accounts),
        "text": " ".join(document.text),
        "people": " ".join(document.people),
        "wholes": " ".join(document.wholes),
        "sender": " ".join(document.sender),
        "sender_wholes": " ".join(document.sender_wholes),
        "truncated": document.is_truncated,
    }


def conversation_source(document: ConversationDocument) -> dict[str, Any]:
    return {
        "strands": list(document.strands),
        "accounts": list(document.accounts),
        "tags": list(document.tags),
        "status": document.status,
        "owner": document.owner,
        "team": document.team,
        "customer": document.customer,
        "due_at": document.due_at.isoformat() if document.due_at else None,
        "last_activity_at": document.last_activity_at.isoformat(),
    }


def _line(item: Item) -> str:
    known = {"id": item.id, "version": item.version, "deleted": item.source is None}
    return json.dumps(known | dict(item.source or {}), ensure_ascii=False, separators=(",", ":"))


def _outcome(item: Item, result: Mapping[str, Any]) -> Outcome:
    status = int(result["status"])
    if status < 300 or status == 409:  # 409: the index holds a newer version than ours
        return Outcome(item.id, item.version)
    error = result.get("error") or {}
    text = f"{error.get('type', '')}: {error.get('reason', '')}"[:300]
    return Outcome(item.id, item.version, text, is_final=status != 429 and status < 500)
