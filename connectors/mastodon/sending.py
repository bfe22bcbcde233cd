"""Posting, and finding out whether something was posted after all.

POST /api/v2/media, GET /api/v1/media/:id (https://docs.joinmastodon.org/methods/media/), POST /api/v1/statuses with a
fixed Idempotency-Key, kept by servers for up to an hour (https://docs.joinmastodon.org/methods/statuses/#create), GET
/api/v2/search with `resolve` (https://docs.joinmastodon.org/methods/search/#v2). Servers break their promise about the
key in several ways (mastodon#21840, #40399): whatever is no clear answer is looked up in our own posts.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import ConnectorError, OutcomeUnknown, Refused, RetryLater
from connectors.mastodon import rules
from connectors.mastodon.content import to_text
from connectors.mastodon.counting import spans_of
from connectors.mastodon.fetching import Row, skew_of
from connectors.mastodon.frozen import Frozen, thaw
from connectors.mastodon.parse import reference_of
from connectors.mastodon.people import Us
from connectors.mastodon.reading import STATUSES
from connectors.mastodon.values import ident, moment, part, rows, text
from connectors.messages import OutboundMessage, Outcome, Receipt, RecipientOutcome
from connectors.wire import Answer, Gone, Wire

CREATE = "POST /api/v1/statuses"
MEDIA = "POST /api/v2/media"
MEDIA_V1 = "POST /api/v1/media"
MEDIUM = "GET /api/v1/media/:id"
SEARCH = "GET /api/v2/search"
_PROCESSED_WITHIN = 90.0
_MEDIA_SECONDS = 180.0
_WAITS = (0.2, 0.5, 1.0, 2.0)
_INEXACT = timedelta(minutes=2)  # what is left between two clocks once their difference is taken away
_MOST_PAGES = 10


def send(wire: Wire, us: Us, message: OutboundMessage, commit: Callable[[], None]) -> Receipt:
    frozen = thaw(message.content)
    if frozen is None:
        raise Refused("This message cannot be read back. Write it once more.")
    answers_id = _answers_id(wire, us, frozen)
    media = [_upload(wire, one.name, one.content, one.content_type, one.alt) for one in frozen.files]
    body: dict[str, Any] = {"status": frozen.text, "visibility": rules.NAMES[frozen.visibility]}
    if frozen.warning:
        body |= {"spoiler_text": frozen.warning, "sensitive": True}
    if answers_id:
        body["in_reply_to_id"] = answers_id
    if frozen.language:
        body["language"] = frozen.language
    if media:
        body["media_ids"] = media
    key = {"Idempotency-Key": message.idempotency_key}
    try:
        answer = wire.create("POST", "/api/v1/statuses", commit, json=body, headers=key, endpoint=CREATE)
    except Gone:
        if not answers_id:
            raise
        raise Refused("The post that this answers is gone from the server. Your text is kept.") from None
    except OutcomeUnknown as unknown:
        return _settled(wire, us, message, unknown)
    if not ident(answer.object):
        unclear = OutcomeUnknown(f"{wire.name} did not say what became of the post. It is being found out.")
        return _settled(wire, us, message, unclear)
    return _receipt(answer.object, us, message, f"Posted ({answer.status}).")


def _settled(wire: Wire, us: Us, message: OutboundMessage, unknown: OutcomeUnknown) -> Receipt:
    """One look at once: what is there already needs no further doubt."""
    try:
        found = find_sent(wire, us, message)
    except ConnectorError:
        found = None
    if found is None:
        raise unknown
    return found


def _receipt(status: Row, us: Us, message: OutboundMessage, sentence: str) -> Receipt:
    outcomes = tuple(RecipientOutcome(one, Outcome.SENT) for one in message.recipients)
    return Receipt(outcomes, ident(status), sentence, reference_of(status, us))


# --- Before the point of no return ----------------------------------------------------------------------------------


def _answers_id(wire: Wire, us: Us, frozen: Frozen) -> str:
    """The answered post's id on our server, "" for a post of our own. Raises Refused when it is not known there."""
    if frozen.answers_id and frozen.answers_server in {"", us.server}:
        return frozen.answers_id
    if not frozen.in_reply_to:
        return ""
    found = _find_here(wire, us, frozen.in_reply_to)
    if not found:
        raise Refused("The post that this answers is not known on our server, or gone. Your text is kept.")
    return found


