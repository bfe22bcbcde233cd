"""The same story on every channel, through its doors: it arrives, is answered, is delivered, its echo is no news, and
the customer answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from inbox import people
from inbox.models import Envelope, Message
from inbox.rules.states import Role
from tests.journeys.networks import Network, connected

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]


@pytest.fixture(params=["email", "x", "mastodon", "bluesky"])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Network]:
    with connected(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def client(network: Network) -> Client:
    client = Client()
    client.force_login(people.create_user("agent@balas.example", Role.OWNER, timezone.now(), name="Mihai"))
    return client


def field(html: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*>', html)
    value = re.search(r'value="([^"]*)"', found[0]) if found else None
    return unescape(value[1]) if value else ""


def answer(client: Client, conversation_id: int, text: str) -> None:
    """What the composer holds goes back as it came, with words in it."""
    html = client.get(f"/c/{conversation_id}/composer").content.decode()
    names = ("request_id", "mode", "seen_message", "account", "to", "subject")
    data = {**{name: field(html, name) for name in names}, "text": text}
    chosen = re.search(r'name="visibility" value="(\w+)" checked', html)
    if chosen:
        data["visibility"] = chosen[1]
    sent = client.post(f"/c/{conversation_id}/reply", data, headers={"HX-Request": "true"})
    assert sent.status_code == 200, re.findall(r"<b>(.*?)</b>", sent.content.decode())


def test_it_arrives_is_answered_delivered_its_echo_is_no_news_and_the_customer_answers(
    network: Network, client: Client
) -> None:
    who = network.people[0]
    asked = network.say(who, "Where is my rucksack, please?")
    conversation = network.conversation("Where is my rucksack")
    assert (conversation.status, conversation.messages_count) == ("open", 1)
    assert "Where is my rucksack" in client.get("/q/open").content.decode()
    assert "Where is my rucksack" in client.get(f"/c/{conversation.id}").content.decode()

    answer(client, conversation.id, "On its way, it left us this morning.")
    assert not network.posted()  # within the undo time nothing leaves
    network.deliver()
    (posted,) = network.posted()
    assert "On its way, it left us this morning." in posted.text
    assert posted.about == asked
    assert Envelope.objects.get().state == "sent", Envelope.objects.get().sentence

    network.fetch()
    network.fetch()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.messages_count) == ("waiting", 2)
    assert Message.objects.filter(direction="outbound").count() == 1
    assert len(network.posted()) == 1

    network.say(who, "Thank you, it has come!", answers=posted.id)
    conversation.refresh_from_db()
    assert network.conversation("Thank you, it has come").id == conversation.id
    assert (conversation.status, conversation.messages_count) == ("open", 3)
    assert "Thank you, it has come!" in client.get(f"/c/{conversation.id}").content.decode()
