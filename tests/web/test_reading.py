"""What a page shows of a conversation, and what of a hostile one it does not."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox import people
from inbox.models import Conversation, Delivery, Identity, Message
from tests.builders import make_account, make_item, make_mail, receive
from tests.web.conftest import House, write
from web import live
from web.filenames import safe_name
from web.formatting import paragraphs

MOST_STATEMENTS = 8


def statements(client: Any, address: str, **headers: str) -> int:
    client.get(address, **headers)  # what the process remembers is remembered
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(address, **headers).status_code == 200
    return len(found)


@pytest.mark.parametrize("role", ["own", "owner"])
def test_the_list_takes_at_most_eight_statements(role: str, house: House) -> None:
    for number in range(12):
        write(house, author=f"C{number} <c{number}@shop.example>")
    assert statements(house.client(role), "/q/open") <= MOST_STATEMENTS


@pytest.mark.parametrize("role", ["own", "owner"])
@pytest.mark.parametrize("headers", [{}, {"HTTP_HX_REQUEST": "true"}])
def test_a_conversation_takes_at_most_eight_statements(role: str, headers: dict[str, str], house: House) -> None:
    for number in range(12):
        write(house, f"And {number}", author="Ana Pop <ana@shop.example>", in_reply_to="zip-1@shop.example")
    assert statements(house.client(role), f"/c/{house.conversation.id}", **headers) <= MOST_STATEMENTS


def test_a_new_row_is_bold_until_somebody_opens_it(house: House) -> None:
    client = house.client("own")
    row = f'id="row-{house.conversation.id}"'.encode()

    def classes() -> bytes:
        found = re.search(rb'<li class="([^"]*)" ' + row, client.get("/q/open").content)
        assert found
        return found.group(1)

    assert b"is-new" in classes()
    client.get(f"/c/{house.conversation.id}")
    assert b"is-new" not in classes()


def test_rows_stand_in_sections_by_their_deadline(house: House) -> None:
    now = timezone.now()
    due = {"Late": -timedelta(hours=30), "Later": timedelta(days=9)}
    for name, offset in due.items():
        message = write(house, author=f"{name} Person <{name.lower()}@shop.example>")
        Conversation.objects.filter(strand_links__strand_id=message.strand_id).update(due_at=now + offset)
    page = house.client("own").get("/q/open").content.decode()
    order = [page.index(text) for text in (">Late", "Late Person", ">Later", "Later Person")]
    assert order == sorted(order)


def test_a_long_list_goes_on_from_a_cursor_and_shows_everybody_once(house: House, monkeypatch: Any) -> None:
    for number in range(55):
        write(house, author=f"C{number} <c{number}@shop.example>")
    client = house.client("own")
    first = client.get("/q/open").content.decode()
    more = re.search(r'class="more" href="([^"]+)"', first)
    assert more
    second = client.get(more.group(1).replace("&amp;", "&"), HTTP_HX_REQUEST="true").content.decode()
    ids = re.findall(r'data-id="(\d+)"', first + second)
    assert len(ids) == len(set(ids)) == 56
    assert "<html" not in second


def test_quoted_words_are_folded_and_files_offered(house: House) -> None:
    page = house.client("own").get(f"/c/{house.conversation.id}").content.decode()
    assert "the zip broke." in page
    assert "Quoted, 2 lines" in page
    assert f'href="/a/{house.attachment.id}"' in page


HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> javascript:alert(1) "
    'https://shop.example/"onmouseover="alert(1) http://a.example/<b>x {{ 7*7 }} ${7*7}'
)


class _Markup(HTMLParser):
    """Collects what could run: elements and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.handlers: list[str] = []
        self.styles: list[str] = []
        self._is_in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._is_in_script = tag == "script"
        if tag == "style" or "style" in values:
            self.styles.append(tag)
        self.handlers += [name for name in values if name.startswith(("on", "hx-on"))]
        self.handlers += [name for name, value in attrs if (value or "").strip().lower().startswith("javascript:")]

    def handle_data(self, data: str) -> None:
        if self._is_in_script and data.strip():
            self.scripts.append(data)
        self._is_in_script = False


def runnable(page: str) -> tuple[list[str], list[str], list[str]]:
    found = _Markup()
    found.feed(page)
    return found.scripts, found.handlers, found.styles


