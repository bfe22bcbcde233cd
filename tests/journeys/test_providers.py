"""The first connection at each provider, in a real browser: address → provider → what it needs → log-in, tried at once.

The providers' servers are played by a Dovecot and SMTP servers on loopback, their sign-ins by oauth2-mock-server.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.builders import make_mail
from tests.journeys.browser import Complaints, chromium, has_sideways_scroll, open_page
from tests.journeys.running import Balas, wait_until
from tests.servers.dovecot import Dovecot
from tests.servers.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running_issuer
from tests.servers.recording_smtp import running_recording_smtp
from tests.servers.requirement import free_port, require
from tests.servers.xoauth2 import running_token_dovecot, running_token_smtp

pytestmark = [
    pytest.mark.browser,
    pytest.mark.servers,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("providers"),
]


@dataclass(frozen=True)
class Provider:
    """Whose guided page says what. `signs_in` names who hands out its tokens; "" means by password."""

    address: str
    name: str
    imap: str
    needs: str
    link: str
    signs_in: str = ""


PROVIDERS = (
    Provider("hana@gmail.com", "Gmail", "imap.gmail.com", "allow reading and sending", "support.google.com", "Google"),
    Provider("hana@googlemail.com", "Gmail", "imap.gmail.com", "16 letters", "support.google.com"),
    Provider(
        *("hana@outlook.com", "Microsoft 365 and Outlook.com", "outlook.office365.com"),
        *("administrator switches on IMAP", "learn.microsoft.com", "Microsoft"),
    ),
    Provider("hana@yahoo.com", "Yahoo", "imap.mail.yahoo.com", "make an app password", "help.yahoo.com"),
    Provider("hana@icloud.com", "iCloud", "imap.mail.me.com", "two-factor authentication", "support.apple.com"),
    Provider("hana@fastmail.com", "Fastmail", "imap.fastmail.com", "make an app password", "fastmail.help"),
    Provider("hana@tasbora.example", "Another provider", "imap.tasbora.example", "names the servers", ""),
)


@dataclass(frozen=True)
class World:
    address: str  # of the pages
    page: Page
    complaints: Complaints
    issuer: Issuer
    dovecot: Dovecot
    smtp: int  # takes passwords
    token_smtp: int


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(require("chromium", "chromium")) as started:
        yield started


@pytest.fixture(scope="module")
def world(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        running_issuer() as issuer,
        running_token_dovecot(issuer) as dovecot,
        running_token_smtp(issuer) as token_smtp,
        running_recording_smtp(password=dovecot.password) as smtp,
    ):
        for provider in PROVIDERS:
            dovecot.deliver(provider.address, [make_mail(subject=f"To {provider.address}", at=None)], at=time.time())
        client = {"CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET, "ISSUER": issuer.url}
        settings = {f"BALAS_{who}_{name}": value for who in ("GOOGLE", "MICROSOFT") for name, value in client.items()}
        balas = Balas(tmp_path_factory.mktemp("providers"), settings)
        link = balas.json("user", "add", "ana@example.org", "--role", "owner")["link"]
        with balas.serving(free_port(), "--empty") as address:
            complaints = Complaints()
            page = open_page(browser, complaints)
            page.goto(address + re.sub(r"^https?://[^/]+", "", link))
            if page.locator("button[type=submit]").count():
                page.click("button[type=submit]")
            page.wait_for_load_state()
            yield World(address, page, complaints, issuer, dovecot, smtp.port, token_smtp.port)
            page.context.close()


def to_log_in(world: World, provider: Provider) -> None:
    """From the address to the page that says what this provider needs, with its servers moved to loopback."""
    page = world.page
    world.issuer.reset()
    page.goto(f"{world.address}/settings/mailbox")
    page.fill("#address", provider.address)
    page.press("#address", "Enter")
    page.wait_for_selector("#profile")
    assert page.locator("#profile option:checked").inner_text() == provider.name
    assert page.input_value("#imap_host") == provider.imap
    expect(page.locator("main")).to_contain_text(provider.needs)
    links = page.locator("main a[target=_blank]").evaluate_all("found => found.map(one => one.href)")
    assert not provider.link or any(provider.link in link for link in links)
    fill_servers(world, bool(provider.signs_in))


def fill_servers(world: World, by_token: bool) -> None:
    page = world.page
    if not page.locator("details.servers").evaluate("found => found.open"):
        page.click("details.servers summary")
    for key, port in (("imap", world.dovecot.port), ("smtp", world.token_smtp if by_token else world.smtp)):
        page.fill(f"#{key}_host", "127.0.0.1")
        page.fill(f"#{key}_port", str(port))
        page.select_option(f"#{key}_scheme", key)


def try_it(world: World, provider: Provider, is_right: bool) -> None:
    page = world.page
    if provider.signs_in:
        world.issuer.set(user="" if is_right else "somebody@else.example")
        page.click(f"button:has-text('Sign in with {provider.signs_in}')")
    else:
        page.fill("#password", world.dovecot.password if is_right else "not this one")
        page.press("#password", "Enter")


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.address)
def test_the_first_connection(provider: Provider, world: World) -> None:
    page = world.page
    to_log_in(world, provider)
    try_it(world, provider, is_right=False)
    what = "access token" if provider.signs_in else "password"
    expect(page.locator(".notice[role=alert] b")).to_have_text(
        f"127.0.0.1:{world.dovecot.port} refused the {what} for {provider.address}. "
        "It said: “[AUTHENTICATIONFAILED] Authentication failed.”."
    )
    assert page.input_value("#imap_host") == "127.0.0.1", "what was typed stays"
    try_it(world, provider, is_right=True)
    page.wait_for_url(f"{world.address}/settings")
    expect(page.locator("#toasts")).to_contain_text(f"{provider.address} is connected. Reading INBOX, Sent")
    assert not has_sideways_scroll(page)
    subject = f"To {provider.address}"
    wait_until(
        f"“{subject}” is in the queue", lambda: page.goto(f"{world.address}/q/all") and subject in page.content()
    )
    world.complaints.lines = [line for line in world.complaints.lines if "422" not in line]
    assert world.complaints.lines == []


def test_a_server_that_is_away_is_named(world: World) -> None:
    provider = Provider("new@yahoo.com", "Yahoo", "imap.mail.yahoo.com", "app password", "help.yahoo.com")
    to_log_in(world, provider)
    nobody = free_port()
    world.page.fill("#imap_port", str(nobody))
    try_it(world, provider, is_right=True)
    expect(world.page.locator(".notice[role=alert] b")).to_have_text(
        f"127.0.0.1:{nobody} refuses connections. The server may be down."
    )


def test_the_guess_can_be_corrected(world: World) -> None:
    page = world.page
    page.goto(f"{world.address}/settings/mailbox")
    page.fill("#address", "shop@tasbora.example")
    page.press("#address", "Enter")
    page.select_option("#profile", "fastmail")
    page.click("button:has-text('Use this one')")
    page.wait_for_function("document.querySelector('#imap_host')?.value === 'imap.fastmail.com'")
    expect(page.locator("main")).to_contain_text("make an app password for mail")


def test_a_permission_that_was_withdrawn_is_given_again(world: World) -> None:
    page, again = world.page, Provider("ruxandra@gmail.com", *("Gmail", "imap.gmail.com", "allow", "", "Google"))
    to_log_in(world, again)
    try_it(world, again, is_right=True)
    page.wait_for_url(f"{world.address}/settings")
    world.issuer.tell(revoke_all=True)
    page.locator(f".panel:has-text('{again.address}') a:has-text('Change')").click()
    world.issuer.set(life=-5, claimed=3600)
    page.click("button:has-text('Connect again')")
    expect(page.locator("#toasts")).to_contain_text("refused the access token")
    world.issuer.reset()
    page.click("button:has-text('Connect again')")
    page.wait_for_url(f"{world.address}/health")
    expect(page.locator("#toasts")).to_contain_text("is connected again and goes on where it stopped")
