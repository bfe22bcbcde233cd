"""Mail whose reference graphs are those of real correspondence, as twelve kinds of programs would have written it.

A conversation is a tree. Its paths have the lengths of reference chains found in real mail (the mails of
tests/corpora.py, and public lists of 2009 to 2024: git, linux-mm, linux-mips, linux-media, linux-kernel, cygwin), its
branches begin where two of those chains part. Then it is damaged as the world does it: parents are lost, chains are
cut, ids broken, mails come twice or without an id.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

# Ancestors named by one real mail each: 0 opens a conversation.
REAL_CHAINS = (0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 11)
LONG_PAST = (60, 120, 240)  # ids of an exchange that had gone on for months
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
PEOPLE = ("ana", "bob", "cleo", "dan", "eve", "fay", "gus", "hal")


@dataclass(slots=True)
class Node:
    id: str
    path: tuple[str, ...]  # ids of its ancestors, oldest first
    author: str
    at: datetime
    headers: list[str] = field(default_factory=list)


Style = Callable[[Sequence[str], random.Random], list[str]]


def _ids(ids: Sequence[str], by: str = " ") -> str:
    return by.join(f"<{one}>" for one in ids)


def gmail(path: Sequence[str], _chance: random.Random) -> list[str]:
    return [f"References: {_ids(path, chr(10) + ' ')}", f"In-Reply-To: <{path[-1]}>"]


def outlook(path: Sequence[str], chance: random.Random) -> list[str]:
    index = f"Thread-Index: {chance.getrandbits(176):044x}"
    return [f"In-Reply-To: <{path[-1]}>", f"References: {_ids(path)}", index, "Thread-Topic: My order"]


def old_exchange(path: Sequence[str], chance: random.Random) -> list[str]:
    return [f"In-Reply-To: <{path[-1]}>", f"Thread-Index: {chance.getrandbits(176):044x}"]


def apple(path: Sequence[str], _chance: random.Random) -> list[str]:
    return [f"In-Reply-To: <{path[-1]}>", f"References: {_ids(path, chr(10) + chr(9))}"]


def thunderbird(path: Sequence[str], _chance: random.Random) -> list[str]:
    return [f"References: {_ids(path)}", f"In-Reply-To: <{path[-1]}>"]


def gnus(path: Sequence[str], _chance: random.Random) -> list[str]:
    comment = '(Ana Pop\'s message of "Wed\\, 18 Nov 2026 09\\:23\\:21 -0500")'
    return [f"References: {_ids(path, chr(10) + chr(9))}", f"In-Reply-To: <{path[-1]}> {comment}"]


def old_mutt(path: Sequence[str], _chance: random.Random) -> list[str]:
    return [f"In-Reply-To: <{path[-1]}>; from ana@shop.example on Wed, Nov 18, 2026 at 09:23:21AM -0500"]


def notes(path: Sequence[str], _chance: random.Random) -> list[str]:
    return [f"In-Reply-To: <{path[-1]}>", f"References: <{path[-1]}>"]


def eudora(path: Sequence[str], _chance: random.Random) -> list[str]:
    return [f'In-Reply-To: Your message of "Wed, 18 Nov 2026 09:23:21 -0500" <{path[-1]}>']


def yahoo(path: Sequence[str], _chance: random.Random) -> list[str]:
    return [f"References: {_ids(path)}"]


def with_commas(path: Sequence[str], _chance: random.Random) -> list[str]:
    return [f"References: {_ids(path, ',')}", f"In-Reply-To: <{path[-1]}>"]


def cut_short(path: Sequence[str], chance: random.Random) -> list[str]:
    """A line cut by a server in the middle of an id, and a chain of which only the ends are left."""
    kept = [*path[:1], *path[-3:]] if len(path) > 4 else list(path)
    broken = f"<{path[0][: chance.randint(3, 9)]} " if len(path) > 1 and chance.random() < 0.3 else ""
    return [f"References: {broken}{_ids(kept)}", f"In-Reply-To: <{path[-1]}>"]


STYLES: tuple[Style, ...] = (
    gmail, outlook, old_exchange, apple, thunderbird, gnus, old_mutt, notes, eudora, yahoo, with_commas, cut_short,
)  # fmt: skip


def make_tree(seed: int) -> list[Node]:
    """One conversation, parents first, nothing lost yet."""
    chance = random.Random(seed)
    style_of = {person: chance.choice(STYLES) for person in PEOPLE}
    past = tuple(f"past-{seed}-{n}@old.example" for n in range(chance.choice(LONG_PAST))) if seed % 40 == 0 else ()
    nodes: dict[tuple[int, ...], Node] = {}
    places: list[tuple[int, ...]] = [()]
    at = START + timedelta(minutes=7 * seed)
    for _ in range(chance.randint(1, 4)):
        start = chance.choice(places)
        for _step in range(chance.choice(REAL_CHAINS) + 1 - (len(start) > 0)):
            place = start if not start and () not in nodes else (*start, chance.randint(0, 10**6))
            if place in nodes:
                continue
            path = past + tuple(nodes[place[:n]].id for n in range(len(place)))
            author = chance.choice(PEOPLE)
            at += timedelta(minutes=chance.randint(1, 600))
            node = Node(f"{seed}.{len(nodes)}.{chance.getrandbits(48):x}@{author}.example", path, author, at)
            node.headers = style_of[author](path, chance) if path else []
            nodes[place] = node
            places.append(place)
            start = place
    return list(nodes.values())


def make_mails(trees: int, seed: int = 7) -> list[bytes]:
    """All of them in a random order, about a fifth of the mails lost, some twice, some without an id."""
    chance = random.Random(seed)
    mails: list[bytes] = []
    for number in range(trees):
        for node in make_tree(number):
            if chance.random() < 0.2:
                continue
            mails.append(as_mail(node, has_id=chance.random() > 0.02))
            if chance.random() < 0.02:
                mails.append(b"Received: from elsewhere.example\n" + mails[-1])
    chance.shuffle(mails)
    return mails


def is_broken(mail: bytes) -> bool:
    """Whether its References hold an id that never ends."""
    return any(
        line.startswith(b"References: <") and b" <" in line.partition(b">")[0][13:] for line in mail.splitlines()
    )


def as_mail(node: Node, *, has_id: bool = True) -> bytes:
    lines = [
        f"From: {node.author.title()} <{node.author}@{node.author}.example>",
        "To: Support <support@balas.example>",
        f"Subject: {'Re: ' if node.path else ''}My order",
        f"Date: {format_datetime(node.at)}",
        *([f"Message-ID: <{node.id}>"] if has_id else []),
        *node.headers,
        "",
        f"Words of {node.id}",
        "",
    ]
    return "\n".join(lines).encode()
