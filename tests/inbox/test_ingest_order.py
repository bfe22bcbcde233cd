"""However mail arrives, the inbox is the same."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest
from django.db import transaction

from connectors.messages import RawItem
from tests.builders import INBOX, NOW, SENT, digest_all, make_account, make_item, make_mail, put
from tests.inbox.inbox_picture import assert_sums_hold, take_picture

pytestmark = pytest.mark.django_db

OURS = "support@balas.example"
PEOPLE = ["ana@shop.example", "bob@shop.example", "cleo@shop.example"]
HOUR = timedelta(hours=1)


ROBOTS = [
    {"Auto-Submitted": "auto-replied"},
    {"List-Unsubscribe": "<mailto:off@shop.example>"},
    {"List-Id": "<talk.lists.example>", "List-Post": "<mailto:talk@lists.example>"},
    {"List-Id": "<help.balas.example>", "List-Post": "<mailto:help@balas.example>"},  # a group of ours: a person
]


def make_correspondence(seed: int) -> list[RawItem]:
    """A few threads as they really grow: answers, copies, forwards, strangers, robots, mail without a name, doubles."""
    chance, robots = random.Random(seed), random.Random(f"{seed}/robots")
    sent: list[tuple[str, str, list[str]]] = []  # (message id, author, its references)
    items: list[RawItem] = []
    for number in range(chance.randint(4, 12)):
        at = NOW - timedelta(days=20) + number * timedelta(days=chance.choice([1, 2, 3])) + number * HOUR
        message_id = f"{seed}-{number}@mail.example" if chance.random() < 0.9 else ""
        is_ours = chance.random() < 0.35
        author = OURS if is_ours else chance.choice(PEOPLE)
        to = chance.choice(PEOPLE) if is_ours else OURS
        cc = chance.choice([*PEOPLE, OURS, ""]) if chance.random() < 0.4 else ""
        head = {}
        if sent and chance.random() < 0.8:
            parent, writer, before = chance.choice(sent)
            head = {"in_reply_to": parent, "references": [*before, parent] if chance.random() < 0.7 else []}
            if is_ours and chance.random() < 0.8:
                to = writer
        headers = robots.choice(ROBOTS) if not is_ours and chance.random() < 0.15 else {}
        mail = make_mail(
            f"Mail {number} of {seed}\n",
            author=author if is_ours else f"{author.partition('@')[0].title()} <{author}>",
            to=to,
            cc=cc,
            message_id=message_id,
            subject=f"Subject {number}",
            at=at,
            headers=headers,
            **head,
        )
        if message_id:
            sent.append((message_id, author, list(head.get("references", []))))
        items.append(make_item(mail, scope=SENT if is_ours else INBOX, uid=number + 1, at=at))
        if is_ours and OURS in cc:
            items.append(make_item(mail, scope=INBOX, uid=number + 1, at=at))
        if chance.random() < 0.1:
            items.append(make_item(mail, scope=items[-1].scope, uid=number + 100, at=at))
    return items


class Undone(Exception):
    """Ends a transaction that shall leave nothing."""


def picture_of(batches: list[list[RawItem]]) -> list[dict[str, object]]:
    try:
        with transaction.atomic():
            account = make_account(cut_at=NOW - timedelta(days=10))
            for batch in batches:
                put(account, *batch)
                digest_all()
            assert_sums_hold()
            picture = take_picture()
            raise Undone
    except Undone:
        return picture


@pytest.mark.parametrize("seed", range(400 if os.environ.get("BALAS_SOAK") else 25))
def test_any_order_of_arrival_gives_the_same_inbox(seed):
    items = make_correspondence(seed)
    in_order = picture_of([[item] for item in items])
    chance = random.Random(seed)
    assert picture_of([items]) == in_order
    assert picture_of([[item] for item in reversed(items)]) == in_order
    for _ in range(3):
        chance.shuffle(items)
        batches = [[] for _ in range(chance.randint(1, len(items)))]
        for item in items:
            chance.choice(batches).append(item)
        assert picture_of(batches) == in_order
