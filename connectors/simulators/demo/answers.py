"""What a simulated customer writes back to an answer that came over SMTP, in their language, quoting it."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import parseaddr

from connectors.simulators.demo.content import PRODUCTS, Person, fill_dates, phrases, read
from connectors.simulators.demo.hours import read_zone
from connectors.simulators.demo.letters import Letter
from connectors.simulators.demo.opening import reply_subject
from connectors.simulators.demo.programs import FOOTERS, message_id

TEXT_CAP = 20_000
REFERENCES_CAP = 30

_QUOTED = re.compile(r"^>.*$", re.MULTILINE)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What Balas sent, as far as a customer's mail program needs it."""

    message_id: str
    references: tuple[str, ...]
    sender: tuple[str, str]
    subject: str
    text: str
    sent_at: datetime

    @property
    def thread(self) -> str:
        return self.references[0] if self.references else self.message_id

    @property
    def new_text(self) -> str:
        return _QUOTED.sub("", self.text)


def _ids(value: object) -> list[str]:
    return re.findall(r"<([^<>\s]{1,500})>", str(value or ""))


def read_outgoing(content: bytes, accepted_at: datetime) -> Outgoing:
    mail = message_from_bytes(content, policy=policy.default)
    body = mail.get_body(("plain", "html"))
    text = ""
    if body is not None:
        try:
            text = str(body.get_content())
        except (LookupError, UnicodeError):
            text = ""
        if body.get_content_subtype() == "html":
            text = _TAG.sub("", text)
    name, address = parseaddr(str(mail["From"] or ""))
    replied = [*_ids(mail["References"]), *_ids(mail["In-Reply-To"])[:1]]
    own = _ids(mail["Message-ID"])
    return Outgoing(
        own[0] if own else "",
        tuple(dict.fromkeys(replied))[-REFERENCES_CAP:],
        (name, address),
        str(mail["Subject"] or ""),
        text[:TEXT_CAP].replace("\r\n", "\n").strip(),
        accepted_at.astimezone(UTC),
    )


def choose_kind(outgoing: Outgoing, earlier: Sequence[str], chance: random.Random) -> str:
    """thanks | more | info, or "" when nothing is left to say. `earlier` are the kinds given in this thread."""
    asks = "?" in outgoing.new_text
    if earlier and earlier[-1] == "thanks":
        return "info" if asks else ""
    if asks and chance.random() < 0.8:
        return "info"
    return "thanks" if chance.random() < (0.55 if not earlier else 0.8) else "more"


def is_away(person: Person) -> bool:
    return person.address in read("answers")["away"]


def answer(person: Person, outgoing: Outgoing, kind: str, now: datetime, chance: random.Random) -> Letter:
    """The customer's next mail: a proper reply whose References go on from ours."""
    words, language = read("answers")[person.language], person.language
    written_at = now.astimezone(read_zone(phrases(language)["zone"])).replace(microsecond=0)
    text = str(chance.choice(words[kind]))
    slots = {
        "agent": re.split(r"[\s,]", outgoing.sender[0].strip() or "Tasbora")[0],
        "product": chance.choice(PRODUCTS),
        "order": f"TB-{chance.randrange(20100, 20999)}",
        "city": chance.choice(words["cities"]),
        "colour": chance.choice(read(f"pool_{language}")["colours"]),
        "n": str(chance.randrange(2, 40)),
        "label": f"KLN-{chance.randrange(100, 999):04d}-{chance.randrange(10, 99)}",
    }
    for name, value in slots.items():
        text = text.replace("{" + name + "}", value)
    signed = f"{text}\n\n{person.name.split()[0]}" if chance.random() < 0.6 else text
    letter = Letter(
        person, outgoing.sender, reply_subject(outgoing.subject), fill_dates(signed, written_at, language), written_at
    )
    letter.message_id = message_id(person.client, person.address, chance)
    letter.references = (*outgoing.references, outgoing.message_id) if outgoing.message_id else ()
    us = Person(outgoing.sender[0] or outgoing.sender[1], outgoing.sender[1], language, "office")
    sent_at = outgoing.sent_at.astimezone(written_at.tzinfo)
    letter.parent = Letter(us, (person.name, person.address), outgoing.subject, outgoing.text, sent_at)
    letter.footer = phrases(language)[FOOTERS[person.client]] if person.client in FOOTERS else ""
    return letter
