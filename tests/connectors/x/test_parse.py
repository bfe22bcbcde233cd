"""Posts and events as X's documentation shows them, and as nobody should send them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.messages import Flag, ParsedDeletion, ParsedMessage, ParsedReach, RawItem, Scope
from connectors.registry import AccountSettings
from connectors.social import Standing, Visibility, plain, post_of
from connectors.x import XConnector
from connectors.x.entries import MENTIONS, QUOTES, Includes, post_item

NOW = datetime(2026, 11, 25, tzinfo=UTC)
US = {"user_id": "2244994945", "handle": "XDevelopers", "name": "X Developers"}
CONNECTOR = XConnector(AccountSettings("x", "XDevelopers", US, Path("/nowhere")), {})
AUTHOR: dict[str, Any] = {
    "id": "2244",
    "username": "ana_p",
    "name": "Ana Popescu",
    "verified": True,
    "protected": False,
    "description": "Coffee &amp; cats https://t.co/bio",
    "entities": {
        "description": {"urls": [{"url": "https://t.co/bio", "expanded_url": "https://ana.example/cats"}]},
        "url": {"urls": [{"expanded_url": "https://ana.example"}]},
    },
    "profile_image_url": "https://pbs.twimg.com/a_normal.jpg",
    "public_metrics": {"followers_count": 320, "following_count": 12, "tweet_count": 4000},
    "created_at": "2013-12-14T04:35:55.000Z",
}


_BOMB = [{"url": "https://t.co/a", "expanded_url": "https://t.co/a " * 300}] * 200


def raw(data: dict[str, Any], includes: dict[str, Any] | None = None, scope: Scope = MENTIONS) -> RawItem:
    content = json.dumps({"data": data, "includes": includes or {"users": [AUTHOR]}}).encode()
    return RawItem(scope, data.get("id", "1"), NOW, len(content), content, version="1")


def read(data: dict[str, Any], includes: dict[str, Any] | None = None, scope: Scope = MENTIONS) -> ParsedMessage:
    found = CONNECTOR.parse(raw(data, includes, scope))
    assert isinstance(found, ParsedMessage)
    return found


def post(text: str = "@XDevelopers hello", **more: Any) -> dict[str, Any]:
    return {
        "id": "1212092628029698048",
        "author_id": "2244",
        "text": text,
        "conversation_id": "1212092628029698048",
        "created_at": "2019-12-31T19:26:16.000Z",
        "edit_history_tweet_ids": ["1212092628029698048"],
        "entities": {"mentions": [{"start": 0, "end": 12, "username": "XDevelopers", "id": "2244994945"}]},
        "lang": "en",
        "reply_settings": "everyone",
        **more,
    }


def test_links_are_shown_as_they_were_written_and_those_to_the_posts_own_media_are_left_out() -> None:
    urls = [
        {"start": 13, "end": 36, "url": "https://t.co/aaa", "expanded_url": "https://shop.example/order?a=1&b=2"},
        {
            "start": 40,
            "end": 63,
            "url": "https://t.co/yvxdK6aOo2",
            "expanded_url": "https://x.com/LovesNandos/status/1211797914437259264/photo/1",
            "display_url": "pic.x.com/yvxdK6aOo2",
            "media_key": "16_1211797899316740096",
        },
    ]
    found = read(
        post(
            "@XDevelopers see https://t.co/aaa for R&amp;D &lt;3 &amp;amp; https://t.co/yvxdK6aOo2",
            entities={"urls": urls},
            attachments={"media_keys": ["16_1211797899316740096"]},
        ),
        {
            "users": [AUTHOR],
            "media": [
                {
                    "media_key": "16_1211797899316740096",
                    "type": "animated_gif",
                    "preview_image_url": "https://pbs.twimg.com/x.jpg",
                    "alt_text": "A waving cat",
                    "width": 240,
                    "height": 180,
                    "variants": [
                        {"content_type": "application/x-mpegURL", "url": "https://v/x.m3u8"},
                        {"content_type": "video/mp4", "bit_rate": 0, "url": "https://v/low.mp4"},
                        {"content_type": "video/mp4", "bit_rate": 832000, "url": "https://v/high.mp4"},
                    ],
                }
            ],
        },
    )
    assert found.text == "@XDevelopers see https://shop.example/order?a=1&b=2 for R&D <3 &amp;"
    assert found.post
    media = found.post.media[0]
    assert (media.kind, media.url, media.alt, media.content_type) == (
        "gif",
        "https://v/high.mp4",
        "A waving cat",
        "video/mp4",
    )


def test_a_long_post_is_read_whole_with_the_links_of_its_whole_text() -> None:
    long = "word " * 200 + "https://t.co/end"
    found = read(
        post(
            "word word… https://t.co/cut",
            note_tweet={
                "text": long,
                "entities": {"urls": [{"url": "https://t.co/end", "expanded_url": "https://example.com/end"}]},
            },
        )
    )
    assert found.text == "word " * 200 + "https://example.com/end"


def test_the_author_is_shown_as_on_x() -> None:
    profile = read(post()).post.profile  # type: ignore[union-attr]
    assert (profile.handle, profile.name, profile.followers, profile.is_verified) == ("ana_p", "Ana Popescu", 320, True)
    assert profile.bio == "Coffee & cats https://ana.example/cats"
    assert profile.url == "https://ana.example"


def test_a_poll_is_readable_with_its_votes() -> None:
    poll = {
        "id": "1199786642468413448",
        "voting_status": "closed",
        "end_datetime": "2019-11-28T20:26:41.000Z",
        "options": [{"position": 1, "label": "yes", "votes": 795}, {"position": 2, "label": "no", "votes": "many"}],
    }
    found = read(post(attachments={"poll_ids": [poll["id"]]}), {"users": [AUTHOR], "polls": [poll]})
    assert found.post and found.post.poll
    assert found.post.poll.choices == (("yes", 795), ("no", -1))


def test_a_quote_shows_what_it_quotes_instead_of_a_link_to_it() -> None:
    quoted = {"id": "99", "author_id": "2244994945", "text": "Our news", "edit_history_tweet_ids": ["98", "99"]}
    found = read(
        post(
            "Look at this https://t.co/q",
            referenced_tweets=[{"type": "quoted", "id": "99"}],
            entities={"urls": [{"url": "https://t.co/q", "expanded_url": "https://twitter.com/XDevelopers/status/99"}]},
        ),
        {"users": [AUTHOR], "tweets": [quoted]},
    )
    assert found.text == "Look at this"
    assert found.post and found.post.quoted
    assert found.post.standing is Standing.QUOTE
    assert (found.post.quoted.reference, found.post.quoted.handle, found.post.quoted.text) == (
        "x:98",
        "XDevelopers",
        "Our news",
    )


def test_x_s_new_names_of_fields_are_read_like_the_documented_ones() -> None:
    newer = post(
        referenced_posts=[{"type": "replied_to", "id": "77"}],
        edit_history_post_ids=["1212092628029698048", "1212092628029698050"],
        note_post={"text": "whole words"},
    )
    del newer["edit_history_tweet_ids"]
    newer["id"] = "1212092628029698050"
    found = read(newer)
    assert (found.text, found.in_reply_to, found.message_id) == ("whole words", "x:77", "x:1212092628029698048")
    assert found.post and found.post.revision == "01212092628029698050"


@pytest.mark.parametrize(
    ("more", "scope", "standing"),
    [
        ({}, MENTIONS, Standing.MENTION),
        ({"in_reply_to_user_id": "2244994945"}, MENTIONS, Standing.REPLY),
        ({"referenced_tweets": [{"type": "quoted", "id": "5"}]}, QUOTES, Standing.QUOTE),
        ({"entities": {}}, MENTIONS, Standing.CONTEXT),
        ({"author_id": "2244994945"}, MENTIONS, Standing.OWN),
    ],
)
def test_how_a_post_concerns_us(more: dict[str, Any], scope: Scope, standing: Standing) -> None:
    assert read(post(**more), scope=scope).post.standing is standing  # type: ignore[union-attr]


def test_whom_a_reply_is_addressed_to_stands_in_the_text_but_not_in_what_is_shown() -> None:
    found = read(post("@XDevelopers @ana_p  where is it?", referenced_tweets=[{"type": "replied_to", "id": "7"}]))
    assert found.text.startswith("@XDevelopers")
    assert found.visible_text == "where is it?"
    assert read(post("@XDevelopers", referenced_tweets=[{"type": "replied_to", "id": "7"}])).visible_text != ""


def test_labels_tell_what_x_tells() -> None:
    found = read(post(possibly_sensitive=True, withheld={"copyright": False, "country_codes": ["DE", "FR"]}))
    assert found.post and found.post.labels == ("sensitive", "withheld:DE,FR")


def test_a_repost_is_reach() -> None:
    found = CONNECTOR.parse(raw(post("RT @XDevelopers: news", referenced_tweets=[{"type": "retweeted", "id": "5"}])))
    assert found == ParsedReach(
        "x:5",
        found.actor,  # type: ignore[union-attr]
        "repost",
        320,
        datetime(2019, 12, 31, 19, 26, 16, tzinfo=UTC),
    )


@pytest.mark.parametrize(("code", "language"), [("en", "en"), ("in", "id"), ("iw", "he"), ("und", ""), ("qme", "")])
def test_languages_as_others_write_them(code: str, language: str) -> None:
    assert read(post(lang=code)).language == language


def test_a_direct_message_of_a_group_stays_in_its_conversation() -> None:
    event = {
        "id": "1582838499983564806",
        "event_type": "MessageCreate",
        "text": "Hi everyone. https://t.co/s",
        "sender_id": "2244",
        "dm_conversation_id": "1578398451921985538",
        "created_at": "2022-10-19T20:58:00.000Z",
        "entities": {"urls": [{"url": "https://t.co/s", "expanded_url": "https://example.com"}]},
    }
    found = read(event)
    assert found.text == "Hi everyone. https://example.com"
    assert found.message_id == "x:dm:1582838499983564806"
    assert found.references == ("x:dm-conversation:1578398451921985538",)
    assert found.post and found.post.visibility is Visibility.DIRECT
    ours = read({**event, "sender_id": "2244994945", "dm_conversation_id": "2244-2244994945"})
    assert [one.address.external_id for one in ours.recipients] == ["2244"]
    assert ours.author.external_id == "2244994945"


@pytest.mark.parametrize("more", [{}, {"possibly_sensitive": True}, {"entities": {}}])
def test_what_was_kept_of_a_post_says_the_same_when_it_is_read_again(more: dict[str, Any]) -> None:
    found = read(post(**more)).post
    assert found
    kept = post_of(json.loads(json.dumps(plain(found))))
    assert kept == found
    assert CONNECTOR.permission(kept) == CONNECTOR.permission(found)
    assert CONNECTOR.permission(kept).allowed is ("entities" not in more)


def test_counts_that_move_make_no_new_version() -> None:
    includes = Includes({"includes": {"users": [AUTHOR]}})
    one, two = (
        post_item(MENTIONS, post(public_metrics={"like_count": count}), includes, is_sent=False, now=NOW)
        for count in (1, 2)
    )
    assert (one.external_id, one.version) == (two.external_id, two.version)


def test_a_tombstone_is_a_deletion_with_a_reason() -> None:
    content = b'{"gone":"5","sentence":"It was deleted on X."}'
    item = RawItem(MENTIONS, "5", NOW, len(content), content, version="gone")
    assert CONNECTOR.parse(item) == ParsedDeletion("x:5", "It was deleted on X.")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b'{"data": 5}',
        b'{"data": {}}',
        b'{"data": {"id": ""}}',
        b"[" * 100_000,
        b'{"data": {"id": "5", "text": "' + b"x" * (3 * 2**20) + b'"}}',
    ],
    ids=["empty", "page", "null", "list", "number", "nothing", "no-id", "deep", "huge"],
)
def test_what_cannot_be_read_is_flagged_and_keeps_its_name(content: bytes) -> None:
    found = CONNECTOR.parse(RawItem(MENTIONS, "5", NOW, len(content), content))
    assert isinstance(found, ParsedMessage)
    assert Flag.UNREADABLE in found.flags
    assert found.message_id == "x:5"


@pytest.mark.parametrize(
    "more",
    [
        {"edit_history_tweet_ids": ["9" * 10_000, "7"]},
        {"text": "https://t.co/a " * 5_000, "entities": {"urls": _BOMB}},
        {"text": "a" * 100_000, "entities": {"urls": [{"url": "a", "expanded_url": "b" * 10_000}] * 200}},
        {"note_tweet": {"text": "@a " * 300_000}},
    ],
    ids=["number", "links", "letters", "handles"],
)
@pytest.mark.timeout(10)
def test_no_entry_grows_beyond_measure(more: dict[str, Any]) -> None:
    assert len(read(post(**more)).text) <= 100_000


_ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("2244"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    [
        "id",
        "text",
        "author_id",
        "created_at",
        "entities",
        "attachments",
        "referenced_tweets",
        "edit_history_tweet_ids",
        "note_tweet",
        "lang",
        "withheld",
        "reply_settings",
        "conversation_id",
        "in_reply_to_user_id",
        "possibly_sensitive",
        "event_type",
        "sender_id",
        "dm_conversation_id",
        "urls",
        "mentions",
        "users",
        "media",
        "polls",
        "tweets",
        "public_metrics",
    ]
)


@given(st.dictionaries(_NAMES, _ODD, max_size=8), st.dictionaries(_NAMES, _ODD, max_size=4))
def test_no_odd_field_of_an_entry_stops_its_reading(changed: dict[str, Any], included: dict[str, Any]) -> None:
    data = {**post(), **changed}
    content = json.dumps({"data": data, "includes": {"users": [AUTHOR], **included}}).encode()
    found = CONNECTOR.parse(RawItem(MENTIONS, "5", NOW, len(content), content))
    assert isinstance(found, ParsedMessage | ParsedReach)
    if isinstance(found, ParsedMessage):
        assert found.message_id
        found.text.encode()
        assert "\0" not in found.text
