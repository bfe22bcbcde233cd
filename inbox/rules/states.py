"""Every state word that is stored, and which change may follow which.

Columns, exports and templates use these words and no others. Words that the command line promises
(`open`, `queued`, `ok` …) never change; new ones may be added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    AGENT = "agent"


class AccountState(StrEnum):
    OK = "ok"
    RETRYING = "retrying"
    NEEDS_LOGIN = "needs-login"
    PAUSED = "paused"


class DoorbellState(StrEnum):
    """Of the connection on which an account's provider says by itself that something is new."""

    OPENING = "opening"
    LIVE = "live"
    AWAY = "away"  # it was lost or cannot be had just now: tried again by itself
    MISSING = "missing"  # the provider offers none
    UNHEARD = "unheard"  # nobody listens: the listener has ended


class RawState(StrEnum):
    """What became of a raw item. Only `stored` is work; each of the others is an end that a person can see."""

    STORED = "stored"
    DIGESTED = "digested"
    UNREADABLE = "unreadable"  # shown as a conversation that offers the source
    EXCLUDED = "excluded"  # by a named rule
    ERASED = "erased"  # a tombstone: the same id never comes back


class Status(StrEnum):
    """Of a conversation."""

    OPEN = "open"
    WAITING = "waiting"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    SPAM = "spam"


class Reason(StrEnum):
    """Why a conversation has its status."""

    NEW = "new"
    CUSTOMER_WROTE = "customer-wrote"
    ANSWERED = "answered"
    NO_ANSWER_NEEDED = "no-answer-needed"
    DONE = "done"
    HISTORY = "history"  # older than the cut chosen for its account
    AUTOMATIC = "automatic"  # nothing but automatic mail, which stands aside
    CONTEXT = "context"  # nothing but posts that ask nothing of us: our own, and what others say to each other
    SNOOZED = "snoozed"
    SNOOZE_ENDED = "snooze-ended"
    REOPENED = "reopened"
    SEND_FAILED = "send-failed"
    SPAM = "spam"
    HATE = "hate"
    BLOCKED = "blocked"  # its writer is blocked
    NOT_SPAM = "not-spam"
    UNDONE = "undone"


class HiddenWhy(StrEnum):
    """Why somebody had a post folded away."""

    SPAM = "spam"
    HATE = "hate"
    OFF_TOPIC = "off-topic"


class Target(StrEnum):
    """Which promise a deadline belongs to."""

    FIRST = "first"
    NEXT = "next"
    RESOLUTION = "resolution"


class SlaKind(StrEnum):
    """What the append-only ledger of a conversation may say."""

    CUSTOMER_WROTE = "customer-wrote"
    AGENT_ANSWERED = "agent-answered"
    PROVISIONAL_ANSWER = "provisional-answer"  # sent with an unknown outcome: shown, but no promise is kept by it yet
    HOLD = "hold"
    RESUME = "resume"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    STOPPED = "stopped"  # spam: no promise applies
    POLICY_CHANGED = "policy-changed"
    CALENDAR_CHANGED = "calendar-changed"
    UNDONE = "undone"


class SendState(StrEnum):
    """Of one envelope, and, derived, of the message that it carries."""

    QUEUED = "queued"
    SENDING = "sending"
    COMMITTING = "committing"
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


