from __future__ import annotations

from django.db import models

from inbox.models.accounts import Account
from inbox.models.base import Row
from inbox.models.customers import Customer
from inbox.models.organisation import Team, User


class Conversation(Row):
    """The unit of work: one customer and one matter. Everything that changes about it stands here, once."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="conversations")
    subject = models.CharField(max_length=1000, default="", blank=True)
    status = models.CharField(max_length=10)  # rules.states.Status
    status_reason = models.CharField(max_length=40, default="", blank=True)
    owner = models.ForeignKey(User, null=True, default=None, on_delete=models.SET_NULL)
    team = models.ForeignKey(Team, null=True, default=None, on_delete=models.SET_NULL)
    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT)  # answers leave from here by default
    kind = models.CharField(max_length=32)  # of the last inbound message
    visibility = models.CharField(max_length=12, default="", db_default="", blank=True)  # of that one; "": no post
    snoozed_until = models.DateTimeField(null=True, default=None)

    due_at = models.DateTimeField(null=True, default=None)
    due_for = models.CharField(max_length=12, default="", blank=True)  # first | next | resolution
    sla = models.JSONField(default=dict)  # the running state of rules.sla, derivable from the events at any time
    policy_version = models.ForeignKey("inbox.PolicyVersion", null=True, on_delete=models.PROTECT)
    calendar_version = models.ForeignKey("inbox.CalendarVersion", null=True, on_delete=models.PROTECT)

    # Neutral until the parts that fill them are built.
    priority = models.SmallIntegerField(default=0)
    is_vip = models.BooleanField(default=False)
    reach = models.BigIntegerField(default=0)
    promise_due_at = models.DateTimeField(null=True, default=None)
    language = models.CharField(max_length=16, default="", blank=True)

    preview = models.CharField(max_length=240, default="", blank=True)  # first words of the last message
    last_direction = models.CharField(max_length=8, default="", blank=True)
    messages_count = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    last_inbound_at = models.DateTimeField(null=True, default=None)
    last_outbound_at = models.DateTimeField(null=True, default=None)
    last_activity_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, default=None)
    reopened_count = models.PositiveIntegerField(default=0)
    follows = models.ForeignKey("self", null=True, default=None, on_delete=models.SET_NULL)  # the old matter
    is_unseen = models.BooleanField(default=False)  # something new that nobody has opened
    version = models.BigIntegerField(default=1)  # +1 with every change: the index and the page compare it

    class Meta:
        indexes = [
            # The queue, in its order; every tab is one of these two, flat at any size.
            models.Index(fields=["status", "due_at", "id"], name="conversation_queue"),
            models.Index(fields=["status", "-last_activity_at", "-id"], name="conversation_recent"),
            models.Index(fields=["owner", "status", "due_at", "id"], name="conversation_owner"),
            models.Index(fields=["customer", "-last_activity_at"], name="conversation_customer"),
            models.Index(fields=["-last_activity_at", "-id"], name="conversation_all"),
            models.Index(
                fields=["-last_activity_at", "-id"],
                name="conversation_automatic",
                condition=models.Q(status="resolved", status_reason="automatic"),
            ),
            models.Index(
                fields=["status", "snoozed_until", "id"],
                name="conversation_snoozed",
                condition=models.Q(snoozed_until__isnull=False),
            ),
        ]


class ConversationAccount(models.Model):
    """Which accounts' deliveries lie in a conversation: rights follow these rows."""

    pk = models.CompositePrimaryKey("conversation_id", "account_id")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)


class Tag(Row):
    name = models.CharField(max_length=60, unique=True)


class ConversationTag(models.Model):
    pk = models.CompositePrimaryKey("conversation_id", "tag_id")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE)


class WorkRecord(Row):
    """One person's work on one conversation: handling time comes from here."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    claimed_at = models.DateTimeField(null=True, default=None)
    opened_at = models.DateTimeField(null=True, default=None)
    first_key_at = models.DateTimeField(null=True, default=None)
    sent_at = models.DateTimeField(null=True, default=None)
    seen_version = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["conversation", "user", "-id"], name="work_record_open")]
