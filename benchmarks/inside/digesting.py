"""From the shelf into the inbox and the index: SIZE mails, or as many posts of a social network. KIND SIZE."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.corpus import Corpus
from benchmarks.inside import setup
from connectors.messages import Page, RawItem, Scope
from inbox import accounts, shelf
from inbox.ingest import digest_due, parsing
from inbox.models import Account, Conversation, Message

PAGE = 200
WORDS = ("late", "parcel", "broken", "zip", "refund", "where", "order", "please", "thank", "again", "shipping", "size")
US = {"id": "1", "handle": "shop@square.example", "name": "Shop", "uri": "https://square.example/users/shop"}


def main() -> None:
    kind, size = sys.argv[1], int(sys.argv[2])
    account, items = _social(size) if kind == "social" else _mail(size)
    page: list[RawItem] = []
    for item in items:
        page.append(item)
        if len(page) == PAGE:
            shelf.put(account.id, Page(tuple(page)), held=None, now=datetime.now(UTC))
            page = []
    shelf.put(account.id, Page(tuple(page)), held=None, now=datetime.now(UTC))
    watch, peak, taken = setup.Watch(), setup.Peak(), 0
    while found := digest_due(2000, datetime.now(UTC)).taken:
        taken += found
    parsing.close()
    found_all = watch.read() | peak.read()
    counts = {"messages": Message.objects.count(), "conversations": Conversation.objects.count()}
    setup.answer(found_all | counts | {"taken": taken})


def _mail(size: int) -> tuple[Account, Iterator[RawItem]]:
    wire = {"scheme": "imap", "host": "127.0.0.1", "port": 1, "user": "u"}
    account = setup.connect(json.dumps({"imap": wire, "smtp": {**wire, "scheme": "smtp"}}), "secret")
    mails = enumerate(Corpus().mails(size), 1)
    return account, (
        RawItem(Scope("INBOX", "1"), str(number), one.received_at, len(one.content), one.content)
        for number, one in mails
    )


def _social(size: int) -> tuple[Account, Iterator[RawItem]]:
    now = datetime.now(UTC)
    account = accounts.connect(
        kind="mastodon",
        name="square",
        address=US["handle"],
        settings_={"base_url": "https://square.example"},
        secrets={},
        cut_at=now - timedelta(days=400),
        now=now,
        external_id=US["uri"],
    )
    return account, _posts(size, now)


def _posts(size: int, now: datetime) -> Iterator[RawItem]:
    """Mentions, a third of them answers in a thread; some edited, some boosted, some deleted."""
    chance = random.Random(size)
    threads: list[dict[str, Any]] = []
    for number in range(1, size + 1):
        at = now - timedelta(minutes=size - number)
        roll = chance.random()
        if threads and roll < 0.05:
            carried = {
                "id": f"n{number}",
                "type": "reblog",
                "account": _account(chance),
                "status": chance.choice(threads),
            }
            yield _item(f"notification {number}", "0", at, {"notification": {**carried, "created_at": at.isoformat()}})
        elif threads and roll < 0.07:
            gone = chance.choice(threads)["uri"]
            yield _item(f"{number} {gone}", "gone", at, {"gone": gone})
        else:
            parent = chance.choice(threads[-200:]) if threads and roll < 0.4 else None
            text = " ".join(chance.choice(WORDS) for _ in range(chance.randint(8, 45)))
            status = _status(number, at, _account(chance), text, parent)
            threads.append(status)
            told = {"id": f"n{number}", "type": "mention", "account": status["account"], "status": status}
            above = [parent] if parent else []
            yield _item(f"{number} {status['uri']}", "0", at, {"notification": told, "ancestors": above})


def _account(chance: random.Random) -> dict[str, Any]:
    number = chance.randint(1, 4000)
    return {
        "id": str(number), "acct": f"person{number}", "username": f"person{number}", "display_name": f"Person {number}",
        "url": f"https://square.example/@person{number}", "uri": f"https://square.example/users/person{number}",
        "note": "<p>Likes long walks.</p>", "followers_count": number % 977, "following_count": 12,
        "statuses_count": 345, "created_at": "2020-01-02T00:00:00.000Z", "bot": False, "locked": False,
    }  # fmt: skip


def _status(number: int, at: datetime, who: dict[str, Any], text: str, parent: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": str(number), "uri": f"{who['uri']}/statuses/{number}", "url": f"{who['url']}/{number}",
        "created_at": at.isoformat(), "edited_at": None, "account": who, "visibility": "public", "spoiler_text": "",
        "content": f"<p>{text} <a href='https://square.example/@shop' class='u-url mention'>@shop</a></p>",
        "language": "en", "media_attachments": [], "mentions": [{"id": "1", "acct": "shop", "url": "https://square.example/@shop"}],
        "in_reply_to_id": parent["id"] if parent else None, "tags": [], "emojis": [], "sensitive": False,
        "in_reply_to_account_id": parent["account"]["id"] if parent else None,
    }  # fmt: skip


def _item(key: str, version: str, at: datetime, data: dict[str, Any]) -> RawItem:
    content = json.dumps({**data, "us": {**US, "domain": "square.example", "server": "square.example"}}).encode()
    return RawItem(Scope("mentions"), key, at, len(content), content, version=version)


if __name__ == "__main__":
    main()