def _find_here(wire: Wire, us: Us, uri: str) -> str:
    prefix = f"mastodon:{us.server}/"
    if uri.startswith(prefix):
        return ident({"id": uri.removeprefix(prefix)})
    params = {"q": uri, "resolve": "true", "type": "statuses", "limit": "5"}
    answer = wire.call("GET", "/api/v2/search", params=params, endpoint=SEARCH)
    found = rows(answer.object, "statuses", 20)
    return next((ident(one) for one in found if uri in {text(one, "uri"), text(one, "url")}), "")


def _upload(wire: Wire, name: str, content: bytes, content_type: str, alt: str) -> str:
    """The id of a file that is ready to be posted. Raises Refused, RetryLater."""
    more: dict[str, Any] = {"files": {"file": (_file_name(name), content, content_type)}, "seconds": _MEDIA_SECONDS}
    if alt:
        more["form"] = {"description": alt}
    try:
        answer = wire.call("POST", "/api/v2/media", endpoint=MEDIA, **more)
    except Gone:
        answer = wire.call("POST", "/api/v1/media", endpoint=MEDIA_V1, **more)
    media_id = ident(answer.object)
    if not media_id:
        raise RetryLater(f"{wire.name} did not say under which name it keeps {name}.")
    if answer.status == 202 or (answer.status == 200 and "url" in answer.object and answer.object["url"] is None):
        _await_medium(wire, media_id, name)
    return media_id


def _file_name(name: str) -> str:
    """Plain characters: not every server reads RFC 2231."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[-100:] or "file"


def _await_medium(wire: Wire, media_id: str, name: str) -> None:
    """206 while it is being worked on. Raises RetryLater when that takes too long, Refused when it cannot be."""
    ends_at = time.monotonic() + _PROCESSED_WITHIN
    for turn in range(200):
        answer: Answer = wire.call("GET", f"/api/v1/media/{media_id}", endpoint=MEDIUM, takes={206})
        if answer.status == 200 and answer.object.get("url") is not None:
            return
        wait = _WAITS[min(turn, len(_WAITS) - 1)]
        if time.monotonic() + wait > ends_at:
            break
        time.sleep(wait)
    raise RetryLater(f"{wire.name} is still working on {name}.", timedelta(minutes=2))


# --- Evidence -------------------------------------------------------------------------------------------------------


def find_sent(wire: Wire, us: Us, message: OutboundMessage) -> Receipt | None:
    """Our own post with the same words, under the same parent, made after this was written."""
    frozen = thaw(message.content)
    if frozen is None or frozen.written_at is None:
        return None
    parent, is_resolved = frozen.answers_id, frozen.answers_server in {"", us.server}
    if frozen.in_reply_to and not (parent and is_resolved):
        parent = _find_here(wire, us, frozen.in_reply_to)
        if not parent:
            return None
    max_id = ""
    for _ in range(_MOST_PAGES):
        params = {"exclude_reblogs": "true", "limit": "40", **({"max_id": max_id} if max_id else {})}
        answer = wire.call("GET", f"/api/v1/accounts/{us.id}/statuses", params=params, endpoint=STATUSES)
        found = [one for one in answer.rows if ident(one)]
        oldest = frozen.written_at - _INEXACT + skew_of(answer, datetime.now(UTC))
        for one in found:
            if _is_same(one, frozen, parent, oldest):
                return _receipt(one, us, message, "Found among our own posts.")
        if not found or ident(found[-1]) == max_id or not _any_after(found, oldest):
            return None
        max_id = ident(found[-1])
    return None


def _any_after(found: Sequence[Row], oldest: datetime) -> bool:
    return any((moment(one, "created_at") or oldest) >= oldest for one in found)


def _is_same(status: Row, frozen: Frozen, parent: str, oldest: datetime) -> bool:
    """`oldest` in the server's time."""
    made = moment(status, "created_at")
    if made is None or made < oldest or part(status, "reblog"):
        return False
    if ident(status, "in_reply_to_id") != parent or len(rows(status, "media_attachments")) != len(frozen.files):
        return False
    if text(status, "spoiler_text").strip() != frozen.warning.strip():
        return False
    return _bare(to_text(text(status, "content"))) == _bare(frozen.text)


def _bare(words: str) -> str:
    """Letters and digits alone, of mentions only the name: what servers change when they make HTML is left out."""
    pieces, at = [], 0
    for span in spans_of(words):
        if span.handle:
            pieces += [words[at : span.start], " ", span.handle.partition("@")[0], " "]
            at = span.end
    pieces.append(words[at:])
    return "".join(one for one in "".join(pieces).casefold() if one.isalnum() or not one.isascii())
