"""The ledger of one conversation and how each of its entries moves the clocks.

Three clocks run, all in working time and never while the conversation is on hold:

- *first* and *next* run from the moment the customer wrote, as long as a message is unanswered;
- *resolution* runs while it is our turn, and stands while we wait for the customer.

An answer covers only what its writer could have seen, so a message that crossed it keeps its clock. Automatic mail,
in either direction, neither starts nor stops anything. A policy or calendar change applies to every promise still
running; what has ended stays as it was judged. An answer of unknown outcome is shown, but keeps no promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from inbox.rules.business_time import CalendarHours, NoWorkingTime, add_business, business_between, working_day
from inbox.rules.states import SlaKind, Target

MAX_UNANSWERED: Final = 50  # kept one by one; a flood beyond is remembered as one message

_ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Targets:
    """Promises, in working time."""

    first: timedelta
    next: timedelta
    resolution: timedelta

    @classmethod
    def from_data(cls, data: Mapping[str, float], calendar: CalendarHours) -> Targets:
        """From {"first": seconds, "next": seconds, "resolution_days": days}; raises KeyError or ValueError."""
        first, following = timedelta(seconds=data["first"]), timedelta(seconds=data["next"])
        resolution = working_day(calendar) * data["resolution_days"]
        if min(first, following, resolution) <= _ZERO:
            raise ValueError("a target is longer than nothing")
        return cls(first, following, resolution)


@dataclass(frozen=True, slots=True)
class Event:
    """One ledger entry.

    `occurred_at` of customer-wrote is when the clock starts (`started_at`), `received_at` when the provider had it.
    `seen_at` of an answer given in Balas is the moment whose view its writer answered: what was recorded later it does
    not answer. None (an answer found in Sent): it answers what the provider had when it was written.
    """

    id: int
    kind: SlaKind
    occurred_at: datetime
    recorded_at: datetime
    received_at: datetime | None = None
    seen_at: datetime | None = None
    undoes: int | None = None
    is_automatic: bool = False
    targets: Targets | None = None  # of policy-changed
    calendar: CalendarHours | None = None  # of calendar-changed

    @property
    def order(self) -> tuple[datetime, datetime, int]:
        return (self.received_at or self.occurred_at, self.recorded_at, self.id)


class Unanswered(NamedTuple):
    written_at: datetime
    received_at: datetime
    recorded_at: datetime


class SlaState(NamedTuple):
    """Where the clocks stand after some events."""

    targets: Targets
    calendar: CalendarHours
    last: tuple[datetime, datetime, int] | None = None
    unanswered: tuple[Unanswered, ...] = ()
    set_aside: tuple[Unanswered, ...] = ()  # unanswered when it was resolved
    opened_at: datetime | None = None
    first_asked_at: datetime | None = None
    first_answered_at: datetime | None = None
    first_elapsed: timedelta | None = None
    provisional_at: datetime | None = None
    working_since: datetime | None = None  # the resolution clock runs from here
    worked_until: datetime | None = None  # and stood from here
    worked: timedelta = _ZERO
    holds: tuple[tuple[datetime, datetime], ...] = ()
    held_since: datetime | None = None
    resolved_at: datetime | None = None
    resolution_elapsed: timedelta | None = None
    reopened: int = 0
    is_stopped: bool = False
    breached: tuple[Target, ...] = ()

    @property
    def waiting_since(self) -> datetime | None:
        """When the customer wrote what is unanswered."""
        return min(message.written_at for message in self.unanswered) if self.unanswered else None

    @property
    def response_target(self) -> Target:
        return Target.FIRST if self.first_answered_at is None else Target.NEXT

    def budget(self, target: Target) -> timedelta:
        if target is Target.RESOLUTION:
            return self.targets.resolution
        return self.targets.first if target is Target.FIRST else self.targets.next

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Working time from start to end without what lay on hold."""
        total = business_between(start, end, self.calendar)
        for hold_start, hold_end in self.holds:
            if hold_end > start:
                total -= business_between(max(hold_start, start), min(hold_end, end), self.calendar)
        if self.held_since is not None:
            total -= business_between(max(self.held_since, start), end, self.calendar)
        return total

    def due(self, start: datetime, budget: timedelta) -> datetime | None:
        """When `budget` will be used up, pushed on by every hold; None when the calendar never gets there."""
        try:
            due = add_business(start, max(budget, _ZERO), self.calendar)
            for hold_start, hold_end in self.holds:
                if hold_end > start and hold_start < due:
                    held = business_between(max(hold_start, start), hold_end, self.calendar)
                    due = add_business(due, held, self.calendar)
        except NoWorkingTime:
            return None
        return due


# --- One step per kind ----------------------------------------------------------------------------------------------


def _with_breach(state: SlaState, target: Target, used: timedelta) -> tuple[Target, ...]:
    if used <= state.budget(target) or target in state.breached:
        return state.breached
    return (*state.breached, target)


def _customer_wrote(state: SlaState, event: Event) -> SlaState:
    if event.is_automatic or state.is_stopped:
        return state
    if state.resolved_at is not None:
        state = _restarted(state)._replace(set_aside=())
    message = Unanswered(event.occurred_at, event.received_at or event.occurred_at, event.recorded_at)
    unanswered = state.unanswered
    if len(unanswered) < MAX_UNANSWERED:
        unanswered = (*unanswered, message)
    else:
        last = unanswered[-1]
        merged = Unanswered(min(last[0], message[0]), max(last[1], message[1]), max(last[2], message[2]))
        unanswered = (*unanswered[:-1], merged)
    since = max(message.written_at, state.worked_until or message.written_at)
    return state._replace(
        unanswered=unanswered,
        opened_at=message.written_at if state.opened_at is None else min(state.opened_at, message.written_at),
        working_since=since if state.working_since is None else min(state.working_since, since),
    )


