"""What uvicorn serves: the event stream on the loop, every page on a pool of threads.

Pages run under WSGI on threads that live on, so that database connections and their page cache stay warm; the stream
is bare ASGI: no middleware, no transaction, no database work on the loop. Start uvicorn with
`--timeout-graceful-shutdown 3`, or open streams hold up its end.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

from web.wsgi import application as pages  # isort: skip  (sets Django up, which the imports below need)

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.db import close_old_connections

from inbox import worklist
from web import access
from web.live import Event, Follower, Tail, missed

HEARTBEAT_SECONDS = 15.0
RECHECK_SECONDS = 120.0
PAGE_THREADS = 8

ScopeDict = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Reader(NamedTuple):
    scope: worklist.Scope


_threads = ThreadPoolExecutor(2, thread_name_prefix="events")
_pages: Any = WSGIMiddleware(cast("Any", pages), workers=PAGE_THREADS)
tail = Tail()


def _session_key(scope: ScopeDict) -> str:
    cookie: SimpleCookie = SimpleCookie()
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                cookie.load(value.decode("latin-1"))
            except CookieError:
                continue
    morsel = cookie.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else ""


def _reader(session_key: str) -> Reader | None:
    """What the person of this session may read; None when nobody is signed in. Runs on a thread."""
    try:
        user = access.find_session_user(session_key)
        return Reader(access.scope(user)) if user else None
    finally:
        close_old_connections()


def _start(scope: ScopeDict, follower: Follower) -> list[Event]:
    """Joins the tail first and reads what was missed afterwards: an event may come twice, never not at all."""
    try:
        tail.add(follower)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        headers = dict(scope["headers"])
        last = headers.get(b"last-event-id", b"").decode("latin-1") or query.get("after", [""])[0]
        since = query.get("since", [""])[0]
        at = datetime.fromtimestamp(int(since), UTC) if since.isdecimal() and len(since) <= 11 else None
        events = missed(int(last) if last.isdecimal() and len(last) <= 18 else None, at)
        return [event for event in events if event.is_for(follower.scope)]
    finally:
        close_old_connections()


def _frame(event: Event) -> bytes:
    number = f"id: {event.number}\n" if event.number else ""
    data = json.dumps({"topic": event.topic, "subject": str(event.subject)})
    return f"{number}event: change\ndata: {data}\n\n".encode()


async def _answer(send: Send, status: int, kind: bytes = b"text/plain", more: bool = False) -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": more})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stream(follower: Follower, session_key: str, backlog: list[Event], send: Send) -> None:
    loop = asyncio.get_running_loop()

    async def write(chunk: bytes) -> None:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    await write(b"retry: 3000\n\nevent: hello\ndata: {}\n\n" + b"".join(map(_frame, backlog)))
    checked = loop.time()
    while True:
        try:
            await write(_frame(await asyncio.wait_for(follower.queue.get(), HEARTBEAT_SECONDS)))
        except TimeoutError:
            await write(b": still here\n\n")
        if loop.time() - checked > RECHECK_SECONDS:
            reader = await loop.run_in_executor(_threads, _reader, session_key)
            if reader is None:
                await write(b"event: signed-out\ndata: {}\n\n")
                return
            follower.scope, checked = reader.scope, loop.time()


async def events(scope: ScopeDict, receive: Receive, send: Send) -> None:
    loop = asyncio.get_running_loop()
    session_key = _session_key(scope)
    reader = await loop.run_in_executor(_threads, _reader, session_key) if session_key else None
    if reader is None:
        await _answer(send, 401)
        return
    follower = Follower(reader.scope, loop)
    try:
        backlog = await loop.run_in_executor(_threads, _start, scope, follower)
        await _answer(send, 200, b"text/event-stream; charset=utf-8", more=True)
        tasks = [
            asyncio.create_task(_stream(follower, session_key, backlog, send)),
            asyncio.create_task(_until_gone(receive)),
        ]
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        if tasks[0] in done and tasks[0].exception() is None:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        tail.remove(follower)


async def application(scope: ScopeDict, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    elif scope["type"] == "http" and scope["path"] == "/events":
        await events(scope, receive, send)
    elif scope["type"] == "http":
        await _pages(scope, receive, send)
