"""What a server sends → what was said: HTML, warnings, media, polls, quotes, people; whatever it sends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mastodon.content import to_text
from connectors.mastodon.parse import MAX_BYTES, parse_item
from connectors.messages import Flag, ParsedMessage, ParsedReach, RawItem, Scope
from connectors.social import Poll, Standing, Visibility, plain, post_of

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
US = {
    "id": "1",
    "handle": "tideline@social.example",
    "uri": "https://social.example/users/tideline",
    "domain": "social.example",
    "server": "social.example",
}
ANA = {
    "id": "7",
    "username": "ana",
    "acct": "ana@far.example",
    "display_name": "Ana :blobcat:",
    "url": "https://far.example/@ana",
    "uri": "https://far.example/users/ana",
    "note": "<p>Potter</p>",
    "bot": True,
    "locked": True,
    "followers_count": 12,
    "created_at": "2019-01-01T00:00:00.000Z",
    "fields": [{"name": "Web", "value": '<a href="https://ana.example">ana.example</a>', "verified_at": "2020-01-01"}],
}
STATUS: dict[str, Any] = {
    "id": "100",
    "uri": "https://far.example/users/ana/statuses/100",
    "url": "https://far.example/@ana/100",
    "created_at": "2026-11-24T08:59:00.123Z",
    "content": "<p>Hello</p>",
    "visibility": "public",
    "language": "pt-BR",
    "account": ANA,
    "mentions": [{"id": "1", "username": "tideline", "acct": "tideline", "url": "https://social.example/@tideline"}],
}


def item(data: Any, place: str = "mentions") -> RawItem:
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return RawItem(Scope(place), "100", NOW, len(content), content)


def parsed(**changes: Any) -> ParsedMessage:
    found = parse_item(item({"us": US, "status": {**STATUS, **changes}}))
    assert isinstance(found, ParsedMessage)
    return found


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two<br>three<br/>four</p>", "one\n\ntwo\nthree\nfour"),
        ("<p>a &lt;b&gt; &amp; c&nbsp;d</p>", "a <b> & c d"),
        ("<p>\n  soft\n  break </p>", "soft break"),
        (
            '<p><span class="h-card"><a href="https://far.example/@ana" class="u-url mention">@<span>ana</span></a>'
            "</span> look</p>",
            "@ana look",
        ),
        (
            '<p>see <a href="https://www.shop.example/a/very/long/path?x=1&amp;y=2"><span class="invisible">https://www.'
            '</span><span class="ellipsis">shop.example/a/very</span><span class="invisible">/long/path?x=1&amp;y=2'
            "</span></a>!</p>",
            "see https://www.shop.example/a/very/long/path?x=1&y=2!",
        ),
        ('<p><a href="https://evil.example/x">my bank</a></p>', "my bank <https://evil.example/x>"),
        ('<p><a href="https://s.example/tags/tea" class="mention hashtag">#<span>tea</span></a></p>', "#tea"),
        ("<ul><li>one</li><li>two</li></ul><ol><li>a</li><li>b</li></ol>", "- one\n- two\n\n1. a\n2. b"),
        ("<blockquote><p>he said</p><p>so</p></blockquote><p>no</p>", "> he said\n>\n> so\n\nno"),
        ("<pre><code>a\n  b</code></pre>", "a\n  b"),
        ('<p>hi :blobcat: <img src="x" alt=":party:"></p>', "hi :blobcat: :party:"),
        ("<script>alert(1)</script><p>text</p><style>p{}</style>", "text"),
        ("plain, without any tag < 3", "plain, without any tag < 3"),
        ('<a href="javascript:alert(1)">click</a>', "click"),
        ("", ""),
    ],
)
def test_html_becomes_the_text_that_was_meant(html: str, text: str) -> None:
    assert to_text(html) == text


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="<>/apbr \"'=\n&;lt#x-!", max_size=300))
def test_no_html_is_too_broken_to_be_read(html: str) -> None:
    assert isinstance(to_text(html), str)


def test_a_mention_of_somebody_elsewhere_is_shown_with_the_server() -> None:
    html = '<p><a href="https://far.example/@bo" class="u-url mention">@<span>bo</span></a> hi</p>'
    named = [*STATUS["mentions"], {"id": "9", "acct": "bo@far.example", "url": "https://far.example/@bo"}]
    assert parsed(content=html, mentions=named).text == "@bo@far.example hi"


def test_warning_media_poll_language_and_profile_are_kept_apart_from_the_text() -> None:
    found = parsed(
        spoiler_text="Food",
        sensitive=True,
        media_attachments=[
            {
                "type": "image",
                "url": "https://f.example/1",
                "preview_url": "https://f.example/1s",
                "description": "A bowl",
                "meta": {"original": {"width": 640, "height": 480}},
            },
            {"type": "gifv", "url": "https://f.example/2"},
            {"type": "unknown", "remote_url": "https://f.example/3"},
        ],
        poll={
            "expires_at": "2026-12-01T00:00:00Z",
            "multiple": True,
            "options": [{"title": "Yes", "votes_count": 3}, {"title": "No", "votes_count": None}],
        },
    )
    post = found.post
    assert post is not None
    assert (found.text, post.warning, post.labels, found.language) == ("Hello", "Food", ("sensitive",), "pt")
    assert [one.kind for one in post.media] == ["image", "gif", "other"]
    assert (post.media[0].alt, post.media[0].width) == ("A bowl", 640)
    assert post.poll == Poll((("Yes", 3), ("No", -1)), "2026-12-01T00:00:00Z", True)
    profile = post.profile
    assert (profile.handle, profile.is_robot, profile.is_protected, profile.is_verified) == (
        "ana@far.example",
        True,
        True,
        True,
    )
    assert profile.bio == "Potter\nWeb: https://ana.example"
    assert post_of(plain(post)) == post


@pytest.mark.parametrize(
    ("changes", "standing", "visibility"),
    [
        ({}, Standing.MENTION, Visibility.PUBLIC),
        ({"visibility": "unlisted"}, Standing.MENTION, Visibility.UNLISTED),
        ({"visibility": "private"}, Standing.MENTION, Visibility.FOLLOWERS),
        ({"visibility": "direct"}, Standing.DIRECT, Visibility.DIRECT),
        ({"visibility": "something new"}, Standing.DIRECT, Visibility.DIRECT),
        ({"in_reply_to_id": "90", "in_reply_to_account_id": "1"}, Standing.REPLY, Visibility.PUBLIC),
        ({"mentions": []}, Standing.CONTEXT, Visibility.PUBLIC),
        (
            {"mentions": [], "quote": {"state": "accepted", "quoted_status": {**STATUS, "account": {"id": "1"}}}},
            Standing.QUOTE,
            Visibility.PUBLIC,
        ),
        ({"account": {**ANA, "id": "1"}}, Standing.OWN, Visibility.PUBLIC),
    ],
)
def test_how_a_post_concerns_us_and_who_can_read_it(
    changes: dict[str, Any], standing: Standing, visibility: Visibility
) -> None:
    post = parsed(**changes).post
    assert post is not None and (post.standing, post.visibility) == (standing, visibility)


def test_a_quoted_post_is_shown_as_far_as_it_may_be() -> None:
    quoted = {**STATUS, "id": "50", "uri": "https://x.example/50", "content": "<p>the old one</p>"}
    link = '<p class="quote-inline">RE: <a href="https://x.example/50">x.example/50</a></p><p>look</p>'
    shown = parsed(content=link, quote={"state": "accepted", "quoted_status": quoted})
    assert shown.text == "look" and shown.post is not None and shown.post.quoted is not None
    assert (shown.post.quoted.reference, shown.post.quoted.text) == ("https://x.example/50", "the old one")
    hidden = parsed(content=link, quote={"state": "revoked", "quoted_status": None})
    assert hidden.post is not None and hidden.post.quoted is None and hidden.text.startswith("RE:")


def test_a_parent_that_is_not_known_still_has_a_name_of_its_own() -> None:
    one, two = (parsed(in_reply_to_id="90", in_reply_to_account_id="5", id=number) for number in ("1", "2"))
    assert one.in_reply_to == two.in_reply_to == "mastodon:social.example/90"


def test_the_newer_of_two_edits_orders_after_the_other_and_after_none() -> None:
    posts = [parsed(edited_at=at).post for at in (None, "2026-11-24T09:00:00Z", "2026-11-24T09:00:00.500+00:00")]
    revisions = [one.revision for one in posts if one is not None]
    assert revisions == sorted(revisions) and len(set(revisions)) == 3


def test_identity_is_the_actors_id_and_without_one_the_servers_own_id_beside_the_address() -> None:
    known = {**ANA}
    del known["uri"]
    first, second = parsed(account=known), parsed(account={**known, "id": "8"})
    assert parsed().author.external_id == "https://far.example/users/ana"
    assert first.author.external_id != second.author.external_id


def test_a_reaction_of_another_servers_kind_is_a_like() -> None:
    notification = {"id": "5", "type": "pleroma:emoji_reaction", "account": ANA, "status": STATUS, "created_at": "x"}
    found = parse_item(item({"us": US, "notification": notification}))
    assert isinstance(found, ParsedReach) and found.action == "like" and found.at is None


ODD: list[Any] = [None, 5, -1, "", "x", [], {}, [None, 5, {}], True, 2**70, "\x00\ud800", {"id": []}]


@pytest.mark.parametrize("name", sorted([*STATUS, "in_reply_to_id", "media_attachments", "poll", "quote", "edited_at"]))
def test_fields_of_a_wrong_kind_and_unknown_ones_are_survived(name: str) -> None:
    for odd in ODD:
        found = parse_item(item({"us": US, "status": {**STATUS, name: odd, "field_of_tomorrow": odd}}))
        assert isinstance(found, ParsedMessage)
        assert found.text in {"Hello", "", "x", "\ufffd\ufffd"}
        json.dumps(plain(found.post)).encode() if found.post else None
        assert "\0" not in found.text


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"<html>no</html>", b'{"status": 5}', b"[" * 100_000, b"\xff\xfe", b"{" + b" " * MAX_BYTES],
)
def test_what_cannot_be_read_is_flagged_and_kept(content: bytes) -> None:
    found = parse_item(item(content))
    assert isinstance(found, ParsedMessage) and Flag.UNREADABLE in found.flags
    assert found.written_at == NOW
