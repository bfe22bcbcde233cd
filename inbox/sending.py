"""The rows of a reply: the gates before them, the message and its envelope, and taking them back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Connector
from connectors.messages import Address, Limits, Outcome
from inbox.acts import Desk
from inbox.claims import is_sending_stopped
from inbox.composing import Frozen, Written, address_of
from inbox.conversations import facts_of, newest_strand, work_record
from inbox.drafts import discard, newest_seen
from inbox.enclosed import enclosed, stored_recipient
from inbox.ids import new_id
from inbox.killpoints import reach
from inbox.models import (
    Attachment,
    ConversationAccount,
    Envelope,
    EnvelopeBody,
    EnvelopeRecipient,
    Identity,
    Message,
    PostState,
    StrandParticipant,
    ThreadReference,
    User,
    WorkRecord,
)
from inbox.outcomes import put_state
from inbox.rules.gates import Gate, GateCode, ReplyFacts, gate_reply
from inbox.rules.passages import lengths_of
from inbox.rules.states import Reason, SendState, Status, may_change
from inbox.rules.threading import reference_key
from inbox.speaking import Spoken

MAX_SENT = 50  # our newest messages of a conversation, asked whom they went to
MAX_ANSWERS_AN_HOUR = 30  # in one conversation: more is a loop, not a talk
SAME_TEXT_WITHIN = timedelta(hours=24)
PREVIEW = 240
_PUT_BACK = ("preview", "last_direction", "last_activity_at")


@dataclass(frozen=True, slots=True)
class Queued:
    envelope_id: int
    message_id: int
    send_at: datetime  # until then undo_send works
    is_repeat: bool = False  # this request had been queued before


@dataclass(frozen=True, slots=True)
class Wanted:
    """A reply that somebody asked to be sent."""

    conversation_id: int
    user: User
    request_id: str
    written: Written
    seen_message: int
    confirmations: frozenset[str]
    template_version_id: int | None
    spoken: Spoken | None = None


# --- Gates ----------------------------------------------------------------------------------------------------------


def find_gates(wanted: Wanted, connector: Connector, now: datetime) -> list[Gate]:
    """What blocks this reply; empty means go."""
    written = wanted.written
    recipients = [*written.to, *written.cc]
    keys = [connector.identity_key(address) for address in recipients]
    facts = ReplyFacts(
        text=written.text,
        recipients=[address.address for address in recipients],
        recipient_keys=keys,
        customer_keys=known_keys(wanted.conversation_id, written.account.kind, connector),
        asked_keys=asked_keys(written.answers, connector),
        newest_inbound=newest_seen(wanted.conversation_id, wanted.user),
        seen_message=wanted.seen_message,
        subject=written.subject,
        attachment_bytes=sum(len(file.content) for file in written.files),
        attachments=len(written.files),
        bad_recipients=[one.address for one, key in zip(recipients, keys, strict=True) if not key],
        is_stopped=is_sending_stopped(),
        is_account_closed=written.account.removed_at is not None,
        **_facts_of(wanted),
    )
    gates = [gate for gate in gate_reply(facts, connector.limits(), wanted.confirmations) if gate.blocks]
    return gates + [gate for gate in _brakes(wanted, now) if gate.code not in wanted.confirmations]


def _facts_of(wanted: Wanted) -> dict[str, Any]:
    """What the platform's rules make of it, where it has some."""
    spoken = wanted.spoken
    if spoken is None:
        return {}
    return {
        "measure": spoken.measure,
        "objections": spoken.objections,
        "permission": spoken.permission,
        "visibility": spoken.visibility,
        "visibilities": spoken.visibilities,
        "exposed": spoken.exposed,
    }


def known_keys(conversation_id: int, kind: str, connector: Connector) -> set[str]:
    """Identities of the customer, and whom we have written to in this conversation before.

    Who stands in a mail's Cc or Reply-To was put there by its writer: nobody gets an answer for that alone.
    """
    own = Identity.objects.filter(
        links__customer__conversations__id=conversation_id, links__ended_at=None, kind=kind
    ).values_list("key", flat=True)
    sent = Message.objects.filter(
        strand__links__conversation_id=conversation_id, strand__links__ended_at=None, direction="outbound"
    ).order_by("-id")
    known = set(own)
    for recipients in sent.values_list("recipients", flat=True)[:MAX_SENT]:
        known |= {connector.identity_key(address_of(one)) for one in recipients}
    return known - {""}


def asked_keys(answered: Message | None, connector: Connector) -> set[str]:
    """Whom a message asks to be answered to instead of its writer."""
    if answered is None or answered.direction != "inbound":
        return set()
    asked = [one for one in answered.recipients if one["role"] == "reply-to"]
    return {connector.identity_key(address_of(one)) for one in asked} - {""}


