"""What somebody is writing, kept as rows; and the files they attach. Signatures first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from inbox.models import Draft, DraftAttachment, StoredFile, User


class TooLarge(Exception):
    """str() is a sentence for the person."""


def find_draft(conversation_id: int, user: User, *, is_note: bool = False) -> Draft | None: ...
def save_draft(
    conversation_id: int,
    user: User,
    now: datetime,
    *,
    body: str,
    fields: Mapping[str, Any] | None = None,
    seen_message: int = 0,
    template_version_id: int | None = None,
    is_note: bool = False,
) -> Draft: ...
def discard(conversation_id: int, user: User, *, is_note: bool = False) -> None: ...
def attach(
    conversation_id: int, user: User, now: datetime, *, name: str, content_type: str, content: bytes
) -> DraftAttachment: ...
def detach(attachment_id: int, user: User) -> None: ...
def is_stale(draft: Draft) -> bool: ...
def store_file(content: bytes, now: datetime) -> StoredFile: ...
def read_file(file: StoredFile) -> bytes: ...
