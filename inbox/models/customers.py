from __future__ import annotations

from django.db import models

from inbox.models.base import Link, Row


class Customer(Row):
    """A person or organisation: a set of identities, each linked with evidence."""

    name = models.CharField(max_length=200, default="", blank=True)
    language = models.CharField(max_length=16, default="", blank=True)
    zone = models.CharField(max_length=64, default="", blank=True)
    is_vip = models.BooleanField(default=False)
    attributes = models.JSONField(default=dict)
    note = models.TextField(default="", blank=True)
    created_at = models.DateTimeField()

    class Meta:
        # For every sender whom nobody vouches for: is somebody else known by this name?
        indexes = [models.Index(fields=["name"], name="customer_name")]


class Identity(Row):
    """One address of a person on one kind. `key` is the normalised form that is compared, binary."""

    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=320)
    address = models.CharField(max_length=320)  # as first written; the newest handle where a platform vouches
    external_id = models.CharField(max_length=200, default="", blank=True)
    display = models.CharField(max_length=200, default="", blank=True)
    is_own = models.BooleanField(default=False)  # one of our own addresses
    is_blocked = models.BooleanField(default=False)
    reach = models.BigIntegerField(null=True, default=None)  # followers
    verified = models.BooleanField(null=True, default=None)
    profile = models.JSONField(
        null=True, default=None
    )  # the newest known (connectors.social.Profile, only what it has)
    profile_at = models.DateTimeField(null=True, default=None)  # of the post that brought it
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="identity_once")]


class IdentityLink(Link):
    """Identity → customer. One open link per identity."""

    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="links")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="links")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["identity"], condition=models.Q(ended_at__isnull=True), name="identity_link_open_once"
            )
        ]


class PictureConsent(Row):
    """Images from elsewhere in mail of this sender are loaded unasked: somebody said so, anybody may forget it."""

    identity = models.OneToOneField(Identity, on_delete=models.CASCADE, related_name="picture_consent")
    actor = models.CharField(max_length=40)  # "user:<id>"
    at = models.DateTimeField()
