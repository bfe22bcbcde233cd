from __future__ import annotations

from django.db import models

from inbox.models.base import Row


class Account(Row):
    """A connected mailbox or social account: settings in clear, credentials sealed."""

    kind = models.CharField(max_length=32)
    name = models.CharField(max_length=80, unique=True)
    address = models.CharField(max_length=320)
    display_name = models.CharField(max_length=120, default="", blank=True)  # the name customers see
    own_addresses = models.JSONField(default=list)  # normalised; aliases included
    settings = models.JSONField(default=dict)  # what the connector's docstring names
    sealed_secrets = models.BinaryField(default=b"")  # JSON object, inbox/sealing.py; AAD account|sealed_secrets|id
    team = models.ForeignKey("inbox.Team", null=True, default=None, on_delete=models.SET_NULL)  # home team of new work
    policy = models.ForeignKey("inbox.Policy", null=True, default=None, on_delete=models.SET_NULL)
    cut_at = models.DateTimeField()  # what was written before this arrives resolved
    undo_seconds = models.PositiveSmallIntegerField(default=10)

    state = models.CharField(max_length=16, default="ok")  # rules.states.AccountState
    sentence = models.CharField(max_length=500, default="", blank=True)  # what is wrong and what to do
    state_since = models.DateTimeField(null=True, default=None)
    failures = models.PositiveIntegerField(default=0)  # in a row
    next_poll_at = models.DateTimeField(null=True, default=None, db_index=True)  # null: not polled (paused, removed)
    last_success_at = models.DateTimeField(null=True, default=None)
    places = models.JSONField(default=dict)  # read at the last whole look: {name: {} or {"since": …, "sentence": …}}
    proof_due_at = models.DateTimeField(null=True, default=None)  # when the server's ids are listed in full again
    remaining = models.PositiveIntegerField(null=True, default=None)  # items still to fetch, for progress
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, default=None)


class Lease(models.Model):
    """A fenced lease: whoever writes under it names its epoch, and a stale epoch writes nothing."""

    name = models.CharField(primary_key=True, max_length=80)  # "poll:<account id>", "deliver:<account id>", …
    owner = models.CharField(max_length=80, default="", blank=True)
    epoch = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField()


class Doorbell(models.Model):
    """How the listener stands with an account's provider. Live only while the epoch is that of the lease `listen`."""

    account = models.OneToOneField("inbox.Account", primary_key=True, on_delete=models.CASCADE)
    state = models.CharField(max_length=16)  # rules.states.DoorbellState
    since = models.DateTimeField()
    is_whole = models.BooleanField(default=False)  # it hears every place that is read but Sent
    sentence = models.CharField(max_length=500, default="", blank=True)  # why it is not live
    epoch = models.BigIntegerField(default=0)
