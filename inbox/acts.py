"""One act on one conversation: locked, written, counted, recorded, announced, and undone exactly.

    desk = Desk.open(conversation_id, actor, now)      # inside transaction.atomic(): the row is locked
    desk.set_status(...) / desk.conversation.owner = … / desk.tags …
    act = desk.close("resolve")                        # last step of the transaction

However long the conversation, an act writes its row, its ledger events, two counters, one audit record and one change
of the conversation's document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core import signing
from django.utils.translation import gettext as _

from inbox import changes, counters, sla
from inbox.models import AuditRecord, Conversation, ConversationAccount, ConversationTag, SlaEvent
from inbox.people import Actor, actor_name, audit
from inbox.rules.states import Reason, SlaKind, Status, ledger_of, may_change

_FIELDS = (
    "status",
    "status_reason",
    "snoozed_until",
    "owner_id",
    "team_id",
    "account_id",
    "resolved_at",
    "reopened_count",
    "is_unseen",
)
_INSTANTS = ("snoozed_until", "resolved_at")
_SIGNER = "inbox.undo"


class Refusal(Exception):
    """The act is not possible now; str() is one calm sentence for the person."""


@dataclass(frozen=True, slots=True)
class Act:
    """What was done. `undo` goes into `undo(...)`; "" when nothing changed or it cannot be undone."""

    conversation_id: int
    name: str  # resolve | reopen | snooze | unsnooze | assign | team | tag | untag | spam | not-spam | note | reply …
    undo: str
    version: int  # of the conversation after the act
    changed: bool = True


@dataclass
class Desk:
    """A conversation whose row is locked by the running transaction, and what is being done to it."""

    conversation: Conversation
    actor: Actor
    now: datetime
    before: dict[str, Any]
    before_key: counters.Key
    events: list[int] = field(default_factory=list)
    tags_added: list[int] = field(default_factory=list)
    tags_removed: list[int] = field(default_factory=list)
    touched: bool = False  # something changed that is no field of the conversation
    is_reversible: bool = False  # what changed besides the fields can be taken back by whoever did it

    @classmethod
    def open(cls, conversation_id: int, actor: Actor, now: datetime) -> Desk:
        """Locks the row. Raises Conversation.DoesNotExist."""
        conversation = Conversation.objects.select_for_update().get(id=conversation_id)
        return cls(conversation, actor, now, _snapshot(conversation), counters.key_of(conversation))

    @property
    def status(self) -> Status:
        return Status(self.conversation.status)

    def set_status(self, after: Status, reason: Reason, at: datetime | None = None) -> None:
        """Writes the ledger events that belong to the change. Raises Refusal for a change that is not allowed."""
        conversation, before = self.conversation, self.status
        if not may_change(before, after, reason):
            raise Refusal(_("This is not possible now: the conversation is %(status)s.") % {"status": before})
        conversation.status, conversation.status_reason = after, reason
        if before is Status.RESOLVED and after is Status.OPEN:
            conversation.reopened_count += 1
        conversation.resolved_at = (at or self.now) if after is Status.RESOLVED else None
        if after is not Status.SNOOZED:
            conversation.snoozed_until = None
        for kind in ledger_of(before, after, reason):
            self.record(kind, at or self.now)

    def record(
        self,
        kind: SlaKind,
        occurred_at: datetime,
        *,
        message_id: int | None = None,
        data: Mapping[str, Any] | None = None,
        target_id: int | None = None,
        actor: str = "",
    ) -> None:
        """Appends a ledger event, by whoever sits at the desk unless `actor` says whose doing it was.

        Conversations that arrived as history run under no policy and write none.
        """
        if self.conversation.policy_version_id is None:
            return
        event = sla.record(
            self.conversation,
            kind,
            occurred_at,
            self.now,
            actor=actor or actor_name(self.actor),
            message=message_id,
            data=data,
            target=target_id,
        )
        self.events.append(event.id)

    def close(
        self, name: str, *, data: Mapping[str, Any] | None = None, messages: Sequence[changes.MessageFacts] = ()
    ) -> Act:
        """Saves, counts, records, announces. The last step of the transaction."""
        conversation, after = self.conversation, _snapshot(self.conversation)
        changed = {field: [self.before[field], after[field]] for field in _FIELDS if self.before[field] != after[field]}
        undoable = bool(changed or self.tags_added or self.tags_removed or self.is_reversible)
        if not (undoable or self.touched or self.events or messages):
            return Act(conversation.id, name, "", conversation.version, changed=False)
        conversation.version += 1
        conversation.save()
        counters.move(self.before_key, counters.key_of(conversation))
        record = None
        if undoable:
            kept: dict[str, Any] = {"changed": changed, "events": self.events, **dict(data or {})}
            kept |= {"tags_added": self.tags_added, "tags_removed": self.tags_removed}
            record = audit(name, f"conversation:{conversation.id}", self.actor, self.now, kept)
        self._announce(messages, is_counted=self.before_key != counters.key_of(conversation))
        token = signing.Signer(salt=_SIGNER).sign(str(record.id)) if record else ""
        return Act(conversation.id, name, token, conversation.version)

    def mark_seen(self) -> None:
        """Not an act: nobody undoes having looked, and later acts are not disturbed by it."""
        self.conversation.is_unseen = False
        self.conversation.version += 1
        self.conversation.save(update_fields=["is_unseen", "version"])
        self._announce((), is_counted=False)

    def _announce(self, messages: Sequence[changes.MessageFacts], *, is_counted: bool) -> None:
        accounts = accounts_of(self.conversation.id)
        changes.announce(
            now=self.now,
            messages=messages,
            conversations=[changes.ConversationChange(self.conversation.id, accounts)],
            events=[changes.Live("counters", accounts=accounts)] if is_counted else [],
        )


def accounts_of(conversation_id: int) -> tuple[int, ...]:
    rows = ConversationAccount.objects.filter(conversation_id=conversation_id)
    return tuple(rows.order_by("account_id").values_list("account_id", flat=True))


def _snapshot(conversation: Conversation) -> dict[str, Any]:
    values = {name: getattr(conversation, name) for name in _FIELDS}
    for name in _INSTANTS:
        values[name] = values[name].isoformat() if values[name] else None
    values["status"], values["status_reason"] = str(values["status"]), str(values["status_reason"])
    return values


# --- Undo -----------------------------------------------------------------------------------------------------------


def take_back(desk: Desk, act_id: int) -> None:
    """Puts back what an act changed. Raises Refusal when something else changed the same since, or it is undone."""
    record = AuditRecord.objects.filter(id=act_id, subject=f"conversation:{desk.conversation.id}").first()
    if record is None or not _is_latest(record):
        raise Refusal(_("This can no longer be undone: something else has changed since."))
    changed, current = record.data["changed"], _snapshot(desk.conversation)
    if any(current[name] != after for name, (_before, after) in changed.items()):
        raise Refusal(_("This can no longer be undone: something else has changed since."))
    for name, (before, _after) in changed.items():
        value = datetime.fromisoformat(before) if name in _INSTANTS and before else before
        setattr(desk.conversation, name, value)
    _take_back_tags(desk, record)
    for event_id in reversed(record.data["events"]):
        desk.record(SlaKind.UNDONE, _occurred_at(event_id), target_id=event_id)


def _occurred_at(event_id: int) -> datetime:
    return SlaEvent.objects.values_list("occurred_at", flat=True).get(id=event_id)


def _is_latest(record: AuditRecord) -> bool:
    """Whether no later act touched any of the same things: equal values alone could have come and gone."""
    mine = _touched(record.data)
    later = AuditRecord.objects.filter(subject=record.subject, at__gte=record.at, id__gt=record.id)
    return not any(mine & _touched(data) for data in later.values_list("data", flat=True)[:200])


def _touched(data: Mapping[str, Any]) -> set[str]:
    tags = (*data.get("tags_added", ()), *data.get("tags_removed", ()))
    return {*data.get("changed", {}), *(f"tag:{tag}" for tag in tags)}


def _take_back_tags(desk: Desk, record: AuditRecord) -> None:
    rows = ConversationTag.objects.filter(conversation_id=desk.conversation.id)
    rows.filter(tag_id__in=record.data["tags_added"]).delete()
    for tag_id in record.data["tags_removed"]:
        ConversationTag.objects.get_or_create(conversation_id=desk.conversation.id, tag_id=tag_id)
    desk.tags_added = list(record.data["tags_removed"])
    desk.tags_removed = list(record.data["tags_added"])


def read_token(token: str) -> AuditRecord:
    """The act that a token names. Raises Refusal for what we never gave out."""
    try:
        act_id = int(signing.Signer(salt=_SIGNER).unsign(token))
        return AuditRecord.objects.get(id=act_id)
    except (signing.BadSignature, ValueError, AuditRecord.DoesNotExist):
        raise Refusal(_("This cannot be undone.")) from None
