"""X's own SDK (PyPI `xdk`, made by X from its API description) against the simulated X: it gets along with it, and
finds in the answers no field that its models do not know."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from pydantic import BaseModel
from xdk import Client
from xdk.media import models as media
from xdk.oauth1_auth import OAuth1
from xdk.posts import models as posts
from xdk.schemas import HidePostsReplyRequest

from connectors.simulators.x import XServer
from connectors.simulators.x.wanted import in_new_words

POST_FIELDS = [
    "attachments",
    "author_id",
    "conversation_id",
    "created_at",
    "display_text_range",
    "edit_controls",
    "entities",
    "in_reply_to_user_id",
    "lang",
    "public_metrics",
    "referenced_posts",
    "reply_settings",
    "possibly_sensitive",
    "username",
]
USER_FIELDS = [
    "created_at",
    "description",
    "profile_image_url",
    "protected",
    "public_metrics",
    "verified",
    "verified_type",
]
MEDIA_FIELDS = ["alt_text", "duration_ms", "height", "preview_image_url", "type", "url", "width"]
EXPANSIONS = [
    "author_id",
    "referenced_posts.id",
    "referenced_posts.id.author_id",
    "attachments.media_keys",
    "attachments.poll_ids",
    "in_reply_to_user_id",
    "entities.mentions.username",
    "edit_history_post_ids",
]
WHOLE = {"post_fields": POST_FIELDS, "user_fields": USER_FIELDS, "media_fields": MEDIA_FIELDS}
WHOLE |= {"expansions": EXPANSIONS, "poll_fields": ["duration_minutes", "end_datetime", "voting_status"]}
PNG = bytes.fromhex("89504e470d0a1a0a0000000d494844520000000200000003080600000000000000")


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer() as server:
        server.join("tasbora", "Tasbora", is_ours=True)
        server.join("ana_p", "Ana Popescu", followers=320, description="Cafea", verified_type="blue")
        yield server


@pytest.fixture
def client(server: XServer) -> Iterator[Client]:
    client = Client(base_url=server.base_url, access_token=server.grant("tasbora")["access_token"])
    yield client
    client.session.close()


def strange(value: Any, where: str = "") -> list[str]:
    """Fields that the SDK's models do not have, anywhere inside."""
    if isinstance(value, BaseModel):
        found = [f"{where}.{name}" for name in value.__pydantic_extra__ or {}]
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        return found + [one for name, inner in fields.items() for one in strange(inner, f"{where}.{name}")]
    if isinstance(value, list):
        return [one for inner in value for one in strange(inner, where)]
    return []


def same(answer: BaseModel) -> BaseModel:
    assert strange(answer) == []
    return answer


def upload(client: Client) -> str:
    wanted = media.InitializeUploadRequest(media_type="image/png", total_bytes=len(PNG))
    started = same(client.media.initialize_upload(wanted))
    id_ = started.data.id
    same(client.media.append_upload(id_, media.AppendUploadRequest(media=_base64(PNG), segment_index=0)))
    done = same(client.media.finalize_upload(id_))
    assert (done.data.size, done.data.media_key) == (len(PNG), f"3_{id_}")
    words = {"id": id_, "metadata": {"alt_text": {"text": "a blue dot"}}}
    same(client.media.create_metadata(media.CreateMetadataRequest.model_validate(words)))
    return str(id_)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_mentions_replies_quotes_and_pictures_fit_the_models_of_the_sdk(server: XServer, client: Client) -> None:
    me = same(client.users.get_me(user_fields=USER_FIELDS)).data.id
    first = server.say("ana_p", "unde e comanda mea? https://tasbora.com/faq")
    reply = posts.CreateRequest.model_validate(
        {"text": "Buna!", "reply": {"in_reply_to_tweet_id": first}, "media": {"media_ids": [upload(client)]}}
    )
    ours = same(client.posts.create(reply)).data.id
    server.edit(first, "@tasbora unde e comanda mea TB-1?")
    quote = server.say("ana_p", "asa da", quotes=ours)
    poll = {"text": "Which?", "poll": {"options": ["moss", "sand"], "duration_minutes": 60}}
    voted = same(client.posts.create(posts.CreateRequest.model_validate(poll))).data.id

    mentions = same(next(client.users.get_mentions(me, max_results=5, **WHOLE)))
    assert [one.text for one in mentions.data] == ["@tasbora unde e comanda mea TB-1?"]
    assert mentions.data[0].edit_history_post_ids == [first, mentions.data[0].id]
    assert {one.username for one in mentions.includes.users} == {"ana_p", "tasbora"}

    own = same(next(client.users.get_posts(me, max_results=5, **WHOLE)))
    assert [one.id for one in own.data] == [voted, ours]
    assert [(one.alt_text, one.width, one.height) for one in own.includes.media] == [("a blue dot", 2, 3)]
    assert [(one.label, one.votes) for one in own.includes.polls[0].options] == [("moss", 0), ("sand", 0)]

    quotes = same(next(client.posts.get_quoted(ours, max_results=10, **WHOLE)))
    assert [(one.id, one.referenced_posts[0].type) for one in quotes.data] == [(quote, "quoted")]
    thread = same(next(client.posts.search_recent(f"conversation_id:{first}", max_results=10, **WHOLE)))
    assert [one.id for one in thread.data] == [mentions.data[0].id, ours]


