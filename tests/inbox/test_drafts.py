from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from inbox import drafts
from inbox.drafts import DraftProblem
from inbox.models import Conversation, Draft, DraftAttachment, StoredFile, User, WorkRecord
from tests.inbox.ground import NOW, make_account, make_conversation, make_user, write
from tests.inbox.recording_sink import RecordingSink


@pytest.fixture
def conversation(index: RecordingSink, db: None) -> Conversation:
    return make_conversation(make_account())


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def test_a_draft_is_one_row_that_is_written_over(conversation: Conversation, ana: User) -> None:
    drafts.save_draft(conversation.id, ana, NOW, body="D", fields={"cc": []}, seen_message=1)
    drafts.save_draft(conversation.id, ana, NOW + timedelta(seconds=5), body="Dear Maria", seen_message=1)
    drafts.save_draft(conversation.id, ana, NOW, body="Call her", is_note=True)

    kept = drafts.find_draft(conversation.id, ana)
    assert kept is not None and (kept.body, kept.fields) == ("Dear Maria", {"cc": []})
    assert Draft.objects.count() == 2
    assert WorkRecord.objects.get().first_key_at == NOW
    drafts.discard(conversation.id, ana)
    assert drafts.find_draft(conversation.id, ana) is None
    assert drafts.find_draft(conversation.id, ana, is_note=True) is not None


def test_drafts_of_two_people_do_not_touch_each_other(conversation: Conversation, ana: User) -> None:
    ben = make_user("Ben")
    drafts.save_draft(conversation.id, ana, NOW, body="from Ana")
    drafts.save_draft(conversation.id, ben, NOW, body="from Ben")
    file = drafts.attach(conversation.id, ana, NOW, name="a", content_type="text/plain", content=b"a")

    drafts.detach(file.id, ben)
    drafts.discard(conversation.id, ben)

    assert DraftAttachment.objects.count() == 1
    assert drafts.find_draft(conversation.id, ana) is not None


def test_a_draft_is_stale_when_something_was_said_since(conversation: Conversation, ana: User) -> None:
    seen = drafts.newest_seen(conversation.id)
    draft = drafts.save_draft(conversation.id, ana, NOW, body="x", seen_message=seen)
    before = drafts.is_stale(draft)
    write(conversation, conversation.account, at=NOW)

    assert (before, drafts.is_stale(draft)) == (False, True)


@pytest.mark.parametrize("size", [0, 256 * 1024, 256 * 1024 + 1])
def test_files_are_kept_by_hash_in_the_row_or_beside_it(conversation: Conversation, ana: User, size: int) -> None:
    content = bytes(size)
    one = drafts.attach(conversation.id, ana, NOW, name="a.bin", content_type="application/x", content=content)
    two = drafts.attach(conversation.id, ana, NOW, name="b.bin", content_type="application/x", content=content)

    row = StoredFile.objects.get()
    assert one.file == two.file == row
    assert drafts.read_file(row) == content
    beside = settings.BALAS_HOME / "files" / row.sha256[:2] / row.sha256
    assert (row.content is None) == beside.exists() == (size > 256 * 1024)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\slip.pdf", "slip.pdf"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\nb\x00.txt", "ab.txt"),
        ("\u200b.htaccess", ".htaccess"),
        ("", "file"),
        ("größe.pdf", "größe.pdf"),
    ],
)
def test_f77_the_name_of_a_file_is_only_shown(conversation: Conversation, ana: User, name: str, kept: str) -> None:
    one = drafts.attach(conversation.id, ana, NOW, name=name, content_type="text/plain", content=b"x")

    assert one.name == kept


def test_too_much_is_refused_and_what_was_there_stays(conversation: Conversation, ana: User) -> None:
    drafts.save_draft(conversation.id, ana, NOW, body="kept")
    with pytest.raises(DraftProblem, match="25 MB"):
        drafts.attach(conversation.id, ana, NOW, name="a", content_type="x/y", content=bytes(drafts.MAX_FILE_BYTES + 1))
    with pytest.raises(DraftProblem, match="too long"):
        drafts.save_draft(conversation.id, ana, NOW, body="x" * (drafts.MAX_CHARACTERS + 1))

    kept = drafts.find_draft(conversation.id, ana)
    assert kept is not None and kept.body == "kept" and not StoredFile.objects.exists()
