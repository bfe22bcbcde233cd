"""Conversations in memory: what a message changes about one.

For a conversation that no person has touched the outcome depends only on which messages it holds, not on the order in
which they came. `apply` is therefore written with minima, maxima and comparisons of times of writing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from inbox.counters import Key
from inbox.ingest.accounts import AccountFacts, Ground
from inbox.ingest.letters import Letter
from inbox.rules.languages import UNKNOWN
from inbox.rules.states import Reason, SlaKind, Status, ledger_of
from inbox.rules.threading import Return, on_return
from inbox.sla import Entry, Standing
from inbox.sql import read_json, read_moment

COLUMNS = """id, customer_id, subject, status, status_reason, owner_id, team_id, account_id, kind, snoozed_until,
    due_at, due_for, sla, policy_version_id, calendar_version_id, language, preview, last_direction, messages_count,
    opened_at, last_inbound_at, last_outbound_at, last_activity_at, resolved_at, reopened_count, follows_id, is_unseen,
    version, visibility, reach"""

_BY_MACHINE = frozenset({Reason.NEW, Reason.CUSTOMER_WROTE})
_ARRIVED = frozenset({Reason.HISTORY, Reason.AUTOMATIC, Reason.CONTEXT})
_ASIDE = frozenset({Reason.AUTOMATIC, Reason.CONTEXT})
"""Of what arrived resolved: nobody has closed it, so whoever writes opens it without having been closed out."""


@dataclass(slots=True)
class Matter:
    """One conversation: its columns, and what this batch does to it."""

    id: int
    customer_id: int
    subject: str
    status: str
    status_reason: str
    owner_id: int | None
    team_id: int | None
    account_id: int | None
    kind: str
    snoozed_until: datetime | None
    due_at: datetime | None
    due_for: str
    sla: dict[str, Any]
    policy_version_id: int
    calendar_version_id: int
    language: str
    preview: str
    last_direction: str
    messages_count: int
    opened_at: datetime
    last_inbound_at: datetime | None  # by a person; automatic mail does not count
    last_outbound_at: datetime | None
    last_activity_at: datetime
    resolved_at: datetime | None
    reopened_count: int
    follows_id: int | None
    is_unseen: bool
    version: int
    visibility: str = ""  # of the last inbound message
    reach: int = 0  # of the message that most people may have seen

    is_new: bool = False
    is_reset: bool = False  # its ledger is written anew
    counted: Key | None = None  # where the counters hold it
    accounts: set[int] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)
    has_news: bool = False

    def key(self) -> Key:
        return Key(self.account_id or 0, self.team_id or 0, self.status, self.owner_id or 0)

    def standing(self) -> Standing:
        return Standing(self.id, self.policy_version_id, self.calendar_version_id, self.sla, self.due_at, self.due_for)

    def is_closed_for(self, letter: Letter, within: timedelta) -> bool:
        """Whether a person resolved it so long ago that this is another matter."""
        if self.status_reason in _ARRIVED:
            return False
        return on_return(self.status, self.resolved_at, letter.received_at, within) is Return.FOLLOW_UP

    def reset(self) -> None:
        """Back to nothing: every letter is applied again."""
        self.is_reset, self.messages_count = True, 0
        self.last_inbound_at = self.last_outbound_at = self.resolved_at = self.due_at = None
        self.due_for, self.sla, self.status, self.is_unseen = "", {}, "", False
        self.preview = self.last_direction = self.visibility = ""
        self.reach = 0
        self.entries.clear()

    def apply(self, letters: Iterable[Letter], now: datetime) -> None:
        for letter in sorted(letters, key=lambda letter: letter.order):
            self._note(letter, now)
        self._settle()

    def turn(self, letter: Letter, event_id: int | None, now: datetime) -> None:
        """A message counted as a customer's proves to be ours: `event_id` is what the ledger says of it."""
        if event_id is not None:
            self.entries.append(Entry(SlaKind.UNDONE, now, now, message_id=letter.id, target_id=event_id))
        if letter.written_at >= self.last_activity_at:
            self.last_direction = letter.direction
        self._answered_elsewhere(letter, now)
        self.has_news = True
        self._settle()

    def _note(self, letter: Letter, now: datetime) -> None:
        at, is_first, had_people = letter.written_at, not self.messages_count, self._had_people()
        self.messages_count += 1
        if is_first or at < self.opened_at:
            self.opened_at, self.subject = at, letter.subject
        if is_first or at >= self.last_activity_at:
            self.last_activity_at, self.preview, self.last_direction = at, letter.preview, letter.direction
            if self.last_inbound_at is None:
                self.visibility = letter.visibility
        self.reach = max(self.reach, letter.reach)
        if is_first:
            self._begin(letter)
        if letter.is_blocked:
            return
        if letter.is_aside:
            self._stand_aside(letter)
            return
        if letter.is_inbound:
            self._customer_wrote(letter, now, had_people)
        else:
            self._answered_elsewhere(letter, now)
        if letter.is_history and not had_people and self._has_arrived():
            self.status, self.status_reason = Status.RESOLVED.value, Reason.HISTORY.value
        self.has_news = self.has_news or not letter.is_history

    def _has_arrived(self) -> bool:
        """Whether its status is still what the first letter that was read gave it."""
        return self.status_reason in _ASIDE or (self.status == Status.OPEN and self.status_reason in _BY_MACHINE)

    def _stand_aside(self, letter: Letter) -> None:
        """Automatic mail changes no status but that of a conversation which holds nothing else."""
        if letter.is_history:
            return
        if letter.is_inbound and not letter.is_post:
            self.is_unseen = self.has_news = True
        if not self._had_people() and self.status_reason == Reason.HISTORY:
            self.status_reason = _aside(letter).value

    def _had_people(self) -> bool:
        return self.last_inbound_at is not None or self.last_outbound_at is not None

    def _begin(self, letter: Letter) -> None:
        self.kind, self.account_id = letter.kind, letter.account_id
        if letter.is_blocked:
            status, reason = Status.SPAM, Reason.BLOCKED
        elif letter.is_history:
            status, reason = Status.RESOLVED, Reason.HISTORY
        elif letter.is_aside:
            status, reason = Status.RESOLVED, _aside(letter)
        elif letter.is_inbound:
            status, reason = Status.OPEN, Reason.NEW
        else:
            status, reason = Status.WAITING, Reason.ANSWERED
        self.status, self.status_reason = status.value, reason.value

    def _customer_wrote(self, letter: Letter, now: datetime, had_people: bool) -> None:
        at = letter.written_at
        if self.last_inbound_at is None or at >= self.last_inbound_at:
            self.last_inbound_at = at
            self.kind, self.account_id, self.visibility = letter.kind, letter.account_id, letter.visibility
            if letter.language not in ("", UNKNOWN):
                self.language = letter.language
        if letter.is_history:
            return
        self.is_unseen = True
        self._enter(SlaKind.CUSTOMER_WROTE, at, now, letter, {"received_at": letter.received_at.isoformat()})
        is_unanswered = self.last_outbound_at is None or at > self.last_outbound_at
        if is_unanswered and self.status in (Status.WAITING, Status.SNOOZED, Status.RESOLVED):
            self._reopen(letter, now)

    def _reopen(self, letter: Letter, now: datetime) -> None:
        before, has_arrived = Status(self.status), self.status_reason in _ARRIVED
        is_resolved = before is Status.RESOLVED and not has_arrived
        reason = Reason.REOPENED if is_resolved else Reason.CUSTOMER_WROTE
        if not has_arrived:
            for kind in ledger_of(before, Status.OPEN, reason):
                self._enter(kind, now, now, letter, {})
        self.status, self.status_reason = Status.OPEN.value, reason.value
        self.snoozed_until = self.resolved_at = None
        self.reopened_count += is_resolved

    def _answered_elsewhere(self, letter: Letter, now: datetime) -> None:
        at = letter.written_at
        if self.last_outbound_at is None or at > self.last_outbound_at:
            self.last_outbound_at = at
            if self.last_inbound_at is None:
                self.account_id = letter.account_id
        if letter.is_history:
            return
        self._enter(SlaKind.AGENT_ANSWERED, at, now, letter, {"elsewhere": True})
        is_answer = self.last_inbound_at is None or at >= self.last_inbound_at
        has_arrived = self.status == Status.RESOLVED and self.status_reason in _ARRIVED
        if is_answer and (self.status == Status.OPEN or has_arrived):
            self.status, self.status_reason, self.resolved_at = Status.WAITING.value, Reason.ANSWERED.value, None

    def _enter(self, kind: SlaKind, at: datetime, now: datetime, letter: Letter, data: dict[str, Any]) -> None:
        self.entries.append(Entry(kind, occurred_at=at, recorded_at=now, message_id=letter.id, data=data))

    def _settle(self) -> None:
        """What follows from the whole rather than from one message."""
        if self.status == Status.RESOLVED and self.status_reason in _ARRIVED:
            self.resolved_at = self.last_activity_at
        if self.status == Status.OPEN and self.status_reason in _BY_MACHINE:
            reason = Reason.NEW if self.last_outbound_at is None else Reason.CUSTOMER_WROTE
            self.status_reason = reason.value


