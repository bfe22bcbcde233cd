"""The mailbox as it lies there when the demo is first opened: three weeks of mail, timed backwards from now.

A conversation's `stage` says where it stands:

    due 24        an answer is due in 24 working minutes        late 25       it was due 25 working minutes ago
    fresh 9       came in nine minutes ago                      answered 4d   our last answer is four days old
    history 18d   the last mail is eighteen days old

Within a conversation each mail names the `gap` after the one before it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime
from typing import Any

from connectors.simulators.demo import automatic
from connectors.simulators.demo.content import (
    DOMAIN,
    LANGUAGES,
    Person,
    fill_dates,
    phrases,
    read,
    read_gap,
)
from connectors.simulators.demo.hours import at_work, awake, go_back, read_zone
from connectors.simulators.demo.letters import Letter
from connectors.simulators.demo.media import document, picture
from connectors.simulators.demo.programs import FOOTERS, compose, message_id, with_trace
from connectors.simulators.demo.wire import Attachment

FIRST_TARGET = timedelta(hours=4)  # the product's default promises, in working time
NEXT_TARGET = timedelta(hours=8)
SEEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail as it lies in a mailbox."""

    mailbox: str
    content: bytes
    received_at: datetime
    flags: tuple[str, ...] = ()


def customers() -> list[tuple[Person, Mapping[str, Any]]]:
    """Everybody in the content files with what they wrote."""
    return [
        (
            Person(entry["name"], entry["address"], language, entry["client"], entry.get("signature", "")),
            entry,
        )
        for language in LANGUAGES
        for entry in read(f"customers_{language}")["customer"]
    ]


def agent(first_name: str, address: str, language: str) -> Person:
    return Person(f"{first_name}, Tasbora", address, language, "office")


def make_file(spec: str, owner: str, chance: random.Random, is_inline: bool = False) -> Attachment:
    """`photo:name.png` or `pdf:name.pdf`. Raises ValueError for another kind."""
    kind, _, name = spec.partition(":")
    content_id = f"{chance.randbytes(8).hex()}@{DOMAIN.replace('tasbora', 'inline')}" if is_inline else ""
    if kind == "photo":
        return Attachment(name, "image/png", picture(f"{owner}/{name}"), content_id)
    if kind == "pdf":
        title = name.removesuffix(".pdf").replace("-", " ").capitalize()
        lines = [owner, "", *(f"{chance.randrange(10, 99)} x {chance.randrange(1000, 9999)}" for _ in range(6))]
        return Attachment(name, "application/pdf", document(title, lines))
    raise ValueError(f"Unknown attachment {spec!r}")


def reply_subject(subject: str) -> str:
    return subject if subject[:3].lower() == "re:" else f"Re: {subject}"


def _anchor(stage: str, mails: Sequence[Mapping[str, Any]]) -> int:
    """Which mail the stage speaks of: the last one, or the first that waits for an answer."""
    if stage.startswith(("answered", "history")):
        return len(mails) - 1
    ours = [index for index, mail in enumerate(mails) if "from" in mail]
    return ours[-1] + 1 if ours else 0


def _anchored(stage: str, has_answer: bool, now: datetime, zone: tzinfo) -> datetime:
    word, _, value = stage.partition(" ")
    if word == "fresh":
        return now - timedelta(minutes=int(value))
    if word in {"due", "late"}:
        left = timedelta(minutes=int(value) if word == "due" else -int(value))
        return go_back(now, (NEXT_TARGET if has_answer else FIRST_TARGET) - left, zone)
    if word in {"answered", "history"}:
        return now - read_gap(value)
    raise ValueError(f"Unknown stage {stage!r}")


def plan_times(
    entry: Mapping[str, Any], now: datetime, zone: tzinfo, home: tzinfo, chance: random.Random
) -> list[datetime]:
    """When each mail of a conversation was written, in UTC; ascending and never later than now.

    `zone` is the shop's, `home` the customer's.
    """
    mails: Sequence[Mapping[str, Any]] = entry["mail"]
    anchor = _anchor(entry["stage"], mails)
    has_answer = any("from" in mail for mail in mails[:anchor])
    moment = _anchored(entry["stage"], has_answer, now, zone)
    if entry["stage"].startswith(("answered", "history")):
        moment -= timedelta(minutes=chance.randrange(0, 300))
        moment = at_work(moment, zone) if "from" in mails[anchor] else awake(moment, home)
    times = {anchor: moment}
    for index in range(anchor - 1, -1, -1):
        earlier = times[index + 1] - read_gap(mails[index + 1]["gap"]) - timedelta(seconds=chance.randrange(1, 59))
        times[index] = at_work(earlier, zone) if "from" in mails[index] else awake(earlier, home)
    for index in range(anchor + 1, len(mails)):
        later = times[index - 1] + read_gap(mails[index]["gap"]) + timedelta(seconds=chance.randrange(1, 59))
        # What would lie in the future was written in what is left until now, half of it each time.
        times[index] = later if later < now else times[index - 1] + (now - times[index - 1]) / 2
    return [times[index].replace(microsecond=0) for index in range(len(mails))]


