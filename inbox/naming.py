"""A platform tells how a post of ours is called: from then on answers to it find it by that name.

Whoever learns it first writes it down, the answer to the send or the post coming back; the other finds it done.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from inbox.models import Delivery, DuplicateLink, Envelope, Message, Strand, Thread, ThreadReference
from inbox.rules.threading import MAX_KEY_LENGTH


def name_send(message_id: int, name: str, now: datetime) -> None:
    """Inside the transaction that writes the outcome. "" and the name it has already change nothing."""
    if not name or len(name) > MAX_KEY_LENGTH:
        return
    message = Message.objects.select_for_update().get(id=message_id)
    if message.reference == name:
        return
    before, message.reference = message.reference, name
    for other in Message.objects.filter(kind=message.kind, reference=name).exclude(id=message_id).order_by("id"):
        _make_way(other, message, before, now)
    message.save(update_fields=["reference"])
    _join_thread(message)


def _make_way(other: Message, message: Message, before: str, now: datetime) -> None:
    """What carries the name already is this very post: the one that came back, or a send of ours mistaken for it."""
    if Envelope.objects.filter(message_id=other.id).exists():
        other.reference = before
        other.save(update_fields=["reference"])
        Delivery.objects.filter(message=other).update(message=message)
    elif not DuplicateLink.objects.filter(message=other, ended_at=None).exists():
        evidence = {"rule": "same-send", "reference": message.reference}
        DuplicateLink.objects.create(message=other, original=message, evidence=evidence, linked_at=now)


def _join_thread(message: Message) -> None:
    """The name lies in the thread of the message; where an answer was here first, the two threads are one."""
    mine = message.strand.thread_id
    row, is_new = ThreadReference.objects.get_or_create(
        kind=message.kind, reference=message.reference, defaults={"thread_id": mine}
    )
    if is_new or row.thread_id == mine:
        return
    kept, gone = sorted((row.thread_id, mine))
    ThreadReference.objects.filter(thread_id=gone).update(thread_id=kept)
    for strand in Strand.objects.filter(thread_id=gone).order_by("sequence", "id"):
        pair = Strand.objects.filter(thread_id=kept, counterparty_id=strand.counterparty_id)
        highest = pair.aggregate(highest=Max("sequence"))["highest"]
        strand.thread_id, strand.sequence = kept, strand.sequence if highest is None else highest + 1
        strand.save(update_fields=["thread_id", "sequence"])
    Thread.objects.filter(merged_into_id=gone).update(merged_into_id=kept)
    Thread.objects.filter(id=gone).update(merged_into_id=kept)
