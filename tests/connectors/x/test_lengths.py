"""How long a text is to X, against the published vectors of twitter-text and texts that try to be slow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.x.links import find_links, has_link
from connectors.x.weights import MESSAGE_LIMIT, POST_LIMIT, measure_message, measure_post

VECTORS = json.loads((Path(__file__).parent / "vectors" / "lengths.json").read_text("utf-8"))
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"


def _vectors() -> list[Any]:
    found = []
    for section in VECTORS:
        if section == "_":
            continue
        for number, one in enumerate(VECTORS[section]):
            text = "".join(part if isinstance(part, str) else part[0] * part[1] for part in one["text"])
            # Under the older configuration every code point of an emoji counts; X has counted otherwise since 2018.
            is_older = section == "WeightedTweetsCounterTest" and any(
                ord(character) == 0x200D or 0x1F3FB <= ord(character) <= 0x1F3FF for character in text
            )
            if not is_older:
                found.append(pytest.param(text, one, id=f"{section}-{number}"))
    return found


@pytest.mark.parametrize(("text", "expected"), _vectors())
def test_every_published_length_vector_of_twitter_text(text: str, expected: dict[str, Any]) -> None:
    measure = measure_post(text)
    assert measure.count == expected["weightedLength"]
    assert (0 < measure.count <= measure.limit) == expected["valid"] or "\uffff" in text
    fits = text if measure.excess_at is None else text[: measure.excess_at]
    if "\uffff" not in text:  # which X refuses wherever it stands
        assert len(fits.encode("utf-16-le")) // 2 - 1 == expected["validRangeEnd"]


def test_so_many_vectors_are_carried() -> None:
    assert len(_vectors()) >= 38


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("a", 1),
        ("日本語", 6),
        ("\u0413\u043e\u0440\u043e\u0434", 5),
        ("e\u0301", 1),
        (FAMILY, 2),
        ("\U0001f1e9\U0001f1ea", 2),
        ("1\ufe0f\u20e3", 2),
        ("\u2764\ufe0f", 2),
        ("\u2764", 2),
        ("©", 1),
        ("©\ufe0f", 2),
        ("a\r\nb", 3),
        ("a\rb", 3),
        ("example.com", 23),
        ("EXAMPLE.COM/Path", 23),
        ("example.notatld", 15),
        ("https://example.com/" + "a" * 300, 23),
        ("see example.com, please", 4 + 23 + 8),
        ("ana@example.com", 15),
        ("日本語example.com", 6 + 23),
        ("t.co/abc", 23),
        ("x.com/i/web/status/1", 23),
        ("v1.2", 4),
        ("e.g. this", 9),
        ("10.000 lei", 10),
        (f"{FAMILY} 日本 example.com/a?b=c fin", 2 + 1 + 4 + 1 + 23 + 4),
    ],
)
def test_what_things_weigh(text: str, weight: int) -> None:
    assert measure_post(text).count == weight


def test_a_reply_of_exactly_280_with_families_cjk_and_links_without_scheme_fits_and_one_more_does_not() -> None:
    text = f"{FAMILY * 20}{'語' * 50} example.com {'a' * 115}"
    assert measure_post(text).count == POST_LIMIT
    assert measure_post(text).excess_at is None
    longer = text + FAMILY
    assert measure_post(longer).left == -2
    assert measure_post(longer).excess_at == len(text)


def test_what_no_longer_fits_is_told_in_the_text_as_written_even_when_the_canonical_form_is_shorter() -> None:
    text = "e\u0301" * 280 + "xyz"
    assert measure_post(text).excess_at == 2 * 280


@pytest.mark.parametrize(
    "text",
    [
        "a." * 12_500,
        "日日." * 8_000 + "a.com",
        "http://" * 3_000,
        "a.com/" + "(a" * 10_000,
        "a.com?" + "." * 20_000,
        "xn--" * 6_000 + ".com",
        "\U0001f468\u200d" * 8_000,
        "日.com" * 5_000,
        "a" * 5_000_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
@pytest.mark.timeout(20)
def test_no_text_is_slow_to_measure(text: str) -> None:
    assert measure_post(text).left < 0


def test_a_direct_message_holds_ten_thousand_characters_whatever_they_are() -> None:
    assert measure_message("語" * MESSAGE_LIMIT).left == 0
    measure = measure_message("a\r\n" * 6_000)
    assert (measure.count, measure.limit) == (12_000, MESSAGE_LIMIT)
    assert measure.excess_at == 15_000


@given(st.text(max_size=400))
def test_the_part_that_fits_is_one_that_fits(text: str) -> None:
    measure = measure_post(text, limit=40)
    assert (measure.excess_at is None) == (measure.left >= 0)
    if measure.excess_at is not None:
        assert 0 <= measure.excess_at < len(text)


@given(
    st.lists(st.sampled_from(["a", ".", "/", "@", "com", "co", "http://", "日", "-", "_", "(", ")", " "]), max_size=30)
)
def test_links_lie_within_the_text_one_after_the_other(parts: list[str]) -> None:
    text = "".join(parts)
    place = 0
    for start, end in find_links(text):
        assert place <= start < end <= len(text)
        assert "." in text[start:end]
        place = end
    assert has_link(text) == bool(find_links(text))
