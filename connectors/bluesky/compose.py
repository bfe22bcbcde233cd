"""From a reply to the bytes that are kept, and back: all of a post that does not depend on when it is sent.

The record key is fixed here, so the final at-uri is the idempotency key: whether a post was made can always be asked.
Open are only what handles stand for (DIDs) and the uploaded pictures (blobs); both are found before `commit`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from connectors.base import Refused, Unsupported
from connectors.bluesky.directs import convo_reference
from connectors.bluesky.embeds import web_address
from connectors.bluesky.picturesize import size_of
from connectors.bluesky.richtext import MENTION, find_facets
from connectors.bluesky.speech import OWN_LABELS, is_direct, objections
from connectors.bluesky.tid import is_tid
from connectors.bluesky.values import group, moment, rows, text, uri_parts, whole
from connectors.bluesky.wording import unreadable
from connectors.messages import (
    Address,
    OutboundFile,
    OutboundMessage,
    ParsedAttachment,
    ParsedMessage,
    Passage,
    RawItem,
    Recipient,
    Reply,
)
from connectors.passages import NEW
from connectors.social import Media, Outline, OutlinedFile, Post, Profile, Standing, Visibility

COLLECTION = "app.bsky.feed.post"


@dataclass(frozen=True, slots=True)
class Frozen:
    """What `send` needs of the bytes. `mentions`: (first byte, last byte + 1, handle)."""

    key: str
    is_direct: bool
    to: Address
    record: Mapping[str, Any]
    mentions: tuple[tuple[int, int, str], ...]
    images: tuple[tuple[OutboundFile, int, int], ...]  # with width and height, 0 where not known
    convo: str
    written_at: datetime


def compose(reply: Reply, us: Address) -> OutboundMessage:
    """Raises Unsupported or Refused with the platform's first objection."""
    words = reply.text.replace("\r\n", "\n").replace("\r", "\n").strip()
    direct = is_direct(reply.visibility, reply.answers)
    outlined = tuple(OutlinedFile(one.name, one.content_type, len(one.content), one.alt) for one in reply.files)
    against = objections(Outline(words, reply.answers, reply.visibility, reply.warning, outlined))
    if against:
        raise Unsupported(against[0])
    _authority, collection, rkey = uri_parts(reply.idempotency_key)
    if collection != COLLECTION or not is_tid(rkey):
        raise Refused("This answer has no key of Bluesky's. Write it again.")
    sent: dict[str, Any] = {
        "kind": "direct" if direct else "post",
        "key": reply.idempotency_key,
        "from": _person(Address(us.address, reply.sender.name or us.name, us.external_id)),
        "to": [_person(one) for one in reply.to],
        "writtenAt": _time(reply.written_at),
    }
    if direct:
        sent |= _direct(reply, words)
    else:
        sent |= {"record": _record(reply, words), "images": [_image(one) for one in reply.files]}
    sent["mentions"] = [
        {"byteStart": one.start, "byteEnd": one.end, "handle": one.value}
        for one in find_facets(words)
        if one.kind == MENTION
    ]
    content = json.dumps({"send": sent}, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    recipients = tuple(dict.fromkeys(one.address for one in reply.to))
    return OutboundMessage(reply.idempotency_key, us.address, recipients, content.encode("utf-8", "replace"))


def _person(address: Address) -> dict[str, str]:
    return {"handle": address.address, "name": address.name, "did": address.external_id}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _facets(words: str) -> list[dict[str, Any]]:
    """Links and tags; mentions join them when their handles are looked up."""
    found = []
    for one in find_facets(words):
        if one.kind == MENTION:
            continue
        name = "uri" if one.kind == "link" else "tag"
        feature = {"$type": f"app.bsky.richtext.facet#{one.kind}", name: one.value}
        found.append({"index": {"byteStart": one.start, "byteEnd": one.end}, "features": [feature]})
    return found


def _record(reply: Reply, words: str) -> dict[str, Any]:
    record: dict[str, Any] = {"$type": COLLECTION, "text": words, "createdAt": _time(reply.written_at)}
    if facets := _facets(words):
        record["facets"] = facets
    if reply.language:
        record["langs"] = [reply.language]
    if reply.answers is not None and reply.in_reply_to:
        record["reply"] = _reply_ref(reply.answers.facts)
    if reply.warning in OWN_LABELS:
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": reply.warning}]}
    return record


def _reply_ref(facts: Mapping[str, Any]) -> dict[str, Any]:
    parent = {"uri": text(facts, "uri"), "cid": text(facts, "cid")}
    root = {"uri": text(facts, "root", "uri"), "cid": text(facts, "root", "cid")}
    if not uri_parts(parent["uri"])[0] or not parent["cid"]:
        raise Refused("The post that is answered is not known well enough to answer it. Open it at Bluesky.")
    return {"root": root if root["uri"] and root["cid"] else parent, "parent": parent}


def _image(file: OutboundFile) -> dict[str, Any]:
    width, height = size_of(file.content)
    return {
        "name": file.name,
        "type": file.content_type.partition(";")[0].strip().lower(),
        "alt": file.alt,
        "width": width,
        "height": height,
        "data": base64.b64encode(file.content).decode(),
    }


def _direct(reply: Reply, words: str) -> dict[str, Any]:
    facts: Mapping[str, Any] = reply.answers.facts if reply.answers else {}
    convo = text(facts, "convo")
    message: dict[str, Any] = {"text": words}
    if facets := _facets(words):
        message["facets"] = facets
    if not convo and not any(one.external_id for one in reply.to):
        raise Refused("It is not known to whom this direct message would go.")
    in_reply_to = reply.in_reply_to
    references = [convo_reference(convo)] if convo else [one for one in reply.references if one]
    return {"record": message, "convo": convo, "answers": in_reply_to, "references": references}


# --- Back -----------------------------------------------------------------------------------------------------------


def thaw(content: bytes) -> Frozen | None:
    """What `compose` made; None for anything else."""
    try:
        sent = group(json.loads(content), "send")
    except (ValueError, RecursionError):
        return None
    key, people = text(sent, "key"), [_address(one) for one in rows(sent, "to", most=20)]
    if not uri_parts(key)[0]:
        return None
    return Frozen(
        key=key,
        is_direct=text(sent, "kind") == "direct",
        to=people[0] if people else Address(""),
        record=group(sent, "record"),
        mentions=tuple(_span(one) for one in rows(sent, "mentions", most=500)),
        images=tuple(_file(one) for one in rows(sent, "images", most=20)),
        convo=text(sent, "convo"),
        written_at=moment(sent, "writtenAt") or datetime.now(UTC),
    )


def _address(person: Mapping[str, Any]) -> Address:
    return Address(text(person, "handle"), text(person, "name"), text(person, "did"))


def _span(one: Mapping[str, Any]) -> tuple[int, int, str]:
    return whole(one, "byteStart") or 0, whole(one, "byteEnd") or 0, text(one, "handle")


def _file(one: Mapping[str, Any]) -> tuple[OutboundFile, int, int]:
    data = one.get("data")
    try:
        content = base64.b64decode(data, validate=True) if isinstance(data, str) else b""
    except (ValueError, binascii.Error):
        content = b""
    file = OutboundFile(text(one, "name"), text(one, "type"), content, text(one, "alt"))
    return file, whole(one, "width") or 0, whole(one, "height") or 0


def parse_frozen(item: RawItem) -> ParsedMessage:
    """The frozen bytes as a reader will see them."""
    frozen = thaw(item.content or b"")
    if frozen is None:
        return unreadable(item)
    sent = group(json.loads(item.content or b""), "send")
    us, words = _address(group(sent, "from")), text(frozen.record, "text")
    in_reply_to, references = _thread(frozen, sent)
    return ParsedMessage(
        author=us,
        recipients=tuple(Recipient("to", _address(one)) for one in rows(sent, "to", most=20)),
        subject="",
        text=words,
        visible_text=words,
        written_at=frozen.written_at,
        message_id=frozen.key,
        in_reply_to=in_reply_to,
        references=references,
        passages=(Passage(NEW, words),) if words else (),
        attachments=tuple(_attached(one[0], number) for number, one in enumerate(frozen.images, 1)),
        stable_sha256=sha256(item.content or b"").hexdigest(),
        verified=True,
        post=_post(frozen, sent, us),
    )


def _thread(frozen: Frozen, sent: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    if frozen.is_direct:
        kept = sent.get("references")
        references = [one for one in kept if isinstance(one, str)] if isinstance(kept, list) else []
        answered = text(sent, "answers")
        return answered, tuple(dict.fromkeys([*references, *([answered] if answered else [])]))
    root, parent = text(frozen.record, "reply", "root", "uri"), text(frozen.record, "reply", "parent", "uri")
    return parent, tuple(dict.fromkeys(one for one in (root, parent) if one))


def _post(frozen: Frozen, sent: Mapping[str, Any], us: Address) -> Post:
    labels = tuple(text(one, "val") for one in rows(frozen.record, "labels", "values", most=10))
    media = tuple(
        Media("image", alt=file.alt, content_type=file.content_type, width=width, height=height)
        for file, width, height in frozen.images
    )
    post = Post(
        standing=Standing.OWN,
        visibility=Visibility.DIRECT if frozen.is_direct else Visibility.PUBLIC,
        url="" if frozen.is_direct else web_address(frozen.key, us.address),
        profile=Profile(handle=us.address, name=us.name),
        labels=labels,
        media=media,
    )
    if frozen.is_direct:
        return replace(post, facts={"convo": frozen.convo} if frozen.convo else {})
    root = group(frozen.record, "reply", "root")
    return replace(post, facts={"uri": frozen.key, "root": dict(root)} if root else {"uri": frozen.key})


def _attached(file: OutboundFile, number: int) -> ParsedAttachment:
    digest = sha256(file.content).hexdigest()
    return ParsedAttachment(str(number), file.name, file.content_type, len(file.content), digest)


def with_mentions(record: Mapping[str, Any], found: Sequence[tuple[int, int, str]]) -> dict[str, Any]:
    """The record with facets for (first byte, end, DID), in the order of their places."""
    facets = list(rows(record, "facets"))
    for start, end, did in found:
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": did}
        facets.append({"index": {"byteStart": start, "byteEnd": end}, "features": [feature]})
    facets.sort(key=lambda one: whole(one, "index", "byteStart") or 0)
    return {**record, "facets": [dict(one) for one in facets]} if facets else dict(record)
