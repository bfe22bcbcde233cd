"""Routes that only look: identity, repositories, the AppView's lists. Each names its page or lexicon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from connectors.simulators.bluesky.core import BlueskyCore, problem
from connectors.simulators.bluesky.things import POST, stamp
from connectors.simulators.bluesky.world import sort_at
from connectors.simulators.web import Answer, Malformed, Request, json_answer

T = TypeVar("T")
_MOST = 100


class ReadingRoutes(BlueskyCore):
    def route_reading(self) -> None:
        self.route("GET /xrpc/_health", lambda request: json_answer({"version": "simulated"}))
        self.route("GET /xrpc/com.atproto.identity.resolveHandle", self.resolve_handle)
        self.route("GET /xrpc/com.atproto.repo.getRecord", self.get_record)
        self.route("GET /xrpc/com.atproto.repo.listRecords", self.list_records)
        self.route("GET /xrpc/app.bsky.actor.getProfile", self.get_profile)
        self.route("GET /xrpc/app.bsky.actor.getProfiles", self.get_profiles)
        self.route("GET /xrpc/app.bsky.feed.getPosts", self.get_posts)
        self.route("GET /xrpc/app.bsky.feed.getAuthorFeed", self.get_author_feed)
        self.route("GET /xrpc/app.bsky.notification.listNotifications", self.list_notifications)
        self.route("GET /:did", self.show_document)

    def document(self, did: str) -> dict[str, Any]:
        """https://atproto.com/specs/did"""
        member = self.world.members[did]
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.base_url}
        return {"id": did, "alsoKnownAs": [f"at://{member.handle}"], "service": [service]}

    def show_document(self, request: Request) -> Answer:
        """https://web.plc.directory/api/redoc"""
        did = request.values["did"]
        if did not in self.world.members:
            return json_answer({"message": f"DID not registered: {did}"}, 404)
        return json_answer(self.document(did))

    def resolve_handle(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/com-atproto-identity-resolve-handle"""
        member = self.world.find_member(request.first("handle"))
        if member is None:
            return problem("InvalidRequest", "Unable to resolve handle")
        return json_answer({"did": member.did})

    def get_record(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/com-atproto-repo-get-record"""
        member = self.world.find_member(request.first("repo"))
        if member is None:
            return problem("InvalidRequest", f"Could not find repo: {request.first('repo')}")
        uri = f"at://{member.did}/{request.first('collection')}/{request.first('rkey')}"
        post = self.world.posts.get(uri)
        if post is None or post.deleted_at:
            return problem("RecordNotFound", f"Could not locate record: {uri}")
        return json_answer({"uri": uri, "cid": post.cid, "value": post.record})

    def list_records(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/com-atproto-repo-list-records: newest first, the cursor is a record key"""
        member, collection = self.world.find_member(request.first("repo")), request.first("collection")
        posts = [one for one in self.world.posts.values() if member and one.author == member.did and not one.deleted_at]
        posts.sort(key=lambda one: one.uri, reverse=True)
        before, limit = request.first("cursor"), _limit(request)
        left = [one for one in posts if collection == POST and (not before or one.uri.rpartition("/")[2] < before)]
        page = left[:limit]
        found: dict[str, Any] = {"records": [{"uri": one.uri, "cid": one.cid, "value": one.record} for one in page]}
        return json_answer(found | ({"cursor": page[-1].uri.rpartition("/")[2]} if page else {}))

    def get_profile(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/app-bsky-actor-get-profile"""
        member = self.world.find_member(request.first("actor"))
        if member is None or member.is_suspended:
            return problem("InvalidRequest", "Profile not found")
        return json_answer(self.views.detailed(member, self.viewer))

    def get_profiles(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/app-bsky-actor-get-profiles: at most 25"""
        asked = _several(request, "actors", 25)
        found = [member for one in asked if (member := self.world.find_member(one)) and not member.is_suspended]
        return json_answer({"profiles": [self.views.detailed(one, self.viewer) for one in found]})

    def get_posts(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/app-bsky-feed-get-posts: at most 25; what is not to be seen is left out"""
        found = [post for one in _several(request, "uris", 25) if (post := self.world.shown(one, self.viewer))]
        return json_answer({"posts": [self.views.post(one, self.viewer) for one in found]})

    def get_author_feed(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/app-bsky-feed-get-author-feed"""
        member = self.world.find_member(request.first("actor"))
        if member is None:
            return problem("InvalidRequest", "Profile not found")
        shows_replies = request.first("filter", "posts_with_replies") == "posts_with_replies"
        entries: list[tuple[datetime, dict[str, Any]]] = [
            (sort_at(one), self.views.feed_entry(one, self.viewer))
            for one in self.world.posts.values()
            if one.author == member.did and not one.deleted_at and (shows_replies or not one.parent)
        ]
        for one in self.world.carried.values():
            post = self.world.shown(one.subject)
            if one.author == member.did and not one.is_like and post:
                by = self.views.basic(member, self.viewer)
                reason = {"$type": "app.bsky.feed.defs#reasonRepost", "by": by, "indexedAt": stamp(one.at)}
                entries.append((one.at, {**self.views.feed_entry(post, self.viewer), "reason": reason}))
        return _page(request, "feed", entries, lambda entry: entry)

    def list_notifications(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/app-bsky-notification-list-notifications"""
        if request.first("seenAt"):
            return problem("InvalidRequest", "The seenAt parameter is unsupported")
        reasons = request.query.get("reasons", ())
        entries = [
            (at, self.views.notification(reason, at, what, about, self.viewer))
            for reason, at, what, about in self.world.notified(self.viewer)
            if not reasons or reason in reasons
        ]
        return _page(request, "notifications", entries, lambda entry: entry)


def _limit(request: Request) -> int:
    text = request.first("limit", "50")
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise Malformed("Error: limit must be an integer between 1 and 100")
    return int(text)


def _several(request: Request, name: str, most: int) -> Sequence[str]:
    values = request.query.get(name, ())
    if not values:
        raise Malformed(f'Error: Params must have the property "{name}"')
    if len(values) > most:
        raise Malformed(f"Error: {name} must not have more than {most} elements")
    return values


def _page(
    request: Request, name: str, entries: list[tuple[datetime, T]], shown: Callable[[T], dict[str, Any]]
) -> Answer:
    """Newest first; the cursor is the time of the last one, and the next page has only what is older."""
    cursor, limit = request.first("cursor"), _limit(request)
    entries.sort(key=lambda entry: entry[0], reverse=True)
    if cursor:
        try:
            before = datetime.fromisoformat(cursor)
            entries = [one for one in entries if stamp(one[0]) < stamp(before)]
        except (ValueError, TypeError):
            return problem("InvalidRequest", "Malformed cursor")
    page = entries[:limit]
    found: dict[str, Any] = {name: [shown(one) for _at, one in page]}
    return json_answer(found | ({"cursor": stamp(page[-1][0])} if len(entries) > limit else {}))
