"""The search language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query import FROM, TERMS, All, Either, Node, Phrase, Prefix, Query, Word, leaves, parse_query

TB = Either((Word("tb20418"), Phrase(("tb", "20418"))))


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("refund", Word("refund")),
        ("  Refund  ", Word("refund")),
        ("blue kettle", All((Word("blue"), Word("kettle")))),
        ("blue blue", Word("blue")),
        ('"blue kettle"', Phrase(("blue", "kettle"))),
        ("„blue kettle”", Phrase(("blue", "kettle"))),
        ('"refund"', Word("refund")),
        ("ref*", Prefix("ref")),
        ("r*", Word("r")),
        ("întârz*", Prefix("intarz")),
        ("TB-20418", TB),
        ("tb-204*", Prefix("tb204")),
        ("tb-*", Prefix("tb")),
        ("(TB-20418)", TB),
        ("from:budi", Word("budi", FROM)),
        ("From: Budi", Word("budi", FROM)),
        ("from:bu*", Prefix("bu", FROM)),
        ('from:"Budi S"', Phrase(("budi", "s"), FROM)),
        ("from:b@x.org", Either((Word("bxorg", FROM), Phrase(("b", "x", "org"), FROM)))),
        ("from:budi refund", All((Word("budi", FROM), Word("refund")))),
        ("返金", Word("返金")),
        ("返金し", Phrase(("返金", "金し"))),
        ("返金し*", Phrase(("返金", "金し"))),
        ("返", Prefix("返")),
        ("番号12*", All((Word("番号"), Prefix("12")))),
        # What is not the language is text.
        ("re:invoice", Phrase(("re", "invoice"))),
        ("https://example.org", Phrase(("https", "example", "org"))),
        ('"never closed', Phrase(("never", "closed"))),
        ("from:", Word("from")),
        ('from:""', None),
        ("*", None),
        ("", None),
        ('"" \' ( ) -- ?', None),
        ("a OR b", All((Word("a"), Word("or"), Word("b")))),
        ("x NEAR(y) AND {text}:z", All((Word("x"), Phrase(("near", "y")), Word("and"), Phrase(("text", "z"))))),
    ],
)
def test_what_is_typed_becomes_a_tree(text: str, root: Node | None) -> None:
    assert parse_query(text).root == root


def test_a_long_query_is_cut_and_says_so() -> None:
    assert parse_query(" ".join(f"w{n}" for n in range(TERMS))).is_cut is False
    cut = parse_query(" ".join(f"w{n}" for n in range(TERMS + 1)))
    assert cut.is_cut
    assert cut.root is not None
    assert len(leaves(cut.root)) == TERMS
    assert parse_query("x" * 1001).is_cut


@given(st.text() | st.text(alphabet="ab\"*:from -'\\(){}返ă“”"))
def test_f80_nothing_that_is_typed_raises_or_reaches_an_index_as_syntax(text: str) -> None:
    query = parse_query(text)
    assert isinstance(query, Query)
    for leaf in leaves(query.root) if query.root else []:
        tokens = leaf.tokens if isinstance(leaf, Phrase) else (leaf.token,)
        assert 0 < len(tokens) <= TERMS
        assert all(token.isalnum() for token in tokens if token.isascii())
        assert not any(char in "\"'\\*: " for token in tokens for char in token)
