"""Raw items into messages: posts, direct messages, tombstones. Pure and bounded; unknown and odd fields do no harm.

https://docs.x.com/x-api/fundamentals/data-dictionary (posts, people, media, polls),
https://docs.x.com/x-api/direct-messages/lookup/integrate (events).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.messages import (
    Address,
    Flag,
    Parsed,
    ParsedDeletion,
    ParsedMessage,
    ParsedReach,
    Passage,
    RawItem,
    Recipient,
)
from connectors.social import Post, Quoted, Standing, Visibility
from connectors.x import entries, people
from connectors.x.entries import id_of, part_of, reference_of, referenced_id, rows_of, text_of, time_of
from connectors.x.people import Us
from connectors.x.wording import addressed_length, handle_in_link, mentions, words_of

CAP = 2 * 1024 * 1024
SITE = "https://x.com"


def parse(item: RawItem, us: Us) -> Parsed:
    """Of everything but the outbox, whose bytes are ours (connectors.x.frozen)."""
    content = content_of(item)
    data = read_object(content)
    if data is None:
        return unreadable(item, content)
    if item.version == entries.GONE or "gone" in data:
        return ParsedDeletion(reference_of(id_of(data, "gone") or item.external_id), text_of(data, "sentence")[:300])
    entry = part_of(data, "data")
    if not id_of(entry):
        return unreadable(item, content)
    includes = part_of(data, "includes")
    if "event_type" in entry or "dm_conversation_id" in entry:
        return _direct(item, entry, includes, us, content)
    return _post(item, entry, includes, us, content)


def content_of(item: RawItem, cap: int = CAP) -> bytes:
    """One byte more than the cap tells that there is more."""
    if item.content is not None:
        return item.content[: cap + 1]
    if item.path is None:
        return b""
    with item.path.open("rb") as file:
        return file.read(cap + 1)


def read_object(content: bytes, cap: int = CAP) -> dict[str, Any] | None:
    if len(content) > cap:
        return None
    try:
        data = json.loads(content, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def unreadable(item: RawItem, content: bytes) -> ParsedMessage:
    """With as much of its text as there is."""
    text = content[:4000].decode("utf-8", "replace").replace("\0", "\ufffd")
    is_direct = item.external_id.startswith(entries.DIRECT_PREFIX)
    own = item.external_id.removeprefix(entries.DIRECT_PREFIX)
    return ParsedMessage(
        author=Address(""),
        recipients=(),
        subject="",
        text=text,
        visible_text=text,
        written_at=None,
        message_id=f"x:dm:{own}" if is_direct else reference_of(own),
        flags=(Flag.UNREADABLE,) + ((Flag.TRUNCATED,) if len(content) > 4000 else ()),
        raw_sha256=hashlib.sha256(content).hexdigest(),
    )


# --- Posts ----------------------------------------------------------------------------------------------------------


def _post(
    item: RawItem, post: Mapping[str, Any], includes: Mapping[str, Any], us: Us, content: bytes
) -> ParsedMessage | ParsedReach:
    author_id = id_of(post, "author_id")
    person = people.person_of(includes, author_id)
    author = people.address_of(person, author_id, us)
    carried = referenced_id(post, "retweeted")
    if carried:
        followers = people.profile_of(person).followers or 0
        return ParsedReach(reference_of(carried), author, "repost", followers, time_of(post))
    history, own_id = entries.history_of(post), id_of(post)
    parent, quoted = referenced_id(post, "replied_to"), referenced_id(post, "quoted")
    text = words_of(post, hidden_id=quoted)
    skipped = addressed_length(text) if parent else 0
    conversation = id_of(post, "conversation_id") or history[0]
    is_ours = item.is_sent or (bool(us.id) and author_id == us.id)
    root = f"x:conversation:{conversation}"
    return ParsedMessage(
        author=author,
        recipients=_recipients(post, parent, is_ours, us),
        subject="",
        text=text,
        visible_text=text[skipped:],
        written_at=_first_time(post, history),
        message_id=reference_of(history[0]),
        in_reply_to=reference_of(parent),
        references=tuple(one for one in (root, reference_of(parent)) if one),
        passages=(Passage("new", text),) if text else (),
        stable_sha256=hashlib.sha256(f"{own_id}\n{text}".encode("utf-8", "replace")).hexdigest(),
        raw_sha256=hashlib.sha256(content).hexdigest(),
        verified=True,
        language=_language(post),
        language_confidence=0.9 if _language(post) else 0.0,
        post=_about(post, includes, person, us, item, is_ours=is_ours),
    )


def _about(
    post: Mapping[str, Any],
    includes: Mapping[str, Any],
    person: Mapping[str, Any],
    us: Us,
    item: RawItem,
    *,
    is_ours: bool,
) -> Post:
    own_id, author_id, quoted_id = id_of(post), id_of(post, "author_id"), referenced_id(post, "quoted")
    history = entries.history_of(post)
    profile = people.profile_of(person)
    quotes_us = item.scope == entries.QUOTES and bool(quoted_id)
    quotes_us = quotes_us or (bool(quoted_id) and _is_ours(includes, quoted_id, post, us))
    names_us = mentions(post, us.id, us.handle)
    return Post(
        standing=_standing(post, us, is_ours=is_ours, quotes_us=quotes_us, names_us=names_us),
        visibility=Visibility.FOLLOWERS if profile.is_protected else Visibility.PUBLIC,
        url=f"{SITE}/{profile.handle or 'i/web'}/status/{own_id}",
        profile=profile,
        media=people.media_of(post, includes),
        poll=people.poll_of(post, includes),
        quoted=_quoted(post, includes, quoted_id),
        labels=_labels(post, person),
        revision=entries.version_of(own_id),
        facts={
            "id": own_id,
            "first_id": history[0],
            "conversation_id": id_of(post, "conversation_id") or history[0],
            "author_id": author_id,
            "handle": profile.handle,
            "summons": "mention" if names_us else "quote" if quotes_us else "none",
            "reply_settings": text_of(post, "reply_settings")[:40],
        },
    )


def _standing(post: Mapping[str, Any], us: Us, *, is_ours: bool, quotes_us: bool, names_us: bool) -> Standing:
    if is_ours:
        return Standing.OWN
    if us.id and id_of(post, "in_reply_to_user_id") == us.id:
        return Standing.REPLY
    if quotes_us:
        return Standing.QUOTE
    return Standing.MENTION if names_us else Standing.CONTEXT


def _is_ours(includes: Mapping[str, Any], post_id: str, post: Mapping[str, Any], us: Us) -> bool:
    known = _included_post(includes, post_id)
    if id_of(known, "author_id"):
        return bool(us.id) and id_of(known, "author_id") == us.id
    handle = handle_in_link(post, post_id)
    return bool(us.handle) and handle.lower() == us.handle.lower()


def _included_post(includes: Mapping[str, Any], post_id: str) -> Mapping[str, Any]:
    return next((one for one in rows_of(includes, "tweets") if id_of(one) == post_id), {})


def _quoted(post: Mapping[str, Any], includes: Mapping[str, Any], quoted_id: str) -> Quoted | None:
    if not quoted_id:
        return None
    known = _included_post(includes, quoted_id)
    handle = text_of(people.person_of(includes, id_of(known, "author_id")), "username")
    handle = handle or handle_in_link(post, quoted_id) or _handle_named(post, id_of(known, "author_id"))
    first = entries.history_of(known)[0] if known else quoted_id
    return Quoted(
        reference_of(first or quoted_id), f"{SITE}/{handle or 'i/web'}/status/{quoted_id}", handle, words_of(known)
    )


def _handle_named(post: Mapping[str, Any], user_id: str) -> str:
    named = rows_of(part_of(post, "entities"), "mentions")
    return next((text_of(one, "username") for one in named if user_id and id_of(one) == user_id), "")


def _recipients(post: Mapping[str, Any], parent: str, is_ours: bool, us: Us) -> tuple[Recipient, ...]:
    if not is_ours:
        return (Recipient("to", us.address),)
    answered = id_of(post, "in_reply_to_user_id") if parent else ""
    if not answered or answered == us.id:
        return ()
    handle = _handle_named(post, answered)
    return (Recipient("to", Address(handle or answered, "", answered)),)


def _labels(post: Mapping[str, Any], person: Mapping[str, Any]) -> tuple[str, ...]:
    found = ["sensitive"] if post.get("possibly_sensitive") is True else []
    for source in (post, person):
        withheld = part_of(source, "withheld")
        countries = entries.ids_of(withheld, "country_codes")
        if withheld:
            found.append("withheld" + (f":{','.join(countries)[:60]}" if countries else ""))
    return tuple(dict.fromkeys(found))


def _first_time(post: Mapping[str, Any], history: list[str]) -> datetime | None:
    """An edit keeps the time at which its first version was written; the id tells it."""
    told = time_of(post)
    if len(history) < 2:
        return told
    return people.time_of_id(history[0]) or told


def _language(post: Mapping[str, Any]) -> str:
    """X answers "und", "zxx" and codes of its own (qme…) where it knows none."""
    code = text_of(post, "lang").partition("-")[0].lower()
    code = {"in": "id", "iw": "he"}.get(code, code)
    return code if len(code) == 2 and code.isascii() and code.isalpha() else ""


# --- Direct messages ------------------------------------------------------------------------------------------------


def _direct(
    item: RawItem, event: Mapping[str, Any], includes: Mapping[str, Any], us: Us, content: bytes
) -> ParsedMessage:
    sender_id, own_id, conversation = id_of(event, "sender_id"), id_of(event), text_of(event, "dm_conversation_id")[:60]
    is_ours = item.is_sent or (bool(us.id) and sender_id == us.id)
    person = people.person_of(includes, sender_id)
    others = [one for one in conversation.split("-") if one and one != us.id] if "-" in conversation else []
    recipient = us.address
    if is_ours:
        other = others[0] if others else ""
        recipient = people.address_of(people.person_of(includes, other), other, us) if other else Address("")
    shared = [id_of(one) for one in rows_of(event, "referenced_tweets")]
    text = words_of(event)
    profile = people.profile_of(person)
    post = Post(
        standing=Standing.OWN if is_ours else Standing.DIRECT,
        visibility=Visibility.DIRECT,
        profile=profile,
        media=people.media_of(event, includes),
        quoted=_quoted(event, includes, shared[0]) if shared and shared[0] else None,
        facts={"id": own_id, "dm_conversation_id": conversation, "author_id": sender_id, "handle": profile.handle},
    )
    return ParsedMessage(
        author=replace(us.address) if is_ours else people.address_of(person, sender_id, us),
        recipients=(Recipient("to", recipient),) if recipient.address else (),
        subject="",
        text=text,
        visible_text=text,
        written_at=time_of(event),
        message_id=f"x:dm:{own_id}",
        references=(f"x:dm-conversation:{conversation}",) if conversation else (),
        passages=(Passage("new", text),) if text else (),
        stable_sha256=hashlib.sha256(f"{own_id}\n{text}".encode("utf-8", "replace")).hexdigest(),
        raw_sha256=hashlib.sha256(content).hexdigest(),
        verified=True,
        post=post,
    )
