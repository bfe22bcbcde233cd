"""From a raw item to what was said. Pure, bounded, and never angry: what cannot be read is flagged.

Kinds of raw items, by the field they have (all of it the platform's own JSON):

    {"notification": …, "post": view or null, "author": profile}     a mention, reply, quote; a like or repost
    {"feed": {"post": view, "reply": …}}                              of our own timeline
    {"post": view}                                                    looked at again
    {"message": …, "convo": …}                                        of a direct conversation
    {"gone": uri}                                                     a tombstone

What we froze ourselves is read by connectors/bluesky/compose.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.bluesky.directs import parse_direct
from connectors.bluesky.embeds import read_embed, web_address
from connectors.bluesky.people import address_of, fuller, is_blocked, profile_of
from connectors.bluesky.richtext import Rich, read_text
from connectors.bluesky.values import at, group, moment, rows, text, uri_parts, words
from connectors.bluesky.wording import MAX_TEXT, clean, digest_of, unreadable
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
from connectors.passages import NEW
from connectors.social import Post, Standing, Visibility

MAX_BYTES = 2 * 1024 * 1024
_CARRIED = {"like": "like", "repost": "repost", "like-via-repost": "like", "repost-via-repost": "repost"}
_STANDINGS = {"reply": Standing.REPLY, "quote": Standing.QUOTE, "mention": Standing.MENTION}
# A client may say any time: later than when the network saw it is a wrong clock, much earlier an import or a lie.
_EARLY, _LATE = timedelta(days=1), timedelta(minutes=5)


def parse(item: RawItem, us: Address) -> Parsed:
    """`us`: our account, by which our own posts and what concerns us are known."""
    data = _loaded(item)
    if data is None:
        return unreadable(item)
    if "gone" in data:
        return ParsedDeletion(text(data, "gone", most=1000) or item.external_id)
    if "message" in data:
        return parse_direct(item, data, us)
    if "notification" in data:
        note = group(data, "notification")
        if action := _CARRIED.get(text(note, "reason")):
            return _parse_reach(item, data, note, action)
        return _parse_notification(item, data, note, us)
    feed = group(data, "feed") or data
    return _parse_post(item, group(feed, "post"), {}, group(feed, "reply"), us, "")


def _loaded(item: RawItem) -> Mapping[str, Any] | None:
    content = item.content
    if content is None and item.path is not None:
        with item.path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    if content is None or len(content) > MAX_BYTES:
        return None
    try:
        data = json.loads(content, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


# --- Posts ----------------------------------------------------------------------------------------------------------


def _parse_notification(item: RawItem, data: Mapping[str, Any], note: Mapping[str, Any], us: Address) -> ParsedMessage:
    view = group(data, "post")
    if not view:  # deleted or hidden meanwhile: the notification holds the record itself
        view = {name: note[name] for name in ("uri", "cid", "author", "record", "indexedAt", "labels") if name in note}
    person = fuller(group(view, "author") or group(note, "author"), group(data, "author"))
    return _parse_post(item, view, person, {}, us, text(note, "reason"))


def _parse_post(
    item: RawItem,
    view: Mapping[str, Any],
    person: Mapping[str, Any],
    reply: Mapping[str, Any],
    us: Address,
    reason: str,
) -> ParsedMessage:
    record, uri = group(view, "record"), text(view, "uri", most=1000) or item.external_id
    did = uri_parts(uri)[0]
    if not record:
        return replace(unreadable(item), message_id=uri, author=address_of(group(view, "author"), did))
    person = person or group(view, "author")
    author = address_of(person, did)
    rich = read_text(text(record, "text", most=MAX_TEXT), at(record, "facets"))
    found = read_embed(group(view, "embed"), group(record, "embed"), did)
    shown = clean("\n".join([rich.text, *found.lines]).strip("\n") if found.lines else rich.text)
    written_at, flags = _written_at(record, view, item.received_at)
    if not rich.text.strip() and not found.lines and not found.media and not found.quoted:
        flags = (*flags, *(() if "text" in record else (Flag.UNREADABLE,)))
    root, parent = text(record, "reply", "root", "uri", most=1000), text(record, "reply", "parent", "uri", most=1000)
    post = Post(
        standing=_standing(did, record, rich, us.external_id, reason),
        visibility=Visibility.PUBLIC,
        url=web_address(uri, author.address),
        profile=profile_of(person, did),
        media=tuple(found.media),
        quoted=found.quoted,
        labels=_labels(view, record),
        # When it was indexed: an order for records that were put anew, but no time of an edit, which Bluesky knows not.
        revision=f"indexed {indexed}" if (indexed := text(view, "indexedAt", most=55)) else "",
        facts=_facts(view, record, person, uri, rich),
    )
    return ParsedMessage(
        author=author,
        recipients=_recipients(did, reply, us, parent),
        subject="",
        text=shown,
        visible_text=shown.strip(),
        written_at=written_at,
        message_id=uri,
        in_reply_to=parent,
        references=tuple(dict.fromkeys(one for one in (root, parent) if one)),
        passages=(Passage(NEW, shown),) if shown else (),
        flags=flags,
        stable_sha256=digest_of(uri, text(view, "cid", most=200), rich.text),
        verified=True,
        post=post,
    )


def _written_at(
    record: Mapping[str, Any], view: Mapping[str, Any], received_at: datetime
) -> tuple[datetime, tuple[Flag, ...]]:
    """The author's clock, unless it is absurd; then that of the network."""
    said, seen = moment(record, "createdAt"), moment(view, "indexedAt") or received_at
    if said is None:
        return seen, (Flag.NO_DATE,)
    if seen - _EARLY <= said <= seen + _LATE:
        return min(said, seen), ()
    return seen, (Flag.BAD_DATE,)


