"""Response promises: a pure function of a conversation's ledger (`ledger.py` says how the clocks run).

    events ──in the order in which they could be known──▶ SlaState ──▶ SlaResult (due_at, breached, first response …)

`compute` takes all events. `advance` takes one more at the cost of a few microseconds, and gives the same as a replay
of all of them, or None when only a replay will do. A state is stored as JSON between two events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from inbox.rules.business_time import CalendarHours
from inbox.rules.ledger import Event, SlaState, Targets, Unanswered, advance, in_effect, replay
from inbox.rules.states import Target

__all__ = [
    "DEFAULT_POLICY",
    "Event",
    "SlaResult",
    "SlaState",
    "Targets",
    "advance",
    "compute",
    "in_effect",
    "next_due",
    "replay",
    "result",
    "started_at",
    "state_from_data",
    "state_to_data",
]

MAX_BACKDATING: Final = timedelta(hours=24)

DEFAULT_POLICY: Final[Mapping[str, int]] = {"first": 4 * 3600, "next": 8 * 3600, "resolution_days": 3}
"""Version 1 of the default policy as data: seconds of working time, and working days."""


@dataclass(frozen=True, slots=True)
class SlaResult:
    """What the ledger says. `due_at` is None on hold, when it is not our turn, and when no promise applies."""

    due_at: datetime | None
    due_for: Target | None
    response_due_at: datetime | None
    resolution_due_at: datetime | None
    waiting_since: datetime | None
    breached: tuple[Target, ...]  # promises that ended late; `breached_at` adds those that are late now
    opened_at: datetime | None
    first_response_at: datetime | None
    first_response_wall: timedelta | None
    first_response_business: timedelta | None
    resolved_at: datetime | None
    resolution_business: timedelta | None
    reopened: int
    is_held: bool
    is_provisional: bool  # an answer of unknown outcome may have kept the promise
    response_target: Target

    def breached_at(self, now: datetime) -> tuple[Target, ...]:
        found = set(self.breached)
        if self.response_due_at is not None and self.response_due_at < now:
            found.add(self.response_target)
        if self.resolution_due_at is not None and self.resolution_due_at < now:
            found.add(Target.RESOLUTION)
        return tuple(target for target in Target if target in found)


def started_at(written_at: datetime | None, received_at: datetime, is_import: bool = False) -> datetime:
    """When the clock of a customer's message starts: when it was written, but live mail at most a day before it came.

    Our own delay in fetching is thereby counted. Imported mail is believed its date; none is believed the future.
    """
    if written_at is None:
        return received_at
    start = min(written_at, received_at)
    return start if is_import else max(start, received_at - MAX_BACKDATING)


def next_due(state: SlaState) -> tuple[datetime | None, Target | None]:
    """`due_at` and `due_for` of the result, for who needs no more of it."""
    return _earlier(state, *_deadlines(state))


def _earlier(
    state: SlaState, response_due: datetime | None, resolution_due: datetime | None
) -> tuple[datetime | None, Target | None]:
    if resolution_due is not None and (response_due is None or resolution_due < response_due):
        return resolution_due, Target.RESOLUTION
    return response_due, (state.response_target if response_due is not None else None)


def _deadlines(state: SlaState) -> tuple[datetime | None, datetime | None]:
    """Of the response and of the resolution."""
    response_due = resolution_due = None
    if state.held_since is None:
        if (waiting_since := state.waiting_since) is not None:
            response_due = state.due(waiting_since, state.budget(state.response_target))
        if state.working_since is not None:
            resolution_due = state.due(state.working_since, state.targets.resolution - state.worked)
    return response_due, resolution_due


def result(state: SlaState) -> SlaResult:
    waiting_since, target = state.waiting_since, state.response_target
    response_due, resolution_due = _deadlines(state)
    due_at, due_for = _earlier(state, response_due, resolution_due)
    answered_at, asked_at = state.first_answered_at, state.first_asked_at
    return SlaResult(
        due_at=due_at,
        due_for=due_for,
        response_due_at=response_due,
        resolution_due_at=resolution_due,
        waiting_since=waiting_since,
        breached=tuple(kind for kind in Target if kind in state.breached),
        opened_at=state.opened_at,
        first_response_at=answered_at,
        first_response_wall=answered_at - asked_at if answered_at is not None and asked_at is not None else None,
        first_response_business=state.first_elapsed,
        resolved_at=state.resolved_at,
        resolution_business=state.resolution_elapsed,
        reopened=state.reopened,
        is_held=state.held_since is not None,
        is_provisional=state.provisional_at is not None,
        response_target=target,
    )


def compute(events: Iterable[Event], targets: Targets, calendar: CalendarHours) -> SlaResult:
    return result(replay(events, targets, calendar))


# --- A state at rest ------------------------------------------------------------------------------------------------

_INSTANTS = (
    "opened_at",
    "first_asked_at",
    "first_answered_at",
    "provisional_at",
    "working_since",
    "worked_until",
    "held_since",
    "resolved_at",
)
_DURATIONS = ("first_elapsed", "worked", "resolution_elapsed")
_PLAIN = ("reopened", "is_stopped")
_MICRO = timedelta(microseconds=1)


def state_to_data(state: SlaState) -> dict[str, Any]:
    """Plain JSON, without policy and calendar, which have rows of their own; neutral fields are left out."""
    data: dict[str, Any] = {}
    values = state._asdict()
    for name in _INSTANTS:
        if (instant := values[name]) is not None:
            data[name] = instant.isoformat()
    for name in _DURATIONS:
        if duration := values[name]:
            data[name] = duration // _MICRO
        elif duration is not None and name != "worked":
            data[name] = 0
    for name in _PLAIN:
        if value := values[name]:
            data[name] = value
    for name in ("unanswered", "set_aside", "holds"):
        if rows := values[name]:
            data[name] = [[instant.isoformat() for instant in row] for row in rows]
    if state.breached:
        data["breached"] = [target.value for target in state.breached]
    if state.last is not None:
        data["last"] = [state.last[0].isoformat(), state.last[1].isoformat(), state.last[2]]
    return data


def state_from_data(data: Mapping[str, Any], targets: Targets, calendar: CalendarHours) -> SlaState:
    """The inverse of `state_to_data`, given the policy and calendar in effect. Unknown fields are ignored."""
    read = datetime.fromisoformat
    values: dict[str, Any] = {name: read(data[name]) for name in _INSTANTS if name in data}
    values |= {name: data[name] * _MICRO for name in _DURATIONS if name in data}
    values |= {name: data[name] for name in _PLAIN if name in data}
    for name in ("unanswered", "set_aside"):
        if name in data:
            values[name] = tuple(Unanswered(*map(read, row)) for row in data[name])
    if "holds" in data:
        values["holds"] = tuple((read(start), read(end)) for start, end in data["holds"])
    if "breached" in data:
        values["breached"] = tuple(map(Target, data["breached"]))
    if "last" in data:
        first, second, number = data["last"]
        values["last"] = (read(first), read(second), number)
    return SlaState(targets, calendar, **values)
