"""Lengths, pictures and whom one may answer, before anything is sent."""

from __future__ import annotations

import pytest

from connectors.base import Speaks
from connectors.bluesky import BlueskyConnector
from connectors.bluesky.speech import measure, objections, permission, visibilities
from connectors.registry import AccountSettings
from connectors.social import Outline, OutlinedFile, Post, Visibility
from tests.connectors.bluesky.conftest import World

FAMILY = "👨‍👩‍👧‍👦"  # one character to people, 25 bytes


@pytest.mark.parametrize(
    ("text", "count", "unit", "excess_at"),
    [
        ("", 0, "graphemes", None),
        ("n" * 300, 300, "graphemes", None),
        ("n" * 301, 301, "graphemes", 300),
        ("漢" * 300, 300, "graphemes", None),
        ("e\u0301" * 300, 300, "graphemes", None),
        ("e\u0301" * 301, 301, "graphemes", 600),
        (FAMILY * 120, 120, "graphemes", None),  # 3,000 bytes to the byte
        (FAMILY * 121, 3025, "bytes", 840),
        (FAMILY * 100 + "n" * 201, 301, "graphemes", 900),
        (FAMILY * 150 + "n" * 200, 350, "graphemes", 840),  # both: what runs out first
        ("a" * 50_000, 50_000, "graphemes", 300),
    ],
)
def test_a_post_has_300_characters_and_3000_bytes(text: str, count: int, unit: str, excess_at: int | None) -> None:
    found = measure(text, False)
    assert (found.count, found.unit, found.excess_at) == (count, unit, excess_at)
    assert (found.left < 0) == (excess_at is not None)


def test_a_direct_message_has_more_room() -> None:
    assert measure("n" * 1000, True).left == 0 and measure("n" * 1001, True).excess_at == 1000
    assert measure(FAMILY * 401, True).unit == "bytes"


def test_what_fits_is_not_objected_to_and_what_does_not_is_said_in_words() -> None:
    assert objections(Outline("n" * 300)) == ()
    (long,) = objections(Outline("n" * 312))
    assert "300" in long and "12" in long
    (big,) = objections(Outline("x", files=(OutlinedFile("a.jpg", "image/jpeg", 2_000_001),)))
    assert "2 MB" in big
    assert objections(Outline("", files=(OutlinedFile("a.jpg", "image/jpeg", 2_000_000, "a bag"),))) == ()
    (alt,) = objections(Outline("x", files=(OutlinedFile("a.jpg", "image/jpeg", 5, "x" * 2001),)))
    assert "description" in alt


@pytest.mark.parametrize(
    ("facts", "allowed"),
    [({}, True), ({"blocked_by": True}, False), ({"blocking": True}, False), ({"reply_disabled": True}, False)],
)
def test_whom_one_may_answer_is_known_and_said_why(facts: dict[str, bool], allowed: bool) -> None:
    found = permission(Post(facts=facts))
    assert found.allowed is allowed and bool(found.sentence) is not allowed
    direct = permission(Post(visibility=Visibility.DIRECT, facts={"convo": "3k", **facts}))
    assert direct.allowed is (not ({"blocked_by", "blocking"} & set(facts)))


def test_an_answer_is_never_seen_by_more_than_what_it_answers() -> None:
    assert visibilities(Post(visibility=Visibility.DIRECT), True) == (Visibility.DIRECT,)
    assert visibilities(Post(), True) == (Visibility.PUBLIC, Visibility.DIRECT)
    assert visibilities(Post(), False) == visibilities(None, True) == (Visibility.PUBLIC,)


def test_the_rules_need_no_credentials_and_cost_nothing(world: World) -> None:
    bare = BlueskyConnector(AccountSettings("bluesky", "tasbora.test", {}, world.spool), {})
    assert isinstance(bare, Speaks)
    assert bare.price(Outline("x")) is None and bare.measure("x" * 301).left == -1
    assert bare.measure("x" * 301, Post(visibility=Visibility.DIRECT)).left == 699
    assert world.server.seen() == []
