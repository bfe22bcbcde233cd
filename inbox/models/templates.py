from __future__ import annotations

from django.db import models

from inbox.models.base import Row


class ReplyTemplate(Row):
    name = models.CharField(max_length=80, unique=True)
    shortcut = models.CharField(max_length=40, default="", blank=True)  # what is typed after "/"
    archived_at = models.DateTimeField(null=True, default=None)
    created_at = models.DateTimeField(auto_now_add=True)


class ReplyTemplateVersion(Row):
    """Frozen once written: a sent reply names the version it came from."""

    template = models.ForeignKey(ReplyTemplate, on_delete=models.PROTECT, related_name="versions")
    language = models.CharField(max_length=16)
    channel = models.CharField(max_length=32, default="", blank=True)  # "" serves every channel
    number = models.PositiveIntegerField()
    subject = models.CharField(max_length=300, default="", blank=True)
    body = models.TextField()
    author = models.ForeignKey("inbox.User", null=True, default=None, on_delete=models.SET_NULL)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["template", "language", "channel", "number"], name="reply_template_version_once"
            )
        ]
