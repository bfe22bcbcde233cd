"""The event stream as a browser meets it: through the ASGI application, with a session cookie."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from inbox import conversations, people
from tests.web.conftest import House, write
from web import asgi

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _tail_has_ended() -> Iterator[None]:
    """The reading thread ends once nobody follows; it must not outlive the test's database."""
    yield
    thread = asgi.tail._thread
    if thread is not None:
        thread.join(10)
        assert not thread.is_alive()
    # The threads of the process live on; what they hold of this test's database must not.
    both = threading.Barrier(2)
    for closing in [asgi._threads.submit(_let_go, both) for _ in range(2)]:
        closing.result(10)


def _let_go(both: threading.Barrier) -> None:
    both.wait(10)
    connections.close_all()


class Browser:
    """One open stream: what came so far, cut into frames."""

    def __init__(self, cookie: str, query: str = "", last_event_id: str = "") -> None:
        headers = [(b"cookie", f"theme=dark; balas_session={cookie}".encode())]
        if last_event_id:
            headers.append((b"last-event-id", last_event_id.encode()))
        self.scope = {"type": "http", "path": "/events", "query_string": query.encode(), "headers": headers}
        self.status = 0
        self.text = ""
        self.gone = asyncio.Event()
        self.news = asyncio.Event()
        self.task = asyncio.create_task(asgi.application(self.scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.text += message["body"].decode()
        self.news.set()

    async def until(self, words: str) -> None:
        async with asyncio.timeout(20):
            while words not in self.text:
                self.news.clear()
                await self.news.wait()

    async def leave(self) -> None:
        self.gone.set()
        async with asyncio.timeout(10):
            await self.task

    def events(self) -> list[dict[str, str]]:
        return [json.loads(line[6:]) for line in self.text.splitlines() if line.startswith('data: {"topic')]


def cookie_of(house: House, role: str) -> str:
    return house.client(role).cookies["balas_session"].value


async def in_thread(function: Any, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(asgi._threads, function, *arguments)


def about(house: House) -> str:
    return json.dumps({"topic": "conversation", "subject": str(house.conversation.id)})


def test_nobody_listens_without_a_session(house: House) -> None:
    async def story() -> None:
        for cookie in ("", "forged"):
            browser = Browser(cookie)
            await browser.task
            assert browser.status == 401

    asyncio.run(story())


def test_a_change_reaches_who_may_read_it_and_nobody_else(house: House) -> None:
    own, other = cookie_of(house, "own"), cookie_of(house, "other")

    async def story() -> None:
        mine, foreign = Browser(own), Browser(other)
        await asyncio.gather(mine.until("hello"), foreign.until("hello"))
        await in_thread(conversations.resolve, house.conversation.id, house.agent, timezone.now())
        await mine.until(about(house))
        # What comes later for everybody shows that what came earlier was kept back.
        assert not [event for event in foreign.events() if event["subject"] == str(house.conversation.id)]
        await asyncio.gather(mine.leave(), foreign.leave())
        assert not asgi.tail._followers

    asyncio.run(story())


def test_a_browser_that_comes_back_gets_what_it_missed(house: House) -> None:
    own = cookie_of(house, "own")

    async def story() -> None:
        first = Browser(own, query="after=0")
        await first.until("change")
        await first.leave()
        seen = max(int(line[4:]) for line in first.text.splitlines() if line.startswith("id: "))
        await in_thread(write, house)
        second = Browser(own, last_event_id=str(seen))
        await second.until("change")
        numbers = [int(line[4:]) for line in second.text.splitlines() if line.startswith("id: ")]
        assert min(numbers) > seen
        await second.leave()

    asyncio.run(story())


def test_a_slow_browser_is_told_to_look_anew_instead_of_holding_everything(house: House) -> None:
    async def story() -> None:
        follower = asgi.Follower(None, asyncio.get_running_loop())
        follower.put([asgi.Event(number, "conversation", number) for number in range(1, 1000)])
        assert follower.queue.qsize() == 1
        assert follower.queue.get_nowait().topic == "resync"

    asyncio.run(story())


def test_who_is_signed_out_is_told_and_cut_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "RECHECK_SECONDS", 0.0)
    monkeypatch.setattr(asgi, "HEARTBEAT_SECONDS", 0.05)
    own = cookie_of(house, "own")

    async def story() -> None:
        browser = Browser(own)
        await browser.until("hello")
        await in_thread(people.disable, house.agent, timezone.now())
        await browser.until("signed-out")
        await browser.task

    asyncio.run(story())