def _is_covered(message: Unanswered, answer: Event) -> bool:
    if answer.seen_at is not None:
        return message.recorded_at <= answer.seen_at
    return message.received_at <= answer.occurred_at


def _agent_answered(state: SlaState, event: Event) -> SlaState:
    if event.is_automatic:
        return state
    at = event.occurred_at
    covered = [message for message in (*state.unanswered, *state.set_aside) if _is_covered(message, event)]
    if not covered:
        return state
    asked_at = min(message.written_at for message in covered)
    used = state.elapsed(asked_at, at)
    left = tuple(message for message in state.unanswered if not _is_covered(message, event))
    breached = state.breached
    if len(left) < len(state.unanswered):  # one that was set aside had no promise any more
        breached = _with_breach(state, state.response_target, used)
    if state.first_answered_at is None:
        state = state._replace(first_asked_at=asked_at, first_answered_at=at, first_elapsed=used)
    if state.working_since is not None and not left:
        worked = state.worked + state.elapsed(state.working_since, at)
        state = state._replace(working_since=None, worked_until=at, worked=worked)
    return state._replace(unanswered=left, set_aside=(), provisional_at=None, breached=breached)


def _provisional_answer(state: SlaState, event: Event) -> SlaState:
    if state.unanswered and state.provisional_at is None:
        return state._replace(provisional_at=event.occurred_at)
    return state


def _hold(state: SlaState, event: Event) -> SlaState:
    return state if state.held_since is not None else state._replace(held_since=event.occurred_at)


def _resume(state: SlaState, event: Event) -> SlaState:
    if state.held_since is None:
        return state
    return state._replace(holds=(*state.holds, (state.held_since, event.occurred_at)), held_since=None)


def _resolved(state: SlaState, event: Event) -> SlaState:
    if state.resolved_at is not None or state.is_stopped:
        return state
    state, at = _resume(state, event), event.occurred_at
    if state.waiting_since is not None:
        used = state.elapsed(state.waiting_since, at)
        state = state._replace(breached=_with_breach(state, state.response_target, used))
    worked = state.worked + (state.elapsed(state.working_since, at) if state.working_since else _ZERO)
    return state._replace(
        unanswered=(),
        set_aside=state.unanswered,
        working_since=None,
        worked_until=at,
        resolved_at=at,
        resolution_elapsed=worked,
        provisional_at=None,
        breached=_with_breach(state, Target.RESOLUTION, worked),
    )


def _restarted(state: SlaState) -> SlaState:
    return state._replace(resolved_at=None, resolution_elapsed=None, worked=_ZERO, reopened=state.reopened + 1)


def _reopened(state: SlaState, event: Event) -> SlaState:
    if state.resolved_at is not None:
        # Nobody has answered what was set aside: its customer has been waiting all the time.
        state = _restarted(state)._replace(unanswered=state.set_aside, set_aside=())
    elif not state.is_stopped:
        return state
    return state._replace(is_stopped=False, working_since=event.occurred_at)


def _stopped(state: SlaState, event: Event) -> SlaState:
    """No promise applies any more; should one apply again, its clock starts afresh."""
    state = _resume(state, event)
    return state._replace(
        is_stopped=True, unanswered=(), set_aside=(), working_since=None, worked=_ZERO, provisional_at=None
    )


def _rules_changed(state: SlaState, event: Event) -> SlaState:
    return state._replace(targets=event.targets or state.targets, calendar=event.calendar or state.calendar)


_STEPS: Mapping[SlaKind, Callable[[SlaState, Event], SlaState]] = {
    SlaKind.CUSTOMER_WROTE: _customer_wrote,
    SlaKind.AGENT_ANSWERED: _agent_answered,
    SlaKind.PROVISIONAL_ANSWER: _provisional_answer,
    SlaKind.HOLD: _hold,
    SlaKind.RESUME: _resume,
    SlaKind.RESOLVED: _resolved,
    SlaKind.REOPENED: _reopened,
    SlaKind.STOPPED: _stopped,
    SlaKind.POLICY_CHANGED: _rules_changed,
    SlaKind.CALENDAR_CHANGED: _rules_changed,
}


# --- The whole ------------------------------------------------------------------------------------------------------


def step(state: SlaState, event: Event) -> SlaState:
    """One event further. Its place in the order, and undoing, are the caller's business."""
    return _STEPS[event.kind](state, event)._replace(last=event.order)


def advance(state: SlaState, event: Event) -> SlaState | None:
    """The state after one more event; None when it is an undo or belongs before what is known: replay then."""
    if event.kind == SlaKind.UNDONE or (state.last is not None and event.order < state.last):
        return None
    return step(state, event)


def in_effect(events: Iterable[Event]) -> list[Event]:
    """The events that count, in order: without undone ones. An undo can itself be undone."""
    known = list(events)
    gone: set[int] = set()
    undos = [event for event in known if event.kind == SlaKind.UNDONE]
    for undo in sorted(undos, key=lambda event: (event.recorded_at, event.id), reverse=True):
        if undo.id not in gone and undo.undoes is not None:
            gone.add(undo.undoes)
    kept = (event for event in known if event.kind != SlaKind.UNDONE and event.id not in gone)
    return sorted(kept, key=lambda event: event.order)


def replay(events: Iterable[Event], targets: Targets, calendar: CalendarHours) -> SlaState:
    """The state after all events, given in any order. `targets` and `calendar` are those of the beginning."""
    state = SlaState(targets, calendar)
    for event in in_effect(events):
        state = step(state, event)
    return state
