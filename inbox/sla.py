"""The ledger of response promises as rows: writing events, and keeping the state they give beside the conversation.

    entries ──extend()──▶ rows of SlaEvent, each with the deadline as it stood after it, and a Standing (state, due_at)

What the rows mean is decided in inbox/rules/sla.py; this module only turns rows into its values and back. `extend`
works on values alone, so that a digest of many messages makes no object per conversation; `record` is for one act.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import transaction

from inbox.ids import new_ids
from inbox.ledger import Entry as Entry
from inbox.ledger import Ledger, LedgerRow, row_of
from inbox.models import (
    Account,
    Calendar,
    CalendarVersion,
    Conversation,
    Message,
    Organisation,
    Policy,
    PolicyVersion,
    SlaEvent,
)
from inbox.rules import explanation
from inbox.rules import sla as rules
from inbox.rules.business_time import CalendarHours, default_hours
from inbox.rules.explanation import Promise
from inbox.rules.states import SlaKind

DEFAULT_NAME = "Standard"


# --- Policies and calendars -----------------------------------------------------------------------------------------


def ensure_defaults(now: datetime) -> tuple[int, int]:
    """Makes the organisation, the default policy and the default calendar where they are missing.

    Returns the ids of their newest versions (policy, calendar). The calendar is in the organisation's zone.
    """
    with transaction.atomic():
        organisation, _ = Organisation.objects.get_or_create(id=1)
        policy = Policy.objects.filter(is_default=True).first()
        if policy is None:
            policy = Policy.objects.create(name=DEFAULT_NAME, is_default=True)
            policy.versions.create(number=1, targets=dict(rules.DEFAULT_POLICY), created_at=now)
        calendar = Calendar.objects.filter(is_default=True).first()
        if calendar is None:
            hours = default_hours(organisation.zone)
            calendar = Calendar.objects.create(name=DEFAULT_NAME, is_default=True)
            calendar.versions.create(number=1, created_at=now, **hours)
        return _newest(policy.versions.all()), _newest(calendar.versions.all())


def policy_within(first: timedelta, now: datetime) -> int:
    """The policy that promises a first answer within `first` and each next one within twice that, of working time.

    Made where it is missing; what people have changed about it since stands. Returns its id.
    """
    hours, minutes = divmod(round(first / timedelta(minutes=1)), 60)
    span = f"{hours} h {minutes} min" if hours and minutes else f"{hours} h" if hours else f"{minutes} min"
    policy, is_new = Policy.objects.get_or_create(name=f"First answer within {span}")
    if is_new:
        seconds = round(first / timedelta(seconds=1))
        targets = {**rules.DEFAULT_POLICY, "first": seconds, "next": 2 * seconds}
        policy.versions.create(number=1, targets=targets, created_at=now)
    return policy.id


def _newest(versions: Any) -> int:
    newest: int = versions.order_by("-number").values_list("id", flat=True)[0]
    return newest


def versions_for(account: Account, now: datetime) -> tuple[int, int]:
    """(policy version, calendar version) that a conversation opened now by this account runs under."""
    policy, calendar = ensure_defaults(now)
    if account.policy_id:
        policy = _newest(PolicyVersion.objects.filter(policy_id=account.policy_id))
    return policy, calendar


@lru_cache(maxsize=256)
def load_calendar(version_id: int) -> CalendarHours:
    """Raises CalendarVersion.DoesNotExist. Versions never change, so one reading serves the process."""
    version = CalendarVersion.objects.get(id=version_id)
    return CalendarHours.from_data(version.zone, version.hours, version.holidays)


@lru_cache(maxsize=256)
def load_policy(version_id: int) -> Mapping[str, float]:
    """{"first": seconds, "next": seconds, "resolution_days": days}. Raises PolicyVersion.DoesNotExist."""
    targets: Mapping[str, float] = PolicyVersion.objects.get(id=version_id).targets
    return targets


@lru_cache(maxsize=256)
def load_targets(policy_version_id: int, calendar_version_id: int) -> rules.Targets:
    """The promises in working time of that calendar."""
    return rules.Targets.from_data(load_policy(policy_version_id), load_calendar(calendar_version_id))


# --- Writing the ledger ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one conversation's clocks stand: the columns sla, due_at, due_for and the versions in force."""

    conversation_id: int
    policy_version_id: int
    calendar_version_id: int
    state: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None
    due_for: str = ""


