from __future__ import annotations

from django.db import models

from inbox.models.base import Row
from inbox.models.conversations import Conversation


class Policy(Row):
    name = models.CharField(max_length=80, unique=True)
    is_default = models.BooleanField(default=False)


class PolicyVersion(Row):
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    targets = models.JSONField()  # {"first": seconds, "next": seconds, "resolution_days": n} in business time
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="policy_version_once")]


class Calendar(Row):
    name = models.CharField(max_length=80, unique=True)
    is_default = models.BooleanField(default=False)


class CalendarVersion(Row):
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    zone = models.CharField(max_length=64)
    hours = models.JSONField()  # {"mon": [["09:00", "12:00"], ["13:00", "17:00"]], …}
    holidays = models.JSONField(default=list)  # ["2026-12-25", …]
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "number"], name="calendar_version_once")]


class SlaEvent(Row):
    """Append-only. Deadlines are a function of these, the policy version and the calendar version."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="sla_events")
    kind = models.CharField(max_length=24)  # rules.states.SlaKind
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=40, default="balas")
    message = models.ForeignKey("inbox.Message", null=True, default=None, on_delete=models.PROTECT)
    target_event = models.ForeignKey("self", null=True, default=None, on_delete=models.PROTECT)  # of `undone`
    policy_version = models.ForeignKey(PolicyVersion, null=True, default=None, on_delete=models.PROTECT)
    calendar_version = models.ForeignKey(CalendarVersion, null=True, default=None, on_delete=models.PROTECT)
    due_at = models.DateTimeField(null=True, default=None)  # as it stood after this event
    due_for = models.CharField(max_length=12, default="", blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["conversation", "occurred_at", "id"], name="sla_event_order")]
