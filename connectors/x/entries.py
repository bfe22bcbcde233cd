"""What X's answers hold, taken apart into raw items that can each be read alone, and safe ways to read what is in them.

https://docs.x.com/x-api/fundamentals/data-dictionary and …/expansions: entries in `data`, whatever they refer to once
in `includes`. X is renaming its fields (`referenced_tweets` → `referenced_posts`, `edit_history_tweet_ids` → …): the
documentation uses one vocabulary and X's own SDK the other, so both are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.messages import RawItem, Scope

MENTIONS, OWN, QUOTES, DIRECTS = Scope("mentions"), Scope("own"), Scope("quotes"), Scope("dms")
CONTEXT = Scope("context")  # what mentions answer, by others
REPLIES = Scope("replies")  # in conversations of ours, to somebody else: found with the quotes
GONE = "gone"
DIRECT_PREFIX = "dm-"
_OTHER_NAMES = {
    "referenced_tweets": "referenced_posts",
    "edit_history_tweet_ids": "edit_history_post_ids",
    "note_tweet": "note_post",
    "tweets": "posts",
}
# What moves by itself: the same version of a post is the same to the byte whenever it is read.
_MOVING = {"public_metrics", "edit_controls", "non_public_metrics", "organic_metrics", "promoted_metrics"}
_STEADY_COUNTS = ("followers_count", "following_count")  # of people, for who reads it wants to know how far it goes
_MOST = 200  # entries of any list within an entry


def text_of(data: Mapping[str, Any], name: str) -> str:
    """ "" for whatever is no text. NUL and lone halves of characters, which no database keeps, become U+FFFD."""
    value = data.get(name)
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def id_of(data: Mapping[str, Any], name: str = "id") -> str:
    """https://docs.x.com/fundamentals/x-ids: digits in a text, at most 19."""
    value = data.get(name)
    return value if isinstance(value, str) and is_id(value) else ""


def is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 19


def count_of(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def part_of(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name, data.get(_OTHER_NAMES.get(name, "")))
    return value if isinstance(value, dict) else {}


def rows_of(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = data.get(name, data.get(_OTHER_NAMES.get(name, "")))
    return [one for one in value[:_MOST] if isinstance(one, dict)] if isinstance(value, list) else []


def ids_of(data: Mapping[str, Any], name: str) -> list[str]:
    value = data.get(name, data.get(_OTHER_NAMES.get(name, "")))
    return [one for one in value[:_MOST] if isinstance(one, str) and one] if isinstance(value, list) else []


def time_of(data: Mapping[str, Any], name: str = "created_at") -> datetime | None:
    try:
        found = datetime.fromisoformat(text_of(data, name)[:40])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def history_of(post: Mapping[str, Any]) -> list[str]:
    """Ids of all versions, the first one first (https://docs.x.com/x-api/fundamentals/edit-posts)."""
    ids = sorted({one for one in ids_of(post, "edit_history_tweet_ids") if is_id(one)}, key=int)
    return ids or [id_of(post)]


def reference_of(post_id: str) -> str:
    return f"x:{post_id}" if post_id else ""


def referenced_id(post: Mapping[str, Any], kind: str) -> str:
    """`kind`: replied_to | quoted | retweeted."""
    return next((id_of(one) for one in rows_of(post, "referenced_tweets") if one.get("type") == kind), "")


def canonical(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")


def version_of(post_id: str) -> str:
    """Versions compare as texts."""
    return post_id.zfill(20)


def _still(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in _MOVING}


def _person(user: Mapping[str, Any]) -> dict[str, Any]:
    numbers = part_of(user, "public_metrics")
    kept = {name: numbers[name] for name in _STEADY_COUNTS if name in numbers}
    return {**_still(user), **({"public_metrics": kept} if kept else {})}


# --- Raw items ------------------------------------------------------------------------------------------------------


class Includes:
    """Everything that an answer's entries refer to, by kind and key."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        included = part_of(answer, "includes")
        self._found: dict[str, dict[str, Mapping[str, Any]]] = {}
        for name, key in (("users", "id"), ("media", "media_key"), ("polls", "id"), ("tweets", "id")):
            rows = included.get(name, included.get(_OTHER_NAMES.get(name, "")))
            rows = rows if isinstance(rows, list) else []
            keep = _person if name == "users" else _still
            self._found[name] = {str(one.get(key)): keep(one) for one in rows if isinstance(one, dict)}

    def add(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        self._found[name].update({str(one.get("id")): _still(one) for one in rows})

    def add_all(self, others: Includes, posts: Iterable[Mapping[str, Any]]) -> None:
        """Posts, with what they refer to."""
        for name, rows in others._found.items():
            self._found[name].update(rows)
        self.add("tweets", posts)

    def of(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Only what this entry and the posts that it refers to need."""
        posts = [self._found["tweets"].get(id_of(one)) for one in rows_of(entry, "referenced_tweets")]
        whole = [entry, *(post for post in posts if post)]
        wanted: dict[str, list[str]] = {"users": [], "media": [], "polls": []}
        for one in whole:
            wanted["users"] += [id_of(one, "author_id"), id_of(one, "sender_id"), *ids_of(one, "participant_ids")]
            wanted["media"] += ids_of(part_of(one, "attachments"), "media_keys")
            wanted["polls"] += ids_of(part_of(one, "attachments"), "poll_ids")
        found: dict[str, Any] = {
            name: [self._found[name][key] for key in dict.fromkeys(keys) if key in self._found[name]]
            for name, keys in wanted.items()
        }
        found["tweets"] = [post for post in posts if post]
        return {name: rows for name, rows in found.items() if rows}


def post_item(scope: Scope, post: Mapping[str, Any], includes: Includes, *, is_sent: bool, now: datetime) -> RawItem:
    content = canonical({"data": _still(post), "includes": includes.of(post)})
    history = history_of(post)
    return RawItem(
        scope,
        history[0],
        time_of(post) or now,
        len(content),
        content,
        version=version_of(id_of(post)),
        is_sent=is_sent,
    )


def direct_item(event: Mapping[str, Any], includes: Includes, *, our_id: str, now: datetime) -> RawItem:
    content = canonical({"data": event, "includes": includes.of(event)})
    return RawItem(
        DIRECTS,
        DIRECT_PREFIX + id_of(event),
        time_of(event) or now,
        len(content),
        content,
        is_sent=bool(our_id) and id_of(event, "sender_id") == our_id,
    )


def tombstone(post_id: str, sentence: str, now: datetime) -> RawItem:
    content = canonical({"gone": post_id, "sentence": sentence})
    return RawItem(MENTIONS, post_id, now, len(content), content, version=GONE)