def _standing(did: str, record: Mapping[str, Any], rich: Rich, our_did: str, reason: str) -> Standing:
    if not our_did:
        return _STANDINGS.get(reason, Standing.CONTEXT)
    if did == our_did:
        return Standing.OWN
    if uri_parts(text(record, "reply", "parent", "uri"))[0] == our_did:
        return Standing.REPLY
    if reason in _STANDINGS:
        return _STANDINGS[reason]
    if any(mentioned == our_did for _handle, mentioned in rich.mentions):
        return Standing.MENTION
    quoted = text(record, "embed", "record", "uri") or text(record, "embed", "record", "record", "uri")
    return Standing.QUOTE if uri_parts(quoted)[0] == our_did else Standing.CONTEXT


def _recipients(did: str, reply: Mapping[str, Any], us: Address, parent: str) -> tuple[Recipient, ...]:
    """For others' posts: us. For ours: whom they answer, as far as the server tells."""
    if did != us.external_id:
        return (Recipient("to", us),) if us.external_id else ()
    whom = uri_parts(parent)[0]
    if not whom or whom == us.external_id:
        return ()
    author = group(reply, "parent", "author")
    return (Recipient("to", address_of(author if text(author, "did") == whom else {}, whom)),)


def _labels(view: Mapping[str, Any], record: Mapping[str, Any]) -> tuple[str, ...]:
    """The author's own and those of labellers; one that was taken back is none."""
    own = [text(one, "val", most=100) for one in rows(record, "labels", "values", most=20)]
    put = [text(one, "val", most=100) for one in rows(view, "labels", most=50) if one.get("neg") is not True]
    about = [
        text(one, "val", most=100) for one in rows(view, "author", "labels", most=50) if one.get("neg") is not True
    ]
    return tuple(dict.fromkeys(one for one in (*own, *put, *about) if one and not one.startswith("!no-unauth")))


def _facts(
    view: Mapping[str, Any], record: Mapping[str, Any], person: Mapping[str, Any], uri: str, rich: Rich
) -> dict[str, Any]:
    """What an answer needs."""
    cid = text(view, "cid", most=200)
    root = group(record, "reply", "root")
    blocked_by, blocking = is_blocked(person)
    facts: dict[str, Any] = {
        "uri": uri,
        "cid": cid,
        "root": {"uri": text(root, "uri", most=1000), "cid": text(root, "cid", most=200)}
        if text(root, "uri") and text(root, "cid")
        else {"uri": uri, "cid": cid},
        "langs": list(words(record, "langs", most=5)),
        "tags": list(rich.tags[:20]),
    }
    if at(view, "viewer", "replyDisabled") is True:
        facts["reply_disabled"] = True
    if blocked_by:
        facts["blocked_by"] = True
    if blocking:
        facts["blocking"] = True
    return facts


# --- Likes and reposts ----------------------------------------------------------------------------------------------


def _parse_reach(item: RawItem, data: Mapping[str, Any], note: Mapping[str, Any], action: str) -> ParsedReach:
    author = fuller(group(note, "author"), group(data, "author"))
    subject = text(note, "record", "subject", "uri", most=1000) or text(note, "reasonSubject", most=1000)
    followers = profile_of(author).followers or 0
    return ParsedReach(subject, address_of(author), action, followers, moment(note, "indexedAt") or item.received_at)
