from __future__ import annotations

from django.db import models

from inbox.models.base import Link, Row
from inbox.models.customers import Identity


class Thread(Row):
    """One connected part of the reference graph of a kind. It knows no persons."""

    kind = models.CharField(max_length=32)
    # Set when a later message showed that two parts are one; follow it to the root.
    merged_into = models.ForeignKey("self", null=True, default=None, on_delete=models.PROTECT)


class ThreadReference(Row):
    """Every message reference seen, of messages we hold and of those only named, and the thread it lies in."""

    kind = models.CharField(max_length=32)
    reference = models.CharField(max_length=500)  # Message-ID without brackets; longer ones as "sha256:…"
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "reference"], name="thread_reference_once")]


class Strand(Row):
    """One counterparty's part of one thread. A split or a late answer opens the next sequence of the same pair."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT)
    counterparty = models.ForeignKey(Identity, on_delete=models.PROTECT)
    sequence = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["thread", "counterparty", "sequence"], name="strand_once")]


class StrandParticipant(models.Model):
    """Who takes part in a strand: the counterparty, and people in To and Cc of its messages."""

    pk = models.CompositePrimaryKey("strand_id", "identity_id")
    strand = models.ForeignKey(Strand, on_delete=models.CASCADE)
    identity = models.ForeignKey(Identity, on_delete=models.PROTECT)
    since_message = models.BigIntegerField()  # the message that brought them in


class StrandLink(Link):
    """Strand → conversation. One open link per strand; merge, fold, split and undo move only these."""

    strand = models.ForeignKey(Strand, on_delete=models.PROTECT, related_name="links")
    conversation = models.ForeignKey("inbox.Conversation", on_delete=models.PROTECT, related_name="strand_links")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["strand"], condition=models.Q(ended_at__isnull=True), name="strand_link_open_once"
            )
        ]


class OfferAnswer(Row):
    """What a person said to an offer (rules/offers.py): taken or dismissed, and it is not made again."""

    message = models.ForeignKey("inbox.Message", on_delete=models.CASCADE, related_name="offer_answers")
    offer = models.CharField(max_length=24)
    answer = models.CharField(max_length=10)  # taken | dismissed
    user = models.ForeignKey("inbox.User", null=True, on_delete=models.SET_NULL)
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "offer"], name="offer_answer_once")]
