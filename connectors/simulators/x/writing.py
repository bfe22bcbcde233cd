"""What can be written: posts, answers, hidden replies, direct messages. Each route names its page at docs.x.com."""

from __future__ import annotations

import re
from typing import Any

from connectors.simulators.exchange import Answer, Malformed, Request, json_answer
from connectors.simulators.x.core import XCore
from connectors.simulators.x.network import Refusal
from connectors.simulators.x.problems import forbidden, invalid, plain_problem
from connectors.simulators.x.things import Member, Upload, XPoll
from connectors.simulators.x.wanted import in_new_words, is_newest_sdk
from connectors.simulators.x.wording import MOST_WEIGHT, weigh

_CREATE_FIELDS = (
    *("card_uri", "community_id", "direct_message_deep_link", "edit_options", "for_super_followers_only", "geo"),
    *("made_with_ai", "media", "nullcast", "paid_partnership", "poll", "quote_tweet_id", "reply", "reply_settings"),
    *("share_with_followers", "text"),
)
_CASHTAG = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}\b")
_DM_CAP = 10_000


class WritingRoutes(XCore):
    def route_writing(self) -> None:
        self.route("POST /2/tweets", self.create_post)
        self.route("DELETE /2/tweets/:id", self.delete_post)
        self.route("PUT /2/tweets/:tweet_id/hidden", self.hide_reply)
        self.route("POST /2/dm_conversations/with/:participant_id/messages", self.write_to)
        self.route("POST /2/dm_conversations/:dm_conversation_id/messages", self.write_into)

    # --- Posts: docs.x.com/x-api/posts/create-post ------------------------------------------------------------------

    def create_post(self, request: Request) -> Answer:
        body = request.json_object()
        for name in body:
            if name not in _CREATE_FIELDS:
                return invalid(f"The request body field [{name}] does not exist.", name, [])
        text = body.get("text") or ""
        if not isinstance(text, str):
            return invalid("$.text: string expected", "text", [])
        uploads = self._attached(_object(body, "media").get("media_ids") or [])
        poll = self._poll(body)
        if not (text.strip() or uploads or poll):
            return invalid("One of text, media or poll must be given.", "text", [])
        quotes = str(body.get("quote_tweet_id") or "")
        if sum(bool(one) for one in (uploads, poll, quotes)) > 1:
            return invalid("Only one of media, poll and quote_tweet_id may be given.", "media", [])
        if weigh(text) > MOST_WEIGHT:
            return invalid("Tweet needs to be a bit shorter.", "text", [], code=186)
        answers = str(_object(body, "reply").get("in_reply_to_tweet_id") or "")
        try:
            self._refuse(text, answers, quotes, bool(uploads or poll))
        except Refusal as refusal:
            return forbidden(str(refusal))
        settings = body.get("reply_settings") or "everyone"
        if settings not in ("everyone", "following", "mentionedUsers", "subscribers", "verified"):
            return invalid("$.reply_settings: does not have a value in the enumeration", "reply_settings", [])
        facts: dict[str, Any] = {
            "answers": answers,
            "quotes": quotes,
            "uploads": uploads,
            "poll": poll,
            "reply_settings": settings,
        }
        post = self.world.publish(self.viewer, text, **facts)
        what = "Content: Create (with URL)" if self.world.has_link(text) else "Content: Create"
        self.ledger.write(self.viewer.id, what, post.id)
        data = {"id": post.id, "text": post.text, "edit_history_tweet_ids": post.history}
        return json_answer({"data": in_new_words(data) if is_newest_sdk(request) else data}, 201)

    def _refuse(self, text: str, answers: str, quotes: str, has_more: bool) -> None:
        """Raises Refusal for what X answers 403."""
        if len(_CASHTAG.findall(text)) > 1:
            raise Refusal("You are not allowed to create a Post with more than one cashtag.")
        if answers:
            self.world.refuse_reply(self.viewer, self.world.posts.get(answers), self.is_enterprise)
        quoted = self.world.posts.get(quotes)
        if quotes and (quoted is None or not self.world.is_visible(quoted, self.viewer)):
            raise Refusal("You attempted to quote a Tweet that is deleted or not visible to you.")
        if not has_more and self.world.is_duplicate(self.viewer, text, answers, quotes):
            raise Refusal("You are not allowed to create a Tweet with duplicate content.")

    def _attached(self, ids: Any) -> tuple[Upload, ...]:
        """docs.x.com/x-api/media/introduction: up to four pictures, or one film or moving one. Raises Malformed."""
        if not isinstance(ids, list) or len(ids) > 4:
            raise Malformed("$.media.media_ids: there must be a maximum of 4 items")
        found = []
        for id_ in ids:
            upload = self.world.uploads.get(str(id_))
            is_ready = upload is not None and upload.is_final and not (upload.ready_at or self.now()) > self.now()
            if upload is None or not is_ready or upload.owner_id != self.viewer.id:
                raise Malformed("Your media IDs are invalid.")
            found.append(upload)
        if len(found) > 1 and any(upload.kind != "photo" for upload in found):
            raise Malformed("A post holds four photos, or one video, or one animated GIF.")
        return tuple(found)

    def _poll(self, body: dict[str, Any]) -> XPoll | None:
        given = _object(body, "poll")
        if not given:
            return None
        options, minutes = given.get("options"), given.get("duration_minutes")
        if not isinstance(options, list) or not 2 <= len(options) <= 4:
            raise Malformed("$.poll.options: there must be 2 to 4 items")
        if not all(isinstance(one, str) and 1 <= len(one) <= 25 for one in options):
            raise Malformed("$.poll.options: each must have 1 to 25 characters")
        if not isinstance(minutes, int) or not 5 <= minutes <= 10080:
            raise Malformed("$.poll.duration_minutes: must be between 5 and 10080")
        return XPoll(self.world.new_id(), options, minutes, [0] * len(options))

    def delete_post(self, request: Request) -> Answer:
        """docs.x.com/x-api/posts/delete-post"""
        post = self.world.posts.get(request.values["id"])
        if post is not None and post.author_id != self.viewer.id:
            return forbidden("You are not permitted to perform this action.")
        if post is None or post.deleted_at is not None:
            return plain_problem(404, "Not Found")
        self.world.delete(post.id)
        self.ledger.write(self.viewer.id, "Interaction: Delete", post.id)
        return json_answer({"data": {"deleted": True}})

    def hide_reply(self, request: Request) -> Answer:
        """docs.x.com/x-api/posts/hide-reply: a reply in a conversation that we started."""
        is_hidden = request.json_object().get("hidden")
        post = self.world.posts.get(request.values["tweet_id"])
        root = self.world.posts.get(post.conversation_id) if post else None
        if not isinstance(is_hidden, bool):
            return invalid("$.hidden: boolean expected", "hidden", [])
        if post is None or root is None or root.author_id != self.viewer.id or not post.answers:
            return forbidden("You are not permitted to hide or unhide this reply.")
        post.is_hidden = is_hidden
        self.ledger.write(self.viewer.id, "Content: Manage", post.id)
        return json_answer({"data": {"hidden": is_hidden}})

    # --- Direct messages: docs.x.com/x-api/direct-messages/manage/introduction --------------------------------------

    def write_to(self, request: Request) -> Answer:
        other = self.world.members.get(request.values["participant_id"])
        if other is None or other.is_suspended:
            return forbidden("You cannot send messages to this user.")
        return self._write(request, other)

    def write_into(self, request: Request) -> Answer:
        people = self.world.participants(request.values["dm_conversation_id"])
        others = [self.world.members.get(id_) for id_ in people if id_ != self.viewer.id]
        if self.viewer.id not in people or len(others) != 1 or others[0] is None or others[0].is_suspended:
            return forbidden("You cannot send messages in this conversation.")
        return self._write(request, others[0])

    def _write(self, request: Request, other: Member) -> Answer:
        body = request.json_object()
        text, attached = body.get("text") or "", body.get("attachments") or []
        if not isinstance(text, str) or len(text) > _DM_CAP:
            return invalid("$.text: must have at most 10000 characters", "text", [])
        if not isinstance(attached, list) or len(attached) > 1 or not all(isinstance(one, dict) for one in attached):
            return invalid("$.attachments: there must be a maximum of 1 item", "attachments", [])
        uploads = self._attached([one.get("media_id") for one in attached])
        if not text.strip() and not uploads:
            return invalid("One of text and attachments must be given.", "text", [])
        try:
            event = self.world.write(self.viewer, other, text, uploads)
        except Refusal as refusal:
            return forbidden(str(refusal))
        self.ledger.write(self.viewer.id, "DM Interaction: Create", event.id)
        data = {"dm_conversation_id": event.conversation_id, "dm_event_id": event.id}
        return json_answer({"data": data}, 201)


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name) or {}
    if not isinstance(found, dict):
        raise Malformed(f"$.{name}: object expected")
    return found
