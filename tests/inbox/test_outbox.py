from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from connectors.base import AuthFailed, OutcomeUnknown, Refused, RetryLater, Unsupported
from connectors.messages import Address, DeliveryReport, Outcome, Receipt, RecipientOutcome
from inbox import counters, drafts, outbox, replies, sla
from inbox.models import (
    Account,
    Conversation,
    Envelope,
    EnvelopeRecipient,
    Identity,
    Message,
    SlaEvent,
    StrandParticipant,
    User,
)
from inbox.outbox import Claim, ClaimLost
from inbox.rules.states import SlaKind
from tests.inbox.ground import NOW, make_account, make_conversation, make_user, to, write
from tests.inbox.recording_sink import RecordingSink

LATER = NOW + timedelta(minutes=10)
SEND_AT = LATER + timedelta(seconds=10)


@pytest.fixture
def conversation(index: RecordingSink, db: None) -> Conversation:
    return make_conversation(make_account())


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def queue(conversation: Conversation, user: User, *cc: str, request_id: str = "page-1") -> Envelope:
    message = Message.objects.filter(direction="inbound").latest("id")
    for address in cc:
        person = Identity.objects.create(kind="email", key=address, address=address, created_at=NOW)
        StrandParticipant.objects.create(strand=message.strand, identity=person, since_message=message.id)
    queued = replies.queue_reply(
        conversation_id=conversation.id,
        user=user,
        request_id=request_id,
        text=f"It left us this morning ({request_id}).",
        to=to(),
        cc=[Address(address) for address in cc],
        now=LATER,
        seen_message=drafts.newest_seen(conversation.id),
        confirmations=["not-the-customer"],
    )
    assert isinstance(queued, replies.Queued)
    return Envelope.objects.get(id=queued.envelope_id)


def claim(envelope: Envelope, at: datetime = SEND_AT) -> Claim:
    claimed = outbox.claim(envelope.id, "worker:1", at)
    assert claimed is not None
    return claimed


def committed(envelope: Envelope, at: datetime = SEND_AT) -> Claim:
    claimed = claim(envelope, at)
    outbox.commit(claimed, at)
    return claimed


def all_sent(claimed: Claim) -> Receipt:
    return Receipt(tuple(RecipientOutcome(one, Outcome.SENT) for one in claimed.message.recipients), "Q1")


def fresh(envelope: Envelope) -> Envelope:
    return Envelope.objects.get(id=envelope.id)


def check_books(conversation: Conversation) -> Conversation:
    now = Conversation.objects.get(id=conversation.id)
    assert counters.kept() == counters.recount()
    assert sla.recompute(conversation.id) == sla.standing_of(now)
    return now


# --- The way of a send ----------------------------------------------------------------------------------------------


def test_a_reply_is_due_after_its_undo_time_and_is_sent_once(conversation: Conversation, ana: User) -> None:
    envelope = queue(conversation, ana)

    assert outbox.find_due(SEND_AT - timedelta(seconds=1)) == []
    assert outbox.claim(envelope.id, "worker:1", SEND_AT - timedelta(seconds=1)) is None
    assert [due.envelope_id for due in outbox.find_due(SEND_AT)] == [envelope.id]
    claimed = committed(envelope)
    assert outbox.find_due(SEND_AT) == []
    assert outbox.record(claimed, all_sent(claimed), SEND_AT + timedelta(seconds=1)) == "sent"

    sent = fresh(envelope)
    assert (sent.state, sent.external_id, sent.due_at, sent.finished_at) == ("sent", "Q1", None, SEND_AT)
    assert outbox.find_due(SEND_AT + timedelta(days=10)) == []
    assert outbox.claim(envelope.id, "worker:2", SEND_AT + timedelta(days=10)) is None
    assert claimed.message.content == bytes(sent.content)


