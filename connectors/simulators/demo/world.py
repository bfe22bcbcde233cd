"""The customers' side of the demo: who is there, what they will write next, and what has been written already.

The world keeps its state in one small file, so that a killed demo goes on where it stood: answers that were about to be
written are written after the restart. An answer's Message-ID follows from the mail it answers; if a kill falls between
delivering it and noting that, it is delivered again as the same mail.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from connectors.simulators.demo import automatic
from connectors.simulators.demo.answers import answer, choose_kind, is_away, read_outgoing
from connectors.simulators.demo.content import ADDRESSES, Person, fill_dates, phrases, read
from connectors.simulators.demo.hours import read_zone
from connectors.simulators.demo.letters import Letter
from connectors.simulators.demo.opening import Opening, customers
from connectors.simulators.demo.pool import further_letter
from connectors.simulators.demo.programs import compose, with_trace
from connectors.simulators.smtp_server import SentMail

SEEN_CAP = 5_000
NOTICE_EVERY = 25
SLOWER_EVERY = 15  # arrivals that nobody answered, after which new mail comes half as often
SLOWEST = 16

Deliver = Callable[[bytes, datetime], None]
Moment = Callable[[], datetime]


class DemoWorld:
    """`deliver(content, received_at)` puts a mail into the shop's INBOX. Every method may be called from any thread."""

    def __init__(self, folder: Path, deliver: Deliver, *, seed: int, zone: str, clock: Moment) -> None:
        self._file = folder / "world.json"
        self._accepted = folder / "accepted"
        self._deliver = deliver
        self._clock = clock
        self._lock = threading.RLock()
        self._state: dict[str, Any] = {
            "seed": seed,
            "zone": zone,
            "opened_at": "",
            "arrived": 0,
            "unanswered": 0,
            "people": {},
            "pending": [],
            "threads": {},
            "seen": [],
        }
        if self._file.exists():
            self._state |= json.loads(self._file.read_text(encoding="utf-8"))
        self.seed: int = self._state["seed"]
        self.zone: str = self._state["zone"]
        self._known = {person.address: person for person, _ in customers()}
        self._known |= {address: Person(**found) for address, found in self._state["people"].items()}

    def _save(self) -> None:
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(self._state, ensure_ascii=False), encoding="utf-8")
        beside.replace(self._file)

    @property
    def is_open(self) -> bool:
        return bool(self._state["opened_at"])

    def opening(self) -> Opening:
        return Opening(self._clock(), self.zone, self.seed)

    def mark_open(self) -> None:
        with self._lock:
            self._state["opened_at"] = self._clock().isoformat()
            self._save()

    # --- New mail ---------------------------------------------------------------------------------------------------

    def arrive(self) -> None:
        """The next mail of the pool comes in."""
        with self._lock:
            number = self._state["arrived"]
            now = self._clock()
            if number % NOTICE_EVERY == NOTICE_EVERY - 1:
                self._deliver(automatic.notice(now, random.Random(f"{self.seed}/notice/{number}")), now)
            else:
                letter = further_letter(number, self.seed, now)
                if letter.author.address not in self._known:
                    self._known[letter.author.address] = letter.author
                    self._state["people"][letter.author.address] = asdict(letter.author)
                self._put(letter, now, random.Random(f"{self.seed}/arrival/{number}"))
            self._state["arrived"] = number + 1
            self._state["unanswered"] += 1
            self._save()

    def pause_before_next(self, pace: tuple[float, float]) -> float:
        """Seconds until the next mail. A demo that nobody answers slows down, so that a night does not drown it."""
        with self._lock:
            number, unanswered = self._state["arrived"], self._state["unanswered"]
        chosen = random.Random(f"{self.seed}/pace/{number}").uniform(*pace)
        return chosen * float(min(SLOWEST, 2 ** (unanswered // SLOWER_EVERY)))

    def _put(self, letter: Letter, now: datetime, chance: random.Random) -> None:
        sender, recipient = letter.author.address, letter.to[1]
        self._deliver(with_trace(compose(letter, chance), sender, recipient, format_datetime(now), chance), now)

    # --- Answers ----------------------------------------------------------------------------------------------------

    def hear(self, mail: SentMail, kept: Path, delay: tuple[float, float]) -> None:
        """A mail left over SMTP: plan what each of its recipients does about it."""
        outgoing = read_outgoing(mail.content, mail.accepted_at)
        with self._lock:
            key = outgoing.message_id or kept.name
            self._state["unanswered"] = 0
            for recipient in dict.fromkeys(address.lower() for address in mail.recipients):
                mark = f"{key} {recipient}"
                if mark in self._state["seen"]:
                    continue
                self._state["seen"] = [*self._state["seen"], mark][-SEEN_CAP:]
                chance = random.Random(f"{self.seed}/delay/{mark}")
                self._plan(recipient, mail, kept, chance.uniform(*delay))
            self._save()

    def _plan(self, recipient: str, mail: SentMail, kept: Path, seconds: float) -> None:
        person = self._known.get(recipient)
        if recipient in ADDRESSES:
            does, seconds = "own", 1.0
        elif person is None:
            does, seconds = "bounce", 3.0
        elif is_away(person) and f"away {recipient}" not in self._state["threads"]:
            self._state["threads"][f"away {recipient}"] = []
            does, seconds = "vacation", 2.0
        else:
            does = "answer"
        self._queue(does, recipient, mail, kept, seconds)

    def _queue(self, does: str, recipient: str, mail: SentMail, kept: Path, seconds: float) -> None:
        at = (self._clock() + timedelta(seconds=seconds)).isoformat()
        self._state["pending"].append(
            {"at": at, "does": does, "recipient": recipient, "sender": mail.sender, "file": kept.name}
        )

    def next_pending_at(self) -> datetime | None:
        with self._lock:
            return min((datetime.fromisoformat(one["at"]) for one in self._state["pending"]), default=None)

    def answer_due(self, until: datetime | None = None) -> int:
        """Write every answer that is due at `until` (all of them without it). Returns how many mails were delivered."""
        with self._lock:
            pending = sorted(self._state["pending"], key=lambda one: str(one["at"]))
            due = [one for one in pending if until is None or datetime.fromisoformat(one["at"]) <= until]
            delivered = sum(self._carry_out(one) for one in due)
            if due:
                self._state["pending"] = [one for one in pending if one not in due]
                self._save()
            return delivered

    def _carry_out(self, plan: dict[str, str]) -> bool:
        now, recipient = self._clock(), plan["recipient"]
        try:
            content = (self._accepted / plan["file"]).read_bytes()
        except OSError:
            return False
        outgoing = read_outgoing(content, now)
        chance = random.Random(f"{self.seed}/{plan['does']}/{recipient}/{outgoing.message_id}")
        if plan["does"] == "own":
            self._deliver(with_trace(content, plan["sender"], recipient, format_datetime(now), chance), now)
            return True
        if plan["does"] == "bounce":
            text = read("automatic")["undeliverable"]["text"].strip("\n").replace("{recipient}", recipient)
            self._deliver(automatic.bounce(content, plan["sender"], recipient, text, now, chance), now)
            return True
        person = self._known[recipient]
        if plan["does"] == "vacation":
            words = read("answers")[person.language]
            there = now.astimezone(read_zone(phrases(person.language)["zone"]))
            text = fill_dates(words["vacation"], there, person.language)
            subject = words["vacation_subject"] + outgoing.subject
            to = outgoing.sender[1] or plan["sender"]
            self._deliver(automatic.auto_reply(person, to, subject, text, outgoing.message_id, now, chance), now)
            return True
        return self._answer(person, plan, content, now, chance)

    def _answer(
        self, person: Person, plan: dict[str, str], content: bytes, now: datetime, chance: random.Random
    ) -> bool:
        outgoing = read_outgoing(content, datetime.fromisoformat(plan["at"]) - timedelta(seconds=10))
        thread = f"{person.address} {outgoing.thread}"
        earlier = self._state["threads"].setdefault(thread, [])
        kind = choose_kind(outgoing, earlier, chance)
        if not kind:
            return False
        letter = answer(person, outgoing, kind, now, chance)
        if letter.to[1].lower() not in ADDRESSES:
            letter.to = ("", plan["sender"])
        self._put(letter, now, chance)
        earlier.append(kind)
        return True


def utc_now() -> datetime:
    return datetime.now(UTC)
