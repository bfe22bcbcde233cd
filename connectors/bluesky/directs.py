"""Direct messages as they are read, and the references by which they and their conversations are known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.bluesky.embeds import read_embed
from connectors.bluesky.people import address_of, profile_of
from connectors.bluesky.richtext import read_text
from connectors.bluesky.values import at, group, moment, rows, text
from connectors.bluesky.wording import MAX_TEXT, clean, digest_of
from connectors.messages import Address, Flag, ParsedDeletion, ParsedMessage, Passage, RawItem, Recipient
from connectors.passages import NEW
from connectors.social import Post, Standing, Visibility


def direct_reference(convo: str, message: str) -> str:
    return f"bsky:dm:{convo}:{message}"


def convo_reference(convo: str) -> str:
    return f"bsky:convo:{convo}"


def parse_direct(item: RawItem, data: Mapping[str, Any], us: Address) -> ParsedMessage | ParsedDeletion:
    message, convo = group(data, "message"), group(data, "convo")
    convo_id = text(convo, "id", most=200)
    reference = direct_reference(convo_id, text(message, "id", most=200))
    if text(message, "$type").endswith("#deletedMessageView"):
        return ParsedDeletion(reference)
    members = rows(convo, "members", most=100)
    sender = text(message, "sender", "did", most=300)
    person = next((one for one in members if text(one, "did") == sender), {})
    rich = read_text(text(message, "text", most=MAX_TEXT), at(message, "facets"))
    found = read_embed(group(message, "embed"), {}, sender)
    shown = clean("\n".join([rich.text, *found.lines]).strip("\n") if found.lines else rich.text)
    is_ours = bool(sender) and sender == us.external_id
    others = [one for one in members if text(one, "did") != us.external_id]
    addressed = tuple(Recipient("to", address_of(one)) for one in others) if is_ours else (Recipient("to", us),)
    root, answered = convo_reference(convo_id), text(message, "replyTo", "id", most=200)
    parent = direct_reference(convo_id, answered) if answered else root
    facts = {
        "convo": convo_id,
        "id": text(message, "id", most=200),
        "members": [text(one, "did", most=300) for one in others[:20]],
        "status": text(convo, "status", most=50),
    }
    return ParsedMessage(
        author=address_of(person, sender),
        recipients=addressed,
        subject="",
        text=shown,
        visible_text=shown.strip(),
        written_at=moment(message, "sentAt") or item.received_at,
        message_id=reference,
        in_reply_to=parent,
        references=tuple(dict.fromkeys((root, parent))),
        passages=(Passage(NEW, shown),) if shown else (),
        flags=() if shown or found.quoted else (Flag.UNREADABLE,),
        stable_sha256=digest_of(reference, rich.text),
        verified=True,
        post=Post(
            standing=Standing.OWN if is_ours else Standing.DIRECT,
            visibility=Visibility.DIRECT,
            profile=profile_of(person, sender),
            quoted=found.quoted,
            revision=text(message, "rev", most=64),
            facts=facts,
        ),
    )
