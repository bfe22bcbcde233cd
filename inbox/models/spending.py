from __future__ import annotations

from django.db import models

from inbox.models.base import Row


class EndpointWindow(models.Model):
    """How many calls a platform still allows until when, as it said last, less what was asked since."""

    pk = models.CompositePrimaryKey("account_id", "endpoint", "seconds")
    account = models.ForeignKey("inbox.Account", on_delete=models.CASCADE)
    endpoint = models.CharField(max_length=160)  # "GET /2/users/:id/mentions"
    seconds = models.PositiveIntegerField()  # the window's length; 0 when not known, and for refusals
    calls = models.BigIntegerField(default=0)  # the limit
    remaining = models.BigIntegerField(default=0)
    resets_at = models.DateTimeField(null=True, default=None)
    refused_until = models.DateTimeField(null=True, default=None)
    refusals = models.PositiveSmallIntegerField(default=0)  # in a row
    waited = models.PositiveIntegerField(default=0)  # seconds that the last refusal cost: the next one costs more


class Spend(models.Model):
    """What an account used in a UTC day, at the prices of then. What was reserved and never settled counts as spent."""

    pk = models.CompositePrimaryKey("account_id", "day", "resource")
    account = models.ForeignKey("inbox.Account", on_delete=models.CASCADE)
    day = models.DateField()
    resource = models.CharField(max_length=60)
    count = models.BigIntegerField(default=0)
    micros = models.BigIntegerField(default=0)  # millionths of a US dollar
    reserved = models.BigIntegerField(default=0)
    reserved_micros = models.BigIntegerField(default=0)
    reserved_at = models.DateTimeField(null=True, default=None)  # the last time


class PaidItem(models.Model):
    """What was paid for in a UTC day, where the platform charges for the same thing only once. Forgotten soon after."""

    pk = models.CompositePrimaryKey("account_id", "day", "resource", "item")
    account = models.ForeignKey("inbox.Account", on_delete=models.CASCADE)
    day = models.DateField()
    resource = models.CharField(max_length=60)
    item = models.CharField(max_length=200)


class Budget(models.Model):
    """What an account may cost. Its row is what reservations lock; without limits nothing is locked."""

    account = models.OneToOneField("inbox.Account", primary_key=True, on_delete=models.CASCADE)
    daily_micros = models.BigIntegerField(null=True, default=None)
    monthly_micros = models.BigIntegerField(null=True, default=None)
    soft_percent = models.PositiveSmallIntegerField(default=80)  # from here on somebody is told, once a day
    soft_told_on = models.DateField(null=True, default=None)
    stopped_until = models.DateTimeField(null=True, default=None)  # reading waits for this renewal
    changed_at = models.DateTimeField(null=True, default=None)


class OwnPrice(Row):
    """A price that somebody here knows better than the program. Never changed: a newer row replaces it."""

    kind = models.CharField(max_length=32)
    resource = models.CharField(max_length=60)
    micros = models.BigIntegerField()
    valid_from = models.DateField()  # UTC
    source = models.CharField(max_length=300, default="", blank=True)
    actor = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, default=None)

    class Meta:
        indexes = [models.Index(fields=["kind", "resource", "valid_from"], name="own_price")]


class PollPace(models.Model):
    """How busy a scope of an account is, as learnt, and when it is looked at again (inbox/rules/polling.py)."""

    pk = models.CompositePrimaryKey("account_id", "place")
    account = models.ForeignKey("inbox.Account", on_delete=models.CASCADE)
    place = models.CharField(max_length=60)
    learnt = models.JSONField(default=dict)  # rules.polling.Learnt
    polled_at = models.DateTimeField(null=True, default=None)
    due_at = models.DateTimeField(null=True, default=None)