def _aside(letter: Letter) -> Reason:
    return Reason.CONTEXT if letter.is_post else Reason.AUTOMATIC


def new_matter(
    matter_id: int, customer_id: int, letter: Letter, account: AccountFacts, follows: int | None = None
) -> Matter:
    """An empty conversation; the first letter applied gives it its status."""
    return Matter(
        id=matter_id,
        customer_id=customer_id,
        subject="",
        status="",
        status_reason="",
        owner_id=None,
        team_id=account.team_id,
        account_id=account.id,
        kind=letter.kind,
        snoozed_until=None,
        due_at=None,
        due_for="",
        sla={},
        policy_version_id=account.policy_version,
        calendar_version_id=account.calendar_version,
        language="",
        preview="",
        last_direction="",
        messages_count=0,
        opened_at=letter.written_at,
        last_inbound_at=None,
        last_outbound_at=None,
        last_activity_at=letter.written_at,
        resolved_at=None,
        reopened_count=0,
        follows_id=follows,
        is_unseen=False,
        version=0,
        is_new=True,
    )


_MOMENTS = (9, 10, 19, 20, 21, 22, 23)


def matter_of_row(row: Iterable[Any], ground: Ground) -> Matter:
    """From the columns named in COLUMNS."""
    values = list(row)
    for at in _MOMENTS:
        values[at] = read_moment(values[at])
    values[12] = read_json(values[12])
    values[26] = bool(values[26])
    matter = Matter(*values)
    if matter.policy_version_id is None or matter.calendar_version_id is None:
        account = ground.accounts.get(matter.account_id or 0) or next(iter(ground.accounts.values()))
        matter.policy_version_id, matter.calendar_version_id = account.policy_version, account.calendar_version
    matter.counted = matter.key()
    return matter
