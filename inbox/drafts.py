"""What somebody is writing, kept as rows from the first key on; and the files they attach.

A draft belongs to one person and one conversation, and survives everything that happens to the page, the network and
the send. Files up to 256 KiB lie in their row, larger ones in BALAS_HOME/files, named by their hash alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from inbox.bodies import sync_folder
from inbox.conversations import work_record
from inbox.ids import new_id
from inbox.models import Draft, DraftAttachment, Envelope, Message, ReplyTemplateVersion, StoredFile, User
from inbox.rules.states import SendState

MAX_CHARACTERS = 500_000
MAX_FILE_BYTES = 25 * 1024 * 1024
MAX_FILES = 50
MAX_ALT_CHARACTERS = 2_000
_IN_ROW_BYTES = 256 * 1024


class DraftProblem(Exception):
    """str() is one sentence for the person."""


def find_draft(conversation_id: int, user: User, *, is_note: bool = False) -> Draft | None:
    return Draft.objects.filter(conversation_id=conversation_id, user=user, is_note=is_note).first()


@transaction.atomic
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
) -> Draft:
    """Autosave: one row per person and conversation. `fields`: as Draft.fields says.

    Raises DraftProblem when the text is longer than MAX_CHARACTERS.
    """
    if len(body) > MAX_CHARACTERS:
        raise DraftProblem(_("This text is too long to keep. Attach it as a file."))
    values: dict[str, Any] = {"body": body, "seen_message": seen_message, "updated_at": now}
    if fields is not None:
        values["fields"] = dict(fields)
    if template_version_id and ReplyTemplateVersion.objects.filter(id=template_version_id).exists():
        values["template_version_id"] = template_version_id
    draft, is_new = Draft.objects.update_or_create(
        conversation_id=conversation_id, user=user, is_note=is_note, defaults=values
    )
    if is_new:
        work = work_record(conversation_id, user)
        work.first_key_at = work.first_key_at or now
        work.save()
    return draft


def discard(conversation_id: int, user: User, *, is_note: bool = False) -> None:
    """The stored files stay: another draft or a sent reply may hold the same ones."""
    Draft.objects.filter(conversation_id=conversation_id, user=user, is_note=is_note).delete()


def give_back(envelope: Envelope, user: User, now: datetime) -> Draft:
    """The text of a send as it was written, with its recipients and files; before a draft that was begun since.

    What has been given back already is not given a second time.
    """
    written: dict[str, Any] = envelope.body.written
    body = str(written.get("body", ""))
    begun = Draft.objects.filter(conversation_id=envelope.conversation_id, user=user, is_note=False).first()
    if begun is not None and begun.body.strip():
        if body.strip() not in begun.body:
            begun.body, begun.updated_at = f"{body}\n\n{begun.body}", now
            begun.save(update_fields=["body", "updated_at"])
        draft = begun
    else:
        draft = save_draft(
            envelope.conversation_id,
            user,
            now,
            body=body,
            fields=written.get("fields", {}),
            seen_message=newest_seen(envelope.conversation_id),
            template_version_id=int(written["template_version"]) if written.get("template_version") else None,
        )
    held = set(draft.attachments.values_list("file_id", flat=True))
    for name, content_type, sha256, *alt in written.get("files", []):
        file = StoredFile.objects.filter(sha256=sha256).first()
        if file is not None and sha256 not in held:
            DraftAttachment.objects.create(
                draft=draft, name=name, content_type=content_type, file=file, alt=alt[0] if alt else ""
            )
    return draft


def newest_seen(conversation_id: int, but_of: User | None = None) -> int:
    """The newest message that was said, no note: what a writer who looks now has seen; 0 for none.

    `but_of` leaves out what this person wrote: nobody is surprised by an answer of their own.
    """
    messages = Message.objects.filter(
        strand__links__conversation_id=conversation_id, strand__links__ended_at=None
    ).exclude(direction="note")
    if but_of is not None:
        messages = messages.exclude(author_user=but_of)
    taken_back = Envelope.objects.filter(message_id=OuterRef("id"), state=SendState.CANCELLED)
    newest = messages.exclude(Exists(taken_back)).order_by("-id")
    return newest.values_list("id", flat=True).first() or 0


def is_stale(draft: Draft) -> bool:
    """Whether something was said, by the customer or by one of us, after its writer looked."""
    return newest_seen(draft.conversation_id, draft.user) > draft.seen_message


# --- Files ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def attach(
    conversation_id: int, user: User, now: datetime, *, name: str, content_type: str, content: bytes
) -> DraftAttachment:
    """Adds a file to this person's draft, which is made when there is none. Raises DraftProblem."""
    draft, _is_new = Draft.objects.get_or_create(
        conversation_id=conversation_id, user=user, is_note=False, defaults={"updated_at": now}
    )
    sizes = list(DraftAttachment.objects.filter(draft=draft).values_list("file__size", flat=True))
    if len(sizes) >= MAX_FILES or sum(sizes) + len(content) > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1024 // 1024
        raise DraftProblem(
            _("These files are too large together: at most %(limit)s MB in one message.") % {"limit": limit}
        )
    return DraftAttachment.objects.create(
        draft=draft, name=_plain_name(name), content_type=content_type[:127], file=store_file(content, now)
    )


def detach(attachment_id: int, user: User) -> None:
    DraftAttachment.objects.filter(id=attachment_id, draft__user=user).delete()


def describe(attachment_id: int, user: User, alt: str) -> None:
    """What a picture of one's own draft shows, for those who cannot see it."""
    DraftAttachment.objects.filter(id=attachment_id, draft__user=user).update(alt=alt.strip()[:MAX_ALT_CHARACTERS])


def _plain_name(name: str) -> str:
    """The last part of a path, without controls and direction marks: shown and sent, never used as a path of ours."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(char for char in last if char.isprintable() and char not in "\u202a\u202b\u202c\u202d\u202e\u200b")
    return shown.strip()[:255] or "file"


def store_file(content: bytes, now: datetime) -> StoredFile:
    """By hash; the same bytes are stored once. A large file is durable before its row exists."""
    sha256 = hashlib.sha256(content).hexdigest()
    found = StoredFile.objects.filter(sha256=sha256).first()
    if found is not None:
        return found
    if len(content) > _IN_ROW_BYTES:
        _write_durably(_path(sha256), content)
    row = StoredFile(
        sha256=sha256, size=len(content), content=content if len(content) <= _IN_ROW_BYTES else None, created_at=now
    )
    StoredFile.objects.bulk_create([row], ignore_conflicts=True)
    return row


def read_file(file: StoredFile) -> bytes:
    """Raises OSError when a large file has gone from the folder."""
    return bytes(file.content) if file.content is not None else _path(file.sha256).read_bytes()


def _path(sha256: str) -> Path:
    folder: Path = settings.BALAS_HOME / "files"
    return folder / sha256[:2] / sha256


def _write_durably(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{new_id()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)
    sync_folder(path.parent.parent)
