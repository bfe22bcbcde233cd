"""Who wrote a post and what hangs on it: https://docs.x.com/x-api/fundamentals/data-dictionary (user, media, poll)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.messages import Address
from connectors.social import Media, Poll, Profile
from connectors.x.entries import count_of, id_of, ids_of, part_of, rows_of, text_of
from connectors.x.wording import plain, with_links

_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, UTC)  # https://docs.x.com/fundamentals/x-ids
_KINDS = {"photo": "image", "video": "video", "animated_gif": "gif"}


@dataclass(frozen=True, slots=True)
class Us:
    """Our account there. Either may be "" before the first log-in."""

    id: str
    handle: str
    name: str = ""

    @property
    def address(self) -> Address:
        return Address(self.handle or self.id, self.name, self.id)


def time_of_id(post_id: str) -> datetime | None:
    """When a post with this id was made; None for an id that is no snowflake."""
    if not post_id.isdecimal() or not 0 < int(post_id) < 2**63:
        return None
    found = _EPOCH + timedelta(milliseconds=int(post_id) >> 22)
    return found if found > _EPOCH + timedelta(days=30) else None


def id_at(moment: datetime) -> int:
    """Every post made before this moment has a lower id."""
    return max(0, int((moment - _EPOCH).total_seconds() * 1000)) << 22


def person_of(includes: Mapping[str, Any], user_id: str) -> Mapping[str, Any]:
    return next((one for one in rows_of(includes, "users") if user_id and id_of(one) == user_id), {})


def address_of(person: Mapping[str, Any], user_id: str, us: Us) -> Address:
    handle = text_of(person, "username")
    if not handle and user_id and user_id == us.id:
        return us.address
    return Address(handle or user_id, text_of(person, "name")[:200], user_id)


def profile_of(person: Mapping[str, Any]) -> Profile:
    numbers = part_of(person, "public_metrics")
    badge = text_of(person, "verified_type")
    is_verified = person.get("verified")
    return Profile(
        handle=text_of(person, "username")[:50],
        name=text_of(person, "name")[:200],
        bio=_plain_bio(person),
        url=_own_site(person),
        avatar_url=text_of(person, "profile_image_url")[:1000],
        followers=count_of(numbers, "followers_count"),
        following=count_of(numbers, "following_count"),
        posts=count_of(numbers, "tweet_count") if "tweet_count" in numbers else count_of(numbers, "post_count"),
        is_verified=is_verified if isinstance(is_verified, bool) else (badge != "none" if badge else None),
        is_protected=person.get("protected") is True,
        since=text_of(person, "created_at")[:40],
    )


def _plain_bio(person: Mapping[str, Any]) -> str:
    links = rows_of(part_of(part_of(person, "entities"), "description"), "urls")
    return with_links(plain(text_of(person, "description")[:1000]), links)[:2000]


def _own_site(person: Mapping[str, Any]) -> str:
    links = rows_of(part_of(part_of(person, "entities"), "url"), "urls")
    whole = next((text_of(one, "expanded_url") for one in links if text_of(one, "expanded_url")), "")
    return (whole or text_of(person, "url"))[:1000]


def media_of(entry: Mapping[str, Any], includes: Mapping[str, Any]) -> tuple[Media, ...]:
    known = {text_of(one, "media_key"): one for one in rows_of(includes, "media")}
    found = []
    for key in ids_of(part_of(entry, "attachments"), "media_keys")[:20]:
        one = known.get(key, {})
        kind = _KINDS.get(text_of(one, "type"), "other")
        url, content_type = text_of(one, "url"), ""
        if kind in {"video", "gif"}:
            url, content_type = _best_variant(one)
        found.append(
            Media(
                kind,
                url[:2000],
                text_of(one, "preview_image_url")[:2000],
                text_of(one, "alt_text")[:4000],
                content_type[:100],
                count_of(one, "width") or 0,
                count_of(one, "height") or 0,
            )
        )
    return tuple(found)


def _best_variant(media: Mapping[str, Any]) -> tuple[str, str]:
    """The film of the highest quality that a browser plays by itself."""
    films = [one for one in rows_of(media, "variants") if text_of(one, "content_type") == "video/mp4"]
    best = max(films, key=lambda one: count_of(one, "bit_rate") or 0, default={})
    return text_of(best, "url"), text_of(best, "content_type")


def poll_of(entry: Mapping[str, Any], includes: Mapping[str, Any]) -> Poll | None:
    wanted = ids_of(part_of(entry, "attachments"), "poll_ids")
    poll = next((one for one in rows_of(includes, "polls") if one.get("id") in wanted), None)
    if poll is None:
        return None
    choices = [
        (text_of(one, "label")[:200], votes if (votes := count_of(one, "votes")) is not None else -1)
        for one in rows_of(poll, "options")[:20]
    ]
    return Poll(tuple(choices), text_of(poll, "end_datetime")[:40])
