from __future__ import annotations

from django.db import models

from inbox.models.accounts import Account
from inbox.models.base import Row
from inbox.models.conversations import Conversation
from inbox.models.messages import Message
from inbox.models.organisation import User
from inbox.models.templates import ReplyTemplateVersion


class StoredFile(models.Model):
    """A file somebody attached to a reply, by hash: in the row up to 256 KiB, else in BALAS_HOME/files."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    size = models.BigIntegerField()
    content = models.BinaryField(null=True)
    created_at = models.DateTimeField()


class Draft(Row):
    """What somebody is writing. It survives everything that happens to the page, the network and the send."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    is_note = models.BooleanField(default=False)
    body = models.TextField(default="", blank=True)
    fields = models.JSONField(default=dict)  # {"to", "cc", "subject", "with_quote", "account", "visibility", "warning"}
    template_version = models.ForeignKey(ReplyTemplateVersion, null=True, default=None, on_delete=models.SET_NULL)
    seen_message = models.BigIntegerField(default=0)  # newest message its writer had seen
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "user", "is_note"], name="draft_once")]


class DraftAttachment(Row):
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT)
    alt = models.TextField(default="", db_default="", blank=True)  # what a picture shows, for who cannot see it


class Envelope(Row):
    """One send: where it stands (rules.states.SendState). Its bytes and recipients have rows of their own."""

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="envelopes")
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT)
    request_id = models.CharField(max_length=80, unique=True)  # made by the page: a double click sends once
    idempotency_key = models.CharField(max_length=255)  # for mail the Message-ID without brackets
    part = models.PositiveSmallIntegerField(default=0)  # > 0: what is left of a partly refused one, with the same key
    content_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=12, default="queued")
    due_at = models.DateTimeField(null=True, default=None)  # when the jobs should look at it; null: nothing to do
    attempts = models.PositiveSmallIntegerField(default=0)
    claim_owner = models.CharField(max_length=80, default="", blank=True)
    claim_epoch = models.BigIntegerField(default=0)  # +1 with every claim; an outcome names the claim it belongs to
    claimed_until = models.DateTimeField(null=True, default=None)
    committing_at = models.DateTimeField(null=True, default=None)
    finished_at = models.DateTimeField(null=True, default=None)
    external_id = models.CharField(max_length=255, default="", blank=True)  # queue id of the server
    sentence = models.CharField(max_length=500, default="", blank=True)
    filing = models.CharField(max_length=12, default="", blank=True)  # copy into Sent: "" not wanted | wanted | filed
    evidence = models.JSONField(default=dict)  # what settled an unknown, and the looks that found nothing
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["idempotency_key", "account", "part"], name="envelope_key_once")]
        indexes = [
            models.Index(fields=["due_at"], name="envelope_due", condition=models.Q(due_at__isnull=False)),
            models.Index(fields=["state"], name="envelope_state"),
            models.Index(fields=["conversation"], name="envelope_conversation"),
        ]

    @property
    def content(self) -> bytes:
        """The frozen bytes, read when asked for."""
        return bytes(self.body.content)


class EnvelopeBody(models.Model):
    """What never changes of a send, apart from the row whose state does: a change of state does not rewrite it."""

    envelope = models.OneToOneField(Envelope, primary_key=True, on_delete=models.CASCADE, related_name="body")
    content = models.BinaryField()
    written = models.JSONField(default=dict)  # what undo gives back: the text before quoting, recipients, files


class EnvelopeRecipient(Row):
    envelope = models.ForeignKey(Envelope, on_delete=models.CASCADE, related_name="recipients")
    role = models.CharField(max_length=8)
    name = models.CharField(max_length=200, default="", blank=True)
    address = models.CharField(max_length=320)
    outcome = models.CharField(max_length=16, default="pending")  # connectors.messages.Outcome
    code = models.CharField(max_length=40, default="", blank=True)
    sentence = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["envelope", "address"], name="envelope_recipient_once")]


class AutomaticTurn(Row):
    """When a program of ours last wrote to an address: the ledger of the loop guard (rules/robots.py)."""

    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=320)
    last_at = models.DateTimeField(db_index=True)
    times = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="automatic_turn_once")]
