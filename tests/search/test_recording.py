"""What the transaction that changes something tells the index."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction

from inbox.changes import MessageFacts
from inbox.ids import new_ids
from inbox.models import Conversation, IndexChange, Message
from search.backend import get_backend, get_sink
from search.document import first_rowid
from search.elastic import ElasticSink
from search.models import IndexGeneration
from search.noting import GONE
from search.rows import load_facts, place
from tests.search.records import NOW, deliver, make_account, make_conversation, make_message

pytestmark = pytest.mark.django_db


def facts_of(*messages: Message) -> list[MessageFacts]:
    return load_facts([message.id for message in messages])


def find(query: str) -> list[int]:
    return [hit.message for hit in get_backend().search(query, accounts=None).hits]


def changes() -> dict[tuple[str, str, int], int]:
    rows = IndexChange.objects.values_list("target", "kind", "document_id", "version")
    return {(target, kind, id): version for target, kind, id, version in rows}


def test_a_message_is_found_as_soon_as_its_transaction_is_and_not_when_it_fails() -> None:
    _, strand = make_conversation()
    message = make_message(strand, text="kettle")
    with pytest.raises(RuntimeError), transaction.atomic():
        get_sink().record(facts_of(message), [])
        assert find("kettle") == [message.id]
        raise RuntimeError
    assert find("kettle") == []
    with transaction.atomic():
        get_sink().record(facts_of(message), [])
    assert find("kettle") == [message.id]


def test_recording_again_replaces_and_adds_nothing() -> None:
    box = make_account()
    conversation, strand = make_conversation(box)
    message = make_message(strand, box, text="kettle")
    for _ in range(2):
        get_sink().record(facts_of(message), [conversation.id])
    assert find("kettle") == [message.id]
    assert get_backend().drift().total == 0


def test_what_is_told_and_what_is_read_from_rows_give_the_same_document() -> None:
    box, other = make_account(), make_account()
    _, strand = make_conversation(box)
    message = make_message(strand, box, text="Text", subject="Subject", recipients=[("Ann", "ann@x.org")])
    deliver(message, other)
    (facts,) = facts_of(message)
    assert facts.people == ("Budi Santoso", "budi@example.com", "Ann", "ann@x.org")
    assert facts.author == ("Budi Santoso", "budi@example.com")
    assert facts.accounts == tuple(sorted([box.id, other.id]))


def test_places_follow_time_and_are_never_shared() -> None:
    _, strand = make_conversation()
    messages = [make_message(strand, minutes=minutes) for minutes in (5, 0, 0, 0, -60 * 24 * 365 * 80)]
    with connection.cursor() as cursor:
        places, new = place(cursor, [(each.id, each.written_at) for each in messages])
        again, none = place(cursor, [(each.id, each.written_at) for each in messages])
    assert new == {each.id for each in messages}
    assert (again, none) == (places, set())
    assert len(set(places.values())) == len(messages)
    times = {each.id: each.written_at for each in messages}
    assert [times[id] for id in sorted(places, key=places.__getitem__)] == sorted(times.values())
    assert min(places.values()) < 1 << 20  # before 1970 is held to the edge


def test_two_messages_that_want_one_place_get_two() -> None:
    _, strand = make_conversation()
    first = make_message(strand, text="twin")
    twin = make_message(strand, text="twin")
    wish = first_rowid(twin.id, twin.written_at)
    Message.objects.filter(id=first.id).update(search_rowid=wish)
    get_sink().record(facts_of(first, twin), [])
    assert set(find("twin")) == {first.id, twin.id}
    twin.refresh_from_db()
    assert twin.search_rowid == wish + 1


def test_two_messages_of_one_batch_that_want_one_place_get_two() -> None:
    _, strand = make_conversation()
    first = make_message(strand, text="twin")
    twin = make_message(strand, text="twin")
    far = first.id + (1 << 20)  # the same low bits
    Message.objects.filter(id=twin.id).update(id=far)
    get_sink().record(load_facts([first.id, far]), [])
    assert set(find("twin")) == {first.id, far}
    assert set(Message.objects.values_list("search_rowid", flat=True)) == {
        first_rowid(far, NOW),
        first_rowid(far, NOW) + 1,
    }


def test_a_message_without_a_row_is_passed_over() -> None:
    _, strand = make_conversation()
    message = make_message(strand, text="kettle")
    facts = facts_of(message)
    message.delete()
    get_sink().record(facts, [])
    ElasticSink().record(facts, [])
    assert find("kettle") == []
    assert changes() == {}


def test_f64_a_change_is_noted_with_a_version_that_grows_with_the_row() -> None:
    conversation, strand = make_conversation()
    message = make_message(strand, text="kettle")
    sink = ElasticSink()
    sink.record(facts_of(message), [conversation.id])
    noted = {("g1", "message", message.id): 1, ("g1", "conversation", conversation.id): 1}
    assert changes() == noted
    IndexChange.objects.all().delete()  # indexed
    Conversation.objects.filter(id=conversation.id).update(version=7)
    sink.record(facts_of(message), [conversation.id])
    sink.record(facts_of(message), [])
    assert changes() == {("g1", "message", message.id): 3, ("g1", "conversation", conversation.id): 7}


def test_f67_a_change_goes_to_every_generation_that_is_building_or_live() -> None:
    _, strand = make_conversation()
    message = make_message(strand, text="kettle")
    for name, state in (("g1", "retired"), ("g2", "live"), ("g3", "building")):
        IndexGeneration.objects.create(name=name, state=state, created_at=NOW)
    ElasticSink().record(facts_of(message), [])
    assert {target for target, _, _ in changes()} == {"g2", "g3"}


def test_f65_a_conversation_without_a_row_is_noted_as_gone_for_good() -> None:
    (id,) = new_ids(1)
    ElasticSink().record([], [id])
    assert changes() == {("g1", "conversation", id): GONE}


def test_a_noted_change_keeps_the_time_since_when_it_waits_and_forgets_its_failures() -> None:
    conversation, _ = make_conversation()
    ElasticSink().record([], [conversation.id])
    earlier = NOW - timedelta(hours=1)
    IndexChange.objects.update(changed_at=earlier, attempts=5, error="refused")
    Conversation.objects.filter(id=conversation.id).update(version=2)
    ElasticSink().record([], [conversation.id])
    row = IndexChange.objects.get()
    assert (row.changed_at, row.attempts, row.error, row.version) == (earlier, 0, "", 2)


def test_a_message_that_came_without_being_told_is_indexed_by_the_next_drain() -> None:
    _, strand = make_conversation()
    messages = [make_message(strand, text="kettle", minutes=n) for n in range(3)]
    assert get_backend().status(NOW).pending == 3
    assert get_backend().drain(2).is_done is False
    assert get_backend().drain(2).is_done
    assert find("kettle") == [message.id for message in reversed(messages)]
    assert get_backend().status(NOW).pending == 0
