"""Answers to posts: the platform's rules before they leave, and their names, which only the platform can give."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from connectors.base import Refused
from connectors.messages import Address
from inbox import outbox, replies
from inbox.accounts import bare_connector
from inbox.exports import stream
from inbox.models import (
    Conversation,
    Draft,
    DuplicateLink,
    Envelope,
    Message,
    PostState,
    SlaEvent,
    StoredFile,
    Thread,
    ThreadReference,
)
from inbox.rules.gates import GateCode
from inbox.speaking import outline
from tests.builders import receive
from tests.inbox.ground import make_account, make_user
from tests.inbox.square import empty, installed, make_square
from tests.inbox.square_kind import NOW, OURS, Square, gone, person, post

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ANA = person("ana", "ana.a", "Ana", 1200)
_requests = count(1)


@pytest.fixture(autouse=True, scope="module")
def square(tmp_path_factory):
    with installed(tmp_path_factory.mktemp("square")):
        yield


@pytest.fixture(autouse=True)
def empty_square(index):
    empty()


@pytest.fixture
def account():
    return make_square()


@pytest.fixture
def asked(account):
    """A conversation with one public question."""
    receive(account, post(1, "Where is my parcel?", by=ANA))
    return Conversation.objects.get()


def answer(conversation, text="It is on its way.", user=None, **more):
    more = {"to": (), "now": NOW + MINUTE, "seen_message": Message.objects.order_by("-id")[0].id, **more}
    return replies.queue_reply(
        conversation_id=conversation.id,
        user=user or make_user(f"U{next(_requests)}"),
        request_id=f"r{next(_requests)}",
        text=text,
        **more,
    )


def begin(queued, now=NOW + 2 * MINUTE):
    """Up to the platform's answer, which nobody has written down yet."""
    claim = outbox.claim(queued.envelope_id, "test", now)
    account = Envelope.objects.get(id=queued.envelope_id).account
    try:
        return claim, bare_connector(account).send(claim.message, lambda: outbox.commit(claim, now))
    except Exception as error:
        return claim, error


def send(queued, now=NOW + 2 * MINUTE):
    return outbox.record(*begin(queued, now), now)


def echo(number=9000, text="It is on its way.", parent=1, root=1, **more):
    return post(number, text, by=OURS, to=[ANA], parent=parent, root=root, at=NOW + 3 * MINUTE, **more)


def sent_state(queued):
    return Envelope.objects.get(id=queued.envelope_id).state


def assert_shown_once(conversation):
    ours = Message.objects.filter(direction="outbound")
    folded = DuplicateLink.objects.filter(ended_at=None).values("message")
    assert ours.exclude(id__in=folded).count() == 1
    assert SlaEvent.objects.filter(kind="agent-answered", conversation=conversation).count() == 1
    assert Conversation.objects.count() == 1
    assert Conversation.objects.get().status == "waiting"


# --- Names ----------------------------------------------------------------------------------------------------------


def test_a_send_is_known_by_the_name_that_the_platform_gave_and_its_answer_joins(account, asked):
    assert send(answer(asked)) == "sent"
    ours = Message.objects.get(direction="outbound")
    assert ours.reference == "square:9000"
    assert ThreadReference.objects.filter(reference="square:9000", thread=ours.strand.thread).exists()
    receive(account, echo())
    assert_shown_once(asked)
    assert ours.deliveries.count() == 1
    assert Message.objects.get(direction="outbound").enclosed["post"]["url"] == "https://square.example/9000"
    receive(account, post(2, "Thank you!", by=ANA, parent=9000, root=1, at=NOW + HOUR))
    assert Conversation.objects.get().messages_count == 3


@pytest.mark.parametrize("text", ["It is on its way.", "@ana.a  It is on\nits way."])
def test_its_echo_before_its_answer_is_written_down_is_the_evidence(account, asked, text):
    queued = answer(asked)
    claim, receipt = begin(queued)
    assert sent_state(queued) == "committing"
    receive(account, echo(text=text))
    assert sent_state(queued) == "sent"
    assert_shown_once(asked)
    assert outbox.record(claim, receipt, NOW + 4 * MINUTE) == "sent"
    assert_shown_once(asked)
    assert Message.objects.get(direction="outbound").reference == "square:9000"


def test_a_crash_before_the_record_is_settled_by_the_echo(account, asked):
    queued = answer(asked)
    begin(queued)  # and then it dies
    Envelope.objects.update(due_at=NOW)
    outbox.sweep_abandoned(NOW + HOUR)
    assert sent_state(queued) == "unknown"
    receive(account, echo())
    assert sent_state(queued) == "sent"
    assert_shown_once(asked)
    assert len(Square.posted) == 1


def test_an_unknown_send_takes_its_name_from_what_was_found(asked):
    Square.trouble, Square.is_late = RuntimeError("cut off"), True
    queued = answer(asked)
    assert send(queued) == "unknown"
    message = outbox.message_to_find(queued.envelope_id)
    found = bare_connector(Envelope.objects.get().account).find_sent(message)
    assert outbox.settle(queued.envelope_id, found, "found there", NOW + HOUR) == "sent"
    assert Message.objects.get(direction="outbound").reference == "square:9000"


def test_an_echo_in_other_words_is_folded_as_soon_as_its_name_is_known(account, asked):
    queued = answer(asked)
    claim, receipt = begin(queued)
    receive(account, echo(text="It is on its way, they say"))
    assert Message.objects.filter(direction="outbound").count() == 2
    outbox.record(claim, receipt, NOW + 4 * MINUTE)
    assert DuplicateLink.objects.get(ended_at=None).original == Envelope.objects.get().message


