"""The servers' size, as docker-compose.yml describes it: PostgreSQL, Redis, Celery workers, Elasticsearch, real mail.

One story from the first mail to the last, with what may happen to such servers in the middle of it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psycopg
import pytest
import redis

from tests.journeys.running import CHECKOUT, Balas, environment, wait_for_page, wait_until
from tests.journeys.visitor import Visitor
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.elasticsearch import running_elasticsearch
from tests.servers.postgres import running_postgres
from tests.servers.recording_smtp import RecordingSmtp, running_recording_smtp
from tests.servers.redis import running_redis
from tests.servers.requirement import free_port

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400), pytest.mark.xdist_group("elasticsearch")]

US = "help@example.org"
CROWD = 300  # more than one transaction of the digest takes


def letter(
    subject: str, text: str, *, author: str = "Ilinca Bratu <ilinca@posta.example>", answers: str = "", number: int = 0
) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = author, US, subject
    mail["Date"], mail["Message-ID"] = formatdate(), f"<{number or abs(hash((subject, text)))}@posta.example>"
    if answers:
        mail["In-Reply-To"] = mail["References"] = f"<{answers}>"
    mail.set_content(text)
    return mail.as_bytes().replace(b"\n", b"\r\n")


@dataclass
class World:
    """All servers, and Balas over them."""

    balas: Balas
    database: str
    redis: contextlib.ExitStack
    redis_port: int
    elasticsearch: str
    dovecot: Dovecot
    smtp: RecordingSmtp
    logs: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, name: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        """`balas …` as a process group of its own; its log is `logs/name`."""
        with (self.logs / name).open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "web.cli", *arguments],
                env=environment(self.balas.home, **self.balas.settings, **more),
                cwd=CHECKOUT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.logs / name).read_text(errors="replace")

    def one(self, sql: str, *values: Any) -> Any:
        with psycopg.connect(self.database, autocommit=True) as connection:
            row = connection.execute(sql, values).fetchone()
            return row[0] if row else None

    def change(self, sql: str, *values: Any) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(sql, values)

    def restart_redis(self) -> None:
        self.redis.close()
        time.sleep(1)  # with nobody there to ring at
        self.redis.enter_context(running_redis(self.redis_port))

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("servers")
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as redis_stack:
        with ThreadPoolExecutor(5) as pool:  # each waits for its own start
            makers = (running_postgres, running_redis, running_elasticsearch, running_dovecot, running_recording_smtp)
            made = [maker() for maker in makers]
            starts = [pool.submit(each.__enter__) for each in made]
            for each, start in zip(made, starts, strict=True):
                if start.exception() is None:
                    (redis_stack if each is made[1] else stack).push(each.__exit__)
            postgres, bell, elastic, dovecot, smtp = [start.result() for start in starts]
        settings = {
            "BALAS_DATABASE_URL": postgres.url,
            "BALAS_REDIS_URL": bell.url,
            "BALAS_ELASTICSEARCH_URL": elastic.url,
            "BALAS_LOG_LEVEL": "WARNING",
        }
        (folder / "logs").mkdir()
        balas = Balas(folder / "home", settings)
        world = World(balas, postgres.url, redis_stack, bell.port, elastic.url, dovecot, smtp, folder / "logs")
        stack.callback(world.stop)
        yield world


def sign_in(world: World, address: str) -> Visitor:
    link = world.balas.json("user", "add", "ana@example.org", "--role", "owner", "--name", "Ana Pop")["link"]
    path = re.sub(r"^https?://[^/]+", "", link)
    visitor = Visitor(address)
    visitor.submit(path, path)
    return visitor


def connect_mailbox(world: World) -> None:
    world.balas.run(
        *("account", "add", "email", "support", "--address", US, "--undo-seconds", "1"),
        *("--imap", f"imap://127.0.0.1:{world.dovecot.port}", "--smtp", f"smtp://127.0.0.1:{world.smtp.port}"),
        "--password-stdin",
        stdin=world.dovecot.password + "\n",
    )
    wait_until("a worker reads it", lambda: world.one("SELECT last_success_at FROM inbox_account"))
    # From now on every second instead of every minute: the story would take long otherwise.
    world.change(
        "UPDATE inbox_account SET settings = settings || '{\"poll_seconds\": 1}', next_poll_at = clock_timestamp()"
    )


def deliver(world: World, *mails: bytes) -> None:
    world.dovecot.deliver(US, mails, at=time.time())


def stored(world: World, subject: str) -> Any:
    sql = "SELECT count(*) FROM inbox_message WHERE subject LIKE %s AND direction = 'inbound'"
    return world.one(sql, f"%{subject}%")


def status_of(world: World, conversation: str) -> str:
    return str(world.one("SELECT status FROM inbox_conversation WHERE id = %s", int(conversation)))


def found(ana: Visitor, query: str) -> list[str]:
    """Where the hits of the search page lead, in order."""
    page = ana.get(f"/search?q={urllib.parse.quote(query)}")
    return re.findall(r"/c/\d+\?tab=all#m-\d+", page)


def test_the_whole_story_on_servers(world: World) -> None:
    world.balas.run("migrate")
    workers = [world.start(name, "worker", "--concurrency", "1") for name in ("first-worker", "second-worker")]
    port = free_port()
    web = world.start("web", "web", "--port", str(port))
    address = f"http://127.0.0.1:{port}"
    wait_for_page(address, web)  # type: ignore[arg-type]
    connect_mailbox(world)
    deliver(world, letter("Fermoar rupt la rucsac", "Bună ziua,\n\nfermoarul s-a rupt.\n\nIlinca\n", number=1))
    ana = sign_in(world, address)

    conversation = mail_comes_in_and_is_found(world, ana)
    reference = an_answer_goes_out_once(world, ana, conversation)
    the_bells_are_lost(world)
    the_customer_writes_back(world, conversation, reference)
    the_index_is_deleted(world, ana)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    assert [worker.wait(30) for worker in workers] == [0, 0], world.log("first-worker")
    a_worker_is_killed_in_the_middle(world)
    nothing_was_lost_or_doubled(world, ana)


def mail_comes_in_and_is_found(world: World, ana: Visitor) -> str:
    wait_until("a worker brings the mail in", lambda: stored(world, "Fermoar") == 1)
    conversation = str(world.one("SELECT id FROM inbox_conversation"))
    assert status_of(world, conversation) == "open"
    indexed = "SELECT count(*) = 0 FROM inbox_indexchange"
    wait_until("a worker brings it to the index", lambda: world.one(indexed))
    assert world.one("SELECT count(*) FROM search_indexgeneration WHERE state = 'live'") == 1
    (hit,) = world.balas.lines("search", "fermoarul", "--json")
    assert hit["conversation"] == conversation
    assert found(ana, "fermoarul") == [f"/c/{conversation}?tab=all#m-{hit['message']}"]
    return conversation


def an_answer_goes_out_once(world: World, ana: Visitor, conversation: str) -> str:
    page = f"/c/{conversation}"
    ana.submit(f"{page}?compose=reply", f"{page}/reply", text="Îl schimbăm gratuit.")
    wait_until("a worker delivers it", lambda: world.smtp.deliveries)
    delivery = world.smtp.deliveries[0]
    assert delivery.recipients == ("ilinca@posta.example",)
    assert b"In-Reply-To: <1@posta.example>" in delivery.content.replace(b"\r\n ", b" ")
    wait_until("its state is written", lambda: world.one("SELECT state FROM inbox_envelope") == "sent")
    assert status_of(world, conversation) == "waiting"
    sent = world.dovecot.maildir(US, "Sent")
    wait_until("the copy is filed into Sent", lambda: [*sent.glob("cur/*"), *sent.glob("new/*")])
    wait_until("the copy comes back by IMAP", lambda: world.one("SELECT count(*) FROM inbox_rawitem") == 2)
    wait_until("and is known", lambda: not world.one("SELECT count(*) FROM inbox_rawitem WHERE due_at IS NOT NULL"))
    assert world.one("SELECT count(*) FROM inbox_message") == 2
    return delivery.message_id


def the_bells_are_lost(world: World) -> None:
    client = redis.Redis(port=world.redis_port)
    client.flushall()
    deliver(world, letter("After the flush", "Redis forgot everything.\n", author="dan@posta.example"))
    wait_until("mail comes in after FLUSHALL", lambda: stored(world, "After the flush") == 1)
    client.close()
    world.restart_redis()
    deliver(world, letter("After the restart", "And again, everything.\n", author="dora@posta.example"))
    wait_until("mail comes in after a restart of Redis", lambda: stored(world, "After the restart") == 1)


def the_customer_writes_back(world: World, conversation: str, reference: str) -> None:
    deliver(world, letter("Re: Fermoar rupt la rucsac", "Mulțumesc! Când ajunge?\n", answers=reference))
    wait_until("the answer comes in", lambda: stored(world, "Re: Fermoar") == 1)
    assert status_of(world, conversation) == "open"
    assert world.one("SELECT count(*) FROM inbox_conversation WHERE id >= %s", int(conversation)) == 3


def the_index_is_deleted(world: World, ana: Visitor) -> None:
    wait_until("all is indexed", lambda: world.one("SELECT count(*) = 0 FROM inbox_indexchange"))
    queries = ("fermoarul", "everything", "from:ilinca")
    before = [found(ana, query) for query in queries]
    assert [len(hits) for hits in before] == [2, 2, 2]  # our answer quotes what it answers
    for kind in ("message", "conversation"):
        urlopen(Request(f"{world.elasticsearch}/balas-{kind}-g1", method="DELETE"), timeout=30).close()
    world.balas.run("index", "rebuild")
    assert [found(ana, query) for query in queries] == before
    world.balas.run("index", "check")


def a_worker_is_killed_in_the_middle(world: World) -> None:
    """First one of its processes in mid-digest, by its own hand so that the moment is exact; then all of it."""
    dying = world.start("dying-worker", "worker", "--concurrency", "1", BALAS_KILL_POINT="digest.items-settled")
    crowd = (letter(f"Crowd {number}", f"Message {number} of many.\n", number=1000 + number) for number in range(CROWD))
    deliver(world, *crowd)
    wait_until("a process dies in the digest", lambda: "SIGKILL" in world.log("dying-worker"))
    os.killpg(dying.pid, signal.SIGKILL)
    dying.wait()
    assert stored(world, "Crowd") == 0, "what it had begun was one transaction"
    for name in ("third-worker", "fourth-worker"):
        world.start(name, "worker", "--concurrency", "1")
    wait_until("others go on", lambda: stored(world, "Crowd") == CROWD)


def nothing_was_lost_or_doubled(world: World, ana: Visitor) -> None:
    wait_until("all is indexed", lambda: world.one("SELECT count(*) = 0 FROM inbox_indexchange"))
    references = Counter(row["message_id"] for row in world.balas.lines("export", "messages"))
    assert len(references) == CROWD + 5
    assert set(references.values()) == {1}
    assert len(found(ana, f"{CROWD - 1} of many")) == 1
    assert set(world.smtp.times_delivered().values()) == {1}
    status = world.balas.json("status")
    (account,) = status["accounts"]
    assert (account["complete"], account["on_server"], account["stored"]) == (True, CROWD + 5, CROWD + 5)
    assert status["index"] == {"backend": "elasticsearch", "pending": 0, "oldest_seconds": None, "drift": 0}
