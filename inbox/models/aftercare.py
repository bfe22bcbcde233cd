from __future__ import annotations

from django.db import models

from inbox.models.accounts import Account
from inbox.models.shelf import RawItem


class Aftercare(models.Model):
    """A stored item that the owner wants marked as read or moved at the provider; the row goes when that is done."""

    item = models.OneToOneField(RawItem, primary_key=True, on_delete=models.CASCADE)
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    due_at = models.DateTimeField(db_index=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, default="", blank=True)  # why it is not done yet