_S, _R = Status, Reason
_CLOSING = {
    _S.RESOLVED: {_R.NO_ANSWER_NEEDED, _R.DONE, _R.HISTORY, _R.AUTOMATIC},
    _S.SPAM: {_R.SPAM, _R.HATE, _R.BLOCKED},
}
_TRANSITIONS: Mapping[Status, Mapping[Status, set[Reason]]] = {
    _S.OPEN: {_S.WAITING: {_R.ANSWERED}, _S.SNOOZED: {_R.SNOOZED}, **_CLOSING},
    _S.WAITING: {
        _S.OPEN: {_R.CUSTOMER_WROTE, _R.REOPENED, _R.SEND_FAILED},
        _S.SNOOZED: {_R.SNOOZED},
        **_CLOSING,
    },
    _S.SNOOZED: {
        _S.OPEN: {_R.CUSTOMER_WROTE, _R.SNOOZE_ENDED, _R.REOPENED, _R.SEND_FAILED},
        _S.WAITING: {_R.ANSWERED},
        **_CLOSING,
    },
    _S.RESOLVED: {
        _S.OPEN: {_R.CUSTOMER_WROTE, _R.REOPENED, _R.SEND_FAILED},
        _S.WAITING: {_R.ANSWERED},
        _S.SNOOZED: {_R.SNOOZED},
        _S.SPAM: {_R.SPAM, _R.HATE, _R.BLOCKED},
    },
    _S.SPAM: {_S.OPEN: {_R.NOT_SPAM}},
}


def may_change(before: Status, after: Status, reason: Reason) -> bool:
    """Whether a conversation may go from one status to another for this reason. Undo may restore any status."""
    if reason is Reason.UNDONE:
        return before is not after
    return reason in _TRANSITIONS[before].get(after, ())


def next_statuses(before: Status) -> frozenset[Status]:
    """The statuses that a person may choose next."""
    return frozenset(_TRANSITIONS[before])


_LEDGER_OF_STATUS = {
    _S.SNOOZED: SlaKind.HOLD,
    _S.RESOLVED: SlaKind.RESOLVED,
    _S.SPAM: SlaKind.STOPPED,
}


def ledger_of(before: Status, after: Status, reason: Reason) -> tuple[SlaKind, ...]:
    """Ledger events that a change of status writes, in order, besides the message's own event.

    Undo writes `undone` events that name their targets instead, and leaving spam does the same with `stopped`,
    so that the clock runs as if it had never been there.
    """
    if reason is Reason.UNDONE or before is after:
        return ()
    events: list[SlaKind] = []
    if before is Status.SNOOZED:
        events.append(SlaKind.RESUME)
    if before is Status.RESOLVED and after is not Status.SPAM:
        events.append(SlaKind.REOPENED)
    if after in _LEDGER_OF_STATUS:
        events.append(_LEDGER_OF_STATUS[after])
    return tuple(events)


_O = SendState
_SEND_NEXT: Mapping[SendState, frozenset[SendState]] = {
    _O.QUEUED: frozenset({_O.SENDING, _O.CANCELLED, _O.FAILED}),
    # Back to queued: the worker died before the point of no return, when nothing can have been accepted.
    _O.SENDING: frozenset({_O.QUEUED, _O.COMMITTING, _O.RETRY, _O.FAILED}),
    _O.COMMITTING: frozenset({_O.SENT, _O.RETRY, _O.FAILED, _O.UNKNOWN}),
    _O.RETRY: frozenset({_O.SENDING, _O.CANCELLED, _O.FAILED}),
    # To queued only by proof of absence or by a person who asks for it.
    _O.UNKNOWN: frozenset({_O.SENT, _O.FAILED, _O.QUEUED}),
    _O.FAILED: frozenset({_O.QUEUED, _O.CANCELLED}),
    _O.SENT: frozenset(),
    _O.CANCELLED: frozenset(),
}

DUE_SEND_STATES = frozenset({_O.QUEUED, _O.RETRY})
"""What a delivering worker may claim."""


def may_become(before: SendState, after: SendState) -> bool:
    return after in _SEND_NEXT[before]


# What a person must know comes first; then what still moves, the furthest first; then the ends.
_MESSAGE_ORDER = (
    _O.UNKNOWN,
    _O.FAILED,
    _O.COMMITTING,
    _O.SENDING,
    _O.RETRY,
    _O.QUEUED,
    _O.SENT,
    _O.CANCELLED,
)


def message_state(envelopes: Iterable[SendState | str]) -> SendState:
    """The state of a message with these envelopes. Raises ValueError when there is none."""
    found = {SendState(state) for state in envelopes}
    if not found:
        raise ValueError("an outbound message has at least one envelope")
    return next(state for state in _MESSAGE_ORDER if state in found)
