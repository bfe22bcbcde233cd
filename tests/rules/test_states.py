"""State words and their transitions."""

from __future__ import annotations

from itertools import product

import pytest

from inbox.rules.states import (
    Reason,
    SendState,
    SlaKind,
    Status,
    ledger_of,
    may_become,
    may_change,
    message_state,
    next_statuses,
)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (Status.OPEN, Status.WAITING, Reason.ANSWERED),
        (Status.OPEN, Status.RESOLVED, Reason.NO_ANSWER_NEEDED),
        (Status.OPEN, Status.RESOLVED, Reason.HISTORY),
        (Status.WAITING, Status.OPEN, Reason.CUSTOMER_WROTE),
        (Status.SNOOZED, Status.OPEN, Reason.SNOOZE_ENDED),
        (Status.SNOOZED, Status.OPEN, Reason.CUSTOMER_WROTE),
        (Status.RESOLVED, Status.OPEN, Reason.CUSTOMER_WROTE),
        (Status.RESOLVED, Status.OPEN, Reason.REOPENED),
        (Status.SPAM, Status.OPEN, Reason.NOT_SPAM),
    ],
)
def test_a_status_may_follow_for_its_reason(before: Status, after: Status, reason: Reason) -> None:
    assert may_change(before, after, reason)
    assert after in next_statuses(before)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (Status.SPAM, Status.OPEN, Reason.CUSTOMER_WROTE),  # more spam does not bring spam back
        (Status.OPEN, Status.RESOLVED, Reason.ANSWERED),
        (Status.OPEN, Status.OPEN, Reason.REOPENED),
        (Status.WAITING, Status.WAITING, Reason.ANSWERED),
        (Status.RESOLVED, Status.OPEN, Reason.SNOOZE_ENDED),
    ],
)
def test_a_status_does_not_follow_for_another_reason(before: Status, after: Status, reason: Reason) -> None:
    assert not may_change(before, after, reason)


def test_undo_restores_any_other_status() -> None:
    for before, after in product(Status, Status):
        assert may_change(before, after, Reason.UNDONE) is (before is not after)


@pytest.mark.parametrize(
    ("before", "after", "reason", "events"),
    [
        (Status.OPEN, Status.SNOOZED, Reason.SNOOZED, (SlaKind.HOLD,)),
        (Status.SNOOZED, Status.OPEN, Reason.CUSTOMER_WROTE, (SlaKind.RESUME,)),
        (Status.SNOOZED, Status.RESOLVED, Reason.DONE, (SlaKind.RESUME, SlaKind.RESOLVED)),
        (Status.RESOLVED, Status.OPEN, Reason.REOPENED, (SlaKind.REOPENED,)),
        (Status.RESOLVED, Status.SNOOZED, Reason.SNOOZED, (SlaKind.REOPENED, SlaKind.HOLD)),
        (Status.RESOLVED, Status.SPAM, Reason.SPAM, (SlaKind.STOPPED,)),
        (Status.OPEN, Status.SPAM, Reason.SPAM, (SlaKind.STOPPED,)),
        (Status.OPEN, Status.WAITING, Reason.ANSWERED, ()),
        (Status.RESOLVED, Status.OPEN, Reason.UNDONE, ()),
    ],
)
def test_a_change_of_status_names_its_ledger_events(
    before: Status, after: Status, reason: Reason, events: tuple[SlaKind, ...]
) -> None:
    assert ledger_of(before, after, reason) == events


def test_f33_nothing_past_the_point_of_no_return_goes_back_to_the_queue_by_itself() -> None:
    assert not may_become(SendState.COMMITTING, SendState.QUEUED)
    assert not may_become(SendState.COMMITTING, SendState.SENDING)
    assert not may_become(SendState.UNKNOWN, SendState.RETRY)
    assert not may_become(SendState.UNKNOWN, SendState.SENDING)


def test_a_message_is_sent_only_through_committing_or_by_evidence() -> None:
    assert {state for state in SendState if may_become(state, SendState.SENT)} == {
        SendState.COMMITTING,
        SendState.UNKNOWN,
    }


def test_sent_and_cancelled_are_ends() -> None:
    for after in SendState:
        assert not may_become(SendState.SENT, after)
        assert not may_become(SendState.CANCELLED, after)


def test_only_what_certainly_did_not_leave_can_be_cancelled() -> None:
    assert {state for state in SendState if may_become(state, SendState.CANCELLED)} == {
        SendState.QUEUED,
        SendState.RETRY,
        SendState.FAILED,
    }


@pytest.mark.parametrize(
    ("envelopes", "state"),
    [
        (["sent"], "sent"),
        (["sent", "queued"], "queued"),
        (["sent", "failed"], "failed"),
        (["queued", "unknown", "sent"], "unknown"),
        (["cancelled", "sent"], "sent"),
        (["cancelled", "cancelled"], "cancelled"),
        (["retry", "sending"], "sending"),
    ],
)
def test_the_state_of_a_message_is_derived_from_its_envelopes(envelopes: list[str], state: str) -> None:
    assert message_state(envelopes) == state


def test_every_single_envelope_gives_its_own_state_and_none_is_an_error() -> None:
    for state in SendState:
        assert message_state([state]) is state
    with pytest.raises(ValueError, match="at least one"):
        message_state([])
