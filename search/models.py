"""What search must remember beside the rows themselves."""

from __future__ import annotations

from django.db import models


class IndexGeneration(models.Model):
    """One build of the Elasticsearch indices. Changes go to every generation that is building or live."""

    BUILDING, LIVE, RETIRED = "building", "live", "retired"

    name = models.CharField(primary_key=True, max_length=40)
    state = models.CharField(max_length=10)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, default=None)


class MessageVersion(models.Model):
    """The version of a message whose document changed after its first; no row means version 1.

    Counted by the transaction that makes the change: clocks and sequences may go backwards between writers.
    """

    message_id = models.BigIntegerField(primary_key=True)
    version = models.BigIntegerField()


class IndexAudit(models.Model):
    """The last comparison of rows and index. One row, id 1."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
    missing = models.BigIntegerField(default=0)
    stale = models.BigIntegerField(default=0)
    extra = models.BigIntegerField(default=0)
