"""A real Chromium, driven by Playwright; its own errors fail the test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
SCHEMES = ("light", "dark")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]


@dataclass
class Complaints:
    """What the browser complained of: script errors, blocked content, failed loads."""

    lines: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.lines.append(f"{page.url}: {error}"))
        page.on("console", self._console)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.lines.append(f"{message.location.get('url', '')}: {message.text}")


@contextlib.contextmanager
def chromium(program: Path, *flags: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=[*_FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, complaints: Complaints, size: str = "wide", scheme: str = "light", **more: Any) -> Page:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **more)
    page = context.new_page()
    page.set_default_timeout(20_000)
    complaints.follow(page)
    return page


def has_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"))
