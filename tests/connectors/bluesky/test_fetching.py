"""Reading a simulated Bluesky: newest first down to what is known, whatever cursors, clocks and the network do."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import AuthFailed, PlacesMissing, Refused, RetryLater
from connectors.messages import ParsedDeletion, ParsedMessage, ParsedReach, Scope, Wish
from connectors.simulators.web import Answer, Fault, Request, VirtualClock, json_answer
from connectors.social import Standing, Visibility
from tests.connectors.bluesky.conftest import NOTIFICATIONS, World, furnished


def calls(world: World, name: str = "") -> int:
    return sum(1 for one in world.server.log if name in one.route)


def say_many(world: World, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        world.server.say(("ana.test", "bogdan.test")[number % 2], f"question {number}")


def numbers(world: World) -> list[int]:
    return sorted(int(text.rpartition(" ")[2]) for text in world.texts())


# --- What is brought ------------------------------------------------------------------------------------------------


def test_a_mention_comes_with_its_author_and_us_as_recipient(world: World) -> None:
    message = world.hear("ana.test", "@tasbora.test unde e comanda?", langs=["ro"])
    assert message.author.address == "ana.test" and message.author.external_id.startswith("did:plc:")
    assert message.recipients[0].address.external_id == world.settings["did"]
    assert message.post is not None and message.post.standing is Standing.MENTION
    assert (message.post.profile.followers, message.post.profile.bio) == (320, "Likes bags.")
    assert message.verified is True and message.flags == ()


def test_replies_and_quotes_of_ours_are_told_apart_and_threads_named(world: World) -> None:
    ours = world.server.say("tasbora.test", "New straps!")
    reply = world.hear("ana.test", "Which colours?", answers=ours)
    quote = world.hear("bogdan.test", "Look:", quotes=ours)
    deeper = world.hear("ana.test", "And how long?", answers=reply.message_id)
    assert reply.post and quote.post and deeper.post
    assert [one.post.standing for one in (reply, quote, deeper)] == [Standing.REPLY, Standing.QUOTE, Standing.REPLY]
    assert (reply.in_reply_to, reply.references) == (ours, (ours,))
    assert (deeper.in_reply_to, deeper.references) == (reply.message_id, (ours, reply.message_id))
    assert quote.post.quoted and quote.post.quoted.text == "New straps!" and quote.references == ()


def test_likes_and_reposts_of_ours_are_reach_and_no_message(world: World) -> None:
    ours = world.server.say("tasbora.test", "New straps!")
    world.server.boost("ana.test", ours)
    world.server.like("bogdan.test", ours)
    found = [one for one in world.poll() if isinstance(one, ParsedReach)]
    assert {(one.action, one.actor.address, one.message_id, one.followers) for one in found} == {
        ("repost", "ana.test", ours, 320),
        ("like", "bogdan.test", ours, 0),
    }


def test_our_own_posts_come_as_sent_with_whom_they_answer(world: World) -> None:
    asked = world.server.say("ana.test", "open?")
    world.server.say("tasbora.test", "Until six.", answers=asked)
    world.server.boost("tasbora.test", asked)
    ours = [one for one in world.poll() if isinstance(one, ParsedMessage) and one.post and one.post.standing == "own"]
    assert [(one.text, one.recipients[0].address.address) for one in ours] == [("Until six.", "ana.test")]
    assert all(item.is_sent for item in world.items.values() if item.scope.place == "own")


def test_direct_messages_come_in_their_conversation_and_deletions_too(world: World) -> None:
    first = world.hear("ana.test", "my address is Main St 1", is_direct=True)
    second = world.hear("ana.test", "and the door code is 7", is_direct=True)
    assert first.post and first.post.visibility is Visibility.DIRECT and first.post.standing is Standing.DIRECT
    assert first.references == second.references and first.references[0].startswith("bsky:convo:")
    assert first.message_id.startswith("bsky:dm:")
    before = calls(world, "getMessages")
    assert world.poll() == [] and calls(world, "getMessages") == before  # nothing new: one call tells
    world.server.delete(second.message_id.rpartition(":")[2])
    (gone,) = world.poll()
    assert gone == ParsedDeletion(second.message_id)


def test_a_password_without_direct_messages_keeps_them_out_quietly(tmp_path: Path) -> None:
    with furnished(reads_direct=False) as server:
        world = World(server, tmp_path)
        server.say("ana.test", "private", is_direct=True)
        server.say("ana.test", "public")
        assert len(world.poll()) == 1
        party = world.connector.check()
        assert party.places == ("mentions", "own") and "Direct messages" in party.notes[0]
        assert world.connector.visibilities(None) == (Visibility.PUBLIC,)


def test_that_direct_messages_are_away_is_said_after_the_rest_is_brought(world: World) -> None:
    world.server.say("ana.test", "public")
    world.server.faults.add("GET /xrpc/chat.bsky.convo.listConvos", Fault(status=503, times=0))
    with pytest.raises(PlacesMissing) as raised:
        world.poll()
    assert set(raised.value.places) == {"dms"} and len(world.texts()) == 1


def test_only_the_places_that_are_due_are_asked(world: World) -> None:
    world.poll(Wish(scopes=frozenset({"own"})))
    assert calls(world, "getAuthorFeed") == 1 and calls(world, "listNotifications") == calls(world, "chat") == 0


# --- Down to what is known ------------------------------------------------------------------------------------------


def test_a_thousand_mentions_between_polls_all_arrive_once(world: World) -> None:
    say_many(world, 5)
    world.poll()
    say_many(world, 1000, first=5)
    world.poll()
    assert numbers(world) == list(range(1005))
    assert calls(world, "getPosts") <= 42
    before = len(world.server.log)
    assert not any(page.items for page in world.pages())  # the overlap is walked again, and nothing of it looked at
    assert len(world.server.log) - before <= 13


def test_an_interrupted_walk_goes_on_where_it_was(world: World) -> None:
    say_many(world, 60)
    wish = Wish(page_items=10)
    for page, _ in zip(world.pages(wish), range(3), strict=False):
        assert page.items
    say_many(world, 25, first=60)
    before = calls(world, "listNotifications")
    world.poll(wish)
    assert numbers(world) == list(range(85))
    assert calls(world, "listNotifications") - before <= 10


def test_a_limit_of_items_is_kept_and_the_rest_comes_later(world: World) -> None:
    say_many(world, 45)
    for _ in range(8):
        world.poll(Wish(max_items=10, page_items=5))
    assert numbers(world) == list(range(45))


def test_f69_what_surfaces_late_is_not_missed(tmp_path: Path) -> None:
    clock = VirtualClock(datetime.now(UTC))
    with furnished(now=clock.now) as server:
        world = World(server, tmp_path)
        late = server.say("ana.test", "late", surfaces_after=timedelta(minutes=14))
        for number in range(150):
            clock.advance(timedelta(seconds=6))
            server.say("bogdan.test", f"question {number}")
            if number % 10 == 0:
                world.poll()
        world.poll()
        assert late in [item.external_id for item in world.items.values()]


def test_a_post_by_a_clock_that_is_wrong_is_found_and_dated_by_the_network(world: World) -> None:
    say_many(world, 3)
    world.poll()
    now = datetime.now(UTC)
    old = world.hear("ana.test", "from the past", written_at=now - timedelta(days=300))
    ahead = world.hear("ana.test", "from the future", written_at=now + timedelta(days=300))
    for message in (old, ahead):
        assert message.written_at and abs(message.written_at - now) < timedelta(minutes=2)
        assert message.flags == ("bad-date",)


def test_history_reaches_back_as_far_as_it_is_set(tmp_path: Path) -> None:
    clock = VirtualClock(datetime.now(UTC) - timedelta(days=9))
    with furnished(now=clock.now) as server:
        for _ in range(120):
            server.say("ana.test", "old")
        clock.advance(timedelta(days=9))
        server.say("ana.test", "new")
        world = World(server, tmp_path, more={"history_days": 2})
        world.poll()
        assert len(world.texts()) == 100  # the newest page is always read whole


# --- f71: cursors ---------------------------------------------------------------------------------------------------


def malformed(request: Request, answer: Answer) -> Answer:
    if not request.first("cursor"):
        return answer
    return json_answer({"error": "InvalidRequest", "message": "Malformed cursor"}, 400)


def vanishing(request: Request, answer: Answer) -> Answer:
    data = json.loads(answer.body)
    data.pop("cursor", None)
    return json_answer(data)


def opaque(request: Request, answer: Answer) -> Answer:
    """Cursors of another form, which time does not replace."""
    data = json.loads(answer.body)
    if "cursor" in data:
        data["cursor"] = "x"
    if request.first("cursor"):
        return json_answer({"error": "InvalidRequest", "message": "invalid cursor"}, 400)
    return json_answer(data)


def repeating() -> Callable[[Request, Answer], Answer]:
    first: list[Answer] = []

    def change(request: Request, answer: Answer) -> Answer:
        if not first:
            first.append(answer)
        return first[0]

    return change


@pytest.mark.parametrize(
    "fault",
    [
        Fault(change=malformed, times=4),
        Fault(change=vanishing, times=0),
        Fault(change=opaque, times=3),
        Fault(change=repeating(), times=3),
    ],
    ids=["malformed", "vanishing", "opaque", "repeating"],
)
def test_f71_a_cursor_that_fails_in_the_middle_of_a_walk_loses_nothing(world: World, fault: Fault) -> None:
    say_many(world, 10)
    world.poll()
    say_many(world, 250, first=10)
    world.server.faults.add(NOTIFICATIONS, fault)
    for _ in range(4):
        world.poll()
    world.server.faults.clear()
    world.poll()
    assert numbers(world) == list(range(260))


def test_f71_a_cursor_that_was_kept_over_night_and_is_refused_in_the_morning(world: World) -> None:
    say_many(world, 60)
    for _page, _ in zip(world.pages(Wish(page_items=10)), range(2), strict=False):
        pass
    world.server.faults.add(NOTIFICATIONS, Fault(change=malformed, times=0))
    world.poll(Wish(page_items=10))
    world.server.faults.clear()
    world.poll(Wish(page_items=10))
    assert numbers(world) == list(range(60))


def test_f71_new_fields_and_new_kinds_of_notifications_do_no_harm(world: World) -> None:
    def change(request: Request, answer: Answer) -> Answer:
        data = json.loads(answer.body)
        for one in data["notifications"]:
            one["novel"] = {"$type": "app.bsky.unheard#of", "x": [1, None]}
            one["author"]["pronouns"] = 7
        odd: list[Any] = [None, "x", {"reason": "verified"}, {"reason": "mention"}, {"reason": 5, "uri": 7}]
        return json_answer({**data, "notifications": odd + data["notifications"]})

    say_many(world, 2)
    world.server.faults.add(NOTIFICATIONS, Fault(change=change, times=0))
    world.poll()
    assert numbers(world) == [0, 1]


# --- Trouble --------------------------------------------------------------------------------------------------------


def test_f72_a_limit_is_waited_for_as_long_as_said_and_the_place_is_kept(world: World) -> None:
    say_many(world, 250)
    headers: dict[str, str | None] = {"RateLimit-Remaining": "0", "RateLimit-Reset": "1"}  # long ago: a lie
    pages = world.pages()
    next(pages)
    world.server.faults.add(NOTIFICATIONS, Fault(status=429, body=b"{}", headers=headers))
    with pytest.raises(RetryLater) as raised:
        list(pages)
    assert raised.value.after and raised.value.after >= timedelta(seconds=5)
    world.poll()
    assert numbers(world) == list(range(250))


def test_an_access_token_that_runs_out_in_mid_page_is_renewed_without_a_new_session(world: World) -> None:
    say_many(world, 250)
    pages = world.pages()
    next(pages)
    body = b'{"error":"ExpiredToken","message":"Token has expired"}'
    world.server.faults.add(NOTIFICATIONS, Fault(status=400, body=body))
    list(pages)
    assert numbers(world) == list(range(250)) and world.tokens.renewals == 1
    assert calls(world, "createSession") == 0


def test_a_suspended_account_is_told_as_such(world: World) -> None:
    world.server.suspend("tasbora.test")
    with pytest.raises(AuthFailed):
        world.poll()


def test_a_post_deleted_between_list_and_look_comes_with_the_words_that_were_listed(world: World) -> None:
    def change(request: Request, answer: Answer) -> Answer:
        return json_answer({"posts": []})

    world.server.faults.add("GET /xrpc/app.bsky.feed.getPosts", Fault(change=change))
    message = world.hear("ana.test", "here and gone")
    assert message.text.endswith("here and gone") and message.post and message.post.facts["cid"]


# --- Looking again --------------------------------------------------------------------------------------------------


def test_f73_what_is_deleted_is_a_tombstone_and_what_is_blocked_is_not(world: World) -> None:
    gone, blocked, there = (world.server.say(who, "hi") for who in ("ana.test", "bogdan.test", "chidi.test"))
    world.poll()
    world.server.delete(gone)
    world.server.block("bogdan.test", "tasbora.test")
    pages = list(world.connector.recheck([gone, blocked, there, "bsky:dm:a:b", "nonsense"]))
    items = {item.external_id: item for page in pages for item in page.items}
    assert set(items) == {gone, there}
    assert world.connector.parse(items[gone]) == ParsedDeletion(gone) and items[gone].version == "gone"
    assert items[there].version == next(one.version for one in world.items.values() if one.external_id == there)


def test_our_own_posts_can_be_listed_for_reconciliation(world: World) -> None:
    ours = sorted(world.server.say("tasbora.test", f"post {number}") for number in range(3))
    assert list(world.connector.list_ids(Scope("own")).ids) == ours
    with pytest.raises(Refused):
        world.connector.list_ids(Scope("mentions"))
