"""Posts, people and messages as the X API shows them: docs.x.com/x-api/fundamentals/data-dictionary.

Only ids and defaults come by themselves; fields and expansions are added as asked for, secondary objects once each in
`includes`. What may not be seen stands in `errors` beside what may.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.simulators.x.network import EDIT_WINDOW, MOST_EDITS, XNetwork
from connectors.simulators.x.problems import not_allowed, not_found
from connectors.simulators.x.things import DirectEvent, Member, Upload, XPost
from connectors.simulators.x.wanted import Wanted, in_new_words
from connectors.simulators.x.wording import Link


def stamp(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


class Showing:
    """One answer in the making, for one viewer."""

    def __init__(self, network: XNetwork, viewer: Member, wanted: Wanted, base_url: str) -> None:
        self.network, self.viewer, self.wanted, self.base_url = network, viewer, wanted, base_url
        self.errors: list[dict[str, Any]] = []
        self.people: dict[str, dict[str, Any]] = {}
        self.tweets: dict[str, dict[str, Any]] = {}
        self.media: dict[str, dict[str, Any]] = {}
        self.polls: dict[str, dict[str, Any]] = {}

    def whole(self, data: Any, meta: dict[str, Any] | None = None) -> dict[str, Any]:
        """`data` that is empty is left out, as X does it."""
        named = (("media", self.media), ("users", self.people), ("tweets", self.tweets), ("polls", self.polls))
        includes = {name: list(found.values()) for name, found in named if found}
        parts = (("data", data), ("includes", includes), ("errors", self.errors), ("meta", meta))
        answer = {name: value for name, value in parts if value}
        return dict(in_new_words(answer)) if self.wanted.speaks_of_posts else answer

    # --- Posts ------------------------------------------------------------------------------------------------------

    def post(self, post: XPost) -> dict[str, Any]:
        """For `data`; its expansions go where `whole` finds them."""
        self._expand(post)
        return self._tweet(post)

    def _tweet(self, post: XPost) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": post.id, "text": post.text, "edit_history_tweet_ids": list(post.history)}
        for name in sorted(self.wanted.tweet):
            value = self._tweet_field(post, name)
            if value not in (None, [], {}):
                shown[name] = value
        return shown

    def _tweet_field(self, post: XPost, name: str) -> Any:
        answered = self.network.posts.get(post.answers)
        plain = {
            "author_id": post.author_id,
            "conversation_id": post.conversation_id,
            "created_at": stamp(post.created_at),
            "lang": post.lang,
            "possibly_sensitive": False,
            "reply_settings": post.reply_settings,
            "in_reply_to_user_id": answered.author_id if answered else None,
            "display_text_range": [post.prefix, len(post.text)],
            "username": self.network.members[post.author_id].username,
        }
        if name in plain:
            return plain[name]
        made = {
            "attachments": self._attachments,
            "edit_controls": self._edit_controls,
            "entities": lambda one: self._entities(one, self.network.mentioned(one)),
            "public_metrics": self._metrics,
            "referenced_tweets": self._references,
        }.get(name)
        return made(post) if made else None

    def _attachments(self, post: XPost) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if post.uploads:
            found["media_keys"] = [upload.key for upload in post.uploads]
        if post.poll:
            found["poll_ids"] = [post.poll.id]
        return found

    def _edit_controls(self, post: XPost) -> dict[str, Any]:
        until = self.network.posts[post.history[0]].created_at + EDIT_WINDOW
        answered = self.network.posts.get(post.answers)
        may = not (post.poll or post.reposts or (answered and answered.author_id != post.author_id))
        left = MOST_EDITS - (len(post.history) - 1)
        return {"is_edit_eligible": bool(may), "editable_until": stamp(until), "edits_remaining": left}

    def _entities(self, post: XPost | DirectEvent, mentioned: list[tuple[int, int, Member]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if mentioned:
            found["mentions"] = [
                {"start": start, "end": end, "username": member.username, "id": member.id}
                for start, end, member in mentioned
            ]
        if post.links:
            found["urls"] = [_link(link) for link in post.links]
        return found

    def _metrics(self, post: XPost) -> dict[str, int]:
        count = self.network.count
        return {
            "retweet_count": count("reposts", post),
            "reply_count": count("answers", post),
            "like_count": post.likes,
            "quote_count": count("quotes", post),
            "bookmark_count": 0,
            "impression_count": post.impressions,
        }

    def _references(self, post: XPost) -> list[dict[str, str]]:
        named = (("retweeted", post.reposts), ("quoted", post.quotes), ("replied_to", post.answers))
        return [{"type": kind, "id": id_} for kind, id_ in named if id_]

    def _expand(self, post: XPost) -> None:
        wanted = self.wanted.expansions
        if "author_id" in wanted:
            self._add_person(post.author_id)
        if "entities.mentions.username" in wanted:
            for _, _, member in self.network.mentioned(post):
                self._add_person(member.id)
        answered = self.network.posts.get(post.answers)
        if "in_reply_to_user_id" in wanted and answered:
            self._add_person(answered.author_id)
        if "attachments.media_keys" in wanted:
            self._add_media(post.uploads)
        if "attachments.poll_ids" in wanted and post.poll:
            self._add_poll(post)
        if "edit_history_tweet_ids" in wanted:
            for version in post.history:
                if version != post.id:
                    self.tweets[version] = self._tweet(self.network.posts[version])
        for expansion in ("referenced_tweets.id", "referenced_tweets.id.author_id"):
            if expansion in wanted:
                self._add_referenced(post, expansion)

    def _add_referenced(self, post: XPost, expansion: str) -> None:
        for reference in self._references(post):
            other = self.network.posts.get(reference["id"])
            if other is None or other.deleted_at is not None:
                self._complain(not_found("tweet", "referenced_tweets.id", reference["id"]))
            elif not self.network.is_visible(other, self.viewer):
                self._complain(not_allowed("tweet", "referenced_tweets.id", reference["id"]))
            else:
                self.tweets[other.id] = self._tweet(other)
                if expansion.endswith("author_id"):
                    self._add_person(other.author_id)
                if "referenced_tweets.id.attachments.media_keys" in self.wanted.expansions:
                    self._add_media(other.uploads)

    def _complain(self, error: dict[str, Any]) -> None:
        if error not in self.errors:
            self.errors.append(error)

    def _add_media(self, uploads: tuple[Upload, ...]) -> None:
        for upload in uploads:
            address = f"{self.base_url}/media/{upload.id}"
            values = {
                "url": address if upload.kind == "photo" else None,
                "preview_image_url": None if upload.kind == "photo" else address + "?preview",
                "alt_text": upload.alt or None,
                "width": upload.width or 1,
                "height": upload.height or 1,
                "duration_ms": 8000 if upload.kind == "video" else None,
            }
            shown = {"media_key": upload.key, "type": upload.kind}
            self.media[upload.key] = shown | _kept(values, self.wanted.media)

    def _add_poll(self, post: XPost) -> None:
        poll = post.poll
        if poll is None:
            return
        ends = post.created_at + timedelta(minutes=poll.minutes)
        options = [
            {"position": number, "label": label, "votes": poll.votes[number - 1]}
            for number, label in enumerate(poll.options, 1)
        ]
        values = {
            "duration_minutes": poll.minutes,
            "end_datetime": stamp(ends),
            "voting_status": "open" if self.network.now() < ends else "closed",
        }
        self.polls[poll.id] = {"id": poll.id, "options": options, **_kept(values, self.wanted.poll)}

    # --- People and messages ----------------------------------------------------------------------------------------

    def _add_person(self, id_: str) -> None:
        self.people[id_] = self.person(self.network.members[id_])

    def person(self, member: Member) -> dict[str, Any]:
        values = {
            "created_at": stamp(member.created_at),
            "description": member.description,
            "protected": member.is_protected,
            "verified": member.verified_type != "none",
            "verified_type": member.verified_type,
            "profile_image_url": f"{self.base_url}/profile_images/{member.id}.svg",
            "receives_your_dm": member.takes_dms,
            "public_metrics": {
                "followers_count": member.followers,
                "following_count": member.following,
                "tweet_count": self.network.written(member),
                "listed_count": 0,
                "like_count": 0,
                "media_count": 0,
            },
        }
        return {"id": member.id, "name": member.name, "username": member.username, **_kept(values, self.wanted.user)}

    def direct(self, event: DirectEvent) -> dict[str, Any]:
        if "sender_id" in self.wanted.expansions:
            self._add_person(event.sender_id)
        if "participant_ids" in self.wanted.expansions:
            for id_ in self.network.participants(event.conversation_id):
                self._add_person(id_)
        if "attachments.media_keys" in self.wanted.expansions:
            self._add_media(event.uploads)
        values = {
            "created_at": stamp(event.created_at),
            "dm_conversation_id": event.conversation_id,
            "sender_id": event.sender_id,
            "attachments": {"media_keys": [one.key for one in event.uploads]} if event.uploads else None,
            "entities": self._entities(event, []) or None,
        }
        shown = {"id": event.id, "event_type": "MessageCreate", "text": event.text}
        return shown | _kept(values, self.wanted.direct)


def _link(link: Link) -> dict[str, Any]:
    return {
        "start": link.start,
        "end": link.end,
        "url": link.short,
        "expanded_url": link.long,
        "display_url": link.shown,
    }


def _kept(values: dict[str, Any], wanted: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in wanted and value is not None}
