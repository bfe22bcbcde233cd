"""The main job, as a visitor and then an owner live it: real processes, real IMAP and SMTP, a real browser."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import Complaints, chromium, has_sideways_scroll, open_page
from tests.journeys.running import Balas, wait_until
from tests.servers.dovecot import running_dovecot
from tests.servers.recording_smtp import running_recording_smtp
from tests.servers.requirement import free_port, require

pytestmark = [
    pytest.mark.browser,
    pytest.mark.servers,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("browser"),
]

LETTER = """\
From: Ilinca Bratu <ilinca@posta.example>
To: help@example.org
Subject: Fermoar rupt la rucsac
Date: {date}
Message-ID: <first-letter@posta.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Bună ziua,

fermoarul s-a rupt după două săptămâni. Ce pot face?

Ilinca
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(require("chromium", "chromium")) as started:
        yield started


@pytest.fixture(autouse=True)
def closed_pages(browser: Browser) -> Iterator[None]:
    """A page left open goes on reading: what arrives in its conversation is not new to that person any more."""
    yield
    for context in browser.contexts:
        context.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    balas = Balas(tmp_path_factory.mktemp("demo"))
    with balas.serving(free_port(), "--demo", "--demo-answers", "1-2", "--demo-pace", "600-900") as address:
        yield address


def step_in(page: Page, address: str, role: str = "agent") -> None:
    page.goto(address)
    page.click(f"button[name=role][value={role}]")
    page.wait_for_selector("#composer-text, .row")
    page.wait_for_load_state()  # keys are heard once the scripts have run


def open_first(page: Page) -> str:
    """Opens the conversation that is due first by keyboard, or the first one of mail; its customer's name.

    The simulated networks bring posts at their own pace, and what may be answered there is another story.
    """
    page.wait_for_selector("a.row, .row a")
    page.wait_for_load_state()
    page.keyboard.press("n")
    page.wait_for_url(re.compile(r"/c/\d+"))
    page.wait_for_selector("#composer-text")
    if "E-mail" not in page.locator(".row.is-open .row-foot").first.inner_text():
        before = page.url
        page.locator(".row", has_text="E-mail, ").first.click()
        page.wait_for_url(lambda address: address != before and "/c/" in address)
        page.wait_for_selector("#composer-text")
    return page.locator(".row.is-open .row-who").first.inner_text().strip()


