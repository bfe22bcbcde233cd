"""Raw items of Mastodon → what was said. Pure and bounded; nothing here raises for what a server sends.

An item holds `status` or `notification` untouched, and beside it what it needs to be read alone: `us`, `ancestors`
(uri, id and author of the posts above it, oldest first) and `people` (accounts that are only named in it).
https://docs.joinmastodon.org/entities/Status/ · …/Notification/ · …/MediaAttachment/ · …/Poll/ · …/Quote/
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from connectors.mastodon.content import to_text
from connectors.mastodon.people import Us, address_of, handle_of, identity_of, person, profile_of, us_of
from connectors.mastodon.values import count, ident, moment, part, rows, text
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
from connectors.social import Media, Poll, Post, Quoted, Standing, Visibility

MAX_BYTES = 2 * 2**20
REPOSTS = frozenset({"reblog"})
LIKES = frozenset({"favourite", "reaction", "emoji_reaction", "pleroma:emoji_reaction"})
# Sharkey and glitch call posts for one's own server or circle otherwise: what is unknown is taken for the narrowest.
_VISIBILITIES = {
    "public": Visibility.PUBLIC,
    "local": Visibility.UNLISTED,
    "unlisted": Visibility.UNLISTED,
    "private": Visibility.FOLLOWERS,
    "mutuals_only": Visibility.FOLLOWERS,
    "direct": Visibility.DIRECT,
}
_MEDIA = {"image": "image", "video": "video", "gifv": "gif", "audio": "audio"}
_HIDDEN_QUOTES = frozenset({"pending", "rejected", "revoked", "unauthorized", "deleted"})


def content_of(item: RawItem, most: int = MAX_BYTES) -> bytes:
    if item.content is not None:
        return item.content[: most + 1]
    if item.path is None:
        return b""
    with item.path.open("rb") as file:
        return file.read(most + 1)


def parse_item(item: RawItem) -> Parsed:
    try:
        content = content_of(item)
    except OSError:
        content = b""
    data = read_object(content)
    if data is None:
        return unreadable(item, content)
    if data.get("gone") is not None:
        words = text(data, "sentence", 400)
        return ParsedDeletion(text(data, "gone", 2000), words)
    us = us_of(part(data, "us"))
    notification = part(data, "notification")
    status = part(data, "status") or part(notification, "status")
    reach = _reach(notification, status, us)
    if reach is not None:
        return reach
    if not status:
        return unreadable(item, content)
    return _message(item, content, data, status, us)


def read_object(content: bytes, most: int = MAX_BYTES) -> dict[str, Any] | None:
    if not 0 < len(content) <= most:
        return None
    try:
        data = json.loads(content, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def unreadable(item: RawItem, content: bytes) -> ParsedMessage:
    """With as much text as there is; the time is the platform's."""
    words = content[:20_000].decode("utf-8", "replace").replace("\0", "\ufffd")
    sha = item.sha256 or hashlib.sha256(content).hexdigest()
    return ParsedMessage(
        author=Address(""),
        recipients=(),
        subject="",
        text=words,
        visible_text=words,
        written_at=item.received_at,
        message_id="",
        passages=(Passage("new", words),) if words else (),
        flags=(Flag.UNREADABLE,),
        stable_sha256=sha,
        raw_sha256=sha,
    )


def _reach(notification: Mapping[str, Any], status: Mapping[str, Any], us: Us) -> ParsedReach | None:
    kind = text(notification, "type", 60)
    if kind not in REPOSTS | LIKES:
        return None
    actor = part(notification, "account")
    # Mastodon attaches our post; others attach the boost that holds it.
    carried = part(status, "reblog") or status
    return ParsedReach(
        reference_of(carried, us),
        address_of(actor, us),
        "repost" if kind in REPOSTS else "like",
        count(actor, "followers_count") or 0,
        moment(notification, "created_at"),
    )


def reference_of(status: Mapping[str, Any], us: Us) -> str:
    """The post's name in the whole network; a made-up one for a server that does not give it."""
    found = text(status, "uri", 2000) or text(status, "url", 2000)
    return found or local_reference(ident(status), us.server)


def local_reference(status_id: str, server: str) -> str:
    return f"mastodon:{server}/{status_id}" if status_id else ""


def words_of(status: Mapping[str, Any], us: Us) -> str:
    mentions = {text(one, "url", 2000): text(one, "acct", 400).lstrip("@") for one in rows(status, "mentions")}
    html = text(status, "content")
    return to_text(html, mentions, drops_quote_link=bool(_quoted_status(status)))


def _message(
    item: RawItem, content: bytes, data: Mapping[str, Any], status: Mapping[str, Any], us: Us
) -> ParsedMessage:
    account = part(status, "account")
    author = address_of(account, us)
    is_ours = (bool(us.id) and ident(account) == us.id) or (bool(us.uri) and author.external_id == us.uri)
    words = words_of(status, us)
    references = _references(data, status, us)
    sha = hashlib.sha256(content).hexdigest()
    flags = () if author.external_id else (Flag.NO_FROM,)
    return ParsedMessage(
        author=author,
        recipients=_recipients(data, status, us, is_ours),
        subject="",
        text=words,
        visible_text=words,
        written_at=moment(status, "created_at"),
        message_id=reference_of(status, us),
        in_reply_to=references[-1] if references else "",
        references=references,
        passages=(Passage("new", words),) if words else (),
        flags=flags,
        stable_sha256=sha,
        raw_sha256=item.sha256 or sha,
        verified=True,
        language=_language(status),
        language_confidence=1.0 if _language(status) else 0.0,
        post=_post(data, status, us, is_ours),
    )


