"""What raw items are read as: every embed, labels, blocks, and whatever a server may send instead."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bluesky.parse import MAX_BYTES, parse
from connectors.messages import Address, Flag, ParsedDeletion, ParsedMessage, ParsedReach, RawItem, Scope
from connectors.social import Post, Standing

US = Address("tasbora.test", "Tasbora", "did:plc:us")
THEM = {"did": "did:plc:ana", "handle": "ana.test", "displayName": "Ana\n Pop "}
URI = "at://did:plc:ana/app.bsky.feed.post/3k"
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


def view(record: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    value = {"$type": "app.bsky.feed.post", "text": "hello", "createdAt": "2026-11-24T09:59:00Z", **(record or {})}
    return {"uri": URI, "cid": "bafy", "author": THEM, "record": value, "indexedAt": "2026-11-24T10:00:00.000Z", **more}


def item(data: Any, external_id: str = URI) -> RawItem:
    content = json.dumps(data).encode()
    return RawItem(Scope("mentions"), external_id, NOW, len(content), content)


def read(post: dict[str, Any], reason: str = "mention", **more: Any) -> ParsedMessage:
    note = {"uri": URI, "cid": "bafy", "reason": reason, "author": THEM, "record": post.get("record")}
    found = parse(item({"notification": note, "post": post, "author": THEM, **more}), US)
    assert isinstance(found, ParsedMessage)
    return found


def post_of(message: ParsedMessage) -> Post:
    assert message.post is not None
    return message.post


def test_pictures_films_cards_and_quotes_are_read_from_the_servers_view() -> None:
    images = {"$type": "app.bsky.embed.images#view", "images": [
        {"thumb": "https://cdn.example/t", "fullsize": "https://cdn.example/f", "alt": "a bag",
         "aspectRatio": {"width": 4, "height": 3}}]}  # fmt: skip
    quoted = {"$type": "app.bsky.embed.record#viewRecord", "uri": "at://did:plc:us/app.bsky.feed.post/3a",
              "author": {"did": "did:plc:us", "handle": "tasbora.test"}, "value": {"text": "New straps!"}}  # fmt: skip
    both = {"$type": "app.bsky.embed.recordWithMedia#view", "media": images,
            "record": {"$type": "app.bsky.embed.record#view", "record": quoted}}  # fmt: skip
    post = post_of(read(view(embed=both), "quote"))
    assert [(one.kind, one.url, one.alt, one.width) for one in post.media] == [
        ("image", "https://cdn.example/f", "a bag", 4)
    ]
    assert post.quoted and (post.quoted.handle, post.quoted.text) == ("tasbora.test", "New straps!")
    assert post.quoted.url == "https://bsky.app/profile/did:plc:us/post/3a"
    assert post.standing is Standing.QUOTE

    film = {"$type": "app.bsky.embed.video#view", "playlist": "https://v.example/p.m3u8", "alt": "it tears"}
    (media,) = post_of(read(view(embed=film))).media
    assert (media.kind, media.url, media.alt) == ("video", "https://v.example/p.m3u8", "it tears")

    card = {"$type": "app.bsky.embed.external#view", "external": {"uri": "https://a.example/x", "title": "A page"}}
    assert read(view(embed=card)).text == "hello\nA page <https://a.example/x>"


def test_without_a_view_the_record_itself_tells() -> None:
    blob = {"ref": {"$link": "bafkabc"}, "mimeType": "image/png", "size": 3}
    record = {"embed": {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "a bag"}]}}
    (media,) = post_of(read(view(record))).media
    assert media.url == "https://cdn.bsky.app/img/feed_fullsize/plain/did:plc:ana/bafkabc@jpeg"
    quote = {"embed": {"$type": "app.bsky.embed.record", "record": {"uri": "at://did:plc:us/app.bsky.feed.post/3a"}}}
    assert post_of(read(view(quote))).quoted is not None


def test_an_embed_of_a_kind_to_come_is_named_and_not_left_out() -> None:
    assert (
        read(view(embed={"$type": "app.bsky.embed.hologram#view", "x": 1})).text == "hello\n[app.bsky.embed.hologram]"
    )


@pytest.mark.parametrize("kind", ["viewNotFound", "viewBlocked", "viewDetached"])
def test_a_quoted_post_that_is_gone_or_hidden_is_an_empty_one(kind: str) -> None:
    uri = "at://did:plc:us/app.bsky.feed.post/3a"
    embed = {"$type": "app.bsky.embed.record#view", "record": {"$type": f"app.bsky.embed.record#{kind}", "uri": uri}}
    quoted = post_of(read(view(embed=embed))).quoted
    assert quoted is not None and (quoted.reference, quoted.text) == (uri, "")


def test_a_shared_list_is_told_by_its_name() -> None:
    shown = {"$type": "app.bsky.graph.defs#listView", "uri": "at://did:plc:x/app.bsky.graph.list/3l", "name": "Bags"}
    message = read(view(embed={"$type": "app.bsky.embed.record#view", "record": shown}))
    assert message.text == "hello\nBags at://did:plc:x/app.bsky.graph.list/3l" and post_of(message).quoted is None


def test_labels_of_the_author_and_of_labellers_stand_beside_the_post() -> None:
    own = {"labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "nudity"}]}}
    put = [{"val": "spam"}, {"val": "rude", "neg": True}, {"val": "spam"}, "x"]
    author = {**THEM, "labels": [{"val": "bot"}, {"val": "!no-unauthenticated"}]}
    post = post_of(read(view(own, labels=put, author=author), author=author))
    assert post.labels == ("nudity", "spam", "bot")


def test_blocks_and_closed_threads_are_facts_that_the_composer_needs() -> None:
    apart = {**THEM, "viewer": {"blockedBy": True}}
    assert post_of(read(view(author=apart), author=apart)).facts["blocked_by"] is True
    ours = {**THEM, "viewer": {"blocking": "at://did:plc:us/app.bsky.graph.block/3b"}}
    assert post_of(read(view(author=ours), author=ours)).facts["blocking"] is True
    assert post_of(read(view(viewer={"replyDisabled": True}))).facts["reply_disabled"] is True


def test_a_handle_that_no_longer_leads_back_gives_way_to_the_id() -> None:
    lost = {**THEM, "handle": "handle.invalid"}
    assert read(view(author=lost), author=lost).author == Address("did:plc:ana", "Ana Pop", "did:plc:ana")


def test_a_recycled_handle_is_another_identity(world: Any) -> None:
    first = world.hear("ana.test", "it is me")
    world.server.rename("ana.test", "anapop.test")
    world.server.join("ana.test", "Another Ana")
    second, third = world.hear("ana.test", "it is me, too"), world.hear("anapop.test", "still me")
    key = world.connector.identity_key
    assert key(first.author) == key(third.author) != key(second.author)
    assert key(Address("ana.test")) == ""


def test_threads_are_named_by_root_and_parent_and_a_missing_text_is_flagged() -> None:
    strong = {name: {"uri": f"at://did:plc:us/app.bsky.feed.post/{name}", "cid": "c"} for name in ("root", "parent")}
    message = read(view({"reply": strong}), "mention")
    assert message.references == (strong["root"]["uri"], strong["parent"]["uri"])
    assert post_of(message).standing is Standing.REPLY  # to ours, whatever the notification calls it
    empty = read({**view(), "record": {"$type": "app.bsky.feed.post"}})
    assert Flag.UNREADABLE in empty.flags and Flag.NO_DATE in empty.flags


def test_control_characters_do_not_get_through() -> None:
    assert read(view({"text": "a\x00b\x1b[31m\r\nc"})).text == "ab[31m\nc"


def test_a_tombstone_and_a_repost_are_what_they_are() -> None:
    assert parse(item({"gone": URI}), US) == ParsedDeletion(URI)
    note = {"uri": "at://did:plc:ana/app.bsky.feed.repost/3r", "reason": "repost", "author": THEM,
            "record": {"subject": {"uri": URI}}, "indexedAt": "2026-11-24T10:00:00Z"}  # fmt: skip
    found = parse(item({"notification": note, "author": {**THEM, "followersCount": 9900}}), US)
    assert isinstance(found, ParsedReach) and (found.message_id, found.action, found.followers) == (URI, "repost", 9900)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b" " * (MAX_BYTES + 1)])
def test_what_is_no_object_is_flagged_and_never_raises(content: bytes) -> None:
    found = parse(RawItem(Scope("mentions"), URI, NOW, len(content), content), US)
    assert isinstance(found, ParsedMessage) and found.flags == (Flag.UNREADABLE,) and found.message_id == URI


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud83d"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES = (
    ("notification",), ("post",), ("author",), ("post", "uri"), ("post", "record"), ("post", "record", "text"),
    ("post", "record", "facets"), ("post", "record", "reply"), ("post", "record", "embed"), ("post", "embed"),
    ("post", "author"), ("post", "labels"), ("post", "indexedAt"), ("post", "viewer"), ("notification", "reason"),
    ("post", "record", "createdAt"), ("post", "record", "langs"), ("post", "record", "labels"), ("author", "handle"),
)  # fmt: skip


@given(st.sampled_from(PLACES), JUNK)
def test_anything_anywhere_is_read_without_an_error(place: tuple[str, ...], junk: Any) -> None:
    note = {"uri": URI, "reason": "mention", "author": THEM, "record": view()["record"]}
    data: Any = json.loads(json.dumps({"notification": note, "post": view(), "author": THEM}))
    spot = data
    for name in place[:-1]:
        spot = spot[name]
    spot[place[-1]] = junk
    content = json.dumps(data).encode("utf-8", "surrogatepass")
    found = parse(RawItem(Scope("mentions"), URI, NOW, len(content), content), US)
    assert isinstance(found, ParsedMessage | ParsedDeletion | ParsedReach)
