"""What can go wrong between the rows and Elasticsearch."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from inbox.models import Conversation, IndexChange, Message
from search import sync
from search.backend import SearchUnavailable
from search.cluster import CONVERSATION, MESSAGE, Cluster, Item
from search.elastic import ElasticBackend, ElasticSink
from search.models import IndexGeneration
from search.noting import GONE, REFUSED, mark, refused
from search.rows import load_facts
from tests.search.conftest import Indexed
from tests.search.records import NOW, make_account, make_conversation, make_message
from tests.servers.requirement import free_port

pytestmark = [pytest.mark.django_db, pytest.mark.servers, pytest.mark.xdist_group("elasticsearch")]


@pytest.fixture
def box(cluster: Cluster) -> Indexed:
    return Indexed(ElasticBackend(cluster), cluster)


def record(*messages: Message, conversations: tuple[int, ...] = ()) -> None:
    ElasticSink().record(load_facts([message.id for message in messages]), conversations)


def through(cluster: Cluster, port: int) -> ElasticBackend:
    return ElasticBackend(Cluster(f"http://127.0.0.1:{port}", cluster.prefix))


def test_what_is_committed_is_found_before_it_is_indexed(box: Indexed) -> None:
    _, strand = make_conversation()
    old, new = (make_message(strand, text="kettle", minutes=n) for n in range(2))
    record(old)
    box.settle()
    record(new)
    assert box.find("kettle") == [new.id, old.id]
    assert box.backend.status(NOW).pending == 1
    box.settle()
    assert box.find("kettle") == [new.id, old.id]
    assert box.backend.status(NOW).pending == 0


def test_f64_versions_in_any_order_leave_the_newest(cluster: Cluster) -> None:
    cluster.create("g1")
    source = {"strands": [], "accounts": [], "tags": [], "status": "open", "owner": None, "team": None, "customer": 1}
    source |= {"due_at": None, "last_activity_at": NOW.isoformat()}
    order = [1, 2, 3, 4, 5] * 3
    random.Random(3).shuffle(order)
    for version in order:
        (outcome,) = cluster.bulk(CONVERSATION, "g1", [Item(9, version, source)])
        assert outcome.error == ""
    cluster.refresh("g1")
    assert list(cluster.versions(CONVERSATION, "g1", 0, None)) == [(9, 5)]
    cluster.drop("g1")


def test_f65_a_late_write_does_not_bring_back_what_is_gone(box: Indexed, cluster: Cluster) -> None:
    _, strand = make_conversation()
    message = make_message(strand, text="kettle")
    record(message)
    box.settle()
    id = message.id
    late = list(sync._items(MESSAGE, [id]))
    message.delete()
    mark(MESSAGE, [id])
    box.settle()
    assert [outcome.error for outcome in cluster.bulk(MESSAGE, "g1", late)] == [""]
    cluster.refresh("g1")
    assert list(cluster.versions(MESSAGE, "g1", 0, None)) == []
    assert late[0].version == 1
    assert GONE > 1


def test_f64_a_change_made_while_its_document_is_indexed_is_indexed_again(box: Indexed) -> None:
    conversation, _ = make_conversation()
    record(conversations=(conversation.id,))
    stale = list(sync._items(CONVERSATION, [conversation.id]))
    Conversation.objects.filter(id=conversation.id).update(version=2)
    record(conversations=(conversation.id,))
    assert box.cluster is not None
    box.cluster.create("g1")
    sync._settle("g1", CONVERSATION, list(box.cluster.bulk(CONVERSATION, "g1", stale)))
    assert IndexChange.objects.get().version == 2
    box.settle()
    assert not IndexChange.objects.exists()


def test_f68_an_emptied_elasticsearch_is_filled_from_the_rows(box: Indexed, cluster: Cluster) -> None:
    _, strand = make_conversation()
    messages = [make_message(strand, text="kettle", minutes=n) for n in range(5)]
    record(*messages)
    box.settle()
    cluster.drop("g1")
    box.settle()
    assert box.find("kettle") == [message.id for message in reversed(messages)]
    assert box.backend.drift().total == 0


def test_f67_writes_made_during_a_rebuild_are_in_both_generations(box: Indexed, cluster: Cluster) -> None:
    conversation, strand = make_conversation()
    record(*(make_message(strand, text="kettle", minutes=n) for n in range(20)), conversations=(conversation.id,))
    box.settle()

    def write_meanwhile(_count: int) -> None:
        if Message.objects.count() < 25:
            record(make_message(strand, text="kettle", minutes=100))
            Conversation.objects.filter(id=conversation.id).update(version=50)
            record(conversations=(conversation.id,))

    box.backend.rebuild(write_meanwhile)
    box.settle()
    assert IndexGeneration.objects.get(state="live").name == "g2"
    assert len(box.find("kettle")) == Message.objects.count() > 20
    assert box.backend.drift().total == 0
    assert list(cluster.versions(CONVERSATION, "g2", 0, None)) == [(conversation.id, 50)]
    assert sync.drop_retired(cluster, NOW) == 0


def test_an_audit_names_missing_stale_and_extra(box: Indexed, cluster: Cluster) -> None:
    conversation, strand = make_conversation()
    kept, gone = (make_message(strand, text="kettle", minutes=n) for n in range(2))
    record(kept, gone, conversations=(conversation.id,))
    box.settle()
    lost = make_message(strand, text="kettle", minutes=2)
    Conversation.objects.filter(id=conversation.id).update(version=2)
    gone.delete()
    drift = box.backend.drift()
    assert (drift.missing, drift.stale, drift.extra) == (1, 1, 1)
    box.backend.repair()
    box.settle()
    assert box.backend.drift().total == 0
    assert box.find("kettle") == [lost.id, kept.id]


class Spoiler(BaseHTTPRequestHandler):
    """Stands before Elasticsearch and spoils the answer for some documents of a bulk request."""

    target = ""
    spoilt: dict[str, int] = {}  # document id → status

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        dropped = {"host", "connection", "content-length"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        if self.path.startswith("/_bulk") and self.spoilt:
            lines = body.splitlines()
            keep = [n for n in range(0, len(lines) - 1, 2) if not any(id.encode() in lines[n] for id in self.spoilt)]
            body = b"".join(lines[n] + b"\n" + lines[n + 1] + b"\n" for n in keep)
            _, answers = self.forward(headers, body)
            return self.answer(200, self.with_faults(answers, lines))
        return self.answer(*self.forward(headers, body))

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_any

    def with_faults(self, answers: bytes, lines: list[bytes]) -> bytes:
        answer = json.loads(answers)
        good = iter(answer["items"])
        items = []
        for line in lines[::2]:
            id = json.loads(line)["index"]["_id"]
            fault: dict[str, Any] = {"_id": id, "status": self.spoilt.get(id), "error": {"type": "t", "reason": "r"}}
            items.append({"index": fault} if id in self.spoilt else next(good))
        return json.dumps(answer | {"items": items, "errors": True}).encode()

    def forward(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        request = Request(self.target + self.path, body or None, headers, method=self.command)
        try:
            with urlopen(request, timeout=10) as answer:
                return answer.status, bytes(answer.read())
        except HTTPError as answer:
            with answer:
                return answer.code, bytes(answer.read())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/vnd.elasticsearch+json; compatible-with=9")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def spoiler(elasticsearch_url: str) -> Iterator[type[Spoiler]]:
    class Handler(Spoiler):
        target = elasticsearch_url
        spoilt: dict[str, int] = {}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.port = server.server_port  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_f66_a_document_that_fails_stops_no_other_and_is_never_forgotten(
    box: Indexed, cluster: Cluster, spoiler: Any
) -> None:
    _, strand = make_conversation()
    box.settle()
    messages = [make_message(strand, text="kettle", minutes=n) for n in range(6)]
    record(*messages)
    busy, bad = messages[1], messages[3]
    spoiler.spoilt = {str(busy.id): 429, str(bad.id): 400}
    drained = through(cluster, spoiler.port).drain()
    assert (drained.indexed, drained.failed) == (4, 2)
    left = dict(IndexChange.objects.values_list("document_id", "attempts"))
    assert left == {busy.id: 1, bad.id: REFUSED}
    assert refused() == [(MESSAGE, bad.id, "t: r")]
    spoiler.spoilt = {}
    assert through(cluster, spoiler.port).drain().indexed == 1  # the refused one waits for a change or a repair
    record(bad)
    box.settle()
    assert not IndexChange.objects.exists()
    assert len(box.find("kettle")) == 6


def test_f68_search_goes_on_without_elasticsearch_and_says_so(box: Indexed, cluster: Cluster) -> None:
    mine = make_account()
    conversation, strand = make_conversation(mine)
    messages = [make_message(strand, mine, text="kettle", minutes=n) for n in range(7)]
    record(*messages, conversations=(conversation.id,))
    box.settle()
    away = through(cluster, free_port())
    page = away.search("kettle", accounts={mine.id}, limit=5)
    assert [hit.message for hit in page.hits] == [message.id for message in messages[:1:-1]]
    assert "away" in page.notice
    rest = away.search("kettle", accounts={mine.id}, limit=5, cursor=page.next)
    assert [hit.message for hit in rest.hits] == [messages[1].id, messages[0].id]
    assert rest.next is None
    assert "BALAS_ELASTICSEARCH_URL" in away.check()[0]
    assert box.backend.check() == []


def test_what_could_not_be_sent_waits(cluster: Cluster) -> None:
    _, strand = make_conversation()
    record(make_message(strand, text="kettle"))
    with pytest.raises(SearchUnavailable):
        through(cluster, free_port()).drain()
    assert IndexChange.objects.get().attempts == 0


def test_a_server_that_never_answers_is_given_up(cluster: Cluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hung = Cluster(f"http://127.0.0.1:{silent.getsockname()[1]}", cluster.prefix)
        with pytest.raises(SearchUnavailable):
            hung._ask("cluster.health", timeout=0.2)


def test_f63_the_mapping_is_strict(cluster: Cluster) -> None:
    cluster.create("g1")
    (outcome,) = cluster.bulk(MESSAGE, "g1", [Item(1, 1, {"surprise": "field"})])
    assert outcome.is_final
    assert "strict_dynamic_mapping_exception" in outcome.error
    cluster.drop("g1")


def test_workers_that_find_the_index_gone_at_once_make_it_once(cluster: Cluster) -> None:
    together = threading.Barrier(4)
    problems: list[Exception] = []

    def make() -> None:
        together.wait(30)
        try:
            cluster.create("g1")
        except SearchUnavailable as problem:
            problems.append(problem)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert cluster.has("g1")
    cluster.drop("g1")


def test_what_has_just_been_indexed_is_found_at_once(box: Indexed) -> None:
    _, strand = make_conversation()
    for count in range(5):
        assert len(box.find("heron")) == count  # an index that is asked refreshes itself by the clock alone
        record(make_message(strand, text=f"heron {count}", minutes=count))
        box.backend.drain()
        assert len(box.find("heron")) == count + 1
