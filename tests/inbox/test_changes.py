"""Live events: numbered in the order of commit, few, and never numbered twice."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from inbox import changes
from inbox.changes import ConversationChange, Live, announce
from inbox.models import LiveEvent
from tests.builders import NOW
from tests.inbox.recording_sink import RecordingSink

pytestmark = pytest.mark.django_db


def told() -> list[tuple[int, str, int, list[int]]]:
    return list(LiveEvent.objects.order_by("number").values_list("number", "topic", "subject", "accounts"))


def test_a_conversation_is_told_once_however_often_it_is_named(index: RecordingSink) -> None:
    announce(now=NOW, conversations=[ConversationChange(7), ConversationChange(7, (3,)), ConversationChange(8)])
    assert told() == [(1, "conversation", 7, [3]), (2, "conversation", 8, [])]


def test_history_is_indexed_and_told_to_nobody(index: RecordingSink) -> None:
    announce(now=NOW, conversations=[ConversationChange(7, is_news=False)])
    assert told() == []
    assert index.conversations == [7]


def test_too_many_are_told_as_one_to_all_their_readers(index: RecordingSink) -> None:
    many = [ConversationChange(n, (n % 3 + 1,)) for n in range(changes.LIVE_EVENTS_AT_ONCE + 1)]
    announce(now=NOW, conversations=many)
    assert told() == [(1, "resync", 0, [1, 2, 3])]


def test_numbers_go_on_after_old_events_are_forgotten(index: RecordingSink) -> None:
    for day in range(3):
        announce(now=NOW + timedelta(days=day), events=[Live("counters")])
    assert changes.prune(NOW + timedelta(days=9)) == 2
    announce(now=NOW, events=[Live("account", 5)])
    assert [number for number, *_ in told()] == [3, 4]
    assert changes.newest_number() == 4


def test_f32_one_place_writes_what_comes_in() -> None:
    root = Path(__file__).resolve().parents[2]
    writers = [
        path.relative_to(root).as_posix()
        for folder in ("connectors", "inbox", "search", "workers", "web")
        for path in (root / folder).rglob("*.py")
        if '"inbox_message"' in path.read_text() or '"inbox_delivery"' in path.read_text()
    ]
    assert writers == ["inbox/ingest/writing.py"]
    callers = [path.name for path in (root / "inbox").rglob("*.py") if "write_messages(" in path.read_text()]
    assert sorted(callers) == ["batch.py", "writing.py"]
