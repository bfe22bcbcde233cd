"""Answers, posts and direct messages to the simulated X: exactly once, and found again on doubt."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import AuthFailed, ConnectorError, OutcomeUnknown, Refused, RetryLater, Unsupported
from connectors.messages import (
    Direction,
    OutboundFile,
    OutboundMessage,
    Outcome,
    ParsedMessage,
    RawItem,
    Receipt,
    Scope,
)
from connectors.metering import BudgetReached
from connectors.registry import AccountSettings, SecretText
from connectors.simulators.faults import Fault
from connectors.social import Visibility
from connectors.x import XConnector
from tests.connectors.x.conftest import World

CREATE = "POST /2/tweets"
PICTURE = OutboundFile("parcel.png", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(500), "A parcel on a doorstep")


class Commit:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def send(world: World, message: OutboundMessage) -> Receipt:
    commit = Commit()
    receipt = world.x.send(message, commit)
    assert commit.times == 1
    return receipt


def frozen_of(world: World, message: OutboundMessage) -> ParsedMessage:
    found = world.x.parse(RawItem(Scope("outbox"), "1", datetime.now(UTC), len(message.content), message.content))
    assert isinstance(found, ParsedMessage)
    return found


def mentioned(world: World, text: str = "unde e comanda mea?") -> ParsedMessage:
    id_ = world.server.say("ana", text)
    world.read("mentions")
    return world.of(id_)


def ours(world: World) -> list[str]:
    return [one.text for one in world.server.timeline(500) if one.is_ours and not one.is_deleted]


def test_an_answer_is_posted_under_what_it_answers_and_comes_back_under_the_name_of_its_receipt(world: World) -> None:
    mention = mentioned(world)
    receipt = send(world, world.x.compose(world.reply(mention, "Pe drum: R&D <3 “azi”")))
    assert receipt.message_id == f"x:{receipt.external_id}"
    assert world.meter.opened.count(CREATE) == 1
    assert [one.outcome for one in receipt.outcomes] == [Outcome.SENT]
    world.read("own")
    echo = world.of(receipt.external_id)
    assert echo.message_id == receipt.message_id
    assert echo.in_reply_to == mention.message_id
    assert echo.visible_text == "Pe drum: R&D <3 “azi”"
    assert Direction.OUTBOUND  # it lies in the place of what we sent
    assert next(item for item in world.store.values() if item.external_id == receipt.external_id).is_sent


def test_the_frozen_bytes_are_the_same_twice_and_read_back_as_what_was_meant(world: World) -> None:
    mention = mentioned(world)
    reply = world.reply(mention, "Vedem acum.\r\nMulțumim!", PICTURE)
    message = world.x.compose(reply)
    assert message.content == world.x.compose(reply).content
    found = frozen_of(world, message)
    assert found.message_id == message.idempotency_key == reply.idempotency_key
    assert found.text == "Vedem acum.\nMulțumim!"
    assert [one.address for one in found.recipients] == [mention.author]
    assert message.recipients == (mention.author.address,)
    assert [(one.name, one.size) for one in found.attachments] == [("parcel.png", len(PICTURE.content))]
    assert found.in_reply_to == mention.message_id
    assert found.post and found.post.media[0].alt == PICTURE.alt


def test_pictures_go_up_in_segments_with_their_descriptions_before_the_post_is_made(world: World) -> None:
    large = OutboundFile("large.jpg", "image/jpeg", bytes(range(256)) * 18_000, "")
    mention = mentioned(world)
    order: list[str] = []
    message = world.x.compose(world.reply(mention, "Iată", PICTURE, large))
    world.x.send(message, lambda: order.extend(one.route for one in world.server.seen()))
    assert "POST /2/tweets" not in order
    assert order.count("POST /2/media/upload/:id/append") == 3
    assert order.count("POST /2/media/metadata") == 1
    bodies = [json.loads(one.request.body) for one in world.server.seen("POST /2/media/metadata")]
    assert bodies[0]["metadata"]["alt_text"]["text"] == PICTURE.alt
    world.read("own")
    assert len(world.messages("own")[0].post.media) == 2  # type: ignore[union-attr]


def test_a_direct_message_is_answered_in_its_conversation(world: World) -> None:
    id_ = world.server.say("ana", "codul este 20418", is_direct=True)
    world.read("dms")
    private = world.of(id_)
    message = world.x.compose(world.reply(private, "Mulțumim, am văzut.", PICTURE))
    receipt = send(world, message)
    assert receipt.message_id.startswith("x:dm:")
    world.read("dms")
    echo = world.of(receipt.external_id)
    assert echo.references == private.references
    assert [one.address.external_id for one in echo.recipients] == [private.author.external_id]
    assert world.x.find_sent(message) == receipt


def test_a_public_post_may_be_answered_in_private(world: World) -> None:
    mention = mentioned(world)
    message = world.x.compose(world.reply(mention, "Scrieți-ne codul aici.", visibility=Visibility.DIRECT))
    receipt = send(world, message)
    assert receipt.message_id.startswith("x:dm:")
    assert frozen_of(world, message).post.visibility is Visibility.DIRECT  # type: ignore[union-attr]
    assert world.server.seen(CREATE) == []


def test_a_post_of_our_own_answers_nobody(world: World) -> None:
    receipt = send(world, world.x.compose(world.reply(None, "Deschidem la 10.")))
    assert receipt.outcomes == ()
    body = json.loads(world.server.seen(CREATE)[0].request.body)
    assert body == {"text": "Deschidem la 10."}


# --- Doubt ----------------------------------------------------------------------------------------------------------


def test_f41_a_refusal_as_a_duplicate_looks_up_what_is_there_and_adopts_it(world: World) -> None:
    message = world.x.compose(world.reply(mentioned(world), "Pe drum: tasbora.com/urmărire"))
    world.server.faults.add(CREATE, Fault(is_carried_out=True, cut_after=0))
    with pytest.raises(OutcomeUnknown):
        send(world, message)
    receipt = send(world, message)
    assert len(ours(world)) == 1
    assert receipt.external_id == next(one.id for one in world.server.timeline() if one.is_ours)


def test_f41_a_duplicate_of_something_else_is_a_refusal_that_says_so(world: World) -> None:
    mention, other = mentioned(world), mentioned(world, "și eu întreb")
    send(world, world.x.compose(world.reply(mention, "Bună ziua!")))
    world.clock.advance(timedelta(seconds=30))
    problem = {"title": "Forbidden", "detail": "You are not allowed to create a Tweet with duplicate content."}
    world.server.faults.add(CREATE, Fault(status=403, body=json.dumps(problem).encode()))
    with pytest.raises(Refused, match="other words"):
        send(world, world.x.compose(world.reply(other, "Bună ziua!")))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(is_carried_out=True, cut_after=0),
        Fault(is_carried_out=True, cut_after=10),
        Fault(is_carried_out=True, status=503, body=b""),
        Fault(is_carried_out=True, status=504, body=b"<html>"),
        Fault(is_carried_out=True, is_html=True),
        Fault(is_carried_out=True, body=b"{}"),
        Fault(is_carried_out=True, body=b"[]"),
        Fault(is_carried_out=True, body=b'{"data": {"id": 7}}'),
    ],
    ids=["lost", "cut", "503", "504", "page", "empty", "list", "number"],
)
def test_f39_an_answer_that_tells_nothing_clear_is_doubt_and_the_post_is_found(world: World, fault: Fault) -> None:
    message = world.x.compose(world.reply(mentioned(world), "Pe drum, vedeți example.com/x"))
    world.server.faults.add(CREATE, fault)
    with pytest.raises(OutcomeUnknown):
        send(world, message)
    assert len(world.server.seen(CREATE)) == 1
    receipt = world.x.find_sent(message)
    assert receipt and receipt.external_id == next(one.id for one in world.server.timeline() if one.is_ours)
    assert world.meter.used["post.create-with-link"] == 1


def test_what_was_never_posted_is_not_found(world: World) -> None:
    mention = mentioned(world)
    send(world, world.x.compose(world.reply(mention, "Ceva de mai devreme")))
    message = world.x.compose(world.reply(mention, "Pe drum"))
    world.server.faults.add(CREATE, Fault(status=504, body=b""))
    with pytest.raises(OutcomeUnknown):
        send(world, message)
    assert world.x.find_sent(message) is None


def test_the_same_words_sent_before_this_message_was_written_are_not_taken_for_it(world: World) -> None:
    id_ = world.server.say("ana", "codul este 20418", is_direct=True)
    world.read("dms")
    send(world, world.x.compose(world.reply(world.of(id_), "Mulțumim!")))
    world.clock.advance(timedelta(minutes=2))
    reply = world.reply(world.of(id_), "Mulțumim!")
    later = world.x.compose(reply)
    world.server.faults.add("POST /2/dm_conversations/:dm_conversation_id/messages", Fault(status=502, body=b""))
    with pytest.raises(OutcomeUnknown):
        send(world, later)
    assert world.x.find_sent(later) is None


def test_before_the_point_of_no_return_everything_is_only_a_wait(world: World) -> None:
    message = world.x.compose(world.reply(mentioned(world), "Iată", PICTURE))
    world.server.faults.add("POST /2/media/upload/:id/append", Fault(status=503, body=b"", times=0))
    commit = Commit()
    with pytest.raises(RetryLater):
        world.x.send(message, commit)
    assert commit.times == 0
    assert world.server.seen(CREATE) == []


def test_a_server_that_is_not_there_leaves_no_doubt(world: World) -> None:
    message = world.x.compose(world.reply(mentioned(world), "Pe drum"))
    world.server.stop()
    with pytest.raises(RetryLater):
        world.x.send(message, Commit())


def test_a_budget_that_is_used_up_stops_an_answer_before_it_leaves(world: World) -> None:
    message = world.x.compose(world.reply(mentioned(world), "Pe drum"))
    world.meter.left = {"post.create": 0}
    commit = Commit()
    with pytest.raises(BudgetReached):
        world.x.send(message, commit)
    assert commit.times == 0
    assert ours(world) == []


def test_a_refused_post_costs_nothing_and_a_made_one_what_the_platform_charges(world: World) -> None:
    mention = mentioned(world)
    problem = {"title": "Forbidden", "detail": "No."}
    world.server.faults.add(CREATE, Fault(status=403, body=json.dumps(problem).encode()))
    with pytest.raises(Refused):
        send(world, world.x.compose(world.reply(mention, "Pe drum")))
    assert world.meter.used["post.create"] == 0
    paid = world.server.ledger.micros()
    message = world.reply(mention, "Vedeți tasbora.com/urmărire")
    price = world.x.price(_outline(message))
    send(world, world.x.compose(message))
    assert price and price.micros == 200_000
    assert world.server.ledger.micros() - paid == price.micros
    assert world.meter.used["post.create-with-link"] == 1


def _outline(reply: Any) -> Any:
    from connectors.social import Outline

    return Outline(reply.text, reply.answers)


# --- Refusals -------------------------------------------------------------------------------------------------------


def test_f73_an_answer_to_a_post_deleted_meanwhile_is_refused_in_a_sentence_that_says_what_happened(
    world: World,
) -> None:
    mention = mentioned(world)
    message = world.x.compose(world.reply(mention, "Pe drum"))
    world.server.delete(mention.message_id.removeprefix("x:"))
    with pytest.raises(Refused, match="is gone"):
        send(world, message)
    assert frozen_of(world, message).text == "Pe drum"


def test_an_answer_that_the_rules_of_the_plan_forbid_is_known_before_and_refused_in_words(world: World) -> None:
    shop = world.server.say("tasbora", "Am deschis")
    first = world.server.say("ana", "@tasbora unde?", answers=shop)
    aside = world.server.say("bogdan", "@ana la mall", answers=first)
    world.read()
    stranger = world.of(aside)
    assert stranger.post and world.x.permission(stranger.post).allowed is False
    with pytest.raises(Refused, match="neither mentioned this account nor quoted it"):
        send(world, world.x.compose(world.reply(stranger, "Suntem și în centru")))


@pytest.mark.parametrize(
    ("status", "detail", "error", "words"),
    [
        (401, "Unauthorized", AuthFailed, "Connect the account again"),
        (403, "Your account is suspended and is not permitted to access this feature.", AuthFailed, "suspended"),
        (403, "To protect our users from spam, this account is temporarily locked.", AuthFailed, "locked"),
        (403, "You attempted to reply to a Tweet that is deleted or not visible to you.", Refused, "gone"),
        (403, "This user is not allowed to post a video longer than 20 minutes.", Refused, "20 minutes"),
        (400, "Your media IDs are invalid.", Refused, "media IDs"),
        (429, "Too Many Requests", RetryLater, "limit"),
    ],
)
def test_every_refusal_is_of_the_right_kind_and_says_why(
    world: World, status: int, detail: str, error: type[ConnectorError], words: str
) -> None:
    message = world.x.compose(world.reply(mentioned(world), "Pe drum"))
    problem = {"title": "Refused", "detail": detail, "type": "about:blank", "status": status}
    world.server.faults.add(CREATE, Fault(status=status, body=json.dumps(problem).encode(), times=0))
    with pytest.raises(error, match=words):
        send(world, message)
    assert ours(world) == []


def test_somebody_who_takes_no_messages_from_us_is_a_refusal(world: World) -> None:
    mention = mentioned(world)
    problem = {"title": "Forbidden", "detail": "You cannot send messages to this user."}
    route = "POST /2/dm_conversations/with/:participant_id/messages"
    world.server.faults.add(route, Fault(status=403, body=json.dumps(problem).encode()))
    with pytest.raises(Refused, match="takes no direct messages"):
        send(world, world.x.compose(world.reply(mention, "Aici", visibility=Visibility.DIRECT)))


@pytest.mark.parametrize(
    ("text", "files", "more", "words"),
    [
        ("x" * 281, (), {}, "280"),
        ("", (), {}, "nothing in it"),
        ("ok", (OutboundFile("a.pdf", "application/pdf", b"%PDF", ""),), {}, "a.pdf"),
        ("ok", (OutboundFile("a.png", "image/png", bytes(20 * 2**20), ""),), {}, "20.0 MB; X takes 5 MB"),
        ("ok", (PICTURE,) * 5, {}, "four pictures"),
        ("$TWTR $FB", (), {}, "one cashtag"),
        ("ok", (), {"warning": "food"}, "content warnings"),
    ],
    ids=["long", "empty", "pdf", "20MB", "five", "cashtags", "warning"],
)
def test_what_x_cannot_say_is_refused_before_it_is_frozen(
    world: World, text: str, files: tuple[OutboundFile, ...], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(Unsupported, match=words):
        world.x.compose(world.reply(mentioned(world), text, *files, **more))


def test_bytes_that_are_not_ours_are_refused_and_read_as_unreadable(world: World) -> None:
    alien = OutboundMessage("key", "tasbora", ("ana",), b'{"form": "other"}')
    with pytest.raises(Refused):
        world.x.send(alien, Commit())
    assert frozen_of(world, alien).flags


# --- OAuth 1.0a -----------------------------------------------------------------------------------------------------


def test_an_account_with_four_keys_signs_every_request_of_reading_posting_and_uploading(world: World) -> None:
    given = world.server.grant_signed("tasbora")
    names = {"consumer_key": "api_key", "consumer_secret": "api_secret"}
    keys = {names.get(name, name): value for name, value in given.items()}
    settings = {"base_url": world.server.base_url, "user_id": world.us.id, "handle": "tasbora"}
    account = AccountSettings("x", "tasbora", settings, world.spool)
    signed = XConnector(account, {name: SecretText(value) for name, value in keys.items()})
    assert signed.check().address == "tasbora"
    mention = mentioned(world)
    world.x = signed
    receipt = send(world, signed.compose(world.reply(mention, "Pe drum: iată", PICTURE)))
    assert receipt.external_id
    used = {one.request.headers["authorization"].split()[0] for one in world.server.seen(CREATE)}
    assert used == {"OAuth"}


@pytest.mark.parametrize("skew", [timedelta(hours=-1), timedelta(minutes=-1), timedelta(minutes=1), timedelta(hours=1)])
def test_clocks_that_differ_hide_no_post_of_ours(world: World, skew: timedelta) -> None:
    world.clock.advance(skew)
    message = world.x.compose(world.reply(mentioned(world), "Pe drum"))
    world.server.faults.add(CREATE, Fault(is_carried_out=True, cut_after=0))
    with pytest.raises(OutcomeUnknown):
        send(world, message)
    assert world.x.find_sent(message)


def test_a_film_is_waited_for_until_x_has_made_it_ready_and_refused_when_it_cannot(world: World) -> None:
    film = OutboundFile("a.mp4", "video/mp4", bytes(1000), "")
    world.server.processing = timedelta(0)
    mention = mentioned(world)
    send(world, world.x.compose(world.reply(mention, "Iată cum", film)))
    assert world.server.seen("POST /2/media/upload/:id/finalize")
    failed = {"data": {"id": "7", "processing_info": {"state": "failed", "error": {"message": "InvalidMedia"}}}}
    route = "POST /2/media/upload/:id/finalize"
    world.server.faults.add(route, Fault(status=200, body=json.dumps(failed).encode()))
    commit = Commit()
    with pytest.raises(Refused, match=r"cannot use “a\.mp4”"):
        world.x.send(world.x.compose(world.reply(mention, "Iată", film)), commit)
    assert commit.times == 0


def test_an_answer_to_an_edited_post_is_found_under_any_of_its_versions(world: World) -> None:
    first = world.server.say("ana", "unde e?")
    world.read("mentions")
    old = world.of(first)
    world.server.edit(first, "@tasbora unde e comanda?")
    message = world.x.compose(world.reply(old, "Pe drum"))
    receipt = send(world, message)
    found = world.x.find_sent(message)
    assert found and found.external_id == receipt.external_id
