from __future__ import annotations

from django.db import models

from inbox.ids import new_id


class Row(models.Model):
    """A row with an id of our own making (see inbox/ids.py)."""

    id = models.BigIntegerField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True


class Link(Row):
    """A reversible link: evidence, who made it, when, and an end instead of a delete."""

    evidence = models.JSONField(default=dict)  # {"rule": "...", ...}: why, in words of docs/sameness.md
    actor = models.CharField(max_length=40, default="balas")  # "balas" or "user:<id>"
    linked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, default=None)
    ended_by = models.CharField(max_length=40, default="", blank=True)

    class Meta:
        abstract = True