def find_strangers(
    conversation_id: int, kind: str, recipients: Iterable[Address], answered: Message | None, connector: Connector
) -> Gate | None:
    """What would have to be confirmed about these recipients, before anything is written."""
    addresses = list(recipients)
    facts = ReplyFacts(
        text="x",
        recipients=[one.address for one in addresses],
        recipient_keys=[connector.identity_key(one) for one in addresses],
        customer_keys=known_keys(conversation_id, kind, connector),
        asked_keys=asked_keys(answered, connector),
    )
    found = gate_reply(facts, Limits())
    return next((gate for gate in found if gate.code is GateCode.NOT_THE_CUSTOMER), None)


def _brakes(wanted: Wanted, now: datetime) -> Iterable[Gate]:
    recent = Envelope.objects.exclude(state__in=(SendState.CANCELLED, SendState.FAILED)).filter(part=0)
    here = recent.filter(conversation_id=wanted.conversation_id, created_at__gt=now - timedelta(hours=1))
    if here.count() >= MAX_ANSWERS_AN_HOUR:
        yield Gate(GateCode.TOO_MANY_ANSWERS, data={"limit": MAX_ANSWERS_AN_HOUR, "minutes": 60})
    same = recent.filter(
        conversation__customer__conversations__id=wanted.conversation_id,
        created_at__gt=now - SAME_TEXT_WITHIN,
        evidence__text_sha256=_text_sha256(wanted.written.text),
    )
    reached = EnvelopeRecipient.objects.filter(envelope__in=same).exclude(outcome=Outcome.REFUSED)
    had_it = {address.casefold() for address in reached.values_list("address", flat=True)}
    again = [one.address for one in wanted.written.to if one.address.casefold() in had_it]
    if again:
        yield Gate(GateCode.SENT_BEFORE, data={"addresses": tuple(again)})


def _text_sha256(text: str) -> str:
    return hashlib.sha256(" ".join(text.casefold().split()).encode("utf-8", "replace")).hexdigest()


# --- Rows -----------------------------------------------------------------------------------------------------------


def write(desk: Desk, wanted: Wanted, frozen: Frozen, connector: Connector, now: datetime) -> Queued:
    """Message, envelope, recipients, references, participants, status. Last step of the queueing transaction."""
    message = _message(wanted, frozen, now)
    message.save(force_insert=True)
    _write_around(message, wanted, frozen, connector, now)
    reach("queue.message-written")
    envelope = _envelope(desk, message, wanted, frozen, connector, now)
    reach("queue.envelope-written")
    conversation, written_from = desk.conversation, wanted.written.account
    if may_change(desk.status, Status.WAITING, Reason.ANSWERED):
        desk.set_status(Status.WAITING, Reason.ANSWERED)
    conversation.is_unseen = False
    conversation.messages_count += 1
    conversation.preview = " ".join(wanted.written.text.split())[:PREVIEW]
    conversation.last_direction, conversation.last_activity_at = "outbound", now
    work = work_record(conversation.id, wanted.user)
    work.sent_at = now
    work.save()
    discard(conversation.id, wanted.user)
    desk.touched = True
    reach("queue.status-written")
    facts = facts_of(message, conversation.id, (written_from.id,))
    data = {"message": str(message.id), "envelope": str(envelope.id)}
    act = desk.close("reply", data=data, messages=[facts])
    reach("queue.announced")
    envelope.evidence["act"] = act.undo
    envelope.save(update_fields=["evidence"])
    assert envelope.due_at is not None
    return Queued(envelope.id, message.id, envelope.due_at)


def _message(wanted: Wanted, frozen: Frozen, now: datetime) -> Message:
    written, parsed, account = wanted.written, frozen.parsed, wanted.written.account
    own = Identity.objects.filter(kind=account.kind, key__in=account.own_addresses, is_own=True).order_by("id")
    strand_id = written.answers.strand_id if written.answers else newest_strand(wanted.conversation_id)
    named = [("to", address) for address in written.to] + [("cc", address) for address in written.cc]
    extra = enclosed(parsed)
    return Message(
        id=new_id(),
        kind=account.kind,
        direction="outbound",
        strand_id=strand_id,
        account=account,
        author=own.first(),
        author_user=wanted.user,
        author_name=(account.display_name or account.name)[:200],
        author_address=account.address,
        recipients=[stored_recipient(role, one) for role, one in named],
        enclosed=extra or None,
        subject=written.subject[:1000],
        text=parsed.text,
        passages=lengths_of(parsed),
        has_html=parsed.has_html,
        language=written.language,
        written_at=now,
        received_at=now,
        reference=reference_key(frozen.message.idempotency_key) or frozen.message.idempotency_key[:500],
        in_reply_to=(written.answers.reference if written.answers else "")[:500],
        references=list(parsed.references),
        stable_sha256=parsed.stable_sha256,
        raw_sha256=frozen.sha256,
        created_at=now,
    )


