"""A social media team's first quarter of an hour, in a real browser against the simulated X: say yes there, see the
first mention come in, be stopped before an order number is public, answer, and see the answer there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.connectors.contract.of_x import Harness
from tests.journeys.browser import Complaints, chromium, has_sideways_scroll, open_page
from tests.journeys.running import Balas, wait_until
from tests.journeys.test_story import link_of
from tests.servers.requirement import free_port, require

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180), pytest.mark.xdist_group("browser")]


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium(require("chromium", "chromium")) as started:
        yield started


def test_a_team_connects_x_and_answers_its_first_mention(browser: Browser, tmp_path: Path) -> None:
    complaints, balas = Complaints(), Balas(tmp_path / "home")
    with Harness() as x, balas.serving(free_port()) as address:
        asked = x.server.say("ana", "@tasbora third time I ask: where is my refund?")
        page = open_page(browser, complaints)
        page.goto(link_of(balas))
        page.click("button[type=submit]")
        page.fill("#name", "Mihai Toma")
        page.fill("#email", "mihai@example.org")
        page.fill("#password", "seven quiet geese on ice")
        page.click("button[type=submit]")

        page.goto(f"{address}/settings/connect")
        page.click("a[href='/settings/connect/x']")
        page.fill("#f-client_id", x.server.app.client_id)
        page.fill("#f-client_secret", x.server.app.secret)
        page.fill("#f-base_url", x.server.base_url)
        page.locator("#f-base_url").press("Enter")
        page.get_by_role("button", name="Authorize app").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("is connected")
        row = page.locator("#arrived .row")
        expect(row).to_contain_text("where is my refund?", timeout=60_000)  # comes by itself
        assert not has_sideways_scroll(page)

        page.goto(address + str(row.locator("a").get_attribute("href")))
        page.wait_for_selector("#composer-text")
        page.wait_for_load_state()
        page.keyboard.press("r")
        expect(page.locator("#composer-text")).to_be_focused()
        expect(page.locator(".reach-words:visible")).to_have_text("Everyone can read it")
        page.keyboard.type("Sorry! The refund for order TB-20418 left on Monday.")
        expect(page.locator("#composer-count")).to_contain_text("228")
        expect(page.locator("#composer-hints")).to_contain_text("An order number would be public.")
        page.keyboard.press("Control+Enter")
        expect(page.locator("[data-mends] button").first).to_be_focused()
        page.keyboard.press("1")
        expect(page.locator("#composer-text")).to_have_value("Sorry! The refund for order left on Monday.")
        expect(page.locator("#composer-text")).to_be_focused()
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("button", name="Undo").first).to_be_visible()
        (posted,) = wait_until(
            "the answer is on X", lambda: [one for one in x.server.timeline() if one.is_ours and not one.is_deleted]
        )
    assert "The refund for order left on Monday." in posted.text
    assert posted.about == asked
    ours = [line for line in complaints.lines if line.startswith(address) and "422" not in line]
    assert ours == []  # a gate answers with 422
