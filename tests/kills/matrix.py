"""Which kills make a case, and what must hold after the restart."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.killpoints import FILE, SEND, SETTLE
from tests.kills.letters import Letter, make_letters
from tests.kills.world import Case, Lane

SIGKILL = 9
# From here on the server may have the mail and nobody on our side knows it for certain. Where two answers leave at
# once, a kill at any point of one may meet the other there.
_MAYBE_SENT = frozenset(SEND[SEND.index("send.committed") :]) - {"send.recorded"}
_MAYBE_MET = frozenset(SEND)
_AGAIN = ("digest.counters-written", "shelf.before-commit", "send.claimed", "smtp.dot-written")


@dataclass(frozen=True)
class Plan:
    """The kills of one case in their order; afterwards it runs undisturbed."""

    point: str
    seed: int
    count: int = 1  # dies the COUNTth time the point is reached
    batch: int = 500  # items a digest
    answers: int = 1  # more than one leave at the same time
    files_itself: bool = False
    before: str = ""  # a kill that brings the case to where `point` can be reached
    again: str = ""  # a further kill during the restart, where it is reached

    @property
    def is_huge(self) -> bool:
        return self.point == "imap.pieces-spooled"

    @property
    def kills(self) -> list[str]:
        return [one for one in (self.before, self.point) if one]


def plain(point: str, seed: int = 3) -> Plan:
    """The first time the point is reached."""
    if point == "settle.swept":
        return Plan(point, seed, before="send.committed")
    if point in SETTLE:
        return Plan(point, seed, before="smtp.answered", files_itself=True)
    return Plan(point, seed)


def drawn(point: str, seed: int) -> Plan:
    """Another mail mix, batch size, provider, time of the kill, and sometimes a second kill."""
    rnd = random.Random(f"{point} {seed}")
    is_settled = point in SETTLE
    first = plain(point, seed)
    return Plan(
        point,
        seed,
        count=1 if is_settled else rnd.choice((1, 1, 2, 3)),
        batch=rnd.choice((1, 3, 500)),
        answers=rnd.choice((1, 2)),
        files_itself=first.files_itself if is_settled else point not in FILE and rnd.random() < 0.5,
        before=first.before,
        again=rnd.choice(("", "", *_AGAIN)),
    )


def letters_of(plan: Plan) -> list[Letter]:
    return make_letters(plan.seed, huge=plan.is_huge)


def run_case(lane: Lane, plan: Plan, files: Path) -> str:
    """How it went: "" when all is well. `files` is a folder to import, used where the point is one of the import's."""
    letters = letters_of(plan)
    wanted: dict[str, Any] = {"batch": plan.batch, "answers": plan.answers, "files": ""}
    if plan.point.startswith("import."):
        wanted["files"] = str(files)
    expected = _undisturbed(lane, plan, wanted["files"])
    with Case(lane, letters, files_itself=plan.files_itself) as case:
        if plan.before and (died := case.work(plan.before, **wanted))["signal"] != SIGKILL:
            return f"{plan.before} was not reached: {died} {case.log()}"
        died = case.work(f"{plan.point}:{plan.count}", **wanted)
        if died["signal"] != SIGKILL and plan.count == 1:
            return f"{plan.point} was not reached: {died} {case.log()}"
        if plan.again:
            case.work(plan.again, **wanted)
        done = case.work(**wanted)
        if done["signal"] or done["code"]:
            return f"the restart failed: {done} {case.log()}"
        imported = len(list(files.iterdir())) if wanted["files"] else 0
        problems = judge(plan, letters, done["found"], case, imported)
        picture = done["found"]["picture"]
        problems += [f"only after the kill: {one}" for one in picture if one not in expected]
        problems += [f"only without a kill: {one}" for one in expected if one not in picture]
        return "\n".join([*problems, case.log()]) if problems else ""


def judge(plan: Plan, letters: list[Letter], found: dict[str, Any], case: Case, imported: int) -> list[str]:
    distinct = sum(letter.same_as is None for letter in letters) + imported
    inbox = [row for row in found["deliveries"] if row[0] == "INBOX"]
    sent = case.provider.times_sent()
    facts = {
        "each mail is one message": found["inbound"] == distinct,
        "each mail on the server is delivered once": len(inbox) == len({row[1] for row in inbox}) == len(letters),
        "each message is shown once": sorted(found["shown"]) == sorted(found["messages"]),
        "each answer was written once": found["outbound"] == len(found["envelopes"]) == plan.answers,
        "nothing waits": found["waiting_items"] == 0 and found["indexed"] == 0,
        "nothing was sent twice": all(times == 1 for times in sent.values()),
        "nothing was sent that we do not know": sent.keys() <= {one["key"] for one in found["envelopes"]},
        "the counters are right": found["counters"],
        "the clocks are right": not found["wrong_clocks"] and not found["double_events"],
        "the cursor is complete": all(place["complete"] for place in found["completeness"]),
        "the index is right": found["drift"] == 0,
        "the account is well": found["account"] == ["ok"],
        "no large mail lost its file": not found["unread_files"],
    }
    wrong = [f"not true: {fact}" for fact, holds in facts.items() if not holds]
    return wrong + [line for one in found["envelopes"] for line in _judge_send(plan, one, sent[one["key"]])]


def _judge_send(plan: Plan, envelope: dict[str, Any], times: int) -> list[str]:
    state, doubtful = envelope["state"], _MAYBE_SENT if plan.answers == 1 else _MAYBE_MET
    may_be_unknown = {*plan.kills, plan.again} & doubtful
    if state == "sent" and times == 1:
        wants_copy = not plan.files_itself
        return [f"not filed: {envelope}"] if wants_copy and envelope["filing"] != "filed" else []
    if state == "unknown" and may_be_unknown and "may have been delivered" in envelope["sentence"]:
        return [] if set(envelope["outcomes"]) == {"unknown"} else [f"outcomes: {envelope}"]
    return [f"sent {times} times, but: {envelope}"]


def _undisturbed(lane: Lane, plan: Plan, files: str) -> list[str]:
    """The picture of a home that nobody killed."""
    key = (plan.seed, plan.is_huge, plan.answers, files)
    if key not in lane.baselines:
        with Case(lane, letters_of(plan)) as case:
            done = case.work(answers=plan.answers, files=files)
            assert done["found"], case.log()
            lane.baselines[key] = done["found"]["picture"]
    return lane.baselines[key]
