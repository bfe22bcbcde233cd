"""Folding: one form for the index and for the query."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.fold import TEXT_BYTES, TOKEN_LENGTH, cut_to_bytes, fold, fold_text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("Comanda întârzie, ȘTIAȚI?", ["comanda", "intarzie", "stiati"]),
        ("ţară şi țară și", ["tara", "si", "tara", "si"]),  # cedilla and comma below
        ("CAFÉ cafe\u0301", ["cafe", "cafe"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("Łódź Ørsted æble", ["lodz", "orsted", "aeble"]),
        ("ＰＣ ﬁn ①", ["pc", "fin", "1"]),
        ("“quoted”—dash…and\u00a0space", ["quoted", "dash", "and", "space"]),
        ("it’s it's", ["it", "s", "it", "s"]),
        ("co\u00adoperate zero\u200bwidth", ["cooperate", "zero", "width"]),
        ("tb-20418", ["tb", "20418"]),
        ("budi@example.com", ["budi", "example", "com"]),
        ("返金してください", ["返金", "金し", "して", "てく", "くだ", "ださ", "さい"]),
        ("番号12345です", ["番号", "12345", "です"]),
        ("返", ["返"]),
        ("환불을", ["환불", "불을"]),
        ("السلام عليكم", ["سلام", "عليكم"]),
        ("مُحَمَّد محـــمد أحمد", ["محمد", "محمد", "احمد"]),
        ("رقم ١٢٣", ["رقم", "123"]),
        ("Ёлка ещё", ["елка", "еще"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("\ud800lone\udfff", ["lone"]),
        ("a\x00b", ["a", "b"]),
        ("", []),
        ("?!… — \n", []),
    ],
)
def test_text_is_folded_and_cut(text: str, words: list[str]) -> None:
    assert fold_text(text) == words


@pytest.mark.parametrize(
    ("text", "wholes"),
    [
        ("order TB-20418, please", ["tb20418"]),
        ("<Budi.S+shop@Example.com>", ["budisshopexamplecom"]),
        ("e-mail E-MAIL", ["email"]),
        ("it’s", ["its"]),
        ("ends-with- -begins", ["endswith"]),
        ("что-то", ["чтото"]),
        ("plain words. And more", []),
        ("абв-123", []),  # of two kinds: a phrase of its parts finds it
        ("-".join(["abcdefgh"] * 9), []),  # longer than a token
    ],
)
def test_what_is_written_with_connectors_is_also_one_token(text: str, wholes: list[str]) -> None:
    assert fold(text).wholes == wholes


def test_the_last_character_of_an_unspaced_run_can_be_found_by_itself() -> None:
    assert fold("返金 注文。東").ends == ["金", "文"]


def test_a_long_run_is_cut_to_a_token() -> None:
    assert fold_text("x" * 500 + " " + "ж" * 500) == ["x" * TOKEN_LENGTH, "ж" * TOKEN_LENGTH]
    assert fold_text("x" * 500) == ["x" * TOKEN_LENGTH]


def test_text_is_cut_at_a_whole_character_and_says_so() -> None:
    assert cut_to_bytes("short") == ("short", False)
    assert cut_to_bytes("x" * TEXT_BYTES) == ("x" * TEXT_BYTES, False)
    text, is_cut = cut_to_bytes("金" * TEXT_BYTES)
    assert is_cut
    assert text == "金" * (TEXT_BYTES // 3)


def is_token(token: str) -> bool:
    if len(token) > TOKEN_LENGTH or not token or any(char.isspace() or char in "'\"\\" for char in token):
        return False
    return token.isalnum() if token.isascii() else not any(char.isascii() for char in token)


@given(st.text() | st.text(alphabet="aé-@.'ß金しж\u0301\u0640 9١ก\u0e48"))
def test_every_token_is_one_word_to_all_three_indexes(text: str) -> None:
    folded = fold(text)
    assert all(is_token(token) for token in [*folded.words, *folded.wholes, *folded.ends])
    assert folded.words == " ".join(folded.words).split()


@given(st.text(alphabet="aăâîșțéüñ ñöçå", max_size=60))
def test_case_and_composition_make_no_difference(text: str) -> None:
    expected = fold_text(text)
    assert fold_text(text.upper()) == expected
    assert fold_text(unicodedata.normalize("NFD", text)) == expected


@given(st.text(max_size=60), st.text(max_size=60))
def test_folding_goes_word_by_word(one: str, other: str) -> None:
    assert fold_text(f"{one} {other}") == fold_text(one) + fold_text(other)


@given(st.text(alphabet="abc -_.@+/'", max_size=300))
def test_a_whole_is_its_parts_without_connectors(text: str) -> None:
    joined = "".join(fold_text(text))
    assert all(whole in joined for whole in fold(text).wholes)
