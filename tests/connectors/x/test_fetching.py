"""Reading from the simulated X: nothing missed, nothing twice, never over the budget, at any point resumable."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import AuthFailed, PlacesMissing, Refused, RetryLater
from connectors.messages import Known, ParsedDeletion, ParsedReach, Wish
from connectors.metering import BudgetReached
from connectors.simulators.exchange import Answer, Request
from connectors.simulators.faults import Fault
from connectors.social import Standing, Visibility
from tests.connectors.x.conftest import World

MENTIONS = "GET /2/users/:id/mentions"


def test_mentions_replies_and_direct_messages_arrive_in_their_threads_with_author_and_standing(world: World) -> None:
    world.server.rename("ana", "ana_p")
    first = world.server.say("ana_p", "unde e comanda mea?")
    reply = world.server.say("bogdan", "@tasbora și a mea?", answers=first)
    direct = world.server.say("ana_p", "codul este 20418", is_direct=True)
    world.read()
    mention, answer, private = world.of(first), world.of(reply), world.of(direct)
    assert (mention.author.address, mention.author.name) == ("ana_p", "Ana")
    assert mention.post and mention.post.standing is Standing.MENTION and mention.post.profile.followers == 100
    assert answer.in_reply_to == mention.message_id
    assert answer.references == (f"x:conversation:{first}", mention.message_id)
    assert answer.visible_text == "și a mea?"
    assert private.post and private.post.visibility is Visibility.DIRECT
    assert private.author.external_id == mention.author.external_id
    assert private.references[0].startswith("x:dm-conversation:")
    assert all(one.verified for one in world.messages())


def test_f69_an_entry_that_surfaces_a_quarter_of_an_hour_late_below_what_was_seen_still_arrives(world: World) -> None:
    world.server.say("ana", "late", surfaces_after=timedelta(minutes=15))
    world.clock.advance(timedelta(minutes=1))
    world.server.say("ana", "on time")
    world.read("mentions")
    assert world.texts() == {"@tasbora on time"}
    for _ in range(8):
        world.clock.advance(timedelta(minutes=2))
        world.server.say("bogdan", "chatter")
        world.read("mentions")
    assert "@tasbora late" in world.texts()
    assert len(world.store) == 10


def test_f69_the_watermark_moves_only_when_the_whole_walk_came_down(world: World) -> None:
    for number in range(25):
        world.server.say("ana", f"number {number}")
    pages = world.x.fetch(Known(), Wish(scopes=frozenset({"mentions"}), page_items=10))
    world.keep(next(pages))
    assert world.state["mentions"]["top"] == "0"
    assert world.state["mentions"]["walk"]["floor"] == "0"


def test_a_thousand_mentions_between_two_polls_all_arrive(world: World) -> None:
    world.server.say("ana", "before")
    world.read("mentions")
    for number in range(1000):
        world.server.say("ana", f"number {number}")
    world.read("mentions")
    # X shows the newest 800 of a timeline; the older ones are out of anybody's reach.
    assert len(world.texts()) == 801
    assert "@tasbora number 999" in world.texts()
    assert len(world.server.seen(MENTIONS)) <= 10


@pytest.mark.parametrize("stop_after", range(5))
def test_a_walk_that_is_broken_off_after_any_page_goes_on_there_and_nothing_is_missing(
    world: World, stop_after: int
) -> None:
    for number in range(35):
        world.server.say("ana", f"number {number}")
    pages = world.x.fetch(Known(), Wish(scopes=frozenset({"mentions"}), page_items=10))
    for _ in range(stop_after):
        world.keep(next(pages))
    pages.close()  # type: ignore[attr-defined]
    world.server.say("bogdan", "came meanwhile")
    asked = len(world.server.seen(MENTIONS))
    world.read("mentions", page_items=10)
    assert len(world.texts()) == 36
    assert len(world.server.seen(MENTIONS)) - asked <= 8


def test_f71_a_page_token_that_is_no_longer_good_is_replaced_by_the_lowest_id_that_was_seen(world: World) -> None:
    for number in range(30):
        world.server.say("ana", f"number {number}")
    world.keep(next(iter(world.x.fetch(Known(), Wish(scopes=frozenset({"mentions"}), page_items=10)))))
    world.state["mentions"]["walk"]["token"] = "expired7140w9gefhslx3"
    world.read("mentions", page_items=10)
    assert len(world.texts()) == 30
    assert any("until_id" in one.request.query for one in world.server.seen(MENTIONS))


def test_a_page_that_repeats_is_noticed_and_walked_around(world: World) -> None:
    for number in range(30):
        world.server.say("ana", f"number {number}")
    kept: list[bytes] = []

    def repeat(request: Request, answer: Answer) -> Answer:
        if "pagination_token" in request.query and kept:
            answer.body = kept[0]
        kept.append(answer.body)
        return answer

    world.server.faults.add(MENTIONS, Fault(change=repeat, times=0))
    world.read("mentions", page_items=10)
    assert len(world.texts()) == 30


def test_pages_that_repeat_for_ever_neither_hang_nor_hide_what_comes_next(world: World) -> None:
    for number in range(12):
        world.server.say("ana", f"number {number}")

    def repeat(request: Request, answer: Answer) -> Answer:
        data = kept[0] if kept else json.loads(answer.body)
        data["meta"] = {**data["meta"], "next_token": "again"}
        kept.append(data)
        answer.status = 200
        answer.body = json.dumps(data).encode()
        return answer

    kept: list[dict[str, Any]] = []
    world.server.faults.add(MENTIONS, Fault(change=repeat, times=0))
    world.read("mentions")
    assert len(world.server.seen(MENTIONS)) < 10
    world.server.faults.clear()
    world.server.say("bogdan", "afterwards")
    world.read("mentions")
    assert len(world.texts()) == 13


def test_a_second_look_costs_nothing_and_brings_nothing_when_all_is_quiet(world: World) -> None:
    world.server.say("ana", "once")
    world.read()
    world.clock.advance(timedelta(hours=1))
    paid = world.server.ledger.micros()
    for _ in range(3):
        assert world.read("mentions", "own") == 0
        world.clock.advance(timedelta(hours=1))
    assert world.server.ledger.micros() == paid


def test_what_was_counted_is_what_the_platform_charged(world: World) -> None:
    for number in range(30):
        world.server.say(("ana", "bogdan")[number % 2], f"number {number}")
        world.server.say("tasbora", f"our own {number}")
    world.server.say("ana", "private", is_direct=True)
    shop = world.server.say("tasbora", "Am deschis")
    first = world.server.say("ana", "@tasbora unde?", answers=shop)
    world.server.say("bogdan", "@ana la mall", answers=first)
    world.server.say("bogdan", "bravo", quotes=shop)
    for _ in range(3):
        world.clock.advance(timedelta(minutes=5))
        world.read()
        list(world.x.recheck([key[1] for key in world.store if key[0] == "mentions"]))
    prices = world.x.price_list.micros
    counted = sum(prices[resource] * count for resource, count in world.meter.used.items())
    assert counted == world.server.ledger.micros()


def test_a_budget_that_ends_in_the_middle_stops_cleanly_and_reading_goes_on_with_the_next_one(world: World) -> None:
    for number in range(40):
        world.server.say("ana", f"number {number}")
    world.meter.left = {"owned.read": 15, "user.read": 50}
    with pytest.raises(BudgetReached) as caught:
        world.read("mentions", page_items=10)
    assert caught.value.after
    assert len(world.store) == 15
    assert world.server.ledger.counts()["Owned Reads"] == 15
    world.meter.left = {}
    world.read("mentions", page_items=10)
    assert len(world.texts()) == 40


def test_a_page_is_never_larger_than_the_smallest_of_what_its_entries_and_their_authors_may_cost(world: World) -> None:
    for number in range(40):
        world.server.say("ana", f"number {number}")
    world.meter.left = {"user.read": 7}
    world.read("mentions")
    sizes = [int(one.request.query["max_results"][0]) for one in world.server.seen(MENTIONS)]
    assert sizes[0] == 7
    assert world.meter.used["user.read"] <= 7


def test_less_than_the_smallest_page_is_kept_for_later(world: World) -> None:
    world.server.say("ana", "hello")
    world.meter.left = {"owned.read": 4}
    with pytest.raises(BudgetReached, match="less than the smallest page"):
        world.read("mentions")
    assert world.server.seen(MENTIONS) == []
    assert world.meter.left == {"owned.read": 4}


def test_quotes_of_our_posts_arrive_as_quotes_though_they_name_us_nowhere(world: World) -> None:
    ours = world.server.say("tasbora", "Am deschis un magazin nou")
    quote = world.server.say("ana", "Ei da, și la mine?", quotes=ours)
    world.read()
    found = world.of(quote)
    assert found.post and found.post.standing is Standing.QUOTE
    assert found.post.quoted and found.post.quoted.reference == f"x:{ours}"
    assert found.post.facts["summons"] == "quote"
    assert world.x.permission(found.post).allowed is True
    asked = len(world.server.seen("GET /2/tweets/:id/quote_tweets"))
    world.read()
    assert len(world.server.seen("GET /2/tweets/:id/quote_tweets")) == asked


def test_what_is_said_beneath_our_posts_without_naming_us_is_context_that_we_may_not_answer(world: World) -> None:
    ours = world.server.say("tasbora", "Am deschis un magazin nou")
    first = world.server.say("ana", "@tasbora unde?", answers=ours)
    aside = world.server.say("bogdan", "@ana la mall", answers=first)
    world.read()
    found = world.of(aside)
    assert found.post and found.post.standing is Standing.CONTEXT
    assert found.references[0] == f"x:conversation:{ours}"
    assert world.x.permission(found.post).allowed is False


def _elsewhere(world: World, text: str) -> str:
    """A post of somebody else that has nothing to do with us."""
    with world.server.lock:
        return world.server.world.publish(world.server.world.get_member("bogdan"), text, timedelta()).id


def test_what_a_mention_quotes_is_shown_when_others_wrote_it(world: World) -> None:
    elsewhere = _elsewhere(world, "Comanda mea nu a venit")
    mention = world.server.say("ana", "uite, @tasbora", quotes=elsewhere)
    world.read("mentions")
    quoted = world.of(mention).post
    assert quoted and quoted.quoted and quoted.quoted.text == "Comanda mea nu a venit"
    assert quoted.quoted.handle == "bogdan"


def test_what_a_mention_answers_comes_along_as_context_of_the_same_thread_and_is_asked_for_once(world: World) -> None:
    elsewhere = _elsewhere(world, "Comanda mea nu a venit")
    mention = world.server.say("ana", "@bogdan întreabă @tasbora", answers=elsewhere)
    for _ in range(3):
        world.read("mentions")
        world.clock.advance(timedelta(minutes=1))
    context = world.of(elsewhere)
    assert context.post and context.post.standing is Standing.CONTEXT
    assert context.author.address == "bogdan"
    assert context.references[0] == world.of(mention).references[0]
    assert world.of(mention).in_reply_to == context.message_id
    assert len(world.server.seen("GET /2/tweets")) == 1


def test_a_budget_that_has_no_room_for_context_brings_the_mention_all_the_same(world: World) -> None:
    mention = world.server.say("ana", "@bogdan întreabă @tasbora", answers=_elsewhere(world, "nimic"))
    world.meter.left = {"post.read": 0}
    world.read("mentions")
    assert world.of(mention)
    assert world.server.seen("GET /2/tweets") == []


def test_a_repost_of_ours_is_reach_and_no_message(world: World) -> None:
    ours = world.server.say("tasbora", "Am deschis un magazin nou, scrieți la @tasbora")
    world.server.boost("ana", ours)
    world.read("mentions")
    found = [world.x.parse(item) for item in world.store.values()]
    reach = [one for one in found if isinstance(one, ParsedReach)]
    assert all(one.message_id == f"x:{ours}" and one.action == "repost" for one in reach)
    assert world.messages("mentions") == []


def test_our_own_posts_come_as_sent_ones_and_keep_their_number(world: World) -> None:
    first = world.server.say("ana", "unde e?")
    ours = world.server.say("tasbora", "@ana pe drum", answers=first)
    world.read("mentions", "own")
    item = next(item for item in world.store.values() if item.external_id == ours)
    assert item.is_sent
    sent = world.of(ours)
    assert sent.author.external_id == world.us.id
    assert [one.address.address for one in sent.recipients] == ["ana"]
    assert sent.in_reply_to == f"x:{first}"


def test_f73_an_edited_post_is_the_next_version_of_the_same_and_a_deleted_one_leaves_a_tombstone(world: World) -> None:
    kept, edited, deleted, doomed = (world.server.say("ana", text) for text in ("kept", "edited", "deleted", "doomed"))
    doomed = world.server.say("bogdan", "of a suspended one")
    world.read("mentions")
    before = world.of(edited)
    new_id = world.server.edit(edited, "@tasbora better words")
    world.server.delete(deleted)
    world.server.suspend("bogdan")
    items = [item for page in world.x.recheck([kept, edited, deleted, doomed, "dm-7"]) for item in page.items]
    assert {item.external_id for item in items} == {edited, deleted, doomed}
    versions = {item.external_id: item.version for item in items}
    assert versions[deleted] == versions[doomed] == "gone"
    after = next(one for one in map(world.x.parse, items) if not isinstance(one, ParsedDeletion))
    assert not isinstance(after, ParsedReach)
    assert after.message_id == before.message_id == f"x:{edited}"
    assert after.text == "@tasbora better words"
    assert after.post and before.post and after.post.revision > before.post.revision
    assert after.post.facts["id"] == new_id
    assert after.author == before.author
    assert after.written_at == before.written_at
    gone = [one for one in map(world.x.parse, items) if isinstance(one, ParsedDeletion)]
    assert {one.message_id for one in gone} == {f"x:{deleted}", f"x:{doomed}"}
    assert all(one.sentence.endswith(".") for one in gone)


def test_f73_an_edit_seen_by_polling_has_the_id_of_the_first_version(world: World) -> None:
    first = world.server.say("ana", "wrong words")
    world.read("mentions")
    world.server.edit(first, "@tasbora right words")
    world.clock.advance(timedelta(minutes=1))
    world.read("mentions")
    versions = [key for key in world.store if key[1] == first]
    assert len(versions) == 2
    assert {one.message_id for one in world.messages()} == {f"x:{first}"}


def test_a_recheck_of_hundreds_goes_by_hundreds_and_within_the_budget(world: World) -> None:
    ids = [world.server.say("ana", f"number {number}") for number in range(150)]
    world.server.delete(ids[149])
    items = [item for page in world.x.recheck(ids) for item in page.items]
    assert [item.external_id for item in items] == [ids[149]]
    assert len(world.server.seen("GET /2/tweets")) == 2
    world.meter.left = {"post.read": 20}
    world.meter.seen.clear()  # the next day
    with pytest.raises(BudgetReached):
        list(world.x.recheck(ids))
    assert len(world.server.seen("GET /2/tweets")) == 3


def test_a_handle_that_somebody_else_takes_over_names_another_person(world: World) -> None:
    first = world.server.say("ana", "hello")
    world.server.rename("ana", "ana_new")
    world.server.join("ana", "Another Ana")
    second = world.server.say("ana", "hello from another")
    world.read("mentions")
    one, other = world.of(first).author, world.of(second).author
    assert world.x.identity_key(one) != world.x.identity_key(other)


def test_direct_messages_are_read_in_small_pages_first_and_down_to_what_is_known(world: World) -> None:
    for number in range(60):
        world.server.say("ana", f"private {number}", is_direct=True)
    world.read("dms")
    assert len(world.texts("dms")) == 60
    sizes = [one.request.query["max_results"][0] for one in world.server.seen("GET /2/dm_events")]
    assert sizes == ["5", "20", "100"]
    world.clock.advance(timedelta(hours=1))
    world.read("dms")
    world.clock.advance(timedelta(hours=1))
    world.server.say("ana", "one more", is_direct=True)
    before = [one for one in world.server.seen("GET /2/dm_events") if one.status == 200]
    world.read("dms")
    assert len([one for one in world.server.seen("GET /2/dm_events") if one.status == 200]) == len(before) + 1
    assert len(world.texts("dms")) == 61


# --- Bad days -------------------------------------------------------------------------------------------------------


def test_a_token_that_ran_out_in_the_middle_of_the_pages_is_renewed_and_reading_goes_on(world: World) -> None:
    for number in range(30):
        world.server.say("ana", f"number {number}")
    pages = world.x.fetch(Known(), Wish(scopes=frozenset({"mentions"}), page_items=10))
    world.keep(next(pages))
    world.server.access.tokens.clear()
    for page in pages:
        world.keep(page)
    assert len(world.texts()) == 30
    assert world.tokens.renewals == 1


def test_a_permission_that_was_withdrawn_parks_the_account_with_a_calm_sentence(world: World) -> None:
    world.server.faults.add("*", Fault(status=401, body=b'{"title": "Unauthorized", "status": 401}', times=0))
    with pytest.raises(AuthFailed, match="Connect the account again"):
        world.read("mentions")


def test_our_account_suspended_says_who_can_lift_that(world: World) -> None:
    world.server.suspend("tasbora")
    with pytest.raises(AuthFailed, match="X has suspended this account"):
        world.read("mentions")


def test_without_the_permission_for_direct_messages_everything_else_is_read(world: World) -> None:
    world.server.say("ana", "hello")
    problem = {"title": "Forbidden", "detail": "Your client lacks the scope dm.read", "type": "about:blank"}
    world.server.faults.add("GET /2/dm_events", Fault(status=403, body=json.dumps(problem).encode(), times=0))
    with pytest.raises(PlacesMissing) as caught:
        world.read()
    assert set(caught.value.places) == {"dms"}
    assert "@tasbora hello" in world.texts()


@pytest.mark.parametrize(
    ("status", "problem", "words"),
    [
        (402, {"title": "CreditsDepleted", "type": "https://api.x.com/2/problems/credits"}, "no credit left"),
        (429, {"title": "UsageCapExceeded", "type": "https://api.x.com/2/problems/usage-capped"}, "cap of this app"),
        (503, {"title": "Service Unavailable"}, "trouble of its own"),
    ],
)
def test_what_passes_by_itself_or_by_paying_is_tried_again_later(
    world: World, status: int, problem: dict[str, Any], words: str
) -> None:
    world.server.faults.add(MENTIONS, Fault(status=status, body=json.dumps(problem).encode(), times=0))
    with pytest.raises(RetryLater, match=words) as caught:
        world.read("mentions")
    assert not isinstance(caught.value, AuthFailed)
    if status != 503:
        assert caught.value.after


def test_f72_a_refusal_for_the_limit_waits_at_least_as_long_as_the_platform_says(world: World) -> None:
    ends = str(int((world.clock.now() + timedelta(minutes=7)).timestamp()))
    headers = {"x-rate-limit-limit": "300", "x-rate-limit-remaining": "0", "x-rate-limit-reset": ends}
    world.server.faults.add(MENTIONS, Fault(status=429, body=b"{}", headers=headers, times=0))
    with pytest.raises(RetryLater) as caught:
        world.read("mentions")
    assert caught.value.after
    assert timedelta(minutes=6) <= caught.value.after <= timedelta(minutes=8)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(is_html=True, times=0),
        Fault(body=b"[]", times=0),
        Fault(body=b'"text"', times=0),
        Fault(body=b"\xff\xfe", times=0),
        Fault(cut_after=30, times=0),
        Fault(padding=9 * 2**20, times=0),
        Fault(status=429, body=b"[1]", headers={"x-rate-limit-reset": "soon"}, times=0),
    ],
    ids=["page", "list", "text", "bytes", "cut", "huge", "odd-limit"],
)
def test_an_answer_that_is_none_is_a_wait_and_loses_nothing(world: World, fault: Fault) -> None:
    world.server.say("ana", "hello")
    world.server.faults.add(MENTIONS, fault)
    with pytest.raises(RetryLater):
        world.read("mentions")
    world.server.faults.clear()
    world.read("mentions")
    assert world.texts() == {"@tasbora hello"}


def test_odd_entries_among_good_ones_do_no_harm(world: World) -> None:
    world.server.say("ana", "hello")

    def spoil(request: Request, answer: Answer) -> Answer:
        data = json.loads(answer.body)
        odd: list[Any] = [None, 7, "x", {}, {"id": 5}, {"id": "abc"}, {"id": "12", "text": ["no"], "entities": 3}]
        data["data"] += odd
        data["includes"]["users"] += [None, {"id": None}]
        data["unheard_of"] = {"deep": [1]}
        answer.body = json.dumps(data).encode()
        return answer

    world.server.faults.add(MENTIONS, Fault(change=spoil, times=0))
    world.read("mentions")
    assert "@tasbora hello" in world.texts()


def test_a_state_that_nobody_can_read_only_costs(world: World) -> None:
    world.server.say("ana", "hello")
    states: list[dict[str, Any]] = [
        {"top": "x"},
        {"walk": {}},
        {"walk": 3, "top": None},
        {"at": "yesterday", "top": "5"},
    ]
    for state in states:
        world.state = {"mentions": state}
        world.read("mentions")
    assert world.texts() == {"@tasbora hello"}


def test_the_account_of_the_log_in_is_the_one_that_was_connected(world: World) -> None:
    assert world.x.check().address == "tasbora"
    other = world.connect(user_id="1")
    with pytest.raises(AuthFailed, match="another account"):
        other.check()


def test_a_post_of_a_protected_author_is_for_followers_and_is_answered_in_private(world: World) -> None:
    world.server.protect("ana")
    mention = world.server.say("ana", "hello")
    world.read("mentions")
    for one in world.messages():
        assert one.message_id == f"x:{mention}"
        assert one.post and one.post.visibility is Visibility.FOLLOWERS
        assert world.x.visibilities(one.post) == (Visibility.DIRECT,)


def test_refusals_never_hold_the_token(world: World) -> None:
    token = world.tokens.token
    problem = {"title": "Forbidden", "detail": f"Bearer {token} is bad"}
    world.server.faults.add("*", Fault(status=403, body=json.dumps(problem).encode(), times=0))
    with pytest.raises((Refused, RetryLater)) as caught:
        world.read("mentions")
    assert token not in caught.value.sentence


def test_f71_direct_messages_whose_page_token_expires_again_and_again_are_begun_anew_each_time(world: World) -> None:
    for number in range(60):
        world.server.say("ana", f"private {number}", is_direct=True)
    for _ in range(3):
        pages = world.x.fetch(world.known(), Wish(scopes=frozenset({"dms"})))
        world.keep(next(pages))
        world.state["dms"]["walk"]["token"] = "expired7140w9gefhslx3"
    world.read("dms")
    assert len(world.texts("dms")) == 60