def test_f74_hostile_words_of_a_mail_stay_words_everywhere(house: House) -> None:
    message = write(house, HOSTILE, author=f'"{HOSTILE[:40]}" <x@shop.example>', subject=HOSTILE[:200])
    conversation = Conversation.objects.get(strand_links__strand_id=message.strand_id)
    client = house.client("own")
    pages = [
        f"/c/{conversation.id}",
        "/q/open",
        f"/c/{conversation.id}/live",
        "/search?q=alert",
        "/search/results?q=alert",
    ]
    pages += [f"/c/{conversation.id}?compose=1", f"/c/{conversation.id}/choose/assign"]
    for address in pages:
        page = client.get(address).content.decode()
        assert runnable(page) == ([], [], []), address
        assert "<img src=x" not in page, address


@pytest.mark.parametrize(
    "address", ["/q/open", "/settings", "/templates", "/templates/new", "/health", "/search", "/settings/mailbox"]
)
def test_no_page_holds_inline_script_or_style_and_all_carry_the_policy(address: str, house: House) -> None:
    response = house.client("owner").get(address)
    assert runnable(response.content.decode()) == ([], [], [])
    assert "script-src 'self';" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]


def test_f74_the_body_of_a_mail_comes_cleaned_under_a_policy_of_its_own(house: House) -> None:
    response = house.client("own").get(f"/m/{house.message.id}/body")
    page, policy = response.content.decode(), response["Content-Security-Policy"]
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "<b>zip</b>" in page
    assert "script>alert" not in page
    assert "onclick" not in page
    assert response["Referrer-Policy"] == "no-referrer"


def test_f75_images_from_elsewhere_are_counted_and_not_loaded(house: House) -> None:
    page = house.client("own").get(f"/m/{house.message.id}/body").content.decode()
    assert "far.example" not in page
    assert "1 image from elsewhere is not loaded" in page


def test_its_own_image_is_shown_by_a_signed_address_without_cookies(house: House, client: Any) -> None:
    page = house.client("own").get(f"/m/{house.message.id}/body").content.decode()
    address = re.search(r'<img[^>]*src="(/i/[^"]+)"', page)
    assert address
    response = client.get(address.group(1))
    assert response.status_code == 200
    assert response["Content-Type"] == "image/webp"  # drawn anew, not what was sent
    assert response.content[8:12] == b"WEBP"
    forged = address.group(1)[:-3] + "abc"
    assert client.get(forged).status_code == 404


def test_f74_attachments_are_only_ever_downloads(house: House) -> None:
    response = house.client("own").get(f"/a/{house.attachment.id}")
    assert response.content == b"<script>alert(1)</script>\n" or response.content == b"<script>alert(1)</script>"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    assert "‮" not in response["Content-Disposition"]
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_the_source_is_handed_out_byte_for_byte(house: House) -> None:
    response = house.client("own").get(f"/m/{house.message.id}/raw")
    assert response.content.startswith(b"From: Ana Pop")
    assert response["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("bill.pdf", "bill.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\x00b\r\nc.txt", "abc.txt"),
        ("‮fdp.exe", "fdp.exe"),
        ("", "attachment"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_f74_file_names_lose_what_could_deceive(name: str, shown: str) -> None:
    assert safe_name(name) == shown


def test_a_message_of_another_mailbox_leaves_only_that_it_is_there(house: House) -> None:
    """Rights follow deliveries: the strand is one, the mailboxes are two."""
    message = write(house, "Secret to sales", author="Ana Pop <ana@shop.example>", in_reply_to="zip-1@shop.example")
    Delivery.objects.filter(message=message).update(account=house.sales)
    Message.objects.filter(id=message.id).update(account=house.sales)
    page = house.client("own").get(f"/c/{house.conversation.id}").content.decode()
    assert "the zip broke" in page
    assert "Secret to sales" not in page
    assert "1 message lies in a mailbox that you may not read." in page
    assert house.client("own").get(f"/m/{message.id}/raw").status_code == 404
    assert "Secret to sales" in house.client("owner").get(f"/c/{house.conversation.id}").content.decode()


def test_a_mail_in_two_mailboxes_is_shown_once_and_says_so(house: House) -> None:
    second = make_account("help", "help@balas.example")
    now = timezone.now()
    mail = make_mail("Both", author="Eva <eva@shop.example>", message_id="both@shop.example", at=now)
    for account in (house.support, second):
        receive(account, make_item(mail, at=now), now=now)
    message = Message.objects.get(reference="both@shop.example")
    conversation = Conversation.objects.get(strand_links__strand_id=message.strand_id)
    page = house.client("owner").get(f"/c/{conversation.id}").content.decode()
    assert "Arrived in 2 mailboxes, shown once" in page
    assert page.count('class="message ') + page.count('class="message"') == 1


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One\ntwo\n\nthree", "<p>One<br>two</p><p>three</p>"),
        ("a <b> & c", "<p>a &lt;b&gt; &amp; c</p>"),
        (
            "see https://shop.example/a?b=1&c=2.",
            '<p>see <a href="https://shop.example/a?b=1&amp;c=2" target="_blank" '
            'rel="noopener noreferrer nofollow">https://shop.example/a?b=1&amp;c=2</a>.</p>',
        ),
        ("\n\n", ""),
    ],
)
def test_plain_text_becomes_paragraphs_and_links(text: str, html: str) -> None:
    assert str(paragraphs(text)) == html


