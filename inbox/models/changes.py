from __future__ import annotations

from django.db import models


class IndexChange(models.Model):
    """A document whose indexed form is older than its row. Removed only when exactly `version` has been indexed."""

    pk = models.CompositePrimaryKey("target", "kind", "document_id")
    target = models.CharField(max_length=40)  # index generation
    kind = models.CharField(max_length=16)  # message | conversation
    document_id = models.BigIntegerField()
    version = models.BigIntegerField()
    changed_at = models.DateTimeField(db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, default="", blank=True)


class LiveEvent(models.Model):
    """The tail that browsers follow. `number` is given in the order of commit (inbox/changes.py)."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    topic = models.CharField(max_length=24)  # conversation | counters | account | outbox
    subject = models.BigIntegerField(default=0)  # conversation or account id
    accounts = models.JSONField(default=list)  # ids of the accounts whose readers may hear of it; [] = everyone
    data = models.JSONField(default=dict)


class Counter(models.Model):
    """Open work per home team × status × owner, kept by the transaction that changes it; never counted over rows."""

    pk = models.CompositePrimaryKey("account_id", "team_id", "status", "owner_id")
    account_id = models.BigIntegerField(default=0)  # the conversation's answering account; 0 = none
    team_id = models.BigIntegerField(default=0)  # 0 = no team
    status = models.CharField(max_length=10)
    owner_id = models.BigIntegerField(default=0)  # 0 = nobody
    conversations = models.BigIntegerField(default=0)
