"""One press: from a message on, a conversation becomes one of its own. And back, as long as nothing came of it.

The messages move into the next strand of the same pair, so that whoever answers one of them later is joined there. The
promises go with them: their events are undone in the old ledger and written again, with their own times, in the new.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from inbox import changes, counters, sla
from inbox.acts import Act, Desk, Refusal, accounts_of
from inbox.facts import facts_of
from inbox.ids import new_id
from inbox.models import (
    AuditRecord,
    Conversation,
    ConversationAccount,
    Delivery,
    Envelope,
    Message,
    SlaEvent,
    Strand,
    StrandLink,
    StrandParticipant,
)
from inbox.offers import note_answer
from inbox.people import Actor, actor_name, audit
from inbox.rules.offers import Offer
from inbox.rules.states import Reason, SendState, SlaKind, Status, may_change

_MOVING_SENDS = (SendState.QUEUED, SendState.SENDING, SendState.COMMITTING, SendState.RETRY)
_SAID = (SlaKind.CUSTOMER_WROTE, SlaKind.AGENT_ANSWERED, SlaKind.PROVISIONAL_ANSWER)
PREVIEW = 240


@transaction.atomic
def split(conversation_id: int, message_id: int, actor: Actor, now: datetime) -> Act:
    """From this message on. Raises Refusal when nothing would be left, or an answer is just leaving."""
    desk = Desk.open(conversation_id, actor, now)
    first = _message_in(conversation_id, message_id)
    moved = list(_from_on(first))
    kept = Message.objects.filter(strand__links__conversation_id=conversation_id, strand__links__ended_at=None)
    if not kept.exclude(id__in=[one.id for one in moved]).exists():
        raise Refusal(_("This is where the conversation begins: nothing would be left of it."))
    if Envelope.objects.filter(message__in=moved, state__in=_MOVING_SENDS).exists():
        raise Refusal(_("An answer is just leaving. Try again in a moment."))
    strand = _next_strand(first)
    fresh = _new_conversation(desk.conversation, first, moved, now)
    _link(strand.id, fresh.id, actor, now, {"rule": "split", "from": str(conversation_id)})
    _relink(first.strand_id, conversation_id, actor, now)
    _hand_over_promises(desk, fresh, moved)
    _move(moved, strand.id, fresh)
    _recount(desk.conversation)
    if desk.status is Status.OPEN and _is_answered(desk.conversation):
        desk.set_status(Status.WAITING, Reason.ANSWERED)
    _recount(fresh)
    fresh.status, fresh.status_reason = Status.OPEN, Reason.NEW
    if _is_answered(fresh):
        fresh.status, fresh.status_reason = Status.WAITING, Reason.ANSWERED
    fresh.save()
    counters.move(None, counters.key_of(fresh))
    note_answer(message_id, Offer.SPLIT, "taken", actor, now)
    audit("split-off", f"conversation:{fresh.id}", actor, now, {"from": str(conversation_id)})
    facts = _announce_moved(moved, fresh, strand.id, now)
    desk.is_reversible = True
    data: dict[str, Any] = {
        "to": str(fresh.id),
        "strand": str(strand.id),
        "first": str(message_id),
        "count": len(moved),
    }
    data["home"] = str(first.strand_id)
    return desk.close("split", data={"split": data, "subject": fresh.subject}, messages=facts)


@transaction.atomic
def unsplit(desk: Desk, record: AuditRecord) -> None:
    """Takes a split back. Raises Refusal when somebody has worked on the new conversation, or mail has come to it."""
    data = record.data["split"]
    fresh = Conversation.objects.select_for_update().filter(id=int(data["to"])).first()
    moved = list(Message.objects.filter(strand_id=int(data["strand"])).order_by("written_at", "id"))
    acts = AuditRecord.objects.filter(subject=f"conversation:{data['to']}").exclude(act="split-off")
    if fresh is None or acts.exists() or len(moved) != data["count"]:
        raise Refusal(_("This can no longer be undone: something else has changed since."))
    key = counters.key_of(fresh)
    if not StrandLink.objects.filter(
        strand_id=int(data["home"]), conversation=desk.conversation, ended_at=None
    ).exists():
        raise Refusal(_("This can no longer be undone: something else has changed since."))
    _move(moved, int(data["home"]), desk.conversation)
    StrandLink.objects.filter(conversation=fresh).delete()
    Strand.objects.filter(id=int(data["strand"])).delete()
    fresh.delete()
    counters.move(key, None)
    _recount(desk.conversation)
    desk.touched = True
    note_answer(int(data["first"]), Offer.SPLIT, "", desk.actor, desk.now)
    accounts = accounts_of(desk.conversation.id)
    facts = [facts_of(one, desk.conversation.id, accounts) for one in moved]
    changes.announce(now=desk.now, messages=facts, conversations=[changes.ConversationChange(int(data["to"]))])


# --- Rows -----------------------------------------------------------------------------------------------------------


def _message_in(conversation_id: int, message_id: int) -> Message:
    found = Message.objects.filter(
        id=message_id, strand__links__conversation_id=conversation_id, strand__links__ended_at=None
    ).first()
    if found is None:
        raise Refusal(_("This message is no longer in this conversation."))
    return found


def _from_on(first: Message) -> Any:
    later = Q(written_at__gt=first.written_at) | Q(written_at=first.written_at, id__gte=first.id)
    return Message.objects.select_for_update().filter(later, strand_id=first.strand_id).order_by("written_at", "id")


def _next_strand(first: Message) -> Strand:
    old = Strand.objects.get(id=first.strand_id)
    pair = Strand.objects.filter(thread_id=old.thread_id, counterparty_id=old.counterparty_id)
    highest = pair.aggregate(highest=Max("sequence"))["highest"]
    strand = Strand.objects.create(thread_id=old.thread_id, counterparty_id=old.counterparty_id, sequence=highest + 1)
    people = StrandParticipant.objects.filter(strand=old).values_list("identity_id", flat=True)
    StrandParticipant.objects.bulk_create(
        StrandParticipant(strand=strand, identity_id=one, since_message=first.id) for one in people
    )
    return strand


def _new_conversation(old: Conversation, first: Message, moved: Sequence[Message], now: datetime) -> Conversation:
    """Not counted and without a status yet."""
    account = first.account or old.account
    if account is not None:
        policy, calendar = sla.versions_for(account, now)
    else:
        policy, calendar = sla.ensure_defaults(now)
    fresh = Conversation.objects.create(
        id=new_id(),
        customer_id=old.customer_id,
        subject=first.subject,
        status=Status.OPEN,
        status_reason=Reason.NEW,
        owner_id=old.owner_id,
        team_id=old.team_id,
        account=account,
        kind=first.kind,
        language=first.language or old.language,
        policy_version_id=policy,
        calendar_version_id=calendar,
        opened_at=first.written_at,
        last_activity_at=first.written_at,
    )
    seen = set(Delivery.objects.filter(message__in=moved).values_list("account_id", flat=True))
    seen |= {one.account_id for one in moved if one.account_id}
    ConversationAccount.objects.bulk_create(
        ConversationAccount(conversation=fresh, account_id=one) for one in sorted(seen or set(accounts_of(old.id)))
    )
    return fresh


def _link(strand_id: int, conversation_id: int, actor: Actor, now: datetime, evidence: dict[str, str]) -> None:
    StrandLink.objects.create(
        strand_id=strand_id,
        conversation_id=conversation_id,
        evidence=evidence,
        actor=actor_name(actor),
        linked_at=now,
    )


def _relink(strand_id: int, conversation_id: int, actor: Actor, now: datetime) -> None:
    """The old strand is a person's doing from now on, too: what comes late does not form it again."""
    StrandLink.objects.filter(strand_id=strand_id, ended_at=None).update(ended_at=now, ended_by=actor_name(actor))
    _link(strand_id, conversation_id, actor, now, {"rule": "split-from"})


