"""The simulated Bluesky itself: it answers as the lexicons say, takes what they allow, and outlives its process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from connectors.simulators.bluesky import BlueskyServer
from connectors.simulators.control import Controllable, Kept, NoSuchEntry, Rehearsable
from tests.connectors.bluesky.conftest import furnished


@pytest.fixture
def server() -> Iterator[BlueskyServer]:
    with furnished() as server:
        yield server


def ask(server: BlueskyServer, method: str, name: str, **arguments: Any) -> requests.Response:
    token = server.grant("tasbora.test")["accessJwt"]
    headers = {"Authorization": f"Bearer {token}", **arguments.pop("headers", {})}
    return requests.request(method, f"{server.base_url}/xrpc/{name}", headers=headers, timeout=5, **arguments)


def create(server: BlueskyServer, rkey: str = "3k", **record: Any) -> requests.Response:
    value = {"$type": "app.bsky.feed.post", "text": "hi", "createdAt": "2026-11-24T10:00:00Z", **record}
    did = server.world.get_member("tasbora.test").did
    body = {"repo": did, "collection": "app.bsky.feed.post", "rkey": rkey, "record": value}
    return ask(server, "POST", "com.atproto.repo.createRecord", json=body)


def test_it_keeps_what_the_control_page_and_the_demo_need(server: BlueskyServer) -> None:
    assert isinstance(server, Controllable) and isinstance(server, Rehearsable) and isinstance(server, Kept)
    first = server.say("ana.test", "unde e comanda?")
    reply = server.say("bogdan.test", "eu la fel", answers=first)
    server.boost("chidi.test", first)
    server.say("ana.test", "strada X", is_direct=True)
    kinds = [(one.kind, one.author, one.about) for one in server.timeline()]
    assert (
        kinds[0][0] == "direct" and ("reply", "bogdan.test", first) in kinds and ("boost", "chidi.test", first) in kinds
    )
    server.delete(reply)
    assert next(one for one in server.timeline() if one.id == reply).is_deleted
    with pytest.raises(ValueError, match="edited"):
        server.edit(first, "x")
    for call in (lambda: server.say("nobody.test", "x"), lambda: server.delete("at://x"), lambda: server.delete(reply)):
        with pytest.raises(NoSuchEntry):
            call()


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"text": "n" * 301}, "300 graphemes"),
        ({"text": "👨‍👩‍👧‍👦" * 121}, "3000 bytes"),
        ({"text": 5}, "text"),
        ({"createdAt": "yesterday"}, "createdAt"),
        ({"facets": [{"index": {"byteStart": 0}, "features": []}]}, "byteEnd"),
        ({"reply": {"root": {"uri": "at://x/y/z"}}}, "reply"),
        ({"embed": {"$type": "app.bsky.embed.images", "images": [{"image": {}, "alt": ""}]}}, "blob"),
    ],
)
def test_records_that_the_lexicon_does_not_allow_are_refused(
    server: BlueskyServer, record: dict[str, Any], words: str
) -> None:
    answer = create(server, **record)
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidRequest") and words in answer.json()["message"]


def test_a_record_key_makes_one_record(server: BlueskyServer) -> None:
    assert create(server).json()["validationStatus"] == "valid"
    assert create(server, text="another").status_code == 500
    assert [one.text for one in server.timeline()] == ["hi"]


def test_chat_needs_the_proxy_and_a_password_that_may(server: BlueskyServer) -> None:
    assert ask(server, "GET", "chat.bsky.convo.listConvos").status_code == 501
    through = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}
    assert ask(server, "GET", "chat.bsky.convo.listConvos", headers=through).json() == {"convos": []}
    server.reads_direct = False
    refused = ask(server, "GET", "chat.bsky.convo.listConvos", headers=through)
    assert (refused.status_code, refused.json()["error"]) == (400, "InvalidToken")


def test_limits_are_told_and_kept(server: BlueskyServer) -> None:
    server.most_calls = 2
    answers = [ask(server, "GET", "com.atproto.server.getSession") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers["RateLimit-Remaining"] for one in answers] == ["1", "0", "0"]
    assert answers[0].headers["RateLimit-Policy"] == "2;w=300"


def test_it_goes_on_after_a_restart_with_the_same_people_posts_and_tokens(server: BlueskyServer) -> None:
    uri = server.say("ana.test", "unde e comanda?")
    server.say("ana.test", "strada X", is_direct=True)
    tokens = server.grant("tasbora.test")
    state = json.loads(json.dumps(server.remember()))
    with BlueskyServer() as again:
        again.recall(state)
        headers = {"Authorization": f"Bearer {tokens['accessJwt']}"}
        path = f"{again.base_url}/xrpc/app.bsky.notification.listNotifications"
        (note,) = requests.get(path, headers=headers, timeout=5).json()["notifications"]
        assert (note["uri"], note["reason"]) == (uri, "mention")
        assert [one.text for one in again.timeline()] == [one.text for one in server.timeline()]
