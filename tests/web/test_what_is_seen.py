"""The agent sees unfolded exactly what the export calls `visible_text`; the customer's language is told and used."""

from __future__ import annotations

import re
from itertools import islice

import pytest

from inbox import templates
from inbox.exports import stream
from inbox.models import Conversation, Message
from tests.builders import make_item, receive
from tests.connectors.folding import answers, mail
from tests.journeys.browser import chromium
from tests.servers.requirement import require
from tests.web.conftest import House, write
from workers import polyglot
from workers.languages import tell

QUOTED_ONLY = "On 5 Jun 2024, at 10:11, Toko Biru wrote:\n> Dear Sari,\n> your lamp was sent yesterday.\n"
BETWEEN = (
    f"Here you are:\n\n{QUOTED_ONLY.splitlines()[0]}\n> Which size?\n\nLarge.\n\n> Which colour?\n>> Blue?\n\nRed.\n\n"
    "-- \nSari\n"
)
FORMS = {
    "wrapped": (
        "I have been waiting for my lamp since the second week of October and nobody\ncould tell me where it is.\n\n\n"
        "\tAna\n"
    ),
    "only quoted": QUOTED_ONLY,
    "between": BETWEEN,
    "signed only": "-- \nSari\n+62 812 555 1234\n",
    "a fold in the middle": f"Hello,\n\n{QUOTED_ONLY}\nthank you, it came.\n",
    "markup": "1 < 2 && 3 > 2 <b>bold</b> &amp; https://shop.example/a?b=1&c=2.\n",
    "nothing": "",
}
READ = """body => {
    for (const summary of body.querySelectorAll("summary")) summary.remove();
    return body.innerText;
}"""


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def seen(pages: list[str]) -> dict[str, str]:
    """Message id → its words on the page, folds closed, as Chromium renders them."""
    found: dict[str, str] = {}
    with chromium(require("chromium", "chromium")) as browser:
        page = browser.new_page()
        page.route("**/*", lambda route: route.abort())
        for content in pages:
            page.set_content(content)
            for article in page.locator("article[data-message]").all():
                body, message_id = article.locator(".message-body"), article.get_attribute("data-message") or ""
                is_empty = body.locator("> p.quiet:only-child").count() == 1
                found[message_id] = "" if is_empty else plain(str(body.evaluate(READ)))
    return found


@pytest.mark.browser
def test_the_page_shows_unfolded_exactly_the_visible_text_of_the_export(house: House) -> None:
    for text in FORMS.values():
        write(house, text, author="Sari <sari@x.example>")
    samples = islice(answers("tune"), 0, None, 6)
    items = [make_item(mail(answer, kind)) for answer in samples for kind in ("plain", "html")]
    receive(house.support, *items)
    exported = {row["id"]: row for row in stream("messages", None)}
    client = house.client("own")
    shown = seen([client.get(f"/c/{one.id}").content.decode() for one in Conversation.objects.all()])
    assert len(shown) == len(exported) > 40
    for message_id, words in shown.items():
        assert words == plain(exported[message_id]["visible_text"]), exported[message_id]["text"]
        assert bool(words) == bool(exported[message_id]["text"].strip())


def test_what_is_folded_is_still_there(house: House) -> None:
    write(house, BETWEEN, author="Sari <sari@x.example>")
    message = Message.objects.get(author_address="sari@x.example")
    page = house.client("own").get(f"/c/{_conversation(message).id}").content.decode()
    assert 'class="answered"' in page
    for words in ("Which size?", "Large.", "Which colour?", "Red.", "Sari"):
        assert words in page


def _conversation(message: Message) -> Conversation:
    return Conversation.objects.get(strand_links__strand_id=message.strand_id, strand_links__ended_at=None)


@pytest.mark.django_db(transaction=True)
def test_the_language_is_told_on_the_page_in_the_export_and_chooses_the_template(house: House) -> None:
    now = house.conversation.opened_at
    templates.write_version(house.template, "cli", now, language="id", body="Halo, maaf.\n")
    first = write(house, "Halo kak, pesanan saya belum sampai juga.", author="Sari <sari@x.example>")
    try:
        while tell():
            pass
        later = write(
            house, "Sorry, my order has still not arrived at all.", author="Sari <sari@x.example>",
            references=(first.reference,), in_reply_to=first.reference,
        )  # fmt: skip
        conversation, client = _conversation(first), house.client("own")
        assert conversation.language == "id"
        menu = client.get(f"/c/{conversation.id}/templates").content.decode()
        assert "Halo, maaf." in menu
        while tell():
            pass
    finally:
        polyglot.close()
    page = client.get(f"/c/{conversation.id}").content.decode()
    assert _conversation(later).id == conversation.id
    assert "now in English" in page
    assert re.search(r"Indonesian, told from its words, \d\d% certain", page)
    assert "Halo, maaf." not in client.get(f"/c/{conversation.id}/templates").content.decode()
    told = {row["id"]: row["language"] for row in stream("messages", None)}
    assert (told[str(first.id)], told[str(later.id)]) == ("id", "en")
