"""The passage of a hit: original text, with the ranges that answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.fold import fold_text
from search.passages import LENGTH, Needles, cut, make_passage
from search.query import parse_query


def marked(query: str, text: str) -> list[str]:
    root = parse_query(query).root
    assert root is not None
    passage = make_passage(text, Needles(root))
    assert len(passage.text) <= LENGTH + 2
    return [passage.text[start:end] for start, end in passage.marks]


@pytest.mark.parametrize(
    ("query", "text", "marks"),
    [
        ("kettle", "A Kettle, a kettle!", ["Kettle", "kettle"]),
        ("kettle", "kettles", []),
        ("ket*", "my kettles", ["kettles"]),
        ('"blue kettle"', "a kettle, a blue\nkettle", ["blue kettle"]),
        ("tb-20418", "see TB-20418.", ["TB-20418"]),
        ("tb-20418", "see TB20418.", ["TB20418"]),
        ("intarzie", "Comanda „întârzie” mult", ["întârzie"]),
        ("întârzie", "INTARZIE", ["INTARZIE"]),
        ("返金", "番号１２の返金してください", ["返金"]),
        ("返金し", "返金してください", ["返金し"]),
        ("金", "金 返金", ["金"]),
        ("straße", "Weiße STRASSE", ["STRASSE"]),
        ("strasse", "weiße Straße", ["Straße"]),
        ("pc", "ＰＣ", ["ＰＣ"]),
        ("что-то", "что-то не так", ["что-то"]),
        ("from:budi kettle", "budi kettle", ["kettle"]),
        ("x", "nothing here", []),
        ("x", "", []),
    ],
)
def test_the_places_that_answer_are_marked(query: str, text: str, marks: list[str]) -> None:
    assert marked(query, text) == marks


@pytest.mark.parametrize("filler", ["word ", "cuvânt și ", "слово ", "ab" * 3000])
def test_a_hit_far_into_a_long_text_is_shown(filler: str) -> None:
    text = filler * (50_000 // len(filler)) + " the needle is here"
    assert marked("needle", text) == ["needle"]
    assert marked('"needle is"', text) == ["needle is"]


@given(st.text(max_size=80) | st.text(alphabet="aăß返金-＠ \n", max_size=80))
def test_cutting_with_ranges_gives_tokens_of_the_text(text: str) -> None:
    tokens = set(fold_text(text))
    for token, start, end in cut(text):
        assert 0 <= start < end <= len(text)
        assert token in tokens or token in fold_text(text[start:end])


@given(st.text(max_size=300), st.text(alphabet='aă返"* -from:', max_size=12))
def test_marks_lie_in_order_inside_the_passage(text: str, query: str) -> None:
    root = parse_query(query).root
    if root is None:
        return
    passage = make_passage(text, Needles(root))
    edges = [edge for mark in passage.marks for edge in mark]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(passage.text) for edge in edges)
