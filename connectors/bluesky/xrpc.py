"""Calls to a personal data server (PDS), which passes on what other services answer: https://atproto.com/specs/xrpc

    xrpc = Xrpc.of(account, secrets)
    xrpc.query("app.bsky.feed.getPosts", [("uris", uri), …])          GET /xrpc/…, the JSON object
    xrpc.procedure("chat.bsky.convo.acceptConvo", {…}, service=CHAT)  POST, through the proxy header
    xrpc.create("com.atproto.repo.createRecord", {…}, commit)         what must not happen twice

A thin client on connectors/wire.py: the SDK (PyPI atproto) takes over a second and 70 MB to load, pins another
library, and its models drop or refuse fields that a newer server sends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from connectors.base import AuthFailed, ConnectorError, LogInExpired, Refused
from connectors.bluesky.values import group, rows, text
from connectors.registry import AccountSettings, SecretText
from connectors.wire import BLUESKY_HEADERS, Answer, Dialect, Gone, Wire

CHAT = "did:web:api.bsky.chat#bsky_chat"  # https://docs.bsky.app/docs/tutorials/chat (the service behind chat.bsky.*)
HOME = "https://bsky.social"
_UPLOAD_SECONDS = 120.0

_NO_ACCOUNT = {
    "AccountTakedown": "Bluesky has suspended this account.",
    "AccountSuspended": "Bluesky has suspended this account.",
    "AccountDeactivated": "This account is deactivated. Activate it again at Bluesky, then connect it again.",
}
_NO_RECORD = {"RecordNotFound", "NotFound"}
_REFUSED = {
    "BlockedActor": "You have blocked this person.",
    "BlockedByActor": "This person has blocked you.",
    "BlockedSubject": "You have blocked this person, or they you.",
    "MessagesDisabled": "This person takes no direct messages.",
    "NotFollowedBySender": "This person takes direct messages only from those they follow.",
    "ConvoLocked": "This conversation is locked.",
    "InvalidConvo": "This conversation is no longer there.",
    "RecipientNotFound": "This person is no longer there.",
}


class BadCursor(Refused):
    """The position in a list is no longer taken: it expired, or the server has changed its form."""


class Absent(ConnectorError):
    """This server, or this log-in, has no such service."""


def is_expired(answer: Answer) -> bool:
    """An access token that ran out is answered with 400 by some servers and methods."""
    return answer.status == 400 and text(answer.data, "error") == "ExpiredToken"


def _words(data: Mapping[str, Any]) -> str:
    return text(data, "message") or text(data, "error")


DIALECT = Dialect("Bluesky", base_url=HOME, windows=BLUESKY_HEADERS, words=_words, is_expired=is_expired)


class Xrpc:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    @classmethod
    def of(cls, account: AccountSettings, secrets: Mapping[str, SecretText]) -> Xrpc:
        return cls(Wire.of(account, DIALECT, bearer=secrets.get("access_token") or ""))

    def close(self) -> None:
        self.wire.close()

    def query(
        self, method: str, params: Sequence[tuple[str, Any]] = (), service: str = "", token: str | None = None
    ) -> Mapping[str, Any]:
        """Raises Absent for what is not offered, and as connectors/wire.py says."""
        answer = self.wire.call(
            "GET", f"/xrpc/{method}", params=list(params), headers=_proxied(service), takes=_TAKEN, token=token
        )
        return self._read(answer)

    def procedure(
        self,
        method: str,
        body: Mapping[str, Any] | None = None,
        service: str = "",
        token: str | None = None,
        idempotent: bool = False,
    ) -> Mapping[str, Any]:
        answer = self.wire.call(
            "POST",
            f"/xrpc/{method}",
            json=body,
            headers=_proxied(service),
            takes=_TAKEN,
            token=token,
            idempotent=idempotent,
        )
        return self._read(answer)

    def upload(self, content: bytes, content_type: str) -> Mapping[str, Any]:
        """The blob as a record refers to it. Repeating it makes the same blob."""
        answer = self.wire.call(
            "POST",
            "/xrpc/com.atproto.repo.uploadBlob",
            data=content,
            headers={"Content-Type": content_type},
            takes=_TAKEN,
            idempotent=True,
            seconds=_UPLOAD_SECONDS,
        )
        blob = self._read(answer).get("blob")
        if not isinstance(blob, Mapping):
            raise Refused(f"{self.wire.name} did not take the picture.")
        return blob

    def create(
        self, method: str, body: Mapping[str, Any], commit: Callable[[], None], service: str = ""
    ) -> Mapping[str, Any]:
        """Raises OutcomeUnknown as well, after `commit`."""
        answer = self.wire.create(
            "POST", f"/xrpc/{method}", commit, json=body, headers=_proxied(service), takes=_REFUSALS
        )
        return self._read(answer, _said(body))

    def _read(self, answer: Answer, said: Collection[str] = ()) -> Mapping[str, Any]:
        """`said`: what we have written, which must not come back in a sentence."""
        if 200 <= answer.status < 300:
            return answer.object
        error = self._error(answer)
        if error is not None:
            raise error
        raise self.wire.failure(answer, said)

    def _error(self, answer: Answer) -> ConnectorError | None:
        """What only this protocol knows; None for what every server says."""
        name, message = text(answer.data, "error"), text(answer.data, "message")
        if sentence := _NO_ACCOUNT.get(name):
            return AuthFailed(sentence)
        if name == "ExpiredToken":
            return LogInExpired("The session at Bluesky ran out in the middle.")
        if name in _NO_RECORD or message.startswith("Could not locate record"):
            return Gone("Bluesky has no such post, or not any more.")
        if name == "InvalidToken" and answer.status == 400:
            return Absent("This app password does not allow that.")
        if answer.status in (405, 501) or name in {"MethodNotImplemented", "XRPCNotSupported"}:
            return Absent("This server does not offer that.")
        if sentence := _REFUSED.get(name):
            return Refused(sentence)
        if answer.status == 400 and "cursor" in message.lower():
            return BadCursor("The place in the list is no longer known there.")
        return None


_REFUSALS = (400, 403, 404, 405)
_TAKEN = (*_REFUSALS, 501)


def _said(body: Mapping[str, Any]) -> set[str]:
    """The texts of a post or message, and what its pictures show."""
    record = group(body, "record") or group(body, "message")
    alts = [text(one, "alt") for one in rows(record, "embed", "images")]
    return {one for one in (text(record, "text"), *alts) if len(one) >= 4}


def _proxied(service: str) -> dict[str, str]:
    """https://atproto.com/specs/xrpc#service-proxying"""
    return {"atproto-proxy": service} if service else {}
