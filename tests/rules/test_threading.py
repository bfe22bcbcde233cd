"""Which thread, whose strand, and what may come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.messages import Address, ParsedMessage
from inbox.rules.states import Status
from inbox.rules.threading import (
    MAX_KEYS,
    Placement,
    References,
    Return,
    StrandView,
    ThreadChoice,
    choose_thread,
    is_history,
    may_add_people,
    may_join,
    on_return,
    place_inbound,
    place_outbound,
    reference_key,
    reference_keys,
)

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def message(own: str = "new@shop.test", reply_to: str = "", references: tuple[str, ...] = ()) -> ParsedMessage:
    return ParsedMessage(
        author=Address("ana@example.org"),
        recipients=(),
        subject="Order TB-20418",
        text="",
        visible_text="",
        written_at=None,
        message_id=own,
        in_reply_to=reply_to,
        references=references,
    )


def strand(id: int, counterparty: str, *people: str, sequence: int = 0, is_referred: bool = True) -> StrandView[str]:
    return StrandView(id, counterparty, sequence, frozenset(people), is_referred)


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


def test_parents_come_nearest_first_once_each_and_never_the_message_itself() -> None:
    parsed = message("own-1@shop.test", "par-3@x.test", ("root1@x.test", "null@x", "mid-2@x.test", "par-3@x.test"))
    assert reference_keys(parsed) == References("own-1@shop.test", ("par-3@x.test", "mid-2@x.test", "root1@x.test"))
    assert reference_keys(message("own-1@shop.test", "own-1@shop.test")).parents == ()


def test_a_long_chain_keeps_its_nearest_parents_and_its_root() -> None:
    chain = tuple(f"message-{number}@x.test" for number in range(200))
    parents = reference_keys(message(references=chain)).parents
    assert (len(parents), parents[0], parents[-1]) == (MAX_KEYS, "message-199@x.test", "message-0@x.test")


@pytest.mark.parametrize(
    ("reply_to", "references"),
    [
        ("ours@shop.test", ()),  # In-Reply-To alone
        ("", ("ours@shop.test",)),  # References alone
        ("ours@shop.test", ("first@x.test", "ours@shop.test")),
        ("", ("first@x.test", "ours@shop.test", "other@x.test")),
        ("lost-1@x.test", ("ours@shop.test", "lost-1@x.test")),  # the direct parent never reached us
    ],
)
def test_f50_every_header_style_finds_the_thread(reply_to: str, references: tuple[str, ...]) -> None:
    keys = reference_keys(message("new-1@x.test", reply_to, references))
    assert choose_thread(keys, {"ours@shop.test": 7}).thread == 7


# --- Threads --------------------------------------------------------------------------------------------------------


def test_a_message_that_names_nothing_known_opens_a_thread_and_remembers_all_names() -> None:
    keys = References("own-1@x.test", ("par-1@x.test",))
    assert choose_thread(keys, {}) == ThreadChoice(None, (), ("own-1@x.test", "par-1@x.test"))


def test_a_late_message_that_links_two_threads_makes_them_one() -> None:
    keys = References("mid-2@x.test", ("root1@x.test",))
    assert choose_thread(keys, {"mid-2@x.test": 9, "root1@x.test": 4}) == ThreadChoice(4, (9,), ())


def test_any_order_of_arrival_ends_in_one_thread() -> None:
    chain = [References(f"m{n}@x.test.", (f"m{n - 1}@x.test.",) if n else ()) for n in range(4)]
    for order in permutations(chain):
        lies_in: dict[str, int] = {}
        for number, keys in enumerate(order, 1):
            choice = choose_thread(keys, lies_in)
            thread = choice.thread or number
            lies_in |= dict.fromkeys(choice.new_keys, thread)
            lies_in = {key: thread if value in choice.merged else value for key, value in lies_in.items()}
        assert len(set(lies_in.values())) == 1


def test_f46_what_failed_its_sender_check_neither_joins_nor_connects_threads() -> None:
    keys = References("forged@x.test", ("root1@x.test", "other@x.test"))
    known = {"root1@x.test": 4, "other@x.test": 9}
    assert choose_thread(keys, known, is_trusted=False) == ThreadChoice(None, (), ("forged@x.test",))
    taken = References("root1@x.test", ())
    assert choose_thread(taken, known, is_trusted=False) == ThreadChoice(None, (), ())


# --- Strands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verified", [True, None, False])
@pytest.mark.parametrize("participates", [True, False])
@pytest.mark.parametrize("refers", [True, False])
def test_f46_joining_needs_a_participant_a_reference_and_no_failed_check(
    verified: bool | None, participates: bool, refers: bool
) -> None:
    assert may_join(verified, participates, refers) is (verified is not False and participates and refers)


def test_f49_five_hundred_answers_to_one_newsletter_are_five_hundred_strands() -> None:
    strands = [strand(1, "list@shop.test")]
    for number in range(500):
        author = f"reader{number}@example.org"
        placed = place_inbound(author, None, strands)
        assert placed == Placement(None, author, 0)
        strands.append(strand(number + 2, author, is_referred=False))


def test_f47_a_stranger_who_names_our_message_gets_a_strand_of_their_own() -> None:
    strands = [strand(1, "ana@example.org", "ben@example.org")]
    assert place_inbound("eve@evil.test", None, strands) == Placement(None, "eve@evil.test", 0)
    assert place_inbound("eve@evil.test", True, strands) == Placement(None, "eve@evil.test", 0)


def test_someone_in_copy_takes_part() -> None:
    strands = [strand(1, "ana@example.org", "ben@example.org")]
    assert place_inbound("ben@example.org", None, strands).strand == 1


def test_ones_own_strand_comes_before_one_where_one_is_only_in_copy() -> None:
    strands = [strand(2, "ana@example.org", "ben@example.org"), strand(1, "ben@example.org")]
    assert place_inbound("ben@example.org", None, strands).strand == 1


def test_the_newest_sequence_of_the_pair_goes_on() -> None:
    strands = [strand(1, "ana@example.org"), strand(5, "ana@example.org", sequence=1)]
    assert place_inbound("ana@example.org", None, strands) == Placement(5, "ana@example.org", 1)


def test_without_a_verifying_server_a_reference_into_the_strand_itself_is_needed() -> None:
    strands = [strand(1, "ana@example.org", is_referred=False)]
    assert place_inbound("ana@example.org", None, strands) == Placement(None, "ana@example.org", 1)
    assert place_inbound("ana@example.org", True, strands).strand == 1


def test_f46_a_failed_check_opens_a_strand_of_its_own_even_for_the_counterparty() -> None:
    assert place_inbound("ana@example.org", False, [strand(1, "ana@example.org")]) == Placement(
        None, "ana@example.org", 1
    )


def test_f48_a_failed_check_brings_nobody_in() -> None:
    assert [may_add_people(verified) for verified in (True, None, False)] == [True, True, False]


def test_f51_without_a_readable_author_nothing_is_joined() -> None:
    assert place_inbound(None, True, [strand(1, "ana@example.org")]) == Placement(None, None)


OWN = {"help@shop.test", "sales@shop.test"}


@pytest.mark.parametrize(
    ("recipients", "placement"),
    [
        (["ana@example.org"], Placement(1, "ana@example.org", 0)),
        (["new@example.org", "ana@example.org"], Placement(1, "ana@example.org", 0)),
        (["ben@example.org"], Placement(1, "ana@example.org", 0)),  # takes part there
        (["help@shop.test", "new@example.org"], Placement(None, "new@example.org", 0)),
        (["sales@shop.test"], Placement(None, "sales@shop.test", 0)),  # a note to ourselves
        ([], Placement(None, None)),
    ],
)
def test_what_we_sent_lies_with_the_person_we_wrote_to(recipients: list[str], placement: Placement[str]) -> None:
    strands = [strand(1, "ana@example.org", "ben@example.org"), strand(2, "cyd@example.org", is_referred=False)]
    assert place_outbound(recipients, OWN, strands) == placement


def test_what_we_sent_goes_where_its_parent_lies_if_a_person_has_two_strands() -> None:
    strands = [strand(1, "ana@example.org"), strand(5, "ana@example.org", sequence=1, is_referred=False)]
    assert place_outbound(["ana@example.org"], OWN, strands).strand == 1


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