class Opening:
    """Writes the opening mails. Everything in it follows from the seed, the moment and the zone."""

    def __init__(self, now: datetime, zone: str, seed: int) -> None:
        self.now = now.astimezone(UTC)
        self.zone = read_zone(zone)
        self.seed = seed

    def arrivals(self) -> list[Arrival]:
        """Oldest first, so that UIDs grow with time as they do in a mailbox that has lived."""
        made = [arrival for person, entry in customers() for arrival in self._conversation(person, entry)]
        made += self._automatic()
        return sorted(made, key=lambda arrival: arrival.received_at)

    def _conversation(self, person: Person, entry: Mapping[str, Any]) -> list[Arrival]:
        chance = random.Random(f"{self.seed}/{person.address}/{entry['subject']}")
        box = f"{entry.get('to') or phrases(person.language)['address']}@{DOMAIN}"
        home = read_zone(phrases(person.language)["zone"])
        times = plan_times(entry, self.now, self.zone, home, chance)
        parent: Letter | None = None
        made: list[Arrival] = []
        for mail, moment in zip(entry["mail"], times, strict=True):
            letter = self._letter(person, box, mail, moment, chance)
            letter.subject = mail.get("subject") or (reply_subject(entry["subject"]) if parent else entry["subject"])
            letter.parent = parent
            letter.references = (*parent.references, parent.message_id) if parent else ()
            made += self._lay(letter, box, mail, chance)
            parent = letter
        return made

    def _letter(
        self, person: Person, box: str, mail: Mapping[str, Any], moment: datetime, chance: random.Random
    ) -> Letter:
        is_ours = "from" in mail
        author = agent(mail["from"], box, person.language) if is_ours else person
        zone = self.zone if is_ours else read_zone(phrases(person.language)["zone"])
        written_at = moment.astimezone(zone)
        to = (person.name, person.address) if is_ours else (chance.choice(("Tasbora", "", "")), box)
        letter = Letter(author, to, "", fill_dates(mail["text"], written_at, person.language), written_at)
        letter.message_id = message_id(author.client, author.address, chance)
        letter.attachments = tuple(make_file(spec, person.name, chance) for spec in mail.get("attach", ()))
        if "inline" in mail:
            letter.inline = (make_file(mail["inline"], person.name, chance, True),)
        if not is_ours and author.client in FOOTERS:
            letter.footer = phrases(person.language)[FOOTERS[author.client]]
        return letter

    def _lay(self, letter: Letter, box: str, mail: Mapping[str, Any], chance: random.Random) -> list[Arrival]:
        received_at = letter.written_at.astimezone(UTC) + timedelta(seconds=chance.randrange(1, 6))
        received_at = min(received_at, self.now)
        if "from" in mail:
            return [Arrival("Sent", compose(letter, chance), received_at, ("\\Seen",))]
        boxes = [box]
        if "also_to" in mail:
            boxes.append(f"{mail['also_to']}@{DOMAIN}")
            letter.extra = (("Cc", boxes[1]),)
        content = compose(letter, chance)
        flags = ("\\Seen",) if self.now - received_at > SEEN_AFTER else ()
        sender = letter.author.address
        copies = []
        for number, target in enumerate(boxes):
            came_at = received_at + timedelta(seconds=21 * number)
            traced = with_trace(content, sender, target, format_datetime(came_at), chance)
            copies.append(Arrival("INBOX", traced, min(came_at, self.now), flags))
        return copies

    def _automatic(self) -> list[Arrival]:
        made = []
        for mailbox, age, make in automatic.OPENING:
            chance = random.Random(f"{self.seed}/automatic/{age}")
            moment = at_work(self.now - read_gap(age) - timedelta(minutes=chance.randrange(90)), self.zone)
            made.append(Arrival(mailbox, make(moment, chance), moment, ("\\Seen",)))
        return made
