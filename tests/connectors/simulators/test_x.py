"""What X documents and the simulated X keeps: who may answer whom, limits, prices, edits, permissions."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from connectors.simulators.control import Controllable, Kept, NoSuchEntry, Rehearsable
from connectors.simulators.web import VirtualClock
from connectors.simulators.x import Quota, XServer
from connectors.simulators.x.wording import shorten, weigh

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
PNG = bytes.fromhex("89504e470d0a1a0a0000000d494844520000000200000003080600000000000000")


class Caller:
    def __init__(self, server: XServer, username: str = "tasbora", **options: Any) -> None:
        self.server, self.id = server, server.world.get_member(username).id
        self.tokens = server.grant(username, **options)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return requests.request(method, self.server.base_url + path, headers=headers, timeout=5, **options)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, params={name.replace("__", "."): value for name, value in query.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, text: str, **more: Any) -> requests.Response:
        return self.call("POST", "/2/tweets", json={"text": text, **more})

    def mentions(self, **query: Any) -> list[str]:
        return [one["id"] for one in self.get(f"/2/users/{self.id}/mentions", **query).get("data", [])]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def server(clock: VirtualClock) -> Iterator[XServer]:
    with XServer(now=clock.now) as server:
        server.join("tasbora", "Tasbora", is_ours=True)
        server.join("ana_p", "Ana Popescu", followers=320)
        server.join("dan", "Dan")
        yield server


@pytest.fixture
def us(server: XServer) -> Caller:
    return Caller(server)


def test_it_keeps_what_the_demo_and_the_control_page_ask_of_it(server: XServer) -> None:
    assert isinstance(server, Controllable)
    assert isinstance(server, Rehearsable)
    assert isinstance(server, Kept)


# --- Reading --------------------------------------------------------------------------------------------------------


def test_only_ids_come_by_themselves(server: XServer, us: Caller) -> None:
    server.say("ana_p", "hello")
    told = us.get(f"/2/users/{us.id}/mentions")
    assert set(told) == {"data", "meta"}
    assert set(told["data"][0]) == {"id", "text", "edit_history_tweet_ids"}
    whole = us.get(f"/2/users/{us.id}/mentions", expansions="author_id", user__fields="public_metrics")
    assert whole["includes"]["users"][0]["public_metrics"]["followers_count"] == 320
    assert whole["data"][0]["author_id"] == whole["includes"]["users"][0]["id"]


def test_pages_go_from_new_to_old_and_since_id_leaves_out_what_it_names(server: XServer, us: Caller) -> None:
    made = [server.say("ana_p", f"number {number}") for number in range(12)]
    seen, query = [], {"max_results": 5, "since_id": made[0]}
    while True:
        page = us.get(f"/2/users/{us.id}/mentions", **query)
        seen += [one["id"] for one in page["data"]]
        assert page["meta"]["result_count"] == len(page["data"])
        if "next_token" not in page["meta"]:
            break
        query["pagination_token"] = page["meta"]["next_token"]
    assert seen == made[:0:-1]
    assert us.get(f"/2/users/{us.id}/mentions", since_id=made[-1]) == {"meta": {"result_count": 0}}


def test_f69_an_entry_may_surface_later_than_one_that_was_made_after_it(
    server: XServer, us: Caller, clock: VirtualClock
) -> None:
    late = server.say("ana_p", "late", surfaces_after=timedelta(minutes=10))
    clock.advance(timedelta(seconds=5))
    early = server.say("dan", "early")
    assert us.mentions() == [early]
    assert us.get("/2/tweets", ids=late)["data"][0]["id"] == late
    clock.advance(timedelta(minutes=10))
    assert us.mentions() == [early, late]
    assert us.mentions(since_id=early) == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/2/users/me", {"user.fields": "shoe_size"}),
        ("/2/users/me", {"nonsense": "1"}),
        ("/2/users/{id}/mentions", {"max_results": "4"}),
        ("/2/users/{id}/mentions", {"pagination_token": "%%%"}),
        ("/2/users/{id}/mentions", {"since_id": "yesterday"}),
        ("/2/tweets", {"ids": ",".join(map(str, range(101)))}),
        ("/2/tweets/search/recent", {"query": "(a OR"}),
    ],
)
def test_a_request_that_x_would_not_understand_is_a_400_problem(us: Caller, path: str, query: dict[str, str]) -> None:
    answer = us.call("GET", path.format(id=us.id), params=query)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "https://api.x.com/2/problems/invalid-request"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("conversation_id:{root}", "bcd"),
        ("to:tasbora -from:tasbora", "b"),
        ("from:ana_p -is:reply", "a"),
        ("@tasbora (zip OR lining)", "ab"),
        ('"the zip"', "b"),
        ("in_reply_to_tweet_id:{root} from:tasbora", "c"),
        ("quotes_of_tweet_id:{root}", "e"),
        ("url:tasbora.com", "c"),
    ],
)
def test_search_speaks_the_operators_that_are_used(server: XServer, us: Caller, query: str, found: str) -> None:
    a = server.say("ana_p", "a new lining?")
    root = server.say("tasbora", "moss is back")
    b = server.say("ana_p", "and the zip?", answers=root)
    c = server.say("tasbora", "see tasbora.com/zips", answers=root)
    d = server.say("dan", "same here", answers=b)
    e = server.say("dan", "nice", quotes=root)
    names = {a: "a", b: "b", c: "c", d: "d", e: "e"}
    query = query.format(root=root)
    told = us.get("/2/tweets/search/recent", query=query, max_results=10).get("data", [])
    assert "".join(sorted(names.get(one["id"], "") for one in told)) == found


def test_f73_deleted_suspended_and_protected_are_partial_errors(server: XServer, us: Caller) -> None:
    gone, shut, dark = server.say("ana_p", "one"), server.say("dan", "two"), server.say("ana_p", "three")
    server.delete(gone)
    server.protect("dan")
    told = us.get("/2/tweets", ids=f"{gone},{shut},{dark}")
    assert [one["id"] for one in told["data"]] == [dark]
    kinds = {one["resource_id"]: one["type"].rpartition("/")[2] for one in told["errors"]}
    assert kinds == {gone: "resource-not-found", shut: "not-authorized-for-resource"}
    server.suspend("ana_p")
    assert "data" not in us.get(f"/2/tweets/{dark}")
    assert us.mentions() == []
    assert us.get("/2/users/by/username/ana_p")["errors"][0]["detail"].startswith("User has been suspended")


def test_an_edit_is_a_new_id_within_half_an_hour_five_times(server: XServer, us: Caller, clock: VirtualClock) -> None:
    first = server.say("ana_p", "one")
    newest = first
    for number in range(5):
        newest = server.edit(first, f"@tasbora {number}")
    with pytest.raises(ValueError, match="five times"):
        server.edit(newest, "six")
    assert us.mentions() == [newest]
    one = us.get(f"/2/tweets/{newest}", tweet__fields="edit_controls,conversation_id")["data"]
    assert (one["conversation_id"], len(one["edit_history_tweet_ids"])) == (first, 6)
    assert one["edit_controls"]["edits_remaining"] == 0
    assert us.get(f"/2/tweets/{first}")["data"]["text"] == "@tasbora one"
    server.delete(newest)
    assert "data" not in us.get(f"/2/tweets/{first}")
    late, reply = server.say("ana_p", "x"), server.say("dan", "y", answers=server.say("ana_p", "z"))
    clock.advance(timedelta(minutes=31))
    for id_, why in ((late, "30 minutes"), (reply, "30 minutes|Answers")):
        with pytest.raises(ValueError, match=why):
            server.edit(id_, "no")


def test_people_and_entries_that_are_not_there_are_said_to_be_missing(server: XServer) -> None:
    for act in (lambda: server.say("nobody", "x"), lambda: server.delete("1"), lambda: server.boost("ana_p", "1")):
        with pytest.raises(NoSuchEntry):
            act()


# --- Writing --------------------------------------------------------------------------------------------------------


def test_an_answer_is_given_its_mention_and_a_repeat_is_refused(server: XServer, us: Caller) -> None:
    """f41: a repeat answers 403."""
    asked = server.say("ana_p", "where is it?")
    answer = us.post("On its way: tasbora.com/t", reply={"in_reply_to_tweet_id": asked})
    assert answer.status_code == 201
    assert answer.json()["data"]["text"].startswith("@ana_p On its way: https://t.co/")
    again = us.post("On its way: tasbora.com/t", reply={"in_reply_to_tweet_id": asked})
    assert (again.status_code, again.json()["detail"]) == (
        403,
        "You are not allowed to create a Tweet with duplicate content.",
    )
    assert us.call("DELETE", f"/2/tweets/{answer.json()['data']['id']}").json() == {"data": {"deleted": True}}
    assert us.post("On its way: tasbora.com/t", reply={"in_reply_to_tweet_id": asked}).status_code == 201


def test_only_who_mentioned_or_quoted_us_may_be_answered(server: XServer, us: Caller) -> None:
    ours = server.say("tasbora", "moss is back")
    quote = server.say("ana_p", "nice", quotes=ours)
    stranger = server.world.publish(server.world.get_member("dan"), "I like bags").id
    thread = {"in_reply_to_tweet_id": ours}
    assert us.post("thanks", reply={"in_reply_to_tweet_id": quote}).status_code == 201
    assert us.post("and sand", reply=thread).status_code == 201
    refused = us.post("us too", reply={"in_reply_to_tweet_id": stranger})
    assert refused.status_code == 403
    assert "not been mentioned" in refused.json()["detail"]
    server.is_enterprise = True
    assert us.post("us too", reply={"in_reply_to_tweet_id": stranger}).status_code == 201


def test_f73_what_was_deleted_or_whose_author_blocks_us_cannot_be_answered(server: XServer, us: Caller) -> None:
    gone, blocked = server.say("ana_p", "one"), server.say("dan", "two")
    server.delete(gone)
    server.world.get_member("dan").blocks.add(us.id)
    for id_ in (gone, blocked):
        refused = us.post("hello", reply={"in_reply_to_tweet_id": id_})
        assert (refused.status_code, "deleted or not visible" in refused.json()["detail"]) == (403, True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": "a" * 280}, 201),
        ({"text": "a" * 281}, 400),
        ({"text": "語" * 140}, 201),
        ({"text": "語" * 141}, 400),
        ({"text": "👨‍👩‍👧‍👦" * 140}, 201),
        ({"text": "a" * 256 + " " + "https://tasbora.com/" + "x" * 200}, 201),
        ({"text": ""}, 400),
        ({"text": "x", "media": {"media_ids": ["1"]}}, 400),
        ({"text": "x", "poll": {"options": ["a"], "duration_minutes": 60}}, 400),
        ({"text": "x", "poll": {"options": ["a", "b"], "duration_minutes": 60}}, 201),
        ({"text": "x", "poll": {"options": ["a", "b"], "duration_minutes": 60}, "quote_tweet_id": "1"}, 400),
        ({"text": "$A and $B"}, 403),
        ({"text": "x", "quote_tweet_id": "1"}, 403),
        ({"text": "x", "colour": "red"}, 400),
    ],
)
def test_what_a_post_may_hold(us: Caller, body: dict[str, Any], status: int) -> None:
    assert us.call("POST", "/2/tweets", json=body).status_code == status


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("café", 4),
        ("cafe\u0301", 4),
        ("日本", 4),
        ("👍🏽", 2),
        ("🇮🇩", 2),
        ("1️⃣", 2),
        ("#1", 2),
        ("https://a.example/very/long/path?x=1", 23),
        ("tasbora.com, ok", 27),
        ("mail hello@tasbora.com", 22),
        ("“quoted”", 8),
        ("한국어", 6),
    ],
)
def test_weights_are_those_of_the_documentation(text: str, weight: int) -> None:
    """docs.x.com/fundamentals/counting-characters"""
    assert weigh(text) == weight


def test_a_shortened_link_stands_where_its_entity_says() -> None:
    text, links = shorten("see https://tasbora.com/faq. and b.org (c.ro/x)")
    assert [text[one.start : one.end] for one in links] == [one.short for one in links]
    assert [one.long for one in links] == ["https://tasbora.com/faq", "http://b.org", "http://c.ro/x"]
    assert all(len(one.short) == 23 for one in links)


def test_a_picture_in_pieces_hangs_on_the_post_with_its_words(server: XServer, us: Caller) -> None:
    start = {"media_type": "image/png", "total_bytes": len(PNG), "media_category": "tweet_image"}
    id_ = us.call("POST", "/2/media/upload/initialize", json=start).json()["data"]["id"]
    for number, piece in enumerate((PNG[:10], PNG[10:])):
        files = {"media": ("x", piece, "application/octet-stream")}
        data = {"segment_index": str(number)}
        assert us.call("POST", f"/2/media/upload/{id_}/append", files=files, data=data).ok
    early = us.post("look", media={"media_ids": [id_]})
    assert early.status_code == 400
    assert us.call("POST", f"/2/media/upload/{id_}/finalize").json()["data"]["size"] == len(PNG)
    words = {"id": id_, "metadata": {"alt_text": {"text": "a dot"}}}
    assert us.call("POST", "/2/media/metadata", json=words).ok
    made = us.post("look", media={"media_ids": [id_]}).json()["data"]["id"]
    asked = {"expansions": "attachments.media_keys", "media.fields": "url,alt_text,type"}
    shown = us.call("GET", f"/2/tweets/{made}", params=asked).json()["includes"]["media"][0]
    assert (shown["alt_text"], shown["type"]) == ("a dot", "photo")
    assert requests.get(shown["url"], timeout=5).content == PNG


def test_a_film_is_processed_for_a_while(server: XServer, us: Caller, clock: VirtualClock) -> None:
    start = {"media_type": "video/mp4", "total_bytes": 4, "media_category": "tweet_video"}
    id_ = us.call("POST", "/2/media/upload/initialize", json=start).json()["data"]["id"]
    body = {"media": base64.b64encode(b"film").decode(), "segment_index": 0}
    assert us.call("POST", f"/2/media/upload/{id_}/append", json=body).ok
    info = us.call("POST", f"/2/media/upload/{id_}/finalize").json()["data"]["processing_info"]
    assert (info["state"], info["check_after_secs"]) == ("in_progress", 2)
    assert us.post("look", media={"media_ids": [id_]}).status_code == 400
    clock.advance(timedelta(seconds=3))
    status = us.get("/2/media/upload", command="STATUS", media_id=id_)["data"]
    assert status["processing_info"]["state"] == "succeeded"
    assert us.post("look", media={"media_ids": [id_]}).status_code == 201


def test_direct_messages_go_both_ways_and_only_where_they_are_wanted(server: XServer, us: Caller) -> None:
    server.say("ana_p", "TB-1?", is_direct=True)
    page = us.get("/2/dm_events", dm_event__fields="dm_conversation_id,sender_id")
    event = page["data"][0]
    answer = us.call("POST", f"/2/dm_conversations/{event['dm_conversation_id']}/messages", json={"text": "Yes"})
    assert (answer.status_code, set(answer.json()["data"])) == (201, {"dm_conversation_id", "dm_event_id"})
    assert [one.text for one in server.timeline()] == ["Yes", "TB-1?"]
    assert Caller(server, "dan").get("/2/dm_events") == {"meta": {"result_count": 0}}
    server.world.get_member("dan").takes_dms = False
    other = server.world.get_member("dan").id
    assert us.call("POST", f"/2/dm_conversations/with/{other}/messages", json={"text": "Hi"}).status_code == 403


# --- Limits and money -----------------------------------------------------------------------------------------------


def test_the_headers_count_down_and_the_window_opens_again(server: XServer, us: Caller, clock: VirtualClock) -> None:
    server.limits.quotas["GET /2/users/me"] = Quota(2)
    first, second, third = (us.call("GET", "/2/users/me") for _ in range(3))
    assert [one.status_code for one in (first, second, third)] == [200, 200, 429]
    assert [one.headers["x-rate-limit-remaining"] for one in (first, second, third)] == ["1", "0", "0"]
    assert int(third.headers["x-rate-limit-reset"]) == int((NOON + timedelta(minutes=15)).timestamp()) + 1
    assert third.json()["title"] == "Too Many Requests"
    assert Caller(server, "ana_p").call("GET", "/2/users/me").ok
    assert len(server.limits.refused) == 1
    clock.advance(timedelta(minutes=15))
    assert us.call("GET", "/2/users/me").ok


def test_a_day_has_a_limit_of_its_own(server: XServer, us: Caller, clock: VirtualClock) -> None:
    server.limits.quotas["POST /2/tweets"] = Quota(100, app_day=2)
    answers = [us.post(f"number {number}") for number in range(3)]
    assert [one.status_code for one in answers] == [201, 201, 429]
    assert answers[2].headers["x-app-limit-24hour-remaining"] == "0"
    assert int(answers[2].headers["x-rate-limit-remaining"]) > 0
    clock.advance(timedelta(hours=24))
    us.tokens = server.grant("tasbora")
    assert us.post("number 4").status_code == 201


def test_resources_are_charged_once_a_utc_day_and_writes_each_time(
    server: XServer, us: Caller, clock: VirtualClock
) -> None:
    """docs.x.com/x-api/getting-started/pricing"""
    server.say("ana_p", "one")
    server.say("ana_p", "two")
    for _ in range(3):
        us.get(f"/2/users/{us.id}/mentions", expansions="author_id")
    assert server.ledger.micros() == 2 * 1_000 + 10_000
    us.get("/2/tweets/search/recent", query="@tasbora")
    assert server.ledger.micros() == 12_000
    clock.advance(timedelta(hours=12))
    us.tokens = server.grant("tasbora")
    us.get(f"/2/users/{us.id}/mentions")
    assert server.ledger.micros() == 14_000
    us.post("hello")
    us.post("see tasbora.com")
    us.post("x" * 300)
    assert server.ledger.micros() == 14_000 + 15_000 + 200_000
    assert server.ledger.micros(day=NOON.date()) == 12_000
    assert server.ledger.counts()["Owned Reads"] == 4


def test_somebody_elses_timeline_costs_as_any_post_and_an_empty_purse_ends_it(server: XServer, us: Caller) -> None:
    server.say("ana_p", "one")
    us.get(f"/2/users/{server.world.get_member('ana_p').id}/tweets")
    assert server.ledger.micros(us.id) == 5_000
    server.ledger.balance = 0
    assert us.call("GET", "/2/users/me").status_code == 402


# --- Permissions ----------------------------------------------------------------------------------------------------


def token(server: XServer, form: Mapping[str, str], secret: str = "") -> requests.Response:
    return requests.post(
        f"{server.base_url}/2/oauth2/token",
        data=form,
        auth=(server.app.client_id, secret or server.app.secret),
        timeout=5,
    )


def test_a_refresh_token_is_good_once(server: XServer, us: Caller, clock: VirtualClock) -> None:
    clock.advance(timedelta(hours=2))
    assert us.call("GET", "/2/users/me").status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": us.tokens["refresh_token"]}
    assert token(server, form, "wrong").status_code == 401
    new = token(server, form)
    assert new.status_code == 200
    assert token(server, form).json()["error"] == "invalid_request"
    us.tokens = new.json()
    assert us.call("GET", "/2/users/me").ok


def test_a_code_needs_its_verifier_its_address_and_haste(server: XServer, clock: VirtualClock) -> None:
    asked = {"redirect_uri": "http://127.0.0.1:1/", "code_challenge": "v" * 43, "scope": "users.read offline.access"}
    form = {"grant_type": "authorization_code", "redirect_uri": asked["redirect_uri"], "code_verifier": "v" * 43}
    member = server.world.get_member("tasbora").id
    for wrong in ({"code_verifier": "w" * 43}, {"redirect_uri": "http://127.0.0.1:2/"}, {"code": "x"}):
        code = server.access.consent(server.app, member, asked)
        assert token(server, {**form, "code": code, **wrong}).status_code == 400
    late = server.access.consent(server.app, member, asked)
    clock.advance(timedelta(seconds=31))
    assert token(server, {**form, "code": late}).status_code == 400
    code = server.access.consent(server.app, member, asked)
    assert token(server, {**form, "code": code}).json()["scope"] == "offline.access users.read"
    assert token(server, {**form, "code": code}).status_code == 400


def test_scopes_are_asked_for_and_a_revoked_permission_is_over(server: XServer) -> None:
    reader = Caller(server, scopes="tweet.read users.read offline.access")
    assert reader.call("GET", "/2/users/me").ok
    assert reader.call("GET", "/2/dm_events").status_code == reader.post("hello").status_code == 403
    gone = {"token": reader.tokens["refresh_token"]}
    auth = (server.app.client_id, server.app.secret)
    assert requests.post(f"{server.base_url}/2/oauth2/revoke", data=gone, auth=auth, timeout=5).json()["revoked"]
    assert reader.call("GET", "/2/users/me").status_code == 401


def test_what_was_kept_comes_back_whole(server: XServer, us: Caller, clock: VirtualClock) -> None:
    first = server.say("ana_p", "one")
    server.edit(first, "@tasbora two")
    server.say("ana_p", "TB-1?", is_direct=True)
    again = XServer(now=clock.now)
    again.recall(server.remember())
    assert again.remember() == server.remember()
    assert [one.text for one in again.timeline()] == [one.text for one in server.timeline()]
    with again:
        us.server = again
        assert us.mentions() == [server.world.posts[first].history[-1]]
        again.edit(first, "@tasbora three")
        assert int(us.mentions()[0]) > int(server.world.posts[first].history[-1])