def test_the_clock_stops_when_it_was_sent_not_when_it_was_queued(
    conversation: Conversation, ana: User, index: RecordingSink
) -> None:
    envelope = queue(conversation, ana)
    before = check_books(conversation)
    claimed = committed(envelope)
    index.clear()
    outbox.record(claimed, all_sent(claimed), SEND_AT)

    after = check_books(conversation)
    assert (before.due_at is None, after.due_at, after.status) == (False, None, "waiting")
    assert after.last_outbound_at == SEND_AT
    answered = SlaEvent.objects.select_related("message").get(kind=SlaKind.AGENT_ANSWERED)
    assert answered.occurred_at == SEND_AT
    assert answered.message is not None
    assert answered.actor == f"user:{answered.message.author_user_id}"
    assert index.conversations == [conversation.id] and index.writes == 1


def test_an_answer_sent_late_does_not_cover_what_the_customer_wrote_meanwhile(
    conversation: Conversation, ana: User
) -> None:
    envelope = queue(conversation, ana)
    write(conversation, conversation.account, at=LATER + timedelta(seconds=5))
    claimed = committed(envelope)
    outbox.record(claimed, all_sent(claimed), SEND_AT)

    after = check_books(conversation)
    assert after.due_at is not None and after.due_for == "next"


# --- Claims ---------------------------------------------------------------------------------------------------------


def test_a_claim_that_has_ended_is_taken_again_and_the_first_worker_may_not_commit(
    conversation: Conversation, ana: User
) -> None:
    envelope = queue(conversation, ana)
    slow = claim(envelope)
    end = SEND_AT + timedelta(minutes=30)
    assert outbox.find_due(end - timedelta(seconds=1)) == []
    assert [due.envelope_id for due in outbox.find_due(end)] == [envelope.id]
    fast = claim(envelope, end)

    with pytest.raises(ClaimLost):
        outbox.commit(slow, end)
    with pytest.raises(ClaimLost):
        outbox.record(slow, all_sent(slow), end)
    outbox.commit(fast, end)
    with pytest.raises(ClaimLost):
        outbox.commit(fast, end)
    assert fast.epoch == slow.epoch + 1


def test_a_worker_that_slept_past_its_claim_may_not_commit_even_if_nobody_took_it(
    conversation: Conversation, ana: User
) -> None:
    slow = claim(queue(conversation, ana))

    with pytest.raises(ClaimLost):
        outbox.commit(slow, SEND_AT + timedelta(minutes=30))


@pytest.mark.django_db(transaction=True)
def test_f61_of_eight_workers_that_claim_at_once_one_gets_it(index: RecordingSink) -> None:
    envelope = queue(make_conversation(make_account()), make_user())
    start, found = threading.Barrier(8), []

    def take(number: int) -> None:
        try:
            start.wait(30)
            found.append(outbox.claim(envelope.id, f"worker:{number}", SEND_AT))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(found) == 8 and len([one for one in found if one is not None]) == 1


@pytest.mark.django_db(transaction=True)
def test_the_point_of_no_return_is_durable_and_refuses_to_lie_in_an_open_transaction(index: RecordingSink) -> None:
    claimed = claim(queue(make_conversation(make_account()), make_user()))

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        outbox.commit(claimed, SEND_AT)
    assert Envelope.objects.get().state == "sending"


def test_claims_of_the_dead_end_at_once(conversation: Conversation, ana: User) -> None:
    before = queue(conversation, ana)
    claim(before)

    ended = outbox.expire_claims_of_the_dead(lambda owner: owner == "worker:1", SEND_AT)
    spared = outbox.expire_claims_of_the_dead(lambda owner: False, SEND_AT)

    assert (ended, spared) == (1, 0)
    assert [due.envelope_id for due in outbox.find_due(SEND_AT)] == [before.id]


# --- Errors before and after the point of no return -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "before", "after"),
    [
        (RetryLater("The server is away."), "retry", "retry"),
        (AuthFailed("The password was refused."), "retry", "unknown"),
        (Refused("It takes no mail of this kind."), "failed", "failed"),
        (Unsupported("Too long."), "failed", "failed"),
        (OutcomeUnknown("No answer came."), "unknown", "unknown"),
        (ConnectionResetError(), "retry", "unknown"),
        (MemoryError(), "retry", "unknown"),
    ],
)
def test_f33_after_the_point_of_no_return_only_a_clear_answer_counts(
    conversation: Conversation, ana: User, error: BaseException, before: str, after: str
) -> None:
    first, second = queue(conversation, ana), queue(conversation, ana, request_id="page-2")

    assert outbox.record(claim(first), error, SEND_AT) == before
    assert outbox.record(committed(second), error, SEND_AT) == after

    now = check_books(conversation)
    if "failed" in (before, after):
        assert (now.status, now.status_reason, now.is_unseen) == ("open", "send-failed", True)


