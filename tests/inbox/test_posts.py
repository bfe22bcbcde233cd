"""Posts in the inbox: one thread and many customers, edits, deletions, boosts, handles, in whatever order they come."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from inbox import blocking, timeline
from inbox.conversations import undo
from inbox.models import Conversation, Customer, Draft, Identity, Message, PostEdition, PostState, RawBody, SlaEvent
from search.backend import get_backend
from tests.builders import digest_all, put, receive
from tests.inbox.ground import make_user
from tests.inbox.inbox_picture import assert_sums_hold, take_picture
from tests.inbox.square import installed, make_square
from tests.inbox.square_kind import NOW, OURS, carried, gone, person, post

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ANA, BOB, CLEO = person("ana", "ana.a", "Ana", 1200), person("bob", followers=5), person("cleo")


@pytest.fixture(autouse=True, scope="module")
def square(tmp_path_factory):
    with installed(tmp_path_factory.mktemp("square")):
        yield


def only(model, **values):
    return model.objects.get(**values)


def conversations():
    return {one.customer.name: one for one in Conversation.objects.select_related("customer")}


def texts_of(conversation):
    rows = Message.objects.filter(strand__links__conversation=conversation, strand__links__ended_at=None)
    return list(rows.order_by("written_at", "id").values_list("text", flat=True))


def test_a_public_thread_is_one_thread_and_a_conversation_for_each_customer(index):
    account = make_square()
    receive(
        account,
        post(1, "Sale!", by=OURS, to=()),
        post(2, "Mine is late", by=ANA, parent=1, root=1, standing="reply", at=NOW + MINUTE),
        post(3, "Mine, too", by=BOB, parent=2, root=1, at=NOW + 2 * MINUTE),
        post(4, "Still late", by=ANA, parent=99, root=1, at=NOW + 3 * MINUTE),  # 99 has never come
    )
    assert texts_of(conversations()["Ana"]) == ["Mine is late", "Still late"]
    assert texts_of(conversations()["Bob"]) == ["Mine, too"]
    assert Message.objects.values("strand__thread").distinct().count() == 1
    ours = only(Message, text="Sale!").strand.links.get().conversation
    assert (ours.status, ours.status_reason, ours.due_at) == ("resolved", "context", None)


def test_a_reply_is_read_with_the_posts_that_it_answers(index, client):
    account, user = make_square(), make_user()
    receive(
        account,
        post(1, "Sale <b>today</b>!", by=OURS, to=()),
        post(2, "For everybody?", by=BOB, parent=1, root=1, at=NOW + MINUTE),
        post(3, "Psst", by=BOB, parent=1, root=1, visibility="direct", standing="direct", at=NOW + 2 * MINUTE),
        post(4, "I wonder, too", by=ANA, parent=2, root=1, quoted={"id": "3", "text": ""}, at=NOW + 3 * MINUTE),
    )
    conversation = conversations()["Ana"]
    found = timeline.load(conversation.id, None, user)
    said = [(one["entry"], one["text"]) for one in found.entries]
    assert said == [
        ("context", "Sale <b>today</b>!"),
        ("context", "For everybody?"),
        ("message", "I wonder, too"),
    ]
    assert [one["text"] for one in timeline.load(conversations()["Bob"].id, None, user).entries] == [
        "Sale <b>today</b>!",
        "For everybody?",
        "Psst",
    ]
    client.force_login(user)
    page = client.get(reverse("conversation", args=[conversations()["Bob"].id])).content.decode()
    assert "Our post" in page
    assert "Sale &lt;b&gt;today&lt;/b&gt;!" in page


def test_what_others_say_to_each_other_asks_nothing_of_us(index):
    receive(make_square(), post(2, "I agree", by=ANA, parent=1, root=1, standing="context"))
    conversation = only(Conversation)
    assert (conversation.status, conversation.is_unseen, conversation.due_at) == ("resolved", False, None)
    assert not SlaEvent.objects.exists()


def test_private_and_public_are_told_apart_and_reach_counts_only_where_everybody_reads(index):
    receive(
        make_square(),
        post(1, "Hello", by=ANA),
        post(2, "In private", by=BOB, visibility="direct", standing="direct"),
    )
    found = conversations()
    assert (found["Ana"].visibility, found["Ana"].reach) == ("public", 1200)
    assert (found["Bob"].visibility, found["Bob"].reach) == ("direct", 0)
    assert only(Identity, key="person:ana").reach == 1200
    assert only(Message, text="Hello").enclosed["post"]["url"] == "https://square.example/1"


def test_a_new_handle_is_the_same_customer_and_a_recycled_one_is_another(index):
    account = make_square()
    receive(account, post(1, "One", by=ANA))
    renamed = person("ana", "ana.new", "Ana Pop")
    receive(account, post(2, "Two", by=renamed, at=NOW + HOUR))
    receive(account, post(3, "Three", by=person("eve", "ana.a", "Eve"), at=NOW + 2 * HOUR))
    receive(account, post(4, "Before", by=ANA, at=NOW - HOUR))  # came late: an older handle
    identity = only(Identity, key="person:ana")
    assert (identity.address, identity.display, identity.external_id) == ("ana.new", "Ana Pop", "ana")
    assert {one.name for one in Customer.objects.all()} == {"Ana Pop", "Eve"}
    assert Conversation.objects.filter(customer__name="Ana Pop").count() == 3


def test_our_own_post_written_elsewhere_stops_the_clock(index):
    account = make_square()
    receive(account, post(1, "Where is it?", by=ANA))
    assert only(Conversation).due_at is not None
    receive(account, post(2, "On its way", by=OURS, to=[ANA], parent=1, root=1, at=NOW + MINUTE))
    conversation = only(Conversation)
    assert (conversation.status, conversation.due_for) == ("waiting", "")
    assert texts_of(conversation) == ["Where is it?", "On its way"]


def test_the_first_answer_of_a_social_account_is_promised_within_an_hour(index):
    receive(make_square(), post(1, "Hello", by=ANA))
    assert only(Conversation).due_at == NOW + HOUR


def test_posts_of_a_blocked_person_arrive_as_spam_until_it_is_undone(index):
    account, user = make_square(), make_user()
    receive(account, post(1, "Buy now", by=BOB))
    first = only(Conversation)
    act = blocking.block(first.id, user, NOW)
    first.refresh_from_db()
    assert (first.status, first.status_reason, first.due_at) == ("spam", "blocked", None)
    receive(account, post(2, "Buy again", by=BOB, at=NOW + HOUR), post(3, "Hello", by=ANA))
    found = Conversation.objects.get(preview="Buy again")
    assert (found.status, found.status_reason, found.is_unseen, found.due_at) == ("spam", "blocked", False, None)
    assert conversations()["Ana"].status == "open"
    undo(act.undo, user, NOW + MINUTE)
    receive(account, post(4, "Sorry", by=BOB, at=NOW + 2 * HOUR))
    assert Conversation.objects.get(preview="Sorry").status == "open"
    first.refresh_from_db()
    assert first.status == "open"


# --- Edits ----------------------------------------------------------------------------------------------------------


def edit(text, revision, **more):
    return post(1, text, by=ANA, revision=revision, **more)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("at_once", [True, False])
def test_f73_the_newest_words_are_shown_and_the_older_ones_are_kept(index, order, at_once):
    account = make_square()
    items = [
        edit("Frist", ""),
        edit("First", (NOW + 9 * MINUTE).isoformat()),
        edit("The first", (NOW + 10 * MINUTE).isoformat()),
    ]
    for batch in [[items[n] for n in order]] if at_once else [[items[n]] for n in order]:
        receive(account, *batch)
    message = only(Message)
    assert message.text == "The first"
    assert message.flags == []
    assert message.post.edited_at == NOW + 10 * MINUTE
    assert set(PostEdition.objects.values_list("text", flat=True)) == {"Frist", "First"}
    conversation = only(Conversation)
    assert (conversation.preview, conversation.messages_count) == ("The first", 1)
    assert SlaEvent.objects.count() == 1
    assert conversation.due_at == NOW + HOUR
    assert [one.text for one in index.messages][-1] == "The first"


def test_an_edit_makes_no_work(index):
    account = make_square()
    receive(account, edit("Thanks", ""))
    Conversation.objects.update(is_unseen=False)
    before = only(Conversation).version
    receive(account, edit("Thanks!", "1"))
    after = only(Conversation)
    assert (after.is_unseen, after.version > before) == (False, True)


# --- Deletions ------------------------------------------------------------------------------------------------------


def holds_nothing(*words):
    for model in (Message, PostEdition, Draft, Identity, Conversation):
        for row in model.objects.values():
            assert not any(word in str(row) for word in words), (model, row)
    for content in RawBody.objects.values_list("content", flat=True):
        assert not any(word.encode() in bytes(content or b"") for word in words)


@pytest.mark.parametrize("order", ["before", "after", "together"])
def test_f73_a_deletion_takes_the_words_and_leaves_the_times(index, order):
    account = make_square()
    written = post(1, "My secret is Xyzzy", by=person("ana", "ana.a", "Ana", 3, bio="Plugh"))
    batches = {"before": [[gone(1)], [written]], "after": [[written], [gone(1)]], "together": [[written, gone(1)]]}
    for batch in batches[order]:
        receive(account, *batch)
    message, conversation = only(Message), only(Conversation)
    holds_nothing("Xyzzy")
    assert "Plugh" not in str(message.enclosed)
    assert message.post.deleted_at == NOW
    assert (message.text, message.written_at, message.author_address) == ("", NOW, "ana.a")
    assert SlaEvent.objects.filter(kind="customer-wrote", message=message).count() == 1
    assert conversation.preview == "Deleted by its author"
    assert [one.text for one in index.messages][-1] == ""


def test_a_quoted_post_that_came_without_its_words_is_shown_with_those_that_are_here(index):
    account, user = make_square(), make_user()
    receive(
        account,
        post(1, "Sale today!", by=OURS, to=()),
        post(2, "Between us", by=BOB, visibility="direct", standing="direct", at=NOW + MINUTE),
        post(3, "Look at that", by=ANA, quoted={"id": "1", "text": ""}, at=NOW + 2 * MINUTE),
        post(4, "And at this", by=CLEO, quoted={"id": "2", "text": ""}, at=NOW + 3 * MINUTE),
    )
    assert quoted_words(conversations()["Ana"], user) == ["Sale today!"]
    assert quoted_words(conversations()["Cleo"], user) == [""]  # was not for everybody
    receive(account, gone(1))
    assert quoted_words(conversations()["Ana"], user) == [""]


def quoted_words(conversation, user):
    entries = timeline.load(conversation.id, None, user).entries
    return [one["enclosed"]["post"]["quoted"].get("text", "") for one in entries if one["entry"] == "message"]


def test_f73_what_was_deleted_comes_back_by_no_way(index):
    account, other = make_square(), make_square("second", "second")
    receive(account, post(1, "Xyzzy", by=ANA), edit("Xyzzy again", "1"), gone(1))
    receive(account, post(1, "Xyzzy", by=ANA))  # fetched again
    receive(other, post(1, "Xyzzy", by=ANA))  # and by another account
    receive(account, edit("Xyzzy at last", "2"))
    holds_nothing("Xyzzy")
    assert Message.objects.count() == 1


def test_a_deletion_is_taken_out_of_drafts_and_of_posts_that_quote_it(index):
    account = make_square()
    receive(account, post(1, "The Xyzzy is broken", by=ANA))
    conversation = only(Conversation)
    Draft.objects.create(
        conversation=conversation, user=make_user(), body="> The Xyzzy is broken\n\nSorry!", updated_at=NOW
    )
    quoted = {"id": "1", "text": "The Xyzzy is broken"}
    receive(account, post(2, "Look", by=BOB, root=1, quoted=quoted, at=NOW + MINUTE))
    receive(account, gone(1))
    holds_nothing("Xyzzy")
    assert only(Draft).body == "[…]\n\nSorry!"


# --- Reach ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_early", [True, False])
def test_boosts_add_reach_and_no_work(index, is_early):
    account = make_square()
    boosts = [carried(1, "bob"), carried(1, "cleo", 5000), carried(1, "bob"), carried(1, "dan", 7, "like")]
    if is_early:
        receive(account, *boosts)
        assert not Message.objects.exists()
    receive(account, post(1, "Broken!", by=ANA))
    Conversation.objects.update(is_unseen=False)
    before = only(Conversation)
    if not is_early:
        receive(account, *boosts)
    receive(account, carried(1, "bob", at=NOW + HOUR))
    after = only(Conversation)
    assert only(Message).reach == after.reach == 1200 + 100 + 5000
    assert (after.is_unseen, after.status, after.due_at) == (False, "open", before.due_at)
    assert SlaEvent.objects.count() == 1


# --- Order ----------------------------------------------------------------------------------------------------------


def make_talk(seed):
    """A few public threads and private talks, with answers to what never came, edits, deletions and boosts."""
    chance = random.Random(seed)
    people = [person(one, f"{one}.old", one.title(), chance.randint(0, 99)) for one in ("ana", "bob", "cleo")]
    items, roots = [], []
    for number in range(1, chance.randint(5, 14)):
        at = NOW - timedelta(days=12) + number * timedelta(hours=chance.choice([1, 20, 30]))
        is_ours = chance.random() < 0.3
        by = dict(OURS) if is_ours else dict(chance.choice(people))
        if not is_ours and number > 6:
            by["handle"] = by["handle"].replace("old", "new")
        root, parent = number, ""
        if roots and chance.random() < 0.75:
            root, parent = chance.choice(roots)
        standing = chance.choice(["mention", "reply", "context"]) if not is_ours else "own"
        to = [] if is_ours and chance.random() < 0.3 else [chance.choice(people)] if is_ours else [OURS]
        visibility = chance.choice(["public", "public", "direct"])
        text = f"Post {number} of {seed}"
        more = {"by": by, "to": to, "parent": parent, "root": root, "at": at, "standing": standing}
        if chance.random() < 0.9:
            items.append(post(number, text, visibility=visibility, **more))
        if chance.random() < 0.25:
            items.append(post(number, text + " edited", visibility=visibility, revision=str(number), **more))
        if chance.random() < 0.15:
            items.append(gone(number, at + HOUR))
        if chance.random() < 0.3:
            items.append(carried(number, chance.choice("xyz"), chance.randint(1, 500)))
        roots.append((root, number))
        if chance.random() < 0.1 and len(roots) > 2:  # one that shows two threads to be one
            items.append(
                post(f"j{number}", f"Join {number}", by=people[0], parent=roots[0][1], root=root, at=at + HOUR)
            )
    return items


class Undone(Exception):
    """Ends a transaction that shall leave nothing."""


def picture_of(batches):
    try:
        with transaction.atomic():
            account = make_square(cut_at=NOW - timedelta(days=10))
            for batch in batches:
                put(account, *batch)
                digest_all()
            assert_sums_hold()
            posts = PostState.objects.order_by("message__reference").values_list(
                "message__reference", "message__text", "message__reach", "visibility", "revision", "edited_at",
                "deleted_at",
            )  # fmt: skip
            editions = PostEdition.objects.order_by("message__reference", "revision")
            cards = (
                Identity.objects.exclude(key__startswith="?")
                .order_by("key")
                .values_list("key", "address", "display", "reach", "profile")
            )
            picture = (
                take_picture(),
                list(posts),
                list(editions.values_list("message__reference", "revision", "text")),
                list(cards),
                sorted(Conversation.objects.values_list("preview", "visibility", "reach")),
            )
            raise Undone
    except Undone:
        return picture


@pytest.mark.parametrize("seed", range(200 if os.environ.get("BALAS_SOAK") else 6))
def test_any_order_of_arrival_gives_the_same_inbox_of_posts(seed, index):
    items = make_talk(seed)
    in_order = picture_of([[item] for item in items])
    assert picture_of([items]) == in_order
    assert picture_of([[item] for item in reversed(items)]) == in_order
    chance = random.Random(seed)
    for _ in range(2):
        chance.shuffle(items)
        batches = [[] for _ in range(chance.randint(1, len(items)))]
        for item in items:
            chance.choice(batches).append(item)
        assert picture_of(batches) == in_order


# --- Search ---------------------------------------------------------------------------------------------------------


def test_posts_are_found_by_words_handles_and_hashtags_and_only_in_their_newest_form():
    account = make_square()
    receive(account, edit("My #Winterschuh is brokn", ""))
    receive(account, edit("My #Winterschuh is broken", "1"))

    def hits(query):
        return len(get_backend().search(query, accounts=None, limit=5).hits)

    assert [hits(one) for one in ("broken", "#winterschuh", "ana.a", "from:@ana.a", "brokn")] == [1, 1, 1, 1, 0]
    receive(account, gone(1))
    assert (hits("winterschuh"), hits("ana.a")) == (0, 1)