def extend(
    standing: Standing, entries: Sequence[Entry], earlier: Callable[[], Ledger] | None = None
) -> tuple[Standing, list[LedgerRow]]:
    """The standing after some entries, and their rows, not yet saved.

    `earlier` gives the events already in the ledger; it is asked only where one more step does not do (an undo, or an
    entry that belongs before known ones). Without it they are read from the database. A run of such entries replays the
    ledger once, however many they are: each of their rows gets the deadline as it stands after them all.
    """
    rows: list[LedgerRow] = []
    late: list[LedgerRow] = []
    state: rules.SlaState | None = None
    for entry, row_id in zip(entries, new_ids(len(entries)), strict=True):
        policy = entry.policy_version_id or standing.policy_version_id
        calendar = entry.calendar_version_id or standing.calendar_version_id
        if (policy, calendar) != (standing.policy_version_id, standing.calendar_version_id):
            standing = replace(standing, policy_version_id=policy, calendar_version_id=calendar)
        row = row_of(entry, row_id, standing.conversation_id, policy, calendar)
        following = _advanced(standing, state, row)
        if following is not None and late:
            state = _caught_up(standing, rows, late, earlier)
            following = _advanced(standing, state, row)
        rows.append(row)
        if following is None:
            late.append(row)
            continue
        state = following
        row.due_at, due_for = rules.next_due(state)
        row.due_for = str(due_for or "")
    if late:
        state = _caught_up(standing, rows, late, earlier)
    if state is None:
        return standing, rows
    return _standing_of(standing, state, rows[-1].due_at, rows[-1].due_for), rows


def _advanced(standing: Standing, state: rules.SlaState | None, row: LedgerRow) -> rules.SlaState | None:
    """One step on; None where it takes a replay. `state` is None before the first of some rows."""
    targets = load_targets(standing.policy_version_id, standing.calendar_version_id)
    calendar = load_calendar(standing.calendar_version_id)
    if state is None:
        state = rules.state_from_data(standing.state, targets, calendar)
    elif state.targets is not targets or state.calendar is not calendar:
        state = state._replace(targets=targets, calendar=calendar)
    return rules.advance(state, _event(row))


def _caught_up(
    standing: Standing, rows: Sequence[LedgerRow], late: list[LedgerRow], earlier: Callable[[], Ledger] | None
) -> rules.SlaState:
    """The state after all rows; gives the late ones their deadlines and empties their list."""
    found = earlier() if earlier else SlaEvent.objects.filter(conversation_id=standing.conversation_id)
    state = _replay(standing, list({event.id: event for event in (*found, *rows)}.values()))
    due_at, due_for = rules.next_due(state)
    for row in late:
        row.due_at, row.due_for = due_at, str(due_for or "")
    late.clear()
    return state


def _standing_of(standing: Standing, state: rules.SlaState, due_at: datetime | None, due_for: str) -> Standing:
    versions = (standing.policy_version_id, standing.calendar_version_id)
    return Standing(standing.conversation_id, *versions, rules.state_to_data(state), due_at, due_for)


def _replayed(standing: Standing, events: Sequence[SlaEvent | LedgerRow]) -> Standing:
    state = _replay(standing, events)
    due_at, due_for = rules.next_due(state)
    return _standing_of(standing, state, due_at, str(due_for or ""))


def _replay(standing: Standing, events: Sequence[SlaEvent | LedgerRow]) -> rules.SlaState:
    policy, calendar = _first_versions(standing, events)
    return rules.replay(map(_event, events), load_targets(policy, calendar), load_calendar(calendar))


def _first_versions(standing: Standing, events: Sequence[SlaEvent | LedgerRow]) -> tuple[int, int]:
    """Policy and calendar version of the beginning: each event names those in force with it."""
    first = min(events, key=lambda event: (event.recorded_at, event.id), default=None)
    policy = (first and first.policy_version_id) or standing.policy_version_id
    return policy, (first and first.calendar_version_id) or standing.calendar_version_id


