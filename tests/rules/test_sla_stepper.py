"""Every clock against a stepper that walks the calendar tick by tick and keeps one counter per message."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from inbox.rules.business_time import CalendarHours, default_hours
from inbox.rules.sla import (
    Event,
    SlaState,
    Targets,
    advance,
    compute,
    in_effect,
    replay,
    result,
    state_from_data,
    state_to_data,
)
from inbox.rules.states import SlaKind, Target
from tests.rules.test_business_time import counts

TICK = timedelta(minutes=15)
START = datetime(2026, 3, 26, 0, 0, tzinfo=UTC)  # a Thursday; Bucharest's clocks change on the Sunday
BEFORE = 200
DAYS = CalendarHours.from_data(**default_hours("Europe/Bucharest"))
NIGHTS = CalendarHours("Europe/Bucharest", (((0, 330), (1320, 1440)),) * 7, frozenset({date(2026, 3, 27)}))
OPEN_TICKS = {
    calendar.week: [counts(START + tick * TICK, calendar) for tick in range(-BEFORE, 5000)]
    for calendar in (DAYS, NIGHTS)
}


def ticks(instant: datetime) -> int:
    return (instant - START) // TICK


def instant(tick: int | None) -> datetime | None:
    return None if tick is None else START + tick * TICK


# --- The stepper ----------------------------------------------------------------------------------------------------


@dataclass
class Question:
    written: int
    received: int
    recorded: int
    used: int  # working ticks so far

    def is_covered(self, answered: int, seen: int | None) -> bool:
        return self.received <= answered if seen is None else self.recorded <= seen


@dataclass
class Stepper:
    calendar: CalendarHours
    targets: Targets
    held: list[bool] = field(default_factory=list)  # tick by tick so far; its length is now
    is_held: bool = False
    is_resolved: bool = False
    is_stopped: bool = False
    waiting: list[Question] = field(default_factory=list)
    aside: list[Question] = field(default_factory=list)
    work_since: int | None = None
    work_floor: int = -BEFORE
    worked: int = 0
    first: tuple[int, int, int] | None = None  # asked, answered, working ticks between
    breached: set[Target] = field(default_factory=set)

    @property
    def now(self) -> int:
        return len(self.held)

    def counted(self, tick: int) -> bool:
        held = tick >= 0 and (self.held[tick] if tick < self.now else self.is_held)
        return not held and OPEN_TICKS[self.calendar.week][tick + BEFORE]

    def counted_since(self, tick: int) -> int:
        return sum(self.counted(one) for one in range(tick, self.now))

    def walk_to(self, tick: int) -> None:
        while self.now < tick:
            step = self.counted(self.now)
            for question in (*self.waiting, *self.aside):
                question.used += step
            self.held.append(self.is_held)

    def target(self) -> Target:
        return Target.FIRST if self.first is None else Target.NEXT

    def budget(self, target: Target) -> int:
        return getattr(self.targets, target.value) // TICK

    def judge(self, target: Target, used: int) -> None:
        if used > self.budget(target):
            self.breached.add(target)

    def customer_wrote(self, event: Event) -> None:
        if self.is_stopped or event.is_automatic:
            return
        if self.is_resolved:
            self.is_resolved, self.worked, self.aside = False, 0, []
        written = ticks(event.occurred_at)
        self.waiting.append(Question(written, self.now, ticks(event.recorded_at), self.counted_since(written)))
        since = max(written, self.work_floor)
        self.work_since = since if self.work_since is None else min(self.work_since, since)

    def agent_answered(self, event: Event) -> None:
        seen = None if event.seen_at is None else ticks(event.seen_at)
        covered = [question for question in (*self.waiting, *self.aside) if question.is_covered(self.now, seen)]
        if event.is_automatic or not covered:
            return
        oldest = min(covered, key=lambda question: question.written)
        left = [question for question in self.waiting if not question.is_covered(self.now, seen)]
        if len(left) < len(self.waiting):
            self.judge(self.target(), oldest.used)
        self.first = self.first or (oldest.written, self.now, oldest.used)
        self.waiting, self.aside = left, []
        if not left and self.work_since is not None:
            self.worked += self.counted_since(self.work_since)
            self.work_since, self.work_floor = None, self.now

    def hold(self, event: Event) -> None:
        self.is_held = True

    def resume(self, event: Event) -> None:
        self.is_held = False

    def resolved(self, event: Event) -> None:
        if self.is_resolved or self.is_stopped:
            return
        if self.waiting:
            self.judge(self.target(), max(question.used for question in self.waiting))
        if self.work_since is not None:
            self.worked += self.counted_since(self.work_since)
        self.judge(Target.RESOLUTION, self.worked)
        self.aside, self.waiting, self.work_since, self.work_floor = self.waiting, [], None, self.now
        self.is_resolved, self.is_held = True, False

    def reopened(self, event: Event) -> None:
        if self.is_resolved:
            self.worked, self.waiting, self.aside = 0, self.aside, []
        if self.is_resolved or self.is_stopped:
            self.is_resolved, self.is_stopped, self.work_since = False, False, self.now

    def stopped(self, event: Event) -> None:
        self.is_stopped, self.is_held = True, False
        self.waiting, self.aside, self.work_since, self.worked = [], [], None, 0

    def dues(self) -> tuple[int | None, int | None]:
        response = resolution = None
        if self.waiting and not self.is_held:
            oldest = min(question.written for question in self.waiting)
            response = self.used_up(oldest, self.budget(self.target()))
        if self.work_since is not None and not self.is_held:
            resolution = self.used_up(self.work_since, self.budget(Target.RESOLUTION) - self.worked)
        return response, resolution

    def used_up(self, tick: int, budget: int) -> int:
        while budget > 0:
            budget -= self.counted(tick)
            tick += 1
        return tick


def walk(events: Iterable[Event], targets: Targets, calendar: CalendarHours) -> Stepper:
    stepper = Stepper(calendar, targets)
    for event in in_effect(events):
        stepper.walk_to(ticks(event.order[0]))
        getattr(stepper, event.kind.value.replace("-", "_"))(event)
    return stepper


# --- Strategies -----------------------------------------------------------------------------------------------------

KINDS = [
    SlaKind.CUSTOMER_WROTE,
    SlaKind.CUSTOMER_WROTE,
    SlaKind.CUSTOMER_WROTE,
    SlaKind.AGENT_ANSWERED,
    SlaKind.AGENT_ANSWERED,
    SlaKind.HOLD,
    SlaKind.RESUME,
    SlaKind.RESOLVED,
    SlaKind.REOPENED,
    SlaKind.STOPPED,
    SlaKind.UNDONE,
]


@st.composite
def events_of(draw: st.DrawFn) -> list[Event]:
    events, tick = [], 40
    for number in range(1, draw(st.integers(1, 12)) + 1):
        kind = draw(st.sampled_from(KINDS))
        tick += draw(st.sampled_from([0, 1, 1, 2, 5, 9, 20, 60, 97]))
        when = START + tick * TICK
        known = when + draw(st.sampled_from([0, 0, 0, 1, 30])) * TICK
        match kind:
            case SlaKind.CUSTOMER_WROTE:
                written = when - draw(st.sampled_from([0, 0, 1, 4, 30, 96])) * TICK
                robot = draw(st.integers(0, 5)) == 0
                event = Event(number, kind, written, known, received_at=when, is_automatic=robot)
            case SlaKind.AGENT_ANSWERED:
                seen = draw(st.sampled_from([None, when, when - TICK, when - 10 * TICK]))
                event = Event(number, kind, when, when, seen_at=seen)
            case SlaKind.UNDONE:
                event = Event(number, kind, when, when, undoes=draw(st.integers(1, max(1, number - 1))))
            case _:
                event = Event(number, kind, when, when)
        events.append(event)
    return events


targets_of = st.builds(
    lambda first, following, resolution: Targets(first * TICK, following * TICK, resolution * TICK),
    st.integers(1, 30),
    st.integers(1, 40),
    st.integers(1, 90),
)
calendar_of = st.sampled_from([DAYS, NIGHTS])


# --- Properties -----------------------------------------------------------------------------------------------------


@given(events=events_of(), targets=targets_of, calendar=calendar_of)
def test_f54_every_clock_equals_the_stepper(events: list[Event], targets: Targets, calendar: CalendarHours) -> None:
    stepper, found = walk(events, targets, calendar), compute(events, targets, calendar)
    response, resolution = stepper.dues()
    assert (found.response_due_at, found.resolution_due_at) == (instant(response), instant(resolution))
    assert set(found.breached) == stepper.breached
    assert found.is_held is stepper.is_held
    if stepper.first is None:
        assert found.first_response_wall is None
    else:
        asked, answered, used = stepper.first
        assert found.first_response_wall == (answered - asked) * TICK
        assert found.first_response_business == used * TICK


@given(events=events_of(), targets=targets_of, calendar=calendar_of, order=st.randoms(use_true_random=False))
def test_one_event_at_a_time_gives_the_same_as_all_events_at_once(
    events: list[Event],
    targets: Targets,
    calendar: CalendarHours,
    order: object,
) -> None:
    order.shuffle(events)  # type: ignore[attr-defined]
    events.sort(key=lambda event: event.kind is SlaKind.UNDONE)  # what is undone is known before
    state, known = SlaState(targets, calendar), []
    for event in events:
        known.append(event)
        advanced = advance(state, event)
        whole = replay(known, targets, calendar)
        state = whole if advanced is None else advanced
        # Between any two events it may lie in a column.
        data = json.loads(json.dumps(state_to_data(state)))
        assert state_from_data(data, targets, calendar) == state == whole


@given(events=events_of(), targets=targets_of, calendar=calendar_of)
def test_events_that_arrive_in_order_never_need_a_replay(
    events: list[Event], targets: Targets, calendar: CalendarHours
) -> None:
    state = SlaState(targets, calendar)
    for event in in_effect(events):
        state = advance(state, event)  # type: ignore[assignment]
        assert state is not None
    assert result(state) == compute(events, targets, calendar)


@given(events=events_of(), targets=targets_of, calendar=calendar_of, order=st.randoms(use_true_random=False))
def test_the_order_of_storing_does_not_matter(
    events: list[Event], targets: Targets, calendar: CalendarHours, order: object
) -> None:
    expected = compute(events, targets, calendar)
    order.shuffle(events)  # type: ignore[attr-defined]
    assert compute(events, targets, calendar) == expected
