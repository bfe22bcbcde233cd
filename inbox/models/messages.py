from __future__ import annotations

from django.db import models

from inbox.models.accounts import Account
from inbox.models.base import Link, Row
from inbox.models.customers import Identity
from inbox.models.shelf import RawItem
from inbox.models.threads import Strand


class Message(Row):
    """What was said, once: inbound, outbound or an internal note. Facts only; what changes is on the conversation."""

    kind = models.CharField(max_length=32)
    direction = models.CharField(max_length=8)  # inbound | outbound | note
    strand = models.ForeignKey(Strand, on_delete=models.PROTECT, related_name="messages")
    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT)  # first delivery's, or the sender's
    author = models.ForeignKey(Identity, null=True, on_delete=models.PROTECT)  # null: no identity could be read, a note
    author_user = models.ForeignKey("inbox.User", null=True, default=None, on_delete=models.SET_NULL)
    author_name = models.CharField(max_length=200, default="", blank=True)
    author_address = models.CharField(max_length=320, default="", blank=True)
    recipients = models.JSONField(default=list)  # [{"role", "name", "address"}]
    subject = models.CharField(max_length=1000, default="", blank=True)
    text = models.TextField(default="", blank=True)
    passages = models.JSONField(default=list)  # [[kind, length]] over `text`; empty: all of it is new
    has_html = models.BooleanField(default=False)
    language = models.CharField(max_length=16, default="", blank=True)  # "": not looked at yet; "und": cannot be told
    language_confidence = models.FloatField(default=0.0)
    written_at = models.DateTimeField()  # the clock's time of writing (design §4), also for sorting
    dated_at = models.DateTimeField(null=True, default=None)  # what it says of itself, where that is another time
    received_at = models.DateTimeField()  # first delivery
    reference = models.CharField(max_length=500)  # Message-ID without brackets; "" when absent
    in_reply_to = models.CharField(max_length=500, default="", blank=True)
    references = models.JSONField(default=list)
    stable_sha256 = models.CharField(max_length=64)
    raw_sha256 = models.CharField(max_length=64)
    raw_item = models.ForeignKey(RawItem, null=True, default=None, on_delete=models.PROTECT)
    automatic = models.CharField(max_length=12, default="", blank=True)
    flags = models.JSONField(default=list)
    verified = models.BooleanField(null=True, default=None)
    enclosed = models.JSONField(null=True, default=None)  # besides words: inbox/enclosed.py; None: nothing
    # What the receiving server found out (connectors.messages.SenderCheck): {"server", "is_trusted", "results"}.
    authentication = models.JSONField(null=True, default=None)
    reach = models.BigIntegerField(default=0)
    search_rowid = models.BigIntegerField(null=True, default=None, unique=True)  # seconds << 20 | n (search/)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["strand", "written_at", "id"], name="message_strand"),
            models.Index(fields=["kind", "reference"], name="message_reference"),
            models.Index(fields=["stable_sha256"], name="message_stable"),
            models.Index(
                fields=["received_at"],
                name="message_language_due",
                condition=models.Q(language="", direction="inbound"),
            ),
        ]


class Delivery(Row):
    """One sighting of a message: which account, where, when."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    raw_item = models.OneToOneField(RawItem, on_delete=models.PROTECT)
    received_at = models.DateTimeField()


class DuplicateLink(Link):
    """Message → duplicate of. The copy stays a message of its own, shown folded under the other."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="duplicate_links")
    original = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="copies")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message"], condition=models.Q(ended_at__isnull=True), name="duplicate_link_open_once"
            )
        ]


class Attachment(Row):
    """What was attached, by hash. The bytes of received ones are cut out of the raw item on demand (`part`)."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    part = models.CharField(max_length=80, default="", blank=True)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    is_inline = models.BooleanField(default=False)
    content_id = models.CharField(max_length=255, default="", blank=True)
