"""A total failure of the cleaning must still run nothing and load nothing (failures 74 and 75).

A real Chromium opens a frame with the very attributes and headers that our pages send, but the mail in it comes as it
was written. The same mails without our frame and headers prove that they do run and do call.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.browser import chromium
from tests.servers.requirement import require
from tests.web.conftest import House
from tests.web.vectors import CALLING, LEADING_AWAY, RUNNING

pytestmark = pytest.mark.browser
MAILS = [*RUNNING, *CALLING, *LEADING_AWAY]
_RAN = re.compile(r"^ran-(\d+)-")


@contextmanager
def serving(answer: Any) -> Iterator[int]:
    """An HTTP server on loopback; `answer(path)` gives (headers, body). Its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers, body = answer(self.path)
            self.send_response(200)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Seen:
    """What the mails achieved, by their numbers."""

    shown: set[int] = field(default_factory=set)
    ran: set[int] = field(default_factory=set)
    called: set[int] = field(default_factory=set)
    popups: int = 0
    address: str = ""  # of the page at the end

    def sink(self, path: str) -> tuple[dict[str, str], str]:
        if found := re.match(r"/s/(\d+)", path):
            self.called.add(int(found.group(1)))
        return {"Access-Control-Allow-Origin": "*"}, ""

    def console(self, message: Any) -> None:
        if message.type == "log" and (found := _RAN.match(message.text)):
            self.ran.add(int(found.group(1)))


@dataclass(frozen=True)
class Frame:
    """What our pages say of the frame: its tag with NUMBER for the address, and the headers of page and mail."""

    tag: str
    page_headers: dict[str, str]
    mail_headers: dict[str, str]


def watch(frame: Frame, numbers: list[int], program: Path) -> Seen:
    seen = Seen()

    def mail(path: str, sink: int) -> str:
        number = int(path.rpartition("/")[2])
        seen.shown.add(number)
        text = MAILS[number].replace("SINK", f"http://127.0.0.1:{sink}/s/{number}")
        return "<!doctype html><html><body>" + text.replace("RUN", f"console.log(/ran-{number}-/.source)")

    def page(path: str, sink: int) -> tuple[dict[str, str], str]:
        if path.startswith("/frame/"):
            return frame.mail_headers, mail(path, sink)
        if path != "/":
            return {}, ""
        frames = "".join(frame.tag.replace("NUMBER", f"/frame/{number}") for number in numbers)
        return frame.page_headers, f"<!doctype html><title>x</title>{frames}"

    with serving(seen.sink) as sink, serving(lambda path: page(path, sink)) as port, chromium(program) as browser:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        context.on("page", lambda _page: setattr(seen, "popups", seen.popups + 1))
        opened = context.new_page()
        opened.on("console", seen.console)
        opened.goto(f"http://127.0.0.1:{port}/")
        opened.wait_for_timeout(2500)
        seen.address = opened.url.removeprefix(f"http://127.0.0.1:{port}")
    return seen


def ours(house: House) -> Frame:
    client = house.client("own", SERVER_NAME="127.0.0.1")
    shown = client.get(f"/c/{house.conversation.id}")
    mail = client.get(f"/m/{house.message.id}/body")
    tag = re.search(r"<iframe[^>]*></iframe>", shown.content.decode())
    assert tag
    own = re.sub(r'src="[^"]*"', 'src="NUMBER"', tag.group()).replace(' loading="lazy"', "")
    kept = ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control")
    return Frame(own, {name: shown[name] for name in kept}, {name: mail[name] for name in kept})


def test_f74_f75_without_any_cleaning_nothing_runs_and_nothing_is_asked(house: House) -> None:
    frame, program = ours(house), require("chromium", "chromium")
    seen = watch(frame, list(range(len(MAILS))), program)
    assert seen.shown == set(range(len(MAILS)))
    assert [MAILS[number] for number in sorted(seen.ran)] == []
    assert [MAILS[number] for number in sorted(seen.called)] == []
    assert (seen.popups, seen.address) == (1, "/")


def test_the_same_mails_do_run_and_call_where_nothing_holds_them() -> None:
    numbers = list(range(len(RUNNING) + len(CALLING)))
    seen = watch(Frame('<iframe src="NUMBER"></iframe>', {}, {}), numbers, require("chromium", "chromium"))
    assert len(seen.ran) >= 50
    assert len(seen.called) >= 30