def _event(row: SlaEvent | LedgerRow) -> rules.Event:
    kind, data = SlaKind(row.kind), row.data
    targets = calendar = None
    if kind in (SlaKind.POLICY_CHANGED, SlaKind.CALENDAR_CHANGED):
        assert row.policy_version_id is not None and row.calendar_version_id is not None
        targets = load_targets(row.policy_version_id, row.calendar_version_id)
        calendar = load_calendar(row.calendar_version_id)
    return rules.Event(
        id=row.id,
        kind=kind,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        received_at=_instant(data.get("received_at")),
        seen_at=_instant(data.get("seen_at")),
        undoes=row.target_event_id,
        is_automatic=bool(data.get("is_automatic")),
        targets=targets,
        calendar=calendar,
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


# --- One conversation -----------------------------------------------------------------------------------------------


def standing_of(conversation: Conversation) -> Standing:
    """As its columns say. Raises ValueError for a conversation that has no policy or calendar version."""
    if conversation.policy_version_id is None or conversation.calendar_version_id is None:
        raise ValueError(f"conversation {conversation.id} runs under no policy")
    return Standing(
        conversation_id=conversation.id,
        policy_version_id=conversation.policy_version_id,
        calendar_version_id=conversation.calendar_version_id,
        state=conversation.sla,
        due_at=conversation.due_at,
        due_for=conversation.due_for,
    )


def put_standing(conversation: Conversation, standing: Standing) -> None:
    """Onto the instance; the caller saves it."""
    conversation.sla = dict(standing.state)
    conversation.due_at, conversation.due_for = standing.due_at, standing.due_for
    conversation.policy_version_id = standing.policy_version_id
    conversation.calendar_version_id = standing.calendar_version_id


def record(
    conversation: Conversation,
    kind: SlaKind,
    occurred_at: datetime,
    now: datetime,
    *,
    actor: str = "balas",
    message: Message | int | None = None,
    data: Mapping[str, Any] | None = None,
    target: SlaEvent | int | None = None,
) -> SlaEvent:
    """Appends one event and moves sla, due_at and due_for on the instance, which the caller has locked and saves."""
    entry = Entry(
        kind=kind,
        occurred_at=occurred_at,
        recorded_at=now,
        actor=actor,
        message_id=message.id if isinstance(message, Message) else message,
        data=data or {},
        target_id=target.id if isinstance(target, SlaEvent) else target,
    )
    standing, rows = extend(standing_of(conversation), [entry])
    event = rows[0].as_model()
    event.save(force_insert=True)
    put_standing(conversation, standing)
    return event


def recompute(conversation_id: int) -> Standing:
    """From the events alone: what the conversation's columns should say."""
    conversation = Conversation.objects.get(id=conversation_id)
    standing = replace(standing_of(conversation), state={}, due_at=None, due_for="")
    return _replayed(standing, list(SlaEvent.objects.filter(conversation_id=conversation_id)))


def events_of(conversation_id: int) -> list[rules.Event]:
    """The ledger as values, for explaining and for reports."""
    return [_event(row) for row in SlaEvent.objects.filter(conversation_id=conversation_id).order_by("occurred_at")]


def explain(conversation_id: int, now: datetime) -> list[Promise]:
    """Every promise of a conversation with every interval that was counted. Raises Conversation.DoesNotExist."""
    conversation = Conversation.objects.get(id=conversation_id)
    events = list(SlaEvent.objects.filter(conversation_id=conversation_id))
    if not events:
        return []
    policy, calendar = _first_versions(standing_of(conversation), events)
    return explanation.explain(map(_event, events), load_targets(policy, calendar), load_calendar(calendar), now)


def result_of(conversation: Conversation) -> rules.SlaResult:
    """What the stored state says, without reading an event: label, breaches, first response, hold."""
    standing = standing_of(conversation)
    targets = load_targets(standing.policy_version_id, standing.calendar_version_id)
    calendar = load_calendar(standing.calendar_version_id)
    return rules.result(rules.state_from_data(standing.state, targets, calendar))