def test_retries_come_ever_more_rarely_and_end_after_three_days_with_a_sentence(
    conversation: Conversation, ana: User
) -> None:
    envelope, at, gaps = queue(conversation, ana), SEND_AT, []
    while outbox.record(claim(envelope, at), RetryLater("The server is away."), at) == "retry":
        due = fresh(envelope).due_at
        assert due is not None
        gaps.append((due - at) // timedelta(minutes=1))
        at = due

    assert gaps[:8] == [1, 2, 5, 10, 20, 40, 60, 60] and max(gaps) == 60
    assert timedelta(days=3) <= at - SEND_AT < timedelta(days=3, hours=2)
    failed = fresh(envelope)
    assert failed.state == "failed" and "three days" in failed.sentence and "The server is away." in failed.sentence
    assert EnvelopeRecipient.objects.get().outcome == "refused"
    assert check_books(conversation).status == "open"


def test_the_wish_of_a_server_is_a_floor_for_the_next_try(conversation: Conversation, ana: User) -> None:
    envelope = queue(conversation, ana)
    outbox.record(claim(envelope), RetryLater("Slow down.", timedelta(hours=2)), SEND_AT)
    assert fresh(envelope).due_at == SEND_AT + timedelta(hours=2)

    again = claim(envelope, SEND_AT + timedelta(hours=2))
    outbox.record(again, RetryLater("Slow down.", timedelta(days=400)), SEND_AT + timedelta(hours=2))
    assert fresh(envelope).due_at == SEND_AT + timedelta(hours=26)


@contextmanager
def failing_writes(after: int) -> Iterator[list[str]]:
    """The database refuses every write after the first `after` ones, as a full disk does."""
    written: list[str] = []

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(sql)
            if len(written) > after:
                raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield written


@pytest.mark.django_db(transaction=True)
def test_f34_whichever_write_fails_after_the_acceptance_it_is_unknown_and_never_sent_again(
    index: RecordingSink,
) -> None:
    conversation, ana = make_conversation(make_account()), make_user()
    for after in itertools.count():
        envelope = queue(conversation, ana, request_id=f"page-{after}")
        claimed = committed(envelope)
        try:
            with failing_writes(after):
                outbox.record(claimed, all_sent(claimed), SEND_AT)
        except OperationalError:
            assert_left_for_the_sweep(envelope, conversation)
        else:
            break

    assert after >= 6
    assert fresh(envelope).state == "sent"
    check_books(conversation)


def assert_left_for_the_sweep(envelope: Envelope, conversation: Conversation) -> None:
    assert fresh(envelope).state == "committing"
    assert not SlaEvent.objects.filter(kind=SlaKind.AGENT_ANSWERED).exists()
    assert outbox.find_due(SEND_AT + timedelta(days=3)) == []
    assert outbox.sweep_abandoned(SEND_AT) == 0
    assert outbox.sweep_abandoned(SEND_AT + timedelta(minutes=15)) == 1
    assert fresh(envelope).state == "unknown"
    assert outbox.find_due(SEND_AT + timedelta(days=30)) == []


def test_a_receipt_that_comes_after_the_sweep_still_counts(conversation: Conversation, ana: User) -> None:
    envelope = queue(conversation, ana)
    claimed = committed(envelope)
    outbox.sweep_abandoned(SEND_AT + timedelta(minutes=15))

    assert outbox.record(claimed, all_sent(claimed), SEND_AT + timedelta(minutes=16)) == "sent"
    assert check_books(conversation).due_at is None


# --- Per recipient --------------------------------------------------------------------------------------------------

FIVE = ("maria@example.org", "b@example.org", "c@example.org", "d@example.org", "e@example.org")
WORDS = {Outcome.SENT: "250", Outcome.REFUSED_FOR_NOW: "451 4.7.1", Outcome.REFUSED: "550 5.1.1"}


@pytest.mark.parametrize("refusal", [Outcome.REFUSED_FOR_NOW, Outcome.REFUSED])
def test_f35_whatever_subset_is_refused_the_others_get_it_once(
    conversation: Conversation, ana: User, refusal: Outcome
) -> None:
    for number, refused in enumerate(set(subset) for size in range(6) for subset in itertools.combinations(FIVE, size)):
        Envelope.objects.update(created_at=NOW - timedelta(days=2))  # keep the brakes of one talk out of it
        StrandParticipant.objects.all().delete()
        Identity.objects.filter(key__in=FIVE[1:]).delete()
        envelope = queue(conversation, ana, *FIVE[1:], request_id=f"page-{number}")
        got = deliver_until_quiet(envelope, refused, refusal)

        assert sorted(got) == sorted(set(FIVE) - refused), refused
        assert_states(envelope, refused, refusal)
    check_books(conversation)


def deliver_until_quiet(envelope: Envelope, refused: set[str], refusal: Outcome) -> list[str]:
    """Sends what is due for a day at a server that refuses some for ever; who got it, each time they did."""
    got: list[str] = []
    at = SEND_AT
    for _round in range(6):
        for due in outbox.find_due(at):
            claimed = outbox.claim(due.envelope_id, "worker:1", at)
            assert claimed is not None
            accepted = [one for one in claimed.message.recipients if one not in refused]
            if accepted:
                outbox.commit(claimed, at)
            outcomes = tuple(
                RecipientOutcome(one, refusal if one in refused else Outcome.SENT, WORDS[refusal], "No.")
                for one in claimed.message.recipients
            )
            outbox.record(claimed, Receipt(outcomes), at)
            got += accepted
        at += timedelta(hours=1)
    return got


def assert_states(envelope: Envelope, refused: set[str], refusal: Outcome) -> None:
    parts = list(Envelope.objects.filter(message=envelope.message_id).order_by("part"))
    rows = EnvelopeRecipient.objects.filter(envelope__message=envelope.message_id)
    assert sorted(rows.values_list("address", flat=True)) == sorted(FIVE)
    assert {row.address for row in rows if row.outcome == refusal} == refused
    if not refused:
        assert [part.state for part in parts] == ["sent"]
    elif refusal is Outcome.REFUSED:
        assert [part.state for part in parts] == ["failed" if refused == set(FIVE) else "sent"]
    elif refused == set(FIVE):
        assert [part.state for part in parts] == ["retry"]
    else:
        assert [part.state for part in parts] == ["sent", "retry"]
        assert {row.address for row in parts[1].recipients.all()} == refused
        assert bytes(parts[1].content) == bytes(parts[0].content)
        assert parts[1].idempotency_key == parts[0].idempotency_key


def test_an_addressee_who_is_refused_brings_the_conversation_back_and_a_copy_does_not(
    conversation: Conversation, ana: User
) -> None:
    first = queue(conversation, ana, "b@example.org")
    claimed = committed(first)
    outcomes = (
        RecipientOutcome("maria@example.org", Outcome.SENT),
        RecipientOutcome("b@example.org", Outcome.REFUSED, "550", "No such person."),
    )
    outbox.record(claimed, Receipt(outcomes), SEND_AT)
    assert check_books(conversation).status == "waiting"

    second = queue(conversation, ana, request_id="page-2")
    second_recipients = EnvelopeRecipient.objects.filter(envelope=second)
    second_recipients.create(envelope=second, role="cc", address="b@example.org")
    claimed = committed(second)
    swapped = (
        RecipientOutcome("maria@example.org", Outcome.REFUSED, "550", "Mailbox full."),
        RecipientOutcome("b@example.org", Outcome.SENT),
    )
    outbox.record(claimed, Receipt(swapped), SEND_AT)
    now = check_books(conversation)
    assert (now.status, now.status_reason) == ("open", "send-failed")


# --- Unknown --------------------------------------------------------------------------------------------------------


def make_unknown(envelope: Envelope) -> None:
    assert outbox.record(committed(envelope), OutcomeUnknown("No answer came."), SEND_AT) == "unknown"


def test_an_unknown_send_is_looked_for_six_times_and_then_left_to_people(conversation: Conversation, ana: User) -> None:
    envelope = queue(conversation, ana)
    make_unknown(envelope)
    at, looks = SEND_AT, []
    for _ in range(10):
        due = outbox.find_unknown_to_check(at)
        if not due:
            break
        looks.append((at - SEND_AT) // timedelta(minutes=1))
        outbox.settle(envelope.id, None, "not in Sent", at)
        at = fresh(envelope).due_at or at + timedelta(days=100)

    assert looks == [0, 1, 5, 15, 60, 24 * 60]
    unknown = fresh(envelope)
    assert (unknown.state, unknown.due_at, len(unknown.evidence["looks"])) == ("unknown", None, 6)
    assert outbox.find_due(SEND_AT + timedelta(days=365)) == []


def test_an_unknown_answer_is_provisional_and_counts_once_it_is_proven(conversation: Conversation, ana: User) -> None:
    envelope = queue(conversation, ana)
    make_unknown(envelope)
    unsure = check_books(conversation)
    doubtful = sla.result_of(unsure)

    outbox.settle(envelope.id, Receipt((), "Sent/1/7"), "found in Sent", SEND_AT + timedelta(minutes=5))

    sure = check_books(conversation)
    assert (doubtful.is_provisional, unsure.due_at is None) == (True, False)
    assert (sla.result_of(sure).first_response_at, sure.due_at) == (SEND_AT, None)
    settled = fresh(envelope)
    assert (settled.state, settled.external_id, settled.due_at) == ("sent", "Sent/1/7", None)
    assert settled.evidence["settled"]["why"] == "found in Sent"
    assert EnvelopeRecipient.objects.get().outcome == "sent"


def test_the_echo_of_our_own_message_settles_an_unknown_send(conversation: Conversation, ana: User) -> None:
    envelope = queue(conversation, ana)
    make_unknown(envelope)

    assert outbox.settle_by_message_id("other@shop.example", "echo", SEND_AT) == 0
    assert outbox.settle_by_message_id(envelope.idempotency_key, "echo", SEND_AT) == 1
    assert outbox.settle_by_message_id(envelope.idempotency_key, "echo", SEND_AT) == 0
    assert fresh(envelope).state == "sent"


def test_what_was_split_off_is_not_settled_by_the_copy_of_the_first_part(conversation: Conversation, ana: User) -> None:
    envelope = queue(conversation, ana, "b@example.org")
    outcomes = (
        RecipientOutcome("maria@example.org", Outcome.SENT),
        RecipientOutcome("b@example.org", Outcome.REFUSED_FOR_NOW, "451", "Later."),
    )
    outbox.record(committed(envelope), Receipt(outcomes), SEND_AT)
    rest, at = Envelope.objects.get(part=1), SEND_AT + timedelta(hours=1)
    outbox.record(committed(rest, at), OutcomeUnknown("No answer came."), at)

    assert outbox.find_unknown_to_check(at + timedelta(days=30)) == []
    assert outbox.settle_by_message_id(envelope.idempotency_key, "echo", at) == 0
    assert fresh(rest).state == "unknown"


def test_a_person_may_say_that_it_arrived_or_send_it_again_with_the_same_key(
    conversation: Conversation, ana: User
) -> None:
    first, second = queue(conversation, ana), queue(conversation, ana, request_id="page-2")
    make_unknown(first)
    make_unknown(second)

    replies.confirm_arrived(first.id, ana, SEND_AT)
    with pytest.raises(replies.SendProblem, match="Confirm"):
        replies.send_again(second.id, ana, SEND_AT, confirmed=False)
    replies.send_again(second.id, ana, SEND_AT, confirmed=True)

    assert fresh(first).state == "sent"
    again = claim(second)
    assert (again.message.idempotency_key, again.message.content) == (second.idempotency_key, bytes(second.content))
    outbox.commit(again, SEND_AT)
    assert outbox.record(again, all_sent(again), SEND_AT) == "sent"
    with pytest.raises(replies.SendProblem):
        replies.send_again(second.id, ana, SEND_AT, confirmed=True)
    with pytest.raises(replies.SendProblem):
        replies.confirm_arrived(second.id, ana, SEND_AT)


def test_a_failed_answer_becomes_a_draft_again(conversation: Conversation, ana: User) -> None:
    envelope = queue(conversation, ana)
    outbox.record(claim(envelope), Refused("No such person."), SEND_AT)

    draft = replies.give_up(envelope.id, ana, SEND_AT)

    assert draft.body == "It left us this morning (page-1)."
    assert fresh(envelope).state == "cancelled"
    now = check_books(conversation)
    assert (now.status, now.messages_count) == ("open", 1)


def test_a_bounce_settles_what_was_unknown_and_brings_the_conversation_back(
    conversation: Conversation, ana: User
) -> None:
    envelope = queue(conversation, ana)
    make_unknown(envelope)
    report = DeliveryReport(envelope.idempotency_key, "Maria@example.org", "failed", "5.1.1", "550 no such user")

    assert outbox.note_report(report, SEND_AT + timedelta(minutes=1)) == conversation.id
    assert outbox.note_report(DeliveryReport("", "x@y.example", "failed", "", ""), SEND_AT) is None

    row = EnvelopeRecipient.objects.get()
    assert (row.outcome, row.code, row.sentence) == ("refused", "5.1.1", "550 no such user")
    assert fresh(envelope).state == "sent"
    assert check_books(conversation).status == "open"


# --- Brakes ---------------------------------------------------------------------------------------------------------


def test_f43_while_sending_is_stopped_nothing_leaves(conversation: Conversation, ana: User) -> None:
    envelope = queue(conversation, ana)
    claimed = claim(envelope)
    outbox.stop_sending("restored from a backup", "cli", SEND_AT)

    assert outbox.is_sending_stopped()
    with pytest.raises(ClaimLost):
        outbox.commit(claimed, SEND_AT)
    assert fresh(envelope).state == "queued"
    assert outbox.find_due(SEND_AT + timedelta(days=1)) == []
    outbox.allow_sending(ana, SEND_AT)
    assert [due.envelope_id for due in outbox.find_due(SEND_AT)] == [envelope.id]


@pytest.mark.parametrize("state", ["paused", "needs-login"])
def test_a_parked_account_sends_nothing_until_it_is_mended(conversation: Conversation, ana: User, state: str) -> None:
    queue(conversation, ana)
    Account.objects.update(state=state)
    parked = outbox.find_due(SEND_AT)
    Account.objects.update(state="ok")

    assert (parked, len(outbox.find_due(SEND_AT))) == ([], 1)


def test_a_copy_for_sent_is_filed_once_and_given_up_after_a_day(conversation: Conversation, ana: User) -> None:
    Account.objects.update(settings={"file_sent": True})
    envelope = queue(conversation, ana)
    assert outbox.find_to_file(SEND_AT) == []
    claimed = committed(envelope)
    outbox.record(claimed, all_sent(claimed), SEND_AT)

    assert [due.envelope_id for due in outbox.find_to_file(SEND_AT)] == [envelope.id]
    message = outbox.message_to_file(envelope.id)
    assert message is not None and message.content == claimed.message.content
    at, tries = SEND_AT, 0
    while outbox.find_to_file(at) and tries < 100:
        outbox.filing_failed(envelope.id, at)
        at, tries = fresh(envelope).due_at or at + timedelta(days=9), tries + 1
    assert tries == 20
    outbox.filed(envelope.id, at)
    assert outbox.message_to_file(envelope.id) is None


def test_the_outbox_is_counted_by_state(conversation: Conversation, ana: User) -> None:
    queue(conversation, ana)

    assert outbox.counts()["queued"] == 1
    assert set(outbox.counts()) == {
        *("queued", "sending", "committing", "sent", "retry", "failed", "unknown", "cancelled")
    }
