"""Pictures of the pages for README and docs, taken of the real demo in a real Chromium.

    python -m tests.journeys.screenshots [--into FOLDER] [--only NAME]…

The demo runs in a home of its own, in a zone where it is working time, so that every stage of time is to be seen.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page

from tests.journeys.browser import Complaints, chromium, open_page
from tests.journeys.running import CHECKOUT, Balas, wait_until
from tests.servers.requirement import find_program, free_port

FOLDER = CHECKOUT / "docs" / "screenshots"
MAX_BYTES = 300_000
_ZONES = ("Asia/Jakarta", "Europe/Bucharest", "Europe/London", "America/New_York", "America/Los_Angeles")
_MORE_ZONES = ("Pacific/Auckland", "Asia/Dubai", "America/Sao_Paulo", "Pacific/Honolulu", "Asia/Tokyo")


@dataclass(frozen=True, slots=True)
class Picture:
    """One file. `show` brings the page to where it is worth looking at."""

    name: str
    show: Callable[[Page, str], None]
    size: str = "wide"
    scheme: str = "light"
    role: str = "agent"


def at(path: str) -> Callable[[Page, str], None]:
    def show(page: Page, address: str) -> None:
        page.goto(address + path)

    return show


def conversation(page: Page, address: str) -> None:
    """The most urgent conversation that holds more than one message."""
    page.goto(f"{address}/q/open")
    for _ in range(12):
        page.keyboard.press("n")
        page.wait_for_selector("#composer-text")
        page.wait_for_timeout(300)
        if page.locator("#timeline article, .timeline article").count() > 1:
            return


def post(page: Page, address: str) -> None:
    """A mention that everyone can read, with an answer begun that would give an order number away."""
    page.goto(f"{address}/q/open")
    rows = page.locator(".row", has=page.locator(".row-foot", has_text=", public"))
    wait_until("the networks are connected", lambda: rows.count() > 2 or (page.reload() and False), 90, 1.0)
    longest = max(range(rows.count()), key=lambda one: len(rows.nth(one).inner_text()))
    rows.nth(longest).locator("a").first.click()
    page.wait_for_selector("#composer-text")
    page.wait_for_timeout(300)
    page.keyboard.press("r")
    page.wait_for_selector("#composer-text:focus")
    page.keyboard.type("Sorry! Your parcel for order TB-20418 left our house this morning.")
    page.wait_for_timeout(600)


def template(page: Page, address: str) -> None:
    conversation(page, address)
    page.keyboard.press("r")
    page.keyboard.type("/")
    page.wait_for_selector("#template-menu [role=option]")


def guided(page: Page, address: str) -> None:
    """Connecting a mailbox, at the step that says what its provider needs."""
    page.goto(f"{address}/settings/mailbox")
    page.fill("input[name=address]", "tasbora@fastmail.com")
    page.click("button[type=submit].is-primary")
    page.wait_for_selector("input[name=password]")


def channel(page: Page, address: str) -> None:
    """Connecting an account on X: each permission with its reason."""
    page.goto(f"{address}/settings/connect/x")
    page.wait_for_selector("#f-client_id")
    page.evaluate("window.scrollTo(0, 0)")


PICTURES = (
    Picture("queue", conversation),
    Picture("conversation-dark", conversation, scheme="dark"),
    Picture("conversation-narrow", conversation, size="narrow", scheme="dark"),
    Picture("template", template),
    Picture("health", at("/health"), role="manager"),
    Picture("mailbox", guided, role="owner"),
    Picture("post", post),
    Picture("channel", channel, role="owner"),
)


def working_zone(now: datetime) -> str:
    """Where it is nearest to the middle of the morning: there mail is due soon, and some of it is late."""
    return min((*_ZONES, *_MORE_ZONES), key=lambda name: abs(_minutes(now, name) - 11 * 60))


def _minutes(now: datetime, zone: str) -> int:
    local = now.astimezone(ZoneInfo(zone))
    return local.hour * 60 + local.minute


def _take(browser: Browser, address: str, picture: Picture, folder: Path) -> str:
    """Writes the file; a sentence about what is wrong with it, or "" when nothing is."""
    complaints = Complaints()
    page = open_page(browser, complaints, picture.size, picture.scheme, reduced_motion="reduce")
    page.goto(address)
    page.click(f"button[name=role][value={picture.role}]")
    page.wait_for_selector("#composer-text, .row")
    picture.show(page, address)
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(500)
    path = folder / f"{picture.name}.png"
    page.screenshot(path=str(path), animations="disabled")
    page.context.close()
    size = path.stat().st_size
    print(f"{path.name}: {size:,} bytes", flush=True)
    if size > MAX_BYTES:
        return f"{path.name} has {size:,} bytes; {MAX_BYTES:,} are allowed."
    return "\n".join(complaints.lines)


def _wait_for_mail(browser: Browser, address: str) -> None:
    page = open_page(browser, Complaints())
    page.goto(address)
    page.click("button[name=role][value=agent]")
    wait_until("the demo's mail is in the queue", lambda: page.reload() and page.locator(".row").count() >= 20)
    page.context.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.journeys.screenshots", description=__doc__)
    parser.add_argument("--into", type=Path, default=FOLDER, metavar="FOLDER", help="default: docs/screenshots")
    parser.add_argument("--only", action="append", choices=[picture.name for picture in PICTURES])
    options = parser.parse_args()
    program = find_program("chromium")
    if program is None:
        print("chromium is missing: apt install chromium", file=sys.stderr)
        return 3
    options.into.mkdir(parents=True, exist_ok=True)
    chosen = [picture for picture in PICTURES if not options.only or picture.name in options.only]
    with tempfile.TemporaryDirectory(prefix="balas-pictures-") as home, chromium(Path(program)) as browser:
        balas = Balas(Path(home), {"BALAS_ZONE": working_zone(datetime.now(UTC))})
        with balas.serving(free_port(), "--demo", "--demo-pace", "3000-3600") as address:
            _wait_for_mail(browser, address)
            problems = [problem for one in chosen if (problem := _take(browser, address, one, options.into))]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    sys.exit(main())
