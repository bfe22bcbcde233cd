"""What a post has besides a message: it can be edited, deleted, hidden and carried further."""

from __future__ import annotations

from django.db import models

from inbox.models.accounts import Account
from inbox.models.base import Row
from inbox.models.messages import Message


class PostState(models.Model):
    """Beside a message that is a post (connectors.social.Post): who may read it, and all that changes about it."""

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.CASCADE, related_name="post")
    account = models.ForeignKey(Account, on_delete=models.PROTECT)  # which looks at it again
    author_external_id = models.CharField(max_length=200, default="", blank=True)
    visibility = models.CharField(max_length=12)  # connectors.social.Visibility
    standing = models.CharField(max_length=12)  # connectors.social.Standing
    followers = models.BigIntegerField(default=0)  # of its author, when it was written
    revision = models.CharField(max_length=80, default="", blank=True)  # of the words that are shown
    edited_at = models.DateTimeField(null=True, default=None)
    deleted_at = models.DateTimeField(null=True, default=None)  # its content is gone here, too
    hidden_why = models.CharField(max_length=16, default="", blank=True)  # rules.states.HiddenWhy: folded, with that
    recheck_at = models.DateTimeField(null=True, default=None)  # null: it is not looked at again

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "recheck_at"],
                name="post_recheck_due",
                condition=models.Q(recheck_at__isnull=False),
            )
        ]


class PostEdition(Row):
    """What a post said before it was edited."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="editions")
    revision = models.CharField(max_length=80, default="", blank=True)
    text = models.TextField(default="", blank=True)
    enclosed = models.JSONField(null=True, default=None)
    seen_at = models.DateTimeField()  # when the platform had it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "revision"], name="post_edition_once")]


class Tombstone(Row):
    """A post that its author deleted. It holds whatever comes later, and before the post itself has come."""

    kind = models.CharField(max_length=32)
    reference = models.CharField(max_length=500)
    sentence = models.CharField(max_length=300, default="", blank=True)
    deleted_at = models.DateTimeField()  # as the platform told it, or when it was noticed

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "reference"], name="tombstone_once")]


class PostReach(Row):
    """Somebody carried a post further without a word of their own; also of a post that is not here yet."""

    kind = models.CharField(max_length=32)
    reference = models.CharField(max_length=500)
    actor_key = models.CharField(max_length=320)
    action = models.CharField(max_length=12)  # repost | like
    followers = models.BigIntegerField(default=0)
    at = models.DateTimeField(null=True, default=None)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "reference", "actor_key", "action"], name="post_reach_once")
        ]
