"""Posts for the pages: an account on X, and what somebody wrote to it, as its row keeps it."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from connectors.messages import RawItem, Scope
from connectors.social import Connected, Post, Profile, plain
from inbox import connecting, people
from inbox.models import Account, Message, Team
from tests.builders import receive
from tests.web.conftest import House

_numbers = itertools.count(1_860_000_000_000_000_001)
US = "900000000000000001"


def x_account(house: House, name: str = "tasbora", id: str = US) -> Account:
    """Readable by the support team."""
    found = Connected(name, "Tasbora", {"user_id": id, "handle": name}, {"access_token": "sealed-and-unseen"}, id)
    now = timezone.now()
    account = connecting.keep("x", found, actor="cli", cut_at=house.support.cut_at, now=now)
    people.let_read(Team.objects.get(name="Support"), account, now)
    return account


def mention(
    account: Account, text: str, *, who: str = "corin", followers: int = 48_200, post: Post | None = None
) -> Message:
    """Somebody mentions us. `post` replaces what the row keeps of it: what X itself does not know."""
    id, author, now = str(next(_numbers)), f"7{abs(hash(who)) % 10**12:012}", timezone.now()
    words = f"@{account.address} {text}"
    user = {
        "id": author,
        "username": who,
        "name": who.capitalize(),
        "description": "Film, food, football.",
        "created_at": "2019-03-04T10:00:00.000Z",
        "verified": True,
        "public_metrics": {"followers_count": followers, "following_count": 3, "tweet_count": 4120, "listed_count": 0},
    }
    data: dict[str, Any] = {
        "id": id,
        "text": words,
        "author_id": author,
        "conversation_id": id,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "edit_history_tweet_ids": [id],
        "reply_settings": "everyone",
        "entities": {
            "mentions": [{"start": 0, "end": len(account.address) + 1, "username": account.address, "id": US}]
        },
    }
    content = json.dumps({"data": data, "includes": {"users": [user]}}).encode()
    receive(account, RawItem(Scope("mentions"), id, now, len(content), content), now=now)
    message = Message.objects.get(kind="x", text__contains=text)
    if post is not None:
        message.enclosed = {"post": plain(post)}
        message.save(update_fields=["enclosed"])
    return message


def profile(**facts: Any) -> Profile:
    return Profile(**{"handle": "corin", "name": "Corin", "followers": 48_200, **facts})
