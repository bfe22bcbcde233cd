"""How the AppView shows things to somebody: app.bsky.feed.defs, app.bsky.actor.defs, app.bsky.embed.*, chat.bsky.*."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.simulators.bluesky.things import LIKE, REPOST, Carried, Convo, Member, Message, Post, stamp
from connectors.simulators.bluesky.world import World

CDN = "https://cdn.bsky.app/img"


class Views:
    def __init__(self, world: World) -> None:
        self._world = world

    # --- People -----------------------------------------------------------------------------------------------------

    def basic(self, member: Member, viewer: str) -> dict[str, Any]:
        """profileViewBasic"""
        found: dict[str, Any] = {"did": member.did, "handle": member.handle, "displayName": member.name}
        them = self._world.members.get(viewer)
        state: dict[str, Any] = {"muted": False, "blockedBy": viewer in member.blocks}
        if them and member.did in them.blocks:
            state["blocking"] = f"at://{viewer}/app.bsky.graph.block/{member.did[-13:]}"
        labels = [self._label(member.did, one) for one in member.labels]
        return {**found, "viewer": state, "labels": labels, "createdAt": stamp(member.created_at)}

    def profile(self, member: Member, viewer: str) -> dict[str, Any]:
        """profileView"""
        about = {"description": member.bio} if member.bio else {}
        return {**self.basic(member, viewer), **about, "indexedAt": stamp(member.created_at)}

    def detailed(self, member: Member, viewer: str) -> dict[str, Any]:
        """profileViewDetailed"""
        posts = sum(1 for one in self._world.posts.values() if one.author == member.did and not one.deleted_at)
        counts = {"followersCount": member.followers, "followsCount": 12, "postsCount": posts}
        return {**self.profile(member, viewer), **counts}

    def _label(self, uri: str, value: str) -> dict[str, Any]:
        return {"src": "did:plc:ar7c4by46qjdydhdevvrndac", "uri": uri, "val": value, "cts": "2026-01-01T00:00:00.000Z"}

    # --- Posts ------------------------------------------------------------------------------------------------------

    def post(self, post: Post, viewer: str) -> dict[str, Any]:
        """postView"""
        world = self._world
        shown = [one for one in world.posts.values() if not one.deleted_at]
        state: dict[str, Any] = {"threadMuted": False, "embeddingDisabled": False}
        if self._is_closed(post, viewer):
            state["replyDisabled"] = True
        found: dict[str, Any] = {
            "uri": post.uri,
            "cid": post.cid,
            "author": self.basic(world.members[post.author], viewer),
            "record": post.record,
            "bookmarkCount": 0,
            "replyCount": sum(1 for one in shown if one.parent == post.uri),
            "repostCount": sum(1 for one in world.carried.values() if one.subject == post.uri and not one.is_like),
            "likeCount": post.likes
            + sum(1 for one in world.carried.values() if one.subject == post.uri and one.is_like),
            "quoteCount": sum(1 for one in shown if one.quoted == post.uri),
            "indexedAt": stamp(post.indexed_at),
            "viewer": state,
            "labels": [self._label(post.uri, one) for one in post.labels],
        }
        if embed := self._embed(post, post.record.get("embed"), viewer):
            found["embed"] = embed
        return found

    def _is_closed(self, post: Post, viewer: str) -> bool:
        root = str(((post.record.get("reply") or {}).get("root") or {}).get("uri") or post.uri)
        gate = self._world.posts.get(root)
        return bool(gate and gate.is_gated and gate.author != viewer)

    def _embed(self, post: Post, embed: Any, viewer: str) -> dict[str, Any] | None:
        kind = embed.get("$type") if isinstance(embed, Mapping) else None
        if kind == "app.bsky.embed.images":
            images = [self._image(post, one) for one in embed.get("images") or ()]
            return {"$type": f"{kind}#view", "images": images}
        if kind == "app.bsky.embed.external":
            return {"$type": f"{kind}#view", "external": embed.get("external")}
        if kind == "app.bsky.embed.record":
            return {"$type": f"{kind}#view", "record": self._quoted(str(embed["record"].get("uri")), viewer)}
        if kind == "app.bsky.embed.recordWithMedia":
            quoted = self._quoted(str(embed["record"]["record"].get("uri")), viewer)
            media = self._embed(post, embed.get("media"), viewer)
            return {"$type": f"{kind}#view", "media": media, "record": {"record": quoted}}
        return None

    def _image(self, post: Post, image: Mapping[str, Any]) -> dict[str, Any]:
        link = ((image.get("image") or {}).get("ref") or {}).get("$link", "")
        sizes = {"thumb": "feed_thumbnail", "fullsize": "feed_fullsize"}
        found = {name: f"{CDN}/{size}/plain/{post.author}/{link}" for name, size in sizes.items()}
        ratio = {"aspectRatio": image["aspectRatio"]} if "aspectRatio" in image else {}
        return {**found, "alt": image.get("alt", ""), **ratio}

    def _quoted(self, uri: str, viewer: str) -> dict[str, Any]:
        """viewRecord, viewNotFound or viewBlocked"""
        post = self._world.shown(uri)
        if post is None:
            return {"$type": "app.bsky.embed.record#viewNotFound", "uri": uri, "notFound": True}
        if self._world.is_apart(viewer, post.author):
            author = {"did": post.author, "viewer": {"blockedBy": True}}
            return {"$type": "app.bsky.embed.record#viewBlocked", "uri": uri, "blocked": True, "author": author}
        return {
            "$type": "app.bsky.embed.record#viewRecord",
            "uri": uri,
            "cid": post.cid,
            "author": self.basic(self._world.members[post.author], viewer),
            "value": post.record,
            "labels": [],
            "indexedAt": stamp(post.indexed_at),
        }

    def feed_entry(self, post: Post, viewer: str) -> dict[str, Any]:
        """feedViewPost"""
        found: dict[str, Any] = {"post": self.post(post, viewer)}
        if post.parent:
            root = str(post.record["reply"]["root"]["uri"])
            found["reply"] = {"root": self._above(root, viewer), "parent": self._above(post.parent, viewer)}
        return found

    def _above(self, uri: str, viewer: str) -> dict[str, Any]:
        post = self._world.shown(uri)
        if post is None:
            return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True}
        if self._world.is_apart(viewer, post.author):
            blocked = {"did": post.author}
            return {"$type": "app.bsky.feed.defs#blockedPost", "uri": uri, "blocked": True, "author": blocked}
        return {"$type": "app.bsky.feed.defs#postView", **self.post(post, viewer)}

    def notification(self, reason: str, at: datetime, what: Post | Carried, about: str, viewer: str) -> dict[str, Any]:
        author = self._world.members[what.author]
        if isinstance(what, Post):
            record = what.record
        else:
            subject = self._world.posts[what.subject]
            kind = LIKE if what.is_like else REPOST
            strong = {"uri": subject.uri, "cid": subject.cid}
            record = {"$type": kind, "subject": strong, "createdAt": stamp(what.at)}
        found = {
            "uri": what.uri,
            "cid": what.cid,
            "author": self.profile(author, viewer),
            "reason": reason,
            "record": record,
            "isRead": False,
            "indexedAt": stamp(at),
            "labels": [],
        }
        return {**found, "reasonSubject": about} if about else found

    # --- Direct messages --------------------------------------------------------------------------------------------

    def convo(self, convo: Convo, viewer: str) -> dict[str, Any]:
        """chat.bsky.convo.defs#convoView"""
        messages = [one for one in self._world.messages.values() if one.convo == convo.id]
        found: dict[str, Any] = {
            "id": convo.id,
            "rev": convo.rev,
            "members": [self.basic(self._world.members[did], viewer) for did in convo.members],
            "muted": False,
            "status": "request" if convo.requested_of == viewer else "accepted",
            "unreadCount": sum(1 for one in messages if one.sender != viewer),
            "kind": {"$type": "chat.bsky.convo.defs#directConvo"},
        }
        if messages:
            found["lastMessage"] = self.message(max(messages, key=lambda one: one.rev))
        return found

    def message(self, message: Message) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": message.id,
            "rev": message.rev,
            "sender": {"did": message.sender},
            "sentAt": stamp(message.at),
        }
        if message.is_deleted:
            return {"$type": "chat.bsky.convo.defs#deletedMessageView", **found}
        answered = self._world.messages.get(message.answers)
        return {
            "$type": "chat.bsky.convo.defs#messageView",
            **found,
            "text": message.text,
            **({"facets": message.facets} if message.facets else {}),
            **({"replyTo": self.message(answered)} if answered else {}),
        }
