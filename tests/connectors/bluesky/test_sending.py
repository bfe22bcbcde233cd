"""Sending to a simulated Bluesky: what is frozen, what fails before, and what decides afterwards."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from connectors.base import ConnectorError, OutcomeUnknown, Refused, RetryLater, Unsupported
from connectors.bluesky.picturesize import size_of
from connectors.bluesky.tid import is_tid, new_tid, seconds_of
from connectors.messages import OutboundFile, OutboundMessage, ParsedMessage, RawItem, Scope
from connectors.simulators.web import Fault
from connectors.social import Visibility
from tests.connectors.bluesky.conftest import CREATE, World


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48)) -> OutboundFile:
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, kind)
    return OutboundFile(f"a.{kind.lower()}", f"image/{kind.lower()}", written.getvalue(), "a teal picture")


def sent(world: World, message: OutboundMessage) -> tuple[Any, int]:
    """(receipt or error, how often it was committed)."""
    commits: list[int] = []
    try:
        return world.connector.send(message, lambda: commits.append(1)), len(commits)
    except ConnectorError as error:
        return error, len(commits)


def record_of(world: World, uri: str) -> dict[str, Any]:
    return dict(world.server.world.posts[uri].record)


def test_an_answer_stands_in_its_thread_with_facets_pictures_and_their_words(world: World) -> None:
    question = world.hear("ana.test", "unde e comanda?")
    first = world.server.say("bogdan.test", "eu la fel", answers=question.message_id)
    reply = world.reply(question, "Salut @ana.test și @nimeni.test 🐢: tasbora.com/é #curea", files=(picture(),))
    message = world.connector.compose(replace(reply, language="ro"))
    receipt, commits = sent(world, message)
    assert (receipt.external_id, receipt.message_id, commits) == (message.idempotency_key, message.idempotency_key, 1)
    record = record_of(world, message.idempotency_key)
    assert record["reply"]["parent"]["uri"] == record["reply"]["root"]["uri"] == question.message_id
    data = record["text"].encode()
    shown = [data[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode() for one in record["facets"]]
    assert shown == ["@ana.test", "tasbora.com/é", "#curea"]  # who is nobody stays text
    assert record["langs"] == ["ro"]
    (image,) = record["embed"]["images"]
    assert (image["alt"], image["aspectRatio"]) == ("a teal picture", {"width": 64, "height": 48})
    assert first in world.server.world.posts


def test_an_answer_deep_in_a_thread_keeps_its_root(world: World) -> None:
    root = world.server.say("tasbora.test", "New straps!")
    reply = world.hear("ana.test", "Which colours?", answers=root)
    message = world.connector.compose(world.reply(reply, "Teal."))
    sent(world, message)
    strong = record_of(world, message.idempotency_key)["reply"]
    assert (strong["root"]["uri"], strong["parent"]["uri"]) == (root, reply.message_id)


def test_frozen_bytes_read_back_as_what_was_meant_and_are_always_the_same(world: World) -> None:
    question = world.hear("ana.test", "open?")
    reply = world.reply(question, "Until six.\r\nSee you", files=(picture("JPEG"), picture("WEBP")))
    message = world.connector.compose(reply)
    assert message == world.connector.compose(reply) and message.recipients == ("ana.test",)
    item = RawItem(Scope("outbox"), message.idempotency_key, reply.written_at, 0, message.content, is_sent=True)
    parsed = world.connector.parse(item)
    assert isinstance(parsed, ParsedMessage) and parsed.post is not None
    assert (parsed.message_id, parsed.text) == (message.idempotency_key, "Until six.\nSee you")
    assert parsed.recipients[0].address.external_id == question.author.external_id
    assert (parsed.in_reply_to, len(parsed.attachments)) == (question.message_id, 2)
    assert parsed.post.visibility is Visibility.PUBLIC


@pytest.mark.parametrize(
    "fault",
    [
        Fault(is_carried_out=True, cut_after=0),
        Fault(is_carried_out=True, status=500, body=b"{}"),
        Fault(is_carried_out=True, status=504, body=b""),
        Fault(is_carried_out=True, is_html=True),
        Fault(is_carried_out=True, body=b'{"uri": "at://did:plc:x/app.bsky.feed.post/other", "cid": "x"}'),
    ],
)
def test_f40_when_the_answer_gets_lost_the_record_key_decides(world: World, fault: Fault) -> None:
    message = world.connector.compose(world.reply(world.hear("ana.test", "open?"), "Until six."))
    world.server.faults.add(CREATE, fault)
    receipt, commits = sent(world, message)
    assert (receipt.message_id, commits) == (message.idempotency_key, 1)
    assert world.posted() == ["Until six."]


def test_f40_a_repeat_with_the_same_key_is_answered_500_and_adopts_the_first(world: World) -> None:
    message = world.connector.compose(world.reply(world.hear("ana.test", "open?"), "Until six."))
    first, _ = sent(world, message)
    again, _ = sent(world, message)
    assert first.message_id == again.message_id and world.posted() == ["Until six."]
    assert world.server.seen(CREATE)[-1].status == 500


def test_f40_what_never_arrived_is_unknown_and_found_nowhere(world: World) -> None:
    message = world.connector.compose(world.reply(world.hear("ana.test", "open?"), "Until six."))
    world.server.faults.add(CREATE, Fault(status=502, body=b""))
    error, commits = sent(world, message)
    assert isinstance(error, OutcomeUnknown) and commits == 1
    assert world.connector.find_sent(message) is None and world.posted() == []
    assert sent(world, message)[0].message_id == message.idempotency_key  # the same key again is safe
    assert world.connector.find_sent(message) is not None


def test_f73_an_answer_to_a_post_that_is_deleted_meanwhile_is_refused_before_commit(world: World) -> None:
    question = world.hear("ana.test", "open?")
    message = world.connector.compose(world.reply(question, "Until six."))
    world.server.delete(question.message_id)
    error, commits = sent(world, message)
    assert isinstance(error, Refused) and "deleted" in error.sentence and "kept" in error.sentence and commits == 0


@pytest.mark.parametrize("closes", ["block", "gate"])
def test_who_closes_the_door_is_not_answered_and_it_is_said_why(world: World, closes: str) -> None:
    question = world.hear("ana.test", "open?")
    message = world.connector.compose(world.reply(question, "Until six."))
    if closes == "block":
        world.server.block("ana.test", "tasbora.test")
    else:
        world.server.gate(question.message_id)
    error, commits = sent(world, message)
    assert isinstance(error, Refused) and closes in error.sentence.replace("limited", "gate") and commits == 0
    assert world.posted() == []


@pytest.mark.parametrize("route", ["GET /xrpc/app.bsky.feed.getPosts", "POST /xrpc/com.atproto.repo.uploadBlob"])
def test_trouble_before_commit_is_tried_again_later(world: World, route: str) -> None:
    question = world.hear("ana.test", "open?")
    message = world.connector.compose(world.reply(question, "Until six.", files=(picture(),)))
    world.server.faults.add(route, Fault(status=503, body=b"", times=0))
    error, commits = sent(world, message)
    assert isinstance(error, RetryLater) and commits == 0


def test_what_the_network_refuses_is_refused_with_its_words_and_not_with_ours(world: World) -> None:
    message = world.connector.compose(world.reply(world.hear("ana.test", "open?"), "A very secret sentence."))
    body = b'{"error":"InvalidRequest","message":"Invalid record: A very secret sentence."}'
    world.server.faults.add(CREATE, Fault(status=400, body=body))
    error, commits = sent(world, message)
    assert isinstance(error, Refused) and "secret" not in error.sentence and commits == 1


def test_bytes_of_another_account_are_not_sent(world: World) -> None:
    message = world.connector.compose(world.reply(world.hear("ana.test", "open?"), "Until six."))
    other = message.content.replace(world.settings["did"].encode(), b"did:plc:234567abcdefghij23456723")
    for content in (other, b"{}", b"no json", b'{"send": 3}'):
        error, commits = sent(world, replace(message, content=content))
        assert isinstance(error, Refused) and commits == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"text": "n" * 301}, "300"),
        ({"text": " "}, "nothing"),
        ({"files": (OutboundFile("a.pdf", "application/pdf", b"x"),)}, "a.pdf"),
        ({"files": (OutboundFile("big.jpg", "image/jpeg", b"x" * 20_000_000),)}, "20.0 MB"),
        ({"files": (OutboundFile("a.jpg", "image/jpeg", b"x"),) * 5}, "at most 4"),
        ({"warning": "spoilers"}, "labels"),
        ({"visibility": Visibility.FOLLOWERS}, "public"),
    ],
)
def test_what_cannot_be_said_there_is_never_frozen(world: World, more: dict[str, Any], words: str) -> None:
    reply = world.reply(world.hear("ana.test", "open?"), "Until six.")
    with pytest.raises(Unsupported, match=words):
        world.connector.compose(replace(reply, **more))


def test_a_label_of_our_own_goes_along(world: World) -> None:
    message = world.connector.compose(world.reply(world.hear("ana.test", "open?"), "Look.", warning="nudity"))
    sent(world, message)
    assert record_of(world, message.idempotency_key)["labels"]["values"] == [{"val": "nudity"}]


# --- Direct messages ------------------------------------------------------------------------------------------------


def test_a_direct_message_is_answered_in_its_conversation_and_its_echo_is_known(world: World) -> None:
    question = world.hear("ana.test", "my address is Main St 1", is_direct=True)
    message = world.connector.compose(world.reply(question, "Thank you, see tasbora.com"))
    receipt, commits = sent(world, message)
    assert receipt.message_id.startswith("bsky:dm:") and commits == 1
    (echo,) = [one for one in world.poll() if isinstance(one, ParsedMessage)]
    assert (echo.message_id, echo.references[0]) == (receipt.message_id, question.references[0])
    assert echo.recipients[0].address.address == "ana.test"
    found = world.connector.find_sent(message)
    assert found is not None and found.message_id == receipt.message_id
    assert world.server.world.convos[echo.references[0].rpartition(":")[2]].requested_of == ""


def test_a_direct_message_whose_answer_gets_lost_is_found_by_its_words(world: World) -> None:
    question = world.hear("ana.test", "my address is Main St 1", is_direct=True)
    message = world.connector.compose(world.reply(question, "Thank you."))
    route = "POST /xrpc/chat.bsky.convo.sendMessage"
    world.server.faults.add(route, Fault(is_carried_out=True, cut_after=0))
    error, commits = sent(world, message)
    assert isinstance(error, OutcomeUnknown) and commits == 1
    assert world.connector.find_sent(message) is not None and world.posted() == ["Thank you."]
    other = world.connector.compose(world.reply(question, "Something else."))
    assert world.connector.find_sent(other) is None


def test_a_public_question_is_answered_in_private(world: World) -> None:
    question = world.hear("ana.test", "where is order 17?")
    assert world.connector.visibilities(question.post) == (Visibility.PUBLIC, Visibility.DIRECT)
    reply = world.reply(question, "n" * 900, visibility=Visibility.DIRECT)
    receipt, _ = sent(world, world.connector.compose(reply))
    assert receipt.message_id.startswith("bsky:dm:") and world.posted() == ["n" * 900]
    with pytest.raises(Unsupported, match="no files"):
        world.connector.compose(replace(reply, files=(picture(),)))


def test_who_takes_no_direct_messages_from_us_is_refused_before_commit(world: World) -> None:
    question = world.hear("ana.test", "where is order 17?", is_direct=True)
    world.server.block("ana.test", "tasbora.test")
    error, commits = sent(world, world.connector.compose(world.reply(question, "Here.")))
    assert isinstance(error, Refused) and "blocked" in error.sentence and commits <= 1


# --- Small parts ----------------------------------------------------------------------------------------------------


def test_record_keys_sort_by_time_and_say_it() -> None:
    keys = [new_tid() for _ in range(500)]
    assert keys == sorted(keys) and len(set(keys)) == 500 and all(is_tid(one) for one in keys)
    assert seconds_of("3jzfcijpj2z2a") == pytest.approx(1_688_137_381.887007)  # https://atproto.com/specs/tid
    assert seconds_of("zzzzzzzzzzzzz") is None and not is_tid("3JZFCIJPJ2Z2A") and not is_tid("3jzfcijpj2z21")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_pictures_tell_their_size(kind: str) -> None:
    assert size_of(picture(kind, (321, 123)).content) == (321, 123)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00", b"RIFF0000WEBPVP8X", b"\x89PNG\r\n\x1a\n"]
)
def test_broken_pictures_have_no_size(content: bytes) -> None:
    assert size_of(content) == (0, 0)


def test_frozen_bytes_hold_no_secret(world: World) -> None:
    message = world.connector.compose(world.reply(world.hear("ana.test", "open?"), "Until six."))
    assert not any(str(one) in message.content.decode() for one in world.tokens.kept.values())
    assert json.loads(message.content)["send"]["kind"] == "post"
