"""Sending: everything that may fail comes before `commit`; afterwards the record key decides.

    handles → DIDs, the answered post is still there and open, pictures uploaded → commit → createRecord

An answer that is none (an error of the server, a broken line) is settled by reading the record back: the same key
cannot be made twice, a repeat is answered with an error and changes nothing
(https://docs.bsky.app/docs/api/com-atproto-repo-create-record).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from connectors.answers import Gone
from connectors.base import ConnectorError, OutcomeUnknown, Refused
from connectors.bluesky.chat import Chat
from connectors.bluesky.compose import COLLECTION, Frozen, thaw, with_mentions
from connectors.bluesky.people import is_blocked
from connectors.bluesky.values import at, group, rows, text, uri_parts
from connectors.bluesky.xrpc import Absent, Xrpc
from connectors.messages import OutboundMessage, Outcome, Receipt, RecipientOutcome

_SKEW = timedelta(minutes=5)  # so much may the chat service's clock be behind ours
_KEPT = "Your text is kept."


class Sending:
    def __init__(self, xrpc: Xrpc, did: str, settings: Mapping[str, Any]) -> None:
        self._xrpc, self._did, self._settings = xrpc, did, settings

    def send(self, message: OutboundMessage, commit: Callable[[], None]) -> Receipt:
        frozen = self._thawed(message)
        if frozen.is_direct:
            return self._send_direct(message, frozen, commit)
        self._look_at_parent(text(frozen.record, "reply", "parent", "uri"))
        record = with_mentions(frozen.record, self._found(frozen))
        if frozen.images:
            record["embed"] = {"$type": "app.bsky.embed.images", "images": self._uploaded(frozen)}
        _authority, _collection, rkey = uri_parts(frozen.key)
        body = {"repo": self._did, "collection": COLLECTION, "rkey": rkey, "validate": True, "record": record}
        try:
            made = self._xrpc.create("com.atproto.repo.createRecord", body, commit)
        except OutcomeUnknown as error:
            return self._settled(message, error)
        if text(made, "uri") != frozen.key:
            return self._settled(message, OutcomeUnknown("The server's answer names another post."))
        return _receipt(message, frozen.key)

    def find_sent(self, message: OutboundMessage) -> Receipt | None:
        frozen = self._thawed(message)
        if frozen.is_direct:
            chat = Chat(self._xrpc, self._did, self._settings)
            since = frozen.written_at - _SKEW
            found = chat.find_sent(frozen.to.external_id, frozen.convo, text(frozen.record, "text"), since)
            return _receipt(message, found) if found else None
        if not record_exists(self._xrpc, frozen.key):
            return None
        return _receipt(message, frozen.key, "Found among our posts by its key.")

    def _thawed(self, message: OutboundMessage) -> Frozen:
        frozen = thaw(message.content)
        if frozen is None or uri_parts(frozen.key)[0] != self._did:
            raise Refused("This message was not written for this Bluesky account.")
        return frozen

    # --- Before ---------------------------------------------------------------------------------------------------

    def _look_at_parent(self, uri: str) -> None:
        """The server would take an answer to a post that is gone or closed to us; only nobody would ever see it."""
        if not uri:
            return
        data = self._xrpc.query("app.bsky.feed.getPosts", [("uris", uri)])
        view = next((one for one in rows(data, "posts", most=5) if text(one, "uri") == uri), None)
        if view is None:
            gone = not record_exists(self._xrpc, uri)
            why = "has been deleted" if gone else "is not shown to you any more: one of you has blocked the other"
            raise Refused(f"The post you answer {why}. {_KEPT}")
        if at(view, "viewer", "replyDisabled") is True:
            raise Refused(f"The author has limited who may reply to this post, and you are not among them. {_KEPT}")
        if any(is_blocked(group(view, "author"))):
            raise Refused(f"One of you has blocked the other. {_KEPT}")

    def _found(self, frozen: Frozen) -> list[tuple[int, int, str]]:
        """Mentions of people that there are; others stay plain text."""
        found, known = [], dict[str, str]()
        for start, end, handle in frozen.mentions:
            name = handle.lower()
            if name not in known:
                known[name] = self._did_of(name)
            if known[name]:
                found.append((start, end, known[name]))
        return found

    def _did_of(self, handle: str) -> str:
        try:
            did = text(self._xrpc.query("com.atproto.identity.resolveHandle", [("handle", handle)]), "did", most=300)
        except (Gone, Refused, Absent):
            return ""
        return did if did.startswith("did:") else ""

    def _uploaded(self, frozen: Frozen) -> list[dict[str, Any]]:
        images = []
        for file, width, height in frozen.images:
            blob = self._xrpc.upload(file.content, file.content_type)
            image: dict[str, Any] = {"image": dict(blob), "alt": file.alt}
            if width and height:
                image["aspectRatio"] = {"width": width, "height": height}
            images.append(image)
        return images

    # --- After ----------------------------------------------------------------------------------------------------

    def _settled(self, message: OutboundMessage, error: OutcomeUnknown) -> Receipt:
        try:
            found = self.find_sent(message)
        except ConnectorError:
            found = None
        if found is None:
            raise error
        return found

    def _send_direct(self, message: OutboundMessage, frozen: Frozen, commit: Callable[[], None]) -> Receipt:
        chat = Chat(self._xrpc, self._did, self._settings)
        record = with_mentions(frozen.record, self._found(frozen))
        try:
            reference = chat.send(frozen.to.external_id, frozen.convo, record, commit)
        except Absent as error:
            raise Refused(f"Direct messages cannot be sent with this app password. {_KEPT}") from error
        return _receipt(message, reference)


def record_exists(xrpc: Xrpc, uri: str) -> bool:
    """Whether a record is there, be it ours or another's. Raises RetryLater when that cannot be told."""
    authority, collection, rkey = uri_parts(uri)
    params = [("repo", authority), ("collection", collection), ("rkey", rkey)]
    try:
        xrpc.query("com.atproto.repo.getRecord", params)
    except Gone:
        return False
    return True


def _receipt(message: OutboundMessage, reference: str, sentence: str = "") -> Receipt:
    outcomes = tuple(RecipientOutcome(one, Outcome.SENT) for one in message.recipients)
    return Receipt(outcomes, external_id=reference, sentence=sentence, message_id=reference)
