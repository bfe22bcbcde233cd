"""Whatever people do, in whatever order: the counters are a recount, and the clocks are a replay of the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import OutcomeUnknown, Refused, RetryLater
from connectors.messages import Outcome, Receipt, RecipientOutcome
from inbox import conversations, counters, drafts, outbox, people, replies, sla
from inbox.models import Conversation, Envelope, Team, User
from inbox.rules.gates import GateCode
from tests.inbox.ground import NOW, make_account, make_conversation, make_user, to, write
from tests.inbox.recording_sink import RecordingSink

pytestmark = pytest.mark.django_db


class Desk:
    """Two conversations and what has been done to them."""

    def __init__(self) -> None:
        self.account = make_account()
        self.ana, self.ben = make_user("Ana"), make_user("Ben")
        self.team = people.create_team("Returns", NOW)
        self.conversations = [make_conversation(self.account), make_conversation(self.account, "b@example.org")]
        self.acts: list[str] = []
        self.requests = 0

    def reply(self, one: Conversation, now: datetime) -> None:
        self.requests += 1
        address = one.customer.links.get().identity.address
        queued = replies.queue_reply(
            conversation_id=one.id,
            user=self.ana,
            request_id=f"page-{self.requests}",
            text=f"Answer {self.requests}",
            to=to(address),
            now=now,
            seen_message=drafts.newest_seen(one.id),
            confirmations=[str(GateCode.STALE)],
        )
        assert isinstance(queued, replies.Queued) or queued[0].code == GateCode.TOO_MANY_ANSWERS

    def deliver(self, now: datetime, result: Callable[[outbox.Claim], Any]) -> None:
        for due in outbox.find_due(now):
            claimed = outbox.claim(due.envelope_id, "worker", now)
            if claimed is not None:
                outbox.commit(claimed, now)
                outbox.record(claimed, result(claimed), now)

    def undo_send(self, now: datetime) -> None:
        envelope = Envelope.objects.filter(state="queued", attempts=0).first()
        if envelope is not None:
            replies.undo_send(envelope.id, self.ana, now)

    def settle(self, now: datetime) -> None:
        for due in outbox.find_unknown_to_check(now):
            outbox.settle(due.envelope_id, Receipt(()), "found", now)

    def again(self, now: datetime) -> None:
        for envelope in Envelope.objects.filter(state__in=("unknown", "failed")):
            replies.send_again(envelope.id, self.ana, now, confirmed=True)

    def undo(self, now: datetime) -> None:
        if self.acts:
            self.keep(conversations.undo(self.acts.pop(), self.ana, now))

    def keep(self, act: conversations.Act) -> None:
        if act.undo:
            self.acts.append(act.undo)


def accepted(claimed: outbox.Claim) -> Receipt:
    return Receipt(tuple(RecipientOutcome(one, Outcome.SENT) for one in claimed.message.recipients))


Step = Callable[[Desk, Conversation, datetime], Any]

STEPS: dict[str, Step] = {
    "resolve": lambda desk, one, now: desk.keep(conversations.resolve(one.id, desk.ana, now)),
    "no answer": lambda desk, one, now: desk.keep(conversations.resolve(one.id, desk.ana, now, no_answer_needed=True)),
    "reopen": lambda desk, one, now: desk.keep(conversations.reopen(one.id, desk.ana, now)),
    "snooze": lambda desk, one, now: desk.keep(
        conversations.snooze(one.id, desk.ana, now, until=now + timedelta(minutes=90))
    ),
    "unsnooze": lambda desk, one, now: desk.keep(conversations.unsnooze(one.id, desk.ana, now)),
    "wake": lambda desk, one, now: conversations.wake_due(now),
    "assign": lambda desk, one, now: desk.keep(conversations.assign(one.id, desk.ana, now, owner=desk.ben)),
    "unassign": lambda desk, one, now: desk.keep(conversations.assign(one.id, desk.ana, now, owner=None)),
    "team": lambda desk, one, now: desk.keep(
        conversations.move_to_team(one.id, desk.ana, now, team_id=Team.objects.get().id)
    ),
    "tag": lambda desk, one, now: desk.keep(conversations.tag(one.id, desk.ana, now, name="Parcel")),
    "untag": lambda desk, one, now: desk.keep(conversations.untag(one.id, desk.ana, now, name="parcel")),
    "spam": lambda desk, one, now: desk.keep(conversations.mark_spam(one.id, desk.ana, now)),
    "not spam": lambda desk, one, now: desk.keep(conversations.not_spam(one.id, desk.ana, now)),
    "note": lambda desk, one, now: conversations.add_note(one.id, desk.ana, now, text="Called."),
    "seen": lambda desk, one, now: conversations.mark_seen(one.id, desk.ana, now),
    "customer writes": lambda desk, one, now: write(one, desk.account, at=now),
    "an old mail comes late": lambda desk, one, now: write(one, desk.account, at=now - timedelta(hours=20)),
    "reply": lambda desk, one, now: desk.reply(one, now),
    "undo send": lambda desk, one, now: desk.undo_send(now),
    "sent": lambda desk, one, now: desk.deliver(now, accepted),
    "refused": lambda desk, one, now: desk.deliver(now, lambda claimed: Refused("No such person.")),
    "later": lambda desk, one, now: desk.deliver(now, lambda claimed: RetryLater("Later.")),
    "unknown": lambda desk, one, now: desk.deliver(now, lambda claimed: OutcomeUnknown("No answer came.")),
    "settle": lambda desk, one, now: desk.settle(now),
    "again": lambda desk, one, now: desk.again(now),
    "undo": lambda desk, one, now: desk.undo(now),
}
SEQUENCES = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 1), st.sampled_from([0, 1, 30, 300])),
    min_size=1,
    max_size=14,
)


@settings(
    max_examples=min(settings().max_examples, 500),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sequence=SEQUENCES)
def test_f54_counters_are_a_recount_and_clocks_a_replay_after_any_acts(
    sequence: list[tuple[str, int, int]], index: RecordingSink
) -> None:
    before = transaction.savepoint()
    try:
        play(sequence)
    finally:
        transaction.savepoint_rollback(before)
        transaction.savepoint_commit(before)


def play(sequence: list[tuple[str, int, int]]) -> None:
    desk, now = Desk(), NOW
    for name, which, minutes in sequence:
        now += timedelta(minutes=minutes, seconds=11)
        try:
            STEPS[name](desk, desk.conversations[which], now)
        except (conversations.Refusal, replies.SendProblem):
            pass
    assert counters.kept() == counters.recount()
    for one in desk.conversations:
        assert sla.recompute(one.id) == sla.standing_of(Conversation.objects.get(id=one.id))


def test_each_step_does_something_in_some_sequence(index: RecordingSink) -> None:
    """The property above is worth nothing where every act is refused."""
    play(
        [(name, 0, 1) for name in ("reply", "sent", "customer writes", "snooze", "wake", "reply", "unknown", "settle")]
    )
    assert set(Envelope.objects.values_list("state", flat=True)) == {"sent"}
    assert User.objects.count() == 2