def _language(status: Mapping[str, Any]) -> str:
    """ "pt-BR" as "pt"; what is no language code as none."""
    code = text(status, "language", 20).replace("_", "-").partition("-")[0].lower()
    return code if code.isascii() and code.isalpha() and 2 <= len(code) <= 3 else ""


def _references(data: Mapping[str, Any], status: Mapping[str, Any], us: Us) -> tuple[str, ...]:
    found = [reference_of(one, us) for one in rows(data, "ancestors")]
    parent = ident(status, "in_reply_to_id")
    above = rows(data, "ancestors")
    if parent and not (above and ident(above[-1]) == parent):
        found.append(local_reference(parent, us.server))
    return tuple(dict.fromkeys(one for one in found if one))


def _recipients(data: Mapping[str, Any], status: Mapping[str, Any], us: Us, is_ours: bool) -> tuple[Recipient, ...]:
    if not is_ours:
        return (Recipient("to", Address(us.handle, us.name, us.uri)),) if us.handle else ()
    answered = ident(status, "in_reply_to_account_id")
    named = [ident(one) for one in rows(status, "mentions")]
    wanted = answered if answered and answered != us.id else next((one for one in named if one != us.id), "")
    account = person(data, wanted)
    if not account:
        account = next((part(one, "account") for one in rows(data, "ancestors") if _author_id(one) == wanted), {})
    if not account:
        account = next((one for one in rows(status, "mentions") if ident(one) == wanted), {})
    return (Recipient("to", address_of(account, us)),) if wanted and account else ()


def _author_id(status: Mapping[str, Any]) -> str:
    return ident(part(status, "account"))


def visibility_of(status: Mapping[str, Any]) -> Visibility:
    return _VISIBILITIES.get(text(status, "visibility", 40), Visibility.DIRECT)


def standing_of(status: Mapping[str, Any], us: Us, told: str = "") -> Standing:
    named = {ident(one) for one in rows(status, "mentions")}
    if visibility_of(status) is Visibility.DIRECT and us.id in named:
        return Standing.DIRECT
    if us.id and ident(status, "in_reply_to_account_id") == us.id:
        return Standing.REPLY
    if told == "quote" or (us.id and ident(part(_quoted_status(status), "account")) == us.id):
        return Standing.QUOTE
    return Standing.MENTION if us.id in named or told == "mention" else Standing.CONTEXT


def _post(data: Mapping[str, Any], status: Mapping[str, Any], us: Us, is_ours: bool) -> Post:
    account = part(status, "account")
    told = text(part(data, "notification"), "type", 60)
    return Post(
        standing=Standing.OWN if is_ours else standing_of(status, us, told),
        visibility=visibility_of(status),
        url=text(status, "url", 2000) or text(status, "uri", 2000),
        profile=profile_of(account, us),
        warning=text(status, "spoiler_text", 20_000).strip(),
        media=tuple(_media(one) for one in rows(status, "media_attachments", 40)),
        poll=_poll(part(status, "poll")),
        quoted=_quoted(status, us),
        labels=("sensitive",) if status.get("sensitive") is True else (),
        revision=_revision(status),
        facts=_facts(status, us),
    )


def _facts(status: Mapping[str, Any], us: Us) -> dict[str, Any]:
    """What an answer needs: ids count on our server alone."""
    account = part(status, "account")
    found = {
        "id": ident(status),
        "server": us.server,
        "uri": text(status, "uri", 2000),
        "author_id": ident(account),
        "author_uri": identity_of(account, us.server),
        "handle": handle_of(account, us.domain),
        "is_suspended": account.get("suspended") is True,
        "is_limited": account.get("limited") is True,
        "in_reply_to_id": ident(status, "in_reply_to_id"),
        "language": _language(status),
    }
    return {name: value for name, value in found.items() if value}


def _revision(status: Mapping[str, Any]) -> str:
    """Ordered as text: the time of the last edit, "" before any (https://docs.joinmastodon.org/entities/Status/#edited_at)."""
    at = moment(status, "edited_at")
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else ""


def version_of(status: Mapping[str, Any]) -> str:
    return _revision(status) or "0"


def _media(one: Mapping[str, Any]) -> Media:
    shape = part(part(one, "meta"), "original")
    return Media(
        _MEDIA.get(text(one, "type", 20), "other"),
        text(one, "url", 2000) or text(one, "remote_url", 2000),
        text(one, "preview_url", 2000),
        text(one, "description", 20_000),
        text(part(one, "pleroma"), "mime_type", 100),
        count(shape, "width") or 0,
        count(shape, "height") or 0,
    )


def _poll(data: Mapping[str, Any]) -> Poll | None:
    if not data:
        return None
    choices = []
    for one in rows(data, "options", 50):
        votes = count(one, "votes_count")
        choices.append((text(one, "title", 2000), -1 if votes is None else votes))
    return Poll(tuple(choices), text(data, "expires_at", 64), data.get("multiple") is True)


def _quoted_status(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Mastodon wraps what is quoted together with its state; Akkoma and others put the post itself there."""
    quote = part(status, "quote")
    return part(quote, "quoted_status") or (quote if quote.get("content") is not None else {})


def _quoted(status: Mapping[str, Any], us: Us) -> Quoted | None:
    quote, found = part(status, "quote"), _quoted_status(status)
    if not quote or text(quote, "state", 40) in _HIDDEN_QUOTES:
        return None
    if not found:
        return Quoted(local_reference(ident(quote, "quoted_status_id"), us.server))
    account = part(found, "account")
    return Quoted(reference_of(found, us), text(found, "url", 2000), handle_of(account, us.domain), words_of(found, us))
