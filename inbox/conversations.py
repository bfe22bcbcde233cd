"""What people do with a conversation. Each act is one transaction and can be undone; see inbox/acts.py.

Acts raise `Refusal` (one sentence) when they are not possible now, and Conversation.DoesNotExist. Whether the person
may see the conversation has been decided before (web/access.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from inbox import blocking, hiding, offers, people, splitting
from inbox.acts import Act, Desk, Refusal, accounts_of, read_token, take_back
from inbox.facts import facts_of
from inbox.ids import new_id
from inbox.models import (
    AuditRecord,
    Conversation,
    ConversationTag,
    Message,
    SlaEvent,
    StrandLink,
    Tag,
    Team,
    User,
    WorkRecord,
)
from inbox.people import Actor
from inbox.rules.states import Reason, SlaKind, Status

__all__ = [
    "Act",
    "Refusal",
    "add_note",
    "assign",
    "facts_of",
    "mark_seen",
    "mark_spam",
    "move_to_team",
    "not_spam",
    "reopen",
    "resolve",
    "snooze",
    "tag",
    "undo",
    "unsnooze",
    "untag",
    "wake_due",
]

_REVERSALS: dict[str, Callable[[Desk, AuditRecord], None]] = {
    "split": splitting.unsplit,
    "take-person": offers.give_back,
    "block": blocking.unblock,
    "hide": hiding.unhide,
    "show-again": hiding.unhide,
}
"""Acts that change more than fields of the conversation, and how that is taken back."""

MAX_SNOOZE = timedelta(days=366)
MAX_NOTE_CHARACTERS = 50_000


# --- Status ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def resolve(conversation_id: int, actor: Actor, now: datetime, *, no_answer_needed: bool = False) -> Act:
    """`no_answer_needed` resolves with that reason: it ends the clock without counting as an answer."""
    desk = Desk.open(conversation_id, actor, now)
    if desk.status is not Status.RESOLVED:
        desk.set_status(Status.RESOLVED, Reason.NO_ANSWER_NEEDED if no_answer_needed else Reason.DONE)
        desk.conversation.is_unseen = False
    return desk.close("no-answer-needed" if no_answer_needed else "resolve")


@transaction.atomic
def reopen(conversation_id: int, actor: Actor, now: datetime) -> Act:
    """Back to the queue from waiting, snoozed or resolved."""
    desk = Desk.open(conversation_id, actor, now)
    if desk.status is not Status.OPEN:
        desk.set_status(Status.OPEN, Reason.REOPENED)
    return desk.close("reopen")


@transaction.atomic
def snooze(conversation_id: int, actor: Actor, now: datetime, *, until: datetime) -> Act:
    """Out of the queue until a time; the clock is held. A snoozed one gets its new time."""
    if not now < until <= now + MAX_SNOOZE:
        raise Refusal(_("Choose a time in the future, at most a year from now."))
    desk = Desk.open(conversation_id, actor, now)
    if desk.status is not Status.SNOOZED:
        desk.set_status(Status.SNOOZED, Reason.SNOOZED)
    desk.conversation.snoozed_until = until
    return desk.close("snooze")


@transaction.atomic
def unsnooze(conversation_id: int, actor: Actor, now: datetime) -> Act:
    desk = Desk.open(conversation_id, actor, now)
    if desk.status is Status.SNOOZED:
        desk.set_status(Status.OPEN, Reason.REOPENED)
    return desk.close("unsnooze")


def wake_due(now: datetime, limit: int = 200) -> int:
    """Ends the snoozes whose time has come, each in its own transaction; returns how many."""
    due = Conversation.objects.filter(status=Status.SNOOZED, snoozed_until__lte=now).order_by("snoozed_until")
    return sum(_wake(conversation_id, now) for conversation_id in list(due.values_list("id", flat=True)[:limit]))


@transaction.atomic
def _wake(conversation_id: int, now: datetime) -> bool:
    desk = Desk.open(conversation_id, "balas", now)
    until = desk.conversation.snoozed_until
    if until is None or until > now:
        return False
    if desk.status is Status.SNOOZED:
        # The hold ends when it was to end, however late the jobs run.
        desk.set_status(Status.OPEN, Reason.SNOOZE_ENDED, at=until)
        desk.conversation.is_unseen = True
    desk.conversation.snoozed_until = None
    return desk.close("snooze-ended").changed


@transaction.atomic
def mark_spam(conversation_id: int, actor: Actor, now: datetime, *, is_hate: bool = False) -> Act:
    """Out of every list but one, and no clock: nobody answers spam, or hate."""
    desk = Desk.open(conversation_id, actor, now)
    if desk.status is not Status.SPAM:
        desk.set_status(Status.SPAM, Reason.HATE if is_hate else Reason.SPAM)
        desk.conversation.is_unseen = False
    return desk.close("hate" if is_hate else "spam")


@transaction.atomic
def not_spam(conversation_id: int, actor: Actor, now: datetime) -> Act:
    """Back to the queue, with the clock as if it had never been away."""
    desk = Desk.open(conversation_id, actor, now)
    if desk.status is Status.SPAM:
        desk.set_status(Status.OPEN, Reason.NOT_SPAM)
        for event in _stops_in_effect(conversation_id):
            desk.record(SlaKind.UNDONE, event.occurred_at, target_id=event.id)
        if "resolved_at" in desk.conversation.sla:
            desk.record(SlaKind.REOPENED, now)
    return desk.close("not-spam")


def _stops_in_effect(conversation_id: int) -> list[SlaEvent]:
    """The `stopped` events that no `undone` in effect names."""
    kinds = (SlaKind.STOPPED, SlaKind.UNDONE)
    events = list(
        SlaEvent.objects.filter(conversation_id=conversation_id, kind__in=kinds).order_by("recorded_at", "id")
    )
    undone: set[int | None] = set()
    for event in reversed(list(events)):
        if event.kind == SlaKind.UNDONE and event.id not in undone:
            undone.add(event.target_event_id)
    return [event for event in events if event.kind == SlaKind.STOPPED and event.id not in undone]


# --- Who and what ---------------------------------------------------------------------------------------------------


@transaction.atomic
def assign(conversation_id: int, actor: Actor, now: datetime, *, owner: User | None) -> Act:
    """None gives it back to everybody. Refuses a person who may not read any of its accounts."""
    desk = Desk.open(conversation_id, actor, now)
    if owner is not None and owner.id != desk.conversation.owner_id:
        readable = people.readable_accounts(owner)
        if not owner.is_active or (readable is not None and not readable & set(accounts_of(conversation_id))):
            raise Refusal(_("%(name)s cannot read this mailbox.") % {"name": owner})
        work = work_record(conversation_id, owner)
        work.claimed_at = now
        work.save()
    desk.conversation.owner_id = owner.id if owner else None
    return desk.close("assign")


@transaction.atomic
def move_to_team(conversation_id: int, actor: Actor, now: datetime, *, team_id: int | None) -> Act:
    if team_id is not None and not Team.objects.filter(id=team_id).exists():
        raise Refusal(_("This team no longer exists."))
    desk = Desk.open(conversation_id, actor, now)
    desk.conversation.team_id = team_id
    return desk.close("team")


@transaction.atomic
def tag(conversation_id: int, actor: Actor, now: datetime, *, name: str) -> Act:
    """A new tag is made when none has this name; upper and lower case count as the same."""
    name = " ".join(name.split())[:60]
    if not name:
        raise Refusal(_("A tag needs a name."))
    desk = Desk.open(conversation_id, actor, now)
    row = Tag.objects.filter(name__iexact=name).first() or Tag.objects.get_or_create(name=name)[0]
    _link, is_new = ConversationTag.objects.get_or_create(conversation_id=conversation_id, tag=row)
    if is_new:
        desk.tags_added.append(row.id)
    return desk.close("tag", data={"tag": row.name})


@transaction.atomic
def untag(conversation_id: int, actor: Actor, now: datetime, *, name: str) -> Act:
    desk = Desk.open(conversation_id, actor, now)
    links = ConversationTag.objects.filter(conversation_id=conversation_id, tag__name__iexact=name.strip())
    desk.tags_removed.extend(links.values_list("tag_id", flat=True))
    ConversationTag.objects.filter(conversation_id=conversation_id, tag_id__in=desk.tags_removed).delete()
    return desk.close("untag", data={"tag": name.strip()})


@transaction.atomic
def undo(token: str, actor: Actor, now: datetime) -> Act:
    """Restores exactly what an act changed. Raises Refusal when something else changed the same since."""
    record = read_token(token)
    desk = Desk.open(int(record.subject.partition(":")[2]), actor, now)
    take_back(desk, record.id)
    if reverse := _REVERSALS.get(record.act):
        reverse(desk, record)
    if record.act == "assign":
        WorkRecord.objects.filter(conversation=desk.conversation, claimed_at=record.at).update(claimed_at=None)
    return desk.close("undo", data={"undoes": str(record.id), "undone_act": record.act})


def tag_names(conversation_id: int) -> tuple[list[str], list[str]]:
    """The tags that a conversation has, and the first hundred of those that it has not."""
    tags = Tag.objects.order_by("name").values_list("name", flat=True)
    taken = list(tags.filter(conversationtag__conversation_id=conversation_id))
    return taken, list(tags.exclude(name__in=taken)[:100])


# --- Notes, and who has looked --------------------------------------------------------------------------------------


@transaction.atomic
def add_note(conversation_id: int, actor: User, now: datetime, *, text: str) -> Message:
    """An internal note in the newest strand. Raises Refusal for an empty or endless one."""
    text = text.strip()
    if not text or len(text) > MAX_NOTE_CHARACTERS:
        raise Refusal(_("Write the note first.") if not text else _("This note is too long."))
    desk = Desk.open(conversation_id, actor, now)
    note = Message(
        id=new_id(),
        kind=desk.conversation.kind,
        direction="note",
        strand_id=newest_strand(conversation_id),
        account=None,
        author=None,
        author_user=actor,
        author_name=str(actor)[:200],
        text=text,
        written_at=now,
        received_at=now,
        reference="",
        stable_sha256=hashlib.sha256(text.encode()).hexdigest(),
        raw_sha256="",
        created_at=now,
    )
    note.save(force_insert=True)
    desk.conversation.messages_count += 1
    desk.conversation.last_activity_at = now
    people.audit("note", f"conversation:{conversation_id}", actor, now, {"message": str(note.id)})
    desk.close("note", messages=[facts_of(note, conversation_id, accounts_of(conversation_id))])
    return note


def newest_strand(conversation_id: int) -> int:
    """Where a note or an answer goes that names no message. Raises StrandLink.DoesNotExist when there is none."""
    links = StrandLink.objects.filter(conversation_id=conversation_id, ended_at=None).order_by("-strand_id")
    found = links.values_list("strand_id", flat=True).first()
    if found is None:
        raise StrandLink.DoesNotExist(f"conversation {conversation_id} has no strand")
    return found


@transaction.atomic
def mark_seen(conversation_id: int, user: User, now: datetime) -> None:
    """Somebody has opened it: no act, no undo; one index write at most, and none when it had been seen."""
    desk = Desk.open(conversation_id, user, now)
    work = work_record(conversation_id, user)
    if work.opened_at is None or work.seen_version != desk.conversation.version:
        work.opened_at = work.opened_at or now
        work.seen_version = desk.conversation.version
        work.save()
    if desk.conversation.is_unseen:
        desk.mark_seen()


def work_record(conversation_id: int, user: User) -> WorkRecord:
    """This person's running work on it (not sent yet), or a new one, not yet saved."""
    rows = WorkRecord.objects.filter(conversation_id=conversation_id, user=user, sent_at=None).order_by("-id")
    return rows.first() or WorkRecord(conversation_id=conversation_id, user=user)
