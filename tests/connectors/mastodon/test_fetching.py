"""Reading a simulated Mastodon server: nothing missed, nothing twice, resumable at every page."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.base import AuthFailed, RetryLater
from connectors.messages import Known, KnownScope, ParsedDeletion, ParsedReach, Scope, Wish
from connectors.metering import Quota
from connectors.simulators.exchange import VirtualClock, utc_now
from connectors.simulators.faults import Fault
from connectors.simulators.mastodon import MastodonServer
from connectors.social import Standing, Visibility
from tests.connectors.mastodon.conftest import NOTIFICATIONS, World, connect

MENTIONS = Scope("mentions")


def unlimited(server: MastodonServer) -> None:
    server.access.general.calls = 100_000


def test_mentions_answers_quotes_and_direct_messages_arrive_with_author_thread_and_standing(world: World) -> None:
    first = world.server.say("ana@far.example", "where is my order?")
    answer = world.server.say("bogdan", "mine too", answers=first)
    direct = world.server.say("ana@far.example", "the code is 20418", is_direct=True)
    world.read()
    mention, joined, private = world.of(first), world.of(answer), world.of(direct)
    assert (mention.author.address, mention.author.name) == ("ana@far.example", "Ana Popescu")
    assert mention.post is not None and mention.post.standing is Standing.MENTION
    assert mention.post.profile.followers == 320 and mention.post.profile.bio == "Potter in Cluj."
    assert joined.in_reply_to == mention.message_id and joined.references == (mention.message_id,)
    assert joined.author.address == "bogdan@social.example"
    assert private.post is not None and private.post.visibility is Visibility.DIRECT
    assert private.post.standing is Standing.DIRECT and private.references == ()
    assert private.author.external_id == mention.author.external_id != ""
    assert all(one.verified for one in world.messages())


def test_f70_a_thousand_mentions_between_two_polls_all_arrive_once(world: World) -> None:
    unlimited(world.server)
    world.server.say("bogdan", "the first one")
    world.read()
    wanted = {world.server.say("ana@far.example", f"number {number}") for number in range(1000)}
    fresh = world.read()
    assert len(fresh) == 1000
    assert {one.external_id.partition(" ")[0] for one in fresh} == wanted
    assert world.read() == []


def test_f70_a_server_that_takes_min_id_for_since_id_leaves_no_hole(world: World) -> None:
    unlimited(world.server)
    world.server.min_id_is_since_id = True
    world.server.say("bogdan", "the first one")
    world.read()
    wanted = {world.server.say("ana@far.example", f"number {number}") for number in range(250)}
    seen: set[str] = set()
    for _ in range(20):  # interrupted after every page
        known = Known(tuple(KnownScope(scope, state=state) for scope, state in world.state.items()))
        page = next(iter(world.connector.fetch(known, Wish(scopes=frozenset({"mentions"})))), None)
        seen |= {one.external_id.partition(" ")[0] for one in world.keep(page)} if page else set()
    assert seen == wanted


def test_the_first_look_goes_down_from_the_newest_and_goes_on_where_it_was_interrupted(world: World) -> None:
    unlimited(world.server)
    ids = [world.server.say("ana@far.example", f"number {number}") for number in range(200)]
    only = Wish(scopes=frozenset({"mentions"}), page_items=30)
    pages = world.connector.fetch(Known(), only)
    for _ in range(3):
        world.keep(next(pages))
    del pages
    brought = [one.external_id.partition(" ")[0] for one in world.stored.values()]
    assert brought == ids[:-91:-1]
    late = world.server.say("bogdan", "meanwhile")
    fresh = [one.external_id.partition(" ")[0] for one in world.read(only)]
    assert fresh[0] == late and set(fresh[1:]) == set(ids[:110])
    assert world.read(only) == []


def test_f69_a_mention_that_surfaces_a_quarter_of_an_hour_late_still_arrives(tmp_path: Path) -> None:
    clock = VirtualClock(utc_now() - timedelta(hours=1))
    with MastodonServer(now=clock.now) as server:
        server.join("tideline", is_ours=True)
        server.join("ana")
        world = World(server, connect(server, tmp_path), tmp_path)
        server.say("ana", "long ago")
        clock.advance(timedelta(hours=1))
        late = server.say("ana", "I am late", surfaces_after=timedelta(minutes=14))
        server.say("ana", "I am not")
        assert len(world.read()) == 2
        clock.advance(timedelta(minutes=14))
        assert [one.external_id.partition(" ")[0] for one in world.read()] == [late]
        world.connector.close()


def test_what_was_read_is_not_asked_for_in_full_again(world: World) -> None:
    for number in range(5):
        world.server.say("ana@far.example", f"number {number}")
    world.read()
    world.server.log.clear()
    assert world.read() == []
    assert sum(1 for one in world.server.seen(NOTIFICATIONS)) <= 2
    assert all("min_id=" in one.request.raw_target for one in world.server.seen(NOTIFICATIONS))


def test_a_page_that_repeats_itself_for_ever_ends(world: World) -> None:
    world.server.say("ana@far.example", "hello")
    world.read()
    world.server.say("ana@far.example", "again")
    page = json.dumps(
        [world.server.views.notice(one, world.server.world.members[one.to]) for one in world.server.world.notices]
    ).encode()
    world.server.faults.add(NOTIFICATIONS, Fault(status=200, body=page, times=0))
    assert len(world.read(Wish(scopes=frozenset({"mentions"})))) == 1
    assert len(world.server.seen(NOTIFICATIONS)) < 12


def test_boosts_and_favourites_of_our_posts_are_reach_and_no_messages(world: World) -> None:
    world.read()
    own = world.server.say("tideline", "We open at nine.")
    world.server.boost("ana@far.example", own)
    world.server.favour("bogdan", own)
    world.read()
    found = [world.connector.parse(one) for one in world.stored.values() if one.scope == MENTIONS]
    carried = {one.action: one for one in found if isinstance(one, ParsedReach)}
    assert len(found) == 2 and set(carried) == {"repost", "like"}
    assert carried["repost"].message_id == world.of(own).message_id
    assert (carried["repost"].actor.address, carried["repost"].followers) == ("ana@far.example", 320)


def test_our_own_answers_come_as_sent_with_whom_they_answer(world: World) -> None:
    first = world.server.say("ana@far.example", "where is it?")
    reply = world.server.say("tideline", "On its way.", answers=first)
    world.server.boost("tideline", first)
    world.read()
    sent = [one for one in world.stored.values() if one.is_sent]
    assert [one.external_id.partition(" ")[0] for one in sent] == [reply]
    said, asked = world.of(reply), world.of(first)
    assert said.recipients[0].address == asked.author
    assert said.in_reply_to == asked.message_id
    assert said.post is not None and said.post.standing is Standing.OWN


def test_a_long_thread_is_joined_by_the_uris_of_everything_above(world: World) -> None:
    first = world.server.say("ana@far.example", "one")
    second = world.server.say("bogdan", "two", answers=first)
    world.server.world.statuses[second].mentions.clear()
    world.server.world.notices.pop()  # we were not told of it
    third = world.server.say("ana@far.example", "@tideline three", answers=second)
    world.read()
    uris = [world.server.world.statuses[one].uri for one in (first, second)]
    assert world.of(third).references == tuple(uris)


def test_many_answers_are_resolved_twenty_at_a_time(world: World) -> None:
    world.read()
    parents = [world.server.say("bogdan", f"@ana@far.example nothing {n}", quotes="") for n in range(30)]
    world.server.world.notices.clear()
    for parent in parents:
        world.server.say("ana@far.example", "@tideline look at this", answers=parent)
    world.server.world.notices = [one for one in world.server.world.notices if one.kind == "mention"]
    world.server.log.clear()
    fresh = world.read(Wish(scopes=frozenset({"mentions"})))
    assert len(fresh) == 30 and all(json.loads(one.content or b"")["ancestors"] for one in fresh)
    assert len(world.server.log) <= 8


def test_f73_an_edit_is_a_new_version_and_a_deletion_a_tombstone(world: World) -> None:
    edited = world.server.say("ana@far.example", "it is brokn")
    deleted = world.server.say("bogdan", "shame on you")
    kept = world.server.say("bogdan", "thank you")
    world.read()
    before = world.of(edited)
    world.server.edit(edited, "@tideline it is broken")
    world.server.delete(deleted)
    keys = [world.key(one) for one in (edited, deleted, kept)]
    pages = list(world.connector.recheck([*keys, "notification 17"]))
    assert [one.external_id for page in pages for one in page.items] == keys[:2]
    for page in pages:
        world.keep(page)
    after = world.of(edited)
    assert after.message_id == before.message_id and after.visible_text == "@tideline it is broken"
    assert before.post is not None and after.post is not None and after.post.revision > before.post.revision
    gone = world.parsed(deleted)[-1]
    assert isinstance(gone, ParsedDeletion)
    assert gone.message_id == world.server.world.statuses[deleted].uri


def test_a_server_without_the_newer_calls_is_read_all_the_same(world: World) -> None:
    for route in ("GET /api/v1/statuses", "GET /api/v2/instance"):
        world.server.faults.add(route, Fault(status=404, body=b'{"error":"Record not found"}', times=0))
    first = world.server.say("ana@far.example", "one")
    answers = [world.server.say("bogdan", f"answer {number}", answers=first) for number in range(12)]
    connector = connect(world.server, world.spool)
    fresh = World(world.server, connector, world.spool)
    assert connector.check().address == "tideline@social.example"
    fresh.read()
    assert fresh.of(answers[-1]).in_reply_to == fresh.of(first).message_id
    world.server.delete(answers[0])
    pages = list(connector.recheck([fresh.key(one) for one in answers]))
    assert [one.version for page in pages for one in page.items] == ["gone"]
    connector.close()


def test_a_token_revoked_in_the_middle_parks_the_account_and_keeps_what_was_read(world: World) -> None:
    unlimited(world.server)
    for number in range(100):
        world.server.say("ana@far.example", f"number {number}")
    pages = world.connector.fetch(Known(), Wish(page_items=30))
    world.keep(next(pages))
    world.server.access.revoke_all(world.server.world.get_member("tideline").id)
    with pytest.raises(AuthFailed) as raised:
        list(pages)
    assert "Connect" in raised.value.sentence and len(world.stored) == 30


def test_f72_a_reached_limit_is_waited_for_and_what_was_read_is_not_read_again(world: World) -> None:
    for number in range(100):
        world.server.say("ana@far.example", f"number {number}")
    world.server.access.general.calls = 2
    world.server.access.general.used.clear()
    with pytest.raises(RetryLater) as raised:
        world.read(Wish(page_items=30))
    assert raised.value.after and timedelta(0) < raised.value.after <= timedelta(minutes=6)
    assert len(world.stored) == 60
    unlimited(world.server)
    assert len(world.read(Wish(page_items=30))) == 40


def test_one_huge_answer_is_asked_for_in_smaller_pieces(world: World) -> None:
    world.server.say("ana@far.example", "hello")
    world.server.faults.add(NOTIFICATIONS, Fault(padding=9_000_000, times=1))
    assert len(world.read()) == 1


def test_how_often_a_server_may_be_asked_is_known_beforehand(world: World) -> None:
    assert {one.place for one in world.connector.poll_places} == {"mentions", "own"}
    assert all(Quota(300, 300) in one.quotas for one in world.connector.poll_places)
    world.server.say("ana@far.example", "hello")
    assert world.read(Wish(scopes=frozenset({"own"}))) == []


def test_a_recycled_handle_is_another_identity(world: World) -> None:
    first = world.server.say("bogdan", "it was me")
    world.read()
    before = world.of(first)
    world.server.world.leave(world.server.world.get_member("bogdan"))
    world.server.join("bogdan", "Another Bogdan")
    second = world.server.say("bogdan", "and now me")
    world.read()
    after = world.of(second)
    assert after.author.address == before.author.address
    keys = {world.connector.identity_key(one.author) for one in (before, after)}
    assert len(keys) == 2 and "" not in keys
