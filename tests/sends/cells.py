"""One cell, in a child of tests.kills.warm: an agent answers, and the server goes wrong in one way at one place."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.mail import EmailConnector
from connectors.mail.smtp import Timeouts
from connectors.messages import Address
from inbox import counters, drafts, replies
from inbox.models import Account, Conversation, Envelope, EnvelopeRecipient, SlaEvent, User
from tests.builders import make_item, make_mail, receive
from tests.kills.scenario import _is_clock_right
from tests.servers.faulty_smtp import Fault, FaultySmtp, Phase, running_faulty_smtp
from workers import jobs

PEOPLE = ("ana@shop.example", "bob@shop.example", "cleo@shop.example")


def run_cell(phase: str, fault: str, seed: int) -> dict[str, Any]:
    rnd = random.Random(f"{phase} {fault} {seed}")
    EmailConnector.timeouts = Timeouts(connect=3, greeting=1, mail=1, recipient=1, data=1, block=1, dot=1)
    to = PEOPLE[: rnd.randint(1, 3) if seed else 1]
    is_large = phase == Phase.BODY or (seed and rnd.random() < 0.2)
    with running_faulty_smtp() as server:
        conversation = _ground(server.port)
        is_early = phase in {Phase.CONNECT, Phase.EHLO}
        if seed and not is_early and rnd.random() < 0.4:  # so that the fault meets a connection that was used before
            _answer(conversation, "The first answer.", PEOPLE[:1], "page-before")
            jobs.deliver()
            server.delivered.clear()
        server.phase, server.fault = Phase(phase), Fault(fault)
        # A body larger than the kernel's buffers, so that the server can misbehave while it is on its way.
        text = "The answer. " + ("and so on\n" * 250_000 if is_large else "")
        envelope = _answer(conversation, text, to, "page-1")
        started = datetime.now(UTC)
        jobs.deliver()
        first = {**_facts(envelope, conversation), "delivered": len(server.delivered), "struck": server.struck}
        first["waits"] = _seconds_until_due(envelope, started)
        server.fault = Fault.NONE
        then = _everything_falls_due(envelope, conversation, server)
        last = _sent_again_by_hand(envelope, conversation, server) if then["state"] in {"unknown", "failed"} else then
    return {"first": first, "then": then, "last": last}


def _ground(port: int) -> int:
    account = Account.objects.get()
    account.settings["smtp"]["port"] = port
    account.save()
    receive(account, make_item(make_mail("Where is it?\n", cc=", ".join(PEOPLE[1:]))), now=datetime.now(UTC))
    return Conversation.objects.get().id


def _answer(conversation: int, text: str, to: Sequence[str], request: str) -> int:
    queued = replies.queue_reply(
        conversation_id=conversation,
        user=User.objects.get(),
        request_id=request,
        text=text,
        to=[Address(one) for one in to],
        now=datetime.now(UTC),
        seen_message=drafts.newest_seen(conversation),
        confirmations=["recipient-unknown", "same-text", "too-long", "not-the-customer"],
        with_quote=False,
    )
    assert isinstance(queued, replies.Queued), queued
    return queued.envelope_id


def _facts(envelope_id: int, conversation_id: int) -> dict[str, Any]:
    envelope, conversation = Envelope.objects.get(id=envelope_id), Conversation.objects.get(id=conversation_id)
    rows = EnvelopeRecipient.objects.filter(envelope__idempotency_key=envelope.idempotency_key)
    ledger = SlaEvent.objects.filter(message_id=envelope.message_id).order_by("id").values_list("kind", flat=True)
    return {
        "state": envelope.state,
        "sentence": envelope.sentence,
        "outcomes": dict(rows.values_list("address", "outcome")),
        "conversation": [conversation.status, conversation.status_reason],
        "ledger": list(ledger),
        "is_right": counters.kept() == counters.recount() and _is_clock_right(conversation),
    }


def _seconds_until_due(envelope_id: int, since: datetime) -> float | None:
    due_at = Envelope.objects.get(id=envelope_id).due_at
    return (due_at - since).total_seconds() if due_at else None


def _everything_falls_due(envelope: int, conversation: int, server: FaultySmtp) -> dict[str, Any]:
    """Days go by, and the server is well again."""
    for _ in range(4):
        Envelope.objects.exclude(due_at=None).update(due_at=datetime.now(UTC) - timedelta(seconds=1))
        Envelope.objects.exclude(claimed_until=None).update(claimed_until=datetime.now(UTC) - timedelta(seconds=1))
        jobs.deliver()
        jobs.care()
    return {**_facts(envelope, conversation), "delivered": len(server.delivered)}


def _sent_again_by_hand(envelope: int, conversation: int, server: FaultySmtp) -> dict[str, Any]:
    """The agent decides. One that may have arrived goes only when they say that they know."""
    user, now = User.objects.get(), datetime.now(UTC)
    if Envelope.objects.get(id=envelope).state == "unknown":
        try:
            replies.send_again(envelope, user, now, confirmed=False)
        except replies.SendProblem as problem:
            asked = str(problem)
        else:
            asked = ""
    else:
        asked = "not needed"
    replies.send_again(envelope, user, now, confirmed=True)
    jobs.deliver()
    keys = Counter(_message_id(content) for content in server.delivered)
    return {**_facts(envelope, conversation), "delivered": len(server.delivered), "asked": asked, "keys": len(keys)}


def _message_id(content: bytes) -> bytes:
    return content.partition(b"Message-ID:")[2].partition(b">")[0].strip()