def begin_writing(page: Page) -> None:
    """The composer by key, empty: what another test left there as a draft is put away first."""
    page.keyboard.press("r")
    expect(page.locator("#composer-text")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")


def test_a_visitor_answers_and_the_customer_writes_back(browser: Browser, demo: str) -> None:
    complaints = Complaints()
    page = open_page(browser, complaints)
    step_in(page, demo)
    wait_until("the demo's mail is in the queue", lambda: page.reload() and page.locator(".row").count() >= 20)
    stages = page.locator(".row .time-left").evaluate_all("found => found.map(one => one.dataset.stage)")
    order = ["late", "last", "soon", "calm"]
    known = [order.index(stage) for stage in stages if stage in order]
    assert known == sorted(known), "the queue stands in the order in which answers are due"

    open_first(page)
    conversation = re.search(r"/c/(\d+)", page.url)
    assert conversation
    answered = conversation.group(1)
    begin_writing(page)
    page.keyboard.type("/thanks")
    page.wait_for_selector("#template-menu [role=option]")
    page.keyboard.press("Enter")
    text = page.locator("#composer-text")
    expect(text).not_to_have_value("/thanks")
    text.press("Control+End")
    text.type("\nP.S. I have looked into it myself.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name=re.compile("Undo")).first).to_be_visible()
    expect(page.locator(f"#row-{answered}")).to_have_class(re.compile("is-settled"))
    page.goto(f"{demo}/q/waiting")
    expect(page.locator(f"#row-{answered}")).to_be_visible()
    page.goto(f"{demo}/c/{answered}")
    expect(page.get_by_text("I have looked into it myself.").first).to_be_visible()
    # The answer leaves after the undo time, the customer writes back, and the conversation is to be answered again.
    # Rows that arrive are announced above the list, which does not move by itself.
    page.goto(f"{demo}/q/open")
    page.locator("#new-pill a").first.click(timeout=90_000)
    expect(page.locator(f"#row-{answered}")).to_be_visible(timeout=20_000)
    expect(page.locator(f"#row-{answered}")).to_have_class(re.compile("is-new"))
    assert complaints.lines == []


def test_undo_within_the_undo_time_sends_nothing_and_keeps_the_words(browser: Browser, demo: str) -> None:
    complaints = Complaints()
    page = open_page(browser, complaints)
    step_in(page, demo)
    open_first(page)
    begin_writing(page)
    page.keyboard.type("This should never leave.")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name=re.compile("Undo")).first.click()
    expect(page.locator("#composer-text")).to_have_value(re.compile("This should never leave."), timeout=20_000)
    assert complaints.lines == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_every_page_fits_its_screen(browser: Browser, demo: str, size: str, scheme: str) -> None:
    complaints = Complaints()
    page = open_page(browser, complaints, size, scheme)
    step_in(page, demo, "owner")
    first = page.locator("a[href*='/c/']").first.get_attribute("href")
    for path in (
        "/q/open",
        first,
        "/q/all",
        "/health",
        "/settings",
        "/settings/mailbox",
        "/templates",
        "/search?q=tas",
    ):
        page.goto(demo + str(path))
        page.wait_for_load_state("networkidle") if path == "/settings" else page.wait_for_timeout(150)
        assert not has_sideways_scroll(page), path
        assert page.locator("h1:visible, h2:visible").count(), path
    assert complaints.lines == []


def test_an_owner_connects_a_real_mailbox_and_answers_from_it(browser: Browser, tmp_path: Path) -> None:
    complaints = Complaints()
    balas = Balas(tmp_path / "home")
    with running_dovecot() as dovecot, running_recording_smtp() as smtp:
        letter = LETTER.format(date=formatdate()).replace("\n", "\r\n").encode()
        dovecot.deliver("help@example.org", [letter], at=time.time())
        with balas.serving(free_port()) as address:
            page = open_page(browser, complaints)
            page.goto(link_of(balas))
            page.click("button[type=submit]")
            page.fill("#name", "Ana Pop")
            page.fill("#email", "ana@example.org")
            page.fill("#password", "seven quiet geese on ice")
            page.click("button[type=submit]")
            connect(page, dovecot.port, smtp.port, dovecot.password)
            expect(page.get_by_text("is connected")).to_be_visible()
            page.goto(f"{address}/q/open")
            expect(page.locator(".row").first).to_contain_text("Ilinca Bratu", timeout=60_000)
            page.wait_for_load_state()
            page.keyboard.press("n")
            page.wait_for_selector("#composer-text")
            page.keyboard.press("r")
            page.keyboard.type("Bună, Ilinca! Îl schimbăm gratuit.")
            page.keyboard.press("Control+Enter")
            sent = wait_until("the answer reaches the server", lambda: smtp.deliveries, 60)
    assert len(sent) == 1
    content = sent[0].content
    assert b"In-Reply-To: <first-letter@posta.example>" in content.replace(b"\r\n ", b" ")
    assert complaints.lines == []


def link_of(balas: Balas) -> str:
    door = balas.home / "door.json"  # written as soon as the pages answer
    wait_until("the way in is known", door.is_file, 20)
    return str(json.loads(door.read_text())["link"])


def connect(page: Page, imap: int, smtp: int, password: str) -> None:
    """The guided form: address, servers by hand, password, and the log-in tested."""
    page.fill("input[name=address]", "help@example.org")
    page.click("button[type=submit].is-primary")
    page.wait_for_selector("input[name=password]")
    for side, port in (("imap", imap), ("smtp", smtp)):
        page.select_option(f"select[name={side}_scheme]", side)
        page.fill(f"input[name={side}_host]", "127.0.0.1")
        page.fill(f"input[name={side}_port]", str(port))
    page.fill("input[name=password]", password)
    page.click("button[type=submit].is-primary")