def _move(messages: Sequence[Message], strand_id: int, conversation: Conversation) -> None:
    ids = [one.id for one in messages]
    Message.objects.filter(id__in=ids).update(strand_id=strand_id)
    Envelope.objects.filter(message_id__in=ids).update(conversation=conversation)
    for one in messages:
        one.strand_id = strand_id


def _hand_over_promises(desk: Desk, fresh: Conversation, moved: Sequence[Message]) -> None:
    """Undone in the old ledger, and written in the new with the times they had."""
    events = SlaEvent.objects.filter(conversation=desk.conversation, message__in=moved, kind__in=_SAID)
    gone = set(
        SlaEvent.objects.filter(conversation=desk.conversation, kind=SlaKind.UNDONE).values_list(
            "target_event_id", flat=True
        )
    )
    for event in events.exclude(id__in=gone).order_by("occurred_at", "id"):
        desk.record(SlaKind.UNDONE, event.occurred_at, target_id=event.id)
        sla.record(
            fresh,
            SlaKind(event.kind),
            event.occurred_at,
            desk.now,
            actor=event.actor,
            message=event.message_id,
            data=event.data,
        )


def _recount(conversation: Conversation) -> None:
    """What a conversation's row says of its messages, from the messages. The caller saves it."""
    rows = list(
        Message.objects.filter(strand__links__conversation=conversation, strand__links__ended_at=None)
        .exclude(envelopes__state=SendState.CANCELLED)
        .order_by("written_at", "id")
        .values("direction", "automatic", "written_at", "text", "account_id")
    )
    said = [one for one in rows if one["direction"] != "note"]
    people = [(one["direction"], one["written_at"]) for one in said if not one["automatic"]]
    conversation.messages_count = len(rows)
    conversation.last_inbound_at = _last(people, "inbound")
    conversation.last_outbound_at = _last(people, "outbound")
    conversation.last_activity_at = rows[-1]["written_at"]
    if said:
        conversation.opened_at = said[0]["written_at"]
        conversation.preview = " ".join(said[-1]["text"][:1200].split())[:PREVIEW]
        conversation.last_direction = said[-1]["direction"]


def _last(rows: Sequence[tuple[str, datetime]], wanted: str) -> datetime | None:
    return max((at for direction, at in rows if direction == wanted), default=None)


def _is_answered(conversation: Conversation) -> bool:
    answered, asked = conversation.last_outbound_at, conversation.last_inbound_at
    return (
        answered is not None
        and (asked is None or answered >= asked)
        and may_change(Status.OPEN, Status.WAITING, Reason.ANSWERED)
    )


def _announce_moved(
    moved: Sequence[Message], fresh: Conversation, strand_id: int, now: datetime
) -> list[changes.MessageFacts]:
    """The new conversation appears in lists; the facts are told with the old one's change."""
    accounts = accounts_of(fresh.id)
    changes.announce(
        now=now,
        conversations=[changes.ConversationChange(fresh.id, accounts)],
        events=[changes.Live("counters", accounts=accounts)],
    )
    return [facts_of(one, fresh.id, accounts) for one in moved]
