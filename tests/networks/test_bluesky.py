"""The whole application on a real Bluesky: PDS, AppView and directory on loopback, see tests/servers/bluesky.py."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections as database_connections
from django.utils import timezone
from PIL import Image

from connectors import killpoints
from inbox import accounts, drafts, people, replies
from inbox.models import Account, Conversation, Envelope, Message, User
from inbox.rules.states import Role
from tests.servers.bluesky import Network, Person, expired, running_network
from web.cli import main
from workers import connections, jobs
from workers.catching_up import settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180), pytest.mark.xdist_group("bluesky")]


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with running_network() as found:
        yield found


class Shop:
    """Our account there, connected by the command line."""

    def __init__(self, network: Network, us: Person) -> None:
        self.network, self.us = network, us
        self.account = Account.objects.get(name=us.handle.partition(".")[0])
        now = timezone.now()
        self.agent: User = people.create_user("agent@balas.example", Role.OWNER, now, name="Mihai")

    def poll(self) -> Any:
        polled = jobs.poll(self.account.id)
        assert not polled.sentence, polled.sentence
        settle()
        return polled

    def hear(self, uri: str) -> Message:
        """Of a post that the network has told us about."""
        self.network.wait(lambda: uri in [one for _reason, one in self.network.notified(self.us)])
        self.poll()
        return Message.objects.get(reference=uri)

    def conversation(self, message: Message) -> Conversation:
        return Conversation.objects.get(strand_links__strand_id=message.strand_id, strand_links__ended_at=None)

    def answer(self, message: Message, text: str, **more: Any) -> Envelope:
        queued = replies.queue_reply(
            conversation_id=self.conversation(message).id,
            user=self.agent,
            request_id=str(uuid.uuid4()),
            text=text,
            to=(),
            now=timezone.now(),
            seen_message=message.id,
            **more,
        )
        assert isinstance(queued, replies.Queued), queued
        Envelope.objects.filter(state="queued").update(due_at=timezone.now())
        return Envelope.objects.latest("id")

    def deliver(self, envelope: Envelope) -> Envelope:
        jobs.deliver()
        envelope.refresh_from_db()
        return envelope

    def secrets(self) -> dict[str, str]:
        self.account.refresh_from_db()
        return {name: str(value) for name, value in accounts.unseal_secrets(self.account).items()}


def connect(network: Network, name: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    us = network.create(name)
    monkeypatch.setattr(sys, "stdin", io.StringIO(us.password))
    words = ["account", "add", "bluesky", name, "--handle", us.handle, "--base-url", network.pds, "--secrets-stdin"]
    assert main(words) == 0
    return Shop(network, us)


@pytest.fixture
def shop(network: Network, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    try:
        yield connect(network, f"shop{len(_names)}", monkeypatch)
    finally:
        _names.append(request.node.name)
        connections.close_all()


_names: list[str] = []


def picture(side: int = 60) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (side, side // 2), "teal").save(written, "PNG")
    return written.getvalue()


def test_a_mention_is_answered_in_its_thread_and_the_customer_answers(network: Network, shop: Shop) -> None:
    ann = network.create("ann")
    blob = network.call("POST", "com.atproto.repo.uploadBlob", ann.token, raw=picture(), kind="image/png")["blob"]
    embed = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "a torn strap"}]}
    said = f"Żółw 👨‍👩‍👧‍👦 地址 @{shop.us.handle} e\u0301 the strap is torn"
    asked = network.say(ann, said, embed=embed, langs=["en"])

    message = shop.hear(asked["uri"])
    assert message.text == said and message.author_address == ann.handle
    assert shop.conversation(message).messages_count == 1
    post = message.enclosed["post"]
    assert [one["alt"] for one in post["media"]] == ["a torn strap"]
    assert (post["profile"]["name"], post["profile"]["handle"]) == ("Ann", ann.handle)

    about = {"name": "new.png", "content_type": "image/png", "content": picture()}
    file = drafts.attach(shop.conversation(message).id, shop.agent, timezone.now(), **about)
    drafts.describe(file.id, shop.agent, "a new strap")
    words = f"Sorry @{ann.handle} 🐢! Send it to us: example.com/回 #service, no @nobody.test"
    envelope = shop.deliver(shop.answer(message, words, attachments=[file.id]))
    assert envelope.state == "sent", envelope.sentence

    ours = Message.objects.get(direction="outbound").reference
    view = network.wait(lambda: network.post(ann, ours))
    record = view["record"]
    assert record["text"] == words
    assert record["reply"] == {"root": asked, "parent": asked} or (
        record["reply"]["parent"]["uri"] == record["reply"]["root"]["uri"] == asked["uri"]
    )
    marked = [
        (words.encode()[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode(), one["features"][0])
        for one in record["facets"]
    ]
    assert [text for text, _feature in marked] == [f"@{ann.handle}", "example.com/回", "#service"]
    assert marked[0][1]["did"] == ann.did
    assert marked[1][1]["uri"] == "https://example.com/回"
    (image,) = view["embed"]["images"]
    assert image["alt"] == "a new strap" and image["aspectRatio"] == {"width": 60, "height": 30}

    shop.poll()
    assert Message.objects.filter(direction="outbound").count() == 1  # its echo is no news
    strong = {"uri": ours, "cid": view["cid"]}
    thanks = network.say(ann, "Thank you!", answers={"root": record["reply"]["root"], "parent": strong})
    answered = shop.hear(thanks["uri"])
    assert answered.strand_id == message.strand_id
    assert shop.conversation(answered).messages_count == 3 and shop.conversation(answered).status == "open"


def test_f40_a_kill_after_the_post_leaves_one_post_and_it_is_found(network: Network, shop: Shop) -> None:
    bea = network.create("bea")
    message = shop.hear(network.say(bea, f"@{shop.us.handle} is it open today?")["uri"])
    envelope = shop.answer(message, "Until six.")
    connections.close_all()
    database_connections.close_all()
    child = os.fork()
    if not child:
        try:
            killpoints.arm("send.answered")
            jobs.deliver()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    envelope.refresh_from_db()
    assert envelope.state == "committing"
    Envelope.objects.update(due_at=timezone.now())
    jobs.care()
    jobs.care()
    jobs.deliver()
    envelope.refresh_from_db()
    assert envelope.state == "sent", envelope.sentence
    listed = network.call(
        "GET", "com.atproto.repo.listRecords", params={"repo": shop.us.did, "collection": "app.bsky.feed.post"}
    )
    assert [one["value"]["text"] for one in listed["records"]] == ["Until six."]


def test_an_expired_session_is_renewed_and_never_made_anew(network: Network, shop: Shop) -> None:
    before = shop.secrets()
    accounts.change(
        shop.account.id,
        timezone.now(),
        settings_=shop.account.settings,
        display_name="",
        undo_seconds=10,
        secrets={**before, "access_token": expired(before["access_token"]), "password": "not-the-password"},
    )
    connections.close_all()
    cid = network.create("cid")
    message = shop.hear(network.say(cid, f"@{shop.us.handle} anybody there?")["uri"])
    after = shop.secrets()
    assert after["access_token"] not in (before["access_token"], expired(before["access_token"]))
    assert after["refresh_token"] != before["refresh_token"]
    assert shop.deliver(shop.answer(message, "We are!")).state == "sent"


def test_a_deleted_post_loses_its_words_and_an_answer_to_it_keeps_its_own(network: Network, shop: Shop) -> None:
    dan = network.create("dan")
    asked = network.say(dan, f"@{shop.us.handle} where is my parcel?")
    message = shop.hear(asked["uri"])
    envelope = shop.answer(message, "It is on its way.")
    network.delete(dan, asked["uri"])
    network.wait(lambda: network.post(shop.us, asked["uri"]) is None)
    failed = shop.deliver(envelope)
    assert (failed.state, "deleted" in failed.sentence) == ("failed", True), failed.sentence
    with connections.borrowed(shop.account, "fetch") as connector:
        (page,) = connector.recheck([asked["uri"]])  # type: ignore[attr-defined]
        parsed = connector.parse(page.items[0])
    assert parsed.message_id == asked["uri"]


def test_who_has_blocked_us_is_not_answered_and_their_post_is_not_taken_for_deleted(
    network: Network, shop: Shop
) -> None:
    eve = network.create("eve")
    asked = network.say(eve, f"@{shop.us.handle} never again!")
    message = shop.hear(asked["uri"])
    network.record(eve.did, eve.token, "app.bsky.graph.block", {"subject": shop.us.did})
    network.wait(lambda: network.post(shop.us, asked["uri"]) is None)
    failed = shop.deliver(shop.answer(message, "We are sorry to hear that."))
    assert (failed.state, "blocked" in failed.sentence) == ("failed", True), failed.sentence
    with connections.borrowed(shop.account, "fetch") as connector:
        assert list(connector.recheck([asked["uri"]])) == []  # type: ignore[attr-defined]


def test_quotes_and_reposts_of_ours_arrive_and_backdated_mentions_too(network: Network, shop: Shop) -> None:
    fay = network.create("fay")
    message = shop.hear(network.say(fay, f"@{shop.us.handle} which size fits?")["uri"])
    shop.deliver(shop.answer(message, "The large one."))
    ours = Message.objects.get(direction="outbound").reference
    view = network.wait(lambda: network.post(fay, ours))
    strong = {"uri": ours, "cid": view["cid"]}
    network.record(fay.did, fay.token, "app.bsky.feed.repost", {"subject": strong})
    quote = network.say(fay, "They say:", embed={"$type": "app.bsky.embed.record", "record": strong})
    old = network.say(fay, f"@{shop.us.handle} written long ago", createdAt="2026-01-01T12:00:00Z")
    network.wait(lambda: len(network.notified(shop.us)) == 4)
    quoted = shop.hear(quote["uri"])
    assert quoted.enclosed["post"]["quoted"]["text"] == "The large one."
    assert Message.objects.get(reference=old["uri"]).text.endswith("written long ago")
    assert json.dumps(Message.objects.get(reference=ours).enclosed) is not None


def test_what_is_longer_than_the_network_takes_is_said_before(network: Network, shop: Shop) -> None:
    gus = network.create("gus")
    message = shop.hear(network.say(gus, f"@{shop.us.handle} tell me everything")["uri"])
    family = "👨‍👩‍👧‍👦"
    assert shop.deliver(shop.answer(message, family * 100 + "n" * 200)).state == "sent"  # 300 as people count
    for text in (family * 100 + "n" * 201, family * 121):  # one too many; too many bytes
        with pytest.raises(AssertionError, match="too-long"):
            shop.answer(message, text)
