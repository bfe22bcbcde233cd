"""What can be written: statuses, their edits and deletion, files.

https://docs.joinmastodon.org/methods/statuses/#create, #edit, #delete; https://docs.joinmastodon.org/methods/media/.
The Idempotency-Key is kept for an hour, per account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.simulators.exchange import Answer, Malformed, Request, json_answer
from connectors.simulators.mastodon.access import fields_of
from connectors.simulators.mastodon.things import DIRECT, PRIVATE, PUBLIC, UNLISTED, Choice, Medium, Member, Status
from connectors.simulators.mastodon.views import FILMS, IMAGES, Views
from connectors.simulators.mastodon.wording import length_of
from connectors.simulators.mastodon.world import Refusal, World
from connectors.simulators.web import Route

KEY_LIFE = timedelta(hours=1)
MOST_FILES = 4


class PostingRoutes:
    world: World
    views: Views
    now: Callable[[], datetime]
    max_characters: int
    media_takes: timedelta
    bugs: set[str]
    route: Callable[[str, Route], None]
    careful: Callable[[Route], Route]
    get_caller: Callable[[Request], Member]

    def route_posting(self) -> None:
        self._keys: dict[tuple[str, str], tuple[datetime, str]] = {}
        for pattern, answer in (
            ("POST /api/v1/statuses", self._create),
            ("PUT /api/v1/statuses/:id", self._edit),
            ("DELETE /api/v1/statuses/:id", self._delete),
            ("POST /api/v2/media", self._upload),
            ("POST /api/v1/media", self._upload),
            ("GET /api/v1/media/:id", self._medium),
        ):
            self.route(pattern, self.careful(answer))

    def _create(self, request: Request) -> Answer:
        us, asked = self.get_caller(request), fields_of(request)
        key = (us.id, request.headers.get("idempotency-key", ""))
        before = self._keys.get(key) if key[1] else None
        if before and self.now() - before[0] < KEY_LIFE and "forgets-keys" not in self.bugs:
            if "repeats-fail" in self.bugs:
                return json_answer({"error": "Internal server error"}, 500)
            return json_answer(self.views.status(self.world.get_status(before[1]), us))
        status = self._made(us, asked)
        if key[1]:
            self._keys[key] = (self.now(), status.id)
        return json_answer(self.views.status(status, us))

    def _made(self, us: Member, asked: dict[str, Any]) -> Status:
        text, warning = str(asked.get("status") or "").strip(), str(asked.get("spoiler_text") or "")
        ids = asked.get("media_ids") or asked.get("media_ids[]") or []
        media = self._attached(us, [str(one) for one in ids])
        visibility = str(asked.get("visibility") or PUBLIC)
        if visibility not in {PUBLIC, UNLISTED, PRIVATE, DIRECT}:
            raise Refusal("Validation failed: Visibility is not included in the list")
        if not text and not media:
            raise Refusal("Validation failed: Text can't be blank")
        if length_of(text, warning) > self.max_characters:
            raise Refusal(f"Validation failed: Text character limit of {self.max_characters} exceeded")
        answers = str(asked.get("in_reply_to_id") or "")
        if answers and not self.world.may_see(us, self.world.statuses.get(answers) or Status("", "", [""], [])):
            raise Refusal("The post you are trying to reply to does not appear to exist.", 404)
        status = self.world.post(
            us,
            text,
            answers=answers,
            quotes=str(asked.get("quoted_status_id") or ""),
            visibility=visibility,
            warning=warning,
            language=str(asked.get("language") or "en"),
            media=media,
        )
        poll = asked.get("poll")
        if isinstance(poll, dict):
            status.choices = [Choice(str(one)) for one in poll.get("options") or ()]
        return status

    def _attached(self, us: Member, ids: list[str]) -> list[Medium]:
        found = [self.world.media[one] for one in ids if one in self.world.media]
        if len(found) < len(ids) or any(one.owner != us.id for one in found):
            raise Refusal("Validation failed: Some media could not be found")
        if any(one.ready_at and one.ready_at > self.now() for one in found):
            raise Refusal("Cannot attach files that have not finished processing. Try again in a moment!")
        if len(found) > MOST_FILES or (len(found) > 1 and any(one.kind != "image" for one in found)):
            raise Refusal("Cannot attach more than 4 files")
        return found

    def _own(self, request: Request) -> tuple[Member, Status]:
        us, status = self.get_caller(request), self.world.get_status(request.values["id"])
        if status.author != us.id:
            raise Refusal("Record not found", 404)
        return us, status

    def _edit(self, request: Request) -> Answer:
        us, status = self._own(request)
        asked = fields_of(request)
        self.world.edit(status, str(asked.get("status") or ""), str(asked.get("spoiler_text") or ""))
        return json_answer(self.views.status(status, us))

    def _delete(self, request: Request) -> Answer:
        us, status = self._own(request)
        shown = {**self.views.status(status, us), "text": status.text}
        self.world.delete(status)
        return json_answer(shown)

    # --- Files ------------------------------------------------------------------------------------------------------

    def _upload(self, request: Request) -> Answer:
        us = self.get_caller(request)
        parts = {one.name: one for one in request.parts()}
        file = parts.get("file")
        if file is None or not file.content:
            raise Malformed("Validation failed: File can't be blank")
        if file.content_type not in {*IMAGES, *FILMS}:
            raise Refusal("Validation failed: File content type is invalid, File is invalid")
        kind = file.content_type.partition("/")[0]
        if kind == "image" and len(file.content) > 16_777_216:
            raise Refusal("Validation failed: File size must be less than 16 MB")
        description = parts["description"].text if "description" in parts else ""
        medium = Medium(self.world.new_id(), us.id, kind, file.content_type, len(file.content), description)
        is_late = request.path.startswith("/api/v2") and self.media_takes > timedelta(0)
        if is_late:
            medium = replace(medium, ready_at=self.now() + self.media_takes)
        self.world.media[medium.id] = medium
        return json_answer(self.views.medium(medium, not is_late), 202 if is_late else 200)

    def _medium(self, request: Request) -> Answer:
        us, medium = self.get_caller(request), self.world.media.get(request.values["id"])
        if medium is None or medium.owner != us.id:
            raise Refusal("Record not found", 404)
        is_ready = medium.ready_at is None or medium.ready_at <= self.now()
        return json_answer(self.views.medium(medium, is_ready), 200 if is_ready else 206)
