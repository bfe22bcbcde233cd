"""One cell: an agent answers, the server goes wrong in one way at one place, and everybody sees what came of it."""

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

CELLS = [(phase, fault) for phase in Phase for fault in Fault if fault is not Fault.NONE]
PEOPLE = ("ana@shop.example", "bob@shop.example", "cleo@shop.example")


def wanted_state(phase: Phase, fault: Fault) -> set[str]:
    """What the envelope may be after the first attempt."""
    if fault is Fault.SLOW:
        return {"sent"}
    if phase is Phase.DOT:
        return {Fault.REFUSE_FOR_NOW: {"retry"}, Fault.REFUSE: {"failed"}}.get(fault, {"unknown"})
    if fault is Fault.REFUSE and phase not in {Phase.CONNECT, Phase.EHLO}:
        return {"failed"}
    if fault is Fault.SILENCE and phase is Phase.BODY:
        return {"retry", "unknown"}  # it depends on how much of it the kernel takes
    return {"retry"}


# --- In a child of tests.kills.warm ---------------------------------------------------------------------------------


def run_cell(phase: str, fault: str, seed: int) -> dict[str, Any]:
    rnd = random.Random(f"{phase} {fault} {seed}")
    EmailConnector.timeouts = Timeouts(connect=3, greeting=1, mail=1, recipient=1, data=1, block=1, dot=1)
    to = PEOPLE[: rnd.randint(1, 3) if seed else 1]
    is_large = phase == Phase.BODY or (seed and rnd.random() < 0.2)
    with running_faulty_smtp() as server:
        conversation = _ground(server.port)
        if seed and rnd.random() < 0.4:  # so that the fault meets a connection that was used before
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
        confirmations=["recipient-unknown", "same-text", "too-long"],
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


# --- What must hold -------------------------------------------------------------------------------------------------


def judge(phase: Phase, fault: Fault, found: dict[str, Any]) -> list[str]:
    first, then, last = found["first"], found["then"], found["last"]
    problems = [] if first["struck"] else ["the fault did not strike"]
    if first["state"] not in wanted_state(phase, fault):
        problems.append(f"state {first['state']}")
    problems += [f"{name} is not right" for name, stage in found.items() if not stage["is_right"]]
    problems += _judge_first(phase, fault, first)
    if first["state"] in {"sent", "retry"} and (then["state"], then["delivered"]) != ("sent", 1):
        problems.append("it did not arrive exactly once in the end")
    if first["state"] in {"unknown", "failed"} and (then["state"], then["delivered"]) != (
        first["state"],
        first["delivered"],
    ):
        problems.append("a machine touched what only a person may")
    if first["state"] in {"unknown", "failed"} and (last["state"], last["keys"]) != ("sent", 1):
        problems.append("a person could not send it again under the same Message-ID")
    if first["state"] == "unknown" and "may have arrived" not in last["asked"]:
        problems.append("it was sent again without asking")
    return problems


def _judge_first(phase: Phase, fault: Fault, first: dict[str, Any]) -> list[str]:
    state, outcomes = first["state"], set(first["outcomes"].values())
    expected: dict[str, tuple[set[str], list[str], list[str]]] = {
        "sent": ({"sent"}, ["agent-answered"], ["waiting", "answered"]),
        "retry": ({"pending", "refused-for-now"}, [], ["waiting", "answered"]),
        "failed": ({"refused"}, [], ["open", "send-failed"]),
        "unknown": ({"unknown"}, ["provisional-answer"], ["waiting", "answered"]),
    }
    may_be, ledger, conversation = expected[state]
    facts = {
        "outcomes": outcomes <= may_be,
        "ledger": first["ledger"] == ledger,
        "conversation": first["conversation"] == conversation,
        "sentence": (state == "sent") == (not first["sentence"]),
        "words": state != "unknown" or "may have been delivered" in first["sentence"],
        "the server's words": fault not in {Fault.REFUSE, Fault.REFUSE_FOR_NOW}
        or any(words in first["sentence"] for words in ("never", "come back later")),
        "delivered": first["delivered"] == (state == "sent" or (state == "unknown" and phase is Phase.DOT)),
        "pause": state != "retry" or 55 <= first["waits"] <= 130,
    }
    return [f"wrong {name}: {first}" for name, holds in facts.items() if not holds]