def _write_around(message: Message, wanted: Wanted, frozen: Frozen, connector: Connector, now: datetime) -> None:
    """Attachments, our own reference, who takes part from now on, and whose readers see it."""
    Attachment.objects.bulk_create(
        Attachment(
            message=message,
            part=one.part,
            name=one.name[:255],
            content_type=one.content_type[:127],
            size=one.size,
            sha256=one.sha256,
            is_inline=one.is_inline,
            content_id=one.content_id[:255],
        )
        for one in frozen.parsed.attachments
    )
    if post := frozen.parsed.post:
        PostState.objects.create(
            message=message, account=wanted.written.account, visibility=post.visibility, standing=post.standing
        )
    ThreadReference.objects.get_or_create(
        kind=message.kind, reference=message.reference, defaults={"thread_id": message.strand.thread_id}
    )
    for address in (*wanted.written.to, *wanted.written.cc):
        identity = _identity(address, connector, message.kind, now)
        if not identity.is_own:
            StrandParticipant.objects.get_or_create(
                strand_id=message.strand_id, identity=identity, defaults={"since_message": message.id}
            )
    ConversationAccount.objects.get_or_create(conversation_id=wanted.conversation_id, account=wanted.written.account)


def _identity(address: Address, connector: Connector, kind: str, now: datetime) -> Identity:
    values = {
        "address": address.address[:320],
        "display": address.name[:200],
        "external_id": address.external_id[:200],
        "created_at": now,
    }
    key = connector.identity_key(address)
    identity, _is_new = Identity.objects.get_or_create(kind=kind, key=key, defaults=values)
    return identity


def _envelope(
    desk: Desk, message: Message, wanted: Wanted, frozen: Frozen, connector: Connector, now: datetime
) -> Envelope:
    written, conversation = wanted.written, desk.conversation
    before = {name: getattr(conversation, name) for name in _PUT_BACK}
    before["last_activity_at"] = conversation.last_activity_at.isoformat()
    envelope = Envelope(
        id=new_id(),
        message=message,
        account=written.account,
        conversation=conversation,
        request_id=wanted.request_id,
        idempotency_key=frozen.message.idempotency_key,
        content_sha256=frozen.sha256,
        state=SendState.QUEUED,
        due_at=now + timedelta(seconds=written.account.undo_seconds),
        filing="" if connector.limits().files_sent_itself else "wanted",
        evidence={"text_sha256": _text_sha256(written.text), "before": before},
        created_at=now,
    )
    envelope.save(force_insert=True)
    EnvelopeBody.objects.create(envelope=envelope, content=frozen.message.content, written=_as_written(wanted))
    named = [("to", address) for address in written.to] + [("cc", address) for address in written.cc]
    EnvelopeRecipient.objects.bulk_create(
        EnvelopeRecipient(envelope=envelope, role=role, name=one.name[:200], address=one.address[:320])
        for role, one in named
    )
    return envelope


def _as_written(wanted: Wanted) -> dict[str, Any]:
    """What undo gives back: the text before quoting, the recipients and files."""
    written = wanted.written
    people = {
        role: [stored_recipient("", one) for one in addresses]
        for role, addresses in (("to", written.to), ("cc", written.cc))
    }
    fields = {**people, "subject": written.subject, "with_quote": written.with_quote, "account": written.account.id}
    if wanted.spoken is not None:
        fields |= {"visibility": str(written.visibility or ""), "warning": written.warning}
    files = [
        [file.name, file.content_type, hashlib.sha256(file.content).hexdigest(), *([file.alt] if file.alt else [])]
        for file in written.files
    ]
    version = str(wanted.template_version_id) if wanted.template_version_id else None
    return {"body": written.text, "fields": fields, "files": files, "template_version": version}


def take_back_message(desk: Desk, envelope: Envelope) -> None:
    """Of an answer that will not leave: the conversation's row as if it had not been written."""
    conversation, before = desk.conversation, envelope.evidence.get("before")
    conversation.messages_count = max(conversation.messages_count - 1, 0)
    if before and conversation.last_activity_at == envelope.created_at:
        conversation.preview, conversation.last_direction = before["preview"], before["last_direction"]
        conversation.last_activity_at = datetime.fromisoformat(before["last_activity_at"])
    WorkRecord.objects.filter(conversation=conversation, sent_at=envelope.created_at).update(sent_at=None)


def requeue(envelope: Envelope, user: User, now: datetime) -> None:
    """The same bytes under the same key, for the recipients who have not certainly got it; due at once."""
    EnvelopeRecipient.objects.filter(envelope=envelope).exclude(outcome=Outcome.SENT).update(
        outcome=Outcome.PENDING, code="", sentence=""
    )
    for name in ("looks", "trying_since"):
        envelope.evidence.pop(name, None)
    envelope.committing_at = envelope.finished_at = None
    put_state(envelope, SendState.QUEUED, "", due_at=now)
    desk = Desk.open(envelope.conversation_id, user, now)
    if may_change(desk.status, Status.WAITING, Reason.ANSWERED):
        desk.set_status(Status.WAITING, Reason.ANSWERED)
    desk.touched = True
    desk.close("send-again", data={"envelope": str(envelope.id)})
