"""The cells, and what must hold in each."""

from __future__ import annotations

from typing import Any

from tests.servers.faulty_smtp import Fault, Phase

CELLS = [(phase, fault) for phase in Phase for fault in Fault if fault is not Fault.NONE]


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
