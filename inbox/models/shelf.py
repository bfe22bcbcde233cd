from __future__ import annotations

from django.db import models

from inbox.models.accounts import Account
from inbox.models.base import Row


class RawItem(Row):
    """One thing as the provider gave it. Unique per (account, place, epoch, external id, version); all NOT NULL."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    place = models.CharField(max_length=200)
    epoch = models.CharField(max_length=80)
    external_id = models.CharField(max_length=200)
    version = models.CharField(max_length=40, default="0")
    is_sent = models.BooleanField(default=False)
    is_import = models.BooleanField(default=False)
    too_large = models.BooleanField(default=False)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()  # INTERNALDATE, or the platform's own time
    stored_at = models.DateTimeField()
    state = models.CharField(max_length=12, default="stored")  # rules.states.RawState
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, default=None)  # set while there is digesting to do; the jobs find it here
    error = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "place", "epoch", "external_id", "version"], name="raw_item_once"
            )
        ]
        indexes = [
            # Newest first, however large the backlog is.
            models.Index(
                fields=["-received_at", "-id"],
                name="raw_item_due",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(fields=["account"], name="raw_item_unreadable", condition=models.Q(state="unreadable")),
            models.Index(fields=["sha256"], name="raw_item_sha256"),
        ]


class RawBody(models.Model):
    """The bytes, apart from the row whose state changes: up to 256 KiB here, larger ones in a file named by hash."""

    item = models.OneToOneField(RawItem, primary_key=True, on_delete=models.CASCADE)
    content = models.BinaryField(null=True)  # null: in BALAS_HOME/raw/<sha256[:2]>/<sha256>


class CursorScope(Row):
    """The cursor ledger of one (account, place, epoch): what is settled, and what the connector noted for itself."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    place = models.CharField(max_length=200)
    epoch = models.CharField(max_length=80)
    state = models.JSONField(default=dict)  # the connector's own
    retired_at = models.DateTimeField(null=True, default=None)
    on_server = models.BigIntegerField(null=True, default=None)  # what the server said it holds
    counted_at = models.DateTimeField(null=True, default=None)
    stored = models.BigIntegerField(default=0)  # raw items of this scope, kept by the shelf's own transaction
    excluded = models.JSONField(default=dict)  # {named rule: count}
    reconciliation = models.JSONField(default=dict)  # the last full listing: {"at": …, "missing": n, "gone": n}

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "place", "epoch"], name="cursor_scope_once")]


class CursorRange(Row):
    """Ids low..high are settled: stored, or shown absent by a listing. Ranges of a scope never touch or overlap."""

    scope = models.ForeignKey(CursorScope, on_delete=models.CASCADE)
    low = models.BigIntegerField()
    high = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "low"], name="cursor_range_once")]


class CursorTrouble(Row):
    """An id that exists but could not be fetched. It closes as stored, gone, or excluded by a named rule."""

    scope = models.ForeignKey(CursorScope, on_delete=models.CASCADE)
    external_id = models.CharField(max_length=200)
    reason = models.CharField(max_length=300)
    attempts = models.PositiveIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, default=None)
    closed_as = models.CharField(max_length=40, default="", blank=True)  # stored | gone | excluded:<rule>

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "external_id"], name="cursor_trouble_once")]