def test_lines_that_a_mail_program_broke_are_joined_and_chosen_breaks_stay() -> None:
    wrapped = (
        "I have been waiting for my refund since the second week of October and\n"
        "nobody could tell me where it is.\n"
        "- first call on Monday\n"
        "- second call on Friday, when I was told that it would surely come by\n"
        "Ana"
    )
    shown = str(paragraphs(wrapped))
    assert "October and nobody" in shown
    assert "it is.<br>- first call on Monday<br>- second" in shown


def test_somebody_of_another_zone_reads_their_own_time(house: House) -> None:
    house.agent.zone = "Asia/Jakarta"
    house.agent.save()
    at = house.message.written_at
    page = house.client("own").get(f"/c/{house.conversation.id}").content.decode()
    assert f">{(at + timedelta(hours=7)):%H:%M}</time>" in page


class TestTail:
    def test_f79_a_follower_hears_only_of_accounts_it_may_read(self, house: House) -> None:
        events = live.read_after(0, 500)
        about = [event for event in events if event.topic == "conversation"]
        assert about
        scope = people.readable_accounts(house.stranger)
        assert not any(event.is_for(scope) for event in about)
        assert all(event.is_for(people.readable_accounts(house.agent)) for event in about)
        assert all(event.is_for(None) for event in about)

    def test_what_was_missed_follows_the_last_number(self, house: House) -> None:
        newest = live.newest_number()
        assert live.missed(newest, None) == []
        write(house)
        assert [event.number for event in live.missed(newest, None)] == list(
            range(newest + 1, live.newest_number() + 1)
        )

    def test_too_much_missed_is_one_resync(self, house: House, monkeypatch: Any) -> None:
        monkeypatch.setattr(live, "REPLAY_LENGTH", 1)
        write(house)
        assert [event.topic for event in live.missed(0, None)] == ["resync"]

    def test_a_page_gets_what_changed_since_it_was_made(self, house: House) -> None:
        made = timezone.now()
        write(house)
        assert any(event.topic == "conversation" for event in live.missed(None, made))
        assert live.missed(None, made + timedelta(hours=1)) == []


def test_a_mail_that_cannot_be_read_says_so_and_offers_its_source(house: House) -> None:
    now = timezone.now()
    content = b"\xff\xfe\x00garbage without any header \x80\x81"
    receive(house.support, make_item(content, at=now), now=now)
    message = Message.objects.latest("id")
    conversation = Conversation.objects.get(strand_links__strand_id=message.strand_id)
    client = house.client("own")
    page = client.get(f"/c/{conversation.id}").content.decode()
    assert "This mail could not be read" in page
    assert f'href="/m/{message.id}/raw"' in page
    assert client.get(f"/m/{message.id}/raw").content == content


def test_a_mail_without_words_and_without_a_sender_says_so_in_its_row_and_beside_it(house: House) -> None:
    Conversation.objects.filter(id=house.conversation.id).update(preview="")
    Identity.objects.filter(id=house.message.author_id).update(address="")
    client = house.client("own")
    assert "There is no text that could be read." in client.get("/q/open").content.decode()
    page = client.get(f"/c/{house.conversation.id}").content.decode()
    assert "No address could be read." in page
    assert "Wrote to us from this address" not in page
