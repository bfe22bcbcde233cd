from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from inbox.ids import new_id
from inbox.models.base import Row


class Organisation(models.Model):
    """One organisation per home: one row, id 1."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=200, default="", blank=True)
    zone = models.CharField(max_length=64, default="UTC")
    is_demo = models.BooleanField(default=False)
    reopen_days = models.PositiveSmallIntegerField(default=30)
    sending_stopped_at = models.DateTimeField(null=True, default=None)  # the global stop switch; also set by a restore
    sending_stopped_why = models.CharField(max_length=200, default="", blank=True)
    settings = models.JSONField(default=dict)
    schema_seen = models.CharField(max_length=40, default="", blank=True)


class Team(Row):
    name = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    id = models.BigIntegerField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)  # stored in lower case
    name = models.CharField(max_length=120, default="", blank=True)
    role = models.CharField(max_length=16, default="agent")  # rules.states.Role
    is_active = models.BooleanField(default=True)
    zone = models.CharField(max_length=64, default="", blank=True)
    language = models.CharField(max_length=16, default="", blank=True)
    preferences = models.JSONField(default=dict)
    session_epoch = models.PositiveIntegerField(default=0)  # +1 signs every session of this person out
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def get_session_auth_hash(self) -> str:
        return f"{self.session_epoch}-{super().get_session_auth_hash()}"

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)


class TeamMember(models.Model):
    pk = models.CompositePrimaryKey("team_id", "user_id")
    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)


class TeamAccount(models.Model):
    """Which team may read (and answer from) which account. An account without a row here is read by everyone."""

    pk = models.CompositePrimaryKey("team_id", "account_id")
    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    account = models.ForeignKey("inbox.Account", on_delete=models.CASCADE)


class SignInToken(Row):
    """A one-time sign-in link. Only the SHA-256 of the 256-bit random token is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, default=None)


class AuditRecord(Row):
    """Who changed what, when. Append-only."""

    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=40)  # "balas", "cli" or "user:<id>"
    act = models.CharField(max_length=60)
    subject = models.CharField(max_length=80)  # "conversation:<id>", "account:<id>", …
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["subject", "at"], name="audit_subject")]