def test_what_we_wrote_elsewhere_in_other_words_is_no_echo(account, asked):
    queued = answer(asked)
    begin(queued)
    receive(account, echo(5, text="Something else"))
    receive(account, echo(6, parent="", root=6))
    assert sent_state(queued) == "committing"
    assert Message.objects.filter(direction="outbound").count() == 3


def test_two_sends_of_the_same_words_take_one_echo_each(account, asked):
    first, second = answer(asked), answer(asked, confirmations=["sent-before", "stale"])
    started = [begin(second), begin(first)]  # posted in the other order: 9000 is the second
    receive(account, echo(9000), echo(9001))
    for claim, receipt in started:
        outbox.record(claim, receipt, NOW + 4 * MINUTE)
    ours = {one.envelopes.get().id: one for one in Message.objects.filter(direction="outbound")}
    assert {number: one.reference for number, one in ours.items()} == {
        second.envelope_id: "square:9000",
        first.envelope_id: "square:9001",
    }
    assert all(one.deliveries.count() == 1 for one in ours.values())


def test_an_answer_that_was_here_before_the_name_of_what_it_answers_shares_its_thread(account, asked):
    queued = answer(asked)
    claim, receipt = begin(queued)
    receive(account, post(2, "Thanks", by=ANA, parent=9000, root=77, at=NOW + HOUR))
    assert Thread.objects.filter(merged_into=None).count() == 2
    outbox.record(claim, receipt, NOW + HOUR)
    assert Thread.objects.filter(merged_into=None).count() == 1
    receive(account, echo())
    assert Conversation.objects.count() == 1
    assert Conversation.objects.get().messages_count == 3


# --- Failures -------------------------------------------------------------------------------------------------------


def test_f73_an_answer_to_what_was_deleted_fails_and_its_text_is_a_draft_again(asked):
    user = make_user()
    Square.trouble = Refused("The post that this answers is no longer there.")
    assert send(answer(asked, "My long answer", user=user)) == "failed"
    draft = Draft.objects.get(user=user)
    assert draft.body == "My long answer"
    assert Conversation.objects.get().status_reason == "send-failed"
    again = replies.give_up(Envelope.objects.get().id, user, NOW + HOUR)
    assert again.body == "My long answer"


def test_what_is_known_to_be_deleted_is_not_answered(account, asked):
    receive(account, gone(1))
    found = outline(asked.id, account, text="")
    assert (found.permission.allowed, found.permission.sentence) == (
        False,
        "Its author has deleted the post that this would answer.",
    )
    gates = answer(asked)
    assert [gate.code for gate in gates] == [GateCode.NOT_PERMITTED]


# --- Rules ----------------------------------------------------------------------------------------------------------


def codes(found):
    return [gate.code for gate in found]


def test_the_addressee_is_who_wrote_whatever_the_form_says(asked):
    queued = answer(asked, to=(Address("somebody@else.example"),))
    assert [one.address for one in Envelope.objects.get(id=queued.envelope_id).recipients.all()] == ["ana.a"]
    message = Message.objects.get(direction="outbound")
    assert message.recipients == [{"role": "to", "name": "Ana", "address": "ana.a", "external_id": "ana"}]
    assert (message.subject, message.in_reply_to, message.post.visibility) == ("", "square:1", "public")


@pytest.mark.parametrize(
    ("text", "more", "code"),
    [
        ("x" * 101, {}, GateCode.TOO_LONG),
        ("NO", {}, GateCode.OBJECTION),
        ("Your order TB-20418 is here", {}, GateCode.PUBLIC_PERSONAL_DATA),
    ],
)
def test_what_the_platform_or_good_sense_would_refuse_is_said_first(asked, text, more, code):
    assert codes(answer(asked, text, **more)) == [code]


def test_personal_numbers_may_go_direct_or_be_confirmed(asked):
    text = "Your order TB-20418 is here"
    assert isinstance(answer(asked, text, visibility="direct"), replies.Queued)
    assert isinstance(
        answer(asked, text, confirmations=["public-personal-data", "sent-before", "stale"]), replies.Queued
    )


def test_a_private_message_gets_no_public_answer(account):
    receive(account, post(1, "In private", by=ANA, visibility="direct", standing="direct"))
    assert codes(answer(Conversation.objects.get(), visibility="public")) == [GateCode.TOO_PUBLIC]
    assert PostState.objects.filter(visibility="public").count() == 0


def test_the_outline_knows_length_price_readers_and_the_warning_to_answer_alike(account):
    receive(account, post(1, "Ouch", by=ANA, visibility="unlisted", warning="blood"))
    found = outline(Conversation.objects.get().id, account, text="Oh dear")
    assert (found.measure.left, found.price.micros, found.warning) == (93, 1000, "blood")
    assert [str(one) for one in found.visibilities] == ["unlisted", "followers", "direct"]
    assert found.is_public
    queued = answer(Conversation.objects.get(), "Oh dear")
    kept = Envelope.objects.get(id=queued.envelope_id).body.written["fields"]
    assert (kept["visibility"], kept["warning"]) == ("unlisted", "blood")


def test_private_words_in_a_public_answer_are_noticed(account, asked):
    receive(account, post(2, "My neighbour at number nine took it by mistake", by=ANA, visibility="direct", root=2))
    found = outline(asked.id, account, text="So your neighbour at number nine took it by mistake?")
    assert [str(one.what) for one in found.exposed] == ["private-words"]


def test_where_customers_write_to_us_is_no_secret_of_theirs(account, asked):
    make_account("help")
    text = "Write to help@shop.example, not to ana@home.example"
    found = outline(asked.id, account, text=text)
    assert [one.text for one in found.exposed] == ["ana@home.example"]


def test_the_export_says_who_could_read_it(asked):
    assert [row["visibility"] for row in stream("messages", None)] == ["public"]
    assert not StoredFile.objects.exists()
