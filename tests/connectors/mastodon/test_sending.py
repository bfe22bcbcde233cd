"""Answers on a simulated Mastodon server: as wide as what they answer, once, and found again on doubt."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import AuthFailed, ConnectorError, OutcomeUnknown, Refused, RetryLater, Unsupported
from connectors.messages import ParsedMessage, RawItem, Receipt, Reply, Scope
from connectors.simulators.exchange import VirtualClock, utc_now
from connectors.simulators.faults import Fault
from connectors.simulators.mastodon import MastodonServer
from connectors.social import Standing, Visibility
from tests.connectors.mastodon.conftest import CREATE, World, connect, picture

CARRIED_OUT_504 = Fault(status=504, is_carried_out=True)


def asked(world: World, who: str = "ana@far.example", **more: Any) -> str:
    status_id = world.server.say(who, "where is my order?", **more)
    world.read()
    return status_id


def send(world: World, reply: Reply) -> Receipt:
    return world.connector.send(world.connector.compose(reply), world.commit)


def test_an_answer_is_posted_under_what_it_answers_mentions_its_author_and_comes_back_as_our_own(world: World) -> None:
    first = asked(world)
    receipt = send(world, world.reply(first, "On its way."))
    posted = world.server.world.statuses[receipt.external_id]
    assert (posted.text, posted.answers, posted.visibility) == ("@ana@far.example On its way.", first, "unlisted")
    assert world.commits == 1
    world.read()
    echo = world.of(receipt.external_id)
    assert echo.message_id == receipt.message_id and echo.post is not None and echo.post.standing is Standing.OWN
    assert echo.recipients[0].address == world.of(first).author


@pytest.mark.parametrize("visibility", ["direct", "private", "unlisted", "public"])
def test_an_answer_is_never_wider_than_what_it_answers(world: World, visibility: str) -> None:
    world.server.world.get_member("tideline").follows.append(world.server.world.get_member("ana@far.example").id)
    first = asked(world, visibility=visibility)
    receipt = send(world, world.reply(first, "Here."))
    expected = "unlisted" if visibility == "public" else visibility
    assert world.server.world.statuses[receipt.external_id].visibility == expected
    if visibility != "public":
        with pytest.raises(Unsupported):
            world.connector.compose(world.reply(first, "Here.", visibility=Visibility.PUBLIC))


def test_a_content_warning_is_answered_alike_and_not_doubled(world: World) -> None:
    first = asked(world, warning="re: food")
    receipt = send(world, world.reply(first, "Sorry to hear that."))
    assert world.server.world.statuses[receipt.external_id].warning == "re: food"
    other = send(world, world.reply(first, "And this.", warning="Delivery"))
    assert world.server.world.statuses[other.external_id].warning == "Delivery"


def test_the_frozen_bytes_are_the_same_each_time_and_read_back_as_what_was_meant(world: World) -> None:
    reply = world.reply(asked(world), "Look:\r\nhere", files=(picture(alt="A parcel"),), language="de-AT")
    message = world.connector.compose(reply)
    assert world.connector.compose(reply) == message
    item = RawItem(Scope("outbox"), message.idempotency_key, datetime.now(UTC), 1, message.content, is_sent=True)
    found = world.connector.parse(item)
    assert isinstance(found, ParsedMessage)
    assert found.message_id == message.idempotency_key and found.in_reply_to == reply.in_reply_to
    assert [one.address for one in found.recipients] == list(reply.to)
    assert [one.size for one in found.attachments] == [len(reply.files[0].content)]
    assert found.text == "@ana@far.example Look:\nhere" and message.recipients == ("ana@far.example",)
    assert found.post is not None and found.post.visibility is Visibility.UNLISTED
    assert found.post.media[0].alt == "A parcel"


def test_pictures_are_uploaded_with_their_description_before_the_point_of_no_return(world: World) -> None:
    world.server.media_takes = timedelta(seconds=0.3)
    order: list[str] = []
    message = world.connector.compose(world.reply(asked(world), "", files=(picture(alt="Ein Paket"), picture())))
    world.server.log.clear()
    receipt = world.connector.send(message, lambda: order.extend(one.route for one in world.server.log))
    media = world.server.world.statuses[receipt.external_id].media
    assert [one.description for one in media] == ["Ein Paket", ""]
    assert order.count("POST /api/v2/media") == 2 and CREATE not in order
    assert any(one.status == 202 for one in world.server.seen("POST /api/v2/media"))
    assert any(one.status == 206 for one in world.server.seen("GET /api/v1/media/:id"))


def test_a_picture_that_the_server_refuses_stops_before_anything_is_posted(world: World) -> None:
    message = world.connector.compose(world.reply(asked(world), "x", files=(picture(),)))
    world.server.faults.add(
        "POST /api/v2/media", Fault(status=422, body=b'{"error":"Validation failed: File is invalid"}')
    )
    with pytest.raises(Refused, match="File is invalid"):
        world.connector.send(message, world.commit)
    assert world.commits == 0 and world.ours() == []


@pytest.mark.parametrize("bugs", [set(), {"forgets-keys"}, {"repeats-fail"}])
@pytest.mark.parametrize(
    "fault", [CARRIED_OUT_504, Fault(is_carried_out=True, cut_after=0), Fault(is_html=True, is_carried_out=True)]
)
def test_f39_created_though_the_answer_was_an_error_is_found_and_never_posted_twice(
    world: World, bugs: set[str], fault: Fault
) -> None:
    message = world.connector.compose(world.reply(asked(world), "On its way, see https://shop.example.com/track"))
    world.server.bugs = bugs
    world.server.faults.add(CREATE, fault)
    receipt = world.connector.send(message, world.commit)
    assert receipt.message_id and world.commits == 1
    again = world.connector.find_sent(message)
    assert again is not None and again.external_id == receipt.external_id
    assert len(world.ours()) == 1


@pytest.mark.parametrize("bugs", [set(), {"forgets-keys"}, {"repeats-fail"}])
def test_f39_when_even_looking_fails_the_outcome_is_unknown_and_looking_later_settles_it(
    world: World, bugs: set[str]
) -> None:
    message = world.connector.compose(world.reply(asked(world), "On its way."))
    world.server.bugs = bugs
    world.server.faults.add(CREATE, CARRIED_OUT_504)
    world.server.faults.add("GET /api/v1/accounts/:id/statuses", Fault(status=500, times=0))
    with pytest.raises(OutcomeUnknown):
        world.connector.send(message, world.commit)
    world.server.faults.clear()
    found = world.connector.find_sent(message)
    assert found is not None and found.message_id
    keys = {one.request.headers["idempotency-key"] for one in world.server.seen(CREATE)}
    assert keys == {message.idempotency_key} and len(world.ours()) == 1


def test_f39_nothing_is_found_when_nothing_was_created_and_the_same_key_goes_along_again(world: World) -> None:
    message = world.connector.compose(world.reply(asked(world), "On its way."))
    world.server.faults.add(CREATE, Fault(status=504))
    with pytest.raises(OutcomeUnknown):
        world.connector.send(message, world.commit)
    assert world.connector.find_sent(message) is None
    world.connector.send(message, world.commit)
    keys = [one.request.headers["idempotency-key"] for one in world.server.seen(CREATE)]
    assert keys == [message.idempotency_key] * 2 and len(world.ours()) == 1


def test_f42_the_same_message_sent_ten_times_is_one_post(world: World) -> None:
    message = world.connector.compose(world.reply(asked(world), "On its way."))
    receipts = {world.connector.send(message, world.commit).external_id for _ in range(10)}
    assert len(receipts) == 1 and len(world.ours()) == 1


def test_what_was_said_before_or_elsewhere_is_no_evidence(world: World) -> None:
    first = asked(world)
    other = world.server.say("bogdan", "and mine?")
    world.read()
    reply = world.reply(first, "Thank you!")
    message = world.connector.compose(reply)
    world.server.say("tideline", "@ana@far.example Thank you!", answers=other)
    world.server.say("tideline", "@ana@far.example Thank you very much!", answers=first)
    assert world.connector.find_sent(message) is None
    world.server.say("tideline", "@ana@far.example Thank you!", answers=first)
    assert world.connector.find_sent(message) is not None
    later = world.connector.compose(replace(reply, written_at=datetime.now(UTC) + timedelta(hours=1)))
    assert world.connector.find_sent(later) is None


@pytest.mark.parametrize("ahead", [timedelta(hours=-3), timedelta(hours=3)])
def test_clocks_that_differ_neither_hide_our_post_nor_make_an_older_one_of_it(tmp_path: Path, ahead: timedelta) -> None:
    clock = VirtualClock(utc_now() + ahead - timedelta(hours=1))
    with MastodonServer(now=clock.now) as server:
        server.join("tideline", is_ours=True)
        server.join("ana")
        world = World(server, connect(server, tmp_path), tmp_path)
        first = asked(world, who="ana")
        server.say("tideline", "Thank you!", answers=first)
        clock.advance(timedelta(hours=1))
        message = world.connector.compose(world.reply(first, "Thank you!"))
        assert world.connector.find_sent(message) is None
        receipt = world.connector.send(message, world.commit)
        found = world.connector.find_sent(message)
        assert found is not None and found.external_id == receipt.external_id
        world.connector.close()


def test_f73_deleted_between_draft_and_send_is_refused_in_plain_words(world: World) -> None:
    first = asked(world)
    message = world.connector.compose(world.reply(first, "On its way."))
    world.server.delete(first)
    with pytest.raises(Refused, match="gone"):
        world.connector.send(message, world.commit)
    assert world.ours() == []


def test_a_post_seen_on_another_server_is_answered_through_ours(world: World) -> None:
    first = asked(world)
    answered = world.of(first).post
    assert answered is not None
    elsewhere = replace(answered, facts={**answered.facts, "id": "999", "server": "other.example"})
    receipt = send(world, world.reply(first, "Here we are.", answers=elsewhere))
    assert world.server.world.statuses[receipt.external_id].answers == first
    unknown = world.reply(first, "Hm.", answers=elsewhere, in_reply_to="https://nowhere.example/1")
    with pytest.raises(Refused, match="not known"):
        send(world, unknown)


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthFailed), (403, Refused), (422, Refused), (429, RetryLater), (500, OutcomeUnknown)],
)
def test_what_a_refusal_means(world: World, status: int, error: type[ConnectorError]) -> None:
    message = world.connector.compose(world.reply(asked(world), "@ana@far.example nobody may see this"))
    world.server.faults.add(CREATE, Fault(status=status, body=b'{"error":"@ana@far.example nobody may see this"}'))
    with pytest.raises(error) as raised:
        world.connector.send(message, world.commit)
    assert type(raised.value) is not ConnectorError and "nobody may see" not in raised.value.sentence
    assert world.ours() == []


def test_a_text_that_fills_the_limit_exactly_is_taken_with_emoji_and_addresses(world: World) -> None:
    text = "👨‍👩‍👧 日本 https://example.com/" + "x" * 100 + " "
    fill = 500 - len("@ana ") - (1 + 1 + 2 + 1 + 23 + 1)
    receipt = send(world, world.reply(asked(world), text + "y" * fill))
    assert receipt.external_id
    with pytest.raises(Unsupported, match="1 characters too long"):
        world.connector.compose(world.reply(asked(world), text + "y" * (fill + 1)))


def test_a_post_of_our_own_and_a_first_direct_message(world: World) -> None:
    author = world.of(asked(world)).author
    base = world.reply(next(iter(world.server.world.statuses)), "")
    own = replace(base, to=(), text="We open at nine.", in_reply_to="", references=(), answers=None)
    posted = world.server.world.statuses[send(world, own).external_id]
    assert (posted.text, posted.visibility, posted.answers) == ("We open at nine.", "public", "")
    direct = replace(own, to=(author,), text="Your code?", visibility=Visibility.DIRECT, idempotency_key="another")
    sent = world.server.world.statuses[send(world, direct).external_id]
    assert (sent.text, sent.visibility) == ("@ana@far.example Your code?", "direct")
    with pytest.raises(Unsupported):
        world.connector.compose(replace(own, visibility=Visibility.DIRECT))


def test_no_secret_stands_in_a_frozen_message(world: World) -> None:
    message = world.connector.compose(world.reply(asked(world), "Hello"))
    assert not any(token.encode() in message.content for token in world.server.access.tokens)
    assert json.loads(message.content)["key"] == message.idempotency_key
