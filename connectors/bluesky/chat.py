"""Direct messages: chat.bsky.convo.*, which the PDS passes on to the chat service.

Conversations are listed by when something last happened in them; the revision (`rev`, a TID) of each tells whether
that is known. New ones are read down to the last known message less an overlap. Allowed only to app passwords that
were made with access to direct messages, and not offered by every server: `is_there` tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import AuthFailed, OutcomeUnknown, Refused
from connectors.bluesky.directs import direct_reference
from connectors.bluesky.fetching import DMS, history_of, raw_item
from connectors.bluesky.tid import seconds_of
from connectors.bluesky.values import group, moment, rows, text
from connectors.bluesky.xrpc import CHAT, Absent, Xrpc
from connectors.messages import Known, Page, RawItem, Wish

OVERLAP = timedelta(minutes=15)
_PAGE, _MAX_CONVOS, _MAX_MESSAGES = 100, 5000, 5000
_MAX_KEPT = 2000  # conversations of a walk that was interrupted


class Chat:
    def __init__(self, xrpc: Xrpc, did: str, settings: Mapping[str, Any]) -> None:
        self._xrpc, self._did = xrpc, did
        self._service = str(settings.get("chat_service") or CHAT)
        self._history = history_of(settings)

    def _query(self, method: str, *params: tuple[str, Any]) -> Mapping[str, Any]:
        return self._xrpc.query(f"chat.bsky.convo.{method}", params, self._service)

    def is_there(self) -> bool:
        """Whether this log-in reads direct messages here. Raises RetryLater when that cannot be told just now."""
        try:
            self._query("listConvos", ("limit", 1))
        except (Absent, Refused, AuthFailed):
            return False
        return True

    # --- Reading ------------------------------------------------------------------------------------------------

    def fetch(self, known: Known, wish: Wish) -> Iterator[Page]:
        """One page a conversation that has something new; the mark moves when all of them are stored."""
        found = known.of(DMS.place)
        state: Mapping[str, Any] = found.state if found else {}
        mark, done = text(state, "mark", most=64), dict(group(state, "done"))
        floor = self._floor(mark)
        newest, count = mark, 0
        for convo in self._news(floor):
            convo_id, rev = text(convo, "id", most=200), text(convo, "rev", most=64)
            newest = max(newest, rev)
            if done.get(convo_id) == rev:
                continue
            items = list(self._messages(convo, floor, datetime.now(UTC)))
            done = {convo_id: rev} | {one: kept for one, kept in list(done.items())[:_MAX_KEPT] if one != convo_id}
            yield Page(tuple(items), state={DMS: {"mark": mark, "done": done}})
            count += len(items)
            if wish.max_items is not None and count >= wish.max_items:
                return
        # Revisions of the overlap are remembered: they would be read again every time.
        kept = {one: rev for one, rev in done.items() if self._is_recent(rev, newest)}
        after = {"mark": newest, "done": kept}
        if after != state:
            yield Page(state={DMS: after})

    def _floor(self, mark: str) -> datetime:
        seconds = seconds_of(mark)
        if seconds is None:
            return datetime.now(UTC) - self._history
        return datetime.fromtimestamp(seconds, UTC) - OVERLAP

    def _is_recent(self, rev: Any, newest: str) -> bool:
        at, top = seconds_of(str(rev)), seconds_of(newest)
        return at is not None and top is not None and at >= top - 2 * OVERLAP.total_seconds()

    def _news(self, floor: datetime) -> Iterator[Mapping[str, Any]]:
        """Newest first, down to what is known. A page that repeats ends it."""
        cursor, seen = "", set[str]()
        for _ in range(_MAX_CONVOS // _PAGE):
            data = self._query("listConvos", ("limit", _PAGE), *((("cursor", cursor),) if cursor else ()))
            convos = [one for one in rows(data, "convos", most=_PAGE) if text(one, "id") not in seen]
            for convo in convos:
                seen.add(text(convo, "id"))
                at = seconds_of(text(convo, "rev")) or 0.0
                last = moment(convo, "lastMessage", "sentAt")
                if at and at < floor.timestamp() and (last is None or last < floor):
                    return
                yield convo
            cursor = text(data, "cursor", most=2000)
            if not cursor or not convos:
                return

    def _messages(self, convo: Mapping[str, Any], floor: datetime, now: datetime) -> Iterator[RawItem]:
        """Newest first; one known message below the floor ends it."""
        convo_id, cursor, seen = text(convo, "id", most=200), "", set[str]()
        about = {name: convo[name] for name in ("id", "members", "status", "kind", "muted") if name in convo}
        for _ in range(_MAX_MESSAGES // _PAGE):
            params = [("convoId", convo_id), ("limit", _PAGE), *([("cursor", cursor)] if cursor else [])]
            data = self._query("getMessages", *params)
            messages = [one for one in rows(data, "messages", most=_PAGE) if text(one, "id") not in seen]
            for message in messages:
                seen.add(text(message, "id"))
                at = moment(message, "sentAt") or now
                if at < floor:
                    return
                kind = text(message, "$type").rpartition("#")[2]
                if kind == "systemMessageView":
                    continue
                version = "gone" if kind == "deletedMessageView" else "0"
                is_ours = text(message, "sender", "did") == self._did
                reference = direct_reference(convo_id, text(message, "id", most=200))
                data_ = {"message": message, "convo": about}
                yield raw_item(DMS, reference, version, at, data_, is_sent=is_ours)
            cursor = text(data, "cursor", most=2000)
            if not cursor or not messages:
                return

    # --- Writing ------------------------------------------------------------------------------------------------

    def find_convo(self, did: str, convo_id: str) -> Mapping[str, Any]:
        """The conversation that is answered, or the one with this person; it is made when there is none yet."""
        if convo_id:
            return group(self._query("getConvo", ("convoId", convo_id)), "convo")
        return group(self._query("getConvoForMembers", ("members", did)), "convo")

    def send(self, did: str, convo_id: str, message: Mapping[str, Any], commit: Callable[[], None]) -> str:
        """The reference of the new message. Raises OutcomeUnknown after `commit`, as well as Refused, RetryLater."""
        convo = self.find_convo(did, convo_id)
        found = text(convo, "id", most=200)
        if not found:
            raise Refused("This conversation is no longer there.")
        if text(convo, "status") == "request":
            self._xrpc.procedure(
                "chat.bsky.convo.acceptConvo", {"convoId": found}, service=self._service, idempotent=True
            )
        body = {"convoId": found, "message": dict(message)}
        made = self._xrpc.create("chat.bsky.convo.sendMessage", body, commit, service=self._service)
        message_id = text(made, "id", most=200)
        if not message_id:
            raise OutcomeUnknown("The answer does not say whether the message was sent. It is being found out.")
        return direct_reference(found, message_id)

    def find_sent(self, did: str, convo_id: str, words: str, since: datetime) -> str | None:
        """The newest of our messages there with these words, sent since."""
        try:
            found = convo_id or text(self.find_convo(did, ""), "id", most=200)
            data = self._query("getMessages", ("convoId", found), ("limit", _PAGE))
        except (Absent, Refused):
            return None
        for message in rows(data, "messages", most=_PAGE):
            at = moment(message, "sentAt")
            is_ours = text(message, "sender", "did") == self._did
            if is_ours and at and at >= since and text(message, "text").strip() == words.strip():
                return direct_reference(found, text(message, "id", most=200))
        return None
