from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.sealing import KeyMissing, Keyring, load_keyring, new_key_line, parse_keyring

PLACE: Any = {"table": "account", "column": "sealed_secrets", "row": 17}


def keyring(count: int = 1) -> Keyring:
    return parse_keyring("\n".join(new_key_line() for _ in range(count)))


@given(st.text(max_size=2000))
def test_what_is_sealed_opens_again_and_does_not_show(plain: str) -> None:
    ring = keyring()
    sealed = ring.seal(plain, **PLACE)

    assert ring.unseal(sealed, **PLACE) == plain
    assert len(plain.encode()) < 6 or plain.encode() not in sealed


@pytest.mark.parametrize("other", [{"table": "user"}, {"column": "settings"}, {"row": 18}])
def test_f85_a_sealed_value_opens_only_in_its_own_place(other: dict[str, object]) -> None:
    ring = keyring()
    sealed = ring.seal("secret", **PLACE)

    with pytest.raises(KeyMissing):
        ring.unseal(sealed, **{**PLACE, **other})


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=7))
def test_a_changed_bit_is_noticed(position: int, bit: int) -> None:
    ring = keyring()
    sealed = bytearray(ring.seal("secret", **PLACE))
    sealed[position % len(sealed)] ^= 1 << bit

    with pytest.raises(KeyMissing):
        ring.unseal(bytes(sealed), **PLACE)


def test_older_keys_open_and_the_newest_seals() -> None:
    first = parse_keyring("aaaaaaaa " + "11" * 32)
    both = parse_keyring("aaaaaaaa " + "11" * 32 + ",bbbbbbbb " + "22" * 32)
    old = first.seal("secret", **PLACE)
    new = both.seal("secret", **PLACE)

    assert both.unseal(old, **PLACE) == "secret"
    assert new.startswith(b"v1|bbbbbbbb|")
    with pytest.raises(KeyMissing, match="bbbbbbbb"):
        first.unseal(new, **PLACE)


@pytest.mark.parametrize("text", ["", "# only a comment", "a" * 80, "id 12", "id " + "g" * 64])
def test_a_keyring_that_cannot_be_read_says_so_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_keyring(text)
    assert "gggg" not in str(caught.value) and "aaaa" not in str(caught.value)


def test_neither_the_keyring_nor_a_secret_shows_in_a_repr() -> None:
    ring = parse_keyring("aaaaaaaa " + "11" * 32)
    secret = ring.unseal(ring.seal("secret", **PLACE), **PLACE)

    assert repr(ring) == "Keyring(aaaaaaaa)"
    assert "secret" not in repr([secret]) and f"{secret!r}" == "***"


def test_the_first_run_makes_a_keyring_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "home" / "keyring"

    made, read = load_keyring(path), load_keyring(path)

    assert made == read
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
