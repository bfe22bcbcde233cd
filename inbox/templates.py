"""Reply templates: frozen versions per language and channel. Signatures first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inbox.models import Conversation, ReplyTemplate, ReplyTemplateVersion, User
from inbox.people import Actor


@dataclass(frozen=True, slots=True)
class Inserted:
    version_id: int
    subject: str
    body: str  # missing values stand as {{ name }}
    missing: tuple[str, ...]


class TemplateProblem(Exception):
    """str() is a sentence for the author."""


def create(name: str, actor: Actor, now: datetime, *, shortcut: str = "") -> ReplyTemplate: ...
def write_version(
    template: ReplyTemplate,
    actor: Actor,
    now: datetime,
    *,
    language: str,
    body: str,
    channel: str = "",
    subject: str = "",
) -> ReplyTemplateVersion: ...
def rename(template: ReplyTemplate, actor: Actor, now: datetime, *, name: str, shortcut: str) -> None: ...
def archive(template: ReplyTemplate, actor: Actor, now: datetime) -> None: ...
def list_for(language: str, channel: str) -> list[ReplyTemplateVersion]: ...
def insert(template: ReplyTemplate, conversation: Conversation, user: User, now: datetime) -> Inserted: ...
def seed_demo_templates(now: datetime) -> None: ...
