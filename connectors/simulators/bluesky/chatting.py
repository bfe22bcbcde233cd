"""Routes of the chat service, which are reached through the header `atproto-proxy`: chat.bsky.convo.* lexicons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.simulators.bluesky.checking import graphemes
from connectors.simulators.bluesky.core import problem
from connectors.simulators.bluesky.sessions import PRIVILEGED
from connectors.simulators.bluesky.things import Convo, stamp
from connectors.simulators.bluesky.writing import WritingRoutes
from connectors.simulators.web import Answer, Request, json_answer

SERVICE = "did:web:api.bsky.chat#bsky_chat"
_MOST_GRAPHEMES, _MOST_BYTES = 1000, 10_000


class ChatRoutes(WritingRoutes):
    def route_chat(self) -> None:
        for name, answer in (
            ("GET listConvos", self.list_convos),
            ("GET getConvo", self.get_convo),
            ("GET getConvoForMembers", self.get_convo_for_members),
            ("GET getMessages", self.get_messages),
            ("POST acceptConvo", self.accept_convo),
            ("POST sendMessage", self.send_message),
        ):
            method, _, last = name.partition(" ")
            self.route(f"{method} /xrpc/chat.bsky.convo.{last}", self._through_proxy(answer))

    def _through_proxy(self, answer: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def take(request: Request) -> Answer:
            if request.headers.get("atproto-proxy") != SERVICE:
                return problem("MethodNotImplemented", "Method Not Implemented", 501)
            if self.scope != PRIVILEGED:
                return problem("InvalidToken", "Bad token method")
            return answer(request)

        return take

    def _find_convo(self, convo_id: str) -> Convo | None:
        convo = self.world.convos.get(convo_id)
        return convo if convo is not None and self.viewer in convo.members else None

    def list_convos(self, request: Request) -> Answer:
        """Last changed first; the cursor is a revision."""
        convos = [one for one in self.world.convos.values() if self.viewer in one.members]
        status, cursor = request.first("status"), request.first("cursor")
        convos.sort(key=lambda one: one.rev, reverse=True)
        shown = [self.views.convo(one, self.viewer) for one in convos if not cursor or one.rev < cursor]
        shown = [one for one in shown if not status or one["status"] == status]
        limit = int(request.first("limit", "50"))
        page = shown[:limit]
        found: dict[str, Any] = {"convos": page}
        return json_answer(found | ({"cursor": page[-1]["rev"]} if len(shown) > limit else {}))

    def get_convo(self, request: Request) -> Answer:
        convo = self._find_convo(request.first("convoId"))
        if convo is None:
            return problem("InvalidConvo", "Convo not found")
        return json_answer({"convo": self.views.convo(convo, self.viewer)})

    def get_convo_for_members(self, request: Request) -> Answer:
        other = self.world.find_member(request.first("members"))
        if other is None or other.is_suspended:
            return problem("RecipientNotFound", "Recipient not found")
        if self.world.is_apart(self.viewer, other.did):
            return problem("BlockedActor", "block between recipient and sender")
        convo = self.world.convo_of(self.viewer, other.did)
        return json_answer({"convo": self.views.convo(convo, self.viewer)})

    def get_messages(self, request: Request) -> Answer:
        """Newest first; the cursor is a message's revision."""
        convo = self._find_convo(request.first("convoId"))
        if convo is None:
            return problem("InvalidConvo", "Convo not found")
        cursor, limit = request.first("cursor"), int(request.first("limit", "50"))
        messages = [one for one in self.world.messages.values() if one.convo == convo.id]
        messages.sort(key=lambda one: one.rev, reverse=True)
        left = [one for one in messages if not cursor or one.rev < cursor]
        found: dict[str, Any] = {"messages": [self.views.message(one) for one in left[:limit]]}
        return json_answer(found | ({"cursor": left[limit - 1].rev} if len(left) > limit else {}))

    def accept_convo(self, request: Request) -> Answer:
        convo = self._find_convo(str(request.json_object().get("convoId")))
        if convo is None:
            return problem("InvalidConvo", "Convo not found")
        if convo.requested_of == self.viewer:
            convo.requested_of = ""
            return json_answer({"rev": convo.rev})
        return json_answer({})

    def send_message(self, request: Request) -> Answer:
        body = request.json_object()
        convo = self._find_convo(str(body.get("convoId")))
        if convo is None:
            return problem("InvalidConvo", "Convo not found")
        others = [did for did in convo.members if did != self.viewer]
        if any(self.world.is_apart(self.viewer, did) for did in others):
            return problem("BlockedActor", "block between recipient and sender")
        message = body.get("message") or {}
        text = message.get("text")
        if not isinstance(text, str) or graphemes(text) > _MOST_GRAPHEMES or len(text.encode()) > _MOST_BYTES:
            return problem("InvalidRequest", f"Input/message/text must not be longer than {_MOST_GRAPHEMES} graphemes")
        made = self.world.write(convo, self.viewer, text, list(message.get("facets") or []))
        return json_answer({**self.views.message(made), "sentAt": stamp(made.at)})
