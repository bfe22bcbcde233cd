"""By what a message is known, who may enter a strand, and what may come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.rules.states import Status
from inbox.rules.threading import Return, is_history, may_join, on_return, reference_key

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


# --- Keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message_id",
    [
        *("", " ", "<>", "@", "a@b", "null@example.org", "undefined@example.org", "NONE@x.example", "@example.org"),
        *("1@", "two words@example.org", "line\nbreak@example.org", "nul\x00@example.org", "aaaaaaaaaaaaaa", "12345"),
        "<[x]>",
    ],
)
def test_what_identifies_nothing_is_no_key(message_id: str) -> None:
    assert reference_key(message_id) is None


@pytest.mark.parametrize(
    "message_id",
    [
        "4F1.2@mail.example.org",
        "CAJ=kx+Q@mail.gmail.com",
        "20261124.100000.1234",
        "[x]y@example.org",
        "Ünïcode@ex.ample",
    ],
)
def test_what_mail_programs_write_is_a_key_as_it_stands(message_id: str) -> None:
    assert reference_key(message_id) == message_id
    assert reference_key(f" <{message_id}> ") == message_id


def test_long_ids_are_kept_apart_by_their_hash() -> None:
    one, other = ("x" * 600 + f"y{n}@example.org" for n in range(2))
    keys = {reference_key(one), reference_key(other)}
    assert len(keys) == 2
    assert all(key is not None and key.startswith("sha256:") and len(key) <= 500 for key in keys)


@given(st.text(max_size=50))
def test_any_text_is_a_bounded_key_or_none(text: str) -> None:
    key = reference_key(text)
    assert key is None or (6 <= len(key) <= 500 and key.isprintable() and " " not in key)


# --- Strands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verified", [True, None, False])
@pytest.mark.parametrize("participates", [True, False])
@pytest.mark.parametrize("refers", [True, False])
def test_f46_joining_needs_a_participant_a_reference_and_no_failed_check(
    verified: bool | None, participates: bool, refers: bool
) -> None:
    assert may_join(verified, participates, refers) is (verified is not False and participates and refers)


# --- Coming back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "days", "outcome"),
    [
        (Status.OPEN, None, Return.CONTINUE),
        (Status.WAITING, None, Return.CONTINUE),
        (Status.SNOOZED, None, Return.CONTINUE),
        (Status.RESOLVED, 0, Return.REOPEN),
        (Status.RESOLVED, 30, Return.REOPEN),
        (Status.RESOLVED, 30.01, Return.FOLLOW_UP),
        (Status.RESOLVED, -1, Return.REOPEN),  # written before, arrived after
        (Status.SPAM, 400, Return.KEEP),
    ],
)
def test_a_returning_customer_continues_reopens_or_begins_anew(
    status: Status, days: float | None, outcome: Return
) -> None:
    resolved_at = None if days is None else NOW - timedelta(days=days)
    assert on_return(status, resolved_at, NOW) is outcome


def test_the_reopen_window_can_be_set() -> None:
    resolved_at = NOW - timedelta(days=3)
    assert on_return("resolved", resolved_at, NOW, timedelta(days=2)) is Return.FOLLOW_UP


def test_only_what_is_older_than_the_cut_is_history() -> None:
    assert is_history(NOW - timedelta(seconds=1), NOW)
    assert not is_history(NOW, NOW)
