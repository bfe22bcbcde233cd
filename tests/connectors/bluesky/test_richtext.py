"""Facets: what the platform's own library finds, at the same bytes; and what others' facets are read as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bluesky.richtext import find_facets, graphemes, read_text

VECTORS = json.loads((Path(__file__).parent / "vectors" / "facets.json").read_text(encoding="utf-8"))
PIECES = st.sampled_from(
    [
        "@a.com",
        "#tag",
        "b.co/x",
        "https://c.io/é",
        " ",
        "\n",
        "👨‍👩‍👧",
        "中文",
        "e\u0301",
        "(",
        ")",
        ".",
        "ż",
        "\u200d",
        "$AB",
    ]
)


@pytest.mark.parametrize(("text", "expected"), VECTORS, ids=range(len(VECTORS)))
def test_facets_lie_where_the_platforms_own_library_puts_them(text: str, expected: list[Any]) -> None:
    assert sorted([one.start, one.end, one.value] for one in find_facets(text)) == expected


@given(st.lists(PIECES, max_size=12).map("".join))
def test_every_facet_cuts_whole_characters_and_reads_back(text: str) -> None:
    data = text.encode()
    for one in find_facets(text):
        shown = data[one.start : one.end].decode()  # a cut character would not decode
        if one.kind == "link":
            assert one.value in (shown, f"https://{shown}")
        else:
            assert shown[1:].upper() == one.value.removeprefix("$").upper()


def facet(start: Any, end: Any, **feature: Any) -> dict[str, Any]:
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


LINK = "https://shop.example/very/long/address?with=query"


@pytest.mark.parametrize(
    ("text", "shown", "expected"),
    [
        ("see shop.example/very/lo… now", "shop.example/very/lo…", f"see {LINK} now"),
        ("見る shop.example/very... 👍🏽", "shop.example/very...", f"見る {LINK} 👍🏽"),
        ("see here now", "here", f"see here <{LINK}> now"),
        ("pay at bank.example…", "bank.example…", f"pay at bank.example… <{LINK}>"),  # a lie is seen as one
        (f"see {LINK}", LINK, f"see {LINK}"),
        (f"see {LINK[8:]}", LINK[8:], f"see {LINK[8:]}"),
    ],
)
def test_links_are_shown_in_full(text: str, shown: str, expected: str) -> None:
    start = text.encode().index(shown.encode())
    rich = read_text(text, [facet(start, start + len(shown.encode()), uri=LINK)])
    assert (rich.text, rich.links) == (expected, (LINK,))


@pytest.mark.parametrize(
    "facets",
    [
        None,
        "no list",
        [None, 1, {}, {"index": 3}],
        [facet(-1, 3, did="did:plc:x")],
        [facet(0, 999, did="did:plc:x")],
        [facet(2, 2, did="did:plc:x")],
        [facet(True, 4, did="did:plc:x")],
        [facet("0", "4", did="did:plc:x")],
        [facet(1, 5, uri="https://a.example")],  # in the middle of 👋
        [facet(0, 4, uri="javascript:alert(1)")],
        [facet(0, 4, uri=["https://a.example"])],
        [{"index": {"byteStart": 0, "byteEnd": 4}, "features": "none"}],
    ],
)
def test_facets_that_fit_nowhere_change_nothing(facets: Any) -> None:
    assert read_text("👋 hello", facets).text == "👋 hello"


def test_of_facets_that_overlap_the_first_counts() -> None:
    rich = read_text("abcdefgh", [facet(0, 4, did="did:plc:a"), facet(2, 6, did="did:plc:b"), facet(6, 8, tag="gh")])
    assert (rich.mentions, rich.tags) == ((("abcd", "did:plc:a"),), ("gh",))


def test_half_a_surrogate_pair_spoils_no_offset() -> None:
    rich = read_text("\ud83d ann", [facet(4, 7, did="did:plc:a")])
    assert rich.text == "\ufffd ann" and rich.mentions == (("ann", "did:plc:a"),)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("abc", 3), ("👨‍👩‍👧‍👦", 1), ("🏳️‍🌈🇷🇴", 2), ("e\u0301", 1), ("नमस्ते", 3), ("한국어", 3), ("\r\n", 1)],
)
def test_graphemes_are_what_people_see(text: str, count: int) -> None:
    assert graphemes(text) == count
