"""Mail that keeps coming: the n-th further mail of a demo follows from the seed and n alone, and never runs dry."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.simulators.demo.content import DOMAIN, LANGUAGES, PRODUCTS, Person, fill_dates, phrases, read
from connectors.simulators.demo.hours import read_zone
from connectors.simulators.demo.letters import Letter
from connectors.simulators.demo.opening import customers, make_file
from connectors.simulators.demo.programs import FOOTERS, message_id

RETURNING = 0.2  # of the writers are customers who have written before
CLIENTS = ("gmail", "gmail", "android", "iphone", "iphone", "outlook", "apple", "yahoo", "samsung", "webmail")


def ascii_name(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return ".".join("".join(c for c in word if c.isalnum()) for word in plain.split())


def _stranger(chance: random.Random, language: str, words: Mapping[str, Any]) -> Person:
    name = f"{chance.choice(words['first'])} {chance.choice(words['last'])}"
    address = f"{ascii_name(name)}@{chance.choice(words['domains'])}"
    return Person(name, address, language, chance.choice(CLIENTS))


def _writer(chance: random.Random, language: str, words: Mapping[str, Any]) -> Person:
    if chance.random() >= RETURNING:
        return _stranger(chance, language, words)
    return chance.choice([person for person, _ in customers() if person.language == language])


def further_letter(number: int, seed: int, now: datetime) -> Letter:
    """The n-th mail of the pool, written a few seconds before `now`. Its first line is a greeting, its last a name."""
    chance = random.Random(f"{seed}/pool/{number}")
    language = LANGUAGES[chance.randrange(len(LANGUAGES))]
    words = read(f"pool_{language}")
    person = _writer(chance, language, words)
    topic = chance.choice(words["topic"])
    slots = {
        "product": chance.choice(topic.get("products", PRODUCTS)),
        "order": f"TB-{chance.randrange(20100, 20999)}",
        "colour": chance.choice(words["colours"]),
        "n": str(chance.randrange(3, 60)),
    }

    def said(kind: str) -> str:
        text = str(chance.choice(topic[kind]))
        for name, value in slots.items():
            text = text.replace("{" + name + "}", value)
        return text

    more = f" {said('more')}" if chance.random() < 0.75 or "attach" in topic else ""
    middle = chance.choice((" ", "\n\n"))
    text = f"{chance.choice(words['greetings'])}\n\n{said('open')}{more}{middle}{said('ask')}\n\n"
    text += f"{chance.choice(words['closings'])}\n{person.name.split()[0] if chance.random() < 0.5 else person.name}"
    written_at = now.astimezone(read_zone(phrases(language)["zone"])).replace(microsecond=0)
    box = f"{topic.get('to') or phrases(language)['address']}@{DOMAIN}"
    letter = Letter(person, ("", box), said("subjects"), fill_dates(text, written_at, language), written_at)
    letter.message_id = message_id(person.client, person.address, chance)
    letter.attachments = tuple(make_file(spec, f"{person.name}/{number}", chance) for spec in topic.get("attach", ()))
    letter.footer = phrases(language)[FOOTERS[person.client]] if person.client in FOOTERS else ""
    return letter
