"""What the composer says before anything is sent: all of it pure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Speaks
from connectors.metering import Charges, Paced
from connectors.registry import AccountSettings
from connectors.social import Outline, OutlinedFile, Post, Profile, Visibility
from connectors.x import XConnector
from connectors.x.prices import PRICES, YIELDS

MENTION = Post(facts={"summons": "mention", "reply_settings": "everyone"})
DIRECT = Post(visibility=Visibility.DIRECT, facts={"dm_conversation_id": "1-2"})
MB = 2**20


def connector(**settings: Any) -> XConnector:
    return XConnector(AccountSettings("x", "tasbora", settings, Path("/nowhere")), {})


X = connector()


def picture(size: int = 1000, kind: str = "image/png", alt: str = "", name: str = "a.png") -> OutlinedFile:
    return OutlinedFile(name, kind, size, alt)


def test_the_kind_speaks_charges_and_is_paced() -> None:
    assert isinstance(X, Speaks)
    assert isinstance(XConnector, Charges) and isinstance(XConnector, Paced)
    places = {one.place for one in XConnector.poll_places}
    assert places == {"mentions", "dms", "own", "quotes"}
    for place in XConnector.poll_places:
        assert set(place.resources) <= set(PRICES.micros)
    assert {one for first, more in YIELDS.values() for one in (first, *more)} <= set(PRICES.micros)


@pytest.mark.parametrize(
    ("outline", "words"),
    [
        (Outline("x" * 280), ()),
        (Outline("x" * 281), ("280 characters, and this has 281",)),
        (Outline("x" * 10_000, DIRECT), ()),
        (Outline("x" * 10_001, DIRECT), ("10,000",)),
        (Outline("語" * 141), ("this has 282",)),
        (Outline(""), ("nothing in it",)),
        (Outline("", files=(picture(),)), ()),
        (Outline("ok", files=(picture(),) * 4), ()),
        (Outline("ok", files=(picture(),) * 5), ("up to four pictures",)),
        (Outline("ok", files=(picture(5 * MB),)), ()),
        (Outline("ok", files=(picture(5 * MB + 1),)), ("X takes 5 MB",)),
        (Outline("ok", files=(picture(20 * MB),)), ("20.0 MB",)),
        (Outline("ok", files=(picture(kind="image/gif"),)), ()),
        (Outline("ok", files=(picture(kind="image/gif"), picture())), ("one moving picture",)),
        (Outline("ok", files=(picture(15 * MB + 1, "image/gif"),)), ("15 MB",)),
        (Outline("ok", files=(picture(100 * MB, "video/mp4"),)), ()),
        (Outline("ok", files=(picture(kind="video/mp4"),) * 2), ("one film",)),
        (Outline("ok", files=(picture(kind="application/pdf"),)), ("none of them",)),
        (Outline("ok", files=(picture(kind="image/svg+xml"),)), ("none of them",)),
        (Outline("ok", files=(picture(alt="x" * 1001),)), ("1,001 characters",)),
        (Outline("ok", DIRECT, files=(picture(),) * 2), ("one picture or film",)),
        (Outline("ok", MENTION, Visibility.DIRECT, files=(picture(),) * 2), ("one picture or film",)),
        (Outline("ok", visibility=Visibility.FOLLOWERS), ("everybody",)),
        (Outline("ok", visibility=Visibility.DIRECT), ("somebody it goes to",)),
        (Outline("ok", warning="food"), ("content warnings",)),
        (Outline("$TWTR up"), ()),
        (Outline("$TWTR and $GOOG up"), ("$TWTR, $GOOG",)),
        (Outline("it costs $5 or $10"), ()),
        (Outline("a\ufeffb"), ("invisible",)),
    ],
)
def test_what_x_would_refuse_is_said_in_a_sentence(outline: Outline, words: tuple[str, ...]) -> None:
    found = X.objections(outline)
    assert len(found) == len(words), found
    for said, expected in zip(found, words, strict=True):
        assert expected in said
        assert said.endswith(".")


def test_a_subscriber_writes_longer_and_an_enterprise_app_more_freely() -> None:
    assert connector(is_long=True).objections(Outline("x" * 25_000)) == ()
    assert connector(is_long=True).measure("x", None).limit == 25_000
    assert connector(plan="enterprise").objections(Outline("$TWTR $GOOG")) == ()


def test_a_direct_message_is_measured_as_one() -> None:
    assert X.measure("語", DIRECT).count == 1
    assert X.measure("語", MENTION).count == 2


@pytest.mark.parametrize(
    ("facts", "profile", "plan", "allowed", "words"),
    [
        ({"summons": "mention"}, Profile(), "", True, ""),
        ({"summons": "quote"}, Profile(), "", True, ""),
        ({"summons": "none"}, Profile(), "", False, "name or quote this account"),
        ({"summons": "none"}, Profile(), "enterprise", True, ""),
        ({"summons": "mention", "reply_settings": "mentionedUsers"}, Profile(), "", True, ""),
        ({"summons": "mention", "reply_settings": "following"}, Profile(), "", True, ""),
        ({"summons": "quote", "reply_settings": "following"}, Profile(), "", None, "follows"),
        ({"summons": "mention", "reply_settings": "subscribers"}, Profile(), "", None, "subscribers"),
        ({"summons": "mention", "reply_settings": "verified"}, Profile(), "", None, "verified"),
        ({"summons": "mention"}, Profile(is_protected=True), "", None, "followers only"),
        ({}, Profile(), "", True, ""),
    ],
)
def test_whether_a_program_may_answer_is_known_before_typing(
    facts: dict[str, str], profile: Profile, plan: str, allowed: bool | None, words: str
) -> None:
    found = connector(plan=plan).permission(Post(facts=facts, profile=profile))
    assert found.allowed is allowed
    assert words in found.sentence
    assert bool(found.sentence) == (allowed is not True)


def test_an_answer_is_never_wider_than_what_it_answers() -> None:
    assert X.visibilities(None) == (Visibility.PUBLIC,)
    assert X.visibilities(MENTION) == (Visibility.PUBLIC, Visibility.DIRECT)
    for narrow in (Visibility.DIRECT, Visibility.FOLLOWERS):
        assert X.visibilities(replace(MENTION, visibility=narrow)) == (Visibility.DIRECT,)


@pytest.mark.parametrize(
    ("outline", "micros", "resource"),
    [
        (Outline("thanks", MENTION), 15_000, "post.create"),
        (Outline("see example.com", MENTION), 200_000, "post.create-with-link"),
        (Outline("see https://example.com/a", MENTION), 200_000, "post.create-with-link"),
        (Outline("see example.com", DIRECT), 15_000, "dm.create"),
        (Outline("see example.com", MENTION, Visibility.DIRECT), 15_000, "dm.create"),
        (Outline("look", MENTION, files=(picture(alt="a cat"), picture())), 20_000, "post.create"),
    ],
)
def test_what_an_answer_costs_is_told_and_why(outline: Outline, micros: int, resource: str) -> None:
    found = X.price(outline)
    assert found and (found.micros, found.resource) == (micros, resource)
    assert f"${micros / 1_000_000:.3f}" in found.sentence


def test_the_owners_own_prices_count() -> None:
    found = connector(prices={"post.create": 7_000}).price(Outline("thanks"))
    assert found and found.micros == 7_000