def test_lookups_partial_errors_and_hidden_replies_fit_the_models_of_the_sdk(server: XServer, client: Client) -> None:
    server.join("closed", is_protected=True)
    server.join("banned", is_suspended=True)
    ours = server.say("tasbora", "New colours")
    seen, shut = server.say("ana_p", "nice", answers=ours), server.say("closed", "hello")
    found = same(client.posts.get_by_ids([seen, shut, "12"], **WHOLE))
    assert [one.id for one in found.data] == [seen]
    assert [one.type.rpartition("/")[2] for one in found.errors] == [
        "not-authorized-for-resource",
        "resource-not-found",
    ]
    people = same(client.users.get_by_usernames(["ana_p", "banned", "nobody"], user_fields=USER_FIELDS))
    assert [(one.username, one.public_metrics.followers_count) for one in people.data] == [("ana_p", 320)]
    assert len(people.errors) == 2
    assert same(client.posts.hide_reply(seen, HidePostsReplyRequest(hidden=True))).data.hidden is True
    assert same(client.posts.delete(ours)).data.deleted is True


def test_direct_messages_fit_the_models_of_the_sdk(server: XServer, client: Client) -> None:
    event = server.say("ana_p", "TB-21044", is_direct=True)
    fields = [
        "attachments",
        "created_at",
        "dm_conversation_id",
        "event_type",
        "id",
        "participant_ids",
        "sender_id",
        "text",
    ]
    page = same(
        next(client.direct_messages.get_events(dm_event_fields=fields, expansions=["sender_id"], max_results=100))
    )
    assert [(one.id, one.text, one.event_type) for one in page.data] == [(event, "TB-21044", "MessageCreate")]
    assert [one.username for one in page.includes.users] == ["ana_p"]
    conversation = page.data[0].dm_conversation_id
    body = {"text": "On its way."}
    sent = same(client.direct_messages.create_by_conversation_id(conversation, body))
    both = same(next(client.direct_messages.get_events_by_conversation_id(conversation, max_results=10)))
    assert [one.id for one in both.data] == [sent.data.dm_event_id, event]


def test_the_sdk_signs_in_by_consent_and_by_signature(server: XServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the SDK's library wants TLS, even to loopback
    options: dict[str, Any] = {"client_id": server.app.client_id, "client_secret": server.app.secret}
    options |= {"redirect_uri": "http://127.0.0.1:1/back", "scope": ["tweet.read", "users.read", "offline.access"]}
    client = Client(base_url=server.base_url, authorization_base_url=f"{server.base_url}/i", **options)
    address = client.get_authorization_url(state="s-1")
    page = requests.get(address, timeout=5)
    assert "Authorize app" in page.text
    form = {**_query(address), "user": server.world.get_member("tasbora").id, "answer": "yes"}
    back = requests.post(f"{server.base_url}/i/oauth2/authorize", data=form, allow_redirects=False, timeout=5)
    code = _query(back.headers["Location"])["code"]
    verifier = client.oauth2_auth.code_verifier
    token = client.exchange_code(code, verifier)
    assert client.users.get_me().data.username == "tasbora"
    assert token["expires_in"] == 7200
    client.session.close()
    given = server.grant_signed("tasbora")
    signed = OAuth1(
        api_key=given["consumer_key"],
        api_secret=given["consumer_secret"],
        callback="oob",
        access_token=given["access_token"],
        access_token_secret=given["access_token_secret"],
    )
    by_signature = Client(base_url=server.base_url, auth=signed)
    assert by_signature.users.get_me().data.username == "tasbora"
    by_signature.session.close()


def test_the_words_of_the_documentation_and_of_the_sdk_tell_the_same(server: XServer) -> None:
    """`tweet.fields` and `includes.tweets` in the documentation are `post.fields` and `includes.posts` in the SDK."""
    ours = server.say("tasbora", "New colours")
    server.say("ana_p", "nice", answers=ours)
    headers = {"Authorization": "Bearer " + server.grant("tasbora")["access_token"]}
    address = f"{server.base_url}/2/users/{server.world.get_member('tasbora').id}/mentions"
    old = {"tweet.fields": "referenced_tweets,public_metrics", "expansions": "referenced_tweets.id"}
    new = {"post.fields": "referenced_posts,public_metrics", "expansions": "referenced_posts.id"}
    told = [requests.get(address, params=one, headers=headers, timeout=5).json() for one in (old, new)]
    assert told[0]["includes"]["tweets"][0]["id"] == ours
    assert told[0]["data"][0]["edit_history_tweet_ids"] == [told[0]["data"][0]["id"]]
    assert in_new_words(told[0]) == told[1]
    assert "posts" in told[1]["includes"]


def _query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))
